/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counting what sources try. */
#include "arbiter/detect.h"

#include <string.h>

#define MS_A_SECOND 1000U

static uint64_t hash_of(const void *data, size_t bytes)
{
	const uint8_t *at = data;
	uint64_t hash = 0xcbf29ce484222325U;

	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ at[i]) * 0x100000001b3U;
	return hash ^ hash >> 32;
}

static void see(struct detect_seen *seen, uint16_t value)
{
	uint8_t bit = (uint8_t)(1U << (value % 8));

	if (seen->bits[value / 8] & bit)
		return;
	seen->bits[value / 8] |= bit;
	seen->count++;
}

static void forget(struct detect_seen *seen)
{
	if (seen->count > 0)
		memset(seen, 0, sizeof(*seen));
}

static void begin_window(struct detect_source *source, uint64_t now_ms)
{
	forget(&source->hosts);
	for (unsigned i = 0; i < DETECT_TARGETS; i++)
		forget(&source->targets[i].ports);
	source->window_ms = now_ms;
	source->tries = 0;
}

/* Where the kernel has compared every sender with the zone's list, its hardware address tells who
 * it is. Hosts of one wire share a /64. */
static struct detect_key key_of(const struct snapshot *s, uint32_t zone, const struct ip_headers *h,
				const uint8_t *mac)
{
	bool station = mac != NULL && s->zones[zone].station_policy == STATION_ENFORCE;
	struct detect_key key;

	memset(&key, 0, sizeof(key));
	key.family = station ? DETECT_STATION : h->family;
	key.zone = (uint8_t)zone;
	if (station)
		memcpy(key.address, mac, 6);
	else
		memcpy(key.address, h->source, h->family == 4 ? 4 : 8);
	return key;
}

/* The place of a source: its own, a free one, or that of the one that has tried least. */
static struct detect_source *source_of(struct detect *d, const struct detect_key *key,
				       uint64_t now_ms)
{
	struct detect_source *set = d->sources[hash_of(key, sizeof(*key)) % DETECT_SETS];
	struct detect_source *found = NULL;

	for (unsigned i = 0; i < DETECT_WAYS; i++) {
		struct detect_source *source = &set[i];

		if (memcmp(&source->key, key, sizeof(*key)) == 0)
			return source;
		if (found == NULL || source->key.family == 0 ||
		    (found->key.family != 0 && source->tries < found->tries))
			found = source;
	}
	begin_window(found, now_ms);
	found->key = *key;
	found->second_ms = now_ms;
	found->denied = 0;
	memset(found->alarmed_ms, 0, sizeof(found->alarmed_ms));
	return found;
}

/* Ports of one destination; a fifth destination takes the place of the first. */
static struct detect_target *target_of(struct detect_source *source, const uint8_t address[16])
{
	struct detect_target *target;

	for (unsigned i = 0; i < DETECT_TARGETS; i++) {
		target = &source->targets[i];
		if (target->ports.count > 0 && memcmp(target->address, address, 16) == 0)
			return target;
	}
	target = &source->targets[source->next_target];
	source->next_target = (source->next_target + 1) % DETECT_TARGETS;
	forget(&target->ports);
	memcpy(target->address, address, 16);
	return target;
}

static bool raise(struct detect_source *source, enum detect_kind kind, uint64_t count,
		  uint64_t limit, uint64_t now_ms, struct detect_alarm *alarm)
{
	uint64_t *alarmed_ms = &source->alarmed_ms[kind];

	if (limit == 0 || count < limit ||
	    (*alarmed_ms != 0 && now_ms - *alarmed_ms < DETECT_AGAIN_MS))
		return false;
	*alarmed_ms = now_ms;
	*alarm = (struct detect_alarm){kind, source->key.family == DETECT_STATION, count};
	return true;
}

static void count_denied(struct detect_source *source, const struct snapshot_guard *guard,
			 uint64_t now_ms)
{
	uint64_t period_ms = (uint64_t)guard->denied_period_s * MS_A_SECOND;

	if (now_ms - source->second_ms >= period_ms) {
		source->second_ms = now_ms;
		source->denied = 0;
	}
	source->denied++;
}

bool detect_note(struct detect *d, const struct snapshot *s, uint32_t zone,
		 const struct ip_headers *h, const uint8_t *mac, bool denied, uint64_t now_ms,
		 struct detect_alarm *alarm)
{
	const struct snapshot_guard *guard = &s->zones[zone].guard;
	const struct detect_key key = key_of(s, zone, h, mac);
	struct detect_source *source = source_of(d, &key, now_ms);
	struct detect_target *target;

	if (now_ms - source->window_ms >= (uint64_t)guard->window_s * MS_A_SECOND)
		begin_window(source, now_ms);
	source->tries++;
	see(&source->hosts, (uint16_t)hash_of(h->destination, sizeof(h->destination)));
	target = target_of(source, h->destination);
	if (h->flags & IP_HAS_PORTS)
		see(&target->ports, h->destination_port);
	if (denied)
		count_denied(source, guard, now_ms);
	if (raise(source, DETECT_PORTS, target->ports.count, guard->scan_ports, now_ms, alarm) ||
	    raise(source, DETECT_HOSTS, source->hosts.count, guard->scan_hosts, now_ms, alarm))
		return true;
	return denied &&
	       raise(source, DETECT_DENIED, source->denied, guard->denied_rate, now_ms, alarm);
}

const char *detect_kind_name(enum detect_kind kind)
{
	static const char *const names[DETECT_KIND_COUNT_] = {
		[DETECT_PORTS] = "port-scan",
		[DETECT_HOSTS] = "host-scan",
		[DETECT_DENIED] = "denied-rate",
	};

	return (unsigned)kind < DETECT_KIND_COUNT_ ? names[kind] : "unknown";
}
