/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who tries too much: distinct ports of one destination, distinct destinations, and refused packets
 * of one source within the zone's own window (Z12). A source is a station where the zone enforces
 * its list: nobody is blamed for what a neighbour sent. Elsewhere it is an IPv4 address or an IPv6
 * /64, so that changing the last 64 bits helps nobody. Fixed storage, no heap: where a place is
 * contested, the source that has tried least makes way.
 */
#ifndef SEKISHO_ARBITER_DETECT_H
#define SEKISHO_ARBITER_DETECT_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/snapshot.h"
#include "wire/packet/ip.h"

#define DETECT_SETS     128
#define DETECT_WAYS     8     /* sources with the same hash that are watched at one time */
#define DETECT_TARGETS  4     /* destinations of a source whose ports are counted at one time */
#define DETECT_AGAIN_MS 60000 /* between two alarms of one kind about one source */
#define DETECT_STATION  1     /* in place of an address family */

enum detect_kind { DETECT_PORTS, DETECT_HOSTS, DETECT_DENIED, DETECT_KIND_COUNT_ };

/* Which of 65,536 values have been seen, and how many. */
struct detect_seen {
	uint32_t count;
	uint8_t bits[65536 / 8];
};

struct detect_target {
	uint8_t address[16];
	struct detect_seen ports;
};

/* Whom attempts are counted for. All bytes are compared: always zeroed first. */
struct detect_key {
	uint8_t address[16]; /* IPv6: the last half zero; a station: its hardware address */
	uint8_t family;      /* 4 or 6; DETECT_STATION; 0: nobody */
	uint8_t zone;
};

struct detect_source {
	struct detect_key key;
	uint8_t next_target;
	uint64_t window_ms, second_ms; /* when the window and the period of refusals began */
	uint64_t tries, denied;
	uint64_t alarmed_ms[DETECT_KIND_COUNT_]; /* 0: never */
	struct detect_seen hosts;                /* by 16 bits of their hash */
	struct detect_target targets[DETECT_TARGETS];
};

struct detect {
	struct detect_source sources[DETECT_SETS][DETECT_WAYS];
};

struct detect_alarm {
	enum detect_kind kind;
	bool of_station; /* one station alone has sent all that was counted */
	uint64_t count;
};

/**
 * detect_note - a flow that somebody tries, or a packet of one that is refused
 * @zone:  index of the source's
 * @h:     in the direction of the flow's first packet
 * @mac:   of the sender; NULL: not known, then the address counts in every zone
 * @alarm: filled where Return is true
 * Return: whether this attempt raises an alarm.
 */
bool detect_note(struct detect *d, const struct snapshot *s, uint32_t zone,
		 const struct ip_headers *h, const uint8_t *mac, bool denied, uint64_t now_ms,
		 struct detect_alarm *alarm);

/* The fixed lower-case name of what an alarm is about ("port-scan"). */
const char *detect_kind_name(enum detect_kind kind);

#endif
