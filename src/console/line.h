/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The line editor: bytes of a terminal in, events and drawing out. Pure: no descriptor, no clock.
 * Knows UTF-8, double-width characters and lines longer than the terminal is wide; draws a
 * character typed at the end as that character alone, so that a paste costs no more than its echo.
 */
#ifndef SEKISHO_CONSOLE_LINE_H
#define SEKISHO_CONSOLE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define LINE_BYTES_MAX      4000 /* of one line; what is typed beyond is refused with a bell */
#define LINE_HISTORY_MAX    100  /* lines kept */
#define LINE_PROMPT_BYTES   300
#define LINE_SEQUENCE_BYTES 24 /* of one escape sequence; longer ones are ignored */

enum line_event {
	LINE_NONE,
	LINE_SUBMIT,    /* a whole line is in text */
	LINE_COMPLETE,  /* Tab */
	LINE_HELP,      /* '?' outside quotes */
	LINE_INTERRUPT, /* Ctrl-C */
	LINE_END,       /* Ctrl-D on an empty line */
	LINE_REPORT,    /* the terminal told its cursor's place: report_row, report_column */
};

struct line {
	char text[LINE_BYTES_MAX + 1];
	size_t size, cursor; /* bytes; the cursor stands before text[cursor] */
	char prompt[LINE_PROMPT_BYTES];
	unsigned columns; /* of the terminal */
	bool ambiguous_wide;
	unsigned row; /* where the terminal's cursor is, in rows below the prompt's */
	unsigned report_row, report_column;
	struct bytes *out; /* drawing goes here */
	uint8_t sequence[LINE_SEQUENCE_BYTES];
	size_t sequence_size; /* of an escape sequence or a character that is not complete */
	bool literal;         /* Ctrl-V: the next byte is text */
	bool after_return;    /* a line feed now belongs to the carriage return before */
	char *history[LINE_HISTORY_MAX];
	size_t history_count, history_at;
	char kept[LINE_BYTES_MAX + 1]; /* the new line, while older ones are looked at */
};

/* @out: borrowed as long as @line. The terminal is taken as 80 columns wide. */
void line_init(struct line *line, struct bytes *out);
void line_fini(struct line *line);

/* Begin a new line: draws the prompt. */
void line_begin(struct line *line, const char *prompt);
/* Draw prompt and line again, on a fresh row. */
void line_redraw(struct line *line);
/* Move behind the line, so that other output can follow on a row of its own. */
void line_leave(struct line *line);

/**
 * line_feed - one byte from the terminal
 * Return: what it led to. After LINE_SUBMIT the text stays until line_begin.
 */
enum line_event line_feed(struct line *line, uint8_t byte);

/* Insert at the cursor; text that does not fit is refused with a bell. */
void line_insert(struct line *line, const char *text, size_t size_bytes);

/* Keep the line for the arrow keys; an empty one and the same twice are not kept. */
void line_remember(struct line *line);

#endif
