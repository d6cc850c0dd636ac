/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules that every packet from a zone meets first: its form, its source address, its station.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "netfilter/ruleset/private.h"

#define SET_EXTENSIONS   "extensions"
#define SET_STATION_MACS "station-macs" /* every listed station */
#define SET_STATION_ANY  "station-any"  /* those that are bound to no address */

/*
 * The zone's own addresses. Kernels differ in when the elements of a set of intervals can be found:
 * newer ones let rules see it a moment before. Hence two places, of which one is filled in a
 * transaction of its own before the rules that look there come into force.
 */
static const struct nft_set set_own[RULESET_OWN_PLACES][2] = {
	{{.name = "own4-0", .flags = NFT_SET_INTERVAL, .fields = {NFT_FIELD_IPV4}},
	 {.name = "own6-0", .flags = NFT_SET_INTERVAL, .fields = {NFT_FIELD_IPV6}}},
	{{.name = "own4-1", .flags = NFT_SET_INTERVAL, .fields = {NFT_FIELD_IPV4}},
	 {.name = "own6-1", .flags = NFT_SET_INTERVAL, .fields = {NFT_FIELD_IPV6}}},
};
/* Who broke a rule lately: netfilter reads these and tells. */
static const struct nft_set set_spoofers[2] = {
	{.name = RULESET_SPOOFERS4,
	 .flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
	 .fields = {NFT_FIELD_IPV4},
	 .size = RULESET_OFFENDERS_MAX,
	 .timeout_ms = RULESET_OFFENDERS_MS},
	{.name = RULESET_SPOOFERS6,
	 .flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
	 .fields = {NFT_FIELD_IPV6},
	 .size = RULESET_OFFENDERS_MAX,
	 .timeout_ms = RULESET_OFFENDERS_MS},
};
static const struct nft_set set_strangers = {.name = RULESET_STRANGERS,
					     .flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
					     .fields = {NFT_FIELD_MAC},
					     .size = RULESET_OFFENDERS_MAX,
					     .timeout_ms = RULESET_OFFENDERS_MS};

/* Where things are in an IP header. */
struct layout {
	uint8_t nfproto;
	uint8_t source_at, destination_at, address_bytes;
};
static const struct layout layouts[2] = {{NFPROTO_IPV4, 12, 16, 4}, {NFPROTO_IPV6, 8, 24, 16}};

static void load_source(struct nft_batch *b, const struct layout *l, uint32_t reg)
{
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, l->source_at, l->address_bytes, reg);
}

static void load_mac(struct nft_batch *b, uint32_t reg)
{
	nft_payload(b, NFT_PAYLOAD_LL_HEADER, 6, 6, reg);
}

/* One interval; its end is where the next address is no longer in it. */
static void add_interval(struct nft_elements *elements, uint8_t family, address_number first,
			 address_number last)
{
	uint8_t bytes[16];
	struct nft_element element = {.key = bytes, .key_bytes = family == 4 ? 4 : 16};

	address_from_number(family, first, bytes);
	nft_elements_add(elements, &element);
	address_from_number(family, last + 1, bytes);
	if (address_to_number(family, bytes) == 0)
		return; /* up to the very last address: the interval stays open */
	element.interval_end = true;
	nft_elements_add(elements, &element);
}

void ruleset_put_own(struct nft_batch *b, const struct ruleset *r)
{
	for (int index = 0; index < 2; index++) {
		const struct range_map *owners = &r->owners[index];
		const struct nft_set *set = &set_own[r->own_place][index];
		struct nft_elements elements;

		nft_set_anew(b, set);
		nft_elements_begin(&elements, b, set->name);
		for (size_t i = 0; i < owners->count; i++) {
			if (owners->rows[i].zone == r->zone)
				add_interval(&elements, index == 0 ? 4 : 6, owners->rows[i].first,
					     owners->rows[i].last);
		}
		nft_elements_end(&elements);
	}
}

static void put_extensions(struct nft_batch *b)
{
	static const uint8_t extensions[] = {IPPROTO_HOPOPTS,
					     IPPROTO_ROUTING,
					     IPPROTO_FRAGMENT,
					     IPPROTO_AH,
					     IPPROTO_DSTOPTS,
					     IPPROTO_MH,
					     139,
					     140};
	static const struct nft_set set = {.name = SET_EXTENSIONS, .fields = {NFT_FIELD_PROTOCOL}};
	struct nft_elements elements;

	nft_set_anew(b, &set);
	nft_elements_begin(&elements, b, set.name);
	for (size_t i = 0; i < sizeof(extensions); i++) {
		const struct nft_element element = {.key = &extensions[i], .key_bytes = 1};

		nft_elements_add(&elements, &element);
	}
	nft_elements_end(&elements);
}

