/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a message that look like the gateway's own are marked, so that nobody can speak in its
 * name. */
#include "mail-flattener/state.h"

#include <string.h>

#include "base/utf8.h"

/* Beginnings of the gateway's lines that are shorter, or not in brackets. */
static const char *const beginnings[] = {
	"【注意",           "【添付ファイル",          "無害化:",
	"受付番号:",        "[文字コード推定",         "[Warning",
	"Sanitised:",       "[Attachments (removed)",  "Receipt:",
	"[charset guessed", "[Attachments (enclosed)",
};

enum { BEGINNINGS = sizeof(beginnings) / sizeof(beginnings[0]) };

/* What a reader sees as nothing in front of a line, or as a quote's or a nested message's mark. */
static bool is_blank(uint32_t c)
{
	static const uint32_t blanks[] = {' ',    '\t',   '|',    '>',    0x00A0, 0x1680,
					  0x200B, 0x202F, 0x205F, 0x2800, 0x3000, 0xFEFF};

	if (c > 0x3000 && c != 0xFEFF) /* kana and kanji, as most are */
		return false;
	for (size_t i = 0; i < sizeof(blanks) / sizeof(blanks[0]); i++) {
		if (c == blanks[i])
			return true;
	}
	return c >= 0x2000 && c <= 0x200A;
}

/* Does @line begin as this notice in brackets does, up to what is filled in or told apart? */
static bool begins_as(struct span line, const char *notice)
{
	size_t size = strcspn(notice, "%:(]");

	if (notice[0] != '[' && strncmp(notice, "【", 3) != 0)
		return false;
	return size > 4 && span_starts_nocase(line, (struct span){(const uint8_t *)notice, size});
}

/* Nearly every line begins with something else than what a notice, or a blank before it, can begin
 * with. */
static inline bool may_imitate(const uint8_t *s, size_t left)
{
	switch (s[0]) {
	case 0xE3: /* an ideographic space, an opening bracket */
		return left >= 3 && s[1] == 0x80 && (s[2] == 0x80 || s[2] == 0x90);
	case 0xE5: /* the first character of the receipt's line */
		return left >= 3 && s[1] == 0x8F && s[2] == 0x97;
	case 0xE7: /* and of the summary's */
		return left >= 3 && s[1] == 0x84 && s[2] == 0xA1;
	case '[':
	case 'S':
	case 's':
	case 'R':
	case 'r':
	case ' ':
	case '\t':
	case '|':
	case '>':
	case 0xC2: /* blanks of more than one byte begin so, too */
	case 0xE1:
	case 0xE2:
	case 0xEF:
		return true;
	default:
		return false;
	}
}

/* The same beginnings as a reader takes them in: narrow, in lower case, without blanks, any of the
 * brackets as '['. */
static const char *const looks[] = {
	"[注意",    "[添付ファイル", "無害化:",  "受付番号:",    "[文字コード推定",
	"[warning", "sanitised:",    "receipt:", "[attachments", "[charsetguessed",
};

/* One character as a reader takes it in; 0 where nothing is seen of it. */
static uint32_t look_of(uint32_t c)
{
	c = utf8_narrow(c);
	if (is_blank(c) || (c >= 0x300 && c <= 0x36F) || c == 0x200C || c == 0x200D ||
	    c == 0x2060 || c == 0xAD)
		return 0;
	if (c == 0x3010 || c == 0x3014 || c == 0x3016)
		return '[';
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* What lists, headings and quotations begin with: signs, arrows, boxes, pictures. */
static bool is_bullet(uint32_t c)
{
	if (c < 0x80)
		return c == '*' || c == '-' || c == '#' || c == '"' || c == '+' || c == '=' ||
		       c == '~';
	return c == 0xB7 || (c >= 0x2010 && c <= 0x27BF) || c == 0x3007 || c == 0x300A ||
	       c == 0x300C || c == 0x300E || c == 0x30FB || c >= 0x1F000;
}

static bool is_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

/* What items are counted by besides numbers. */
static bool is_counter(uint32_t c)
{
	static const uint16_t kanji[] = {0x4E00, 0x4E01, 0x4E03, 0x4E09, 0x4E19, 0x4E59, 0x4E5D,
					 0x4E8C, 0x4E94, 0x516B, 0x516D, 0x5341, 0x56DB, 0x7532};

	if (c < 0x4E00)
		return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= 0x3041 && c <= 0x30FA);
	for (size_t i = 0; i < sizeof(kanji) / sizeof(kanji[0]); i++) {
		if (c == kanji[i])
			return true;
	}
	return false;
}

/* A number or letter in a circle, in brackets or with a dot, as one character. */
static bool is_numeral(uint32_t c)
{
	return (c >= 0x2460 && c <= 0x24FF) || (c >= 0x2776 && c <= 0x2793) ||
	       (c >= 0x2160 && c <= 0x2188) || (c >= 0x3220 && c <= 0x3247) ||
	       (c >= 0x3251 && c <= 0x325F) || (c >= 0x3280 && c <= 0x32BF);
}

/* What a list's item is counted by, whatever brackets are around it: "1.", "(2)", "iv)", "ア.".
 * Return: its octets; 0 where there is none. */
