/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second lock: permits as static sets of the far zone. */
#include "netfilter/ruleset/lock.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "policy/atoms.h"

#define KEY_BYTES_MAX 40 /* two IPv6 addresses, protocol, port */

struct lock_shape {
	uint8_t family, source_bits, destination_bits, port_bits;
};

struct lock {
	const struct snapshot *s;
	uint32_t zone;
	uint32_t count;
	struct lock_shape shapes[LOCK_SHAPES_MAX];
};

/* Conntrack keeps an ICMP type and code where others have the port: only the first byte counts. */
static struct lock_shape shape_of(const struct snapshot *s, const struct policy_atom *atom)
{
	bool typed = policy_is_icmp(atom->protocol) && atom->port_bits > 0;

	return (struct lock_shape){atom->family, policy_source_bits(s, atom),
				   s->prefixes[atom->destination].bits,
				   typed ? 8 : atom->port_bits};
}

static uint32_t find_shape(const struct lock *lock, const struct lock_shape *shape)
{
	uint32_t i = 0;

	while (i < lock->count && memcmp(&lock->shapes[i], shape, sizeof(*shape)) != 0)
		i++;
	return i;
}

static int collect(void *ctx, const struct policy_atom *atom)
{
	struct lock *lock = ctx;
	struct lock_shape shape = shape_of(lock->s, atom);

	if (lock->s->permits[atom->permit].to != lock->zone ||
	    find_shape(lock, &shape) < lock->count)
		return 0;
	if (lock->count == LOCK_SHAPES_MAX)
		return -ERR_TOO_LONG;
	lock->shapes[lock->count++] = shape;
	return 0;
}

struct lock *lock_new(const struct snapshot *s, uint32_t zone)
{
	struct lock *lock = calloc(1, sizeof(*lock));

	if (lock == NULL)
		return NULL;
	lock->s = s;
	lock->zone = zone;
	if (policy_atoms(s, collect, lock) != 0) {
		free(lock);
		return NULL;
	}
	return lock;
}

void lock_free(struct lock *lock)
{
	free(lock);
}

uint32_t lock_set_count(const struct lock *lock)
{
	return lock->count;
}

static void set_name(char name[16], uint32_t index)
{
	snprintf(name, 16, "lock%u", index);
}

void lock_remove_sets(struct nft_batch *b, uint32_t count)
{
	char name[16];

	for (uint32_t i = 0; i < count; i++) {
		set_name(name, i);
		nft_set_remove(b, name);
	}
}

static unsigned address_bytes(const struct lock_shape *shape)
{
	return shape->family == 4 ? 4 : 16;
}

static void put_set(struct nft_batch *b, const struct lock_shape *shape, const char *name)
{
	const uint8_t address = shape->family == 4 ? NFT_FIELD_IPV4 : NFT_FIELD_IPV6;
	struct nft_set set = {.name = name};
	size_t at = 0;

	if (shape->source_bits > 0)
		set.fields[at++] = address;
	if (shape->destination_bits > 0)
		set.fields[at++] = address;
	set.fields[at++] = NFT_FIELD_PROTOCOL;
	if (shape->port_bits > 0)
		set.fields[at++] = NFT_FIELD_PORT;
	nft_set_anew(b, &set);
}

static void mask_address(uint8_t *out, const uint8_t *address, unsigned bytes, unsigned bits)
{
	for (unsigned i = 0; i < bytes; i++) {
		unsigned kept = bits > 8 * i ? bits - 8 * i : 0;

		out[i] = address[i] & (kept >= 8 ? 0xff : (uint8_t)(0xff00U >> kept));
	}
}

