/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frame of a sanitised mail that carries files: which line may follow which. Used by the mail
 * verifier, which judges the content; as small as that and as free of everything else.
 *
 *   parts   = delimiter text-type encoding empty-line content 1*20 file "--sekisho-part--"
 *   file    = delimiter (text-type | file-type) name encoding empty-line content
 *   delimiter = "--sekisho-part"
 *   text-type = "Content-Type: text/plain; charset=utf-8"
 *   file-type = "Content-Type: application/octet-stream"
 *   name      = "Content-Disposition: attachment; filename*=UTF-8''" 1*name-octet
 *               at most 240 octets once decoded: UTF-8 of the body's kind without tab and
 *               / \ : * ? " < > |, no dot or space first, ending in an extension of its type
 *   name-octet = A-Z a-z 0-9 . _ - as themselves, every other as "%" and two of 0-9 A-F
 *   encoding  = "Content-Transfer-Encoding: base64"
 *   content   = base64 in lines of 76, the last one shorter or equal; not empty. In text parts
 *               characters of the body's kind, lines ended by LF or CRLF; that of a file
 *               of any length, and a byte order mark may stand first
 *
 * No line of base64 begins with "-": the boundary needs nothing of the message to be safe from it.
 */
#ifndef SEKISHO_WIRE_MAIL_PARTS_H
#define SEKISHO_WIRE_MAIL_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/mail/text.h"

#define MAIL_FILES_MAX     20  /* of one message */
#define MAIL_FILE_NAME_MAX 240 /* octets of UTF-8 */

#define MAIL_PARTS_DELIMITER "--sekisho-part"
#define MAIL_PARTS_CLOSE     "--sekisho-part--"
#define MAIL_PARTS_TYPE      "multipart/mixed; boundary=\"sekisho-part\""
#define MAIL_PARTS_TEXT      "Content-Type: text/plain; charset=utf-8"
#define MAIL_PARTS_FILE      "Content-Type: application/octet-stream"
#define MAIL_PARTS_NAME      "Content-Disposition: attachment; filename*=UTF-8''"
#define MAIL_PARTS_ENCODING  "Content-Transfer-Encoding: base64"

/* What the next line must be. */
enum mail_parts_state {
	MAIL_PARTS_AT_FIRST, /* the first delimiter */
	MAIL_PARTS_AT_TYPE,
	MAIL_PARTS_AT_NAME,
	MAIL_PARTS_AT_ENCODING,
	MAIL_PARTS_AT_EMPTY,
	MAIL_PARTS_AT_CONTENT, /* or, behind a line of it, a delimiter */
	MAIL_PARTS_AT_END      /* none */
};

struct mail_parts {
	uint8_t state;  /* enum mail_parts_state */
	uint8_t count;  /* parts begun: the text, then files */
	bool texts;     /* files that are text may pass */
	bool files;     /* any files may pass */
	bool opaque;    /* the current part is of the file type */
	bool filled;    /* it has a line of content */
	bool last_line; /* that line was shorter than 76: no other follows */
};

/**
 * mail_parts_line - take the next line of the frame or of a content
 * @line:    without its end; borrowed
 * @content: set to whether it is a line of base64, which the caller judges
 * Return: NULL, or why it may not stand there: fixed text.
 */
const char *mail_parts_line(struct mail_parts *p, const uint8_t *line, size_t size_bytes,
			    bool *content);

/**
 * mail_parts_take_name - may a file of this name pass
 * @opaque: as a file of any kind, not as text
 */
bool mail_parts_take_name(const uint8_t *name, size_t size_bytes, bool opaque);

/* Whether an octet of a name stands for itself, rather than as "%" and its code. */
bool mail_parts_is_plain(uint8_t c);

#endif
