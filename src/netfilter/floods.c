/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alarms about packets that are dropped unjudged. */
#include "netfilter/floods.h"

#include <string.h>

#define MS_A_SECOND 1000U

static const struct snapshot_zone *zone_of(const struct floods_look *look)
{
	return &look->snapshot->zones[look->zone];
}

/* Return: whether the record is on its way; otherwise the next look tries again. */
static bool tell(const struct floods_look *look, enum event_id event, const struct event_arg *more,
		 size_t count)
{
	struct event_arg args[3] = {EV_TEXT(ZONE, zone_of(look)->name)};
	uint64_t lost = look->events->lost;

	for (size_t i = 0; i < count; i++) /* at most two */
		args[1 + i] = more[i];
	event_emit(look->events, event, args, 1 + count);
	return look->events->lost == lost;
}

/* ---- one hardware address */

/* Its place or a free one; NULL where there is none. */
static struct flood *place_of(struct floods *f, const uint8_t mac[6])
{
	struct flood *free_place = NULL;

	for (size_t i = 0; i < FLOODS_MAX; i++) {
		struct flood *flood = &f->list[i];

		if (flood->used && memcmp(flood->mac, mac, sizeof(flood->mac)) == 0)
			return flood;
		if (!flood->used && free_place == NULL)
			free_place = flood;
	}
	return free_place;
}

static bool is_shut(const struct floods_look *look, const uint8_t mac[6])
{
	for (size_t i = 0; i < look->shut_count; i++) {
		if (look->shut[i].size == 6 && memcmp(look->shut[i].bytes, mac, 6) == 0)
			return true;
	}
	return false;
}

static bool is_listed(const struct floods_look *look, const uint8_t mac[6])
{
	struct snapshot_range stations = zone_of(look)->stations;

	for (uint32_t i = 0; i < stations.count; i++) {
		if (memcmp(look->snapshot->stations[stations.first + i].mac, mac, 6) == 0)
			return true;
	}
	return false;
}

/* What it sent before it was shut out is no reason to shut it out again once it is restored. */
static void isolate(struct flood *flood, const struct floods_look *look)
{
	if (is_shut(look, flood->mac)) {
		flood->shut_ms = look->now_ms;
		flood->asked_ms = 0;
		return;
	}
	if (!zone_of(look)->guard.isolate || look->now_ms - flood->over_ms > FLOODS_NOW_MS ||
	    flood->over_ms <= flood->shut_ms || !is_listed(look, flood->mac) ||
	    (flood->asked_ms != 0 && look->now_ms - flood->asked_ms < FLOODS_ASK_MS))
		return;
	flood->asked_ms = look->now_ms;
	look->isolate(look->ctx, look->zone, flood->mac, ruleset_floods[flood->kind]);
}

void floods_note(struct floods *f, const struct floods_look *look, enum ruleset_flood kind,
		 const uint8_t mac[6], uint64_t expires_ms)
{
	uint64_t ago_ms = expires_ms < RULESET_FLOOD_MS ? RULESET_FLOOD_MS - expires_ms : 0;
	uint64_t over_ms = look->now_ms > ago_ms ? look->now_ms - ago_ms : 0;
	struct flood *flood = place_of(f, mac);

	if (flood == NULL || ago_ms >= FLOODS_QUIET_MS)
		return;
	if (!flood->used) {
		*flood = (struct flood){.used = true, .kind = (uint8_t)kind};
		memcpy(flood->mac, mac, sizeof(flood->mac));
	}
	if (over_ms > flood->over_ms)
		flood->over_ms = over_ms;
	if ((flood->told_ms == 0 ||
	     (look->now_ms - flood->told_ms >= FLOODS_AGAIN_MS && ago_ms <= FLOODS_NOW_MS)) &&
	    tell(look, EVENT_FLOOD_DETECTED,
		 (const struct event_arg[]){EV_MAC(MAC, mac),
					    EV_TEXT(DETAIL, ruleset_floods[flood->kind])},
		 2))
		flood->told_ms = look->now_ms;
	isolate(flood, look);
}

static void end_quiet(struct floods *f, const struct floods_look *look)
{
	for (size_t i = 0; i < FLOODS_MAX; i++) {
		struct flood *flood = &f->list[i];

		if (!flood->used || look->now_ms - flood->over_ms < FLOODS_QUIET_MS)
			continue;
		if (flood->told_ms == 0 ||
		    tell(look, EVENT_FLOOD_ENDED,
			 (const struct event_arg[]){EV_MAC(MAC, flood->mac)}, 1))
			flood->used = false;
	}
}

/* ---- the whole zone */

/* A look that comes late has more to count, and is no flood. */
static bool is_over(const struct floods *f, const struct snapshot_guard *guard, uint64_t now_ms,
		    unsigned times)
{
	uint64_t period_ms = (uint64_t)guard->zone_flood_period_s * MS_A_SECOND;
	uint64_t spent_ms = now_ms - f->zone_since_ms;

	if (spent_ms < period_ms)
		spent_ms = period_ms;
	return f->zone_packets * times * period_ms >= guard->zone_flood_rate * spent_ms;
}

static void raise_zone(struct floods *f, const struct floods_look *look)
{
	if (f->zone_stands && look->now_ms - f->zone_told_ms < FLOODS_AGAIN_MS)
		return;
	if (tell(look, EVENT_ZONE_FLOODED,
		 (const struct event_arg[]){EV_NUMBER(COUNT, f->zone_packets)}, 1)) {
		f->zone_stands = true;
		f->zone_told_ms = look->now_ms;
	}
}

static void count_zone(struct floods *f, const struct floods_look *look, uint64_t packets)
{
	const struct snapshot_guard *guard = &zone_of(look)->guard;

	if (f->zone_since_ms == 0)
		f->zone_since_ms = look->now_ms;
	f->zone_packets += packets;
	if (is_over(f, guard, look->now_ms, 1))
		raise_zone(f, look);
	if (is_over(f, guard, look->now_ms, 2))
		f->zone_high_ms = look->now_ms;
	if (look->now_ms - f->zone_since_ms >= (uint64_t)guard->zone_flood_period_s * MS_A_SECOND) {
		f->zone_since_ms = look->now_ms;
		f->zone_packets = 0;
	}
	if (f->zone_stands && look->now_ms - f->zone_high_ms >= FLOODS_QUIET_MS)
		f->zone_stands = !tell(look, EVENT_ZONE_FLOOD_ENDED, NULL, 0);
}

bool floods_begin_look(struct floods *f, const struct floods_look *look)
{
	if (!f->begun)
		f->begun = tell(look, EVENT_FLOOD_WATCH_BEGUN, NULL, 0);
	return f->begun;
}

void floods_end_look(struct floods *f, const struct floods_look *look, uint64_t packets)
{
	end_quiet(f, look);
	count_zone(f, look, packets);
}
