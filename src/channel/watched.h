/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The watch list (C7): zones and stations whose isolation has ended, for a while. The supervisor
 * gives it to the arbiter in a sealed memfd (GIVE_WATCHED), whole each time: struct watched, one
 * after the other.
 */
#ifndef SEKISHO_CHANNEL_WATCHED_H
#define SEKISHO_CHANNEL_WATCHED_H

#include <stdint.h>

#include "channel/stations.h"

#define WATCHED_MAX        128
#define WATCHED_NAME_BYTES 64
#define WATCHED_WHY_BYTES  16 /* as the kind of struct control_alarm */

struct watched {
	uint64_t number;               /* counts from 1, over restarts too */
	int64_t until_s;               /* since 1970 */
	struct station_shut station;   /* of size 0: the zone of that name */
	char name[WATCHED_NAME_BYTES]; /* zone or station as text, NUL-terminated */
	char why[WATCHED_WHY_BYTES];   /* what it was isolated for: "operator", or the kind of the
					* alarm; NUL-terminated */
	uint8_t pad[7];
};

#endif
