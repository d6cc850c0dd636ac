/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building and reading netlink messages of the netfilter family. */
#include "netfilter/nft/netlink.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"

#define ALIGN(bytes)   (((bytes) + 3U) & ~(size_t)3)
#define FIRST_CAPACITY 4096
#define RECEIVE_BYTES  65536
#define HEADER_BYTES   (sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg))

void netlink_init(struct netlink_buffer *b, size_t limit_bytes)
{
	*b = (struct netlink_buffer){.limit = limit_bytes, .sequence = 1};
}

void netlink_init_fixed(struct netlink_buffer *b, void *storage, size_t capacity_bytes)
{
	*b = (struct netlink_buffer){.data = storage, .capacity = capacity_bytes, .sequence = 1};
}

void netlink_fini(struct netlink_buffer *b)
{
	if (b->limit > 0)
		free(b->data);
	*b = (struct netlink_buffer){0};
}

void netlink_clear(struct netlink_buffer *b)
{
	b->size = 0;
	b->failed = false;
}

static bool grow(struct netlink_buffer *b, size_t needed)
{
	size_t capacity = b->capacity == 0 ? FIRST_CAPACITY : b->capacity;

	if (needed > b->limit)
		return false;
	while (capacity < needed)
		capacity *= 2;
	uint8_t *data = realloc(b->data, capacity);

	if (data == NULL)
		return false;
	b->data = data;
	b->capacity = capacity;
	return true;
}

/* Zeroed, aligned room at the end, or NULL. */
static void *reserve(struct netlink_buffer *b, size_t size_bytes)
{
	size_t needed;

	if (b->failed || !size_add(b->size, ALIGN(size_bytes), &needed) ||
	    (needed > b->capacity && !grow(b, needed))) {
		b->failed = true;
		return NULL;
	}
	void *at = b->data + b->size;

	memset(at, 0, ALIGN(size_bytes));
	b->size = needed;
	return at;
}

void netlink_begin(struct netlink_buffer *b, uint16_t type, uint16_t flags, uint8_t family,
		   uint16_t resource_id)
{
	const struct nlmsghdr header = {.nlmsg_type = type,
					.nlmsg_flags = NLM_F_REQUEST | flags,
					.nlmsg_seq = b->sequence++};
	const struct nfgenmsg generic = {
		.nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(resource_id)};

	b->message_at = b->size;
	uint8_t *at = reserve(b, HEADER_BYTES);

	if (at == NULL)
		return;
	memcpy(at, &header, sizeof(header));
	memcpy(at + sizeof(header), &generic, sizeof(generic));
}

void netlink_end(struct netlink_buffer *b)
{
	uint32_t length = (uint32_t)(b->size - b->message_at);

	if (!b->failed)
		memcpy(b->data + b->message_at, &length, sizeof(length));
}

void netlink_add_flags(struct netlink_buffer *b, uint16_t flags)
{
	struct nlmsghdr header;

	if (b->failed)
		return;
	memcpy(&header, b->data + b->message_at, sizeof(header));
	header.nlmsg_flags |= flags;
	memcpy(b->data + b->message_at, &header, sizeof(header));
}

void netlink_put(struct netlink_buffer *b, uint16_t type, const void *data, size_t size_bytes)
{
	const struct nlattr attribute = {.nla_len = (uint16_t)(sizeof(attribute) + size_bytes),
					 .nla_type = type};

	if (size_bytes > UINT16_MAX - sizeof(attribute)) {
		b->failed = true;
		return;
	}
	uint8_t *at = reserve(b, sizeof(attribute) + size_bytes);

	if (at == NULL)
		return;
	memcpy(at, &attribute, sizeof(attribute));
	if (size_bytes > 0)
		memcpy(at + sizeof(attribute), data, size_bytes);
}

void netlink_put_u8(struct netlink_buffer *b, uint16_t type, uint8_t v)
{
	netlink_put(b, type, &v, sizeof(v));
}

void netlink_put_be16(struct netlink_buffer *b, uint16_t type, uint16_t v)
{
	v = htons(v);
	netlink_put(b, type, &v, sizeof(v));
}

void netlink_put_be32(struct netlink_buffer *b, uint16_t type, uint32_t v)
{
	v = htonl(v);
	netlink_put(b, type, &v, sizeof(v));
}

void netlink_put_be64(struct netlink_buffer *b, uint16_t type, uint64_t v)
{
	v = htobe64(v);
	netlink_put(b, type, &v, sizeof(v));
}

void netlink_put_text(struct netlink_buffer *b, uint16_t type, const char *text)
{
	netlink_put(b, type, text, strlen(text) + 1);
}

size_t netlink_nest(struct netlink_buffer *b, uint16_t type)
{
	size_t at = b->size;

	netlink_put(b, type | NLA_F_NESTED, NULL, 0);
	return at;
}

size_t netlink_nest_bytes(const struct netlink_buffer *b, size_t at)
{
	return b->failed ? 0 : b->size - at;
}

void netlink_nest_end(struct netlink_buffer *b, size_t at)
{
	size_t bytes = netlink_nest_bytes(b, at);
	uint16_t length = (uint16_t)bytes;

	if (bytes > UINT16_MAX)
		b->failed = true;
	if (!b->failed)
		memcpy(b->data + at, &length, sizeof(length));
}

static void drop_front(struct span *s, size_t bytes)
{
	bytes = bytes < s->size ? bytes : s->size;
	s->data += bytes;
	s->size -= bytes;
}

