/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lowering of what permits refer to by name: groups, services, schedules. */
#include "policy/draft.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MINUTES 1440U
#define DAYS        7U

/* The service row of one tcp, udp, icmp, icmp6 or protocol statement. */
static void fill_service(struct snapshot_service *s, const struct tree_node *node)
{
	static const struct {
		enum schema_id row;
		uint8_t protocol;
	} named[] = {{ROW_SERVICE_TCP, 6},
		     {ROW_SERVICE_UDP, 17},
		     {ROW_SERVICE_ICMP, 1},
		     {ROW_SERVICE_ICMP6, 58}};
	struct value v = draft_value(node, 0);

	*s = (struct snapshot_service){.protocol = (uint8_t)v.number, .high = UINT16_MAX};
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		if (named[i].row != node->row)
			continue;
		s->protocol = named[i].protocol;
		s->low = (uint16_t)v.number;
		s->high = (uint16_t)(v.high != 0 ? v.high : v.number);
		s->icmp_type_any = v.any;
	}
}

/* Whether two conform statements ask for the same, word for word. */
static bool is_same_conform(const struct tree_node *a, const struct tree_node *b)
{
	bool same = strcmp(tree_value(a, 0), tree_value(b, 0)) == 0;

	for (a = a->first, b = b->first; same && a != NULL && b != NULL; a = a->next, b = b->next)
		same = a->row == b->row && strcmp(tree_value(a, 0), tree_value(b, 0)) == 0;
	return same && a == b; /* both have ended */
}

/* That of an earlier service which asks for the same. Return: its index; SNAPSHOT_NONE: none. */
static uint32_t find_conform(const struct draft *d, const struct tree_node *node)
{
	for (uint32_t i = 0; i < draft_count(d, SECTION_CONFORMS); i++) {
		if (is_same_conform(draft_origin(d, SECTION_CONFORMS, i), node))
			return i;
	}
	return SNAPSHOT_NONE;
}

/* What a service's conform statement says: two that say the same are one, so that services which
 * share a port can be seen to ask for one thing. Return: its index; SNAPSHOT_NONE: none. */
static uint32_t add_conform(struct draft *d, const struct tree_node *service)
{
	static const enum schema_id lists[] = {
		[CONFORM_TLS] = ROW_CONFORM_SERVER_NAME,
		[CONFORM_HTTP] = ROW_CONFORM_HOST,
		[CONFORM_DNS] = ROW_CONFORM_NAME,
	};
	const struct tree_node *node = tree_first(service, ROW_SERVICE_CONFORM);
	struct snapshot_range names = {0, 0};
	struct snapshot_conform *c;
	uint32_t index, kind;

	if (node == NULL)
		return SNAPSHOT_NONE;
	index = find_conform(d, node);
	if (index != SNAPSHOT_NONE)
		return index;
	index = draft_count(d, SECTION_CONFORMS);
	kind = (uint32_t)draft_value(node, 0).number; /* words in the order of enum conform_kind */
	if (kind < sizeof(lists) / sizeof(lists[0]))
		names = draft_add_list(d, node, lists[kind]);
	c = draft_add(d, SECTION_CONFORMS, node);
	if (c == NULL)
		return SNAPSHOT_NONE;
	c->kind = kind;
	c->ech_allowed = (uint32_t)draft_leaf_number(node, ROW_CONFORM_ECH);
	c->names = names;
	return index;
}

static struct snapshot_range add_services(struct draft *d, const struct tree_node *service)
{
	struct snapshot_range range = {draft_count(d, SECTION_SERVICES), 0};
	uint32_t conform = add_conform(d, service);

	for (const struct tree_node *n = service->first; n != NULL; n = n->next) {
		struct snapshot_service *s;

		if (n->row == ROW_SERVICE_CONFORM)
			continue;
		s = draft_add(d, SECTION_SERVICES, n);
		if (s == NULL)
			break;
		fill_service(s, n);
		s->conform = conform;
		range.count++;
	}
	return range;
}

/* Number the entries of a row from *@count on. */
static void number_entries(struct draft *d, enum schema_id row, uint32_t *count)
{
	for (struct tree_node *n = tree_first(d->tree->root, row); n != NULL; n = tree_next(n))
		n->index = (*count)++;
}

