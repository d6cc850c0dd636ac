/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of the arbiter's answers to a console. */
#ifndef SEKISHO_ARBITER_ROW_H
#define SEKISHO_ARBITER_ROW_H

#include <stddef.h>
#include <stdint.h>

#include "base/channel.h"
#include "channel/control.h"

/* A row that is being filled. */
struct row {
	struct control_row body;
	size_t used;
};

/* @number, @console: of the question */
void row_begin(struct row *row, uint32_t number, uint32_t console);
/* Add a cell; one that does not fit is left out. */
void row_cell(struct row *row, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* @flags: CONTROL_ROW_x. Return: as channel_send. */
int row_send(struct row *row, struct channel *control, uint32_t flags);
/* A row of headings, after row_begin. */
int row_headings(struct row *row, struct channel *control, const char *const *cells, size_t count);

#endif
