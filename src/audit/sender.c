/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 5424 over UDP, with what UDP can tell about a server that is away. */
#include "audit/sender.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

#define PLACE_DIGITS   20
#define BURST_PAUSE_MS 10U
#define FULL_PAUSE_MS  20U

static void tell(struct sender *s, enum event_id id, enum event_key key, uint64_t number)
{
	const struct event_arg args[] = {
		EV_TEXT(SERVER, s->name),
		{key, EVENT_KIND_NUMBER, number, NULL, 0},
	};

	s->report.event(s->report.ctx, id, args, sizeof(args) / sizeof(args[0]));
}

/* ---- the place in the log survives a restart */

static void place_name(const struct sender *s, char name[SENDER_NAME_BYTES + 8])
{
	(void)snprintf(name, SENDER_NAME_BYTES + 8, "sent-%s", s->name);
}

static uint64_t load_place(const struct sender *s)
{
	char name[SENDER_NAME_BYTES + 8], digits[PLACE_DIGITS + 1] = {0};
	ssize_t got;
	int fd;

	place_name(s, name);
	fd = openat(s->store->directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return 1; /* a new server gets all that there is */
	got = read(fd, digits, PLACE_DIGITS);
	(void)close(fd); /* read only */
	return got == PLACE_DIGITS ? strtoull(digits, NULL, 10) : 1;
}

/* Losing this only sends records twice, which their numbers show. */
static void save_place(const struct sender *s, uint64_t sequence)
{
	char name[SENDER_NAME_BYTES + 8], digits[PLACE_DIGITS + 2];
	int fd;

	place_name(s, name);
	fd = openat(s->store->directory, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return;
	(void)snprintf(digits, sizeof(digits), "%020llu\n", (unsigned long long)sequence);
	(void)!pwrite(fd, digits, PLACE_DIGITS + 1, 0); /* see above */
	(void)close(fd);
}

static uint64_t place_in_doubt(const struct sender *s)
{
	return s->trail[SENDER_TRAIL_S - 1];
}

static void on_second(struct loop *loop, struct loop_timer *timer)
{
	struct sender *s = timer->ctx;

	memmove(&s->trail[1], &s->trail[0], sizeof(s->trail) - sizeof(s->trail[0]));
	s->trail[0] = s->cursor.sequence;
	if (++s->seconds % SENDER_SAVE_S == 0)
		save_place(s, place_in_doubt(s));
	loop_arm(loop, timer, 1000);
}

/* ---- sending */

static void seek(struct sender *s, uint64_t sequence)
{
	uint64_t gone = store_cursor_seek(s->store, &s->cursor, sequence);

	if (gone > 0)
		tell(s, EVENT_SYSLOG_FORCED_OUT, FIELD_COUNT, gone);
}

/* The server (or the way to it) refuses: go back to the record that it was, wait, then try. */
static void pause_from(struct sender *s, uint64_t sequence, int error)
{
	if (sequence < s->cursor.sequence)
		seek(s, sequence);
	for (size_t i = 0; i < SENDER_TRAIL_S; i++) {
		if (s->trail[i] > s->cursor.sequence)
			s->trail[i] = s->cursor.sequence;
	}
	if (!s->away) {
		s->retry_ms = SENDER_RETRY_MS;
		tell(s, EVENT_SYSLOG_AWAY, FIELD_ERROR, (uint64_t)error);
		s->away = true;
	} else if (s->state == SENDER_TRYING) {
		s->retry_ms = s->retry_ms * 2 < SENDER_RETRY_MOST_MS ? s->retry_ms * 2
								     : SENDER_RETRY_MOST_MS;
	}
	s->state = SENDER_PAUSED;
	loop_arm(s->loop, &s->timer, s->retry_ms);
}

/* Return: 0 sent, -ERR_AGAIN later, -ERR_CLOSED the server refuses (errno says how). */
static int send_line(const struct sender *s, struct span line)
{
	if (send(s->watch.fd, line.data, line.size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM)
		return -ERR_AGAIN;
	return -ERR_CLOSED;
}

/* Send up to @most records. Return: how many, or the error that ended it (-ERR_AGAIN: nothing more
 * to send). */
static int send_some(struct sender *s, unsigned most)
{
	uint8_t buffer[STORE_LINE_MAX + 1];
	struct span line;
	unsigned sent = 0;

	/* Only what a power cut cannot take back: its number must never go to another record. */
	while (sent < most && s->cursor.sequence < s->store->durable) {
		int err = store_cursor_peek(s->store, &s->cursor, buffer, &line);

		if (err == -ERR_NOT_FOUND) {
			seek(s, s->cursor.sequence);
			err = store_cursor_peek(s->store, &s->cursor, buffer, &line);
		}
		if (err < 0)
			return sent > 0 ? (int)sent : err;
		err = send_line(s, line);
		if (err == -ERR_CLOSED)
			pause_from(s, place_in_doubt(s), errno);
		else if (err == -ERR_AGAIN)
			loop_arm(s->loop, &s->timer, FULL_PAUSE_MS);
		if (err < 0)
			return err;
		store_cursor_take(&s->cursor, line);
		sent++;
	}
	return sent > 0 ? (int)sent : -ERR_AGAIN;
}

static void flow(struct sender *s)
{
	int sent = send_some(s, SENDER_BURST);

	if (sent == SENDER_BURST)
		loop_arm(s->loop, &s->timer, BURST_PAUSE_MS);
}

static void try_one(struct sender *s)
{
	int sent = send_some(s, 1);

	if (sent == 1) {
		s->state = SENDER_TRYING;
		loop_arm(s->loop, &s->timer, SENDER_QUIET_MS);
	} else if (sent == -ERR_AGAIN && !loop_armed(&s->timer)) {
		loop_arm(s->loop, &s->timer, s->retry_ms);
	}
}

static void on_timer(struct loop *loop, struct loop_timer *timer)
{
	struct sender *s = timer->ctx;

	switch (s->state) {
	case SENDER_CLOSED:
		return;
	case SENDER_FLOWING:
		flow(s);
		return;
	case SENDER_PAUSED:
		try_one(s);
		return;
	case SENDER_TRYING:
		s->state = SENDER_FLOWING;
		if (s->away)
			tell(s, EVENT_SYSLOG_BACK, FIELD_SEQUENCE, s->cursor.sequence);
		s->away = false;
		flow(s);
		return;
	}
}

/* ---- what comes back */

/* The number of the record in a datagram that was refused; 0 where the quotation is too short to
 * tell. */
static uint64_t quoted_sequence(const char *quoted)
{
	const char *at = strstr(quoted, "[" LOG_CHAIN_ELEMENT " seq=\"");
	char *end;
	uint64_t number;

	if (at == NULL)
		return 0;
	number = strtoull(at + sizeof("[" LOG_CHAIN_ELEMENT " seq=\"") - 1, &end, 10);
	return *end == '"' ? number : 0;
}

static int queued_error(struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		struct sock_extended_err e;

		if ((c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR) &&
		    (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_RECVERR))
			continue;
		if (c->cmsg_len < CMSG_LEN(sizeof(e)))
			continue;
		memcpy(&e, CMSG_DATA(c), sizeof(e));
		return (int)e.ee_errno;
	}
	return 0;
}

/* Take one queued error. Return: 1 with the record it is about, 0 none waits. */
static int take_error(struct sender *s, uint64_t *sequence, int *error)
{
	char quoted[1024];
	union {
		char bytes[256];
		struct cmsghdr align;
	} control;
	struct iovec iov = {quoted, sizeof(quoted) - 1};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	ssize_t got = recvmsg(s->watch.fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (got < 0)
		return 0;
	quoted[got] = '\0';
	*error = queued_error(&message);
	*sequence = quoted_sequence(quoted);
	if (*sequence == 0)
		*sequence = place_in_doubt(s);
	return 1;
}

/* A server does not talk back; what comes is read and forgotten, a few at a time, so that others
 * are served too. */
static void drain_replies(const struct sender *s)
{
	char ignored[64];

	for (unsigned i = 0; i < SENDER_BURST; i++) {
		if (recv(s->watch.fd, ignored, sizeof(ignored), MSG_DONTWAIT) < 0)
			return;
	}
}

static void on_socket(struct loop *loop, struct loop_fd *self, short revents)
{
	struct sender *s = self->ctx;
	uint64_t earliest = UINT64_MAX, sequence;
	int error = 0, one;

	while (take_error(s, &sequence, &one)) {
		if (one == EMSGSIZE || one == 0)
			continue; /* a smaller path: the kernel fragments from now on */
		error = one;
		earliest = sequence < earliest ? sequence : earliest;
	}
	drain_replies(s);
	if (error == 0)
		return;
	if (s->state == SENDER_FLOWING && place_in_doubt(s) < earliest)
		earliest = place_in_doubt(s);
	pause_from(s, earliest, error);
}

/*
 * Datagrams wait in the socket while the kernel asks for the neighbour; the error that follows
 * comes over the loopback device, which a zone need not have. A neighbour that went silent was sent
 * to for some seconds before it was asked for again: those records are sent once more, too.
 */
static void on_look(struct loop *loop, struct loop_timer *timer)
{
	struct sender *s = timer->ctx;
	int waiting_bytes = 0;

	loop_arm(loop, timer, SENDER_LOOK_MS);
	if (ioctl(s->watch.fd, TIOCOUTQ, &waiting_bytes) < 0 || waiting_bytes == 0) {
		s->stuck_looks = 0;
		return;
	}
	if (++s->stuck_looks < SENDER_STUCK_LOOKS || s->state == SENDER_PAUSED)
		return;
	s->stuck_looks = 0;
	pause_from(s, place_in_doubt(s), EHOSTUNREACH);
}

/* Errors with the datagram that they are about; of no use on a socket that is not IP (tests): then
 * without. */
static void ask_for_errors(int fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
}

int sender_open(struct sender *s, struct loop *loop, const struct store *store,
		struct sender_report report, const char *name, int fd, bool known)
{
	int err;

	memset(s, 0, sizeof(*s));
	s->loop = loop;
	s->store = store;
	s->report = report;
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	s->watch = (struct loop_fd){.fd = fd, .events = POLLIN, .ready = on_socket, .ctx = s};
	s->timer = (struct loop_timer){.fire = on_timer, .ctx = s};
	s->second_timer = (struct loop_timer){.fire = on_second, .ctx = s};
	s->look_timer = (struct loop_timer){.fire = on_look, .ctx = s};
	s->retry_ms = SENDER_RETRY_MS;
	store_cursor_init(&s->cursor);
	ask_for_errors(fd);
	err = loop_add(loop, &s->watch);
	if (err < 0) {
		(void)close(fd); /* nothing was sent */
		return err;
	}
	s->state = known ? SENDER_FLOWING : SENDER_PAUSED;
	seek(s, load_place(s));
	for (size_t i = 0; i < SENDER_TRAIL_S; i++)
		s->trail[i] = s->cursor.sequence;
	loop_arm(loop, &s->second_timer, 1000);
	loop_arm(loop, &s->look_timer, SENDER_LOOK_MS);
	loop_arm(loop, &s->timer, known ? 1 : SENDER_RETRY_MS);
	return 0;
}

void sender_close(struct sender *s)
{
	if (s->state == SENDER_CLOSED)
		return;
	save_place(s, s->state == SENDER_FLOWING ? s->cursor.sequence : place_in_doubt(s));
	loop_remove(s->loop, &s->watch);
	loop_disarm(s->loop, &s->timer);
	loop_disarm(s->loop, &s->second_timer);
	loop_disarm(s->loop, &s->look_timer);
	(void)close(s->watch.fd); /* datagrams are gone or not, nothing is kept in it */
	store_cursor_fini(&s->cursor);
	s->state = SENDER_CLOSED;
}

void sender_kick(struct sender *s)
{
	if (s->state == SENDER_FLOWING && !loop_armed(&s->timer))
		loop_arm(s->loop, &s->timer, 1);
}
