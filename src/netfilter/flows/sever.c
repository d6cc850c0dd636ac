/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which flows end with a zone or a station (Z11). The zone's crossings are gone by now, the
 * station's packets are dropped, but connection tracking would remember what was permitted: a
 * connection that only paused would go on, unjudged, behind the restoration.
 */
#include <stdlib.h>
#include <string.h>

#include "netfilter/netfilter.h"

#define NAMED_MAX 64 /* flows that are named one by one; the others are counted */

static struct event_arg name_arg(const struct sever_order *order)
{
	return order->zone[0] != '\0' ? EV_TEXT(ZONE, order->zone)
				      : EV_TEXT(NAME, order->station.name);
}

static struct event_arg address_arg(enum event_key key, uint8_t family, const uint8_t *address)
{
	return (struct event_arg){key, family == 4 ? EVENT_KIND_IPV4 : EVENT_KIND_IPV6, 0, address,
				  family == 4 ? 4 : 16};
}

/* What the incident's course names (C7): a few flows for people, and how many for the record. */
void sever_note_flow(const struct sever *s, struct sever_order *order, const struct flow *flow)
{
	const struct track_book *book;
	const struct track_permit *permit;

	if (flow->ended || flow->mark & PACKET_MARK_LOCK)
		return;
	permit = track_permit_of(&s->nf->track, flow->mark, &book);
	if (permit == NULL || ++order->ended > NAMED_MAX)
		return;
	event_send(&s->nf->process.events, EVENT_FLOW_CUT, name_arg(order),
		   EV_TEXT(FROM_ZONE, book->zones[permit->from]),
		   EV_TEXT(TO_ZONE, book->zones[permit->to]),
		   address_arg(FIELD_SOURCE, flow->family, flow->source),
		   address_arg(FIELD_DESTINATION, flow->family, flow->destination),
		   EV_NUMBER(PROTOCOL, flow->protocol), EV_NUMBER(SOURCE_PORT, flow->source_port),
		   EV_NUMBER(DESTINATION_PORT, flow->destination_port),
		   EV_NUMBER(PERMIT, permit->number), EV_NUMBER(PACKETS, flow->packets),
		   EV_NUMBER(BYTES, flow->bytes));
}

void sever_note_all(const struct sever *s, const struct sever_order *order)
{
	if (order->ended > 0)
		event_send(&s->nf->process.events, EVENT_FLOWS_CUT, name_arg(order),
			   EV_NUMBER(COUNT, order->ended));
}

static int compare_addresses(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct station_shut));
}

void sever_sort_addresses(struct control_sever_station *station)
{
	qsort(station->addresses, station->count, sizeof(station->addresses[0]), compare_addresses);
}

static bool has_address(const struct control_sever_station *station, uint8_t family,
			const uint8_t address[16])
{
	struct station_shut key = {.size = family == 4 ? 4 : 16};

	memcpy(key.bytes, address, key.size);
	return bsearch(&key, station->addresses, station->count, sizeof(key), compare_addresses) !=
	       NULL;
}

/* In the zone itself all that was let through; elsewhere what a permit leads to it or from it. */
static bool is_of_zone(const struct sever *s, const char *zone, const struct flow *flow)
{
	const struct track_permit *permit;
	const struct track_book *book;

	if (strcmp(s->zone->name, zone) == 0)
		return true;
	if (flow->mark & PACKET_MARK_LOCK)
		return false; /* it is listed where it began, and ends there */
	permit = track_permit_of(&s->nf->track, flow->mark, &book);
	return permit != NULL && (strcmp(book->zones[permit->from], zone) == 0 ||
				  strcmp(book->zones[permit->to], zone) == 0);
}

bool sever_concerns(const struct sever *s, const struct sever_order *order, const struct flow *flow)
{
	if (!(flow->mark & (PACKET_MARK_LOCK | PACKET_MARK_PERMIT)))
		return false; /* denied, or never let through */
	if (order->zone[0] != '\0')
		return is_of_zone(s, order->zone, flow);
	return has_address(&order->station, flow->family, flow->source) ||
	       has_address(&order->station, flow->family, flow->destination);
}
