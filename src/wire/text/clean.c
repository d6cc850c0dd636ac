/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From any UTF-8 to text of the sanitised form. Clean lines are copied whole; only others are
 * looked at by character. */
#include "wire/text/clean.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "wire/mail/verify.h"

enum {
	SHOWN_MAX = 16, /* bytes that one character becomes at most */
	MARKS_MAX = 4   /* over one character: a tower of them covers the lines around it */
};

static bool is_private(uint32_t c)
{
	return (c >= 0xE000 && c <= 0xF8FF) || c >= 0xF0000;
}

static bool is_nonchar(uint32_t c)
{
	return (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF);
}

static bool is_line_end(uint32_t c)
{
	return c == '\n' || c == '\r' || c == '\f' || c == '\v' || c == 0x2028 || c == 0x2029;
}

/* Must not be parted from the character before it: selectors, joiners, combining marks. */
static bool is_attached(uint32_t c)
{
	return (c >= 0x0300 && c <= 0x036F) || c == 0x200D || c == 0x20E3 || c == 0x3099 ||
	       c == 0x309A || (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0100 && c <= 0xE01EF) ||
	       (c >= 0x1F3FB && c <= 0x1F3FF);
}

/* What a forbidden character is shown as; "" where it is left out. Counts it. */
static void show_forbidden(uint32_t c, char shown[SHOWN_MAX], struct text_report *report)
{
	shown[0] = '\0';
	if (is_nonchar(c)) {
		report->controls++;
		(void)snprintf(shown, SHOWN_MAX, "[U+%X]", (unsigned)c);
	} else if (is_private(c)) {
		report->gaiji++;
		(void)snprintf(shown, SHOWN_MAX, "\u3013(U+%X)", (unsigned)c);
	} else if (c < 0x20 || (c >= 0x7F && c <= 0x9F)) {
		report->controls++;
		(void)snprintf(shown, SHOWN_MAX, "[%02X]", (unsigned)c);
	} else if (utf8_is_bidi_control(c)) {
		report->bidi++;
	} else {
		report->invisible++;
	}
}

/* A cursor over the input that decodes; malformed bytes come as code points of their own, marked.
 */
struct cursor {
	struct span in;
	size_t at;
};

static uint32_t cursor_next(struct cursor *cursor, bool *malformed)
{
	struct span rest = {cursor->in.data + cursor->at, cursor->in.size - cursor->at};
	uint32_t c = 0;
	size_t length = utf8_decode(rest, &c);

	*malformed = length == 0;
	cursor->at += length > 0 ? length : 1;
	return length > 0 ? c : rest.data[0];
}

/* The character behind the cursor, or 0 at the end. */
static uint32_t cursor_peek(const struct cursor *cursor)
{
	struct cursor ahead = *cursor;
	bool malformed;

	return ahead.at < ahead.in.size ? cursor_next(&ahead, &malformed) : 0;
}

/* May a joiner after @before stand, given what comes next? Only between two emoji. */
static bool joiner_fits(enum mail_text_before before, uint32_t next)
{
	return mail_text_step(&before, 0x200D) && mail_text_step(&before, next) && next >= 0x2190;
}

/* The line being written. */
struct line {
	struct bytes *out;
	struct span prefix;
	struct text_report *report;
	size_t begin;   /* where it starts in out */
	size_t bad_end; /* behind the bracket of the last malformed byte, to join neighbours */
	enum mail_text_before before;
	unsigned marks; /* that take no room of their own, in a row */
};

static int line_begin(struct line *line)
{
	line->begin = line->out->size;
	line->before = MAIL_TEXT_OTHER;
	line->marks = 0;
	return bytes_append(line->out, line->prefix.data, line->prefix.size);
}

static int line_break(struct line *line)
{
	int err = bytes_append_u8(line->out, '\n');

	line->report->wrapped++;
	return err < 0 ? err : line_begin(line);
}

/* A byte that is not UTF-8, as "[XX]"; joined to the ones just before. */
static int put_malformed(struct line *line, uint8_t byte)
{
	bool joins = line->bad_end > line->begin && line->bad_end == line->out->size;
	char shown[SHOWN_MAX];
	int err;

	line->report->malformed++;
	line->before = MAIL_TEXT_OTHER;
	line->out->size -= joins; /* the bracket */
	(void)snprintf(shown, sizeof(shown), "%c%02X]", joins ? ' ' : '[', byte);
	err = bytes_append_text(line->out, shown);
	line->bad_end = line->out->size;
	return err;
}

