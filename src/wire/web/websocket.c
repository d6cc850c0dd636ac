/* SPDX-License-Identifier: GPL-2.0-or-later */
/* WebSocket frames; pure. */
#include "wire/web/websocket.h"

#include <string.h>

#include "base/err.h"

enum { STATE_HEAD, STATE_PAYLOAD, STATE_FAILED, STATE_CLOSED };
enum {
	FIN = 0x80,
	RESERVED = 0x70,
	OPCODE = 0x0f,
	CONTROL = 0x08, /* bit of the opcodes of control frames */
	MASKED = 0x80,
	SHORT_MAX = 125,
	LENGTH_16 = 126,
	LENGTH_64 = 127,
};

void websocket_init(struct websocket *ws)
{
	*ws = (struct websocket){.state = STATE_HEAD};
}

static int fail(struct websocket *ws, enum websocket_code code, const char *fault)
{
	ws->state = STATE_FAILED;
	ws->code = code;
	ws->fault = fault;
	return -ERR_PEER;
}

static bool is_control(const struct websocket *ws)
{
	return ws->opcode & CONTROL;
}

/* RFC 6455 5.5: control frames are short and whole. */
static int check_control(struct websocket *ws)
{
	if (ws->opcode > WEBSOCKET_PONG)
		return fail(ws, WEBSOCKET_CODE_PROTOCOL, "websocket-opcode");
	if (!ws->fin)
		return fail(ws, WEBSOCKET_CODE_PROTOCOL, "websocket-control-fragmented");
	if (ws->left > WEBSOCKET_CONTROL_MAX)
		return fail(ws, WEBSOCKET_CODE_PROTOCOL, "websocket-control-length");
	if (ws->opcode == WEBSOCKET_CLOSE && ws->left == 1)
		return fail(ws, WEBSOCKET_CODE_PROTOCOL, "websocket-close-length");
	ws->control_size = 0;
	return 0;
}

/* RFC 6455 5.4: a message is one frame, or a first one and continuations. */
static int check_data(struct websocket *ws)
{
	if (ws->opcode == WEBSOCKET_TEXT)
		return fail(ws, WEBSOCKET_CODE_KIND, "websocket-text");
	if (ws->opcode > WEBSOCKET_BINARY)
		return fail(ws, WEBSOCKET_CODE_PROTOCOL, "websocket-opcode");
	if (ws->inside != (ws->opcode == WEBSOCKET_CONTINUATION))
		return fail(ws, WEBSOCKET_CODE_PROTOCOL, "websocket-continuation");
	if (!ws->inside)
		ws->message_octets = ws->message_frames = 0;
	ws->message_frames++;
	if (ws->left > WEBSOCKET_FRAME_MAX ||
	    ws->message_octets + ws->left > WEBSOCKET_MESSAGE_MAX ||
	    ws->message_frames > WEBSOCKET_FRAMES_MAX)
		return fail(ws, WEBSOCKET_CODE_TOO_BIG, "websocket-length");
	ws->message_octets += ws->left;
	ws->inside = !ws->fin;
	return 0;
}

/* RFC 6455 5.2: the shortest form of a length is the only one. */
static int read_length(struct websocket *ws, struct reader *r, uint8_t form)
{
	uint64_t least = 0;

	if (form == LENGTH_16) {
		ws->left = reader_be16(r);
		least = SHORT_MAX + 1;
	} else if (form == LENGTH_64) {
		ws->left = reader_be64(r);
		least = UINT64_C(1) << 16;
	} else {
		ws->left = form;
	}
	if (r->failed)
		return -ERR_TRUNCATED;
	if (ws->left < least || ws->left > INT64_MAX)
		return fail(ws, WEBSOCKET_CODE_PROTOCOL, "websocket-length-form");
	return 0;
}

/* Return: 0; -ERR_TRUNCATED, with nothing taken; -ERR_PEER. What is wrong with the first two octets
 * is said before the rest has come. */
