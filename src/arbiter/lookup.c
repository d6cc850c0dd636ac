/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Permits compiled into hash tables by the shape of what they match ("tuple space search"). */
#include "arbiter/lookup.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "policy/atoms.h"

/* The bits of a packet that one shape looks at. */
struct lookup_bits {
	uint64_t destination[2], source[2];
	uint32_t shape;
	uint32_t port;
};

static uint32_t make_key(uint32_t from, uint32_t to, uint8_t family, uint8_t protocol)
{
	return (from * SNAPSHOT_ZONES_MAX + to) << 16 | (uint32_t)family << 8 | protocol;
}

/* The leading bits of an address of up to 16 bytes. */
static void leading_bits(uint64_t out[2], const uint8_t addr[16], unsigned bits)
{
	uint8_t masked[16] = {0};

	memcpy(masked, addr, bits / 8);
	if (bits % 8 != 0)
		masked[bits / 8] = addr[bits / 8] & (uint8_t)(0xff00U >> (bits % 8));
	memcpy(out, masked, sizeof(masked));
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product =
		(unsigned __int128)(a ^ 0x9e3779b97f4a7c15U) * (b ^ 0xc2b2ae3d27d4eb4fU);

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static size_t hash_bits(const struct lookup_bits *b)
{
	uint64_t h = mix(b->destination[0], b->destination[1]);

	h = mix(h, b->source[0]);
	h = mix(h, b->source[1]);
	return (size_t)mix(h, (uint64_t)b->shape << 32 | b->port);
}

static void bits_of_atom(struct lookup_bits *out, const struct lookup *l,
			 const struct lookup_atom *atom)
{
	const struct lookup_shape *shape = &l->shapes[atom->shape];

	*out = (struct lookup_bits){.shape = atom->shape, .port = atom->port};
	leading_bits(out->destination, l->snapshot->prefixes[atom->destination].addr,
		     shape->destination_bits);
	if (atom->source != SNAPSHOT_NONE)
		leading_bits(out->source, l->snapshot->prefixes[atom->source].addr,
			     shape->source_bits);
}

/* The atom that heads the chain of these bits, or the free slot where it belongs. */
static uint32_t *find_slot(const struct lookup *l, const struct lookup_bits *bits)
{
	for (size_t at = hash_bits(bits);; at++) {
		uint32_t *slot = &l->slots[at & l->slot_mask];
		struct lookup_bits there;

		if (*slot == SNAPSHOT_NONE)
			return slot;
		if (l->atoms[*slot].shape != bits->shape)
			continue;
		bits_of_atom(&there, l, &l->atoms[*slot]);
		if (memcmp(&there, bits, sizeof(there)) == 0)
			return slot;
	}
}

/* Return: index of the shape, or SNAPSHOT_NONE without memory. */
static uint32_t intern_shape(struct lookup *l, const struct policy_atom *atom)
{
	const struct snapshot *s = l->snapshot;
	const struct snapshot_permit *p = &s->permits[atom->permit];
	const struct lookup_shape wanted = {
		.key = make_key(p->from, p->to, atom->family, atom->protocol),
		.port_bits = atom->port_bits,
		.destination_bits = s->prefixes[atom->destination].bits,
		.source_bits = policy_source_bits(s, atom),
		.id = (uint32_t)l->shape_count,
		.first_permit = atom->permit,
	};

	for (size_t i = 0; i < l->shape_count; i++) {
		struct lookup_shape *have = &l->shapes[i];

		if (have->key != wanted.key || have->port_bits != wanted.port_bits ||
		    have->destination_bits != wanted.destination_bits ||
		    have->source_bits != wanted.source_bits)
			continue;
		if (atom->permit < have->first_permit)
			have->first_permit = atom->permit;
		return (uint32_t)i;
	}
	if (l->shape_count == l->shape_capacity) {
		size_t capacity = l->shape_capacity == 0 ? 32 : 2 * l->shape_capacity;
		struct lookup_shape *shapes = reallocarray(l->shapes, capacity, sizeof(*shapes));

		if (shapes == NULL)
			return SNAPSHOT_NONE;
		l->shapes = shapes;
		l->shape_capacity = capacity;
	}
	l->shapes[l->shape_count] = wanted;
	return (uint32_t)l->shape_count++;
}

/* Atoms come from the last permit to the first, so that chains made by prepending ascend. */
static int add_atom(void *ctx, const struct policy_atom *atom)
{
	struct lookup *l = ctx;
	uint32_t shape = intern_shape(l, atom);

	if (shape == SNAPSHOT_NONE)
		return -ERR_NO_MEMORY;
	if (l->atom_count == POLICY_ATOMS_MAX)
		return -ERR_TOO_LONG;
	if (l->atom_count == l->atom_capacity) {
		size_t capacity = l->atom_capacity == 0 ? 64 : 2 * l->atom_capacity;
		struct lookup_atom *atoms = reallocarray(l->atoms, capacity, sizeof(*atoms));

		if (atoms == NULL)
			return -ERR_NO_MEMORY;
		l->atoms = atoms;
		l->atom_capacity = capacity;
	}
	l->atoms[l->atom_count++] = (struct lookup_atom){
		.shape = shape,
		.permit = atom->permit,
		.destination = atom->destination,
		.source = atom->source,
		.next = SNAPSHOT_NONE,
		.port = atom->port,
		.service = atom->service,
	};
	return 0;
}

static int compare_shapes(const void *left, const void *right)
{
	const struct lookup_shape *a = left, *b = right;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return a->first_permit < b->first_permit ? -1 : a->first_permit > b->first_permit;
}

/* Sort the shapes and let the atoms follow. */
static int sort_shapes(struct lookup *l)
{
	uint32_t *moved = calloc(l->shape_count + 1, sizeof(*moved));

	if (moved == NULL)
		return -ERR_NO_MEMORY;
	if (l->shape_count > 0)
		qsort(l->shapes, l->shape_count, sizeof(*l->shapes), compare_shapes);
	for (size_t i = 0; i < l->shape_count; i++)
		moved[l->shapes[i].id] = (uint32_t)i;
	for (size_t i = 0; i < l->atom_count; i++)
		l->atoms[i].shape = moved[l->atoms[i].shape];
	free(moved);
	return 0;
}

static int fill_slots(struct lookup *l)
{
	size_t count = 16;

	while (count < 2 * l->atom_count)
		count *= 2;
	l->slots = malloc(count * sizeof(*l->slots));
	if (l->slots == NULL)
		return -ERR_NO_MEMORY;
	memset(l->slots, 0xff, count * sizeof(*l->slots)); /* all SNAPSHOT_NONE */
	l->slot_mask = count - 1;
	for (size_t i = 0; i < l->atom_count; i++) {
		struct lookup_bits bits;

		bits_of_atom(&bits, l, &l->atoms[i]);
		uint32_t *slot = find_slot(l, &bits);

		l->atoms[i].next = *slot;
		*slot = (uint32_t)i;
	}
	return 0;
}

int lookup_init(struct lookup *out, const struct snapshot *s)
{
	*out = (struct lookup){.snapshot = s};
	int err = policy_atoms(s, add_atom, out);

	if (err == 0)
		err = sort_shapes(out);
	if (err == 0)
		err = fill_slots(out);
	if (err != 0)
		lookup_fini(out);
	return err;
}

void lookup_fini(struct lookup *lookup)
{
	free(lookup->shapes);
	free(lookup->atoms);
	free(lookup->slots);
	*lookup = (struct lookup){0};
}

/* The first shape of a key, by halving. */
static size_t first_shape(const struct lookup *l, uint32_t key)
{
	size_t low = 0, high = l->shape_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->shapes[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint32_t port_of(const struct ip_headers *h)
{
	if (h->flags & IP_HAS_PORTS)
		return h->destination_port;
	return h->flags & IP_HAS_ICMP ? h->icmp_type : 0;
}

static struct lookup_match probe(const struct lookup *l, uint32_t shape_index,
				 const struct ip_headers *h,
				 int (*accepts)(void *ctx, const struct snapshot_permit *permit),
				 void *ctx)
{
	const struct lookup_shape *shape = &l->shapes[shape_index];
	uint32_t port_mask = 0xffff0000U >> shape->port_bits;
	struct lookup_bits bits = {.shape = shape_index, .port = port_of(h) & port_mask & 0xffffU};

	leading_bits(bits.destination, h->destination, shape->destination_bits);
	leading_bits(bits.source, h->source, shape->source_bits);
	for (uint32_t i = *find_slot(l, &bits); i != SNAPSHOT_NONE; i = l->atoms[i].next) {
		const struct lookup_atom *atom = &l->atoms[i];

		if (accepts(ctx, &l->snapshot->permits[atom->permit]))
			return (struct lookup_match){atom->permit, atom->service};
	}
	return (struct lookup_match){SNAPSHOT_NONE, SNAPSHOT_NONE};
}

struct lookup_match lookup_find(const struct lookup *lookup, uint32_t from, uint32_t to,
				const struct ip_headers *h,
				int (*accepts)(void *ctx, const struct snapshot_permit *permit),
				void *ctx)
{
	struct lookup_match best = {SNAPSHOT_NONE, SNAPSHOT_NONE};
	uint32_t key = make_key(from, to, h->family, h->protocol);

	for (size_t i = first_shape(lookup, key); i < lookup->shape_count; i++) {
		const struct lookup_shape *shape = &lookup->shapes[i];

		/* No later shape has a permit before the one already found. */
		if (shape->key != key || shape->first_permit > best.permit)
			break;
		struct lookup_match found = probe(lookup, (uint32_t)i, h, accepts, ctx);

		if (found.permit < best.permit)
			best = found;
	}
	return best;
}
