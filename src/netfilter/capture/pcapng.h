/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of pcapng captures are made of: blocks of 32-bit words in host order, packets as raw IP.
 * draft-ietf-opsawg-pcapng 4. */
#ifndef SEKISHO_NETFILTER_CAPTURE_PCAPNG_H
#define SEKISHO_NETFILTER_CAPTURE_PCAPNG_H

#include <stdint.h>

enum {
	PCAPNG_SECTION = 0x0a0d0d0a,
	PCAPNG_INTERFACE = 1,
	PCAPNG_PACKET = 6,
	PCAPNG_BYTE_ORDER = 0x1a2b3c4d,
	PCAPNG_RAW_IP = 101
};

/* A packet's block: type, length; then these words, the packet, padded, its options; length. */
#define PCAPNG_PACKET_WORDS 5 /* interface, time in us (high, low), bytes captured, bytes */

/* The one option of a packet, and the end of the options. */
struct pcapng_flags {
	uint16_t code, bytes;
	uint32_t direction;
	uint32_t end;
};

enum { PCAPNG_FLAGS = 2, PCAPNG_INBOUND = 1, PCAPNG_OUTBOUND = 2 };

#endif