/* One field of the IP header, under a mask, and what it must not be: then the packet is dropped. */
static void rule_drop_field(struct nft_batch *b, const char *chain, uint32_t offset, uint32_t bytes,
			    const void *mask, const void *wanted, enum ruleset_counter counter)
{
	nft_rule(b, chain);
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, offset, bytes, REG(0));
	nft_mask(b, REG(0), mask, bytes);
	nft_compare(b, NFT_CMP_NEQ, REG(0), wanted, bytes);
	rule_drop(b, counter);
}

/* RFC 791: more fragments or an offset; a header longer than five words has options. RFC 4302:
 * behind an authentication header stands another protocol (ADR 405). */
static void rules_form4(struct nft_batch *b)
{
	const uint8_t multicast = 224, authentication = IPPROTO_AH;
	/* Whole words of the header: the kernel has a shorter way for these. */
	const uint32_t words = htonl(0x0f000000), five = htonl(0x05000000);
	const uint32_t fragment = htonl(0x3fff), whole = 0;

	nft_rule(b, CHAIN_RAW4);
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, 16, 1, REG(0));
	nft_compare(b, NFT_CMP_GTE, REG(0), &multicast, 1);
	rule_drop(b, COUNTER_MULTICAST);
	rule_drop_field(b, CHAIN_RAW4, 4, 4, &fragment, &whole, COUNTER_FRAGMENT);
	rule_drop_field(b, CHAIN_RAW4, 0, 4, &words, &five, COUNTER_OPTIONS);
	nft_rule(b, CHAIN_RAW4);
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, 9, 1, REG(0));
	nft_compare(b, NFT_CMP_EQ, REG(0), &authentication, 1);
	rule_drop(b, COUNTER_OPTIONS);
}

/*
 * RFC 8200: extension headers come first. Multicast is looked at before them: listener reports have
 * one. Of ICMPv6 to multicast addresses, the input chain takes neighbour discovery.
 */
static void rules_form6(struct nft_batch *b)
{
	const uint8_t multicast = 0xff, icmpv6 = IPPROTO_ICMPV6;

	nft_rule(b, CHAIN_RAW6);
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, 24, 1, REG(0));
	nft_compare(b, NFT_CMP_EQ, REG(0), &multicast, 1);
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, 6, 1, REG(0));
	nft_compare(b, NFT_CMP_NEQ, REG(0), &icmpv6, 1);
	rule_drop(b, COUNTER_MULTICAST);
	nft_rule(b, CHAIN_RAW6);
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, 6, 1, REG(0));
	nft_lookup(b, SET_EXTENSIONS, REG(0), false);
	rule_drop(b, COUNTER_OPTIONS);
}

/* Neighbour discovery comes from link-local addresses and, before there is one, from none: it is
 * only for the gateway. */
static void rules_neighbours(struct nft_batch *b)
{
	static const uint8_t link_local[2] = {0xfe, 0x80}, ten_bits[2] = {0xff, 0xc0};
	static const uint8_t unspecified[16];

	nft_rule(b, CHAIN_RAW6);
	nft_match_protocol(b, IPPROTO_ICMPV6);
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, 8, 2, REG(0));
	nft_mask(b, REG(0), ten_bits, sizeof(ten_bits));
	nft_compare(b, NFT_CMP_EQ, REG(0), link_local, sizeof(link_local));
	nft_jump(b, NFT_GOTO, CHAIN_STATIONS);
	nft_rule_end(b);
	nft_rule(b, CHAIN_RAW6);
	nft_match_protocol(b, IPPROTO_ICMPV6);
	load_source(b, &layouts[1], REG(0));
	nft_compare(b, NFT_CMP_EQ, REG(0), unspecified, sizeof(unspecified));
	nft_jump(b, NFT_GOTO, CHAIN_STATIONS);
	nft_rule_end(b);
}

/* A source of the zone goes on; any other is remembered and dropped. Two rules for that: a full set
 * of offenders must not keep the packet from being dropped. */
