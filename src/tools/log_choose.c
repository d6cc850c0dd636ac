/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telling a gateway's records from others with their numbers (L1). */
#include "tools/log_choose.h"

#include <string.h>

#include "base/err.h"
#include "tools/log_copy.h"

/* The places of one number: @begin to @end, without it. */
struct group {
	size_t begin, end;
};

/* A record as it is read again, and the hash that stands at its end. */
struct loaded {
	uint8_t bytes[LOG_CHAIN_LINE_MAX];
	struct span line;
	uint8_t stated[SHA256_BYTES];
};

static int load(const struct log_choice *c, size_t at, struct loaded *out)
{
	int err = c->load(c->ctx, &c->places[at], out->bytes);

	if (err < 0)
		return err;
	out->line = (struct span){out->bytes, c->places[at].size};
	return log_chain_stated(out->line, out->stated);
}

/* Whether it is the record of its number behind one with the hash @before. */
static bool follows(const struct loaded *r, uint64_t sequence, const uint8_t before[SHA256_BYTES])
{
	struct log_chain chain = {.next_sequence = sequence};
	struct syslog_view view;
	const char *why;

	memcpy(chain.hash, before, SHA256_BYTES);
	return log_chain_check(&chain, r->line, &view, &why) == 0;
}

/* The first record of a file names the hash before it. */
static bool begins_a_file(const struct loaded *r, uint64_t sequence)
{
	struct log_chain chain;

	return log_chain_adopt(&chain, r->line) == 0 && chain.next_sequence == sequence &&
	       follows(r, sequence, chain.hash);
}

static struct group group_from(const struct log_choice *c, size_t begin)
{
	struct group g = {begin, begin};

	while (g.end < c->count && c->places[g.end].sequence == c->places[begin].sequence)
		g.end++;
	return g;
}

/* The group whose last place is before @end. */
static struct group group_before(const struct log_choice *c, size_t end)
{
	struct group g = {end, end};

	while (g.begin > 0 && c->places[g.begin - 1].sequence == c->places[end - 1].sequence)
		g.begin--;
	return g;
}

static void settle(struct log_choice *c, struct group g, size_t taken)
{
	for (size_t i = g.begin; i < g.end; i++) {
		if (c->places[i].fate == LOG_OPEN)
			c->places[i].fate = i == taken ? LOG_TAKEN : LOG_FOREIGN;
	}
}

static void leave_open(struct log_choice *c, struct group g)
{
	for (size_t i = g.begin; i < g.end; i++) {
		if (c->places[i].fate == LOG_OPEN)
			c->places[i].fate = LOG_UNDECIDED;
	}
}

static void mark_doubles(struct log_choice *c)
{
	for (size_t i = 1; i < c->count; i++) {
		const struct log_place *a = &c->places[i - 1];
		struct log_place *b = &c->places[i];

		if (a->sequence == b->sequence &&
		    memcmp(a->digest, b->digest, sizeof(a->digest)) == 0)
			b->fate = LOG_TWICE;
	}
}

/* ---- backwards from an anchor */

static size_t count_open(const struct log_choice *c, struct group g)
{
	size_t count = 0;

	for (size_t i = g.begin; i < g.end; i++)
		count += c->places[i].fate == LOG_OPEN;
	return count;
}

/* The hash before @r by one of the places of @g. Return: 1 with @before set, 0 none, or an error.
 */
static int find_before(struct log_choice *c, struct group g, const struct loaded *r,
		       uint64_t sequence, uint8_t before[SHA256_BYTES])
{
	struct loaded other;

	for (size_t i = g.begin; i < g.end; i++) {
		int err;

		if (c->places[i].fate == LOG_TWICE)
			continue;
		if (c->pairs_left == 0)
			return 0;
		c->pairs_left--;
		err = load(c, i, &other);
		if (err < 0)
			return err;
		if (follows(r, sequence, other.stated)) {
			memcpy(before, other.stated, SHA256_BYTES);
			return 1;
		}
	}
	return 0;
}

/*
 * The one of @g that has @hash by what it says and by the record before it, which may be in
 * @earlier. Return: 1, with @hash now that of the record before; 0: the proof ends here; an error.
 */
static int step_back(struct log_choice *c, struct group g, struct group earlier,
		     uint8_t hash[SHA256_BYTES])
{
	uint64_t sequence = c->places[g.begin].sequence;
	struct log_chain chain;
	struct loaded r;

	for (size_t i = g.begin; i < g.end; i++) {
		int found = 0, err;

		if (c->places[i].fate != LOG_OPEN)
			continue;
		err = load(c, i, &r);
		if (err < 0)
			return err;
		if (memcmp(r.stated, hash, SHA256_BYTES) != 0)
			continue;
		if (begins_a_file(&r, sequence)) {
			(void)log_chain_adopt(&chain, r.line); /* it was just done */
			memcpy(hash, chain.hash, SHA256_BYTES);
			found = 1;
		} else {
			found = find_before(c, earlier, &r, sequence, hash);
		}
		if (found != 0) {
			settle(c, g, i);
			return found;
		}
	}
	return 0;
}

