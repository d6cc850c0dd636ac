/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records out: the marked tiles of the frame go to the viewer's half, several to a system call.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "screen-source/source.h"

enum { BATCH = 16 };

/* Messages made ready for one sendmmsg. Pixels are gathered here: the kernel takes a tile in one
 * piece sooner than in one for each row. */
struct batch {
	unsigned count;
	struct mmsghdr messages[BATCH];
	struct screen_record records[BATCH];
	struct iovec parts[BATCH][2];
	uint32_t pixels[BATCH][SCREEN_TILE_PX * SCREEN_TILE_PX];
	uint8_t columns[BATCH], rows[BATCH]; /* the tile of each */
};

bool tiles_may_begin(const struct source *s)
{
	return !s->sending && !s->streaming && s->update_sent == s->update_taken;
}

/* 0, -ERR_AGAIN where the link is full, or -ERR_CLOSED. */
static int send_bytes(struct source *s, const struct screen_record *record, const void *pixels,
		      size_t pixel_bytes)
{
	struct screen_record head = *record;
	struct iovec parts[2] = {
		{.iov_base = &head, .iov_len = sizeof(head)},
		{.iov_base = (void *)(uintptr_t)pixels,
		 .iov_len = pixel_bytes}, /* sendmsg only reads it */
	};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = pixel_bytes > 0 ? 2 : 1};

	if (sendmsg(s->link.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? -ERR_AGAIN : -ERR_CLOSED;
}

static bool one_colour(const struct frame *f, const struct rfb_rect *r)
{
	uint32_t colour = *frame_at(f, r->x, r->y);

	for (unsigned y = 0; y < r->h; y++) {
		const uint32_t *row = frame_at(f, r->x, r->y + y);
		uint32_t difference = 0;

		for (unsigned x = 0; x < r->w; x++)
			difference |= row[x] ^ colour;
		if (difference != 0)
			return false;
	}
	return true;
}

static void batch_add(struct batch *b, const struct frame *f, unsigned column, unsigned row)
{
	struct rfb_rect r = frame_tile_rect(f, column, row);
	struct iovec *parts = b->parts[b->count];
	unsigned part_count = 1;

	b->records[b->count] = (struct screen_record){
		.kind = SCREEN_SOLID, .x = r.x, .y = r.y, .w = r.w, .h = r.h};
	if (one_colour(f, &r)) {
		b->records[b->count].value = *frame_at(f, r.x, r.y);
	} else {
		b->records[b->count].kind = SCREEN_PIXELS;
		for (unsigned y = 0; y < r.h; y++)
			memcpy(b->pixels[b->count] + y * r.w, frame_at(f, r.x, r.y + y), r.w * 4U);
		parts[part_count++] = (struct iovec){b->pixels[b->count], (size_t)r.w * r.h * 4};
	}
	parts[0] = (struct iovec){&b->records[b->count], sizeof(b->records[b->count])};
	b->messages[b->count] =
		(struct mmsghdr){.msg_hdr = {.msg_iov = parts, .msg_iovlen = part_count}};
	b->columns[b->count] = (uint8_t)column;
	b->rows[b->count] = (uint8_t)row;
	b->count++;
}

/* The first BATCH marked tiles of the first @rows rows of tiles. */
static void batch_fill(struct batch *b, const struct frame *f, unsigned rows)
{
	b->count = 0;
	for (unsigned row = 0; row < rows && b->count < BATCH; row++) {
		uint64_t marks = f->dirty.rows[row];

		for (; marks != 0 && b->count < BATCH; marks &= marks - 1)
			batch_add(b, f, (unsigned)__builtin_ctzll(marks), row);
	}
}

/* 0 when all marked tiles of the first @rows rows are sent. */
static int send_rows(struct source *s, unsigned rows)
{
	__attribute__((uninitialized)) struct batch b; /* filled as far as it is used */

	for (;;) {
		int sent;

		batch_fill(&b, &s->frame, rows);
		if (b.count == 0)
			return 0;
		sent = sendmmsg(s->link.fd, b.messages, b.count, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0)
			return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? -ERR_AGAIN
										     : -ERR_CLOSED;
		for (int i = 0; i < sent; i++)
			s->frame.dirty.rows[b.rows[i]] &= ~(UINT64_C(1) << b.columns[i]);
	}
}

static int send_marked(struct source *s)
{
	return send_rows(s, frame_tile_rows(&s->frame));
}

static int send_size(struct source *s)
{
	struct screen_record record = {
		.kind = SCREEN_GEOMETRY, .w = s->frame.width, .h = s->frame.height};
	int error = s->size_due ? send_bytes(s, &record, NULL, 0) : 0;

	if (error == 0)
		s->size_due = false;
	return error;
}

static int send_cursor(struct source *s)
{
	const struct rfb_cursor *c = &s->parser.cursor;
	struct screen_record record = {
		.kind = SCREEN_CURSOR, .x = c->hot_x, .y = c->hot_y, .w = c->w, .h = c->h};
	int error = s->cursor_due ? send_bytes(s, &record, c->pixels, (size_t)c->w * c->h * 4) : 0;

	if (error == 0)
		s->cursor_due = false;
	return error;
}

static int send_end(struct source *s)
{
	struct screen_record record = {.kind = SCREEN_UPDATE_END, .value = s->update_sent + 1};
	int error = send_bytes(s, &record, NULL, 0);

	if (error == 0)
		s->update_sent++;
	return error;
}

/*
 * Wait for room on the link. One that has broken may still hold why the viewer's half ended:
 * whoever reads it ends the session, and until then nothing more is drawn. Return: whether all was
 * sent.
 */
static bool settle(struct source *s, int error)
{
	if (error == -ERR_AGAIN)
		s->link.events |= POLLOUT;
	else
		s->link.events &= (short)~POLLOUT;
	return error == 0;
}

void tiles_stream(struct source *s)
{
	uint32_t rows = rfb_server_rows_drawn(&s->parser) / FRAME_TILE_PX;

	if (s->size_due) /* nothing can be told of a screen that the viewer does not know */
		return;
	if (rows > frame_tile_rows(&s->frame))
		rows = frame_tile_rows(&s->frame);
	s->streaming = !settle(s, send_rows(s, rows));
}

void tiles_begin(struct source *s)
{
	s->sending = true;
	tiles_continue(s);
}

void tiles_continue(struct source *s)
{
	static int (*const steps[])(struct source *) = {send_size, send_cursor, send_marked,
							send_end};
	int error = 0;

	if (s->streaming)
		tiles_stream(s);
	if (!s->sending)
		return;
	/* Steps that are done find nothing to do when they come round again. */
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && error == 0; i++)
		error = steps[i](s);
	s->sending = !settle(s, error);
}

void tiles_end(struct source *s, enum screen_end why)
{
	struct screen_record record = {.kind = SCREEN_ENDED, .value = why};

	session_widen(s->link.fd);
	(void)send_bytes(s, &record, NULL, 0); /* to a half that has gone: nobody asks */
}
