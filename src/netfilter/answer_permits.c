/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What passed by each permit, ever, and which permits nobody uses (Z10). */
#include <stdio.h>
#include <string.h>

#include "netfilter/answer.h"
#include "netfilter/flows.h"

#define DAY_S    86400
#define DAYS_MAX 36500

/* Of flows that run now; indexed like the running policy's permits. */
struct running {
	uint64_t flows, packets, bytes;
};

struct report {
	struct answer *answer;
	struct running running[SNAPSHOT_PERMITS_MAX];
};

static void take_flow(void *ctx, const struct flow *flow)
{
	struct report *r = ctx;
	uint32_t permit = (flow->mark & PACKET_MARK_PERMIT) - 1;

	if (flow->mark & PACKET_MARK_LOCK || permit >= SNAPSHOT_PERMITS_MAX)
		return;
	r->running[permit].flows++;
	r->running[permit].packets += flow->packets;
	r->running[permit].bytes += flow->bytes;
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
static void show_limits(struct answer *a, const struct snapshot_permit *permit, uint32_t running)
{
	uint32_t index = (uint32_t)(permit - a->nf->running.snapshot.permits);
	struct limit *limit = limits_of(&a->nf->running.limits, index);

	if (limit == NULL || limit->connections == 0)
		answer_cell(a, "%u", running);
	else if (limit->counted)
		answer_cell(a, "%u of %u", limit->used, limit->connections);
	else
		answer_cell(a, "unknown, of %u", limit->connections);
	if (limit == NULL || limit->rate == 0) {
		answer_cell(a, "any");
		return;
	}
	(void)limit_has_credit(limit, netfilter_now_ms()); /* brings the credit up to date */
	answer_cell(a, "%llu of %u/%s", (unsigned long long)(limit->credit / limit->period_ms),
		    limit->rate, permit->rate_period_s == 1 ? "s" : "m");
}

static void show_permit(const struct report *r, const struct snapshot *s,
			const struct snapshot_permit *permit, const struct hits *h)
{
	struct answer *a = r->answer;
	char last[32], first[32];

	if (a->left == 0)
		return;
	a->left--;
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
	show_limits(a, permit, (uint32_t)r->running[permit - s->permits].flows);
	answer_cell(a, "%s", snapshot_text_at(s, permit->text_comment));
	answer_send(a, 0);
}

/* Ended and running flows together. */
static struct hits sum_of(const struct report *r, uint32_t permit, uint32_t slot, int64_t now_s)
{
	struct hits h = hits_read(&r->answer->nf->track.hits, slot);
	const struct running *now = &r->running[permit];

	h.flows += now->flows;
	h.packets += now->packets;
	h.bytes += now->bytes;
	if (now->flows > 0)
		h.last_s = now_s;
	return h;
}

static bool is_unused(const struct hits *h, uint64_t days, int64_t now_s)
{
	int64_t since_s = h->last_s > 0 ? h->last_s : h->first_s;

	return since_s == 0 || now_s - since_s >= (int64_t)days * DAY_S;
}

/* "", ZONE, "unused DAYS" or "unused DAYS ZONE". */
static bool read_words(struct answer *a, struct answer_words *words, uint64_t *days,
		       const char **zone)
{
	size_t at = 0;

	*days = UINT64_MAX;
	*zone = "";
	if (answer_split(words, a->query->argument) != 0)
		return false;
	if (words->count >= 2 && strcmp(words->words[0], "unused") == 0) {
		if (!answer_number(words->words[1], DAYS_MAX, days))
			return false;
		at = 2;
	}
	if (at < words->count)
		*zone = words->words[at++];
	return at == words->count && strcmp(*zone, "unused") != 0;
}

static bool is_of_zone(const struct snapshot *s, const struct snapshot_permit *permit,
		       const char *zone)
{
	return zone[0] == '\0' || strcmp(zone, s->zones[permit->from].name) == 0 ||
	       strcmp(zone, s->zones[permit->to].name) == 0;
}

/* What runs now, of all zones; what cannot be read is counted when it ends. */
static struct report *take_report(struct answer *a)
{
	static struct report report; /* as large as the largest policy */
	const struct policy *p = &a->nf->running;

	memset(&report, 0, sizeof(report));
	report.answer = a;
	for (uint32_t i = 0; i < p->snapshot.zone_count; i++)
		(void)flows_list(p->zones[i]->netlink_fd, a->nf->generation, take_flow, &report);
	return &report;
}

static struct hits hits_of(const struct report *r, uint32_t permit, int64_t now_s)
{
	const struct netfilter *nf = r->answer->nf;
	const uint32_t mark = (uint32_t)nf->generation << 16 | (permit + 1);
	const struct track_book *book;
	const struct track_permit *known = track_permit_of(&nf->track, mark, &book);

	return sum_of(r, permit, known != NULL ? known->slot : HITS_NONE, now_s);
}

void answer_permits(struct answer *a)
{
	static const char *const headings[] = {"from",    "to",    "permit",   "flows",
					       "packets", "bytes", "last hit", "since",
					       "now",     "new",   "comment"};
	const struct snapshot *s = &a->nf->running.snapshot;
	int64_t now_s = netfilter_wall_s();
	struct answer_words words;
	const char *zone;
	uint64_t days;

	if (!read_words(a, &words, &days, &zone)) {
		answer_refuse(a, "allowed: [unused DAYS] [ZONE]");
		return;
	}
	const struct report *report = take_report(a);

	admission_count_all(a->nf);
	answer_heading(a, headings, sizeof(headings) / sizeof(headings[0]));
	for (uint32_t i = 0; i < s->permit_count; i++) {
		struct hits h = hits_of(report, i, now_s);

		if (is_of_zone(s, &s->permits[i], zone) &&
		    (days == UINT64_MAX || is_unused(&h, days, now_s)))
			show_permit(report, s, &s->permits[i], &h);
	}
	answer_send(a, CONTROL_ROW_LAST);
}

/* One direction of a crossing: all of its permits together. */
static void show_direction(const struct report *r, uint32_t from, uint32_t to)
{
	const struct snapshot *s = &r->answer->nf->running.snapshot;
	struct hits sum = {0};
	uint64_t now = 0;
	struct answer *a = r->answer;

	for (uint32_t i = 0; i < s->permit_count; i++) {
		if (s->permits[i].from != from || s->permits[i].to != to)
			continue;
		struct hits h = hits_of(r, i, 0);

		sum.flows += h.flows;
		sum.packets += h.packets;
		sum.bytes += h.bytes;
		now += r->running[i].flows;
	}
	answer_cell(a, "%s", s->zones[from].name);
	answer_cell(a, "%s", s->zones[to].name);
	answer_cell(a, "%llu", (unsigned long long)now);
	answer_cell(a, "%llu", (unsigned long long)sum.flows);
	answer_cell(a, "%llu", (unsigned long long)sum.packets);
	answer_cell(a, "%llu", (unsigned long long)sum.bytes);
	answer_send(a, 0);
}

void answer_crossings(struct answer *a)
{
	static const char *const headings[] = {"from",  "to",      "flows now",
					       "flows", "packets", "bytes"};
	const struct snapshot *s = &a->nf->running.snapshot;
	const struct report *report = take_report(a);

	answer_heading(a, headings, sizeof(headings) / sizeof(headings[0]));
	for (uint32_t i = 0; i < s->crossing_count; i++) {
		show_direction(report, s->crossings[i].low, s->crossings[i].high);
		show_direction(report, s->crossings[i].high, s->crossings[i].low);
	}
	answer_send(a, CONTROL_ROW_LAST);
}
