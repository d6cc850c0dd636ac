/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows, from the connection tracking of a zone's namespace. */
#include "netfilter/flows/flows.h"

#include <netinet/in.h> /* before the kernel headers, which then leave its part out */

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <string.h>

#include "base/err.h"
#include "channel/packet.h"
#include "netfilter/nft/netlink.h"

#define REQUEST_BYTES 256
#define MARK_BYTES    160 /* of one message that sets a mark, at most */

/* Of flows_list. */
struct walk {
	void (*each)(void *ctx, const struct flow *flow);
	void *ctx;
};

static void begin_request(struct netlink_buffer *b, uint8_t *storage, uint16_t message,
			  uint16_t flags, uint16_t generation)
{
	netlink_init_fixed(b, storage, REQUEST_BYTES);
	netlink_begin(b, (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | message), flags, NFPROTO_UNSPEC,
		      0);
	if (generation != 0) {
		netlink_put_be32(b, CTA_MARK, (uint32_t)generation << 16);
		netlink_put_be32(b, CTA_MARK_MASK, PACKET_MARK_GENERATION);
	}
	netlink_end(b);
}

static void copy_address(uint8_t out[16], struct span value)
{
	if (value.size == 4 || value.size == 16)
		memcpy(out, value.data, value.size);
}

static void read_tuple(struct flow *flow, struct span tuple)
{
	struct span ip = netlink_find(tuple, CTA_TUPLE_IP);
	struct span proto = netlink_find(tuple, CTA_TUPLE_PROTO);
	struct span number = netlink_find(proto, CTA_PROTO_NUM);
	struct span icmp = netlink_find(proto, CTA_PROTO_ICMP_TYPE);
	bool v4 = flow->family == 4;

	if (icmp.size == 0)
		icmp = netlink_find(proto, CTA_PROTO_ICMPV6_TYPE);
	copy_address(flow->source, netlink_find(ip, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC));
	copy_address(flow->destination, netlink_find(ip, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST));
	flow->protocol = number.size == 1 ? number.data[0] : 0;
	flow->source_port = netlink_find_be16(proto, CTA_PROTO_SRC_PORT);
	flow->destination_port = netlink_find_be16(proto, CTA_PROTO_DST_PORT);
	if (icmp.size == 1)
		flow->destination_port = icmp.data[0];
	if (tuple.size > 0 && tuple.size <= sizeof(flow->tuple)) {
		memcpy(flow->tuple, tuple.data, tuple.size);
		flow->tuple_bytes = (uint8_t)tuple.size;
	}
}

static void add_counters(struct flow *flow, struct span counters)
{
	flow->packets += netlink_find_be64(counters, CTA_COUNTERS_PACKETS);
	flow->bytes += netlink_find_be64(counters, CTA_COUNTERS_BYTES);
}

/* Nanoseconds since 1970, where the kernel keeps them; of a flow that has not ended there is no
 * end. */
static uint64_t duration_of(struct span stamps)
{
	uint64_t begin = netlink_find_be64(stamps, CTA_TIMESTAMP_START);
	uint64_t end = netlink_find_be64(stamps, CTA_TIMESTAMP_STOP);

	return begin > 0 && end > begin ? (end - begin) / 1000000 : 0;
}

static bool has_ended(struct span info)
{
	struct span state =
		netlink_find(netlink_find(info, CTA_PROTOINFO_TCP), CTA_PROTOINFO_TCP_STATE);

	return state.size == 1 &&
	       (state.data[0] == TCP_CONNTRACK_TIME_WAIT || state.data[0] == TCP_CONNTRACK_CLOSE);
}

