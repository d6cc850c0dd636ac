/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sekisho replay: recorded flows against a configuration: which outcome changes, compared with what
 * another configuration says, or with what the record says (C2).
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "tools/config_file.h"
#include "tools/flow_file.h"
#include "tools/tools.h"
#include "tools/verdict.h"

#define CHANGES_MAX 1000000 /* kept apart; flows beyond are counted in the sums only */

enum { STATUS_SAME = 0, STATUS_CHANGED = 1, STATUS_USAGE = 2 };

/* One side of the comparison. */
struct outcome {
	bool permitted;
	uint32_t number; /* of the permit, 0: none */
	char reason[24];
};

/* A flow whose outcome differs, all of one kind together. Compared as bytes: no padding. */
struct change {
	char from[SNAPSHOT_NAME_BYTES];
	uint8_t family, protocol;
	uint16_t port; /* ICMP: type */
	uint8_t source[16], destination[16];
	uint32_t before_number, after_number;
	uint8_t before_permitted, after_permitted;
	char before_reason[23], after_reason[23];
};

struct policy_file {
	const char *path;
	struct bytes block;
	struct snapshot snapshot;
	struct judge_policy policy;
	bool loaded;
};

struct replay {
	struct policy_file after, before; /* before: without a path the record speaks */
	const char *flows;
	int64_t now_s; /* of flows that tell no time */
	struct change *changes;
	size_t change_count, capacity;
	unsigned long total, same, now_denied, now_permitted, other_permit;
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

static struct outcome judge_line(const struct policy_file *f, struct flow_line *line, int64_t now_s)
{
	struct judge_question q = {.headers = &line->headers,
				   .mac = line->has_mac ? line->mac : NULL,
				   .now_s = line->has_time ? line->at_s : now_s};
	struct outcome o = {.number = 0};
	struct judge_verdict v;

	if (!verdict_zone(&f->snapshot, line->from, &q.from)) {
		snprintf(o.reason, sizeof(o.reason), "no-such-zone");
		return o;
	}
	v = judge_flow(&f->policy, &q);
	o.permitted = verdict_permits(&f->snapshot, q.from, &v, &line->headers);
	if (v.reason == JUDGE_PERMITTED)
		o.number = f->snapshot.permits[v.permit].number;
	snprintf(o.reason, sizeof(o.reason), "%s", judge_reason_name(v.reason));
	return o;
}

static struct outcome recorded(const struct flow_line *line)
{
	struct outcome o = {.permitted = line->outcome == FLOW_PERMITTED, .number = line->permit};

	snprintf(o.reason, sizeof(o.reason), "recorded");
	return o;
}

/* Return: 0 or -ERR_NO_MEMORY. */
static int keep(struct replay *r, const struct flow_line *line, const struct outcome *before,
		const struct outcome *after)
{
	const struct ip_headers *h = &line->headers;
	struct change *c;

	if (r->change_count == CHANGES_MAX)
		return 0;
	if (r->change_count == r->capacity) {
		size_t capacity = r->capacity == 0 ? 256 : 2 * r->capacity;
		struct change *changes = reallocarray(r->changes, capacity, sizeof(*changes));

		if (changes == NULL)
			return -ERR_NO_MEMORY;
		r->changes = changes;
		r->capacity = capacity;
	}
	c = &r->changes[r->change_count++];
	memset(c, 0, sizeof(*c));
	memcpy(c->from, line->from, strlen(line->from));
	c->family = h->family;
	c->protocol = h->protocol;
	c->port = (h->flags & IP_HAS_ICMP) != 0 ? h->icmp_type : h->destination_port;
	memcpy(c->source, h->source, sizeof(c->source));
	memcpy(c->destination, h->destination, sizeof(c->destination));
	c->before_permitted = before->permitted;
	c->after_permitted = after->permitted;
	c->before_number = before->number;
	c->after_number = after->number;
	memcpy(c->before_reason, before->reason, strlen(before->reason));
	memcpy(c->after_reason, after->reason, strlen(after->reason));
	return 0;
}

/* A record that tells no permit is only held against whether it passed. */
static int replay_line(void *ctx, struct flow_line *line)
{
	struct replay *r = ctx;
	struct outcome after = judge_line(&r->after, line, r->now_s), before;

	if (r->before.path == NULL && line->outcome == FLOW_UNTOLD) {
		fprintf(stderr, "sekisho replay: a flow tells no outcome; write permit=N or use "
				"--against\n");
		return -ERR_SYNTAX;
	}
	before = r->before.path != NULL ? judge_line(&r->before, line, r->now_s) : recorded(line);
	r->total++;
	if (before.permitted == after.permitted &&
	    (before.number == after.number || before.number == 0)) {
		r->same++;
		return 0;
	}
	if (before.permitted == after.permitted)
		r->other_permit++;
	else if (after.permitted)
		r->now_permitted++;
	else
		r->now_denied++;
	return keep(r, line, &before, &after);
}

static int compare_changes(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct change));
}

