/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is allowed and yet unwise: told to whoever checks or commits a configuration, never refused.
 */
#include "policy/draft.h"

#include <stdio.h>
#include <string.h>

#include "policy/prefix.h"

#define PORTS_MOST 1000 /* of one service and protocol */

static const struct snapshot_zone *zone_at(const struct draft *d, uint32_t i)
{
	return draft_row(d, SECTION_ZONES, i);
}

static const struct snapshot_prefix *prefix_at(const struct draft *d, uint32_t i)
{
	return draft_row(d, SECTION_PREFIXES, i);
}

/* Tell of a statement by its path. */
static void advise(struct draft *d, const struct tree_node *node, enum problem_id id,
		   const char *second)
{
	char path[TREE_PATH_BYTES];

	tree_path(path, node);
	draft_refuse(d, node, id, path, second);
}

/* ---- services */

/* How many ports the statements @row of a service name together; they are sorted by their first. */
static uint32_t count_ports(const struct tree_node *service, enum schema_id row)
{
	uint32_t count = 0, next = 0;

	for (const struct tree_node *n = tree_first(service, row); n != NULL; n = tree_next(n)) {
		struct value v = draft_value(n, 0);
		uint32_t low = (uint32_t)v.number;
		uint32_t high = v.high != 0 ? (uint32_t)v.high : low;

		if (low < next)
			low = next;
		if (high < low)
			continue;
		count += high - low + 1;
		next = high + 1;
	}
	return count;
}

static void advise_ports(struct draft *d, const struct tree_node *service)
{
	static const enum schema_id rows[] = {ROW_SERVICE_TCP, ROW_SERVICE_UDP};
	char count[40];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t ports = count_ports(service, rows[i]);

		snprintf(count, sizeof(count), "%s: %u", schema_row(rows[i])->name, ports);
		if (ports > PORTS_MOST)
			draft_refuse(d, tree_first(service, rows[i]), PROBLEM_WIDE_PORTS,
				     tree_value(service, 0), count);
	}
}

/* ---- what nothing uses */

/* Mark the entry that a value names. A name of a place may be an address as well, or a group of
 * either kind. */
static void mark_named(struct draft *d, const struct tree_node *n, unsigned arg)
{
	static const struct {
		enum value_type type;
		enum schema_id rows[2];
	} named[] = {
		{TYPE_SERVICE, {ROW_SERVICE, ROW_ROOT}},
		{TYPE_SCHEDULE, {ROW_SCHEDULE, ROW_ROOT}},
		{TYPE_SCANNER, {ROW_SCANNER, ROW_ROOT}},
		{TYPE_PLACE, {ROW_ADDRESS_GROUP, ROW_STATION_GROUP}},
	};
	const char *name = tree_value(n, arg);
	struct tree_values key = {1, (uint32_t)strlen(name) + 1, name};

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		for (size_t k = 0; k < 2 && named[i].rows[k] != ROW_ROOT; k++) {
			struct tree_node *entry =
				schema_row(n->row)->args[arg].type == named[i].type
					? tree_find(d->tree, d->tree->root, named[i].rows[k], &key)
					: NULL;

			if (entry != NULL)
				entry->index = DRAFT_USED;
		}
	}
}

/* A group names its stations by a statement whose value is their hardware address. */
static void mark_station(struct draft *d, const struct tree_node *n)
{
	const struct tree_node *leaf = tree_first(n->parent, ROW_STATION_GROUP_ZONE);
	struct tree_values key = {1, n->text_bytes, n->text};
	const struct tree_node *zone = draft_entry_node(d, ROW_ZONE, tree_value(leaf, 0));
	struct tree_node *station = tree_find(d->tree, zone, ROW_ZONE_STATION, &key);

	if (station != NULL)
		station->index = DRAFT_USED;
}

static void mark_used(struct draft *d)
{
	for (struct tree_node *n = d->tree->root; (n = tree_walk(d->tree->root, n)) != NULL;)
		n->index = 0; /* the rows are made: nobody asks for them any more */
	for (const struct tree_node *n = d->tree->root;
	     (n = tree_walk(d->tree->root, n)) != NULL;) {
		for (unsigned arg = 0; arg < n->value_count; arg++)
			mark_named(d, n, arg);
		if (n->row == ROW_STATION_GROUP_STATION)
			mark_station(d, n);
	}
}

/* Under `enforce` and `report` a station's entry decides by itself; else only a group can use it.
 */
static void advise_stations(struct draft *d)
{
	for (uint32_t i = 0; i < draft_count(d, SECTION_STATIONS); i++) {
		const struct tree_node *station = draft_origin(d, SECTION_STATIONS, i);
		struct value policy;

		if (station->index != DRAFT_USED &&
		    draft_leaf(&policy, station->parent, ROW_ZONE_STATION_POLICY) &&
		    policy.number == STATION_OFF)
			advise(d, station, PROBLEM_STATION_UNUSED, NULL);
	}
}

static void advise_unused(struct draft *d)
{
	static const enum schema_id rows[] = {ROW_ADDRESS_GROUP, ROW_STATION_GROUP, ROW_SERVICE,
					      ROW_SCHEDULE, ROW_SCANNER};

	mark_used(d);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (const struct tree_node *n = tree_first(d->tree->root, rows[i]); n != NULL;
		     n = tree_next(n)) {
			if (n->index != DRAFT_USED)
				advise(d, n, PROBLEM_UNUSED, NULL);
		}
	}
	advise_stations(d);
}

/* ---- permits */