/* An error message carries an errno and the header of what it is about. */
static bool read_error(struct netlink_message *out, struct span body)
{
	int32_t code;

	if (body.size < sizeof(code))
		return false;
	memcpy(&code, body.data, sizeof(code));
	out->error = code > 0 ? -code : code;
	return true;
}

bool netlink_next(struct span *rest, struct netlink_message *out)
{
	struct nlmsghdr header;
	struct nfgenmsg generic;

	*out = (struct netlink_message){0};
	if (rest->size < sizeof(header))
		return false;
	memcpy(&header, rest->data, sizeof(header));
	if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > rest->size)
		return false;
	struct span body = {rest->data + sizeof(header), header.nlmsg_len - sizeof(header)};

	out->whole = (struct span){rest->data, header.nlmsg_len};
	out->type = header.nlmsg_type;
	out->flags = header.nlmsg_flags;
	out->sequence = header.nlmsg_seq;
	drop_front(rest, ALIGN(header.nlmsg_len));
	if (out->type == NLMSG_ERROR)
		return read_error(out, body);
	if (out->type == NLMSG_DONE)
		(void)read_error(out, body); /* the end of a dump says how it went, or nothing */
	if (out->type < NLMSG_MIN_TYPE)
		return true;
	if (body.size < sizeof(generic))
		return false;
	memcpy(&generic, body.data, sizeof(generic));
	out->family = generic.nfgen_family;
	out->resource_id = ntohs(generic.res_id);
	drop_front(&body, sizeof(generic));
	out->attributes = body;
	return true;
}

bool netlink_next_attribute(struct span *rest, struct netlink_attribute *out)
{
	struct nlattr attribute;

	if (rest->size < sizeof(attribute))
		return false;
	memcpy(&attribute, rest->data, sizeof(attribute));
	if (attribute.nla_len < sizeof(attribute) || attribute.nla_len > rest->size)
		return false;
	out->type = attribute.nla_type & NLA_TYPE_MASK;
	out->value = (struct span){rest->data + sizeof(attribute),
				   attribute.nla_len - sizeof(attribute)};
	drop_front(rest, ALIGN(attribute.nla_len));
	return true;
}

struct span netlink_find(struct span attributes, uint16_t type)
{
	struct netlink_attribute a;

	while (netlink_next_attribute(&attributes, &a)) {
		if (a.type == type)
			return a.value;
	}
	return (struct span){NULL, 0};
}

static uint64_t find_number(struct span attributes, uint16_t type, size_t size_bytes)
{
	struct span value = netlink_find(attributes, type);
	uint64_t number = 0;

	for (size_t i = 0; value.size == size_bytes && i < size_bytes; i++)
		number = number << 8 | value.data[i];
	return number;
}

uint16_t netlink_find_be16(struct span attributes, uint16_t type)
{
	return (uint16_t)find_number(attributes, type, 2);
}

uint32_t netlink_find_be32(struct span attributes, uint16_t type)
{
	return (uint32_t)find_number(attributes, type, 4);
}

uint64_t netlink_find_be64(struct span attributes, uint16_t type)
{
	return find_number(attributes, type, 8);
}

/* Messages that an earlier, abandoned exchange left behind must not be taken for answers to this
 * one. */
static void discard_waiting(int fd)
{
	uint8_t discarded;

	while (recv(fd, &discarded, sizeof(discarded), MSG_DONTWAIT) >= 0)
		; /* a datagram each: the rest of it goes too */
}

int netlink_post(int fd, const struct netlink_buffer *b)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t sent;

	do {
		sent = sendto(fd, b->data, b->size, 0, (const struct sockaddr *)&kernel,
			      sizeof(kernel));
	} while (sent < 0 && errno == EINTR);
	if (sent >= 0 && (size_t)sent != b->size)
		errno = EMSGSIZE;
	return sent >= 0 && (size_t)sent == b->size ? 0 : -ERR_SYSTEM;
}

/* What one received message means for the exchange: 1 go on, 0 done, negative failed. */
static int take_message(const struct netlink_message *m, uint32_t last_sequence,
			void (*each)(void *ctx, const struct netlink_message *message), void *ctx)
{
	if (m->type == NLMSG_ERROR) {
		if (m->error == 0)
			return m->sequence == last_sequence ? 0 : 1;
		errno = -m->error;
		return -ERR_SYSTEM;
	}
	if (m->type == NLMSG_DONE)
		return m->sequence == last_sequence ? 0 : 1;
	if (m->type >= NLMSG_MIN_TYPE && each != NULL)
		each(ctx, m);
	return 1;
}

int netlink_transact(int fd, const struct netlink_buffer *b,
		     void (*each)(void *ctx, const struct netlink_message *message), void *ctx)
{
	__attribute__((uninitialized)) uint8_t received[RECEIVE_BYTES];
	uint32_t last_sequence = b->sequence - 1;
	struct netlink_message m;

	if (b->failed || b->size == 0)
		return -ERR_TOO_LONG;
	discard_waiting(fd);
	if (netlink_post(fd, b) != 0)
		return -ERR_SYSTEM;
	for (;;) {
		/* The kernel has answered all of it inside the send, or answers dumps as they are
		 * read. */
		ssize_t got = recv(fd, received, sizeof(received), MSG_DONTWAIT);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -ERR_SYSTEM;
		struct span rest = {received, (size_t)got};

		while (netlink_next(&rest, &m)) {
			int state = take_message(&m, last_sequence, each, ctx);

			if (state <= 0)
				return state;
		}
	}
}
