/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flattened message on its way through the sender: verified as it arrives, kept until it is
 * whole, then written out for the wire. The flattener that wrote it is taken to be broken into: not
 * one byte goes on before all of it was found to conform.
 */
#ifndef SEKISHO_MAIL_SENDER_FLAT_H
#define SEKISHO_MAIL_SENDER_FLAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/sha256.h"
#include "wire/mail/verify.h"

struct flat {
	struct bytes text; /* all that came; LF line ends */
	size_t line_at;    /* where the line begins that is not complete yet */
	struct mail_verify verify;
	struct sha256 hash;
	const char *fault; /* fixed text; NULL while it conforms */
};

void flat_init(struct flat *f, size_t limit_bytes);
void flat_fini(struct flat *f);

/**
 * flat_push - take the next bytes of the pipe
 * Return: 0; -ERR_INTEGRITY: the message does not conform (@fault says why) and never will.
 */
int flat_push(struct flat *f, struct span in);

/**
 * flat_finish - the pipe has ended
 * @size_bytes, @sha256: what the flattener says that it wrote
 * Return: 0: all conforms, and it is that message; -ERR_INTEGRITY (@fault says why).
 */
int flat_finish(struct flat *f, uint64_t size_bytes, const uint8_t sha256[SHA256_BYTES]);

/* Writes a finished message as content of DATA. */
struct flat_wire {
	const struct flat *flat;
	size_t at;
	bool to_base64; /* asked for: the next hop takes no 8-bit text */
	bool encoding;  /* the body is being encoded: the header said 8bit */
	bool in_body;
	bool lf_due; /* of a CRLF, the CR went into the encoded line before */
	bool ended;
};

/**
 * flat_wire_init - start writing
 * @to_base64: turn an 8bit body into base64 (RFC 2045 6.8, canonical CRLF)
 */
void flat_wire_init(struct flat_wire *w, const struct flat *flat, bool to_base64);

/**
 * flat_wire_next - append the next lines, with CRLF and dots stuffed, and at the end the final dot
 * line
 * @out: appended to until it holds at least @enough_bytes or the message has ended; nothing is
 *       appended behind the end
 * Return: 1 ended; 0 more; -ERR_NO_MEMORY or -ERR_TOO_LONG (@out).
 */
int flat_wire_next(struct flat_wire *w, struct bytes *out, size_t enough_bytes);

#endif
