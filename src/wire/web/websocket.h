/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WebSocket frames (RFC 6455 5), as a server that carries a stream of bytes in binary messages: a
 * reader that unmasks what a browser sends, and the heads of the frames that it is sent. Where
 * messages and frames end means nothing to the stream and is not kept.
 */
#ifndef SEKISHO_WIRE_WEB_WEBSOCKET_H
#define SEKISHO_WIRE_WEB_WEBSOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define WEBSOCKET_CONTROL_MAX 125     /* octets of a ping, pong or close (RFC 6455 5.5) */
#define WEBSOCKET_FRAME_MAX   65536   /* octets of one frame from the browser */
#define WEBSOCKET_MESSAGE_MAX 1048576 /* ... of one message, in however many frames */
#define WEBSOCKET_FRAMES_MAX  1024    /* of one message */
#define WEBSOCKET_HEAD_MAX    10      /* of a frame to the browser */

enum websocket_opcode {
	WEBSOCKET_CONTINUATION = 0,
	WEBSOCKET_TEXT = 1,
	WEBSOCKET_BINARY = 2,
	WEBSOCKET_CLOSE = 8,
	WEBSOCKET_PING = 9,
	WEBSOCKET_PONG = 10,
};

/* RFC 6455 7.4.1. */
enum websocket_code {
	WEBSOCKET_CODE_NORMAL = 1000,
	WEBSOCKET_CODE_PROTOCOL = 1002,
	WEBSOCKET_CODE_KIND = 1003, /* text, where only bytes are taken */
	WEBSOCKET_CODE_TOO_BIG = 1009,
};

enum websocket_event {
	WEBSOCKET_MORE,   /* all that there was is taken, or the stream's room is full */
	WEBSOCKET_PINGED, /* answer with `control` */
	WEBSOCKET_CLOSED, /* the browser says good-bye: nothing more follows */
};

struct websocket {
	unsigned state;
	uint8_t opcode;          /* of the frame being read */
	bool fin;                /* it ends its message */
	bool inside;             /* a message has begun and not ended */
	uint64_t left;           /* octets of the frame still to come */
	uint64_t message_octets; /* of the message so far */
	unsigned message_frames;
	uint8_t mask[4];
	unsigned mask_at;
	uint8_t control[WEBSOCKET_CONTROL_MAX]; /* content of a ping or close */
	size_t control_size;
	const char *fault;        /* fixed text, set with an error */
	enum websocket_code code; /* to close with, then */
};

void websocket_init(struct websocket *ws);

/**
 * websocket_next - take frames
 * @r:   what has come and was not taken; r->at moves
 * @out: the stream; where it has no room, frames wait
 * Return: an enum websocket_event; -ERR_PEER (ws->fault, ws->code) for what RFC 6455 forbids a
 * client, for text, and past a limit above: the connection ends.
 */
int websocket_next(struct websocket *ws, struct reader *r, struct writer *out);

/**
 * websocket_head - the head of a frame to the browser: whole, unmasked
 * @w: with room for WEBSOCKET_HEAD_MAX
 */
void websocket_head(struct writer *w, enum websocket_opcode opcode, uint64_t octets);

/**
 * websocket_close - a whole close frame
 * @reason: at most 123 octets of UTF-8
 * @w: with room for 2 + WEBSOCKET_CONTROL_MAX
 */
void websocket_close(struct writer *w, uint16_t code, const char *reason);

#endif
