/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Updates out: at fixed ticks, one update a tick, tiles in a fixed order, so that how the desktop
 * cuts its own updates does not show. Rectangles are encoded only as fast as the client takes them:
 * one buffer bounds the memory.
 */
#include <string.h>

#include "base/clock.h"
#include "screen-viewer/viewer.h"

enum { RUN_MAX = RFB_ENCODE_WIDTH_MAX / FRAME_TILE_PX };

static uint64_t now_ms(const struct viewer *v)
{
	return clock_mono_ms(v->loop.clock);
}

/* The first tick at which the cap on bytes lets something out. The grid of ticks is fixed by the
 * session's begin, whatever the desktop does. */
static void arm_tick(struct viewer *v)
{
	uint64_t period_ms = v->session.frame_period_ms, age_ms = session_age_ms(&v->session);
	uint64_t wait_ms = pace_wait_ms(&v->pace, now_ms(v));
	uint64_t tick = wait_ms == 0 ? age_ms / period_ms + 1
				     : (age_ms + wait_ms + period_ms - 1) / period_ms;

	if (!loop_armed(&v->tick_timer))
		loop_arm(&v->loop, &v->tick_timer, tick * period_ms - age_ms);
}

struct writer update_writer(struct viewer *v)
{
	struct writer w;

	if (v->out_at == v->out_end)
		v->out_at = v->out_end = 0;
	writer_init(&w, v->out, sizeof(v->out));
	w.size = v->out_end;
	return w;
}

bool update_going(const struct viewer *v)
{
	return v->rects_left > 0 || v->out_at < v->out_end;
}

/* Tiles of a rectangle at most: under a cap, as many as a tick lets through, so that what exceeds
 * it for a moment is small. */
static unsigned run_max(const struct viewer *v)
{
	uint64_t tiles = pace_bytes(&v->pace, v->session.frame_period_ms) /
			 (FRAME_TILE_PX * FRAME_TILE_PX * v->encoder.pixel_bytes);

	if (tiles == 0)
		return 1;
	return tiles < RUN_MAX ? (unsigned)tiles : RUN_MAX;
}

/* The longest run of marked tiles of one row from the first mark on, up to run_max. */
static struct rfb_rect run_of(const struct viewer *v, unsigned row, uint64_t marks, uint64_t *taken)
{
	unsigned first = (unsigned)__builtin_ctzll(marks), count = 0;
	struct rfb_rect rect = frame_tile_rect(&v->frame, first, row), last = rect;

	*taken = 0;
	while (count < run_max(v) && first + count < 64 && (marks >> (first + count) & 1)) {
		last = frame_tile_rect(&v->frame, first + count, row);
		*taken |= UINT64_C(1) << (first + count);
		count++;
	}
	rect.w = (uint16_t)(last.x + last.w - rect.x);
	return rect;
}

static unsigned count_rects(const struct viewer *v)
{
	unsigned count = 0;

	for (unsigned row = 0; row < frame_tile_rows(&v->frame); row++) {
		uint64_t marks = v->going.rows[row], taken;

		for (; marks != 0; marks &= ~taken, count++)
			(void)run_of(v, row, marks, &taken);
	}
	return count;
}

/* The next rectangle of the update on its way, into the buffer; the content is what the frame shows
 * now. */
static void encode_next(struct viewer *v, struct writer *w)
{
	size_t before = w->size;
	struct rfb_rect rect;
	unsigned row = 0;
	uint64_t taken;

	while (v->going.rows[row] == 0)
		row++;
	rect = run_of(v, row, v->going.rows[row], &taken);
	v->going.rows[row] &= ~taken;
	v->rects_left--;
	recorder_rect(v, &rect);
	marking_encode(v, &rect, w);
	pace_spend(&v->pace, w->size - before, now_ms(v));
}

void update_written(struct viewer *v, const struct writer *w)
{
	if (w->failed) {
		viewer_end(v, SCREEN_END_INTERNAL, "viewer-buffer", 0);
		return;
	}
	v->out_end = w->size;
	peer_flush(v);
	client_watch_peer(v);
}

/* Whether nothing but the cap on bytes keeps the rest of an update. */
static bool is_held_up(const struct viewer *v)
{
	return v->session.end == SCREEN_END_NONE_ && v->rects_left > 0 && v->out_at == v->out_end;
}