/* Append one character of the input in its shown form. */
static int line_put(struct line *line, struct cursor *cursor, size_t begin, uint32_t c,
		    bool malformed)
{
	char shown[SHOWN_MAX] = "";
	bool joiner = c == 0x200D && !malformed;
	size_t length = line->out->size - line->begin;
	bool good;
	int err;

	if (length > TEXT_WRAP_BYTES - SHOWN_MAX - 8 && (malformed || !is_attached(c)) &&
	    line->before != MAIL_TEXT_JOINER) {
		err = line_break(line);
		if (err < 0)
			return err;
	}
	line->marks = !malformed && utf8_width(c, false) == 0 ? line->marks + 1 : 0;
	if (malformed)
		return put_malformed(line, (uint8_t)c);
	/* What is attached may not grow a line for ever either; but what a joiner waits for comes.
	 */
	if (line->before != MAIL_TEXT_JOINER &&
	    (line->marks > MARKS_MAX || (is_attached(c) && length > TEXT_WRAP_BYTES - 8)))
		joiner = good = false;
	else
		good = !joiner || joiner_fits(line->before, cursor_peek(cursor));
	if (good) {
		enum mail_text_before before = line->before;

		good = mail_text_step(&before, c);
		if (good) {
			line->before = before;
			return bytes_append(line->out, cursor->in.data + begin, cursor->at - begin);
		}
	}
	show_forbidden(c, shown, line->report);
	if (shown[0] == '\0') /* left out: what follows joins what came before */
		return 0;
	line->before = MAIL_TEXT_OTHER;
	return bytes_append_text(line->out, shown);
}

/* A line with something in it that needs a look. */
static int clean_slowly(struct span in, struct span prefix, struct bytes *out,
			struct text_report *report)
{
	struct line line = {.out = out, .prefix = prefix, .report = report};
	struct cursor cursor = {in, 0};
	int err = line_begin(&line);

	while (err == 0 && cursor.at < in.size) {
		size_t begin = cursor.at;
		bool malformed;
		uint32_t c = cursor_next(&cursor, &malformed);

		if (!malformed && is_line_end(c)) {
			err = bytes_append_u8(out, '\n');
			if (err == 0)
				err = line_begin(&line);
			continue;
		}
		err = line_put(&line, &cursor, begin, c, malformed);
	}
	return err < 0 ? err : bytes_append_u8(out, '\n');
}

/* A line that the verifier accepts as it is. */
static int copy_line(struct span line, struct span prefix, struct bytes *out)
{
	uint8_t *room = bytes_room(out, prefix.size + line.size + 1);

	if (room == NULL)
		return -ERR_TOO_LONG;
	if (prefix.size > 0)
		memcpy(room, prefix.data, prefix.size);
	if (line.size > 0)
		memcpy(room + prefix.size, line.data, line.size);
	room[prefix.size + line.size] = '\n';
	out->size += prefix.size + line.size + 1;
	return 0;
}

int text_clean_lines(struct span in, struct span prefix, struct bytes *out,
		     struct text_report *report)
{
	size_t at = 0;
	int err = 0;

	while (at < in.size && err == 0) {
		const uint8_t *begin = in.data + at, *lf;
		size_t run = mail_text_run(begin, in.size - at), end;

		lf = memchr(begin + run, '\n', in.size - at - run);
		end = lf != NULL ? (size_t)(lf - begin) : in.size - at;
		at += end + 1;
		if (end > run && begin[end - 1] == '\r')
			end--;
		if (end == run && end + prefix.size <= TEXT_WRAP_BYTES - SHOWN_MAX)
			err = copy_line((struct span){begin, end}, prefix, out);
		else
			err = clean_slowly((struct span){begin, end}, prefix, out, report);
	}
	return err;
}

int text_clean_line(struct span in, size_t limit_bytes, struct bytes *out,
		    struct text_report *report)
{
	struct line line = {.out = out, .report = report, .begin = out->size};
	struct cursor cursor = {in, 0};
	size_t first = out->size;
	bool space = false;
	int err = 0;

	while (err == 0 && cursor.at < in.size) {
		size_t begin = cursor.at;
		bool malformed;
		uint32_t c = cursor_next(&cursor, &malformed);

		if (!malformed && (is_line_end(c) || c == '\t' || c == ' ')) {
			space = out->size > first;
			continue;
		}
		if (out->size - first > limit_bytes && !is_attached(c) &&
		    line.before != MAIL_TEXT_JOINER)
			return bytes_append_text(out, "\u2026");
		if (space) {
			line.before = MAIL_TEXT_OTHER;
			line.marks = 0;
			err = bytes_append_u8(out, ' ');
		}
		space = false;
		line.begin = out->size; /* one line, whatever its length: the caller folds it */
		if (err == 0)
			err = line_put(&line, &cursor, begin, c, malformed);
	}
	return err;
}
