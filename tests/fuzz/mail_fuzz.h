/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two fuzz targets of mail sessions share: the unit tests' fixture, with abort for a
 * failed assertion. */
#ifndef SEKISHO_TESTS_MAIL_FUZZ_H
#define SEKISHO_TESTS_MAIL_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

static inline void must(bool holds)
{
	if (!holds)
		abort();
}

#define assert_true(holds)          must(holds)
#define assert_int_equal(got, want) must((got) == (want))

#include "unit/mail_fixture.h"

/* The input is a script: an operation, and what it needs. */
struct script {
	const uint8_t *data;
	size_t size;
	size_t at;
};

static inline uint8_t script_u8(struct script *s)
{
	return s->at < s->size ? s->data[s->at++] : 0;
}

/* A length, and so many bytes; fewer at the end. */
static inline struct span script_span(struct script *s)
{
	size_t size = script_u8(s);
	struct span out = {s->data + s->at, size < s->size - s->at ? size : s->size - s->at};

	s->at += out.size;
	return out;
}

#endif
