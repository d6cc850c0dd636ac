/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as frames of a browser: the same stream and the same end however the bytes are cut and
 * however little room there is; never more of the stream than came in frames.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/web/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STREAM_MAX = 1 << 16 };

struct result {
	uint8_t stream[STREAM_MAX];
	size_t size;
	int event;
	unsigned pings;
	const char *fault;
};

/* All frames that the bytes up to @end hold, through writers of @room octets. */
static void drain(struct websocket *ws, struct reader *r, size_t room, struct result *out)
{
	size_t before;

	do {
		size_t left = sizeof(out->stream) - out->size;
		struct writer w;

		before = r->at;
		writer_init(&w, out->stream + out->size, room < left ? room : left);
		out->event = websocket_next(ws, r, &w);
		out->size += w.size;
		out->pings += out->event == WEBSOCKET_PINGED;
		if (w.failed || r->failed || ws->control_size > WEBSOCKET_CONTROL_MAX)
			abort();
	} while (out->event >= 0 && out->event != WEBSOCKET_CLOSED && r->at > before);
}

static void feed(struct result *out, const uint8_t *data, size_t size, size_t piece, size_t room)
{
	struct websocket ws;
	size_t at = 0;

	out->size = out->pings = 0;
	out->event = WEBSOCKET_MORE;
	websocket_init(&ws);
	for (size_t end = 0; end < size && out->event >= 0 && out->event != WEBSOCKET_CLOSED;) {
		struct reader r;

		end = size - end > piece ? end + piece : size;
		reader_init(&r, data + at, end - at);
		drain(&ws, &r, room, out);
		at += r.at;
	}
	out->fault = ws.fault;
	if (out->size > size || (out->event < 0) != (ws.fault != NULL))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct result whole, cut;

	if (size > STREAM_MAX)
		return 0;
	feed(&whole, data, size, SIZE_MAX / 2, STREAM_MAX);
	for (size_t piece = 1; piece < 16; piece += 6) {
		feed(&cut, data, size, piece, 1 + piece / 2);
		if (cut.size != whole.size || cut.pings != whole.pings ||
		    (cut.event < 0) != (whole.event < 0) || cut.fault != whole.fault ||
		    memcmp(cut.stream, whole.stream, whole.size) != 0)
			abort();
	}
	return 0;
}
