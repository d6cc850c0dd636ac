/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The line editor. */
#include "console/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define CTRL(c)       ((c) & 0x1f)
#define ESCAPE        0x1b
#define DELETE        0x7f
#define COLUMNS_FIRST 80

void line_init(struct line *line, struct bytes *out)
{
	*line = (struct line){.out = out, .columns = COLUMNS_FIRST};
}

void line_fini(struct line *line)
{
	for (size_t i = 0; i < line->history_count; i++)
		free(line->history[i]);
	*line = (struct line){0};
}

/* ---- drawing; what does not fit the output's limit is lost with the output itself */

static void draw(struct line *line, const char *text)
{
	(void)bytes_append_text(line->out, text);
}

static void bell(struct line *line)
{
	draw(line, "\a");
}

struct place {
	unsigned row, column;
};

/* Where the terminal's cursor is after @text is drawn from @at on. */
static struct place place_after(const struct line *line, struct place at, const char *text,
				size_t size)
{
	struct span rest = {(const uint8_t *)text, size};
	uint32_t c;

	while (rest.size > 0) {
		size_t n = utf8_decode(rest, &c);
		unsigned width = n > 0 ? utf8_width(c, line->ambiguous_wide) : 1;

		n += n == 0;
		if (at.column + width > line->columns)
			at = (struct place){at.row + 1, 0};
		at.column += width;
		rest.data += n;
		rest.size -= n;
	}
	return at.column == line->columns ? (struct place){at.row + 1, 0} : at;
}

static struct place place_of(const struct line *line, size_t cursor)
{
	struct place prompt =
		place_after(line, (struct place){0, 0}, line->prompt, strlen(line->prompt));

	return place_after(line, prompt, line->text, cursor);
}

/* A terminal waits at the right margin until the next character: make it go on to the next row. */
static void leave_margin(struct line *line, struct place at)
{
	if (at.column == 0 && at.row > 0)
		draw(line, " \r");
}

static void move_to(struct line *line, struct place from, struct place to)
{
	if (from.row > to.row)
		(void)bytes_printf(line->out, "\033[%uA", from.row - to.row);
	draw(line, "\r");
	if (to.column > 0)
		(void)bytes_printf(line->out, "\033[%uC", to.column);
	line->row = to.row;
}

/* From the prompt's row on: everything anew. */
static void draw_all(struct line *line)
{
	struct place end = place_of(line, line->size);

	draw(line, line->prompt);
	(void)bytes_append(line->out, line->text, line->size);
	leave_margin(line, end);
	line->row = end.row;
	if (line->cursor < line->size)
		move_to(line, end, place_of(line, line->cursor));
}

static void refresh(struct line *line)
{
	move_to(line, (struct place){line->row, 0}, (struct place){0, 0});
	draw(line, "\033[J");
	draw_all(line);
}

void line_begin(struct line *line, const char *prompt)
{
	snprintf(line->prompt, sizeof(line->prompt), "%s", prompt);
	line->size = 0;
	line->cursor = 0;
	line->text[0] = '\0';
	line->history_at = line->history_count;
	line->row = 0;
	draw_all(line);
}

void line_redraw(struct line *line)
{
	line->row = 0;
	draw_all(line);
}

void line_leave(struct line *line)
{
	struct place end = place_of(line, line->size);

	while (line->row < end.row) {
		draw(line, "\n");
		line->row++;
	}
	draw(line, "\r\n");
}

/* ---- editing */

static bool continues_character(char c)
{
	return (c & 0xc0) == 0x80;
}

static size_t character_before(const struct line *line, size_t at)
{
	while (at > 0 && continues_character(line->text[at - 1]))
		at--;
	return at > 0 ? at - 1 : 0;
}

static size_t character_after(const struct line *line, size_t at)
{
	if (at == line->size)
		return at;
	do
		at++;
	while (at < line->size && continues_character(line->text[at]));
	return at;
}

void line_insert(struct line *line, const char *text, size_t size_bytes)
{
	struct place before = place_of(line, line->cursor), after;
	bool at_end = line->cursor == line->size;

	if (size_bytes > LINE_BYTES_MAX - line->size) {
		bell(line);
		return;
	}
	memmove(line->text + line->cursor + size_bytes, line->text + line->cursor,
		line->size - line->cursor + 1);
	memcpy(line->text + line->cursor, text, size_bytes);
	line->size += size_bytes;
	line->cursor += size_bytes;
	if (!at_end) {
		refresh(line);
		return;
	}
	(void)bytes_append(line->out, text, size_bytes);
	after = place_after(line, before, text, size_bytes);
	leave_margin(line, after);
	line->row = after.row;
}