/* @g: of the newest record that the anchor covers. */
static int walk_back(struct log_choice *c, struct group g, const struct log_anchor *anchor)
{
	uint8_t hash[SHA256_BYTES];
	int found = 1;

	memcpy(hash, anchor->hash, sizeof(hash));
	while (found > 0 && g.begin < g.end && count_open(c, g) > 0) {
		struct group earlier = {g.begin, g.begin};

		if (g.begin > 0 &&
		    c->places[g.begin - 1].sequence + 1 == c->places[g.begin].sequence)
			earlier = group_before(c, g.begin);
		found = step_back(c, g, earlier, hash);
		g = earlier;
	}
	return found < 0 ? found : 0;
}

static int prove(struct log_choice *c)
{
	for (size_t i = c->anchor_count; i-- > 0;) {
		size_t at = log_first_of(c->places, c->count, sizeof(c->places[0]),
					 c->anchors[i].sequence);
		int err;

		if (at == c->count || c->places[at].sequence != c->anchors[i].sequence)
			continue;
		err = walk_back(c, group_from(c, at), &c->anchors[i]);
		if (err < 0)
			return err;
	}
	return 0;
}

/* ---- forwards */

/* What is known of the record before the one that is looked at. */
struct before {
	uint64_t sequence; /* 0: nothing */
	uint8_t hash[SHA256_BYTES];
};

struct found {
	size_t fitting, first, second; /* how many follow; the first two of them */
};

/* Which of a number follow from the record before, or, without one, begin a file. */
static int look_forward(const struct log_choice *c, struct group g, const struct before *before,
			struct found *found)
{
	uint64_t sequence = c->places[g.begin].sequence;
	bool known = before->sequence != 0 && before->sequence + 1 == sequence;
	struct loaded r;

	*found = (struct found){0};
	for (size_t i = g.begin; i < g.end; i++) {
		int err;

		if (c->places[i].fate != LOG_OPEN)
			continue;
		err = load(c, i, &r);
		if (err < 0)
			return err;
		if (known ? !follows(&r, sequence, before->hash) : !begins_a_file(&r, sequence))
			continue;
		if (found->fitting++ == 0)
			found->first = i;
		else if (found->fitting == 2)
			found->second = i;
	}
	return 0;
}

/* Return: 0, or -ERR_INTEGRITY: a fork that nothing decides. */
static int choose_one(struct log_choice *c, struct group g, const struct before *before)
{
	bool known = before->sequence != 0 && before->sequence + 1 == c->places[g.begin].sequence;
	size_t open = count_open(c, g);
	struct found found;
	int err;

	if (open == 0)
		return 0; /* proved */
	err = look_forward(c, g, before, &found);
	if (err < 0)
		return err;
	if (found.fitting > 1 && !c->keyed) {
		c->places[found.first].fate = LOG_TAKEN;
		c->forked = true;
		c->fork = found.second;
		return -ERR_INTEGRITY;
	}
	if (found.fitting == 1 && (known || !c->keyed))
		settle(c, g, found.first);
	else if (open == 1 && !c->keyed)
		settle(c, g, g.begin); /* nothing stands against it: verify-log judges it */
	else
		leave_open(c, g);
	return 0;
}

/* The hash of what was taken of @g. */
static int go_on(const struct log_choice *c, struct group g, struct before *before)
{
	struct loaded r;

	for (size_t i = g.begin; i < g.end; i++) {
		int err;

		if (c->places[i].fate != LOG_TAKEN)
			continue;
		err = load(c, i, &r);
		if (err < 0)
			return err;
		before->sequence = c->places[i].sequence;
		memcpy(before->hash, r.stated, SHA256_BYTES);
	}
	return 0;
}

int log_choose(struct log_choice *c)
{
	struct before before = {0};
	int err;

	c->pairs_left = LOG_CHOOSE_PAIRS + (uint64_t)LOG_CHOOSE_PAIRS_PLACE * c->count;
	mark_doubles(c);
	err = prove(c);
	for (size_t at = 0; err == 0 && at < c->count;) {
		struct group g = group_from(c, at);

		err = choose_one(c, g, &before);
		if (err == 0)
			err = go_on(c, g, &before);
		at = g.end;
	}
	return err;
}
