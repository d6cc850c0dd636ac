/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stations that are shut out: the list that the supervisor gives netfilter in a sealed memfd
 * (GIVE_STATIONS), whole each time, and the word of the arbiter
 * or of netfilter that one should be.
 */
#ifndef SEKISHO_CHANNEL_STATIONS_H
#define SEKISHO_CHANNEL_STATIONS_H

#include <stdint.h>

#define STATIONS_SHUT_MAX 1024
/* Of them, those that alarms leave to operators: an alarm never fills the list. */
#define STATIONS_SHUT_BY_HAND 256
#define STATION_TEXT_BYTES    64 /* of one as text, with its NUL */
#define STATION_ADDRESSES_MAX 256

/* By its hardware address or by an address, in whatever zone it shows up. */
struct station_shut {
	uint8_t size; /* of @bytes: 6 hardware address, 4 IPv4, 16 IPv6 */
	uint8_t bytes[16];
};

/* supervisor -> netfilter: end the flows of a station. */
struct control_sever_station {
	char name[STATION_TEXT_BYTES]; /* as it was isolated */
	uint32_t count;
	struct station_shut addresses[STATION_ADDRESSES_MAX]; /* IPv4 and IPv6 */
};

/* arbiter or netfilter -> supervisor: a listed station of a zone that enforces its list tries too
 * much, or floods. Only of a zone with `isolate-station`. */
struct control_alarm {
	uint32_t zone; /* index in the snapshot of @epoch */
	uint8_t mac[6];
	uint8_t pad[6];
	uint64_t epoch;
	char kind[16]; /* what about; NUL-terminated, fixed text */
};

#endif