static size_t item_mark(struct span line)
{
	enum { DIGITS_MOST = 6, LETTERS_MOST = 5 };
	size_t at = 0, count = 0, size;
	bool opened = false, digits = false;
	uint32_t c;

	while ((size = utf8_decode((struct span){line.data + at, line.size - at}, &c)) > 0) {
		c = utf8_narrow(c);
		at += size;
		if (count == 0 && !opened && (c == '(' || c == '[')) {
			opened = true;
			continue;
		}
		if (count > 0 && (c == '.' || c == ')' || c == ':' || c == ']' || c == 0x3001 ||
				  c == 0x3002 || c == 0xFF61 || c == 0xFF64))
			return at;
		if (count == 0)
			digits = is_digit(c);
		if (digits ? !is_digit(c) || count == DIGITS_MOST
			   : count == LETTERS_MOST || (!is_counter(c)))
			return 0;
		count++;
	}
	return 0;
}

/* Without blanks, bullets and what counts the items of lists. */
static struct span without_marks(struct span line)
{
	size_t size, mark;
	uint32_t c;

	/* Most lines begin with kanji, of which few count anything. */
	if (line.size > 0 &&
	    (line.data[0] == 0xE6 || (line.data[0] >= 0xE8 && line.data[0] <= 0xEE)))
		return line;
	while ((size = utf8_decode(line, &c)) > 0 && c != '\n') {
		mark = is_blank(c) || is_bullet(c) || is_numeral(c) ? size : item_mark(line);
		if (mark == 0)
			break;
		line = (struct span){line.data + mark, line.size - mark};
	}
	return line;
}

/* Is @first, a character, what any of them begins with? */
static bool begins_a_look(struct span first)
{
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		if ((uint8_t)looks[i][0] == first.data[0] &&
		    memcmp(looks[i], first.data, first.size) == 0) /* all are longer */
			return true;
	}
	return false;
}

/* Does @line begin so in a reader's eyes? */
static bool looks_alike(struct span line)
{
	uint8_t seen[24];
	size_t used = 0, size;
	uint32_t c;

	while (used + 4 <= sizeof(seen) && (size = utf8_decode(line, &c)) > 0 && c != '\n') {
		size_t before = used;

		c = look_of(c);
		if (c != 0 && c < 0x80 && (used > 0 || !is_bullet(c)))
			seen[used++] = (uint8_t)c;
		else if (c >= 0x80 && (used > 0 || !is_bullet(c)))
			used += (size_t)((uint8_t *)mempcpy(seen + used, line.data, size) -
					 (seen + used));
		if (before == 0 && used > 0 && !begins_a_look((struct span){seen, used}))
			return false; /* so do nearly all lines */
		line = (struct span){line.data + size, line.size - size};
	}
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		if (span_starts_nocase((struct span){seen, used}, span_of(looks[i])))
			return true;
	}
	return false;
}

static bool imitates(struct span line)
{
	struct span bare = without_marks(line);

	if (looks_alike(line) || (bare.data != line.data && looks_alike(bare)))
		return true;
	line = bare;
	if (line.size == 0 || !may_imitate(line.data, line.size))
		return false;
	for (size_t i = 0; i < BEGINNINGS; i++) {
		if (span_starts_nocase(line, span_of(beginnings[i])))
			return true;
	}
	if (line.data[0] != '[' && !span_starts_nocase(line, span_of("【")))
		return false;
	for (int notice = 0; notice < NOTICE_COUNT_; notice++) {
		if (begins_as(line, notice_text((enum notice)notice, false)) ||
		    begins_as(line, notice_text((enum notice)notice, true)))
			return true;
	}
	return false;
}

/* The beginning of the next line from @at on that imitates, or the end. */
static size_t next_imitation(struct span text, size_t at)
{
	while (at < text.size) {
		const uint8_t *lf = memchr(text.data + at, '\n', text.size - at);

		if (imitates((struct span){text.data + at, text.size - at}))
			return at;
		at = lf != NULL ? (size_t)(lf - text.data) + 1 : text.size;
	}
	return text.size;
}

/* Write @text again, with a mark before each line that imitates; @next is the first of them. */
static int write_marked(struct flatten *f, struct span text, size_t next)
{
	const char *mark = notice_text(NOTICE_FROM_MESSAGE, f->policy->english);
	size_t at = 0;
	int err = 0;

	while (at < text.size && err == 0) {
		const uint8_t *lf;

		err = bytes_append(f->out, text.data + at, next - at);
		at = next;
		if (at == text.size || err < 0)
			break;
		f->count.imitations++;
		err = bytes_append_text(f->out, mark);
		lf = memchr(text.data + at, '\n', text.size - at);
		next = next_imitation(text, lf != NULL ? (size_t)(lf - text.data) + 1 : text.size);
	}
	return err;
}

int imitation_mark(struct flatten *f, size_t begin)
{
	struct span written = {f->out->data + begin, f->out->size - begin};
	size_t next = next_imitation(written, 0);
	int err;

	if (next == written.size)
		return 0;
	bytes_clear(&f->marked);
	err = bytes_append(&f->marked, written.data, written.size);
	if (err < 0)
		return err;
	f->out->size = begin;
	return write_marked(f, bytes_span(&f->marked), next);
}
