/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recording of this session: every rectangle, as it is encoded for the viewer, once more for a
 * file. It is written before the viewer is sent anything of it, so that nothing is shown that is
 * not recorded. Without the watermark, which would be a whole picture every minute and says nothing
 * that the recording's first block does not; without the pointer, which the viewer draws.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "screen-viewer/viewer.h"

static uint64_t age_ms(const struct viewer *v)
{
	return clock_mono_ms(v->loop.clock) - v->recorder.began_ms;
}

static struct writer writer_behind(struct recorder *r)
{
	struct writer w;

	writer_init(&w, r->out, sizeof(r->out));
	w.size = r->out_bytes;
	return w;
}

static void tell_ended(struct viewer *v)
{
	struct recorder *r = &v->recorder;

	event_send(&v->process.events, EVENT_SCREEN_RECORDING_ENDED,
		   EV_NUMBER(SESSION, v->session.id), EV_TEXT(NAME, v->session.name),
		   EV_TEXT(USER, v->session.user), EV_NUMBER(COUNT, r->written.number),
		   EV_NUMBER(BYTES, r->written_bytes), EV_NUMBER(DURATION_MS, age_ms(v)),
		   EV_SHA256(SHA256, r->written.hash));
}

/* @reason: fixed text, or of the system */
static void fail(struct viewer *v, const char *reason)
{
	struct recorder *r = &v->recorder;
	bool goes_on = v->session.on_full == SNAPSHOT_ON_FULL_GO_ON;

	event_send(&v->process.events, EVENT_SCREEN_RECORDING_FAILED,
		   EV_NUMBER(SESSION, v->session.id), EV_TEXT(NAME, v->session.name),
		   EV_TEXT(USER, v->session.user), EV_TEXT(REASON, reason),
		   EV_TEXT(DETAIL, goes_on ? "goes-on" : "ends"));
	if (r->on)
		tell_ended(v);
	r->on = false;
	loop_disarm(&v->loop, &r->mark_timer);
	if (!goes_on)
		viewer_end(v, SCREEN_END_RECORDING, NULL, 0);
}

bool recorder_flush(struct viewer *v)
{
	struct recorder *r = &v->recorder;
	size_t done = 0;

	if (r->on && r->written_bytes + r->out_bytes > v->session.record_bytes_max)
		fail(v, "size-limit is reached");
	while (r->on && done < r->out_bytes) {
		ssize_t n = write(r->fd, r->out + done, r->out_bytes - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			fail(v, n < 0 && errno == EFBIG ? "size-limit is reached"
							: "the disk takes no more");
		else
			done += (size_t)n;
	}
	r->out_bytes = 0;
	if (r->on) {
		r->written = r->chain;
		r->written_bytes += done;
	}
	return v->session.end == SCREEN_END_NONE_;
}

static void mark_due(struct loop *loop, struct loop_timer *self)
{
	struct viewer *v = self->ctx;
	struct recorder *r = &v->recorder;

	if (r->written.number != r->marked)
		event_send(&v->process.events, EVENT_SCREEN_RECORDING_MARK,
			   EV_NUMBER(SESSION, v->session.id), EV_NUMBER(COUNT, r->written.number),
			   EV_SHA256(SHA256, r->written.hash));
	r->marked = r->written.number;
	loop_arm(loop, self, RECORDER_MARK_MS);
}

void recorder_init(struct viewer *v)
{
	v->recorder.fd = -1;
	v->recorder.mark_timer = (struct loop_timer){.fire = mark_due, .ctx = v};
	rfb_encoder_init(&v->recorder.encoder);
}

static void put_origin(struct viewer *v)
{
	struct recorder *r = &v->recorder;
	struct writer w = writer_behind(r);
	struct recording_origin origin = {
		.session = v->session.id,
		.began_ms = clock_wall_ns(v->loop.clock) / 1000000,
		.utc_offset_s = v->session.utc_offset_s,
	};

	(void)snprintf(origin.screen, sizeof(origin.screen), "%s", v->session.name);
	(void)snprintf(origin.user, sizeof(origin.user), "%s", v->session.user);
	(void)snprintf(origin.gateway, sizeof(origin.gateway), "%s", v->session.gateway);
	recording_put_begin(&r->chain, &origin, &w);
	r->out_bytes = w.size;
}

void recorder_begin(struct viewer *v)
{
	struct recorder *r = &v->recorder;

	if (v->session.record_bytes_max == 0)
		return;
	if (r->fd < 0) {
		fail(v, "there is no file for it");
		return;
	}
	r->on = true;
	r->began_ms = clock_mono_ms(v->loop.clock);
	put_origin(v);
	recorder_size(v);
	(void)recorder_flush(v); /* whoever asks whether it is on, or the session ended, sees it */
	if (r->on)
		loop_arm(&v->loop, &r->mark_timer, RECORDER_MARK_MS);
}

/* Return: whether a block more has room. */
static bool has_room(struct viewer *v)
{
	struct recorder *r = &v->recorder;

	if (sizeof(r->out) - r->out_bytes < RECORDING_BLOCK_MAX)
		(void)recorder_flush(v); /* as above */
	return r->on;
}

void recorder_update(struct viewer *v)
{
	v->recorder.update_ms = age_ms(v);
}

void recorder_size(struct viewer *v)
{
	struct recorder *r = &v->recorder;
	struct writer w;

	if (!r->on || !has_room(v))
		return;
	w = writer_behind(r);
	recording_put_size(&r->chain, r->update_ms, v->frame.width, v->frame.height, &w);
	r->out_bytes = w.size;
}

void recorder_rect(struct viewer *v, const struct rfb_rect *rect)
{
	struct recorder *r = &v->recorder;
	struct writer w;

	if (!r->on || !has_room(v))
		return;
	w = writer_behind(r);
	recording_put_tiles(&r->chain, r->update_ms, &r->encoder, &v->frame, rect, &w);
	r->out_bytes = w.size;
}

void recorder_end(struct viewer *v)
{
	struct recorder *r = &v->recorder;
	struct writer w;

	if (!r->on || !has_room(v))
		return;
	w = writer_behind(r);
	recording_put_end(&r->chain, age_ms(v), v->session.end, &w);
	r->out_bytes = w.size;
	(void)recorder_flush(v); /* the session has its end already */
	if (r->on)
		tell_ended(v);
	r->on = false;
}