static int read_head(struct websocket *ws, struct reader *r)
{
	struct reader ahead = *r;
	uint8_t first = reader_u8(&ahead), second = reader_u8(&ahead);
	struct span mask;
	int err;

	if (ahead.failed)
		return -ERR_TRUNCATED;
	if (first & RESERVED)
		return fail(ws, WEBSOCKET_CODE_PROTOCOL, "websocket-reserved-bits");
	if (!(second & MASKED))
		return fail(ws, WEBSOCKET_CODE_PROTOCOL, "websocket-unmasked");
	ws->fin = first & FIN;
	ws->opcode = first & OPCODE;
	err = read_length(ws, &ahead, (uint8_t)(second & ~MASKED));
	if (err < 0)
		return err;
	mask = reader_span(&ahead, sizeof(ws->mask));
	if (ahead.failed)
		return -ERR_TRUNCATED;
	memcpy(ws->mask, mask.data, sizeof(ws->mask));
	ws->mask_at = 0;
	ws->state = STATE_PAYLOAD;
	*r = ahead;
	return is_control(ws) ? check_control(ws) : check_data(ws);
}

/* Unmask as much of the frame as there is and as there is room for. */
static void read_payload(struct websocket *ws, struct reader *r, uint8_t *to, size_t room)
{
	size_t size = reader_left(r) < room ? reader_left(r) : room;
	struct span from;

	size = size < ws->left ? size : (size_t)ws->left;
	from = reader_span(r, size);
	for (size_t i = 0; i < size; i++)
		to[i] = from.data[i] ^ ws->mask[ws->mask_at++ % 4];
	ws->mask_at %= 4;
	ws->left -= size;
}

static int read_control(struct websocket *ws, struct reader *r)
{
	uint64_t before = ws->left;

	read_payload(ws, r, ws->control + ws->control_size, sizeof(ws->control) - ws->control_size);
	ws->control_size += before - ws->left;
	if (ws->left > 0)
		return WEBSOCKET_MORE;
	ws->state = ws->opcode == WEBSOCKET_CLOSE ? STATE_CLOSED : STATE_HEAD;
	if (ws->opcode == WEBSOCKET_PING)
		return WEBSOCKET_PINGED;
	return ws->opcode == WEBSOCKET_CLOSE ? WEBSOCKET_CLOSED : WEBSOCKET_MORE;
}

static void read_data(struct websocket *ws, struct reader *r, struct writer *out)
{
	uint64_t before = ws->left;

	read_payload(ws, r, out->data + out->size, out->capacity - out->size);
	out->size += before - ws->left;
	if (ws->left == 0)
		ws->state = STATE_HEAD;
}

int websocket_next(struct websocket *ws, struct reader *r, struct writer *out)
{
	int event = WEBSOCKET_MORE;

	while (event == WEBSOCKET_MORE && ws->state < STATE_FAILED) {
		if (ws->state == STATE_HEAD)
			event = read_head(ws, r);
		if (event < 0)
			return event == -ERR_TRUNCATED ? WEBSOCKET_MORE : event;
		if (is_control(ws))
			event = read_control(ws, r);
		else
			read_data(ws, r, out);
		if (ws->state == STATE_PAYLOAD)
			return WEBSOCKET_MORE;
	}
	if (ws->state == STATE_FAILED)
		return -ERR_PEER;
	return ws->state == STATE_CLOSED ? WEBSOCKET_CLOSED : event;
}

void websocket_head(struct writer *w, enum websocket_opcode opcode, uint64_t octets)
{
	writer_u8(w, (uint8_t)(FIN | opcode));
	if (octets <= SHORT_MAX) {
		writer_u8(w, (uint8_t)octets);
	} else if (octets <= UINT16_MAX) {
		writer_u8(w, LENGTH_16);
		writer_be16(w, (uint16_t)octets);
	} else {
		writer_u8(w, LENGTH_64);
		writer_be64(w, octets);
	}
}

void websocket_close(struct writer *w, uint16_t code, const char *reason)
{
	websocket_head(w, WEBSOCKET_CLOSE, 2 + strlen(reason));
	writer_be16(w, code);
	writer_text(w, reason);
}
