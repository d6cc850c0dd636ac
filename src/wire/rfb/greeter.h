/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The RFB handshake towards a viewer (RFC 6143 7.1 to 7.3, versions 3.3, 3.7, 3.8), as a pure state
 * machine: security type None, or VeNCrypt (type 19, version 0.2) with one X509 subtype. Exactly
 * one type and one subtype are offered, and nothing else is taken: in particular never type 16
 * (Tight), which brings file transfer. TLS itself and the judgement of a login are the caller's.
 * Inside of TLS that stands already (a browser's), the subtype Plain takes X509Plain's place.
 */
#ifndef SEKISHO_WIRE_RFB_GREETER_H
#define SEKISHO_WIRE_RFB_GREETER_H

#include <stdint.h>

#include "base/buf.h"
#include "wire/rfb/rfb.h"
#include "wire/rfb/handshake.h"

#define RFB_CREDENTIAL_MAX 1024 /* octets of a name or password; more ends the session */
/* The largest unit: both lengths, name and password, which are seen whole. */
#define RFB_GREETER_UNIT_MAX (8 + 2 * RFB_CREDENTIAL_MAX)

struct rfb_greeter {
	unsigned state;
	unsigned minor;             /* protocol version 3.minor: 3, 7 or 8 */
	enum rfb_subtype subtype;   /* that is asked of the viewer */
	const char *fault;          /* fixed text, set with an error */
	struct span name, password; /* with RFB_HANDSHAKE_LOGIN: views of what was taken last */
};

/* Write the server's version; the first thing on the connection. */
void rfb_greeter_init(struct rfb_greeter *g, enum rfb_subtype subtype, struct writer *out);

/**
 * rfb_greeter_next - take what the client sent, answer it
 * @r: all bytes not taken yet; r->at moves behind what was taken
 * @out: with room for RFB_HANDSHAKE_WRITE_MAX; also after an error it may hold bytes that are to be
 * sent before closing
 * Return: an enum rfb_handshake_event. RFB_HANDSHAKE_TLS: once @out is sent TLS begins; whatever
 * came in plain text behind it is a fault that rfb_greeter_secured tells. RFB_HANDSHAKE_LOGIN:
 * judge g->name and g->password (empty for X509None), then rfb_greeter_admit or _refuse.
 * -ERR_SYNTAX, -ERR_UNSUPPORTED, -ERR_DENIED, -ERR_TOO_LONG (a name or password above
 * RFB_CREDENTIAL_MAX): the session ends.
 */
int rfb_greeter_next(struct rfb_greeter *g, struct reader *r, struct writer *out);

/**
 * rfb_greeter_secured - TLS begins: what is read from now on came under it
 * @r: what came before and was not taken
 * Return: 0; -ERR_SYNTAX where there is something: a viewer waits for the answer before it speaks,
 * and plain text must never be read as if it had been protected.
 */
int rfb_greeter_secured(struct rfb_greeter *g, const struct reader *r);

/* After RFB_HANDSHAKE_LOGIN: the viewer is in, its ClientInit follows. */
void rfb_greeter_admit(struct rfb_greeter *g, struct writer *out);
/* After RFB_HANDSHAKE_LOGIN: one text, whatever the reason is. The session ends. */
void rfb_greeter_refuse(struct rfb_greeter *g, struct writer *out);

/* After RFB_HANDSHAKE_SIZE: write ServerInit with our own format and @name; messages follow. */
void rfb_greeter_size(struct rfb_greeter *g, uint16_t width_px, uint16_t height_px,
		      const char *name, struct writer *out);

#endif
