/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packet header reader: no access outside the captured bytes, and what is accepted, with every
 * field, is what the second reading below makes of it. That is written from RFC 791, 8200, 9293,
 * 768 and 792 by offsets, without the product's reader of bytes.
 *
 * prove_option, prove_extension: one IPv4 option, one IPv6 extension header, at any place of any
 * list, in whatever state: together with the loops around them (which only go on while there is
 * more, and advance each time) this is every list of every length. prove_ipv4, prove_ipv6: the
 * whole, with lists as long as CAPTURED_MAX and LIST_BYTES_MAX allow. The length of the packet on
 * the wire is any.
 */
#include "prove.h"

#include "base/buf.c"
#include "wire/packet/ip.h"

/* The limits are the same code at any value; small ones are reached within small packets. */
#undef IP_EXTENSIONS_MAX
#undef IP_EXTENSION_BYTES_MAX
#define IP_EXTENSIONS_MAX      2
#define IP_EXTENSION_BYTES_MAX 8

#include "wire/packet/ip.c"

#define CAPTURED_MAX   72 /* an IPv6 header, two headers of 8 bytes, most of the least TCP header */
#define LIST_BYTES_MAX 4  /* of IPv4 options */
#define AREA_BYTES     48 /* the bytes around one option or extension header */

/* C library functions that the model checker knows only by name. */
void *memchr(const void *s, int c, size_t n)
{
	const uint8_t *p = s;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == (uint8_t)c)
			return (void *)(uintptr_t)(p + i);
	}
	return NULL;
}

struct second {
	const uint8_t *p;
	size_t have; /* bytes at hand that belong to the packet */
	size_t header_bytes;
	uint8_t protocol, flags;
};

static unsigned be16_at(const uint8_t *p, size_t at)
{
	return (unsigned)p[at] * 256 + p[at + 1];
}

static bool second_options(struct second *s)
{
	size_t at = 20;

	while (at < s->header_bytes && s->p[at] != 0) {
		if (s->p[at] == 1) {
			at += 1;
			continue;
		}
		if (at + 1 >= s->header_bytes || s->p[at + 1] < 2 ||
		    at + s->p[at + 1] > s->header_bytes)
			return false;
		s->flags |= IP_HAS_OPTIONS;
		/* copied flag, class 0, numbers 3 and 9 */
		if ((s->p[at] & 0x7f) == 3 || (s->p[at] & 0x7f) == 9)
			s->flags |= (s->p[at] & 0x80) ? IP_HAS_SOURCE_ROUTE : 0;
		at += s->p[at + 1];
	}
	return true;
}

static bool second_ipv4(struct second *s, size_t captured, size_t wire)
{
	const uint8_t *p = s->p;
	size_t total;

	if (captured < 20)
		return false;
	total = be16_at(p, 2);
	s->header_bytes = (size_t)(p[0] % 16) * 4;
	if (s->header_bytes < 20 || s->header_bytes > total || total > wire)
		return false;
	s->have = total < captured ? total : captured;
	if (s->header_bytes > s->have)
		return false;
	s->protocol = p[9];
	if (be16_at(p, 6) % 0x2000 != 0)
		s->flags |= IP_LATER_FRAGMENT | IP_IS_FRAGMENT;
	if (p[6] & 0x20)
		s->flags |= IP_IS_FRAGMENT;
	return second_options(s);
}

static bool second_chain(struct second *s)
{
	size_t at = 40;

	for (unsigned n = 0;; n++) {
		uint8_t type = s->protocol;
		size_t size;

		if (type != 0 && type != 43 && type != 44 && type != 60 && type != 135 &&
		    type != 139 && type != 140)
			break;
		if (n == IP_EXTENSIONS_MAX || at - 40 > IP_EXTENSION_BYTES_MAX)
			return false;
		if (at + 2 > s->have)
			return false;
		size = type == 44 ? 8 : 8 + 8 * (size_t)s->p[at + 1];
		if (at + size > s->have)
			return false;
		s->flags |= IP_HAS_EXTENSIONS | (type == 43 ? IP_HAS_SOURCE_ROUTE : 0) |
			    (type == 44 ? IP_IS_FRAGMENT : 0);
		s->protocol = s->p[at];
		if (type == 44 && be16_at(s->p, at + 2) >= 8) {
			s->flags |= IP_LATER_FRAGMENT;
			at += size;
			break;
		}
		at += size;
	}
	s->header_bytes = at;
	return true;
}

