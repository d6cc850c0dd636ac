/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What passed by each permit, ever, and which permits nobody uses (Z10). */
#include <stdio.h>
#include <string.h>

#include "netfilter/netfilter.h"

#define DAY_S    86400
#define DAYS_MAX 36500

static void take_flow(struct listing *l, const struct flow *flow)
{
	struct listing_permits *w = &l->work.permits;
	uint32_t permit = (flow->mark & PACKET_MARK_PERMIT) - 1;
	const struct limit *limit;
	bool known;

	if (flow->mark & PACKET_MARK_LOCK || permit >= SNAPSHOT_PERMITS_MAX)
		return;
	limit = admission_limit(l->nf, flow->mark, &known);
	if (limit != NULL)
		w->sums[limit->permit].counted++;
	if (!known)
		w->unknown[l->zone->index]++;
	if (flow->mark >> 16 != l->nf->generation)
		return;
	w->sums[permit].flows++;
	w->sums[permit].packets += flow->packets;
	w->sums[permit].bytes += flow->bytes;
}

/* Days since 1970-01-01 as a date of the Gregorian calendar: eras of 400 years that begin in March,
 * so that the leap day is the last of its year. The C library's own would look for a time zone's
 * file. */
static void date_of(int64_t days, unsigned *year, unsigned *month, unsigned *day)
{
	uint64_t since = (uint64_t)(days + 719468); /* 0000-03-01 */
	uint64_t era = since / 146097, in_era = since % 146097;
	uint64_t years = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	uint64_t in_year = in_era - (365 * years + years / 4 - years / 100);
	uint64_t from_march = (5 * in_year + 2) / 153;

	*day = (unsigned)(in_year - (153 * from_march + 2) / 5 + 1);
	*month = (unsigned)(from_march < 10 ? from_march + 3 : from_march - 9);
	*year = (unsigned)(years + era * 400 + (*month <= 2));
}

static void time_text(char out[32], int64_t at_s, const struct snapshot *s)
{
	int64_t local_s = at_s + s->header->utc_offset_s;
	unsigned year, month, day;

	if (at_s <= DAY_S) {
		snprintf(out, 32, "never");
		return;
	}
	date_of(local_s / DAY_S, &year, &month, &day);
	snprintf(out, 32, "%04u-%02u-%02u %02u:%02u", year, month, day,
		 (unsigned)(local_s / 3600 % 24), (unsigned)(local_s / 60 % 60));
}

/* How much of its limits a permit uses: flows at one time, and how many may begin just now. */
static void show_limits(struct listing *l, const struct snapshot_permit *permit)
{
	struct listing_permits *w = &l->work.permits;
	uint32_t index = (uint32_t)(permit - l->nf->running.snapshot.permits);
	struct limit *limit = limits_of(&l->nf->running.limits, index);
	struct answer *a = &l->answer;

	if (limit == NULL || limit->connections == 0)
		answer_cell(a, "%llu", (unsigned long long)w->sums[index].flows);
	else
		answer_cell(a, "%llu of %u",
			    (unsigned long long)(w->sums[index].counted + w->unknown[permit->from]),
			    limit->connections);
	if (limit == NULL || limit->rate == 0) {
		answer_cell(a, "any");
		return;
	}
	(void)limit_has_credit(limit, netfilter_now_ms()); /* brings the credit up to date */
	answer_cell(a, "%llu of %u/%s", (unsigned long long)(limit->credit / limit->period_ms),
		    limit->rate, permit->rate_period_s == 1 ? "s" : "m");
}

static void show_permit(struct listing *l, const struct snapshot_permit *permit,
			const struct hits *h)
{
	const struct snapshot *s = &l->nf->running.snapshot;
	struct answer *a = &l->answer;
	char last[32], first[32];

	time_text(first, h->first_s, s);
	time_text(last, h->last_s, s);
	answer_cell(a, "%s", s->zones[permit->from].name);
	answer_cell(a, "%s", s->zones[permit->to].name);
	answer_cell(a, "%u", permit->number);
	answer_cell(a, "%llu", (unsigned long long)h->flows);
	answer_cell(a, "%llu", (unsigned long long)h->packets);
	answer_cell(a, "%llu", (unsigned long long)h->bytes);
	answer_cell(a, "%s", last);
	answer_cell(a, "%s", first);
	show_limits(l, permit);
	answer_cell(a, "%s", snapshot_text_at(s, permit->text_comment));
	listing_send(l, 0);
}

/* Ended and running flows together. */
static struct hits hits_of(const struct listing *l, uint32_t permit)
{
	const uint32_t mark = (uint32_t)l->nf->generation << 16 | (permit + 1);
	const struct listing_sum *now = &l->work.permits.sums[permit];
	const struct track_book *book;
	const struct track_permit *known = track_permit_of(&l->nf->track, mark, &book);
	struct hits h = hits_read(&l->nf->track.hits, known != NULL ? known->slot : HITS_NONE);