/* Room for a range of each of @count entries. */
static struct snapshot_range *new_ranges(struct draft *d, uint32_t count)
{
	struct snapshot_range *ranges = calloc(count + 1U, sizeof(*ranges));

	if (ranges == NULL)
		d->no_memory = true;
	return ranges;
}

static void lower_services(struct draft *d)
{
	uint32_t count = 0;

	number_entries(d, ROW_SERVICE, &count);
	d->service_ranges = new_ranges(d, count);
	for (const struct tree_node *n = tree_first(d->tree->root, ROW_SERVICE);
	     n != NULL && !d->no_memory; n = tree_next(n))
		d->service_ranges[n->index] = add_services(d, n);
}

/* The addresses that the zone binds to the group's stations. */
static struct snapshot_range add_station_addresses(struct draft *d, const struct tree_node *group)
{
	const char *zone = tree_value(tree_first(group, ROW_STATION_GROUP_ZONE), 0);
	struct snapshot_range range = {draft_count(d, SECTION_PREFIXES), 0};

	for (const struct tree_node *n = tree_first(group, ROW_STATION_GROUP_STATION); n != NULL;
	     n = tree_next(n)) {
		const struct tree_node *station = draft_station_node(d, zone, tree_value(n, 0));

		range.count += draft_add_prefixes(d, station, ROW_STATION_ADDRESS).count;
	}
	return range;
}

static void lower_groups(struct draft *d)
{
	const struct tree_node *root = d->tree->root;
	uint32_t count = 0;

	number_entries(d, ROW_ADDRESS_GROUP, &count);
	number_entries(d, ROW_STATION_GROUP, &count);
	d->group_ranges = new_ranges(d, count);
	for (const struct tree_node *n = tree_first(root, ROW_ADDRESS_GROUP);
	     n != NULL && !d->no_memory; n = tree_next(n))
		d->group_ranges[n->index] = draft_add_prefixes(d, n, ROW_ADDRESS_GROUP_ADDRESS);
	for (const struct tree_node *n = tree_first(root, ROW_STATION_GROUP);
	     n != NULL && !d->no_memory; n = tree_next(n))
		d->group_ranges[n->index] = add_station_addresses(d, n);
}

static void set_bit(uint8_t *bits, uint64_t at)
{
	bits[at / 8] |= (uint8_t)(1U << (at % 8));
}

/* A window past midnight goes on in the bits of the next day. */
static void set_minutes(struct snapshot_schedule *s, const struct tree_node *window)
{
	struct value days = draft_value(window, 0), times = draft_value(window, 1);

	for (uint64_t day = days.number; day <= days.high; day++) {
		for (uint64_t minute = times.number; minute < times.high; minute++) {
			if (minute < DAY_MINUTES)
				set_bit(s->minutes, day * DAY_MINUTES + minute);
			else
				set_bit(s->over,
					(day + 1) % DAYS * DAY_MINUTES + minute - DAY_MINUTES);
		}
	}
}

static void lower_schedule(struct draft *d, struct tree_node *node)
{
	struct snapshot_schedule *s;

	node->index = draft_count(d, SECTION_SCHEDULES);
	s = draft_add(d, SECTION_SCHEDULES, node);
	if (s == NULL)
		return;
	draft_copy_name(s->name, sizeof(s->name), tree_value(node, 0));
	s->utc_offset_s = d->utc_offset_s;
	s->holidays = (uint32_t)draft_leaf_number(node, ROW_SCHEDULE_HOLIDAYS);
	for (const struct tree_node *n = tree_first(node, ROW_SCHEDULE_WINDOW); n != NULL;
	     n = tree_next(n))
		set_minutes(s, n);
}

/* The tree sorts dates as their digits, which is their order in time. */
static void lower_holidays(struct draft *d)
{
	for (const struct tree_node *n = tree_first(d->tree->root, ROW_HOLIDAY); n != NULL;
	     n = tree_next(n)) {
		struct snapshot_holiday *h = draft_add(d, SECTION_HOLIDAYS, n);

		if (h == NULL)
			return;
		h->day = (int32_t)draft_value(n, 0).number;
	}
}

void draft_lower_objects(struct draft *d)
{
	lower_groups(d);
	lower_services(d);
	lower_holidays(d);
	for (struct tree_node *n = tree_first(d->tree->root, ROW_SCHEDULE); n != NULL;
	     n = tree_next(n))
		lower_schedule(d, n);
}
