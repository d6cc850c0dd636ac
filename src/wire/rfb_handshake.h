/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The RFB handshake (RFC 6143 7.1 to 7.3, versions 3.3, 3.7, 3.8) from both ends, as pure state
 * machines: rfb_greeter serves viewers, rfb_caller logs in at desktops. Reason strings of a desktop
 * are never read: a failure ends the session at once. A desktop's name is dropped in chunks and its
 * length capped.
 */
#ifndef SEKISHO_WIRE_RFB_HANDSHAKE_H
#define SEKISHO_WIRE_RFB_HANDSHAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "wire/rfb.h"

/* Room that one step may need in its writer. */
#define RFB_HANDSHAKE_WRITE_MAX 128

enum rfb_handshake_event {
	RFB_HANDSHAKE_MORE, /* give more bytes */
	RFB_HANDSHAKE_DONE, /* messages follow */
	RFB_HANDSHAKE_SIZE, /* greeter: the client is in; give its size to rfb_greeter_size and go
			       on */
};

/* Towards a viewer, as a server. */
struct rfb_greeter {
	unsigned state;
	unsigned minor;    /* protocol version 3.minor: 3, 7 or 8 */
	const char *fault; /* fixed text, set with an error */
};

/* Write the server's version; the first thing on the connection. */
void rfb_greeter_init(struct rfb_greeter *g, struct writer *out);

/**
 * rfb_greeter_next - take what the client sent, answer it
 * @r: all bytes not taken yet; r->at moves behind what was taken
 * @out: with room for RFB_HANDSHAKE_WRITE_MAX; also after an error it may hold bytes that are to be
 * sent before closing
 * Return: an enum rfb_handshake_event; -ERR_SYNTAX, -ERR_UNSUPPORTED or -ERR_DENIED, then the
 * session ends.
 */
int rfb_greeter_next(struct rfb_greeter *g, struct reader *r, struct writer *out);

/* After RFB_HANDSHAKE_SIZE: write ServerInit with our own format and @name; messages follow. */
void rfb_greeter_size(struct rfb_greeter *g, uint16_t width_px, uint16_t height_px,
		      const char *name, struct writer *out);

/* Towards a desktop, as a client. */
struct rfb_caller {
	unsigned state;
	unsigned minor;
	uint32_t left;          /* bytes of the name, or security types, still to come */
	uint16_t width, height; /* as the desktop said: not checked; set with RFB_HANDSHAKE_DONE */
	const char *fault;
};

void rfb_caller_init(struct rfb_caller *c);

/**
 * rfb_caller_next - take what the desktop sent, answer it
 * Return: RFB_HANDSHAKE_MORE or _DONE; -ERR_SYNTAX (no RFB), -ERR_UNSUPPORTED (version; no security
 * type that we take), -ERR_DENIED (the desktop refused), -ERR_TOO_LONG (name above RFB_NAME_MAX).
 */
int rfb_caller_next(struct rfb_caller *c, struct reader *r, struct writer *out);

#endif