/* Whether @places hold all networks of a family that the zone has; false where it has none. */
static bool holds_family(const struct draft *d, struct snapshot_range places,
			 const struct snapshot_zone *zone, uint8_t family)
{
	struct snapshot_range own = draft_link_networks(zone);
	bool any = false;

	for (uint32_t i = own.first; i < own.first + own.count; i++) {
		bool held = places.count == 0;

		if (prefix_at(d, i)->family != family)
			continue;
		for (uint32_t k = places.first; !held && k < places.first + places.count; k++)
			held = prefix_covers(prefix_at(d, k), prefix_at(d, i));
		if (!held)
			return false;
		any = true;
	}
	return any;
}

static void advise_whole_zones(struct draft *d, const struct snapshot_permit *p,
			       const struct tree_node *origin)
{
	const struct snapshot_zone *from = zone_at(d, p->from), *to = zone_at(d, p->to);
	char zones[2 * SNAPSHOT_NAME_BYTES + 8];

	snprintf(zones, sizeof(zones), "%s -> %s", from->name, to->name);
	if ((holds_family(d, p->sources, from, 4) && holds_family(d, p->destinations, to, 4)) ||
	    (holds_family(d, p->sources, from, 6) && holds_family(d, p->destinations, to, 6)))
		advise(d, origin, PROBLEM_WHOLE_ZONES, zones);
}

/* A last day that has gone by. */
static void advise_expired(struct draft *d, const struct tree_node *origin, enum schema_id row,
			   int64_t expires_s)
{
	const struct tree_node *leaf = tree_first(origin, row);
	char path[TREE_PATH_BYTES];

	tree_path(path, origin);
	if (leaf != NULL && expires_s <= d->now_s)
		draft_refuse(d, leaf, PROBLEM_EXPIRED, path, tree_value(leaf, 0));
}

static void advise_permit(struct draft *d, uint32_t i)
{
	const struct snapshot_permit *p = draft_row(d, SECTION_PERMITS, i);
	const struct tree_node *origin = draft_origin(d, SECTION_PERMITS, i);
	const struct snapshot_zone *from = zone_at(d, p->from), *to = zone_at(d, p->to);

	advise_expired(d, origin, ROW_PERMIT_EXPIRES, p->expires_s);
	advise_whole_zones(d, p, origin);
	if ((p->flags & PERMIT_LOG) == 0 &&
	    (from->tier == TIER_SENSITIVE || to->tier == TIER_SENSITIVE))
		advise(d, origin, PROBLEM_SENSITIVE_UNLOGGED,
		       from->tier == TIER_SENSITIVE ? from->name : to->name);
}

static void advise_persons(struct draft *d)
{
	for (uint32_t i = 0; i < draft_count(d, SECTION_PERSONS); i++) {
		const struct snapshot_person *p = draft_row(d, SECTION_PERSONS, i);

		advise_expired(d, draft_origin(d, SECTION_PERSONS, i), ROW_USER_EXPIRES,
			       p->expires_s);
	}
	for (uint32_t i = 0; i < draft_count(d, SECTION_SCREEN_USERS); i++) {
		const struct snapshot_screen_user *u = draft_row(d, SECTION_SCREEN_USERS, i);

		advise_expired(d, draft_origin(d, SECTION_SCREEN_USERS, i), ROW_SCREEN_USER_EXPIRES,
			       u->expires_s);
	}
}

/* ---- the gateway itself */

/* What every preset asks for is wise without one, too, once something crosses. */
static void advise_system(struct draft *d)
{
	const struct tree_node *system = tree_first(d->tree->root, ROW_SYSTEM);
	const struct tree_node *place = system != NULL ? system : d->tree->root;

	if (system != NULL && tree_first(system, ROW_PRESET) != NULL)
		return; /* told by the preset */
	if (draft_count(d, SECTION_CROSSINGS) + draft_count(d, SECTION_MAILS) +
		    draft_count(d, SECTION_SCREENS) ==
	    0)
		return;
	if (draft_count(d, SECTION_SYSLOGS) == 0)
		draft_refuse(d, place, PROBLEM_PRESET_SYSLOG_WARNED, NULL, NULL);
	if (draft_count(d, SECTION_TIME_SERVERS) == 0)
		draft_refuse(d, place, PROBLEM_PRESET_TIME_WARNED, NULL, NULL);
}

/* Each entry may have as many as there are; whoever comes when all are taken is refused anywhere.
 */
static void advise_sessions(struct draft *d)
{
	char wanted[24], room[24];
	uint64_t count = 0;

	for (uint32_t i = 0; i < draft_count(d, SECTION_MAILS); i++)
		count += ((const struct snapshot_mail *)draft_row(d, SECTION_MAILS, i))
				 ->sessions_max;
	for (uint32_t i = 0; i < draft_count(d, SECTION_SCREENS); i++)
		count += ((const struct snapshot_screen *)draft_row(d, SECTION_SCREENS, i))
				 ->sessions_max;
	if (count <= SNAPSHOT_SESSIONS_MAX)
		return;
	(void)snprintf(wanted, sizeof(wanted), "%llu", (unsigned long long)count);
	(void)snprintf(room, sizeof(room), "%d", SNAPSHOT_SESSIONS_MAX);
	draft_refuse(d, d->tree->root, PROBLEM_SESSIONS_SHARED, wanted, room);
}

void draft_advise(struct draft *d)
{
	advise_system(d);
	advise_sessions(d);
	for (const struct tree_node *n = tree_first(d->tree->root, ROW_SERVICE); n != NULL;
	     n = tree_next(n))
		advise_ports(d, n);
	for (uint32_t i = 0; i < draft_count(d, SECTION_PERMITS); i++)
		advise_permit(d, i);
	draft_advise_hidden(d);
	advise_persons(d);
	advise_unused(d);
}
