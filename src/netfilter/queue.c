/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One zone's packet queue. */
#include "netfilter/queue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "netfilter/nft/netlink.h"

#define TYPE(message)  ((uint16_t)(NFNL_SUBSYS_QUEUE << 8 | (message)))
#define CONFIG_BYTES   512
#define DECISION_BYTES 64 /* of one verdict message, at most */

static int unbind(int fd, uint16_t number)
{
	const struct nfqnl_msg_config_cmd command = {.command = NFQNL_CFG_CMD_UNBIND};
	uint8_t storage[CONFIG_BYTES];
	struct netlink_buffer b;

	netlink_init_fixed(&b, storage, sizeof(storage));
	netlink_begin(&b, TYPE(NFQNL_MSG_CONFIG), NLM_F_ACK, 0, number);
	netlink_put(&b, NFQA_CFG_CMD, &command, sizeof(command));
	netlink_end(&b);
	return netlink_transact(fd, &b, NULL, NULL);
}

/* The kernel's copy begins with the IP header. GSO: large packets come whole; nothing ever passes
 * by itself. */
static int bind_and_set(int fd, uint16_t number, uint32_t copy_bytes, uint32_t length)
{
	const struct nfqnl_msg_config_cmd command = {.command = NFQNL_CFG_CMD_BIND};
	const struct nfqnl_msg_config_params copy = {.copy_range = htonl(copy_bytes),
						     .copy_mode = NFQNL_COPY_PACKET};
	uint8_t storage[CONFIG_BYTES];
	struct netlink_buffer b;

	netlink_init_fixed(&b, storage, sizeof(storage));
	netlink_begin(&b, TYPE(NFQNL_MSG_CONFIG), NLM_F_ACK, 0, number);
	netlink_put(&b, NFQA_CFG_CMD, &command, sizeof(command));
	netlink_put(&b, NFQA_CFG_PARAMS, &copy, sizeof(copy));
	netlink_put_be32(&b, NFQA_CFG_FLAGS, NFQA_CFG_F_GSO);
	netlink_put_be32(&b, NFQA_CFG_MASK, NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN);
	netlink_put_be32(&b, NFQA_CFG_QUEUE_MAXLEN, length);
	netlink_end(&b);
	return netlink_transact(fd, &b, NULL, NULL);
}

int queue_bind(struct queue *q, int fd, uint16_t number, uint32_t copy_bytes, uint32_t length)
{
	const int bytes = QUEUE_SOCKET_BYTES, on = 1;

	memset(q, 0, sizeof(*q));
	q->fd = fd;
	q->number = number;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on)) != 0)
		return -ERR_SYSTEM;
	/* A process before us may have bound it on this socket; its packets are dropped with the
	 * binding. */
	(void)unbind(fd, number);
	return bind_and_set(fd, number, copy_bytes, length);
}

/* What the rules wrote into the mark; see channel/packet.h. */
static void read_mark(struct packet_item *item, uint32_t mark)
{
	const uint32_t origin = PACKET_MARK_DENY | PACKET_MARK_LOCK;

	*item = (struct packet_item){
		.origin = (uint8_t)((mark & origin) >> PACKET_ORIGIN_SHIFT),
		.before = mark & ~origin,
	};
}

static bool read_packet(struct packet_item *item, struct span *out, const void *datagram,
			size_t bytes)
{
	struct span rest = {datagram, bytes};
	struct netlink_message m;

	if (!netlink_next(&rest, &m) || m.type != TYPE(NFQNL_MSG_PACKET))
		return false;
	struct span header = netlink_find(m.attributes, NFQA_PACKET_HDR);
	struct span payload = netlink_find(m.attributes, NFQA_PAYLOAD);
	struct span hardware = netlink_find(m.attributes, NFQA_HWADDR);
	uint32_t whole = netlink_find_be32(m.attributes, NFQA_CAP_LEN);

	if (header.size < sizeof(uint32_t))
		return false;
	read_mark(item, netlink_find_be32(m.attributes, NFQA_MARK));
	memcpy(&item->id, header.data, sizeof(item->id));
	item->id = ntohl(item->id);
	item->captured_bytes =
		(uint16_t)(payload.size < PACKET_COPY_BYTES ? payload.size : PACKET_COPY_BYTES);
	item->wire_bytes = whole > payload.size ? whole : (uint32_t)payload.size;
	if (payload.size > 0)
		memcpy(item->data, payload.data, item->captured_bytes);
	if (hardware.size >= sizeof(struct nfqnl_msg_packet_hw)) {
		struct nfqnl_msg_packet_hw hw;

		memcpy(&hw, hardware.data, sizeof(hw));
		item->mac_bytes = ntohs(hw.hw_addrlen) == 6 ? 6 : 0;
		memcpy(item->mac, hw.hw_addr, sizeof(item->mac));
	}
	*out = payload;
	return true;
}

