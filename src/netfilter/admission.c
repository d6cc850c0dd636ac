/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counting flows for their permits. Connection tracking is the count: it knows every flow, whatever
 * ends here. Between two counts this process adds what it admits, so that its number is never too
 * low; only when a permit looks full is the kernel asked again, and flows that have ended meanwhile
 * make room.
 */
#include "netfilter/admission.h"

#include <stddef.h>

#include "netfilter/netfilter.h"

/* Flows of the policy before keep its marks until they are judged anew. */
struct limit *admission_limit(const struct netfilter *nf, uint32_t mark, bool *known)
{
	const struct track_book *book;
	const struct track_permit *permit;

	*known = true;
	if (mark >> 16 == nf->generation)
		return limits_of(&nf->running.limits, (mark & PACKET_MARK_PERMIT) - 1);
	permit = track_permit_of(&nf->track, mark, &book);
	*known = permit != NULL;
	return permit == NULL ? NULL
			      : limits_find(&nf->running.limits, book->zones[permit->from],
					    book->zones[permit->to], permit->number);
}

static bool begins_in(const struct netfilter *nf, const struct limit *limit, uint32_t zone)
{
	return nf->running.snapshot.permits[limit->permit].from == zone;
}

static void count_flow(void *ctx, const struct flow *flow)
{
	const struct zone *zone = ctx;
	struct limits *l = &zone->nf->running.limits;
	struct limit *limit;
	bool known;

	/* Also one that was reset or closed: as long as the kernel remembers it, packets pass. */
	if (flow->mark & PACKET_MARK_LOCK || !(flow->mark & PACKET_MARK_PERMIT))
		return; /* of another zone or the gateway itself; never permitted */
	limit = admission_limit(zone->nf, flow->mark, &known);
	if (limit != NULL)
		limit_join(limit);
	for (uint32_t i = 0; i < l->count && !known; i++) {
		if (begins_in(zone->nf, &l->rows[i], zone->index))
			limit_join(&l->rows[i]); /* whose it is nobody knows any more */
	}
}

/* All permits of a zone at once: the kernel's list is what costs. */
static void count_zone(struct netfilter *nf, struct zone *zone)
{
	struct limits *l = &nf->running.limits;

	for (uint32_t i = 0; i < l->count; i++) {
		if (begins_in(nf, &l->rows[i], zone->index))
			l->rows[i].used = limit_on_the_way(&l->rows[i]);
	}
	int err = flows_list(zone->netlink_fd, 0, count_flow, zone);

	for (uint32_t i = 0; i < l->count; i++) {
		if (begins_in(nf, &l->rows[i], zone->index))
			l->rows[i].counted = err == 0;
	}
}

void admission_count_all(struct netfilter *nf)
{
	const struct limits *l = &nf->running.limits;

	for (uint32_t zone = 0; zone < nf->running.snapshot.zone_count; zone++) {
		uint32_t i = 0;

		while (i < l->count &&
		       (l->rows[i].connections == 0 || !begins_in(nf, &l->rows[i], zone)))
			i++;
		if (i < l->count)
			count_zone(nf, nf->running.zones[zone]);
	}
}

/* Whoever knocks at a full permit shall not keep this process busy. */
static bool may_count_again(struct netfilter *nf, uint64_t now_ms)
{
	uint64_t paid_ms = (now_ms - nf->count_paid_ms) / ADMISSION_PART;

	nf->count_paid_ms += paid_ms * ADMISSION_PART;
	nf->count_cost_ms -= paid_ms < nf->count_cost_ms ? paid_ms : nf->count_cost_ms;
	return nf->count_cost_ms < ADMISSION_SAVE_MS;
}

/* Not while flows are judged ahead: they are listed by the socket that would list them here. */
static void count_again(struct zone *zone, uint64_t now_ms)
{
	struct netfilter *nf = zone->nf;

	if (nf->ahead.walking || !may_count_again(nf, now_ms))
		return;
	count_zone(nf, zone);
	nf->count_cost_ms += 1 + netfilter_now_ms() - now_ms;
}

static enum packet_admission admit(struct zone *zone, struct limit *limit)
{
	uint64_t now_ms = netfilter_now_ms();

