/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The viewer's bytes: as they are, or out of and into WebSocket frames. Everything else here sees
 * one stream.
 */
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "screen-viewer/viewer.h"

/* ---- in ---- */

/* One ping is answered at a time: the newest (RFC 6455 5.5.3). */
static void take_ping(struct viewer_browser *b)
{
	memcpy(b->pong, b->frames.control, b->frames.control_size);
	b->pong_size = b->frames.control_size;
	b->pong_due = true;
}

/* Out of the frames that are there. Return: octets; 0: the browser has left; -ERR_AGAIN. */
static ssize_t unframe(struct viewer *v, void *data, size_t size)
{
	struct viewer_browser *b = &v->browser;
	struct writer w;
	struct reader r;
	int event;

	writer_init(&w, data, size);
	reader_init(&r, b->raw + b->raw_at, b->raw_end - b->raw_at);
	do {
		event = websocket_next(&b->frames, &r, &w);
		if (event == WEBSOCKET_PINGED)
			take_ping(b);
	} while (event == WEBSOCKET_PINGED);
	b->raw_at += r.at;
	b->raw_waits = w.size == size && b->raw_at < b->raw_end;
	b->left = event == WEBSOCKET_CLOSED;
	if (event < 0)
		viewer_end(v, SCREEN_END_VIEWER_PROTOCOL, b->frames.fault, 0);
	if (w.size > 0)
		return (ssize_t)w.size;
	return b->left ? 0 : -ERR_AGAIN;
}

ssize_t peer_read(struct viewer *v, void *data, size_t size)
{
	struct viewer_browser *b = &v->browser;
	ssize_t n;

	if (!b->upgraded)
		return stream_read(&v->stream, data, size);
	if (b->left)
		return 0;
	if (!b->raw_waits) {
		memmove(b->raw, b->raw + b->raw_at, b->raw_end - b->raw_at);
		b->raw_end -= b->raw_at;
		b->raw_at = 0;
		n = stream_read(&v->stream, b->raw + b->raw_end, sizeof(b->raw) - b->raw_end);
		if (n <= 0)
			return n;
		b->raw_end += (size_t)n;
	}
	/* An answer to a ping is not written here: it would take along what an update waits for. */
	return unframe(v, data, size);
}

size_t peer_pending(const struct viewer *v)
{
	const struct viewer_browser *b = &v->browser;

	if (b->left)
		return 1; /* its end, which is read like an octet */
	return stream_pending(&v->stream) + (b->raw_waits ? b->raw_end - b->raw_at : 0);
}

void peer_forget(struct viewer *v)
{
	struct viewer_browser *b = &v->browser;

	explicit_bzero(b->raw, b->raw_at);
	/* Behind the end, too: what came in pieces was moved to the front. */
	explicit_bzero(b->raw + b->raw_end, sizeof(b->raw) - b->raw_end);
}

/* ---- out ---- */

/* Where no frame is begun: the next one. Return: false where there is nothing to send. */
static bool begin_frame(struct viewer *v)
{
	struct viewer_browser *b = &v->browser;
	struct writer w;

	writer_init(&w, b->head, sizeof(b->head));
	if (b->pong_due) {
		websocket_head(&w, WEBSOCKET_PONG, b->pong_size);
		writer_bytes(&w, b->pong, b->pong_size);
		b->pong_due = false;
	} else {
		b->frame_left = v->out_end - v->out_at;
		if (b->frame_left > 0)
			websocket_head(&w, WEBSOCKET_BINARY, b->frame_left);
	}
	b->head_at = 0;
	b->head_end = w.size;
	return w.size > 0;
}

/* Return: false where the connection takes no more; an error shows as a hang-up when it is polled
 * next. */
static bool write_some(struct viewer *v, const uint8_t *data, size_t *at, size_t end)
{
	ssize_t n = stream_write(&v->stream, data + *at, end - *at);

	if (n > 0)
		*at += (size_t)n;
	return n > 0;
}

static void flush_frames(struct viewer *v)
{
	struct viewer_browser *b = &v->browser;
	bool goes_on = true;

	while (goes_on) {
		size_t before = v->out_at;

		if (b->head_at < b->head_end)
			goes_on = write_some(v, b->head, &b->head_at, b->head_end);
		else if (b->frame_left > 0)
			goes_on = write_some(v, v->out, &v->out_at, v->out_at + b->frame_left);
		else
			goes_on = begin_frame(v);
		b->frame_left -= v->out_at - before;
	}
}

void peer_flush(struct viewer *v)
{
	if (v->browser.upgraded) {
		flush_frames(v);
		return;
	}
	while (v->out_at < v->out_end && write_some(v, v->out, &v->out_at, v->out_end))
		;
}

bool peer_has_output(const struct viewer *v)
{
	const struct viewer_browser *b = &v->browser;

	return v->out_at < v->out_end || b->head_at < b->head_end || b->pong_due;
}

/* Write what waits, until then at most. */
static void drain(struct viewer *v, uint64_t until_ms)
{
	uint64_t now_ms = clock_mono_ms(v->loop.clock);

	peer_flush(v);
	while (peer_has_output(v) && now_ms < until_ms) {
		struct pollfd wait = {.fd = v->peer.fd,
				      .events = stream_events(&v->stream, false, true)};

		if (poll(&wait, 1, (int)(until_ms - now_ms)) <= 0 ||
		    wait.revents & (POLLERR | POLLHUP))
			return;
		peer_flush(v);
		now_ms = clock_mono_ms(v->loop.clock);
	}
}

void peer_close(struct viewer *v)
{
	struct viewer_browser *b = &v->browser;
	uint64_t until_ms = clock_mono_ms(v->loop.clock) + PEER_DRAIN_MS;
	struct writer w;

	if (!b->upgraded)
		return;
	b->pong_due = false;
	drain(v, until_ms);
	if (peer_has_output(v))
		return; /* in the middle of a frame: it learns that the connection broke */
	writer_init(&w, b->head, sizeof(b->head));
	websocket_close(&w, b->frames.fault ? b->frames.code : WEBSOCKET_CODE_NORMAL,
			screen_end_name(v->session.end));
	b->head_at = 0;
	b->head_end = w.size;
	drain(v, until_ms);
}
