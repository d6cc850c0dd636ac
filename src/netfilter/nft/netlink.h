/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink messages: a bounds-checked builder, and a reader of attributes that trusts no length. */
#ifndef SEKISHO_NETFILTER_NFT_NETLINK_H
#define SEKISHO_NETFILTER_NFT_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * One or more messages in memory. It grows on the heap up to @limit; with a limit of 0 the storage
 * is the caller's and never grows. What does not fit sets `failed`, and nothing of such a buffer
 * may be sent.
 */
struct netlink_buffer {
	uint8_t *data;
	size_t size, capacity, limit;
	size_t message_at; /* where the open message begins */
	uint32_t sequence; /* of the next message */
	bool failed;
};

/* A growing buffer; freed by netlink_fini. */
void netlink_init(struct netlink_buffer *b, size_t limit_bytes);
/* A buffer in the caller's storage, for paths without a heap. */
void netlink_init_fixed(struct netlink_buffer *b, void *storage, size_t capacity_bytes);
void netlink_fini(struct netlink_buffer *b);
/* Forget the messages, keep the storage. */
void netlink_clear(struct netlink_buffer *b);

/**
 * netlink_begin - open a message of the netfilter family
 * @type:        subsystem << 8 | message, or one of the batch types
 * @flags:       NLM_F_*, NLM_F_REQUEST is added
 * @family:      NFPROTO_*
 * @resource_id: host order: queue number, or the subsystem of a batch
 */
void netlink_begin(struct netlink_buffer *b, uint16_t type, uint16_t flags, uint8_t family,
		   uint16_t resource_id);
/* Close the message: its length is written. */
void netlink_end(struct netlink_buffer *b);
/* Set NLM_F_* flags of the message that was opened last. */
void netlink_add_flags(struct netlink_buffer *b, uint16_t flags);

void netlink_put(struct netlink_buffer *b, uint16_t type, const void *data, size_t size_bytes);
void netlink_put_u8(struct netlink_buffer *b, uint16_t type, uint8_t v);
void netlink_put_be16(struct netlink_buffer *b, uint16_t type, uint16_t v);
void netlink_put_be32(struct netlink_buffer *b, uint16_t type, uint32_t v);
void netlink_put_be64(struct netlink_buffer *b, uint16_t type, uint64_t v);
void netlink_put_text(struct netlink_buffer *b, uint16_t type, const char *text);

/* Open an attribute that holds others; returns its place, for netlink_nest_end. */
size_t netlink_nest(struct netlink_buffer *b, uint16_t type);
void netlink_nest_end(struct netlink_buffer *b, size_t at);
/* Bytes in the open nest: an attribute holds at most 65,535. */
size_t netlink_nest_bytes(const struct netlink_buffer *b, size_t at);

/* One received message: header fields and its payload behind struct nfgenmsg. */
struct netlink_message {
	uint16_t type, flags;
	uint32_t sequence;
	uint8_t family;
	uint16_t resource_id; /* host order */
	int error;            /* NLMSG_ERROR: the (negative) errno, 0: acknowledgement;
				 NLMSG_DONE: the same of the dump */
	struct span attributes;
	struct span whole; /* as it was received, headers too */
};

/**
 * netlink_next - take the next message off received bytes
 * @rest: advanced past it
 * Return: true with *@out filled; false at the end, or where a length does not fit what was
 * received.
 */
bool netlink_next(struct span *rest, struct netlink_message *out);

struct netlink_attribute {
	uint16_t type;
	struct span value;
};

/* The next attribute; false at the end or at a length that does not fit. */
bool netlink_next_attribute(struct span *rest, struct netlink_attribute *out);

/* The first attribute of a type; an empty span where there is none. */
struct span netlink_find(struct span attributes, uint16_t type);
/* Its value as a number; 0 where it is missing or of another size. */
uint16_t netlink_find_be16(struct span attributes, uint16_t type);
uint32_t netlink_find_be32(struct span attributes, uint16_t type);
uint64_t netlink_find_be64(struct span attributes, uint16_t type);

/**
 * netlink_transact - send what was built and wait for its outcome
 * @fd:   NETLINK_NETFILTER socket; the kernel answers before the send returns
 * @each: called for each message that is neither an error nor the end; may be NULL
 * The last message must ask for an acknowledgement (NLM_F_ACK) or be a dump.
 * Return: 0; -ERR_SYSTEM with errno set to what the kernel said; -ERR_TOO_LONG for a buffer that
 * failed.
 */
int netlink_transact(int fd, const struct netlink_buffer *b,
		     void (*each)(void *ctx, const struct netlink_message *message), void *ctx);

/* Send what was built; no answer is asked for. Return: 0 or -ERR_SYSTEM. */
int netlink_post(int fd, const struct netlink_buffer *b);

#endif
