/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink's transport: one request at a time, whose answer is read to its end before any of it is
 * handed on. A socket lives as long as its zone, so whatever becomes of a request leaves nothing
 * there that the next one would take for its answer.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/err.h"
#include "supervisor/zones/rtnl_private.h"

#define DATAGRAM_BYTES   32768U
#define ANSWER_BYTES_MAX (16U << 20)
#define DUMP_TRIES       4 /* of a list that changes while the kernel writes it down */

/* What has come of an answer. */
struct answer {
	struct rtnl *rtnl;
	uint32_t sequence;
	struct bytes messages;
	bool ended;
};

int rtnl_open_protocol(struct rtnl *r, int protocol)
{
	int on = 1;

	*r = (struct rtnl){.socket = mnl_socket_open2(protocol, SOCK_CLOEXEC)};
	if (!r->socket)
		return -ERR_SYSTEM;
	/* Best effort: without it a refusal is only an error number. */
	(void)mnl_socket_setsockopt(r->socket, NETLINK_EXT_ACK, &on, sizeof(on));
	if (mnl_socket_bind(r->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		rtnl_close(r);
		return -ERR_SYSTEM;
	}
	return 0;
}

int rtnl_open(struct rtnl *r)
{
	return rtnl_open_protocol(r, NETLINK_ROUTE);
}

void rtnl_close(struct rtnl *r)
{
	if (r->socket)
		(void)mnl_socket_close(
			r->socket); /* nothing is pending: every request was answered */
	r->socket = NULL;
}

struct nlmsghdr *rtnl_request(struct rtnl *r, void *buffer, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	nlh->nlmsg_seq = ++r->sequence;
	return nlh;
}

static int keep_reason(const struct nlattr *attr, void *data)
{
	struct rtnl *r = data;

	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		(void)snprintf(r->reason, sizeof(r->reason), "%s", mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

/* The kernel's explanation, behind the error and (unless capped) a copy of the request. */
static void read_reason(struct rtnl *r, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);
	size_t offset = sizeof(*error);

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || mnl_nlmsg_get_payload_len(nlh) < offset)
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		offset += MNL_ALIGN(error->msg.nlmsg_len) - sizeof(struct nlmsghdr);
	if (offset < mnl_nlmsg_get_payload_len(nlh))
		(void)mnl_attr_parse(nlh, (unsigned)offset, keep_reason, r);
}

static int fail(int error)
{
	errno = error;
	return -ERR_SYSTEM;
}

/* The last message of an answer begins with 0 or a negative error number. */
static int read_status(const struct nlmsghdr *nlh)
{
	int status;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(status))
		return fail(EPROTO);
	memcpy(&status, mnl_nlmsg_get_payload(nlh), sizeof(status));
	return status < 0 ? fail(-status) : 0;
}

static int keep_message(struct bytes *messages, const struct nlmsghdr *nlh)
{
	static const uint8_t padding[MNL_ALIGNTO];
	size_t over = MNL_ALIGN(nlh->nlmsg_len) - nlh->nlmsg_len;

	if (bytes_append(messages, nlh, nlh->nlmsg_len) < 0 ||
	    bytes_append(messages, padding, over) < 0)
		return fail(ENOMEM);
	return 0;
}

static int take_message(struct answer *answer, const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_seq != answer->sequence)
		return 0; /* of a request that was given up */
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		return -ERR_AGAIN;
	switch (nlh->nlmsg_type) {
	case NLMSG_ERROR:
		read_reason(answer->rtnl, nlh);
		answer->ended = true;
		return read_status(nlh);
	case NLMSG_DONE:
		answer->ended = true;
		return read_status(nlh);
	case NLMSG_NOOP:
		return 0;
	case NLMSG_OVERRUN:
		return fail(ENOBUFS);
	default:
		return keep_message(&answer->messages, nlh);
	}
}

/* Return: as recv, with the bytes that the datagram has, also where they are more than @size. */
static ssize_t receive(const struct rtnl *r, void *buffer, size_t size, int flags)
{
	ssize_t bytes;

	do {
		bytes = recv(mnl_socket_get_fd(r->socket), buffer, size, flags | MSG_TRUNC);
	} while (bytes < 0 && errno == EINTR);
	return bytes;
}

static int read_answer(struct answer *answer)
{
	__attribute__((uninitialized)) _Alignas(struct nlmsghdr) char buffer[DATAGRAM_BYTES];

	while (!answer->ended) {
		ssize_t bytes = receive(answer->rtnl, buffer, sizeof(buffer), 0);
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)buffer;

		if (bytes < 0)
			return -ERR_SYSTEM;
		if ((size_t)bytes > sizeof(buffer))
			return fail(ENOSPC);
		for (int left = (int)bytes; !answer->ended && mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			int err = take_message(answer, nlh);

			if (err < 0)
				return err;
		}
	}
	return 0;
}

/*
 * Take the rest of an answer off the socket. The kernel writes an answer when it is asked, and the
 * next part of a list when one is read, so what is not there now does not come later.
 */
static void drain(const struct rtnl *r)
{
	int saved = errno;
	uint8_t byte;

	while (receive(r, &byte, sizeof(byte), MSG_DONTWAIT) >= 0 || errno == ENOBUFS)
		;
	errno = saved;
}

static int hand_on(const struct bytes *messages, mnl_cb_t each, void *ctx)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)messages->data;
	int left = (int)messages->size, state = MNL_CB_OK;

	for (; each != NULL && state > MNL_CB_STOP && mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left))
		state = each(nlh, ctx);
	return state < 0 ? -ERR_SYSTEM : 0;
}

/* Return: 0, -ERR_AGAIN where the list changed while it was read, or -ERR_SYSTEM with errno. */
static int talk_once(struct rtnl *r, const struct nlmsghdr *nlh, mnl_cb_t each, void *ctx)
{
	struct answer answer = {.rtnl = r, .sequence = nlh->nlmsg_seq};
	int err;

	r->reason[0] = '\0';
	if (mnl_socket_sendto(r->socket, nlh, nlh->nlmsg_len) < 0)
		return -ERR_SYSTEM;
	bytes_init(&answer.messages, ANSWER_BYTES_MAX);
	err = read_answer(&answer);
	if (err < 0)
		drain(r);
	else
		err = hand_on(&answer.messages, each, ctx);
	bytes_fini(&answer.messages);
	return err;
}

int rtnl_talk(struct rtnl *r, struct nlmsghdr *nlh, mnl_cb_t each, void *ctx)
{
	int err = talk_once(r, nlh, each, ctx);

	for (unsigned tries = 1; err == -ERR_AGAIN && tries < DUMP_TRIES; tries++) {
		nlh->nlmsg_seq = ++r->sequence;
		err = talk_once(r, nlh, each, ctx);
	}
	return err == -ERR_AGAIN ? fail(EINTR) : err;
}

int rtnl_command(struct rtnl *r, struct nlmsghdr *nlh)
{
	nlh->nlmsg_flags |= NLM_F_ACK;
	return rtnl_talk(r, nlh, NULL, NULL);
}
