/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tables of a snapshot are made of: their limits, runs of rows, addresses. */
#ifndef SEKISHO_POLICY_SNAPSHOT_BASE_H
#define SEKISHO_POLICY_SNAPSHOT_BASE_H

#include <stdint.h>

#define SNAPSHOT_NONE          UINT32_MAX /* no such index */
#define SNAPSHOT_ZONES_MAX     8
#define SNAPSHOT_NAME_BYTES    24 /* names of zones, services, entries, with NUL */
#define SNAPSHOT_PERMITS_MAX   10000
#define SNAPSHOT_STATIONS_MAX  20000
#define SNAPSHOT_NEXT_HOPS_MAX 16
#define SNAPSHOT_DEVICE_BYTES  16    /* IFNAMSIZ */
#define SNAPSHOT_NETWORKS_MAX  64    /* of one zone of a transparent crossing */
#define SNAPSHOT_PROXIED_MAX   8192U /* addresses in all of them */
#define SNAPSHOT_BONDS_MAX     8
#define SNAPSHOT_MEMBERS_MAX   8 /* ports of one bond */
#define SNAPSHOT_HOLIDAYS_MAX  2000
#define SNAPSHOT_CONFORMS_MAX  1000
#define SNAPSHOT_QUEUES_MAX    8
#define SNAPSHOT_LIMIT_MAX     1000000 /* of a rate or a number of connections */
#define SNAPSHOT_PERSONS_MAX   100
#define SNAPSHOT_NTP_MAX       8 /* time servers, all in one zone */
#define SNAPSHOT_SCANNERS_MAX  16

/* A run of rows in another table. */
struct snapshot_range {
	uint32_t first;
	uint32_t count;
};

/* An address with its prefix length; IPv4 in the first four bytes, the rest zero. Network order. */
struct snapshot_prefix {
	uint8_t family; /* 4 or 6 */
	uint8_t bits;   /* 0..32 or 0..128 */
	uint8_t pad[2];
	uint8_t addr[16]; /* host bits kept for interface addresses, zero for matches */
};

#endif