bool flow_read(struct flow *flow, const struct netlink_message *m)
{
	*flow = (struct flow){.family = m->family == NFPROTO_IPV4 ? 4 : 6};
	if (m->family != NFPROTO_IPV4 && m->family != NFPROTO_IPV6)
		return false;
	read_tuple(flow, netlink_find(m->attributes, CTA_TUPLE_ORIG));
	flow->mark = netlink_find_be32(m->attributes, CTA_MARK);
	flow->timeout_s = netlink_find_be32(m->attributes, CTA_TIMEOUT);
	flow->offloaded = netlink_find_be32(m->attributes, CTA_STATUS) & IPS_OFFLOAD;
	flow->ended = has_ended(netlink_find(m->attributes, CTA_PROTOINFO));
	flow->duration_ms = duration_of(netlink_find(m->attributes, CTA_TIMESTAMP));
	add_counters(flow, netlink_find(m->attributes, CTA_COUNTERS_REPLY));
	flow->bytes_back = flow->bytes;
	add_counters(flow, netlink_find(m->attributes, CTA_COUNTERS_ORIG));
	return true;
}

bool flow_of_message(struct flow *flow, const struct netlink_message *m)
{
	return m->type == (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW) && flow_read(flow, m);
}

static void take_flow(void *ctx, const struct netlink_message *m)
{
	const struct walk *walk = ctx;
	struct flow flow;

	if (flow_of_message(&flow, m))
		walk->each(walk->ctx, &flow);
}

int flows_list(int netlink_fd, uint16_t generation,
	       void (*each)(void *ctx, const struct flow *flow), void *ctx)
{
	struct walk walk = {each, ctx};
	uint8_t storage[REQUEST_BYTES];
	struct netlink_buffer b;

	begin_request(&b, storage, IPCTNL_MSG_CT_GET, NLM_F_DUMP, generation);
	return netlink_transact(netlink_fd, &b, take_flow, &walk);
}

int flows_begin(int fd)
{
	uint8_t storage[REQUEST_BYTES];
	struct netlink_buffer b;

	begin_request(&b, storage, IPCTNL_MSG_CT_GET, NLM_F_DUMP, 0);
	return netlink_post(fd, &b);
}

/* Change what the kernel holds of one flow: its mark, or, with @remove, that it holds it. */
static void put_change(struct netlink_buffer *b, const struct flow *flow, bool remove)
{
	uint16_t message = remove ? IPCTNL_MSG_CT_DELETE : IPCTNL_MSG_CT_NEW;

	if (flow->tuple_bytes == 0)
		return;
	netlink_begin(b, (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | message), 0,
		      flow->family == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6, 0);
	netlink_put(b, CTA_TUPLE_ORIG | NLA_F_NESTED, flow->tuple, flow->tuple_bytes);
	if (!remove)
		netlink_put_be32(b, CTA_MARK, flow->mark);
	netlink_end(b);
}

static int post_changes(int fd, const struct netlink_buffer *b)
{
	return b->failed ? -ERR_SYSTEM : b->size == 0 ? 0 : netlink_post(fd, b);
}

int flows_mark(int fd, const struct flow *flows, size_t count)
{
	uint8_t storage[PACKET_BATCH_MAX * MARK_BYTES];
	struct netlink_buffer b;

	netlink_init_fixed(&b, storage, sizeof(storage));
	for (size_t i = 0; i < count; i++)
		put_change(&b, &flows[i], false);
	return post_changes(fd, &b);
}

int flows_end(int fd, struct flow *flows, size_t count)
{
	uint8_t storage[PACKET_BATCH_MAX * MARK_BYTES];
	struct netlink_buffer b;

	netlink_init_fixed(&b, storage, sizeof(storage));
	for (size_t i = 0; i < count; i++) {
		flows[i].mark = (flows[i].mark & PACKET_MARK_GENERATION) | PACKET_MARK_DENY;
		put_change(&b, &flows[i], flows[i].protocol != IPPROTO_TCP);
	}
	return post_changes(fd, &b);
}

int flows_forget(int netlink_fd, uint16_t generation)
{
	uint8_t storage[REQUEST_BYTES];
	struct netlink_buffer b;

	begin_request(&b, storage, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, generation);
	return netlink_transact(netlink_fd, &b, NULL, NULL);
}
