/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Channel messages from a peer that obeys nothing. Input: a run of packets, each a length byte pair
 * (little-endian), a descriptor count and that many bytes. After each round the process must hold
 * exactly the descriptors it began with.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/err.h"
#include "channel/control.h"

#define PACKET_MAX 9000
#define FDS_MAX    40

static size_t handled;

static int on_message(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const uint8_t *body = message->body;
	volatile uint8_t sum = 0;

	for (size_t i = 0; i < message->body_bytes; i++)
		sum = (uint8_t)(sum + body[i]); /* touch what is promised to be there */
	for (size_t i = 0; i < message->fd_count; i++) {
		if (message->fds[i] < 0)
			abort();
	}
	ch->state = message->type % 3;
	handled++;
	return 0;
}

static const struct channel_rule rules[] = {
	{CONTROL_READY, 0, 0, 0, 0, 1U << 0, on_message, "ready"},
	{CONTROL_PONG, 0, 0, sizeof(struct control_ping), sizeof(struct control_ping),
	 CHANNEL_ANY_STATE, on_message, "pong"},
	{CONTROL_FLATTEN, 1, 1, sizeof(struct control_flatten), sizeof(struct control_flatten),
	 1U << 1, on_message, "flatten"},
	{CONTROL_GIVE, 0, CHANNEL_FDS_MAX, 0, CHANNEL_BODY_MAX, 1U << 2 | 1U << 0, on_message,
	 "give"},
};

static void send_packet(int fd, const uint8_t *data, size_t size, size_t fd_count)
{
	char control[CMSG_SPACE(sizeof(int) * FDS_MAX)] = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	int fds[FDS_MAX];

	for (size_t i = 0; i < FDS_MAX; i++)
		fds[i] = STDERR_FILENO;
	if (fd_count) {
		struct cmsghdr *cmsg;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * fd_count);
	}
	(void)sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int next_free_fd(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fds[2], before = next_free_fd();
	struct channel near;

	if (channel_pair(fds) < 0)
		return 0;
	channel_init(&near, fds[0], rules, sizeof(rules) / sizeof(rules[0]), NULL);
	while (size >= 3) {
		size_t packet_bytes = data[0] | (size_t)data[1] << 8,
		       fd_count = data[2] % (FDS_MAX + 1);
		const char *why = NULL;

		data += 3;
		size -= 3;
		packet_bytes = packet_bytes % (PACKET_MAX + 1);
		if (packet_bytes > size)
			packet_bytes = size;
		send_packet(fds[1], data, packet_bytes, fd_count);
		if (channel_serve(&near, 4, &why) == -ERR_PEER && !why)
			abort(); /* a refusal always says why */
		data += packet_bytes;
		size -= packet_bytes;
	}
	close(fds[1]);
	channel_fini(&near);
	if (next_free_fd() != before)
		abort(); /* a descriptor leaked */
	return 0;
}
