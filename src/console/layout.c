/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables and filters. */
#include "console/layout.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

#define GAP 2 /* blanks between columns */

void layout_table_init(struct layout_table *table, size_t limit_bytes, bool ambiguous_wide)
{
	*table = (struct layout_table){.ambiguous_wide = ambiguous_wide};
	bytes_init(&table->rows, limit_bytes);
}

void layout_table_fini(struct layout_table *table)
{
	bytes_fini(&table->rows);
}

void layout_table_add(struct layout_table *table, const char *text, size_t cell_count, bool heading)
{
	const char *end = text;
	size_t before = table->rows.size;

	if (cell_count > LAYOUT_CELLS_MAX)
		cell_count = LAYOUT_CELLS_MAX;
	for (size_t i = 0; i < cell_count; i++) {
		size_t width = utf8_columns(span_of(end), table->ambiguous_wide);

		if (width > table->widths[i])
			table->widths[i] = width;
		end += strlen(end) + 1;
	}
	if (bytes_append_u8(&table->rows, (uint8_t)cell_count) < 0 ||
	    bytes_append_u8(&table->rows, heading) < 0 ||
	    bytes_append(&table->rows, text, (size_t)(end - text)) < 0)
		table->rows.size = before; /* half a row cannot be printed; rows.failed tells */
}

void layout_table_continue(struct layout_table *table, const char *text)
{
	if (table->rows.failed || table->rows.size == 0)
		return;     /* what it goes on with was left out */
	table->rows.size--; /* its NUL; the width of a last cell is not looked at */
	if (bytes_append(&table->rows, text, strlen(text) + 1) < 0)
		table->rows.data[table->rows.size++] = '\0'; /* cut: where the NUL was */
}

static void print_blanks(struct bytes *out, size_t count)
{
	while (count-- > 0)
		(void)bytes_append_u8(out, ' ');
}

static void print_row(struct bytes *out, const struct layout_table *table, const char *cell,
		      size_t count)
{
	for (size_t i = 0; i < count; i++) {
		(void)bytes_append_text(out, cell);
		if (i + 1 < count)
			print_blanks(out,
				     table->widths[i] + GAP -
					     utf8_columns(span_of(cell), table->ambiguous_wide));
		cell += strlen(cell) + 1;
	}
	(void)bytes_append_u8(out, '\n');
}

static void print_rule(struct bytes *out, const struct layout_table *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < table->widths[i]; k++)
			(void)bytes_append_u8(out, '-');
		print_blanks(out, i + 1 < count ? GAP : 0);
	}
	(void)bytes_append_u8(out, '\n');
}

int layout_table_print(struct bytes *out, const struct layout_table *table)
{
	const char *at = (const char *)table->rows.data;
	const char *end = at + table->rows.size;

	while (at < end) {
		size_t count = (uint8_t)at[0];
		bool heading = at[1] != 0;

		at += 2;
		print_row(out, table, at, count);
		if (heading)
			print_rule(out, table, count);
		for (size_t i = 0; i < count; i++)
			at += strlen(at) + 1;
	}
	return out->failed || table->rows.failed ? -ERR_NO_MEMORY : 0;
}

/* ---- filters */

static const struct {
	const char *name;
	bool takes_word;
	enum layout_filter_kind kind;
} filter_names[] = {
	{"match", true, FILTER_MATCH},
	{"except", true, FILTER_EXCEPT},
	{"count", false, FILTER_COUNT},
};

static char *find_bar(char *line)
{
	bool quoted = false;

	for (; *line != '\0'; line++) {
		if (*line == '"')
			quoted = !quoted;
		else if (*line == '|' && !quoted)
			return line;
	}
	return NULL;
}

/* Blanks and one pair of quotes off both ends; in place. */
static char *trim(char *text)
{
	size_t size;

	text += strspn(text, " ");
	size = strlen(text);
	while (size > 0 && text[size - 1] == ' ')
		text[--size] = '\0';
	if (size >= 2 && text[0] == '"' && text[size - 1] == '"') {
		text[size - 1] = '\0';
		text++;
	}
	return text;
}

