/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of network devices inside a zone's namespace: what the supervisor makes and the rules of
 * netfilter name. A zone holds its port (named by the configuration), `void`, and one end of a veth
 * pair for each crossing.
 */
#ifndef SEKISHO_CHANNEL_DEVICE_H
#define SEKISHO_CHANNEL_DEVICE_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define DEVICE_NAME_BYTES 16 /* IFNAMSIZ */
#define DEVICE_VOID                                                                                \
	"void" /* a bridge without ports: where packets that no crossing takes are routed to */
#define DEVICE_CROSSING_PREFIX "x-"

/**
 * device_crossing_name - the crossing's end in one zone, named after the zone at the other end
 * @name:       filled, NUL-terminated: "x-lgwan"; a zone name of more than 13 bytes is cut and told
 * apart by a hash
 * @other_zone: name of the zone at the other end
 */
static inline void device_crossing_name(char name[DEVICE_NAME_BYTES], const char *other_zone)
{
	uint32_t hash = 2166136261U; /* FNV-1a */

	if (strlen(other_zone) <= 13) {
		(void)snprintf(name, DEVICE_NAME_BYTES, DEVICE_CROSSING_PREFIX "%.13s", other_zone);
		return;
	}
	for (const char *c = other_zone; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619U;
	(void)snprintf(name, DEVICE_NAME_BYTES, DEVICE_CROSSING_PREFIX "%.5s%08x", other_zone,
		       hash);
}

#endif
