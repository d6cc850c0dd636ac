/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The RFB handshake (RFC 6143 7.1 to 7.3, versions 3.3, 3.7, 3.8), as pure state machines:
 * rfb_greeter (rfb_greeter.h) serves viewers, rfb_caller logs in at desktops. Reason strings of a
 * desktop are never read: a failure ends the session at once. A desktop's name is dropped in chunks
 * and its length capped.
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
	RFB_HANDSHAKE_MORE,  /* give more bytes */
	RFB_HANDSHAKE_DONE,  /* messages follow */
	RFB_HANDSHAKE_SIZE,  /* greeter: the client is in; give its size to rfb_greeter_size and go
				on */
	RFB_HANDSHAKE_TLS,   /* greeter: TLS begins here */
	RFB_HANDSHAKE_LOGIN, /* greeter: a name and a password are to be judged */
};

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
