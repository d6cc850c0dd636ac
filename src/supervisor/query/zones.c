/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Zones, crossings and their separation, read from the kernel at the moment of the question. */
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "channel/device.h"
#include "supervisor/query/query.h"
#include "supervisor/zones/survey.h"

#define HEADING(answer, ...)                                                                       \
	answer_heading((answer), (const char *const[]){__VA_ARGS__},                               \
		       sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* Which relays cross from one zone to the other, by the running policy. */
static void list_relays(const struct snapshot *s, const char *from, const char *to, char *out,
			size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (uint32_t i = 0; i < s->mail_count && used < size; i++) {
		if (strcmp(s->zones[s->mails[i].from].name, from) == 0 &&
		    strcmp(s->zones[s->mails[i].to].name, to) == 0)
			used += (size_t)snprintf(out + used, size - used, "%smail %s",
						 used ? ", " : "", s->mails[i].name);
	}
	for (uint32_t i = 0; i < s->screen_count && used < size; i++) {
		/* The picture goes from the desktop's zone to the viewers'. */
		if (strcmp(s->zones[s->screens[i].to].name, from) == 0 &&
		    strcmp(s->zones[s->screens[i].from].name, to) == 0)
			used += (size_t)snprintf(out + used, size - used, "%sscreen %s",
						 used ? ", " : "", s->screens[i].name);
	}
}

static uint32_t count_permits(const struct snapshot *s, const char *from, const char *to)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < s->permit_count; i++)
		count += strcmp(s->zones[s->permits[i].from].name, from) == 0 &&
			 strcmp(s->zones[s->permits[i].to].name, to) == 0;
	return count;
}

static void answer_pair(struct supervisor *sup, struct answer *answer, struct zone *from,
			struct zone *to)
{
	static const char *const paths[] = {
		[SURVEY_PATH_UNKNOWN] = "unknown",
		[SURVEY_PATH_NONE] = "no path",
		[SURVEY_PATH_CROSSING] = "by permits",
		[SURVEY_PATH_MISSING] = "no path: the crossing is missing",
		[SURVEY_PATH_STRANGER] = "NOT SEPARATED: a device that no policy asks for",
	};
	const struct snapshot *s = &sup->running.snapshot;
	struct survey_pair pair = survey_pair_read(sup, from, to);
	char relays[128];

	answer_cell(answer, "%s", from->name);
	answer_cell(answer, "%s", to->name);
	answer_cell(answer, "%s", pair.configured ? "configured" : "none");
	answer_cell(answer, "%s",
		    pair.path == SURVEY_PATH_UNKNOWN ? "the kernel does not say"
		    : pair.names[0] != '\0'          ? pair.names
						     : "none");
	answer_cell(answer, "%s", paths[pair.path]);
	answer_cell(answer, "%u", count_permits(s, from->name, to->name));
	list_relays(s, from->name, to->name, relays, sizeof(relays));
	answer_cell(answer, "%s", relays[0] ? relays : "none");
	answer_send(answer, 0);
}

void answer_separation(struct supervisor *sup, struct answer *answer)
{
	HEADING(answer, "from", "to", "crossing", "devices in common", "IP path", "permits",
		"relays");
	for (uint32_t i = 0; i < sup->running.snapshot.zone_count; i++) {
		struct zone *from = zones_find(&sup->zones, sup->running.snapshot.zones[i].name);

		for (uint32_t j = 0; j < sup->running.snapshot.zone_count; j++) {
			struct zone *to =
				zones_find(&sup->zones, sup->running.snapshot.zones[j].name);

			if (i != j && from && to)
				answer_pair(sup, answer, from, to);
		}
	}
	answer_send(answer, CONTROL_ROW_LAST);
}

static const char *tier_name(uint32_t tier)
{
	switch (tier) {
	case TIER_SENSITIVE:
		return "sensitive";
	case TIER_BUSINESS:
		return "business";
	case TIER_OUTSIDE:
		return "outside";
	default:
		return "unknown";
	}
}

/* How full the table of connections is, and how many packets of new flows it had no room for. */
static void show_connections(struct answer *answer, struct zone *zone)
{
	struct connections_count now;

	if (!zone || connections_count(&zone->connections, &now) < 0) {
		answer_cell(answer, "unknown");
		answer_cell(answer, "unknown");
		return;
	}
	answer_cell(answer, "%u of %u", now.flows, now.flows_max);
	answer_cell(answer, "%u", now.refused);
}

void answer_zones(struct supervisor *sup, struct answer *answer)
{
	const struct snapshot *s = &sup->running.snapshot;

	HEADING(answer, "zone", "tier", "port", "state", "rx packets", "tx packets", "rx bytes",
		"tx bytes", "dropped", "flows", "refused");
	for (uint32_t i = 0; i < s->zone_count; i++) {
		struct zone *zone = zones_find(&sup->zones, s->zones[i].name);
		struct rtnl_link link = {0};
		bool known = zone && rtnl_link_find(&zone->rtnl, zone->port, &link) == 0;

		answer_cell(answer, "%s", s->zones[i].name);
		answer_cell(answer, "%s", tier_name(s->zones[i].tier));
		answer_cell(answer, "%s", s->zones[i].port);
		answer_cell(answer, "%s",
			    !known                     ? "no port"
			    : zone->isolated           ? "isolated"
			    : !(link.flags & IFF_UP)   ? "down"
			    : link.flags & IFF_RUNNING ? "up"
						       : "no carrier");
		answer_cell(answer, "%lu", (unsigned long)link.rx_packets);
		answer_cell(answer, "%lu", (unsigned long)link.tx_packets);
		answer_cell(answer, "%lu", (unsigned long)link.rx_bytes);
		answer_cell(answer, "%lu", (unsigned long)link.tx_bytes);
		answer_cell(answer, "%lu", (unsigned long)link.rx_dropped);
		show_connections(answer, zone);
		answer_send(answer, 0);
	}
	answer_send(answer, CONTROL_ROW_LAST);
}

void answer_crossings(struct supervisor *sup, struct answer *answer)
{
	HEADING(answer, "zones", "state", "permits", "packets forth", "packets back", "bytes forth",
		"bytes back");
	for (size_t i = 0; i < sizeof(sup->zones.crossings) / sizeof(sup->zones.crossings[0]);
	     i++) {
		struct crossing *crossing = &sup->zones.crossings[i];
		const struct snapshot *s = &sup->running.snapshot;
		struct rtnl_link link = {0};
		char name[RTNL_NAME_BYTES];

		if (!crossing->used)
			continue;
		device_crossing_name(name, crossing->high->name);
		answer_cell(answer, "%s - %s", crossing->low->name, crossing->high->name);
		answer_cell(answer, "%s",
			    rtnl_link_find(&crossing->low->rtnl, name, &link) < 0 ? "device missing"
			    : link.flags & IFF_RUNNING                            ? "up"
										  : "down");
		answer_cell(answer, "%u",
			    count_permits(s, crossing->low->name, crossing->high->name) +
				    count_permits(s, crossing->high->name, crossing->low->name));
		answer_cell(answer, "%lu", (unsigned long)link.tx_packets);
		answer_cell(answer, "%lu", (unsigned long)link.rx_packets);
		answer_cell(answer, "%lu", (unsigned long)link.tx_bytes);
		answer_cell(answer, "%lu", (unsigned long)link.rx_bytes);
		answer_send(answer, 0);
	}
}