	h.flows += now->flows;
	h.packets += now->packets;
	h.bytes += now->bytes;
	if (now->flows > 0)
		h.last_s = netfilter_wall_s();
	return h;
}

static bool is_unused(const struct hits *h, uint64_t days)
{
	int64_t since_s = h->last_s > 0 ? h->last_s : h->first_s;

	return since_s == 0 || netfilter_wall_s() - since_s >= (int64_t)days * DAY_S;
}

/* "", ZONE, "unused DAYS" or "unused DAYS ZONE"; the zone is either of a permit's. */
static bool read_words(struct listing *l)
{
	struct listing_permits *w = &l->work.permits;
	struct answer_words words;
	size_t at = 0;

	w->unused_days = UINT64_MAX;
	if (answer_split(&words, l->answer.query->argument) != 0)
		return false;
	if (words.count >= 2 && strcmp(words.words[0], "unused") == 0) {
		if (!answer_number(words.words[1], DAYS_MAX, &w->unused_days))
			return false;
		at = 2;
	}
	if (at < words.count)
		snprintf(w->zone, sizeof(w->zone), "%s", words.words[at++]);
	return at == words.count && strcmp(w->zone, "unused") != 0;
}

static bool is_of_zone(const struct snapshot *s, const struct snapshot_permit *permit,
		       const char *zone)
{
	return zone[0] == '\0' || strcmp(zone, s->zones[permit->from].name) == 0 ||
	       strcmp(zone, s->zones[permit->to].name) == 0;
}

static void begin_permits(struct listing *l)
{
	static const char *const headings[] = {"from",    "to",    "permit",   "flows",
					       "packets", "bytes", "last hit", "since",
					       "now",     "new",   "comment"};

	if (read_words(l))
		listing_heading(l, headings, sizeof(headings) / sizeof(headings[0]));
	else
		listing_refuse(l, "allowed: [unused DAYS] [ZONE]");
}

static void close_permits(struct listing *l)
{
	const struct snapshot *s = &l->nf->running.snapshot;
	struct listing_permits *w = &l->work.permits;

	while (w->next < s->permit_count && l->answer.left > 0) {
		uint32_t i = w->next++;
		struct hits h = hits_of(l, i);

		if (!is_of_zone(s, &s->permits[i], w->zone) ||
		    (w->unused_days != UINT64_MAX && !is_unused(&h, w->unused_days)))
			continue;
		l->answer.left--;
		show_permit(l, &s->permits[i], &h);
		return;
	}
	listing_send(l, CONTROL_ROW_LAST);
}

const struct listing_kind answer_permits = {
	.begin = begin_permits, .take = take_flow, .close = close_permits};

/* One direction of a crossing: all of its permits together. */
static void show_direction(struct listing *l, uint32_t from, uint32_t to)
{
	const struct snapshot *s = &l->nf->running.snapshot;
	struct answer *a = &l->answer;
	struct hits sum = {0};
	uint64_t now = 0;

	for (uint32_t i = 0; i < s->permit_count; i++) {
		if (s->permits[i].from != from || s->permits[i].to != to)
			continue;
		struct hits h = hits_of(l, i);

		sum.flows += h.flows;
		sum.packets += h.packets;
		sum.bytes += h.bytes;
		now += l->work.permits.sums[i].flows;
	}
	answer_cell(a, "%s", s->zones[from].name);
	answer_cell(a, "%s", s->zones[to].name);
	answer_cell(a, "%llu", (unsigned long long)now);
	answer_cell(a, "%llu", (unsigned long long)sum.flows);
	answer_cell(a, "%llu", (unsigned long long)sum.packets);
	answer_cell(a, "%llu", (unsigned long long)sum.bytes);
	listing_send(l, 0);
}

static void begin_crossings(struct listing *l)
{
	static const char *const headings[] = {"from",  "to",      "flows now",
					       "flows", "packets", "bytes"};

	listing_heading(l, headings, sizeof(headings) / sizeof(headings[0]));
}

/* Both directions of a crossing, then those of the next. */
static void close_crossings(struct listing *l)
{
	const struct snapshot *s = &l->nf->running.snapshot;
	uint32_t direction = l->work.permits.next++;

	if (direction / 2 == s->crossing_count) {
		listing_send(l, CONTROL_ROW_LAST);
		return;
	}
	const struct snapshot_crossing *c = &s->crossings[direction / 2];

	if (direction % 2 == 0)
		show_direction(l, c->low, c->high);
	else
		show_direction(l, c->high, c->low);
}

const struct listing_kind answer_crossings = {
	.begin = begin_crossings, .take = take_flow, .close = close_crossings};
