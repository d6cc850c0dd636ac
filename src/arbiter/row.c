/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filling and sending rows. */
#include "arbiter/row.h"

#include <stdarg.h>
#include <stdio.h>

void row_begin(struct row *row, uint32_t number, uint32_t console)
{
	*row = (struct row){.body = {.number = number, .console = console}};
}

void row_cell(struct row *row, const char *format, ...)
{
	size_t left = sizeof(row->body.text) - row->used;
	va_list args;
	int size;

	if (row->body.cell_count == CONTROL_ROW_CELLS)
		return;
	va_start(args, format);
	size = vsnprintf(row->body.text + row->used, left, format, args);
	va_end(args);
	if (size < 0 || (size_t)size >= left)
		return;
	row->used += (size_t)size + 1;
	row->body.cell_count++;
}

int row_send(struct row *row, struct channel *control, uint32_t flags)
{
	row->body.flags = flags;
	return channel_send(control, CONTROL_ROW, &row->body, sizeof(row->body), NULL, 0);
}

int row_headings(struct row *row, struct channel *control, const char *const *cells, size_t count)
{
	for (size_t i = 0; i < count; i++)
		row_cell(row, "%s", cells[i]);
	return row_send(row, control, CONTROL_ROW_HEADING);
}
