/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a key takes from the viewer's write to the desktop's read. Both ends are here, a process
 * each, with one clock; what is measured lies between them.
 *
 * usage: key_delay DESKTOP-PORT IPV4 PORT SECONDS SECURITY [AUTHORITY-FILE]
 *	Listens on 127.0.0.1:DESKTOP-PORT as a desktop that shows one picture, connects to IPV4:PORT
 *	as a viewer (SECURITY as for viewer_connect), presses and releases a key in turns.
 * Prints one line: count, and the median, the 99th percentile and the maximum in microseconds.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "rfb_viewer.h"
#include "wire/rfb/client.h"
#include "wire/rfb/greeter.h"

enum {
	SIDE_PX = 64,
	SAMPLES_MAX = 100000,
	PERIOD_NS = 6000000, /* 83 presses a second: below what a session lets through */
	KEYSYM = 'a',
};

struct desktop {
	int fd;
	int report; /* a time for each key */
	uint8_t in[4096];
	size_t at, end;
};

static void send_all(int fd, const struct writer *w)
{
	if (w->size > 0 && send(fd, w->data, w->size, MSG_NOSIGNAL) != (ssize_t)w->size)
		viewer_die("desktop: send");
}

static int listen_on(const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 1) != 0)
		viewer_die("desktop: listen");
	return fd;
}

/* Return: false where the other side has ended. */
static bool receive(struct desktop *d)
{
	ssize_t n;

	memmove(d->in, d->in + d->at, d->end - d->at);
	d->end -= d->at;
	d->at = 0;
	n = recv(d->fd, d->in + d->end, sizeof(d->in) - d->end, 0);
	if (n <= 0)
		return false;
	d->end += (size_t)n;
	return true;
}

static struct reader unread(const struct desktop *d)
{
	struct reader r;

	reader_init(&r, d->in + d->at, d->end - d->at);
	return r;
}

static void greet(struct desktop *d)
{
	struct rfb_greeter greeter;
	uint8_t bytes[256];
	struct writer w;
	int event;

	writer_init(&w, bytes, sizeof(bytes));
	rfb_greeter_init(&greeter, RFB_SUBTYPE_NONE, &w);
	do {
		struct reader r;

		send_all(d->fd, &w);
		if (!receive(d))
			viewer_die("desktop: handshake");
		writer_init(&w, bytes, sizeof(bytes));
		r = unread(d);
		event = rfb_greeter_next(&greeter, &r, &w);
		d->at += r.at;
	} while (event == RFB_HANDSHAKE_MORE);
	if (event != RFB_HANDSHAKE_SIZE)
		viewer_die("desktop: handshake");
	rfb_greeter_size(&greeter, SIDE_PX, SIDE_PX, "keys", &w);
	send_all(d->fd, &w);
}

/* A black screen. */
static void show(const struct desktop *d)
{
	static uint8_t bytes[16 + SIDE_PX * SIDE_PX * 4];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	writer_be32(&w, 1); /* an update of one rectangle */
	writer_be32(&w, 0);
	writer_be32(&w, SIDE_PX << 16 | SIDE_PX);
	writer_be32(&w, RFB_RAW);
	w.size = sizeof(bytes);
	send_all(d->fd, &w);
}

/* Whether the parser took a message out of what is there. */
static int next_message(struct desktop *d, struct rfb_client_parser *parser)
{
	struct rfb_client_message message;
	struct reader r = unread(d);
	int event = rfb_client_next(parser, &r, &message);

	d->at += r.at;
	return event;
}

/* Answers the first request and notes when each key came. */
static _Noreturn void be_desktop(struct desktop *d)
{
	struct rfb_client_parser parser;
	bool shown = false;

	greet(d);
	rfb_client_init(&parser);
	while (receive(d)) {
		uint64_t now_ns = viewer_now_ns();
		int event;

		while ((event = next_message(d, &parser)) != RFB_CLIENT_MORE) {
			if (event == RFB_CLIENT_REQUEST && !shown) {
				show(d);
				shown = true;
			}
			if (event == RFB_CLIENT_KEY &&
			    write(d->report, &now_ns, sizeof(now_ns)) != sizeof(now_ns))
				_exit(2);
		}
	}
	_exit(0);
}

/* Return: where to read when keys came. */
static int start_desktop(const char *port)
{
	int listener = listen_on(port), report[2], on = 1;
	struct desktop d = {0};

	if (pipe(report) != 0)
		viewer_die("pipe");
	switch (fork()) {
	case -1:
		viewer_die("fork");
	case 0:
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* where it fails, the connection's end */
		d.fd = accept(listener, NULL, NULL);
		d.report = report[1];
		(void)setsockopt(d.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		be_desktop(&d);
	default:
		(void)close(listener);
		(void)close(report[1]);
		return report[0];
	}
}

static uint64_t press(struct rfb_viewer *v, int report, bool down)
{
	uint64_t sent_ns, came_ns;
	uint8_t bytes[8];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	rfb_client_key(&w, KEYSYM, down);
	sent_ns = viewer_now_ns();
	viewer_put(v, &w);
	if (read(report, &came_ns, sizeof(came_ns)) != sizeof(came_ns))
		viewer_die("the desktop has gone");
	return came_ns - sent_ns;
}

static int by_size(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static void print(uint64_t *delays, size_t count)
{
	qsort(delays, count, sizeof(*delays), by_size);
	printf("count=%zu median_us=%.1f p99_us=%.1f max_us=%.1f\n", count,
	       (double)delays[count / 2] / 1e3, (double)delays[count * 99 / 100] / 1e3,
	       (double)delays[count - 1] / 1e3);
}

int main(int argc, char **argv)
{
	static uint64_t delays[SAMPLES_MAX];
	static struct rfb_viewer v;
	size_t wanted, count = 0;
	int report;

	if (argc != 6 && argc != 7) {
		fputs("usage: key_delay DESKTOP-PORT IPV4 PORT SECONDS SECURITY [AUTHORITY-FILE]\n",
		      stderr);
		return 2;
	}
	wanted = (size_t)(strtod(argv[4], NULL) * 1e9 / PERIOD_NS);
	report = start_desktop(argv[1]);
	viewer_connect(&v, argv[2], argv[3], argv[5], argc > 6 ? argv[6] : NULL, RFB_RAW);
	viewer_request(&v, false);
	viewer_skip(&v, 16 + SIDE_PX * SIDE_PX * 4);
	while (count < wanted && count < SAMPLES_MAX) {
		struct timespec period = {.tv_nsec = PERIOD_NS};

		(void)nanosleep(&period, NULL);
		delays[count] = press(&v, report, count % 2 == 0);
		count++;
	}
	print(delays, count);
	return 0;
}
