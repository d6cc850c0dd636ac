/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A viewer without a screen: asks for updates as fast as they come and counts them, as the other
 * end of a measurement.
 *
 * usage: rfb_load IPV4 PORT ENCODING SECONDS     (0 Raw, 5 Hextile, 16 ZRLE)
 * Prints one line: updates, pixels and bytes of the time, and the width and height of the screen.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "wire/rfb_client.h"

struct load {
	int fd;
	uint8_t buffer[1 << 20];
	size_t at, end;
	uint64_t bytes, pixels, updates;
	uint16_t width, height;
	int32_t encoding;
};

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(2);
}

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fill(struct load *l)
{
	ssize_t n;

	if (l->at == l->end)
		l->at = l->end = 0;
	if (l->at > 0) {
		memmove(l->buffer, l->buffer + l->at, l->end - l->at);
		l->end -= l->at;
		l->at = 0;
	}
	if (l->end >= sizeof(l->buffer))
		die("a unit larger than the buffer");
	n = read(l->fd, l->buffer + l->end, sizeof(l->buffer) - l->end);
	if (n <= 0)
		die("the server has gone");
	l->end += (size_t)n;
	l->bytes += (uint64_t)n;
}

/* A reader over the next @count bytes, which are taken. */
static struct reader take(struct load *l, size_t count)
{
	struct reader r;

	while (l->end - l->at < count)
		fill(l);
	reader_init(&r, l->buffer + l->at, count);
	l->at += count;
	return r;
}

static void skip(struct load *l, uint64_t count)
{
	while (count > 0) {
		size_t there = l->end - l->at < count ? l->end - l->at : (size_t)count;

		l->at += there;
		count -= there;
		if (count > 0)
			fill(l);
	}
}

static void put(struct load *l, const struct writer *w)
{
	if (send(l->fd, w->data, w->size, MSG_NOSIGNAL) != (ssize_t)w->size)
		die("send");
}

static void connect_to(struct load *l, const char *host, const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
	int on = 1;

	l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (inet_pton(AF_INET, host, &to.sin_addr) != 1 || l->fd < 0 ||
	    connect(l->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die("connect");
	(void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on,
			 sizeof(on)); /* a slower measurement without */
}

static void shake(struct load *l)
{
	struct reader r;
	struct writer w;
	uint8_t bytes[64];

	skip(l, 12);
	writer_init(&w, bytes, sizeof(bytes));
	writer_text(&w, "RFB 003.008\n");
	put(l, &w);
	r = take(l, 1);
	skip(l, reader_u8(&r));
	writer_init(&w, bytes, sizeof(bytes));
	writer_be16(&w, 0x0101); /* None, shared */
	put(l, &w);
	skip(l, 4);
	r = take(l, 24);
	l->width = reader_be16(&r);
	l->height = reader_be16(&r);
	reader_skip(&r, RFB_FORMAT_BYTES);
	skip(l, reader_be32(&r));
	writer_init(&w, bytes, sizeof(bytes));
	rfb_client_set_format(&w, &rfb_format_gateway);
	rfb_client_set_encodings(&w, &l->encoding, 1);
	put(l, &w);
}

static void request(struct load *l, bool incremental)
{
	struct rfb_rect all = {0, 0, l->width, l->height};
	uint8_t bytes[16];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	rfb_client_request(&w, &all, incremental);
	put(l, &w);
}

static void skip_hextile(struct load *l, const struct rfb_rect *rect)
{
	for (unsigned y = 0; y < rect->h; y += 16) {
		for (unsigned x = 0; x < rect->w; x += 16) {
			unsigned w = rect->w - x < 16 ? rect->w - x : 16,
				 h = rect->h - y < 16 ? rect->h - y : 16;
			struct reader r = take(l, 1);
			uint8_t flags = reader_u8(&r);

			if (flags & 1) {
				skip(l, w * h * 4);
				continue;
			}
			skip(l, (flags & 2 ? 4 : 0) + (flags & 4 ? 4 : 0));
			if (flags & 8) {
				r = take(l, 1);
				skip(l, reader_u8(&r) * (flags & 16 ? 6U : 2U));
			}
		}
	}
}

static void skip_rect(struct load *l)
{
	struct reader r = take(l, 12);
	struct rfb_rect rect;

	rect.x = reader_be16(&r);
	rect.y = reader_be16(&r);
	rect.w = reader_be16(&r);
	rect.h = reader_be16(&r);
	l->pixels += (uint64_t)rect.w * rect.h;
	switch ((int32_t)reader_be32(&r)) {
	case RFB_RAW:
		skip(l, (uint64_t)rect.w * rect.h * 4);
		break;
	case RFB_HEXTILE:
		skip_hextile(l, &rect);
		break;
	case RFB_ZRLE:
		r = take(l, 4);
		skip(l, reader_be32(&r));
		break;
	default:
		fputs("an encoding that was not asked for\n", stderr);
		exit(2);
	}
}

static void update(struct load *l)
{
	struct reader r = take(l, 4);

	if (reader_u8(&r) != RFB_UPDATE) {
		fputs("a message that was not expected\n", stderr);
		exit(2);
	}
	reader_skip(&r, 1);
	/* The next request goes out before this update is read, as real viewers do. */
	request(l, true);
	for (unsigned count = reader_be16(&r); count > 0; count--)
		skip_rect(l);
	l->updates++;
}

int main(int argc, char **argv)
{
	static struct load l;
	double begin, seconds;

	if (argc != 5) {
		fputs("usage: rfb_load IPV4 PORT ENCODING SECONDS\n", stderr);
		return 2;
	}
	l.encoding = (int32_t)strtol(argv[3], NULL, 10);
	seconds = strtod(argv[4], NULL);
	connect_to(&l, argv[1], argv[2]);
	shake(&l);
	request(&l, false);
	update(&l); /* the first picture is not part of the measurement */
	l.bytes = l.pixels = l.updates = 0;
	begin = now_s();
	while (now_s() - begin < seconds)
		update(&l);
	seconds = now_s() - begin;
	printf("seconds=%.3f updates=%llu pixels=%llu bytes=%llu width=%u height=%u\n", seconds,
	       (unsigned long long)l.updates, (unsigned long long)l.pixels,
	       (unsigned long long)l.bytes, l.width, l.height);
	return 0;
}
