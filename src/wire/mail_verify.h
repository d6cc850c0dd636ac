/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mail verifier: accepts exactly the sanitised-mail grammar, which is all that the gateway
 * ever sends on. Small, without heap, without recursion and without any dependency on the rest of
 * the tree, so that it can be proved.
 *
 *   message     = fields empty-line body
 *   fields      = lines of at most 998 octets of printable ASCII; a folded line begins with one
 *                 space and never ends with one; each field at most once, in the order of the
 *                 table in mail_verify.c, the required ones present
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

#define MAIL_LINE_MAX         998  /* octets without line end, RFC 5322 2.1.1 */
#define MAIL_WORD_MAX         75   /* octets of an encoded word, RFC 2047 2 */
#define MAIL_WORD_LINE_MAX    76   /* octets of a line that holds one, RFC 2047 2 */
#define MAIL_HEADER_LINES_MAX 1000 /* lines of all fields together */
#define MAIL_ID_BYTES         20   /* a receipt id: lower-case hexadecimal digits */

/* What may follow depends on the character before it only by these kinds. */
enum mail_text_before {
	MAIL_TEXT_OTHER,
	MAIL_TEXT_HAN,        /* a CJK ideograph: variation selectors 1 to 3 and IVS may follow */
	MAIL_TEXT_EMOJI,      /* variation selectors 15 and 16 and a joiner may follow */
	MAIL_TEXT_EMOJI_DONE, /* emoji with its selector: a joiner may follow */
	MAIL_TEXT_KEYCAP,     /* 0-9 # *: variation selectors 15 and 16 may follow */
	MAIL_TEXT_JOINER      /* an emoji must follow */
};

/**
 * mail_text_step - may this character follow?
 * @before: what came before; starts as MAIL_TEXT_OTHER at each line; set to what this character is
 * @c: a code point, not a line end
 * Return: true where the body may hold it here. At the end of a line @before must not be
 * MAIL_TEXT_JOINER.
 */
bool mail_text_step(enum mail_text_before *before, uint32_t c);

/* A strict UTF-8 decoder of one character at a time that feeds mail_text_step. */
struct mail_text {
	uint32_t c;     /* code point being built */
	uint32_t low;   /* the least that its length may encode */
	uint8_t need;   /* continuation bytes still to come */
	uint8_t before; /* enum mail_text_before */
};

/* Everything that the verifier remembers between lines. */
struct mail_verify {
	uint64_t line;         /* number of the line last pushed, from 1 */
	const char *reason;    /* fixed text, NULL while all conforms */
	struct mail_text text; /* the body's characters */
	uint32_t header_lines;
	uint32_t slots;        /* bit set of the fields seen */
	uint32_t quantum;      /* base64 body: bits not yet decoded */
	uint16_t count;        /* octets of the current element: local part, domain, id */
	uint16_t decoded_line; /* base64 body: octets of the decoded line so far */
	uint8_t row;           /* row of the current field in the table, plus one; 0: none yet */
	uint8_t part;          /* state of the current field's own grammar */
	bool in_body;
	bool base64;    /* the body is base64 */
	bool padded;    /* base64 body: its last quantum has been seen */
	bool carriage;  /* base64 body: the octet before was CR */
	bool body_seen; /* the body has a line that is not empty */
};

void mail_verify_init(struct mail_verify *v);

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

/* Why it was refused: fixed English text; NULL where all conforms so far. */
const char *mail_verify_reason(const struct mail_verify *v);

#endif