static bool second_ipv6(struct second *s, size_t captured, size_t wire)
{
	if (captured < 40 || (size_t)be16_at(s->p, 4) + 40 > wire)
		return false;
	s->have = (size_t)be16_at(s->p, 4) + 40;
	if (s->have > captured)
		s->have = captured;
	s->protocol = s->p[6];
	return second_chain(s);
}

/* Where the transport's payload begins, or 0 where its header is not whole or contradicts itself.
 */
static size_t second_transport(const struct second *s)
{
	const uint8_t *t = s->p + s->header_bytes;
	size_t left = s->have - s->header_bytes, size = 0;

	switch (s->protocol) {
	case 6:
		if (left < 20 || t[12] / 16 < 5 || (size_t)(t[12] / 16) * 4 > left)
			return 0;
		size = (size_t)(t[12] / 16) * 4;
		break;
	case 17:
		if (left < 8 || (t[4] == 0 && t[5] > 0 && t[5] < 8))
			return 0;
		size = 8;
		break;
	case 33:
	case 132:
	case 136:
	case 1:
	case 58:
		if (left < 4)
			return 0;
		size = 4;
		break;
	default:
		break;
	}
	return s->header_bytes + size;
}

static void same_transport(const struct ip_headers *h, const struct second *s)
{
	const uint8_t *t = s->p + s->header_bytes;
	bool first = !(s->flags & IP_LATER_FRAGMENT);
	bool ports = first && (s->protocol == 6 || s->protocol == 17 || s->protocol == 33 ||
			       s->protocol == 132 || s->protocol == 136);
	bool icmp = first && (s->protocol == 1 || s->protocol == 58);

	assert(h->flags == (s->flags | (ports ? IP_HAS_PORTS : 0) | (icmp ? IP_HAS_ICMP : 0)));
	assert(h->source_port == (ports ? be16_at(t, 0) : 0));
	assert(h->destination_port == (ports ? be16_at(t, 2) : 0));
	assert(h->tcp_flags == (first && s->protocol == 6 ? t[13] % 64 : 0));
	assert(h->icmp_type == (icmp ? t[0] : 0) && h->icmp_code == (icmp ? t[1] : 0));
}

static void same_addresses(const struct ip_headers *h, const uint8_t *p)
{
	size_t size = h->family == 4 ? 4 : 16, at = h->family == 4 ? 12 : 8;
	size_t i = nondet_size();

	suppose(i < 16);
	assert(h->source[i] == (i < size ? p[at + i] : 0));
	assert(h->destination[i] == (i < size ? p[at + size + i] : 0));
	assert(h->hop_limit == p[h->family == 4 ? 8 : 7]);
}

static void prove_family(uint8_t family)
{
	uint8_t packet[CAPTURED_MAX];
	size_t captured = nondet_size(), wire = nondet_size(), payload_at = 0;
	struct second s = {.p = packet};
	struct ip_headers h;
	bool good;
	int err;

	__CPROVER_havoc_object(packet);
	suppose(captured <= CAPTURED_MAX && captured <= wire);
	suppose(captured == 0 || packet[0] / 16 == family);
	suppose(family != 4 || packet[0] % 16 * 4 <= 20 + LIST_BYTES_MAX);
	err = ip_read(&h, packet, captured, wire);

	good = captured > 0 && (family == 4   ? second_ipv4(&s, captured, wire)
				: family == 6 ? second_ipv6(&s, captured, wire)
					      : false);
	if (good)
		payload_at = s.flags & IP_LATER_FRAGMENT ? s.header_bytes : second_transport(&s);
	assert((err == 0) == (payload_at > 0));
	assert(err != -ERR_TRUNCATED || captured < wire);
	assert(err == 0 || err == -ERR_SYNTAX || err == -ERR_TRUNCATED || err == -ERR_TOO_LONG);
	if (err != 0)
		return;
	REACHED(1);
	assert(h.family == family && h.protocol == s.protocol && h.payload_at == payload_at);
	assert(h.payload_at <= captured);
	same_addresses(&h, packet);
	same_transport(&h, &s);
}

