/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SMTP command lines: strict line ends, verbs, paths and the parameters of MAIL. Pure; RFC 5321,
 * 1870, 6152, 6531. */
#ifndef SEKISHO_WIRE_SMTP_COMMAND_H
#define SEKISHO_WIRE_SMTP_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define SMTP_LINE_MAX   510 /* RFC 5321 4.5.3.1.4: 512 with CRLF */
#define SMTP_MAIL_EXTRA 53  /* what SIZE (26), BODY (17) and SMTPUTF8 (10) add to MAIL */
#define SMTP_LOCAL_MAX  64  /* RFC 5321 4.5.3.1.1 */
#define SMTP_DOMAIN_MAX 255 /* RFC 5321 4.5.3.1.2 */
#define SMTP_LABEL_MAX  63  /* RFC 1035 2.3.4 */
#define SMTP_PATH_MAX   254 /* RFC 5321 4.5.3.1.3: 256 with the brackets */
#define SMTP_PARAMS_MAX 8   /* parameters of one MAIL */

enum smtp_verb {
	SMTP_UNKNOWN,
	SMTP_EHLO,
	SMTP_HELO,
	SMTP_MAIL,
	SMTP_RCPT,
	SMTP_DATA,
	SMTP_RSET,
	SMTP_NOOP,
	SMTP_VRFY,
	SMTP_EXPN,
	SMTP_HELP,
	SMTP_QUIT,
	SMTP_STARTTLS,
	SMTP_AUTH,
	SMTP_BDAT,
	SMTP_VERB_COUNT_
};

struct smtp_line {
	enum smtp_verb verb;
	struct span argument; /* behind the verb, spaces trimmed; a view into the line */
};

/* What stands between < and >, checked. */
struct smtp_path {
	struct span text;   /* all of it; empty for the null path */
	struct span local;  /* as written, quotes included */
	struct span domain; /* empty for the null path and for bare "postmaster" */
	bool quoted;        /* the local part is a quoted string */
	bool literal;       /* the domain is an address literal, brackets included */
};

enum smtp_body { SMTP_BODY_7BIT, SMTP_BODY_8BITMIME };

struct smtp_mail {
	struct smtp_path path;
	bool has_size;
	bool utf8;           /* SMTPUTF8 was asked for */
	uint64_t size_bytes; /* SIZE= */
	enum smtp_body body; /* BODY=, 7BIT without */
};

/**
 * smtp_line_next - find the first complete line
 * @in:         what has arrived; borrowed
 * @line_bytes: longest line allowed, without CRLF
 * @line:       set to the line without CRLF, a view into @in
 * @taken:      set to the octets of the line with CRLF
 *
 * A line ends with CRLF only. A CR without LF, an LF without CR or a NUL anywhere in it is an
 * error: nothing that other software might take for a line end passes (SMTP smuggling). Return: 0;
 * -ERR_TRUNCATED (no line yet); -ERR_SYNTAX; -ERR_TOO_LONG.
 */
int smtp_line_next(struct span in, size_t line_bytes, struct span *line, size_t *taken);

/**
 * smtp_line_parse - split one command line into verb and argument
 * @line: bytes without CRLF; borrowed
 * @out:  views into @line; a verb that we do not know is SMTP_UNKNOWN
 * Return: 0; -ERR_SYNTAX (control character, no verb); -ERR_TOO_LONG (past SMTP_LINE_MAX; MAIL:
 * SMTP_MAIL_EXTRA more).
 */
int smtp_line_parse(struct span line, struct smtp_line *out);

/**
 * smtp_domain_check - is this a domain or an address literal (RFC 5321 4.1.2, 4.1.3)
 * @literal: set where it is a literal; may be NULL
 * @utf8:    U-labels are allowed (RFC 6531)
 * An underscore in a label is let pass: host names of offices have it.
 * Return: 0, -ERR_SYNTAX or -ERR_TOO_LONG.
 */
int smtp_domain_check(struct span domain, bool utf8, bool *literal);

/**
 * smtp_path_parse - check what stands between the brackets of a path
 * @text: without the brackets; empty is the null path
 * @utf8: non-ASCII is allowed where it is well-formed UTF-8
 * Source routes ("@a:b@c") are an error: RFC 5321 C lets a server refuse them.
 * Return: 0, -ERR_SYNTAX or -ERR_TOO_LONG.
 */
int smtp_path_parse(struct span text, bool utf8, struct smtp_path *out);

/**
 * smtp_mail_parse - the argument of MAIL: "FROM:<path> parameters"
 * Return: 0; -ERR_SYNTAX; -ERR_TOO_LONG; -ERR_RANGE (a value, or a parameter given twice);
 * -ERR_UNSUPPORTED (parameter).
 */
int smtp_mail_parse(struct span argument, struct smtp_mail *out);

/**
 * smtp_rcpt_parse - the argument of RCPT: "TO:<path>"; no parameter is known
 * @utf8: the transaction has SMTPUTF8
 * Return: 0; -ERR_SYNTAX (also for the null path); -ERR_TOO_LONG; -ERR_UNSUPPORTED (parameter).
 */
int smtp_rcpt_parse(struct span argument, bool utf8, struct smtp_path *out);

/**
 * smtp_path_reroutes - would the local part make a next hop send the mail elsewhere
 * "user%other@here", "other!user@here", "\"user@other\"@here": an old way around relay checks.
 */
bool smtp_path_reroutes(const struct smtp_path *path);

#endif
