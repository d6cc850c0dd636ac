/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last step before anything is written: UTF-8 becomes the text that the mail verifier accepts.
 * What may not stand there is shown (control characters as [1B], private use as a geta mark with
 * the code) or, where it is invisible, left out and counted.
 */
#ifndef SEKISHO_WIRE_TEXT_CLEAN_H
#define SEKISHO_WIRE_TEXT_CLEAN_H

#include <stdbool.h>

#include "base/buf.h"

/* A longer line is broken: below MAIL_LINE_MAX by what finishes a character, and by a mark of the
 * caller's. */
#define TEXT_WRAP_BYTES 960

struct text_report {
	uint64_t controls;  /* shown by their code */
	uint64_t invisible; /* left out: zero-width, joiners and selectors out of place, stacked
			       marks */
	uint64_t bidi;      /* left out: marks that change the direction of text */
	uint64_t gaiji;     /* private use, shown by code */
	uint64_t malformed; /* bytes that are not UTF-8, shown by code */
	uint64_t wrapped;   /* line breaks added */
};

/**
 * text_clean_lines - append a text of any number of lines
 * @prefix: put before each line; at most 200 bytes that the verifier accepts
 * CRLF, CR, LF, form feed and the Unicode line ends all end a line, as LF. The last line is ended
 * too.
 * Return: 0, -ERR_TOO_LONG or -ERR_NO_MEMORY.
 */
int text_clean_lines(struct span in, struct span prefix, struct bytes *out,
		     struct text_report *report);

/**
 * text_clean_line - append a text as part of one line: line ends, tabs and runs of spaces become
 * one space, none at the ends
 * @limit_bytes: what is beyond is cut, with an ellipsis
 * Return: 0, -ERR_TOO_LONG or -ERR_NO_MEMORY.
 */
int text_clean_line(struct span in, size_t limit_bytes, struct bytes *out,
		    struct text_report *report);

#endif