static void rules_source(struct nft_batch *b, const struct ruleset *r, int index)
{
	const char *chain = index == 0 ? CHAIN_RAW4 : CHAIN_RAW6;

	nft_rule(b, chain);
	load_source(b, &layouts[index], REG(0));
	nft_lookup(b, set_own[r->own_place][index].name, REG(0), false);
	nft_jump(b, NFT_GOTO, CHAIN_STATIONS);
	nft_rule_end(b);
	nft_rule(b, chain);
	load_source(b, &layouts[index], REG(0));
	nft_add_to_set(b, set_spoofers[index].name, REG(0), true);
	nft_rule_end(b);
	ruleset_put_flood(b, r, chain, RULESET_FLOOD_SPOOFED);
	nft_rule(b, chain);
	rule_drop(b, COUNTER_SPOOFED);
}

static void station_set_name(char name[24], int index, unsigned bits)
{
	snprintf(name, 24, "station%c-%u", index == 0 ? '4' : '6', bits);
}

static const struct snapshot_prefix *station_address(const struct snapshot *s, uint32_t station,
						     uint32_t i)
{
	return &s->prefixes[s->stations[station].addresses.first + i];
}

/* One station with one of its addresses: both are the key. */
static void add_station(struct nft_elements *e, const uint8_t mac[6],
			const struct snapshot_prefix *prefix)
{
	uint8_t key[24] = {0};
	size_t bytes = prefix->family == 4 ? 4 : 16;
	address_number first, last;
	const struct nft_element element = {.key = key, .key_bytes = 8 + bytes};

	prefix_bounds(prefix, &first, &last);
	memcpy(key, mac, 6);
	address_from_number(prefix->family, first, key + 8);
	nft_elements_add(e, &element);
}

/* Stations bound to addresses of one prefix length. Returns whether there is any. */
static bool put_bound_stations(struct nft_batch *b, const struct ruleset *r, int index,
			       unsigned bits)
{
	const struct snapshot *s = r->snapshot;
	struct snapshot_range stations = s->zones[r->zone].stations;
	uint8_t family = index == 0 ? 4 : 6;
	struct nft_elements elements;
	bool any = false;
	char name[24];

	station_set_name(name, index, bits);
	nft_set_remove(b, name);
	const struct nft_set set = {.name = name,
				    .fields = {NFT_FIELD_MAC,
					       index == 0 ? NFT_FIELD_IPV4 : NFT_FIELD_IPV6}};

	nft_elements_begin(&elements, b, name);
	for (uint32_t i = 0; i < stations.count; i++) {
		const struct snapshot_station *station = &s->stations[stations.first + i];

		for (uint32_t j = 0; j < station->addresses.count; j++) {
			const struct snapshot_prefix *p = station_address(s, stations.first + i, j);

			if (p->family != family || p->bits != bits)
				continue;
			if (!any)
				nft_set_keep(b, &set);
			any = true;
			add_station(&elements, station->mac, p);
		}
	}
	nft_elements_end(&elements);
	return any;
}

static void put_station_macs(struct nft_batch *b, const struct ruleset *r, const char *name,
			     bool bound_too)
{
	const struct snapshot *s = r->snapshot;
	struct snapshot_range stations = s->zones[r->zone].stations;
	const struct nft_set set = {.name = name, .fields = {NFT_FIELD_MAC}};
	struct nft_elements elements;

	nft_set_anew(b, &set);
	nft_elements_begin(&elements, b, name);
	for (uint32_t i = 0; i < stations.count; i++) {
		const struct snapshot_station *station = &s->stations[stations.first + i];
		const struct nft_element element = {.key = station->mac, .key_bytes = 6};

		if (bound_too || station->addresses.count == 0)
			nft_elements_add(&elements, &element);
	}
	nft_elements_end(&elements);
}

/* Neighbour discovery of a listed station, from its address of the link. */
static void rule_admit_neighbours(struct nft_batch *b)
{
	static const uint8_t link_local[2] = {0xfe, 0x80}, ten_bits[2] = {0xff, 0xc0};

	nft_rule(b, CHAIN_STATIONS);
	nft_match_family(b, NFPROTO_IPV6);
	nft_match_protocol(b, IPPROTO_ICMPV6);
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, 8, 2, REG(0));
	nft_mask(b, REG(0), ten_bits, sizeof(ten_bits));
	nft_compare(b, NFT_CMP_EQ, REG(0), link_local, sizeof(link_local));
	load_mac(b, REG(0));
	nft_lookup(b, SET_STATION_MACS, REG(0), false);
	nft_verdict(b, NF_ACCEPT);
	nft_rule_end(b);
}

