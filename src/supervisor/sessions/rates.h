/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many sessions and messages a source, and all sources together, may bring in a minute: a
 * bucket for each (Z14). */
#ifndef SEKISHO_SUPERVISOR_SESSIONS_RATES_H
#define SEKISHO_SUPERVISOR_SESSIONS_RATES_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/snapshot.h"

#define RATES_SOURCES_MAX                                                                          \
	1024 /* that are remembered; the one not heard of for longest goes first */
#define RATES_TOTALS_MAX                                                                           \
	128 /* entries: apart from sources, so that no flood of those empties one */
#define RATES_SOURCE_BYTES 8 /* an IPv4 address and zeros, or an IPv6 /64 */

#define RATES_SCREENS "" /* no entry has this name */

enum { RATES_ALL = 1 };
enum rate_kind { RATE_CONNECTS, RATE_MAILS, RATE_KIND_COUNT_ };

/* Whose rate: a source at an entry. */
struct rate_key {
	char entry[SNAPSHOT_NAME_BYTES];
	uint8_t family; /* 4 or 6; RATES_ALL: of all sources; 0: an empty row */
	uint8_t source[RATES_SOURCE_BYTES];
};

struct rate_row {
	struct rate_key key;
	uint64_t heard_ms;
	uint64_t filled_ms[RATE_KIND_COUNT_];
	uint64_t level[RATE_KIND_COUNT_]; /* in shares of RATES_COST a piece */
};

struct rates {
	struct rate_row rows[RATES_SOURCES_MAX];
	struct rate_row totals[RATES_TOTALS_MAX];
};

/**
 * rate_key_of - the key of a peer
 * @entry: name of the mail entry, NUL-terminated; RATES_SCREENS for all screens together
 * @addr:  4 or 16 octets by @family
 */
struct rate_key rate_key_of(const char *entry, uint8_t family, const uint8_t *addr);

/**
 * rates_take - count one, where there is room for it
 * @per_minute: as many can come at once, and again when a minute has passed; 0: no limit
 * @now_ms:     monotonic
 * Return: whether it may pass.
 */
bool rates_take(struct rates *rates, const struct rate_key *key, enum rate_kind kind,
		uint32_t per_minute, uint64_t now_ms);

/* The same for all sources of an entry together. @entry: its name, NUL-terminated. */
bool rates_take_total(struct rates *rates, const char *entry, enum rate_kind kind,
		      uint32_t per_minute, uint64_t now_ms);

#endif
