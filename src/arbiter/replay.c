/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two judgements of each flow, and a hash table of where they differ. */
#include "arbiter/replay.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arbiter/outcome.h"
#include "base/err.h"

#define FNV_BASIS 14695981039346656037U
#define FNV_PRIME 1099511628211U

struct outcome {
	bool permitted;
	uint32_t number;
	char reason[24];
};

int replay_init(struct replay *r, const struct judge_policy *before,
		const struct judge_policy *after, int64_t now_s, size_t most)
{
	*r = (struct replay){.before = before, .after = after, .now_s = now_s, .most = most};
	for (r->places = 1; r->places < 2 * most; r->places *= 2)
		;
	r->changes = calloc(r->places, sizeof(*r->changes));
	return r->changes == NULL ? -ERR_NO_MEMORY : 0;
}

void replay_fini(struct replay *r)
{
	free(r->changes);
	*r = (struct replay){0};
}

static struct outcome judge(const struct judge_policy *policy, const struct flow_line *line,
			    int64_t now_s)
{
	struct judge_question q = {.headers = &line->headers,
				   .mac = line->has_mac ? line->mac : NULL,
				   .now_s = line->has_time ? line->at_s : now_s};
	const struct snapshot *s = policy->snapshot;
	struct outcome o = {.number = 0};
	struct judge_verdict v;

	if (!outcome_find_zone(s, line->from, &q.from)) {
		snprintf(o.reason, sizeof(o.reason), "no-such-zone");
		return o;
	}
	v = judge_flow(policy, &q);
	o.permitted = outcome_permits(s, q.from, &v, &line->headers);
	if (v.reason == JUDGE_PERMITTED)
		o.number = s->permits[v.permit].number;
	snprintf(o.reason, sizeof(o.reason), "%s", judge_reason_name(v.reason));
	return o;
}

static struct outcome recorded(const struct flow_line *line)
{
	struct outcome o = {.permitted = line->outcome == FLOW_PERMITTED, .number = line->permit};

	snprintf(o.reason, sizeof(o.reason), "recorded");
	return o;
}

static struct replay_key key_of(const struct flow_line *line, const struct outcome *before,
				const struct outcome *after)
{
	const struct ip_headers *h = &line->headers;
	struct replay_key key;

	_Static_assert(sizeof(key) == SNAPSHOT_NAME_BYTES + 4 + 32 + 8 + 2 + 2 * 23,
		       "compared as bytes: no padding");
	memset(&key, 0, sizeof(key));
	memcpy(key.from, line->from, strlen(line->from));
	key.family = h->family;
	key.protocol = h->protocol;
	key.port = (h->flags & IP_HAS_ICMP) != 0 ? h->icmp_type : h->destination_port;
	memcpy(key.source, h->source, sizeof(key.source));
	memcpy(key.destination, h->destination, sizeof(key.destination));
	key.before_permitted = before->permitted;
	key.after_permitted = after->permitted;
	key.before_number = before->number;
	key.after_number = after->number;
	memcpy(key.before_reason, before->reason, strnlen(before->reason, 22));
	memcpy(key.after_reason, after->reason, strnlen(after->reason, 22));
	return key;
}

/* The place of a key, or the free one where it would be; it is never full: replay_init. */
static struct replay_change *place_of(const struct replay *r, const struct replay_key *key)
{
	const uint8_t *bytes = (const uint8_t *)key;
	uint64_t hash = FNV_BASIS;
	size_t at;

	for (size_t i = 0; i < sizeof(*key); i++)
		hash = (hash ^ bytes[i]) * FNV_PRIME;
	at = (size_t)(hash ^ hash >> 32) & (r->places - 1);
	while (r->changes[at].count > 0 && memcmp(&r->changes[at].key, key, sizeof(*key)) != 0)
		at = (at + 1) & (r->places - 1);
	return &r->changes[at];
}

