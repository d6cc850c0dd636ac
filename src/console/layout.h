/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text on its way to the screen: tables with columns that fit Japanese, and the filters behind '|'.
 * Pure. */
#ifndef SEKISHO_CONSOLE_LAYOUT_H
#define SEKISHO_CONSOLE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define LAYOUT_CELLS_MAX   12
#define LAYOUT_FILTERS_MAX 4
#define LAYOUT_WORD_BYTES  128
#define LAYOUT_NAME_BYTES  64

/* Rows as they come in: cells NUL-terminated, one after the other. */
struct layout_table {
	struct bytes rows; /* for each: count of cells, heading flag, cells */
	size_t widths[LAYOUT_CELLS_MAX];
	bool ambiguous_wide;
	bool continues; /* the next row goes on with the last cell of the one before */
};

/* @limit_bytes: of all rows together; what comes later is left out and `rows.failed` set. */
void layout_table_init(struct layout_table *table, size_t limit_bytes, bool ambiguous_wide);
void layout_table_fini(struct layout_table *table);

/**
 * layout_table_add - one row
 * @text:       @cell_count NUL-terminated texts; the caller has checked that they lie in it
 * @cell_count: 0..LAYOUT_CELLS_MAX
 */
void layout_table_add(struct layout_table *table, const char *text, size_t cell_count,
		      bool heading);

/* Go on with the last cell that was added, which is its row's last. @text: NUL-terminated */
void layout_table_continue(struct layout_table *table, const char *text);

/* All rows, columns aligned, two blanks between them, a rule below the heading. Return: 0 or
 * -ERR_NO_MEMORY: there was no room for all, in @out or in @table before; what there was is in
 * @out. */
int layout_table_print(struct bytes *out, const struct layout_table *table);

enum layout_filter_kind { FILTER_MATCH, FILTER_EXCEPT, FILTER_COUNT };

struct layout_filter {
	enum layout_filter_kind kind;
	char word[LAYOUT_WORD_BYTES]; /* searched for, ASCII letters without case */
};

struct layout_pipe {
	struct layout_filter filters[LAYOUT_FILTERS_MAX];
	size_t count;
	bool no_more; /* do not stop at full pages */
	bool cut;     /* the text that comes is not all of it: no file is made of that */
	char usb[LAYOUT_NAME_BYTES]; /* onto a memory stick under this name; empty: to the screen */
};

/**
 * layout_pipe_split - take "| match X | count | no-more | usb NAME" off the end of a command
 * @line: cut at the first '|' outside quotes
 * Return: 0; -ERR_SYNTAX for an unknown filter, one without its word, or too many.
 */
int layout_pipe_split(struct layout_pipe *pipe, char *line);

/* Send @text through the filters. Return: 0 or -ERR_NO_MEMORY. */
int layout_pipe_run(struct bytes *out, const struct layout_pipe *pipe, struct span text);

#endif