void prove_ipv4(void)
{
	prove_family(4);
}

void prove_ipv6(void)
{
	prove_family(6);
}

/* One option at any place of an area of any size. */
void prove_option(void)
{
	uint8_t area[AREA_BYTES];
	size_t size = nondet_size(), at = nondet_size(), length;
	struct reader r;
	struct ip_headers h;
	uint8_t before;
	int err;

	__CPROVER_havoc_object(area);
	__CPROVER_havoc_object(&h);
	before = h.flags;
	suppose(size <= AREA_BYTES && at < size);
	r = (struct reader){.data = area, .size = size, .at = at};
	err = read_ipv4_option(&h, &r);
	if (area[at] <= 1) { /* end of list, no operation: these have no length */
		assert(err == 0 && !r.failed && h.flags == before);
		assert(r.at == (area[at] == 0 ? size : at + 1));
		return;
	}
	length = at + 1 < size ? area[at + 1] : 0;
	assert((err == 0) == (length >= 2 && at + length <= size));
	if (err != 0)
		return;
	REACHED(1);
	assert(r.at == at + length && !r.failed);
	/* copied flag, class 0, number 3 (loose) or 9 (strict) */
	assert(h.flags ==
	       (before | IP_HAS_OPTIONS |
		(area[at] == 0x80 + 3 || area[at] == 0x80 + 9 ? IP_HAS_SOURCE_ROUTE : 0)));
}

/* One extension header at any place of a packet, the area being what is left of the capture. */
void prove_extension(void)
{
	uint8_t area[AREA_BYTES];
	size_t size = nondet_size(), at = nondet_size(), length;
	struct reading in;
	struct ip_headers h;
	uint8_t before, type = nondet_u8(), flags;
	int err;

	__CPROVER_havoc_object(area);
	__CPROVER_havoc_object(&h);
	h.protocol = type;
	before = h.flags;
	suppose(size <= AREA_BYTES && at <= size);
	in = (struct reading){.r = {.data = area, .size = size, .at = at},
			      .packet_bytes = nondet_size()};
	err = read_extension(&h, &in);
	length = type == IP_PROTOCOL_FRAGMENT ? 8
		 : at + 1 < size              ? 8 + 8 * (size_t)area[at + 1]
					      : SIZE_MAX;
	assert((err == 0) == (length <= size - at));
	assert(err == 0 || err == (size < in.packet_bytes ? -ERR_TRUNCATED : -ERR_SYNTAX));
	if (err != 0)
		return;
	REACHED(1);
	flags = before | IP_HAS_EXTENSIONS;
	if (type == 43)
		flags |= IP_HAS_SOURCE_ROUTE;
	if (type == 44)
		flags |= IP_IS_FRAGMENT | (be16_at(area, at + 2) >= 8 ? IP_LATER_FRAGMENT : 0);
	assert(h.flags == flags && h.protocol == area[at] && in.r.at == at + length);
}

/* Any other version, and no byte at all, is refused; so is a capture longer than the packet. */
void prove_other_versions(void)
{
	uint8_t packet[64];
	size_t captured = nondet_size(), wire = nondet_size();
	struct ip_headers h;

	__CPROVER_havoc_object(packet);
	suppose(captured > sizeof(packet) ||
		(captured == 0 || (packet[0] / 16 != 4 && packet[0] / 16 != 6)));
	suppose(captured <= sizeof(packet) || captured > wire || captured > UINT16_MAX);
	REACHED(1);
	assert(ip_read(&h, packet, captured, wire) < 0);
}

/* Turning a reply round twice gives it back, and swaps the ends. */
void prove_swap(void)
{
	struct ip_headers h, before;
	size_t i = nondet_size();

	__CPROVER_havoc_object(&h);
	before = h;
	suppose(i < sizeof(h.source));
	ip_swap_direction(&h);
	assert(h.source[i] == before.destination[i] && h.destination[i] == before.source[i]);
	assert(h.source_port == before.destination_port);
	assert(h.destination_port == before.source_port);
	ip_swap_direction(&h);
	assert(memcmp(&h, &before, sizeof(h)) == 0);
	REACHED(1);
}
