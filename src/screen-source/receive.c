/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The desktop's bytes: pixels of Raw rectangles are received where the viewer's half reads them,
 * everything else comes into a buffer and is decoded from there (ADR 0713).
 */
#include <string.h>

#include "screen-source/source.h"

enum {
	PIXEL_BYTES = 4,
	ROWS_MAX = 128,      /* of a rectangle, with one call */
	DIRECT_BYTES = 8192, /* of a rectangle at least: less is copied sooner than arranged for */
	GLANCE_BYTES =
		4096, /* behind a rectangle's end: most of the next one comes directly, too */
	GLANCE_GROWTH = 4,
};

/* What was not taken goes to the buffer's begin. */
static void compact(struct source *s)
{
	if (s->in_at == 0)
		return;
	memmove(s->in, s->in + s->in_at, s->in_end - s->in_at);
	s->in_end -= s->in_at;
	s->in_at = 0;
}

bool receive_is_full(const struct source *s)
{
	return s->in_end - s->in_at == sizeof(s->in);
}

static size_t sum(const struct iovec *parts, unsigned count)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < count; i++)
		bytes += parts[i].iov_len;
	return bytes;
}

/* Where pixels that come next belong, if only the begin of one of them is in the buffer. */
static unsigned find_rows(const struct source *s, struct iovec *rows)
{
	unsigned count;

	if (s->phase != SOURCE_RUNNING || !tiles_may_begin(s) || s->in_end >= PIXEL_BYTES ||
	    !stream_is_plain(&s->stream))
		return 0;
	count = rfb_server_room(&s->parser, rows, ROWS_MAX);
	return sum(rows, count) >= DIRECT_BYTES ? count : 0;
}

/* @bytes are in the frame. The begin of a pixel, which may be the last of them, waits in the buffer
 * for its rest. */
static void fill(struct source *s, size_t bytes)
{
	struct iovec next;

	rfb_server_filled(&s->parser, bytes / PIXEL_BYTES);
	s->in_end = bytes % PIXEL_BYTES;
	if (s->in_end > 0 && rfb_server_room(&s->parser, &next, 1) == 1)
		memcpy(s->in, next.iov_base, s->in_end);
}

/* Into @rows, and what comes behind them into the buffer. */
static ssize_t receive_pixels(struct source *s, struct iovec *rows, unsigned count)
{
	size_t room = sum(rows, count), begun = s->in_end, bytes;
	ssize_t n;

	memcpy(rows[0].iov_base, s->in, begun);
	rows[0].iov_base = (uint8_t *)rows[0].iov_base + begun;
	rows[0].iov_len -= begun;
	rows[count] = (struct iovec){s->in, GLANCE_BYTES};
	s->glance_bytes = GLANCE_BYTES;
	n = stream_read_parts(&s->stream, rows, count + 1);
	if (n <= 0)
		return n;
	bytes = begun + (size_t)n;
	fill(s, bytes < room ? bytes : room);
	if (bytes > room)
		s->in_end = bytes - room;
	return n;
}

/* Little at first: a rectangle's head may be among it whose pixels are better received directly.
 * Where none is, more and more. */
static ssize_t receive_bytes(struct source *s)
{
	size_t room = sizeof(s->in) - s->in_end;
	ssize_t n;

	if (s->glance_bytes < GLANCE_BYTES)
		s->glance_bytes = GLANCE_BYTES;
	if (room > s->glance_bytes)
		room = s->glance_bytes;
	n = stream_read(&s->stream, s->in + s->in_end, room);
	if (n > 0)
		s->in_end += (size_t)n;
	if (n > 0 && (size_t)n == room && s->glance_bytes < sizeof(s->in))
		s->glance_bytes *= GLANCE_GROWTH;
	return n;
}

ssize_t receive_more(struct source *s)
{
	struct iovec rows[ROWS_MAX + 1];
	unsigned count;

	compact(s);
	count = find_rows(s, rows);
	return count > 0 ? receive_pixels(s, rows, count) : receive_bytes(s);
}
