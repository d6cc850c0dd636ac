/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of what an isolated station has open (Z11): its flows, by netfilter, and its sessions.
 * Both know addresses only; a station that is named by its hardware address has those that the
 * policy binds to it and those under which its zone's neighbour table knows it.
 */
#include <string.h>

#include "supervisor/isolation/station_text.h"
#include "supervisor/supervisor.h"

struct severing {
	struct supervisor *sup;
	struct control_sever_station body;
};

/* For the addresses that were collected; then there is room for more. */
static void sever_collected(struct severing *s)
{
	struct child *netfilter = child_find(s->sup, ROLE_NETFILTER, 0);

	if (s->body.count == 0)
		return;
	if (netfilter)
		child_send(netfilter, CONTROL_SEVER_STATION, &s->body, sizeof(s->body), NULL, 0);
	session_end_station(s->sup, &s->body);
	memset(s->body.addresses, 0, sizeof(s->body.addresses));
	s->body.count = 0;
}

static void add_address(void *ctx, const struct snapshot_prefix *address)
{
	struct severing *s = ctx;
	struct station_shut *out;

	if (s->body.count == STATION_ADDRESSES_MAX)
		sever_collected(s);
	out = &s->body.addresses[s->body.count++];
	out->size = address->family == 6 ? 16 : 4;
	memcpy(out->bytes, address->addr, out->size);
}

static void add_bound(struct severing *s, const uint8_t mac[6])
{
	const struct snapshot *policy = &s->sup->running.snapshot;

	for (uint32_t i = 0; i < policy->station_count; i++) {
		const struct snapshot_station *station = &policy->stations[i];

		if (memcmp(station->mac, mac, sizeof(station->mac)) != 0)
			continue;
		for (uint32_t j = 0; j < station->addresses.count; j++)
			add_address(s, &policy->prefixes[station->addresses.first + j]);
	}
}

static void add_neighbours(struct severing *s, const uint8_t mac[6])
{
	struct zones *zs = &s->sup->zones;

	for (size_t i = 0; i < sizeof(zs->zones) / sizeof(zs->zones[0]); i++) {
		struct zone *zone = &zs->zones[i];

		/* A table that cannot be read tells nothing: the bound addresses are severed. */
		if (zone->used)
			(void)rtnl_neighbour_each(&zone->rtnl, zone->port_index, mac, add_address,
						  s);
	}
}

void station_sever(struct supervisor *sup, const struct station_shut *station)
{
	struct severing s = {.sup = sup};

	station_print(s.body.name, station);
	if (station->size == 6) {
		add_bound(&s, station->bytes);
		add_neighbours(&s, station->bytes);
	} else {
		s.body.addresses[s.body.count++] = *station;
	}
	sever_collected(&s);
}