static size_t make_key(uint8_t key[KEY_BYTES_MAX], const struct snapshot *s,
		       const struct policy_atom *atom, const struct lock_shape *shape)
{
	unsigned bytes = address_bytes(shape);
	size_t at = 0;

	memset(key, 0, KEY_BYTES_MAX);
	if (shape->source_bits > 0) {
		mask_address(key, s->prefixes[atom->source].addr, bytes, shape->source_bits);
		at += bytes;
	}
	if (shape->destination_bits > 0) {
		mask_address(key + at, s->prefixes[atom->destination].addr, bytes,
			     shape->destination_bits);
		at += bytes;
	}
	key[at] = atom->protocol;
	at += 4;
	if (shape->port_bits > 0) {
		bool typed = policy_is_icmp(atom->protocol);
		uint16_t port = htons(typed ? (uint16_t)(atom->port << 8) : atom->port);

		memcpy(key + at, &port, sizeof(port));
		at += 4;
	}
	return at == 4 ? 1 : at; /* the protocol alone is not padded */
}

/* All atoms of one shape on their way into its set. */
struct filling {
	const struct lock *lock;
	uint32_t index;
	struct nft_elements elements;
};

static int fill(void *ctx, const struct policy_atom *atom)
{
	struct filling *f = ctx;
	const struct snapshot *s = f->lock->s;
	struct lock_shape shape = shape_of(s, atom);
	uint8_t key[KEY_BYTES_MAX];

	if (s->permits[atom->permit].to != f->lock->zone || find_shape(f->lock, &shape) != f->index)
		return 0;
	struct nft_element element = {.key = key, .key_bytes = make_key(key, s, atom, &shape)};

	nft_elements_add(&f->elements, &element);
	return 0;
}

void lock_put_sets(const struct lock *lock, struct nft_batch *b)
{
	for (uint32_t i = 0; i < lock->count; i++) {
		struct filling f = {.lock = lock, .index = i};
		char name[16];

		set_name(name, i);
		put_set(b, &lock->shapes[i], name);
		nft_elements_begin(&f.elements, b, name);
		(void)policy_atoms(lock->s, fill, &f); /* fill() never ends the walk */
		nft_elements_end(&f.elements);
	}
}

/* One address of the flow's tuple, masked, into the next registers. Returns how many. */
static uint32_t load_address(struct nft_batch *b, const struct lock_shape *shape, bool source,
			     uint32_t at)
{
	static const uint8_t ones[16] = {255, 255, 255, 255, 255, 255, 255, 255,
					 255, 255, 255, 255, 255, 255, 255, 255};
	unsigned bits = source ? shape->source_bits : shape->destination_bits;
	unsigned bytes = address_bytes(shape);
	uint8_t mask[16];

	if (bits == 0)
		return 0;
	if (shape->family == 4)
		nft_ct_original(b, source ? NFT_CT_SRC_IP : NFT_CT_DST_IP, REG(at));
	else
		nft_ct_original(b, source ? NFT_CT_SRC_IP6 : NFT_CT_DST_IP6, REG(at));
	mask_address(mask, ones, bytes, bits);
	if (bits < 8 * bytes)
		nft_mask(b, REG(at), mask, bytes);
	return bytes / 4;
}

void lock_put_rules(const struct lock *lock, struct nft_batch *b, const char *chain, uint32_t mark)
{
	for (uint32_t i = 0; i < lock->count; i++) {
		const struct lock_shape *shape = &lock->shapes[i];
		char name[16];
		uint32_t at = 0;

		set_name(name, i);
		nft_rule(b, chain);
		nft_match_family(b, shape->family == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
		at += load_address(b, shape, true, at);
		at += load_address(b, shape, false, at);
		nft_ct(b, NFT_CT_PROTOCOL, REG(at++)); /* the same in both directions */
		if (shape->port_bits > 0) {
			uint16_t mask = htons((uint16_t)(0xffff0000U >> shape->port_bits));

			nft_ct_original(b, NFT_CT_PROTO_DST, REG(at));
			nft_mask(b, REG(at), &mask, sizeof(mask));
		}
		nft_lookup(b, name, REG(0), false);
		nft_immediate(b, REG(0), &mark, sizeof(mark));
		nft_meta_set(b, NFT_META_MARK, REG(0));
		nft_verdict(b, NF_ACCEPT);
		nft_rule_end(b);
	}
}