static void cut(struct line *line, size_t from, size_t to)
{
	memmove(line->text + from, line->text + to, line->size - to + 1);
	line->size -= to - from;
	line->cursor = from;
	refresh(line);
}

static void move_cursor(struct line *line, size_t to)
{
	line->cursor = to;
	refresh(line);
}

static size_t word_before(const struct line *line)
{
	size_t at = line->cursor;

	while (at > 0 && line->text[at - 1] == ' ')
		at--;
	while (at > 0 && line->text[at - 1] != ' ')
		at--;
	return at;
}

/* ---- history */

static void replace_text(struct line *line, const char *text)
{
	snprintf(line->text, sizeof(line->text), "%s", text);
	line->size = strlen(line->text);
	line->cursor = line->size;
	refresh(line);
}

static void history_go(struct line *line, bool older)
{
	if (older ? line->history_at == 0 : line->history_at == line->history_count) {
		bell(line);
		return;
	}
	if (line->history_at == line->history_count)
		memcpy(line->kept, line->text, line->size + 1);
	if (older)
		line->history_at--;
	else
		line->history_at++;
	replace_text(line, line->history_at == line->history_count
				   ? line->kept
				   : line->history[line->history_at]);
}

void line_remember(struct line *line)
{
	char *copy;

	if (line->size == 0 || (line->history_count > 0 &&
				strcmp(line->history[line->history_count - 1], line->text) == 0))
		return;
	copy = strdup(line->text);
	if (copy == NULL)
		return;
	if (line->history_count == LINE_HISTORY_MAX) {
		free(line->history[0]);
		memmove(line->history, line->history + 1,
			(LINE_HISTORY_MAX - 1) * sizeof(line->history[0]));
		line->history_count--;
	}
	line->history[line->history_count++] = copy;
}

/* ---- keys */

static bool inside_quotes(const struct line *line)
{
	bool inside = false;

	for (size_t i = 0; i < line->cursor; i++) {
		if (line->text[i] == '\\' && inside && i + 1 < line->cursor)
			i++;
		else if (line->text[i] == '"')
			inside = !inside;
	}
	return inside;
}

static void key_home(struct line *line)
{
	move_cursor(line, 0);
}

static void key_end(struct line *line)
{
	move_cursor(line, line->size);
}

static void key_left(struct line *line)
{
	move_cursor(line, character_before(line, line->cursor));
}

static void key_right(struct line *line)
{
	move_cursor(line, character_after(line, line->cursor));
}

static void key_up(struct line *line)
{
	history_go(line, true);
}

static void key_down(struct line *line)
{
	history_go(line, false);
}

static void key_delete(struct line *line)
{
	cut(line, line->cursor, character_after(line, line->cursor));
}

static void key_backspace(struct line *line)
{
	if (line->cursor > 0)
		cut(line, character_before(line, line->cursor), line->cursor);
}

static void key_kill_before(struct line *line)
{
	cut(line, 0, line->cursor);
}

static void key_kill_after(struct line *line)
{
	cut(line, line->cursor, line->size);
}

static void key_kill_word(struct line *line)
{
	cut(line, word_before(line), line->cursor);
}

static void key_clear(struct line *line)
{
	draw(line, "\033[H\033[2J");
	line_redraw(line);
}

static const struct {
	uint8_t byte;
	void (*press)(struct line *line);
} control_keys[] = {
	{CTRL('A'), key_home},        {CTRL('B'), key_left},      {CTRL('E'), key_end},
	{CTRL('F'), key_right},       {CTRL('H'), key_backspace}, {CTRL('K'), key_kill_after},
	{CTRL('L'), key_clear},       {CTRL('N'), key_down},      {CTRL('P'), key_up},
	{CTRL('U'), key_kill_before}, {CTRL('W'), key_kill_word}, {DELETE, key_backspace},
};

