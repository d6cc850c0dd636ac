/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the headers of one IPv4 or IPv6 packet; pure, never past the captured bytes. */
#include "wire/packet/ip.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

enum { IPV4_HEADER_BYTES = 20, IPV6_HEADER_BYTES = 40, TCP_HEADER_BYTES = 20 };
enum { IPV4_MORE_FRAGMENTS = 0x2000, IPV4_FRAGMENT_OFFSET = 0x1fff };
enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_LSRR = 131, OPTION_SSRR = 137 };

/* The captured bytes, and how long the packet says it is. */
struct reading {
	struct reader r;
	size_t packet_bytes;
};

/* A read past the end is the packet's fault where the packet ends there, else the capture's. */
static int short_read(const struct reading *in)
{
	return in->r.size < in->packet_bytes ? -ERR_TRUNCATED : -ERR_SYNTAX;
}

/* What lies behind the packet's own length is padding of the link. */
static void limit_to_packet(struct reading *in, size_t packet_bytes)
{
	in->packet_bytes = packet_bytes;
	if (in->r.size > packet_bytes)
		in->r.size = packet_bytes;
}

/* RFC 791 3.1: one option, a single byte or type, length and data. Behind the end of the list all
 * is padding. */
static int read_ipv4_option(struct ip_headers *out, struct reader *r)
{
	uint8_t type = reader_u8(r);

	if (type == OPTION_END) {
		reader_skip(r, reader_left(r));
		return 0;
	}
	if (type == OPTION_NOP)
		return 0;
	uint8_t length = reader_u8(r);

	if (r->failed || length < 2)
		return -ERR_SYNTAX;
	reader_skip(r, length - 2U);
	if (r->failed)
		return -ERR_SYNTAX;
	out->flags |= IP_HAS_OPTIONS;
	if (type == OPTION_LSRR || type == OPTION_SSRR)
		out->flags |= IP_HAS_SOURCE_ROUTE;
	return 0;
}

static int read_ipv4_options(struct ip_headers *out, struct span options)
{
	struct reader r;
	int err = 0;

	reader_init(&r, options.data, options.size);
	while (err == 0 && reader_left(&r) > 0)
		err = read_ipv4_option(out, &r);
	return err;
}

static int read_ipv4(struct ip_headers *out, struct reading *in)
{
	struct reader *r = &in->r;
	size_t header_bytes = (reader_u8(r) & 0x0fU) * 4U;

	reader_skip(r, 1);
	size_t total_bytes = reader_be16(r);

	reader_skip(r, 2);
	uint16_t fragment = reader_be16(r);

	out->hop_limit = reader_u8(r);
	out->protocol = reader_u8(r);
	reader_skip(r, 2);
	struct span source = reader_span(r, 4), destination = reader_span(r, 4);

	if (r->failed)
		return short_read(in);
	if (header_bytes < IPV4_HEADER_BYTES || total_bytes < header_bytes ||
	    total_bytes > in->packet_bytes)
		return -ERR_SYNTAX;
	limit_to_packet(in, total_bytes);
	memcpy(out->source, source.data, 4);
	memcpy(out->destination, destination.data, 4);
	if (fragment & (IPV4_MORE_FRAGMENTS | IPV4_FRAGMENT_OFFSET))
		out->flags |= IP_IS_FRAGMENT;
	if (fragment & IPV4_FRAGMENT_OFFSET)
		out->flags |= IP_LATER_FRAGMENT;
	struct span options = reader_span(r, header_bytes - IPV4_HEADER_BYTES);

	return r->failed ? short_read(in) : read_ipv4_options(out, options);
}

static bool is_extension(uint8_t protocol)
{
	static const uint8_t extensions[] = {
		IP_PROTOCOL_HOP_BY_HOP, IP_PROTOCOL_ROUTING,
		IP_PROTOCOL_FRAGMENT,   IP_PROTOCOL_DESTINATION_OPTIONS,
		IP_PROTOCOL_MOBILITY,   IP_PROTOCOL_HIP,
		IP_PROTOCOL_SHIM6,
	};

	return memchr(extensions, protocol, sizeof(extensions)) != NULL;
}

/* RFC 8200 4.5: the fragment header has no length; its offset and flag are in the third and fourth
 * bytes. */
static void read_fragment_header(struct ip_headers *out, struct reader *r)
{
	reader_skip(r, 1);
	if (reader_be16(r) & 0xfff8)
		out->flags |= IP_LATER_FRAGMENT;
	reader_skip(r, 4);
	out->flags |= IP_IS_FRAGMENT;
}

/* RFC 8200 4: one extension header, of the type that out->protocol says; then the next one's type.
 */
static int read_extension(struct ip_headers *out, struct reading *in)
{
	struct reader *r = &in->r;
	uint8_t type = out->protocol;

	out->flags |= IP_HAS_EXTENSIONS;
	if (type == IP_PROTOCOL_ROUTING)
		out->flags |= IP_HAS_SOURCE_ROUTE;
	out->protocol = reader_u8(r);
	if (type == IP_PROTOCOL_FRAGMENT)
		read_fragment_header(out, r);
	else
		reader_skip(r, reader_u8(r) * 8U + 6U);
	return r->failed ? short_read(in) : 0;
}