	if (!limit_has_credit(limit, now_ms))
		return PACKET_OVER_RATE;
	if (limit->connections != 0) {
		if (!limit->counted || limit->used >= limit->connections)
			count_again(zone, now_ms);
		if (!limit->counted)
			return PACKET_NOT_COUNTED;
		if (limit->used >= limit->connections)
			return PACKET_OVER_CONNECTIONS;
	}
	limit_take(limit);
	return PACKET_ADMITTED;
}

bool admission_is_limited(const struct netfilter *nf, uint32_t mark)
{
	uint32_t permit = mark & PACKET_MARK_PERMIT;

	return permit != 0 && (mark & ~PACKET_MARK_GENERATION) != PACKET_MARK_WHOLE &&
	       limits_of(&nf->running.limits, permit - 1) != NULL;
}

uint32_t admission_mark(struct zone *zone, uint32_t id, uint32_t mark, uint8_t origin)
{
	struct netfilter *nf = zone->nf;
	struct packet_admissions *told = &nf->admissions;
	uint32_t permit = mark & PACKET_MARK_PERMIT;
	struct limit *limit = permit != 0 ? limits_of(&nf->running.limits, permit - 1) : NULL;

	if (!admission_is_limited(nf, mark) || nf->share != 0)
		return mark; /* of another share: the first process was asked */
	if (origin & (PACKET_IS_ESTABLISHED | PACKET_IS_REPLY | QUEUE_OUT_KNOWN)) {
		if (!(mark & PACKET_MARK_DENY))
			limit_join(limit); /* judged anew: it may have had another permit */
		return mark;
	}
	struct packet_admission_item *item = &told->items[told->count++];

	*item = (struct packet_admission_item){id, admit(zone, limit)};
	return item->admission == PACKET_ADMITTED
		       ? mark
		       : (mark & PACKET_MARK_GENERATION) | PACKET_MARK_DENY;
}

void admission_sent(struct zone *zone, enum packet_purpose purpose)
{
	struct netfilter *nf = zone->nf;
	struct packet_admissions *told = &nf->admissions;
	struct limits *l = &nf->running.limits;

	if (told->count == 0)
		return;
	for (uint32_t i = 0; i < l->count; i++)
		l->rows[i].unsent = 0;
	told->zone = zone->index;
	told->purpose = purpose;
	/* Without room on the link a refusal is not recorded; it holds all the same. */
	(void)channel_send(&nf->link, PACKET_ADMISSIONS, told,
			   offsetof(struct packet_admissions, items) +
				   told->count * sizeof(told->items[0]),
			   NULL, 0);
	told->count = 0;
}

void admission_hold(struct netfilter *nf, uint32_t share)
{
	struct limits *l = &nf->running.limits;

	for (uint32_t i = 0; i < l->count; i++) {
		l->rows[i].held[share] += l->rows[i].unsent;
		l->rows[i].unsent = 0;
	}
}

void admission_sent_by(struct netfilter *nf, uint32_t share, const uint32_t *permits,
		       uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct limit *limit = limits_of(&nf->running.limits, permits[i]);

		if (limit != NULL && limit->held[share] > 0)
			limit->held[share]--;
	}
}

void admission_release(struct netfilter *nf, uint32_t share)
{
	struct limits *l = &nf->running.limits;

	for (uint32_t i = 0; i < l->count; i++)
		l->rows[i].held[share] = 0;
}

void admission_moved(struct netfilter *nf, uint32_t before, uint32_t mark)
{
	struct limit *limit = limits_of(&nf->running.limits, (mark & PACKET_MARK_PERMIT) - 1);
	bool known;

	if (limit != NULL && limit != admission_limit(nf, before, &known) && known)
		limit_join(limit); /* else it was counted for it already */
}

void admission_use(struct netfilter *nf, struct packet_use *use)
{
	uint64_t now_ms = netfilter_now_ms();
	struct limit *limit = limits_of(&nf->running.limits, use->permit);

	use->known = 0;
	if (use->epoch != nf->running.epoch || limit == NULL)
		return;
	if (limit->connections != 0)
		count_again(nf->running.zones[nf->running.snapshot.permits[use->permit].from],
			    now_ms);
	(void)limit_has_credit(limit, now_ms); /* brings the credit up to date */
	use->known = limit->connections == 0 || limit->counted;
	use->connections = limit->used;
	use->left = limit->rate != 0 ? (uint32_t)(limit->credit / limit->period_ms) : 0;
}
