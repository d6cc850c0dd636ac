/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The headers of a packet that a flow's next one might be. Pure. */
#include <netinet/in.h>
#include <string.h>

#include "netfilter/ahead.h"

enum { IPV4_BYTES = 20, IPV6_BYTES = 40, TCP_BYTES = 20, UDP_BYTES = 8, OTHER_BYTES = 8 };
enum { TCP_ACK = 0x10, HOP_LIMIT = 64 };

static void put_be16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

/* RFC 9293, 768, 792, 4443. Returns its length. */
static uint16_t put_transport(uint8_t *at, const struct flow *flow)
{
	switch (flow->protocol) {
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		at[0] = (uint8_t)flow->destination_port; /* the type; the code is 0 */
		return OTHER_BYTES;
	case IPPROTO_TCP:
		put_be16(at, flow->source_port);
		put_be16(at + 2, flow->destination_port);
		at[12] = TCP_BYTES / 4 << 4;
		at[13] = TCP_ACK;
		return TCP_BYTES;
	case IPPROTO_UDP:
		put_be16(at, flow->source_port);
		put_be16(at + 2, flow->destination_port);
		put_be16(at + 4, UDP_BYTES);
		return UDP_BYTES;
	default:
		put_be16(at, flow->source_port);
		put_be16(at + 2, flow->destination_port);
		return OTHER_BYTES;
	}
}

void ahead_item(struct packet_item *item, const struct flow *flow, uint32_t id)
{
	bool v4 = flow->family == 4;
	uint16_t header = v4 ? IPV4_BYTES : IPV6_BYTES;
	uint8_t *at = item->data;

	*item = (struct packet_item){
		.id = id, .origin = PACKET_IS_ESTABLISHED, .before = flow->mark};
	uint16_t transport = put_transport(at + header, flow);

	if (v4) {
		at[0] = 0x45;
		put_be16(at + 2, (uint16_t)(header + transport));
		at[8] = HOP_LIMIT;
		at[9] = flow->protocol;
		memcpy(at + 12, flow->source, 4);
		memcpy(at + 16, flow->destination, 4);
	} else {
		at[0] = 0x60;
		put_be16(at + 4, transport);
		at[6] = flow->protocol;
		at[7] = HOP_LIMIT;
		memcpy(at + 8, flow->source, 16);
		memcpy(at + 24, flow->destination, 16);
	}
	item->captured_bytes = (uint16_t)(header + transport);
	item->wire_bytes = item->captured_bytes;
}
