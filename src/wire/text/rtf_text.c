/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text out of RTF (RTF 1.9.1): control words that are text, octets in the code page of their font;
 * and the HTML that Outlook puts between "\htmlrtf" (MS-OXRTFEX 2.1). */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "wire/text/rtf.h"

enum {
	WORD_BYTES = 32,     /* of a control word's name */
	RUN_BYTES = 1 << 20, /* octets of one charset that are decoded at once */
	CODE_PAGE_JAPANESE = 932,
	NUMBER_ENOUGH = 100000000, /* larger numbers lose their last digits */
};

/* What a group changes until its end. */
struct group {
	bool skipped;  /* a destination that has no text of the mail */
	bool not_html; /* between \htmlrtf and \htmlrtf0: what stands for HTML in RTF */
	bool bracket;  /* a field's instruction, as the target of a link: shown in brackets */
	bool fonts;    /* the table of fonts */
	uint16_t font;
	uint16_t code_page; /* of the font; 0: of the document */
	uint8_t fallback;   /* characters behind \u that stand for it */
};

struct rtf {
	struct span in;
	size_t at;
	struct bytes *out;
	struct charset_report *report;
	struct group groups[RTF_GROUPS_MAX];
	size_t depth;
	size_t beyond; /* groups deeper than that, open now */
	uint32_t deep; /* and all that there were */
	bool starred;  /* behind "\*": an unknown destination is left out */
	bool html;     /* made from HTML */
	uint16_t code_page;
	uint16_t font_pages[RTF_FONTS_MAX];
	unsigned skip;    /* characters that stand for the \u before */
	uint32_t high;    /* a surrogate that waits for its other half */
	struct bytes run; /* octets that are not decoded yet */
	int err;
};

/* A control word with its number. */
struct control {
	char word[WORD_BYTES];
	bool numbered;
	long number;
};

static struct group *top(struct rtf *r)
{
	return &r->groups[r->depth];
}

static void fail(struct rtf *r, int err)
{
	if (err < 0 && r->err == 0)
		r->err = err;
}

static bool is_silent(struct rtf *r)
{
	const struct group *g = top(r);

	return r->beyond > 0 || g->skipped || g->fonts || g->not_html;
}

static struct span label_of(uint16_t code_page, char label[16])
{
	if (code_page == CODE_PAGE_JAPANESE)
		return span_of("shift_jis");
	if (code_page == 65001)
		return span_of("utf-8");
	(void)snprintf(label, 16, code_page >= 1250 && code_page <= 1258 ? "windows-%u" : "cp%u",
		       (unsigned)code_page);
	return span_of(label);
}

/* Decode the octets that have come in one charset. */
static void flush(struct rtf *r)
{
	uint16_t page = top(r)->code_page != 0 ? top(r)->code_page : r->code_page;
	const struct charset *charset;
	char label[16];

	if (r->run.size == 0)
		return;
	charset = charset_find(label_of(page, label));
	if (charset == NULL)
		charset = charset_choose(span_of(""), bytes_span(&r->run)).charset;
	fail(r, charset_decode(charset, bytes_span(&r->run), r->out, r->report));
	bytes_clear(&r->run);
}

/* An octet of text in the current charset. */
static void put_octet(struct rtf *r, uint8_t octet)
{
	if (r->skip > 0) {
		r->skip--;
		return;
	}
	if (is_silent(r))
		return;
	if (r->run.size >= RUN_BYTES)
		flush(r);
	fail(r, bytes_append_u8(&r->run, octet));
}

static void put_text(struct rtf *r, const char *utf8)
{
	if (is_silent(r))
		return;
	flush(r);
	fail(r, bytes_append_text(r->out, utf8));
}

static void put_code(struct rtf *r, uint32_t c)
{
	uint8_t s[4] = {(uint8_t)c};
	size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t k = size; size > 1 && k-- > 1; c >>= 6)
		s[k] = (uint8_t)(0x80 | (c & 0x3F));
	if (size > 1)
		s[0] = (uint8_t)(0xF00 >> size | c);
	flush(r);
	fail(r, bytes_append(r->out, s, size));
}