/* Where the output goes is said once. */
static int set_usb(struct layout_pipe *pipe, const char *name)
{
	if (name[0] == '\0' || pipe->usb[0] != '\0' || strlen(name) >= sizeof(pipe->usb))
		return -ERR_SYNTAX;
	snprintf(pipe->usb, sizeof(pipe->usb), "%s", name);
	return 0;
}

static int add_filter(struct layout_pipe *pipe, const char *name, const char *word)
{
	size_t size = strlen(name);

	if (size > 0 && strncmp("no-more", name, size) == 0 && word[0] == '\0') {
		pipe->no_more = true;
		return 0;
	}
	if (size > 0 && strncmp("usb", name, size) == 0)
		return set_usb(pipe, word);
	for (size_t i = 0; i < sizeof(filter_names) / sizeof(filter_names[0]); i++) {
		struct layout_filter *filter = &pipe->filters[pipe->count];

		if (size == 0 || strncmp(filter_names[i].name, name, size) != 0)
			continue;
		if (filter_names[i].takes_word != (word[0] != '\0') ||
		    pipe->count == LAYOUT_FILTERS_MAX || strlen(word) >= sizeof(filter->word))
			return -ERR_SYNTAX;
		filter->kind = filter_names[i].kind;
		snprintf(filter->word, sizeof(filter->word), "%s", word);
		pipe->count++;
		return 0;
	}
	return -ERR_SYNTAX;
}

/* "match X" -> name, word. */
static int parse_filter(struct layout_pipe *pipe, char *text)
{
	char *word;

	text = trim(text);
	word = text + strcspn(text, " ");
	if (*word != '\0')
		*word++ = '\0';
	return add_filter(pipe, text, trim(word));
}

int layout_pipe_split(struct layout_pipe *pipe, char *line)
{
	char *bar = find_bar(line);

	*pipe = (struct layout_pipe){0};
	while (bar != NULL) {
		char *text = bar + 1, *next = find_bar(text);

		*bar = '\0';
		if (next != NULL)
			*next = '\0';
		if (parse_filter(pipe, text) != 0)
			return -ERR_SYNTAX;
		bar = next;
	}
	return 0;
}

static bool contains(struct span text, struct span word)
{
	while (text.size >= word.size) {
		if (span_starts_nocase(text, word))
			return true;
		text.data++;
		text.size--;
	}
	return false;
}

static bool passes(const struct layout_filter *filter, struct span row)
{
	if (filter->kind == FILTER_COUNT)
		return true;
	return contains(row, span_of(filter->word)) == (filter->kind == FILTER_MATCH);
}

/* The next line of @rest, without its end. */
static struct span next_row(struct span *rest)
{
	const uint8_t *end = memchr(rest->data, '\n', rest->size);
	struct span row = {rest->data, end != NULL ? (size_t)(end - rest->data) : rest->size};
	size_t taken = row.size + (end != NULL ? 1 : 0);

	rest->data += taken;
	rest->size -= taken;
	return row;
}

int layout_pipe_run(struct bytes *out, const struct layout_pipe *pipe, struct span text)
{
	size_t counted = 0;
	bool counts = pipe->count > 0 && pipe->filters[pipe->count - 1].kind == FILTER_COUNT;

	while (text.size > 0) {
		struct span row = next_row(&text);
		bool kept = true;

		for (size_t i = 0; kept && i < pipe->count; i++)
			kept = passes(&pipe->filters[i], row);
		if (!kept)
			continue;
		counted++;
		if (!counts) {
			(void)bytes_append(out, row.data,
					   row.size); /* all errors are in out->failed */
			(void)bytes_append_u8(out, '\n');
		}
	}
	if (counts)
		(void)bytes_printf(out, "%zu\n", counted);
	return out->failed || pipe->cut ? -ERR_NO_MEMORY : 0;
}
