/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection to the scanner: both directions at once, one deadline, no doubt left at the end.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mail-scanner/scan.h"

/* One connection while it lasts. */
struct exchange {
	struct scan *scan;
	const struct scan_protocol *protocol;
	const struct clock *clock;
	int fd;
	uint64_t until_ms;
	struct bytes out;
	size_t out_at;
	bool write_ended; /* everything was written, or nothing can be any more */
};

void scan_decide(struct scan *s, enum scan_status status, const char *reason)
{
	if (s->decided)
		return;
	s->decided = true;
	/* A scanner that knows before it has read all has not scanned all. */
	if ((status == SCAN_CLEAN || s->tests) && status != SCAN_FAILED && !s->all_sent) {
		status = SCAN_FAILED;
		reason = "the scanner answered before it had the whole message";
	}
	if (status == SCAN_INFECTED && s->probe && !s->tests) {
		status = SCAN_FAILED;
		reason = "the scanner refuses a harmless message";
	}
	s->result.status = status;
	if (reason != NULL)
		(void)snprintf(s->result.reason, sizeof(s->result.reason), "%s", reason);
}

void scan_copy_text(char *out, size_t capacity, struct span text)
{
	size_t size = text.size < capacity - 1 ? text.size : capacity - 1;

	for (size_t i = 0; i < size; i++)
		out[i] = text.data[i] >= 0x20 && text.data[i] < 0x7F ? (char)text.data[i] : '?';
	out[size] = '\0';
}

/* Have something to write, where there is something left to say. */
static void refill(struct exchange *e)
{
	struct scan *s = e->scan;

	if (e->write_ended || e->out_at < e->out.size)
		return;
	bytes_clear(&e->out);
	e->out_at = 0;
	if (!e->protocol->fill(s, &e->out)) {
		e->write_ended = true;
		s->all_sent = true;
	} else if (e->out.failed) {
		scan_decide(s, SCAN_FAILED, "out of memory");
	}
}

static void write_some(struct exchange *e)
{
	ssize_t n = write(e->fd, e->out.data + e->out_at, e->out.size - e->out_at);

	if (n > 0)
		e->out_at += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		e->write_ended = true; /* it may have said why before it closed */
	refill(e);                     /* notes the end before the answer to it can be read */
}

static void read_some(struct exchange *e)
{
	uint8_t room[SCAN_READ_BYTES];
	ssize_t n = read(e->fd, room, sizeof(room));

	if (n > 0)
		e->protocol->take(e->scan, (struct span){room, (size_t)n});
	else if (n == 0)
		scan_decide(e->scan, SCAN_FAILED, "the scanner closed the connection");
	else if (errno != EAGAIN && errno != EINTR)
		scan_decide(e->scan, SCAN_FAILED,
			    errno == ECONNREFUSED ? "the scanner refuses the connection"
						  : "the connection to the scanner was lost");
}

static void wait_and_serve(struct exchange *e)
{
	uint64_t now_ms = clock_mono_ms(e->clock);
	struct pollfd poll_fd = {.fd = e->fd, .events = POLLIN};
	uint64_t left_ms = e->until_ms > now_ms ? e->until_ms - now_ms : 0;
	struct timespec wait = {.tv_sec = (time_t)(left_ms / 1000),
				.tv_nsec = (long)(left_ms % 1000) * 1000000L};
	int count;

	if (!e->write_ended)
		poll_fd.events |= POLLOUT;
	count = left_ms > 0 ? ppoll(&poll_fd, 1, &wait, NULL) : 0;
	if (count == 0)
		scan_decide(e->scan, SCAN_FAILED, "the scanner did not answer in time");
	else if (count < 0 && errno != EINTR)
		scan_decide(e->scan, SCAN_FAILED, "the connection to the scanner was lost");
	else if (count > 0 && (poll_fd.revents & (POLLIN | POLLHUP | POLLERR)))
		read_some(e);
	else if (count > 0 && (poll_fd.revents & POLLOUT))
		write_some(e);
}

void scan_exchange(struct scan *s, const struct scan_protocol *protocol, int fd,
		   const struct clock *clock)
{
	struct exchange e = {.scan = s,
			     .protocol = protocol,
			     .clock = clock,
			     .fd = fd,
			     .until_ms = clock_mono_ms(clock) + s->scanner->timeout_ms};

	if (s->message.size > s->scanner->size_limit_bytes)
		scan_decide(s, SCAN_FAILED, "the message is larger than the scanner's limit");
	bytes_init(&e.out, SCAN_OUT_BYTES);
	while (!s->decided) {
		refill(&e);
		if (!s->decided)
			wait_and_serve(&e);
	}
	bytes_fini(&e.out);
}
