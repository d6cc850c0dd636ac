/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A socket, plain or under TLS. */
#include "tls/stream.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/err.h"

void stream_init(struct stream *s, int fd)
{
	*s = (struct stream){.fd = fd};
}

void stream_fini(struct stream *s)
{
	tls_free(s->tls);
	tls_free(s->next);
	*s = (struct stream){.fd = -1};
}

int stream_prepare_tls(struct stream *s, const struct tls_settings *settings, enum tls_fault *fault)
{
	return tls_new(&s->next, settings, s->fd, fault);
}

static ssize_t noted(struct stream *s, ssize_t result, short usual)
{
	if (result >= 0) {
		s->waits = 0;
		return result;
	}
	if (result != -ERR_AGAIN)
		return -ERR_CLOSED;
	s->waits = tls_events(s->tls) == usual ? 0 : tls_events(s->tls);
	return -ERR_AGAIN;
}

int stream_handshake(struct stream *s)
{
	int err = 0;

	if (s->next != NULL) {
		s->tls = s->next;
		s->next = NULL;
		s->shaking = true;
	}
	err = tls_handshake(s->tls);
	s->waits = err == -ERR_AGAIN ? tls_events(s->tls) : 0;
	if (err == 0)
		s->shaking = false;
	return err;
}

ssize_t stream_read(struct stream *s, void *data, size_t size)
{
	ssize_t n = 0;

	if (s->tls != NULL)
		return noted(s, tls_read(s->tls, data, size), POLLIN);
	n = recv(s->fd, data, size, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? -ERR_AGAIN : -ERR_CLOSED;
	return n;
}

bool stream_is_plain(const struct stream *s)
{
	return s->tls == NULL;
}

ssize_t stream_read_parts(struct stream *s, struct iovec *parts, size_t count)
{
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
	ssize_t n = 0;

	assert(stream_is_plain(s));
	n = recvmsg(s->fd, &message, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? -ERR_AGAIN : -ERR_CLOSED;
	return n;
}

ssize_t stream_write(struct stream *s, const void *data, size_t size)
{
	ssize_t n = 0;

	if (s->tls != NULL)
		return noted(s, tls_write(s->tls, data, size), POLLOUT);
	n = send(s->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? -ERR_AGAIN : -ERR_CLOSED;
	s->sent_bytes += (uint64_t)n;
	return n;
}

uint64_t stream_sent_bytes(const struct stream *s)
{
	return s->sent_bytes + (s->tls != NULL ? tls_sent_bytes(s->tls) : 0);
}

size_t stream_pending(const struct stream *s)
{
	return s->tls != NULL && !s->shaking ? tls_pending(s->tls) : 0;
}

short stream_events(const struct stream *s, bool reading, bool writing)
{
	short events = (short)((reading ? POLLIN : 0) | (writing ? POLLOUT : 0));

	if (s->shaking)
		return tls_events(s->tls);
	return (short)(events | ((reading || writing) ? s->waits : 0));
}

void stream_end(struct stream *s)
{
	if (s->tls != NULL && !s->shaking)
		tls_close(s->tls);
	(void)shutdown(s->fd, SHUT_WR); /* where it fails the peer has gone, which a read says */
}