static const struct {
	const char *sequence; /* behind the escape */
	void (*press)(struct line *line);
} escape_keys[] = {
	{"[A", key_up},      {"[B", key_down},  {"[C", key_right}, {"[D", key_left},
	{"[H", key_home},    {"[F", key_end},   {"[1~", key_home}, {"[4~", key_end},
	{"[3~", key_delete}, {"[7~", key_home}, {"[8~", key_end},  {"OA", key_up},
	{"OB", key_down},    {"OC", key_right}, {"OD", key_left},  {"OH", key_home},
	{"OF", key_end},
};

static enum line_event end_sequence(struct line *line)
{
	char *text = (char *)line->sequence + 1;
	unsigned row, column;
	char end;

	line->sequence[line->sequence_size] = '\0';
	line->sequence_size = 0;
	if (sscanf(text, "[%4u;%4u%c", &row, &column, &end) == 3 && end == 'R') {
		line->report_row = row;
		line->report_column = column;
		return LINE_REPORT;
	}
	for (size_t i = 0; i < sizeof(escape_keys) / sizeof(escape_keys[0]); i++) {
		if (strcmp(escape_keys[i].sequence, text) == 0)
			escape_keys[i].press(line);
	}
	return LINE_NONE;
}

/* ECMA-48 5.4: "[" parameters 30..3F, intermediates 20..2F, one final byte 40..7E; "O" and one
 * byte. */
static enum line_event feed_sequence(struct line *line, uint8_t byte)
{
	bool csi;

	if (line->sequence_size == LINE_SEQUENCE_BYTES - 1 || byte > 0x7e) {
		line->sequence_size = 0;
		return LINE_NONE;
	}
	line->sequence[line->sequence_size++] = byte;
	if (line->sequence_size == 2)
		return byte == '[' || byte == 'O' ? LINE_NONE : end_sequence(line);
	csi = line->sequence[1] == '[';
	return !csi || byte >= 0x40 ? end_sequence(line) : LINE_NONE;
}

/* Gather the bytes of one character. */
static void feed_text(struct line *line, uint8_t byte)
{
	static const uint8_t lead_sizes[16] = {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 3, 4};
	uint32_t c;
	size_t needed;

	line->sequence[line->sequence_size++] = byte;
	needed = lead_sizes[line->sequence[0] >> 4];
	if (needed > line->sequence_size)
		return;
	if (utf8_decode((struct span){line->sequence, line->sequence_size}, &c) ==
		    line->sequence_size &&
	    c >= 0x20 && (c < 0x7f || c > 0x9f))
		line_insert(line, (const char *)line->sequence, line->sequence_size);
	else
		bell(line);
	line->sequence_size = 0;
}

static enum line_event feed_control(struct line *line, uint8_t byte)
{
	for (size_t i = 0; i < sizeof(control_keys) / sizeof(control_keys[0]); i++) {
		if (control_keys[i].byte == byte)
			control_keys[i].press(line);
	}
	switch (byte) {
	case '\r':
	case '\n':
		return LINE_SUBMIT;
	case '\t':
		return LINE_COMPLETE;
	case CTRL('C'):
		return LINE_INTERRUPT;
	case CTRL('D'):
		if (line->size == 0)
			return LINE_END;
		key_delete(line);
		return LINE_NONE;
	case CTRL('V'):
		line->literal = true;
		return LINE_NONE;
	case ESCAPE:
		line->sequence[0] = ESCAPE;
		line->sequence_size = 1;
		return LINE_NONE;
	default:
		return LINE_NONE;
	}
}

/* What cannot belong to the sequence or character that is being gathered ends it: Ctrl-C always
 * works. */
static bool breaks_off(const struct line *line, uint8_t byte)
{
	if (line->sequence_size == 0)
		return false;
	return line->sequence[0] == ESCAPE ? byte < 0x20 : (byte & 0xc0) != 0x80;
}

enum line_event line_feed(struct line *line, uint8_t byte)
{
	bool after_return = line->after_return;

	line->after_return = byte == '\r';
	if (byte == '\n' && after_return)
		return LINE_NONE;
	if (breaks_off(line, byte))
		line->sequence_size = 0;
	if (line->sequence_size > 0 && line->sequence[0] == ESCAPE)
		return feed_sequence(line, byte);
	if (line->sequence_size == 0 && !line->literal) {
		if (byte < 0x20 || byte == DELETE)
			return feed_control(line, byte);
		if (byte == '?' && !inside_quotes(line))
			return LINE_HELP;
	}
	line->literal = false;
	feed_text(line, byte);
	return LINE_NONE;
}