static void print_outcome(uint8_t permitted, uint32_t number, const char *reason)
{
	if (permitted != 0 && number != 0)
		printf("permit %u", number);
	else if (permitted != 0)
		printf("permit");
	else
		printf("deny %s", reason);
}

static void print_change(const struct change *c, unsigned long count)
{
	static const struct {
		uint8_t number;
		const char *name;
	} names[] = {{6, "tcp"}, {17, "udp"}, {1, "icmp"}, {58, "icmpv6"}};
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN], protocol[8];
	int family = c->family == 4 ? AF_INET : AF_INET6;

	snprintf(protocol, sizeof(protocol), "%u", c->protocol);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].number == c->protocol)
			snprintf(protocol, sizeof(protocol), "%s", names[i].name);
	}
	(void)inet_ntop(family, c->source, source, sizeof(source)); /* there is room */
	(void)inet_ntop(family, c->destination, destination, sizeof(destination));
	printf("%s %s -> %s %s %u: ", c->from, source, destination, protocol, c->port);
	print_outcome(c->before_permitted, c->before_number, c->before_reason);
	printf(" -> ");
	print_outcome(c->after_permitted, c->after_number, c->after_reason);
	printf(" (%lu)\n", count);
}

static int report(const struct replay *r)
{
	size_t first = 0;

	if (r->change_count > 0)
		qsort(r->changes, r->change_count, sizeof(*r->changes), compare_changes);
	for (size_t i = 1; i <= r->change_count; i++) {
		if (i < r->change_count && compare_changes(&r->changes[first], &r->changes[i]) == 0)
			continue;
		print_change(&r->changes[first], i - first);
		first = i;
	}
	printf("%lu flows: %lu as before, %lu now denied, %lu now permitted, %lu by another "
	       "permit\n",
	       r->total, r->same, r->now_denied, r->now_permitted, r->other_permit);
	return r->now_denied + r->now_permitted > 0 ? STATUS_CHANGED : STATUS_SAME;
}

static bool read_options(struct replay *r, int argc, char **argv)
{
	static const struct option options[] = {{"against", required_argument, NULL, 'b'},
						{NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return false;
		r->before.path = optarg;
	}
	if (argc - optind != 2)
		return false;
	r->after.path = argv[optind];
	r->flows = argv[optind + 1];
	return true;
}

int tool_replay(int argc, char **argv)
{
	struct replay r = {.now_s = time(NULL)};
	int err, status = STATUS_USAGE;

	if (!read_options(&r, argc, argv))
		return tool_usage("replay");
	err = load(&r.after);
	if (err == 0 && r.before.path != NULL)
		err = load(&r.before);
	if (err == 0)
		err = flow_file_read(r.flows, r.after.snapshot.header->utc_offset_s, replay_line,
				     &r);
	if (err == 0)
		status = report(&r);
	unload(&r.after);
	unload(&r.before);
	free(r.changes);
	return status;
}