/* Encode and write until the update is out or the client, or the cap, takes no more. */
static void pump(struct viewer *v)
{
	recorder_update(v);
	do {
		struct writer w = update_writer(v);

		while (v->rects_left > 0 && w.capacity - w.size >= RFB_ENCODE_BYTES_MAX &&
		       pace_wait_ms(&v->pace, now_ms(v)) == 0)
			encode_next(v, &w);
		if (!recorder_flush(v))
			return;
		update_written(v, &w);
	} while (is_held_up(v) && pace_wait_ms(&v->pace, now_ms(v)) == 0);
	if (is_held_up(v))
		arm_tick(v);
}

/* Once an update is out: what had to wait for it. */
static void done(struct viewer *v)
{
	records_acknowledge(v);
	if (v->session.end == SCREEN_END_NONE_)
		records_serve(v);
	if (v->session.end == SCREEN_END_NONE_)
		update_consider(v);
}

void update_continue(struct viewer *v)
{
	pump(v);
	if (v->session.end == SCREEN_END_NONE_ && !update_going(v))
		done(v);
}

/* A new size is an update of its own: the client asks for its content afterwards (RFC 6143 7.8.2).
 */
static void begin_size(struct viewer *v, struct writer *w)
{
	rfb_encode_update(w, 1);
	rfb_encode_size(w, v->frame.width, v->frame.height, v->choice.extended_desktop_size);
	recorder_update(v);
	recorder_size(v);
	v->size_due = false;
}

static void begin_pixels(struct viewer *v, struct writer *w)
{
	bool cursor = v->cursor_due;

	v->rects_left = count_rects(v);
	rfb_encode_update(w, (uint16_t)(v->rects_left + cursor));
	if (cursor)
		rfb_encode_cursor(&v->encoder, &v->cursor, v->cursor_pixels, w);
	v->cursor_due = false;
}

static void begin(struct viewer *v)
{
	struct writer w = update_writer(v);

	v->wants = false;
	v->updates++;
	memset(&v->wanted, 0, sizeof(v->wanted));
	if (v->colours_due)
		rfb_encode_colour_map(&w);
	v->colours_due = false;
	if (v->size_due)
		begin_size(v, &w);
	else
		begin_pixels(v, &w);
	pace_spend(&v->pace, w.size - v->out_end, now_ms(v));
	update_written(v, &w);
	if (v->session.end == SCREEN_END_NONE_)
		update_continue(v);
}

static uint64_t news_of_row(const struct viewer *v, unsigned row)
{
	return v->frame.dirty.rows[row] & v->wanted.rows[row];
}

static bool has_news(const struct viewer *v)
{
	uint64_t any = 0;

	for (unsigned row = 0; row < FRAME_TILE_ROWS; row++)
		any |= news_of_row(v, row);
	return any != 0 || v->size_due || v->cursor_due;
}

static void gather(struct viewer *v)
{
	for (unsigned row = 0; row < FRAME_TILE_ROWS; row++) {
		v->going.rows[row] = news_of_row(v, row);
		v->frame.dirty.rows[row] &= ~v->going.rows[row];
	}
}

/* Between updates of the desktop and of ours, where the client waits for news and there are some.
 */
static bool may_begin(const struct viewer *v)
{
	return v->wants && !v->inside_update && !update_going(v) && has_news(v);
}

void update_consider(struct viewer *v)
{
	if (may_begin(v))
		arm_tick(v);
}

/* Behind an update messages may wait that change how the next one is encoded. */
static void go_on(struct viewer *v)
{
	update_continue(v);
	if (v->session.end == SCREEN_END_NONE_ && !update_going(v))
		client_advance(v);
}

void update_tick(struct viewer *v)
{
	if (is_held_up(v)) {
		go_on(v);
		return;
	}
	if (!may_begin(v))
		return;
	if (pace_wait_ms(&v->pace, now_ms(v)) > 0) {
		arm_tick(v);
		return;
	}
	if (!v->size_due)
		gather(v);
	records_acknowledge(v); /* the desktop draws the next update while this one is encoded */
	if (v->session.end == SCREEN_END_NONE_)
		begin(v);
}