/* "\u26085?": a unit of UTF-16, written as a signed number. */
static void put_unit(struct rtf *r, long number)
{
	uint32_t unit = (uint32_t)number & 0xFFFF;

	r->skip = top(r)->fallback;
	if (is_silent(r))
		return;
	if (unit >= 0xD800 && unit < 0xDC00) {
		r->high = unit;
	} else if (unit >= 0xDC00 && unit < 0xE000) {
		if (r->high != 0)
			put_code(r, 0x10000 + ((r->high - 0xD800) << 10) + (unit - 0xDC00));
		r->high = 0;
	} else {
		put_code(r, unit);
	}
}

/* The code page of a Windows character set number. */
static uint16_t page_of_charset(long charset)
{
	static const struct {
		uint16_t charset, page;
	} pages[] = {
		{0, 1252},   {128, 932},  {129, 949},  {134, 936},  {136, 950},
		{161, 1253}, {162, 1254}, {163, 1258}, {177, 1255}, {178, 1256},
		{186, 1257}, {204, 1251}, {222, 874},  {238, 1250},
	};

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (pages[i].charset == charset)
			return pages[i].page;
	}
	return 0;
}

/* Words that are text. */
static const struct {
	const char *word, *text;
} texts[] = {
	{"par", "\n"},           {"line", "\n"},          {"sect", "\n"},
	{"page", "\n"},          {"row", "\n"},           {"cell", " | "},
	{"tab", "\t"},           {"emdash", "\u2014"},    {"endash", "\u2013"},
	{"bullet", "\u2022"},    {"lquote", "\u2018"},    {"rquote", "\u2019"},
	{"ldblquote", "\u201C"}, {"rdblquote", "\u201D"}, {"emspace", "\u2003"},
	{"enspace", "\u2002"},
};

/* Destinations without text of the mail. */
static const char *const skipped[] = {
	"colortbl", "stylesheet", "info",      "pict",     "object",    "header",    "footer",
	"headerl",  "headerr",    "footerl",   "footerr",  "listtable", "themedata", "datafield",
	"xmlnstbl", "rsidtbl",    "generator", "mhtmltag", "bkmkstart", "bkmkend",
};

static bool is(const struct control *c, const char *word)
{
	return strcmp(c->word, word) == 0;
}

static bool begin_destination(struct rtf *r, const struct control *c)
{
	struct group *g = top(r);

	for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++) {
		if (is(c, skipped[i])) {
			g->skipped = true;
			return true;
		}
	}
	if (is(c, "fonttbl")) {
		g->fonts = true;
	} else if (is(c, "fldinst") && !r->html) {
		put_text(r, "[");
		g->bracket = true;
	} else if (!is(c, "htmltag")) {
		g->skipped = g->skipped || r->starred;
		return r->starred;
	}
	return true;
}

static void set_font(struct rtf *r, long number)
{
	struct group *g = top(r);

	flush(r);
	g->font = number >= 0 && number < RTF_FONTS_MAX ? (uint16_t)number : 0;
	if (!g->fonts)
		g->code_page = r->font_pages[g->font];
}

static void take_word(struct rtf *r, const struct control *c)
{
	struct group *g = top(r);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (is(c, texts[i].word)) {
			put_text(r, r->html && texts[i].text[0] == '\n' ? "\r\n" : texts[i].text);
			return;
		}
	}
	if (begin_destination(r, c))
		return;
	if (is(c, "u") && c->numbered) {
		put_unit(r, c->number);
	} else if (is(c, "uc")) {
		g->fallback = (uint8_t)(c->number >= 0 && c->number < 10 ? c->number : 1);
	} else if (is(c, "f")) {
		set_font(r, c->number);
	} else if (is(c, "fcharset")) {
		if (g->fonts)
			r->font_pages[g->font] = page_of_charset(c->number);
	} else if (is(c, "ansicpg")) {
		r->code_page = (uint16_t)c->number;
	} else if (is(c, "fromhtml")) {
		r->html = true;
	} else if (is(c, "htmlrtf")) {
		flush(r);
		g->not_html = !c->numbered || c->number != 0;
	} else if (is(c, "plain") || is(c, "pard")) {
		flush(r);
		g->code_page = is(c, "plain") ? r->font_pages[0] : g->code_page;
	}
}

