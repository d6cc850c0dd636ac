/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Syslog messages (RFC 5424): written field by field into a caller's buffer, and taken apart again.
 */
#ifndef SEKISHO_WIRE_LOG_SYSLOG_H
#define SEKISHO_WIRE_LOG_SYSLOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* RFC 5424 6: the longest that the header fields may be; what is longer is cut there. */
#define SYSLOG_HOST_MAX       255
#define SYSLOG_APP_MAX        48
#define SYSLOG_PROCESS_MAX    128
#define SYSLOG_MESSAGE_ID_MAX 32
#define SYSLOG_NAME_MAX       32 /* of an element or a parameter */

/* One byte of a value takes at most this much of a message: a backslash, doubled, then x and two
 * digits. */
#define SYSLOG_VALUE_GROWTH 5

struct syslog_header {
	unsigned facility;    /* 0..23 */
	unsigned severity;    /* 0..7 */
	int64_t wall_ns;      /* since 1970, UTC */
	int32_t utc_offset_s; /* how the time is shown; whole minutes, within a day */
	const char *host;     /* NULL or empty: unknown, written as "-"; so below */
	const char *app;
	const char *process;
	const char *message_id;
};

/**
 * syslog_put_header - PRI, VERSION and the header fields, up to and with the blank before the
 * structured data Bytes that a header field may not have become "_".
 */
void syslog_put_header(struct writer *w, const struct syslog_header *header);

/* Begin a structured data element such as "sekisho@32473"; @id is our own text and valid. */
void syslog_put_element(struct writer *w, const char *id);

/**
 * syslog_put_param - one parameter, with whatever bytes
 * @name:  our own text and valid
 * @value: any bytes. The result is UTF-8 of one line and reversible: a backslash, a byte that is
 *         not UTF-8 and every character that a terminal would obey or hide (controls, bidirectional
 *         marks) become \xNN; RFC 5424 6.3.3 then escapes backslash, quote and bracket.
 */
void syslog_put_param(struct writer *w, const char *name, struct span value);
void syslog_put_param_number(struct writer *w, const char *name, uint64_t value);
void syslog_end_element(struct writer *w);

/* The free text; with a byte order mark where it is not plain ASCII (RFC 5424 6.4). @text is our
 * own and valid UTF-8. */
void syslog_put_text(struct writer *w, const char *text);

/* A message taken apart: views into it. */
struct syslog_view {
	unsigned facility;
	unsigned severity;
	struct span time; /* as written */
	struct span host;
	struct span app;
	struct span process;
	struct span message_id;
	struct span data; /* all elements with their brackets, or "-" */
	struct span text; /* without byte order mark; may be empty */
};

/**
 * syslog_parse - take one message apart
 * @line: without line end; borrowed as long as @out is used
 * Return: 0 or -ERR_SYNTAX (not RFC 5424; a header field too long; a control character).
 */
int syslog_parse(struct span line, struct syslog_view *out);

/**
 * syslog_time_s - the TIMESTAMP of a message as seconds since 1970, UTC (RFC 5424 6.2.3)
 * @time: as syslog_view has it; a part of a second is left out
 * Return: 0 or -ERR_SYNTAX (NILVALUE, or no such time).
 */
int syslog_time_s(struct span time, int64_t *out_s);

/**
 * syslog_param - the value of the first parameter @name, still escaped
 * Return: 0 or -ERR_NOT_FOUND.
 */
int syslog_param(const struct syslog_view *view, const char *name, struct span *value);

/* As syslog_param, for a decimal number. Return: 0, -ERR_NOT_FOUND, -ERR_SYNTAX or -ERR_RANGE (more
 * than 64 bits). */
int syslog_param_number(const struct syslog_view *view, const char *name, uint64_t *value);

#endif