static int read_extensions(struct ip_headers *out, struct reading *in)
{
	size_t start = in->r.at;
	int err = 0;

	for (int count = 0; err == 0 && is_extension(out->protocol); count++) {
		if (out->flags & IP_LATER_FRAGMENT)
			return 0;
		if (count == IP_EXTENSIONS_MAX || in->r.at - start > IP_EXTENSION_BYTES_MAX)
			return -ERR_TOO_LONG;
		err = read_extension(out, in);
	}
	return err;
}

static int read_ipv6(struct ip_headers *out, struct reading *in)
{
	struct reader *r = &in->r;

	reader_skip(r, 4);
	size_t payload_bytes = reader_be16(r);

	out->protocol = reader_u8(r);
	out->hop_limit = reader_u8(r);
	struct span source = reader_span(r, 16), destination = reader_span(r, 16);

	if (r->failed)
		return short_read(in);
	if (payload_bytes > in->packet_bytes - IPV6_HEADER_BYTES)
		return -ERR_SYNTAX;
	memcpy(out->source, source.data, 16);
	memcpy(out->destination, destination.data, 16);
	limit_to_packet(in, IPV6_HEADER_BYTES + payload_bytes);
	return read_extensions(out, in);
}

static void read_ports(struct ip_headers *out, struct reader *r)
{
	out->source_port = reader_be16(r);
	out->destination_port = reader_be16(r);
	out->flags |= IP_HAS_PORTS;
}

static int read_tcp(struct ip_headers *out, struct reader *r)
{
	read_ports(out, r);
	out->tcp_sequence = reader_be32(r);
	out->tcp_acknowledgement = reader_be32(r);
	size_t header_bytes = (reader_u8(r) >> 4U) * 4U;

	out->tcp_flags = reader_u8(r) & 0x3fU;
	reader_skip(r, 6);
	if (!r->failed && header_bytes < TCP_HEADER_BYTES)
		return -ERR_SYNTAX;
	reader_skip(r, r->failed ? 0 : header_bytes - TCP_HEADER_BYTES);
	return 0;
}

static int read_udp(struct ip_headers *out, struct reader *r)
{
	read_ports(out, r);
	uint16_t length = reader_be16(r);

	reader_skip(r, 2);
	return !r->failed && length != 0 && length < 8 ? -ERR_SYNTAX : 0;
}

static void read_icmp(struct ip_headers *out, struct reader *r)
{
	out->icmp_type = reader_u8(r);
	out->icmp_code = reader_u8(r);
	reader_skip(r, 2);
	out->flags |= IP_HAS_ICMP;
}

static int read_transport(struct ip_headers *out, struct reading *in)
{
	int err = 0;

	switch (out->protocol) {
	case IP_PROTOCOL_TCP:
		err = read_tcp(out, &in->r);
		break;
	case IP_PROTOCOL_UDP:
		err = read_udp(out, &in->r);
		break;
	case IP_PROTOCOL_DCCP:
	case IP_PROTOCOL_SCTP:
	case IP_PROTOCOL_UDPLITE:
		read_ports(out, &in->r);
		break;
	case IP_PROTOCOL_ICMP:
	case IP_PROTOCOL_ICMPV6:
		read_icmp(out, &in->r);
		break;
	default:
		break;
	}
	return in->r.failed ? short_read(in) : err;
}

int ip_read(struct ip_headers *out, const void *packet, size_t captured_bytes, size_t wire_bytes)
{
	struct reading in = {.packet_bytes = wire_bytes};
	int err = -ERR_SYNTAX;

	memset(out, 0, sizeof(*out));
	if (captured_bytes > UINT16_MAX || captured_bytes > wire_bytes)
		return -ERR_SYNTAX;
	reader_init(&in.r, packet, captured_bytes);
	int first = reader_peek(&in.r);

	if (first < 0)
		return short_read(&in);
	out->family = (uint8_t)((unsigned)first >> 4U);
	if (out->family == 4)
		err = read_ipv4(out, &in);
	else if (out->family == 6)
		err = read_ipv6(out, &in);
	if (err == 0 && !(out->flags & IP_LATER_FRAGMENT))
		err = read_transport(out, &in);
	out->payload_at = (uint16_t)in.r.at;
	return err;
}

/* Types of questions and their answers (RFC 792; RFC 4443 4). */
static uint8_t opposite_type(uint8_t protocol, uint8_t type)
{
	static const struct {
		uint8_t protocol, question, answer;
	} pairs[] = {
		{IP_PROTOCOL_ICMP, 8, 0},
		{IP_PROTOCOL_ICMP, 13, 14},
		{IP_PROTOCOL_ICMPV6, 128, 129},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (pairs[i].protocol != protocol)
			continue;
		if (pairs[i].question == type)
			return pairs[i].answer;
		if (pairs[i].answer == type)
			return pairs[i].question;
	}
	return type;
}

void ip_swap_direction(struct ip_headers *h)
{
	uint8_t address[16];
	uint16_t port = h->source_port;

	memcpy(address, h->source, sizeof(address));
	memcpy(h->source, h->destination, sizeof(address));
	memcpy(h->destination, address, sizeof(address));
	h->source_port = h->destination_port;
	h->destination_port = port;
	if (h->flags & IP_HAS_ICMP)
		h->icmp_type = opposite_type(h->protocol, h->icmp_type);
}