static bool is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Octets of a picture or an object as they are, right behind the control word and its space. */
static void skip_binary(struct rtf *r, long count)
{
	size_t left = r->in.size - r->at;

	flush(r);
	if (count > 0)
		r->at += (size_t)count < left ? (size_t)count : left;
}

/* A control word behind its backslash. */
static void read_word(struct rtf *r)
{
	struct control c = {.numbered = false};
	size_t size = 0;
	bool minus;

	for (; r->at < r->in.size && is_letter(r->in.data[r->at]); r->at++) {
		if (size + 1 < sizeof(c.word))
			c.word[size++] = (char)r->in.data[r->at];
	}
	minus = r->at < r->in.size && r->in.data[r->at] == '-';
	r->at += minus;
	for (; r->at < r->in.size && r->in.data[r->at] >= '0' && r->in.data[r->at] <= '9';
	     r->at++) {
		c.numbered = true;
		if (c.number < NUMBER_ENOUGH)
			c.number = c.number * 10 + (r->in.data[r->at] - '0');
	}
	c.number = minus ? -c.number : c.number;
	if (r->at < r->in.size && r->in.data[r->at] == ' ')
		r->at++;
	if (is(&c, "bin"))
		skip_binary(r, c.number);
	else
		take_word(r, &c);
	r->starred = false;
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A control symbol: one character behind its backslash. */
static void read_symbol(struct rtf *r)
{
	uint8_t c = r->in.data[r->at++];
	int high, low;

	switch (c) {
	case '\'':
		high = r->in.size - r->at >= 2 ? hex_value(r->in.data[r->at]) : -1;
		low = high >= 0 ? hex_value(r->in.data[r->at + 1]) : -1;
		if (low >= 0) {
			r->at += 2;
			put_octet(r, (uint8_t)(high << 4 | low));
		}
		break;
	case '*':
		r->starred = true;
		break;
	case '~':
		put_text(r, "\u00A0");
		break;
	case '_':
		put_text(r, "-");
		break;
	case '\n':
	case '\r':
		put_text(r, "\n");
		break;
	case '\\':
	case '{':
	case '}':
		put_octet(r, c);
		break;
	default:
		break;
	}
}

static void open_group(struct rtf *r)
{
	flush(r);
	r->skip = 0;
	if (r->beyond > 0 || r->depth + 1 == RTF_GROUPS_MAX) {
		r->beyond++;
		r->deep++;
		return;
	}
	r->groups[r->depth + 1] = r->groups[r->depth];
	r->depth++;
	top(r)->bracket = false;
}

static void close_group(struct rtf *r)
{
	flush(r);
	r->skip = 0;
	r->starred = false;
	if (r->beyond > 0) {
		r->beyond--;
	} else if (r->depth > 0) {
		if (top(r)->bracket)
			put_text(r, "]");
		r->depth--;
	}
}

static void read_next(struct rtf *r)
{
	uint8_t c = r->in.data[r->at++];

	if (c == '\\' && r->at < r->in.size) {
		if (is_letter(r->in.data[r->at]))
			read_word(r);
		else
			read_symbol(r);
	} else if (c == '{') {
		open_group(r);
	} else if (c == '}') {
		close_group(r);
	} else if (c != '\r' && c != '\n' && c != 0) {
		put_octet(r, c);
	}
}

int rtf_to_text(struct span rtf, uint32_t code_page, struct bytes *out, struct rtf_found *found,
		struct charset_report *report)
{
	struct rtf r = {.in = rtf, .out = out, .report = report};

	*found = (struct rtf_found){0};
	if (!span_starts_nocase(rtf, span_of("{\\rtf")))
		return -ERR_SYNTAX;
	bytes_init(&r.run, RUN_BYTES + 1);
	r.groups[0].fallback = 1;
	r.code_page = code_page <= UINT16_MAX ? (uint16_t)code_page : 0;
	while (r.at < rtf.size && r.err == 0)
		read_next(&r);
	flush(&r);
	bytes_fini(&r.run);
	*found = (struct rtf_found){r.html, r.deep};
	return r.err;
}