static void count_change(struct replay *r, const struct replay_key *key, const char *at)
{
	struct replay_change *change = place_of(r, key);

	if (change->count == 0 && r->count == r->most) {
		r->unlisted++;
		return;
	}
	if (change->count++ == 0) {
		change->key = *key;
		r->count++;
	}
	if (at[0] != '\0')
		memcpy(change->last, at, sizeof(change->last));
}

static enum replay_kind kind_of(const struct replay_key *key)
{
	if (key->before_permitted == key->after_permitted)
		return REPLAY_OTHER_PERMIT;
	return key->after_permitted ? REPLAY_NOW_PERMITTED : REPLAY_NOW_DENIED;
}

enum replay_kind replay_kind(const struct replay_change *change)
{
	return kind_of(&change->key);
}

int replay_take(struct replay *r, const struct flow_line *line)
{
	struct outcome after = judge(r->after, line, r->now_s), before;
	struct replay_key key;

	if (r->before == NULL && line->outcome == FLOW_UNTOLD)
		return -ERR_SYNTAX;
	before = r->before != NULL ? judge(r->before, line, r->now_s) : recorded(line);
	r->total++;
	if (before.permitted == after.permitted &&
	    (before.number == after.number || before.number == 0)) {
		r->same++;
		return 0;
	}
	key = key_of(line, &before, &after);
	r->kinds[kind_of(&key)]++;
	count_change(r, &key, line->at);
	return 0;
}

static int compare(const void *left, const void *right)
{
	const struct replay_change *a = left, *b = right;
	enum replay_kind kind_a = replay_kind(a), kind_b = replay_kind(b);

	if (kind_a != kind_b)
		return kind_a < kind_b ? -1 : 1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return memcmp(&a->key, &b->key, sizeof(a->key));
}

void replay_sort(struct replay *r)
{
	size_t front = 0;

	for (size_t i = 0; i < r->places; i++) {
		if (r->changes[i].count > 0)
			r->changes[front++] = r->changes[i];
	}
	qsort(r->changes, r->count, sizeof(*r->changes), compare);
}

static int write_outcome(uint8_t permitted, uint32_t number, const char *reason, struct bytes *out)
{
	if (permitted != 0 && number != 0)
		return bytes_printf(out, "permit %" PRIu32, number);
	return permitted != 0 ? bytes_append_text(out, "permit")
			      : bytes_printf(out, "deny %s", reason);
}

static int write_flow(const struct replay_key *key, struct bytes *out)
{
	static const struct {
		uint8_t number;
		const char *name;
	} names[] = {{IP_PROTOCOL_TCP, "tcp"},
		     {IP_PROTOCOL_UDP, "udp"},
		     {IP_PROTOCOL_ICMP, "icmp"},
		     {IP_PROTOCOL_ICMPV6, "icmpv6"}};
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN], protocol[8];
	int family = key->family == 4 ? AF_INET : AF_INET6;

	snprintf(protocol, sizeof(protocol), "%u", key->protocol);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].number == key->protocol)
			snprintf(protocol, sizeof(protocol), "%s", names[i].name);
	}
	(void)inet_ntop(family, key->source, source, sizeof(source)); /* there is room */
	(void)inet_ntop(family, key->destination, destination, sizeof(destination));
	return bytes_printf(out, "%s %s -> %s %s %u: ", key->from, source, destination, protocol,
			    key->port);
}

int replay_write_change(const struct replay_change *change, struct bytes *out)
{
	const struct replay_key *key = &change->key;
	int err = write_flow(key, out);

	if (err == 0)
		err = write_outcome(key->before_permitted, key->before_number, key->before_reason,
				    out);
	if (err == 0)
		err = bytes_append_text(out, " -> ");
	if (err == 0)
		err = write_outcome(key->after_permitted, key->after_number, key->after_reason,
				    out);
	if (err == 0)
		err = bytes_printf(out, " (%" PRIu64, change->count);
	if (err == 0 && change->last[0] != '\0')
		err = bytes_printf(out, ", last %s", change->last);
	return err == 0 ? bytes_append_u8(out, ')') : err;
}
