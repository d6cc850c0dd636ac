/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records out: the viewer's half is told of the marked tiles of the frame, many with one message;
 * their pixels it finds where they were drawn.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/shared.h"
#include "screen-source/source.h"

/* One message. */
struct batch {
	unsigned count;
	struct screen_record records[SCREEN_BATCH];
};

int tiles_map(struct source *s, int fd)
{
	void *memory;
	int error = shared_map(fd, sizeof(*s->pixels), SHARED_WRITE, &memory);

	if (error != 0)
		return error;
	s->pixels = memory;
	frame_init(&s->frame, s->pixels->frame,
		   sizeof(s->pixels->frame) / sizeof(s->pixels->frame[0]));
	(void)close(fd); /* the mapping stays */
	return 0;
}

bool tiles_may_begin(const struct source *s)
{
	return !s->sending && !s->streaming && s->update_sent == s->update_taken;
}

/* 0, -ERR_AGAIN where the link is full, or -ERR_CLOSED. */
static int send_records(struct source *s, const struct screen_record *records, size_t count)
{
	if (send(s->link.fd, records, count * sizeof(*records), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
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
		if ((difference & FRAME_PIXEL_MASK) != 0)
			return false;
	}
	return true;
}

static void batch_add(struct batch *b, const struct frame *f, unsigned column, unsigned row)
{
	struct rfb_rect r = frame_tile_rect(f, column, row);
	struct screen_record *record = &b->records[b->count++];

	*record = (struct screen_record){
		.kind = SCREEN_PIXELS, .x = r.x, .y = r.y, .w = r.w, .h = r.h};
	if (one_colour(f, &r)) {
		record->kind = SCREEN_SOLID;
		record->value = *frame_at(f, r.x, r.y) & FRAME_PIXEL_MASK;
	}
}

/* The first SCREEN_BATCH marked tiles of the first @rows rows of tiles. */
static void batch_fill(struct batch *b, const struct frame *f, unsigned rows)
{
	b->count = 0;
	for (unsigned row = 0; row < rows && b->count < SCREEN_BATCH; row++) {
		uint64_t marks = f->dirty.rows[row];

		for (; marks != 0 && b->count < SCREEN_BATCH; marks &= marks - 1)
			batch_add(b, f, (unsigned)__builtin_ctzll(marks), row);
	}
}

/* A word of the shape: whoever reads it finds what was drawn before. */
static void put_word(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static void batch_told(const struct batch *b, struct source *s)
{
	for (unsigned i = 0; i < b->count; i++) {
		unsigned column = b->records[i].x / FRAME_TILE_PX;
		unsigned row = b->records[i].y / FRAME_TILE_PX;
		uint32_t *drawn = &s->pixels->shape.drawn[row][column];

		s->frame.dirty.rows[row] &= ~(UINT64_C(1) << column);
		put_word(drawn, *drawn + 1);
	}
}

/* 0 when all marked tiles of the first @rows rows are told of. */
static int send_rows(struct source *s, unsigned rows)
{
	__attribute__((uninitialized)) struct batch b; /* filled as far as it is used */

	for (;;) {
		int error;

		batch_fill(&b, &s->frame, rows);
		if (b.count == 0)
			return 0;
		error = send_records(s, b.records, b.count);
		if (error != 0)
			return error;
		batch_told(&b, s);
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
	struct screen_shape *shape = &s->pixels->shape;
	int error;

	if (!s->size_due)
		return 0;
	error = send_records(s, &record, 1);
	if (error != 0)
		return error;
	s->size_due = false;
	put_word(&shape->width, s->frame.width);
	put_word(&shape->height, s->frame.height);
	put_word(&shape->sizes, shape->sizes + 1);
	return 0;
}

static int send_cursor(struct source *s)
{
	const struct rfb_cursor *c = &s->parser.cursor;
	struct screen_record record = {
		.kind = SCREEN_CURSOR, .x = c->hot_x, .y = c->hot_y, .w = c->w, .h = c->h};
	int error;

	if (!s->cursor_due)
		return 0;
	memcpy(s->pixels->cursor, c->pixels, (size_t)c->w * c->h * sizeof(c->pixels[0]));
	error = send_records(s, &record, 1);
	if (error == 0)
		s->cursor_due = false;
	return error;
}

static int send_end(struct source *s)
{
	struct screen_record record = {.kind = SCREEN_UPDATE_END, .value = s->update_sent + 1};
	int error = send_records(s, &record, 1);

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
	(void)send_records(s, &record, 1); /* to a half that has gone: nobody asks */
}
