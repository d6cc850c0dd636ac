/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sekisho replay: recorded flows against a configuration: which outcome changes, compared with what
 * another configuration says, or with what the record says (C2).
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "arbiter/replay.h"
#include "base/err.h"
#include "tools/config_file.h"
#include "tools/flow_file.h"
#include "tools/tools.h"

#define CHANGES_MAX       262144 /* told apart; flows beyond are counted in the sums only */
#define CHANGE_TEXT_BYTES 512

enum { STATUS_SAME = 0, STATUS_CHANGED = 1, STATUS_USAGE = 2 };

struct policy_file {
	const char *path;
	struct bytes block;
	struct snapshot snapshot;
	struct judge_policy policy;
	bool loaded;
};

struct options {
	struct policy_file after, before; /* before: without a path the record speaks */
	const char *flows;
};

static int load(struct policy_file *f)
{
	int err;

	bytes_init(&f->block, SNAPSHOT_BYTES_MAX);
	err = config_file_compile(&f->snapshot, &f->block, f->path);
	if (err == 0)
		err = judge_init(&f->policy, &f->snapshot);
	f->loaded = err == 0;
	return err;
}

static void unload(struct policy_file *f)
{
	if (f->loaded)
		judge_fini(&f->policy);
	if (f->path != NULL)
		bytes_fini(&f->block);
}

static int take_line(void *ctx, struct flow_line *line)
{
	int err = replay_take(ctx, line);

	if (err == -ERR_SYNTAX)
		fprintf(stderr, "sekisho replay: a flow tells no outcome; write permit=N or use "
				"--against\n");
	return err;
}

/* Return: 0 or -ERR_NO_MEMORY, told. */
static int print_changes(const struct replay *r)
{
	struct bytes text;
	int err = 0;

	bytes_init(&text, CHANGE_TEXT_BYTES);
	for (size_t i = 0; i < r->count && err == 0; i++) {
		bytes_clear(&text);
		err = replay_write_change(&r->changes[i], &text);
		if (err == 0)
			printf("%.*s\n", (int)text.size, (const char *)text.data);
	}
	bytes_fini(&text);
	if (err != 0)
		fprintf(stderr, "sekisho replay: %s\n", err_name(err));
	return err;
}

static int report(struct replay *r)
{
	replay_sort(r);
	if (print_changes(r) != 0)
		return STATUS_USAGE;
	if (r->unlisted > 0)
		printf("%" PRIu64 " changed flows are not listed: too many kinds\n", r->unlisted);
	printf("%" PRIu64 " flows: %" PRIu64 " as before, %" PRIu64 " now denied, %" PRIu64
	       " now permitted, %" PRIu64 " by another permit\n",
	       r->total, r->same, r->kinds[REPLAY_NOW_DENIED], r->kinds[REPLAY_NOW_PERMITTED],
	       r->kinds[REPLAY_OTHER_PERMIT]);
	return r->kinds[REPLAY_NOW_DENIED] + r->kinds[REPLAY_NOW_PERMITTED] > 0 ? STATUS_CHANGED
										: STATUS_SAME;
}

static bool read_options(struct options *o, int argc, char **argv)
{
	static const struct option options[] = {{"against", required_argument, NULL, 'b'},
						{NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return false;
		o->before.path = optarg;
	}
	if (argc - optind != 2)
		return false;
	o->after.path = argv[optind];
	o->flows = argv[optind + 1];
	return true;
}

/* Return: the status. */
static int replay(const struct options *o)
{
	struct replay r;
	int err = replay_init(&r, o->before.path != NULL ? &o->before.policy : NULL,
			      &o->after.policy, time(NULL), CHANGES_MAX);
	int status;

	if (err != 0)
		fprintf(stderr, "sekisho replay: %s\n", err_name(err));
	else
		err = flow_file_read(o->flows, o->after.snapshot.header->utc_offset_s, take_line,
				     &r);
	status = err == 0 ? report(&r) : STATUS_USAGE;
	replay_fini(&r);
	return status;
}

int tool_replay(int argc, char **argv)
{
	struct options o = {0};
	int status = STATUS_USAGE;

	if (!read_options(&o, argc, argv))
		return tool_usage("replay");
	if (load(&o.after) == 0 && (o.before.path == NULL || load(&o.before) == 0))
		status = replay(&o);
	unload(&o.after);
	unload(&o.before);
	return status;
}
