/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The RFB handshake (RFC 6143 7.1 to 7.3, versions 3.3, 3.7, 3.8), as pure state machines:
 * rfb_greeter (greeter.h) serves viewers, rfb_caller logs in at desktops. A caller takes the
 * one security type (and subtype of VeNCrypt) that it was set up for, and only where the desktop
 * has offered it: there is no second choice. Reason strings of a desktop are never read: a failure
 * ends the session at once. A desktop's name is dropped in chunks and its length capped.
 */
#ifndef SEKISHO_WIRE_RFB_HANDSHAKE_H
#define SEKISHO_WIRE_RFB_HANDSHAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "wire/rfb/rfb.h"

/* Room that one step may need in its writer. */
#define RFB_HANDSHAKE_WRITE_MAX 128
#define RFB_CHALLENGE_BYTES     16 /* of VncAuth */
#define RFB_OFFERED_MAX         16 /* types or subtypes that are kept for the record */

enum rfb_handshake_event {
	RFB_HANDSHAKE_MORE,  /* give more bytes */
	RFB_HANDSHAKE_DONE,  /* messages follow */
	RFB_HANDSHAKE_SIZE,  /* greeter: the client is in; give its size to rfb_greeter_size and go
				on */
	RFB_HANDSHAKE_TLS,   /* TLS begins here */
	RFB_HANDSHAKE_LOGIN, /* greeter: a name and a password are to be judged; caller: are wanted
			      */
};

/* Towards a desktop, as a client. */
struct rfb_caller {
	unsigned state;
	unsigned minor;
	enum rfb_security type;   /* the one that is taken */
	enum rfb_subtype subtype; /* of VeNCrypt */
	uint32_t left;            /* bytes of the name, or (sub)types, still to come */
	uint8_t challenge[RFB_CHALLENGE_BYTES];
	uint32_t offered[RFB_OFFERED_MAX]; /* the first types, or then subtypes, of the desktop */
	unsigned offered_count;            /* of all; may be above RFB_OFFERED_MAX */
	uint16_t width, height; /* as the desktop said: not checked; set with RFB_HANDSHAKE_DONE */
	const char *fault;
};

/**
 * rfb_caller_init - expect the desktop's version
 * @type:    RFB_SECURITY_NONE, _VNC_AUTH or _VENCRYPT
 * @subtype: with _VENCRYPT: RFB_SUBTYPE_X509_NONE or _X509_PLAIN; else RFB_SUBTYPE_NONE
 */
void rfb_caller_init(struct rfb_caller *c, enum rfb_security type, enum rfb_subtype subtype);

/**
 * rfb_caller_next - take what the desktop sent, answer it
 * @out: with room for RFB_HANDSHAKE_WRITE_MAX
 * Return: RFB_HANDSHAKE_MORE or _DONE; _TLS: rfb_caller_secured, then TLS, then go on within it;
 * _LOGIN: rfb_caller_login and go on; -ERR_SYNTAX (no RFB), -ERR_UNSUPPORTED (version),
 * -ERR_NOT_FOUND (our security type or subtype is not among those in @c->offered), -ERR_DENIED (the
 * desktop refused), -ERR_TOO_LONG (name above RFB_NAME_MAX).
 */
int rfb_caller_next(struct rfb_caller *c, struct reader *r, struct writer *out);

/**
 * rfb_caller_secured - after RFB_HANDSHAKE_TLS: what is read from now on came under TLS
 * @r: what came before and was not taken
 * Return: 0; -ERR_SYNTAX where there is something: nothing in plain text may be read as if the
 * verified desktop had said it.
 */
int rfb_caller_secured(struct rfb_caller *c, const struct reader *r);

/**
 * rfb_caller_login - after RFB_HANDSHAKE_LOGIN: write the answer to the challenge (VncAuth), or
 * name and password (X509Plain, within TLS)
 * @name:     not looked at for VncAuth
 * @password: VncAuth looks at its first RFB_VNC_PASSWORD_BYTES
 * @out:      with room for both and 8 bytes more; the caller wipes it once it is sent
 */
void rfb_caller_login(struct rfb_caller *c, struct span name, struct span password,
		      struct writer *out);

#endif
