/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Header fields of a message or part (RFC 5322 2.2) and the parameters of their values (RFC
 * 2045 5.1, RFC 2231). */
#ifndef SEKISHO_WIRE_MIME_FIELD_H
#define SEKISHO_WIRE_MIME_FIELD_H

#include <stdbool.h>

#include "base/buf.h"
#include "wire/charset/charset.h"

#define MIME_FIELD_BYTES_MAX 65536 /* of one field's value: what is beyond is not read */
#define MIME_SEGMENTS_MAX    100   /* continuations of one parameter */
#define MIME_TYPE_BYTES      128   /* "type/subtype" with its NUL: a longer one is cut */

struct mime_field {
	struct span name;
	struct span value; /* as it stands, folds and all, without the last line end */
	bool cut;          /* the value was longer than MIME_FIELD_BYTES_MAX */
};

/**
 * mime_field_next - walk the fields of a header
 * @header: all fields, as mime_header_split leaves them
 * @at:	    where to go on; 0 at first; moved behind the field
 * Return: false at the end. Lines that are no field are passed over.
 */
bool mime_field_next(struct span header, size_t *at, struct mime_field *field);

/* The first field of this name (case does not matter). Return: false where there is none. */
bool mime_field_find(struct span header, const char *name, struct mime_field *field);

/* How many fields of this name there are. */
unsigned mime_field_count(struct span header, const char *name);

/**
 * mime_header_split - part a message, or a part, into its header and its body
 * @junk: set where the header ended at a line that is no field, which then belongs to the body
 */
void mime_header_split(struct span whole, struct span *header, struct span *body, bool *junk);

/* Append the value with its folds undone (line ends removed, the white space kept), trimmed.
 * Return: as bytes_append. */
int mime_value_unfold(struct span value, struct bytes *out);

/**
 * mime_value_type - the "type/subtype" or single token that a value begins with, in lower case
 * @out: at least MIME_TYPE_BYTES; "" where the value has no token
 */
void mime_value_type(struct span value, char *out);

/**
 * mime_value_param - a parameter's value as UTF-8, appended to @out
 * Continuations and percent encoding (RFC 2231) are joined and decoded once; encoded words (RFC
 * 2047) and raw bytes are decoded as in unstructured text. Where both forms stand, the one of RFC
 * 2231 is taken.
 * Return: 0; -ERR_NOT_FOUND; -ERR_TOO_LONG or -ERR_NO_MEMORY.
 */
int mime_value_param(struct span value, const char *name, struct bytes *out,
		     struct charset_report *report);

/* How many parameters of exactly this name, without RFC 2231 marks, there are. */
unsigned mime_value_param_count(struct span value, const char *name);

/*
 * The position behind a run of raw double-byte JIS that begins at @at with ESC $: its bytes look
 * like quotes and commas but are not. @at itself where none begins.
 */
size_t mime_skip_jis(struct span s, size_t at);

#endif
