/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One zone's packet queue: binding it, receiving packets as opaque bytes, sending verdicts. Keeps
 * account of every packet that is out for judgement, so that a verdict counts once, for a packet
 * that was asked about, and in time.
 */
#ifndef SEKISHO_NETFILTER_QUEUE_H
#define SEKISHO_NETFILTER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "channel/packet.h"
#include "netfilter/ruleset/ruleset.h"

#define QUEUE_LENGTH        4096 /* packets that the kernel keeps: a commit must not lose one */
#define QUEUE_WHOLE_LENGTH  512  /* the same of packets that are wanted whole */
#define QUEUE_RECEIVE_MAX   PACKET_BATCH_MAX
#define QUEUE_RECEIVE_BYTES 1024 /* of one datagram: attributes and PACKET_COPY_BYTES */
#define QUEUE_OUT_SLOTS     4096 /* for packets that are out, by their id */
#define QUEUE_SOCKET_BYTES  (4 << 20)

/* With enum packet_origin: its flow had a mark, it does not begin with this packet. */
#define QUEUE_OUT_KNOWN 0x80

/* A packet that is out for judgement. */
struct queue_out {
	uint32_t id;
	uint8_t used;
	uint8_t origin; /* enum packet_origin, QUEUE_OUT_KNOWN */
	uint8_t pad[2];
	uint64_t since_ms;
};

struct queue {
	int fd;
	uint16_t number;
	uint32_t out_count;
	struct queue_out out[QUEUE_OUT_SLOTS];
};

/* What becomes of a packet: the kernel's numbers. */
enum queue_verdict {
	QUEUE_DROP = 0,
	QUEUE_ACCEPT = 1,
	QUEUE_REPEAT = 4,
	QUEUE_WHOLE = 3, /* on into the other queue of its share */
};

struct queue_decision {
	uint32_t id;
	uint32_t mark; /* 0: leave as it is */
	enum queue_verdict verdict;
};

/**
 * queue_bind - take over the queue of the socket's namespace; packets that wait for a process
 * before us are dropped
 * @fd: NETLINK_NETFILTER socket; borrowed as long as @q is used
 * @copy_bytes: of each packet, from the IP header on
 * @length: packets that the kernel keeps for us
 * Return: 0, or -ERR_SYSTEM with errno.
 */
int queue_bind(struct queue *q, int fd, uint16_t number, uint32_t copy_bytes, uint32_t length);

/**
 * queue_receive - take waiting packets
 * @items: room for QUEUE_RECEIVE_MAX; what does not look like a packet message is left out
 * Return: how many; 0: none waits; -ERR_SYSTEM.
 */
int queue_receive(struct queue *q, struct packet_item *items);

/* Remember a packet that goes out for judgement. False: another one in its slot is still out. */
bool queue_out_add(struct queue *q, const struct packet_item *item, uint64_t now_ms);
/* Whether the packet was out; it is no more. @origin may be NULL. */
bool queue_out_take(struct queue *q, uint32_t id, uint8_t *origin);
/* The origin of a packet that is out; 0: it is not. */
uint8_t queue_out_origin(struct queue *q, uint32_t id);
/* Whether the kernel has more packets for us right now. */
bool queue_waits(const struct queue *q);
/**
 * queue_out_expire - take packets that are out since before @before_ms; UINT64_MAX: all
 * @ids:    room for QUEUE_RECEIVE_MAX
 * @cursor: where the search goes on; 0 at first
 * Return: how many; 0: no more.
 */
size_t queue_out_expire(struct queue *q, uint64_t before_ms, uint32_t *ids, uint32_t *cursor);

struct netlink_buffer;

/* The pure half of queue_decide: verdict messages, one for each decision, in network byte order
 * where the kernel wants it. */
void queue_encode(struct netlink_buffer *b, uint16_t number, const struct queue_decision *decisions,
		  size_t count);

/**
 * queue_read - the pure half of queue_receive: one datagram of the kernel into an item
 * Return: whether it holds a packet with an id. The payload is copied, never looked at.
 */
bool queue_read(struct packet_item *item, const void *datagram, size_t bytes);

/**
 * queue_receive_whole - take one waiting packet with as much of it as was copied
 * @storage: room for a datagram; @payload becomes a view into it
 * Return: 1; 0: none waits, or it is not understood; -ERR_SYSTEM.
 */
int queue_receive_whole(struct queue *q, struct packet_item *item, struct span *payload,
			uint8_t *storage, size_t storage_bytes);

/**
 * queue_decide - send decisions to the kernel, all in one message
 * @count: 1..QUEUE_RECEIVE_MAX
 * Return: 0 or -ERR_SYSTEM: the packets stay in the queue until it is bound again, and pass never.
 */
int queue_decide(struct queue *q, const struct queue_decision *decisions, size_t count);

#endif
