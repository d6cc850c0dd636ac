/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A snapshot from configuration text, for tests of what reads snapshots. */
#ifndef SEKISHO_TESTS_POLICY_FIXTURE_H
#define SEKISHO_TESTS_POLICY_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "policy/policy.h"
#include "policy/problem.h"
#include "policy/snapshot.h"

struct policy_fixture {
	struct bytes block;
	struct snapshot snapshot;
};

/* Fails the test where the text does not compile. */
static inline void policy_fixture_init(struct policy_fixture *f, const char *text)
{
	static struct problems problems;
	struct bytes messages;

	bytes_init(&f->block, SNAPSHOT_BYTES_MAX);
	bytes_init(&messages, 65536);
	problems_init(&problems);
	int err = policy_compile_text(span_of(text), &f->block, &problems);

	if (err != 0 && problems_print(&messages, &problems, "test", LANGUAGE_EN) == 0)
		fwrite(messages.data, 1, messages.size, stderr);
	bytes_fini(&messages);
	assert_int_equal(err, 0);
	assert_int_equal(snapshot_view(&f->snapshot, f->block.data, f->block.size), 0);
}

static inline void policy_fixture_fini(struct policy_fixture *f)
{
	bytes_fini(&f->block);
}

#endif