/* A station that is bound to no address may use any that no other station is bound to. */
static void rule_admit_unbound(struct nft_batch *b, int index)
{
	nft_rule(b, CHAIN_STATIONS);
	nft_match_family(b, layouts[index].nfproto);
	load_mac(b, REG(0));
	nft_lookup(b, SET_STATION_ANY, REG(0), false);
	load_source(b, &layouts[index], REG(0));
	nft_lookup(b, index == 0 ? SET_BOUND4 : SET_BOUND6, REG(0), true);
	nft_verdict(b, NF_ACCEPT);
	nft_rule_end(b);
}

static void rule_admit_bound(struct nft_batch *b, int index, unsigned bits)
{
	const struct snapshot_prefix ones = {.family = index == 0 ? 4 : 6, .bits = (uint8_t)bits};
	address_number first, last;
	uint8_t mask[16];
	char name[24];

	prefix_bounds(&ones, &first, &last);
	address_from_number(ones.family, ~last, mask);
	station_set_name(name, index, bits);
	nft_rule(b, CHAIN_STATIONS);
	nft_match_family(b, layouts[index].nfproto);
	load_mac(b, REG(0));
	load_source(b, &layouts[index], REG(2));
	nft_mask(b, REG(2), mask, layouts[index].address_bytes);
	nft_lookup(b, name, REG(0), false);
	nft_verdict(b, NF_ACCEPT);
	nft_rule_end(b);
}

/* A zone with a station list admits nothing else; who tries is remembered, and dropped where the
 * list is enforced. */
static void put_stations(struct nft_batch *b, const struct ruleset *r)
{
	put_station_macs(b, r, SET_STATION_MACS, true);
	put_station_macs(b, r, SET_STATION_ANY, false);
	rule_admit_neighbours(b);
	for (int index = 0; index < 2; index++) {
		rule_admit_unbound(b, index);
		for (unsigned bits = 1; bits <= 8U * layouts[index].address_bytes; bits++) {
			if (put_bound_stations(b, r, index, bits))
				rule_admit_bound(b, index, bits);
		}
	}
	nft_rule(b, CHAIN_STATIONS);
	load_mac(b, REG(0));
	nft_add_to_set(b, set_strangers.name, REG(0), true);
	nft_rule_end(b);
	if (r->snapshot->zones[r->zone].station_policy != STATION_ENFORCE)
		return;
	ruleset_put_flood(b, r, CHAIN_STATIONS, RULESET_FLOOD_STATION);
	nft_rule(b, CHAIN_STATIONS);
	rule_drop(b, COUNTER_STATION);
}

/* What comes over a crossing has passed these rules in the zone that it came from. */
static void rules_entry(struct nft_batch *b, const struct ruleset *r)
{
	const char *port = r->snapshot->zones[r->zone].port;
	const uint32_t unmarked = 0;

	nft_rule(b, CHAIN_RAW);
	nft_immediate(b, REG(0), &unmarked, sizeof(unmarked));
	nft_meta_set(b, NFT_META_MARK, REG(0));
	nft_rule_end(b);
	nft_rule(b, CHAIN_RAW);
	nft_match_interface(b, NFT_META_IIFNAME, port, false);
	nft_verdict(b, NF_ACCEPT);
	nft_rule_end(b);
	ruleset_put_shut(b, r, CHAIN_RAW);
	nft_rule(b, CHAIN_RAW);
	nft_match_family(b, NFPROTO_IPV4);
	nft_jump(b, NFT_GOTO, CHAIN_RAW4);
	nft_rule_end(b);
	nft_rule(b, CHAIN_RAW);
	nft_jump(b, NFT_GOTO, CHAIN_RAW6);
	nft_rule_end(b);
}

void ruleset_put_raw(struct nft_batch *b, const struct ruleset *r)
{
	const struct snapshot_zone *zone = &r->snapshot->zones[r->zone];

	put_extensions(b);
	ruleset_put_flood_sets(b);
	nft_set_keep(b, &set_strangers);
	for (int i = 0; i < 2; i++) {
		nft_set_remove(b, set_own[!r->own_place][i].name);
		nft_set_keep(b, &set_spoofers[i]);
	}
	nft_chain(b, CHAIN_RAW4);
	nft_chain(b, CHAIN_RAW6);
	nft_chain(b, CHAIN_STATIONS);
	rules_entry(b, r);
	rules_form4(b);
	rules_source(b, r, 0);
	rules_form6(b);
	ruleset_put_discovery(b, r);
	rules_neighbours(b);
	rules_source(b, r, 1);
	if (zone->station_policy != STATION_OFF)
		put_stations(b, r);
}
