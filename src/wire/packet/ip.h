/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the headers of one IPv4 or IPv6 packet: what a packet policy needs to know, and nothing
 * behind it. */
#ifndef SEKISHO_WIRE_PACKET_IP_H
#define SEKISHO_WIRE_PACKET_IP_H

#include <stddef.h>
#include <stdint.h>

#define IP_EXTENSIONS_MAX      8   /* IPv6 extension headers in one packet */
#define IP_EXTENSION_BYTES_MAX 512 /* all of them together */

/* Protocol numbers (IANA) that the product treats by name; every other one goes by its number. */
enum ip_protocol {
	IP_PROTOCOL_HOP_BY_HOP = 0,
	IP_PROTOCOL_ICMP = 1,
	IP_PROTOCOL_TCP = 6,
	IP_PROTOCOL_UDP = 17,
	IP_PROTOCOL_DCCP = 33,
	IP_PROTOCOL_ROUTING = 43,
	IP_PROTOCOL_FRAGMENT = 44,
	IP_PROTOCOL_AUTHENTICATION = 51, /* not read on behind it */
	IP_PROTOCOL_ICMPV6 = 58,
	IP_PROTOCOL_DESTINATION_OPTIONS = 60,
	IP_PROTOCOL_SCTP = 132,
	IP_PROTOCOL_MOBILITY = 135,
	IP_PROTOCOL_UDPLITE = 136,
	IP_PROTOCOL_HIP = 139,
	IP_PROTOCOL_SHIM6 = 140,
};

/* What was met on the way to the transport header. */
enum ip_flags {
	IP_IS_FRAGMENT = 1,      /* any part of a fragmented packet, an IPv6 atomic fragment too */
	IP_LATER_FRAGMENT = 2,   /* not the first part: there is no transport header in it */
	IP_HAS_OPTIONS = 4,      /* IPv4 options other than padding */
	IP_HAS_SOURCE_ROUTE = 8, /* IPv4 LSRR or SSRR (RFC 791), IPv6 routing header of any type */
	IP_HAS_EXTENSIONS = 16,  /* IPv6 extension headers */
	IP_HAS_PORTS = 32,       /* source_port and destination_port are of the transport header */
	IP_HAS_ICMP = 64,        /* icmp_type and icmp_code are of the ICMP header */
};

struct ip_headers {
	uint8_t family;    /* 4 or 6 */
	uint8_t protocol;  /* of the last header read; see enum ip_protocol */
	uint8_t hop_limit; /* IPv4: time to live */
	uint8_t flags;     /* enum ip_flags */
	uint8_t tcp_flags; /* FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32; 0 for others */
	uint8_t icmp_type, icmp_code;
	uint8_t pad;
	uint16_t source_port, destination_port;
	uint16_t payload_at; /* where the transport payload begins, from the start of the packet */
	uint16_t pad2;
	uint32_t tcp_sequence, tcp_acknowledgement; /* 0 for others */
	/* In network order; IPv4 in the first four bytes, the rest zero. */
	uint8_t source[16], destination[16];
};

/**
 * ip_read - read the headers of one packet
 * @out:            filled; its content is unspecified after an error
 * @packet:         from the IP header on; may be cut after @captured_bytes
 * @captured_bytes: how much of the packet is at hand, 0..65535
 * @wire_bytes:     how long the packet really is, at least @captured_bytes
 * Return: 0; -ERR_TRUNCATED where the capture ends inside the headers though the packet does not;
 * -ERR_SYNTAX where the packet contradicts itself (version, lengths, options, transport header cut
 * off); -ERR_TOO_LONG past IP_EXTENSIONS_MAX or IP_EXTENSION_BYTES_MAX. No side effects. RFC 791,
 * 792, 768, 8200, 4443, 9293.
 */
int ip_read(struct ip_headers *out, const void *packet, size_t captured_bytes, size_t wire_bytes);

/**
 * ip_swap_direction - turn the headers of a reply into those of its flow's first direction
 * @h: addresses, ports and, for ICMP echo and timestamp, the type are exchanged
 */
void ip_swap_direction(struct ip_headers *h);

#endif
