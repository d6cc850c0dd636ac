/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mail verifier: accepts exactly the sanitised-mail grammar, which is all that the gateway
 * ever sends on. Small, without heap, without recursion and without any dependency on the rest of
 * the tree, so that it can be proved.
 *
 *   message     = fields empty-line body
 *               | fields empty-line parts: where files may pass (parts.h)
 *   fields      = lines of at most 998 octets of printable ASCII; a folded line begins with one
 *                 space and never ends with one; each field at most once, in the order of the
 *                 table in verify.c, the required ones present
 *   text        = printable ASCII and encoded words
 *   word        = "=?UTF-8?B?" base64 "?=", at most 75 octets, on a line of at most 76, set off
 *                 by spaces, holding whole characters of the body's kind but no tab; "=?" occurs
 *                 nowhere else
 *   mailboxes   = mailbox *("," SP mailbox)
 *   mailbox     = [phrase SP] "<" local "@" domain ">"
 *   phrase      = quoted string without backslash, or words separated by one space
 *   body        = lines of at most 998 octets of UTF-8, at least one of them not empty: no control
 *                 but tab, no bidi control, nothing invisible except inside emoji and variation
 *                 sequences, no noncharacter, no private use; or the same in base64
 */
#ifndef SEKISHO_WIRE_MAIL_VERIFY_H
#define SEKISHO_WIRE_MAIL_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/mail/parts.h"

#define MAIL_LINE_MAX         998  /* octets without line end, RFC 5322 2.1.1 */
#define MAIL_WORD_MAX         75   /* octets of an encoded word, RFC 2047 2 */
#define MAIL_WORD_LINE_MAX    76   /* octets of a line that holds one, RFC 2047 2 */
#define MAIL_HEADER_LINES_MAX 1000 /* lines of all fields together */
#define MAIL_ID_BYTES         20   /* a receipt id: lower-case hexadecimal digits */

/* Everything that the verifier remembers between lines. */
struct mail_verify {
	uint64_t line;         /* number of the line last pushed, from 1 */
	const char *reason;    /* fixed text, NULL while all conforms */
	struct mail_text text; /* the body's characters */
	struct mail_parts parts;
	uint32_t header_lines;
	uint32_t slots;        /* bit set of the fields seen */
	uint32_t quantum;      /* base64 body: bits not yet decoded */
	uint16_t count;        /* octets of the current element: local part, domain, id */
	uint16_t decoded_line; /* base64 body: octets of the decoded line so far */
	uint8_t row;           /* row of the current field in the table, plus one; 0: none yet */
	uint8_t part;          /* state of the current field's own grammar */
	bool in_body;
	uint8_t octets; /* of a part's content so far, decoded; counted to 4 */
	bool multipart; /* by Content-Type */
	bool seven_bit; /* by Content-Transfer-Encoding */
	bool base64;    /* the body is base64 */
	bool padded;    /* base64 body: its last quantum has been seen */
	bool carriage;  /* base64 body: the octet before was CR */
	bool body_seen; /* the body has a line that is not empty */
};

/* Text alone is accepted, */
void mail_verify_init(struct mail_verify *v);

/* unless this is called behind it: also files that are text, and any files. */
void mail_verify_allow(struct mail_verify *v, bool texts, bool files);

/**
 * mail_verify_line - check the next line
 * @line: the line without its end (LF or CRLF); borrowed
 * @size_bytes: any length; more than MAIL_LINE_MAX is refused
 * Return: 0, or -1: the message is refused, now and for every later line; mail_verify_reason says
 * why.
 */
int mail_verify_line(struct mail_verify *v, const uint8_t *line, size_t size_bytes);

/**
 * mail_verify_end - the message is complete
 * Return: 0 where the whole message conforms, else -1.
 */
int mail_verify_end(struct mail_verify *v);

/* How many files the message carries so far. */
unsigned mail_verify_files(const struct mail_verify *v);

/* Why it was refused: fixed English text; NULL where all conforms so far. */
const char *mail_verify_reason(const struct mail_verify *v);

#endif