bool queue_read(struct packet_item *item, const void *datagram, size_t bytes)
{
	struct span payload;

	return read_packet(item, &payload, datagram, bytes);
}

int queue_receive_whole(struct queue *q, struct packet_item *item, struct span *payload,
			uint8_t *storage, size_t storage_bytes)
{
	ssize_t got = recv(q->fd, storage, storage_bytes, MSG_DONTWAIT);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -ERR_SYSTEM;
	return read_packet(item, payload, storage, (size_t)got);
}

int queue_receive(struct queue *q, struct packet_item *items)
{
	__attribute__((uninitialized)) uint8_t storage[QUEUE_RECEIVE_MAX][QUEUE_RECEIVE_BYTES];
	struct iovec iov[QUEUE_RECEIVE_MAX];
	struct mmsghdr messages[QUEUE_RECEIVE_MAX] = {0};
	int count = 0;

	for (int i = 0; i < QUEUE_RECEIVE_MAX; i++) {
		iov[i] = (struct iovec){storage[i], QUEUE_RECEIVE_BYTES};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	int got = recvmmsg(q->fd, messages, QUEUE_RECEIVE_MAX, MSG_DONTWAIT, NULL);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -ERR_SYSTEM;
	for (int i = 0; i < got; i++)
		count += queue_read(&items[count], storage[i], messages[i].msg_len);
	return count;
}

static struct queue_out *slot_of(struct queue *q, uint32_t id)
{
	return &q->out[id % QUEUE_OUT_SLOTS];
}

bool queue_waits(const struct queue *q)
{
	uint8_t byte;

	return recv(q->fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) >= 0;
}

bool queue_out_add(struct queue *q, const struct packet_item *item, uint64_t now_ms)
{
	struct queue_out *slot = slot_of(q, item->id);

	if (slot->used)
		return false;
	*slot = (struct queue_out){
		.id = item->id, .used = 1, .origin = item->origin, .since_ms = now_ms};
	if (item->before != 0)
		slot->origin |= QUEUE_OUT_KNOWN;
	q->out_count++;
	return true;
}

bool queue_out_take(struct queue *q, uint32_t id, uint8_t *origin)
{
	struct queue_out *slot = slot_of(q, id);

	if (!slot->used || slot->id != id)
		return false;
	if (origin != NULL)
		*origin = slot->origin;
	slot->used = 0;
	q->out_count--;
	return true;
}

uint8_t queue_out_origin(struct queue *q, uint32_t id)
{
	const struct queue_out *slot = slot_of(q, id);

	return slot->used && slot->id == id ? slot->origin : 0;
}

size_t queue_out_expire(struct queue *q, uint64_t before_ms, uint32_t *ids, uint32_t *cursor)
{
	size_t count = 0;

	for (; *cursor < QUEUE_OUT_SLOTS && q->out_count > 0 && count < QUEUE_RECEIVE_MAX;
	     (*cursor)++) {
		struct queue_out *slot = &q->out[*cursor];

		if (!slot->used || slot->since_ms >= before_ms)
			continue;
		ids[count++] = slot->id;
		slot->used = 0;
		q->out_count--;
	}
	return count;
}

static void put_decision(struct netlink_buffer *b, uint16_t number, const struct queue_decision *d)
{
	const uint32_t whole = RULESET_QUEUE_WHOLE + number - RULESET_QUEUE;
	const uint32_t into = d->verdict == QUEUE_WHOLE ? whole << NF_VERDICT_QBITS : 0;
	const struct nfqnl_msg_verdict_hdr header = {.verdict = htonl(d->verdict | into),
						     .id = htonl(d->id)};

	netlink_begin(b, TYPE(NFQNL_MSG_VERDICT), 0, 0, number);
	netlink_put(b, NFQA_VERDICT_HDR, &header, sizeof(header));
	if (d->mark != 0)
		netlink_put_be32(b, NFQA_MARK, d->mark);
	netlink_end(b);
}

void queue_encode(struct netlink_buffer *b, uint16_t number, const struct queue_decision *decisions,
		  size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_decision(b, number, &decisions[i]);
}

int queue_decide(struct queue *q, const struct queue_decision *decisions, size_t count)
{
	uint8_t storage[QUEUE_RECEIVE_MAX * DECISION_BYTES];
	struct netlink_buffer b;

	netlink_init_fixed(&b, storage, sizeof(storage));
	queue_encode(&b, q->number, decisions, count);
	return b.failed ? -ERR_SYSTEM : netlink_post(q->fd, &b);
}
