/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The renderer: lines, paragraphs, lists, tables, quotes, ruby; and what is left out or hidden. */
#include "wire/html/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { CHARACTER_MOST = 4 }; /* octets */

/* An open element: what to undo when it closes. */
struct html_frame {
	uint8_t tag; /* enum html_tag */
	uint8_t key; /* of its name: what closes it has the same */
	bool skips;
	bool lost;        /* CSS hides all of it */
	bool silent;      /* it began without any effect, and so it ends */
	bool data_table;  /* a table whose empty cells count */
	uint32_t cells;   /* of a row: how many came */
	bool links;       /* of a link: it has a target, be it the empty one */
	size_t mark;      /* of a link: where its text begins in out */
	struct span href; /* of a link; borrowed from the document */
	struct html_look look;
	struct html_generated after;
};

/* Large, but only what is used of it is ever touched. */
struct html_room {
	struct html_frame frames[HTML_FRAMES_MAX];
	struct html_match matches[HTML_FRAMES_MAX + 1]; /* of the document, then of each frame */
	struct html_sheet sheet;
};

struct html_room *html_room_new(void)
{
	return calloc(1, sizeof(struct html_room));
}

void html_render_init(struct html_render *r, const struct html_policy *policy,
		      struct html_room *room, struct span document, struct bytes *out,
		      struct bytes *hidden, struct html_report *report)
{
	*r = (struct html_render){.policy = policy, .report = report, .out = out, .hidden = hidden};
	r->room = room;
	r->frames = room->frames;
	r->line_begin = out->size;
	memset(&room->matches[0], 0, sizeof(room->matches[0]));
	html_sheet_collect(&room->sheet, document, report->style_steps);
	report->style_unread = report->style_unread || room->sheet.unread;
}

bool html_render_has_rules(const struct html_render *r)
{
	return r->room->sheet.compound_count > 0;
}

static void put(struct html_render *r, const void *data, size_t size)
{
	int err = r->err == 0 ? bytes_append(r->out, data, size) : 0;

	if (err < 0)
		r->err = err;
}

/* Blank at a line's end: spaces, no-break spaces, and what mailers fill preview lines with. */
static size_t blank_before(const uint8_t *s, size_t size)
{
	static const char *const fillers[] = {
		" ",        "\xC2\xA0", "\xE2\x80\x8C", "\xE2\x80\x8B", "\xEF\xBB\xBF",
		"\xCD\x8F", "\xC2\xAD", "\xE2\x80\x87"};

	for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++) {
		size_t length = strlen(fillers[i]);

		if (size >= length && memcmp(s + size - length, fillers[i], length) == 0)
			return length;
	}
	return 0;
}

static void line_trim(struct html_render *r)
{
	size_t length;

	if (r->out->size <= r->line_begin)
		return;
	while ((length = blank_before(r->out->data + r->line_begin, r->out->size - r->line_begin)) >
	       0)
		r->out->size -= length;
	if (r->out->size == r->line_begin)
		r->in_line = false;
}

/* At least @count line ends before the next text. */
static void want_breaks(struct html_render *r, unsigned count)
{
	r->space = false;
	r->separators = 0;
	if (r->breaks < count)
		r->breaks = count;
}

/* The line ends that are due, then quote marks and indentation. */
static void flush_breaks(struct html_render *r)
{
	bool first = r->out->size == 0;

	if (r->breaks > 0) {
		line_trim(r);
		if (!r->in_line && !first && r->breaks > 0)
			r->breaks--; /* the line is empty already */
		for (; r->breaks > 0 && !first; r->breaks--)
			put(r, "\n", 1);
		r->breaks = 0;
		r->in_line = false;
		r->line_begin = r->out->size;
	}
	if (r->in_line)
		return;
	for (unsigned i = 0; i < r->quotes && i < 20; i++)
		put(r, "> ", 2);
	for (size_t i = 0; i < r->indent && i < 40; i++)
		put(r, " ", 1);
	r->in_line = true;
	r->space = false;
}

static void line_end_now(struct html_render *r)
{
	flush_breaks(r);
	line_trim(r);
	put(r, "\n", 1);
	r->line_begin = r->out->size;
	r->in_line = false;
	r->space = false;
}

static void flush_separators(struct html_render *r)
{
	if (r->separators == 0)
		return;
	if (r->in_line && r->breaks == 0) {
		line_trim(r);
		for (; r->separators > 0; r->separators--)
			put(r, " |", 2);
		put(r, " ", 1);
	} else if (r->data_row) {
		/* Empty cells at the row's beginning: what follows stays in its column. */
		unsigned count = r->separators;

		flush_breaks(r);
		for (; count > 0; count--)
			put(r, "| ", 2);
	}
	r->separators = 0;
	r->space = false;
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

/* East Asian text has no spaces: a line end between two such characters is none either. */
static bool is_wide(const uint8_t *s, size_t size)
{
	return size >= 3 && ((s[0] >= 0xE3 && s[0] <= 0xE9) || s[0] == 0xEF);
}

static void flush_space(struct html_render *r, struct span next)
{
	size_t length = r->out->size - r->line_begin;

	if (!r->space)
		return;
	r->space = false;
	if (!r->in_line || length == 0)
		return;
	if (r->space_line && length >= 3 && is_wide(next.data, next.size) &&
	    is_wide(r->out->data + r->out->size - 3, 3))
		return;
	put(r, " ", 1);
}

void html_render_raw(struct html_render *r, struct span text)
{
	if (text.size == 0)
		return;
	flush_separators(r);
	flush_breaks(r);
	flush_space(r, text);
	put(r, text.data, text.size);
}

void html_render_mark(struct html_render *r, const char *text)
{
	html_render_raw(r, span_of(text));
}

/* Text as HTML means it: runs of white space are one space. */
static void flow_text(struct html_render *r, struct span text)
{
	size_t at = 0;

	while (at < text.size) {
		size_t begin = at;

		while (at < text.size && is_space(text.data[at]))
			at++;
		if (at > begin) {
			bool has_line = memchr(text.data + begin, '\n', at - begin) != NULL;

			r->space_line = r->space ? r->space_line || has_line : has_line;
			r->space = true;
		}
		begin = at;
		while (at < text.size && !is_space(text.data[at]))
			at++;
		html_render_raw(r, (struct span){text.data + begin, at - begin});
	}
}

static void pre_text(struct html_render *r, struct span text)
{
	size_t at = 0;

	while (at < text.size) {
		const uint8_t *lf = memchr(text.data + at, '\n', text.size - at);
		size_t end = lf != NULL ? (size_t)(lf - text.data) : text.size;
		size_t size = end - at;

		if (size > 0 && text.data[end - 1] == '\r')
			size--;
		html_render_raw(r, (struct span){text.data + at, size});
		if (lf != NULL)
			line_end_now(r);
		at = end + 1;
	}
}

/* Text that a parser would have to read: its words alone. */
static void unread_text(struct html_render *r, struct span text)
{
	struct bytes words;
	int err;

	bytes_init(&words, text.size + 8);
	err = html_words(text, &words);
	if (err == 0)
		flow_text(r, bytes_span(&words));
	else
		r->err = r->err == 0 ? err : r->err;
	bytes_fini(&words);
}

/* Text that is told apart, as far as there is room; what comes then is shown where it stands. */
static void hide_text(struct html_render *r, struct span text)
{
	bool last_space = r->hidden->size > 0 && is_space(r->hidden->data[r->hidden->size - 1]);

	for (size_t i = 0; i < text.size; i++) {
		bool space = is_space(text.data[i]);

		if (space && last_space)
			continue;
		last_space = space;
		/* A character is told whole or not at all, and past the limit nothing vanishes. */
		if ((text.data[i] & 0xC0) != 0x80 &&
		    r->hidden->size + CHARACTER_MOST > HTML_HIDDEN_BYTES) {
			flow_text(r, (struct span){text.data + i, text.size - i});
			return;
		}
		r->report->hidden_bytes += !space;
		(void)bytes_append_u8(r->hidden, space ? ' ' : text.data[i]); /* counted above */
	}
}

/* What the innermost element hands down. */
static struct html_look look_of(const struct html_render *r)
{
	struct html_look look;

	if (r->frame_count > 0)
		return r->frames[r->frame_count - 1].look;
	html_look_init(&look);
	return look;
}

/* Is text of this look in the flow seen? */
bool html_render_sees(const struct html_render *r, const struct html_look *look)
{
	const struct html_sheet *sheet = &r->room->sheet;

	return r->lost == 0 && !look->invisible &&
	       !html_look_is_faint(look, sheet->cut || sheet->background_doubt);
}

void html_render_flow(struct html_render *r, struct span text, bool hidden)
{
	if (hidden)
		hide_text(r, text);
	else
		flow_text(r, text);
}

void html_render_text(struct html_render *r, struct span text)
{
	struct html_look look = look_of(r);

	if (r->skips > 0)
		return;
	if (!html_render_sees(r, &look))
		hide_text(r, text);
	else if (r->frame_count > 0 && r->frames[r->frame_count - 1].tag == HTML_UNREAD)
		unread_text(r, text);
	else if (r->pres > 0)
		pre_text(r, text);
	else
		flow_text(r, text);
}

static const char *say(const struct html_render *r, const char *japanese, const char *english)
{
	return r->policy->english ? english : japanese;
}

static void open_image(struct html_render *r, const struct html_element *element)
{
	struct span alt = html_attr_of(element, "alt");

	r->report->images++;
	if (alt.size == 0) {
		r->image_only = true;
		return;
	}
	html_render_mark(r, say(r, "[画像: ", "[image: "));
	flow_text(r, alt);
	html_render_mark(r, "]");
}

static void open_input(struct html_render *r, const struct html_element *element)
{
	struct span value = html_attr_of(element, "value"), type = html_attr_of(element, "type");

	r->report->active++;
	if (span_equal_nocase(type, span_of("hidden")) || value.size == 0)
		return;
	html_render_mark(r, say(r, "[入力欄: ", "[input: "));
	flow_text(r, value);
	html_render_mark(r, "]");
}

static void open_item(struct html_render *r)
{
	unsigned level = r->list_depth > 0 ? r->list_depth - 1 : 0;
	uint32_t *number = &r->list_number[level < HTML_LIST_LEVELS ? level : HTML_LIST_LEVELS - 1];
	char mark[16];

	want_breaks(r, 1);
	if (*number > 0)
		(void)snprintf(mark, sizeof(mark), "%u. ", (*number)++);
	r->indent = level * 2;
	html_render_mark(r, *number > 0 ? mark : "・");
	r->space = false;
}

/* Where the numbers of a list begin: at 1 where it does not say. */
static uint32_t first_number(struct span start)
{
	uint32_t number = 0;

	for (size_t i = 0; i < start.size; i++) {
		if (start.data[i] < '0' || start.data[i] > '9' || number > 99999)
			return 1;
		number = number * 10 + (uint32_t)(start.data[i] - '0');
	}
	return number > 0 ? number : 1;
}

static void open_list(struct html_render *r, const struct html_element *element)
{
	uint32_t first = element->tag == HTML_OL ? first_number(html_attr_of(element, "start")) : 0;

	want_breaks(r, r->list_depth == 0 ? 2 : 1);
	if (r->list_depth < HTML_LIST_LEVELS)
		r->list_number[r->list_depth] = first;
	r->list_depth++;
	r->indent = r->list_depth > 1 ? (r->list_depth - 1) * 2 : 0;
}

static struct html_frame *innermost(struct html_render *r, enum html_tag tag)
{
	for (size_t i = r->frame_count; i > 0; i--) {
		if (r->frames[i - 1].tag == tag)
			return &r->frames[i - 1];
		if (r->frames[i - 1].tag == HTML_TABLE)
			break;
	}
	return NULL;
}

static void open_cell(struct html_render *r, const struct html_element *element)
{
	struct html_frame *row = innermost(r, HTML_ROW), *table = innermost(r, HTML_TABLE);

	if (table != NULL && element->tag == HTML_HEAD_CELL)
		table->data_table = true;
	r->data_row = table != NULL && table->data_table;
	if (row == NULL || row->cells++ == 0)
		return;
	/* Of the empty cells that only lay a page out, one border is enough. */
	if (r->separators == 0 || (table != NULL && table->data_table))
		r->separators++;
}

static void open_form(struct html_render *r, const struct html_element *element)
{
	r->report->active++;
	want_breaks(r, 1);
	html_link_note(r, html_attr_of(element, "action"),
		       say(r, "入力フォーム 送信先", "form, sends to"));
	want_breaks(r, 1);
}

/* What is embedded from elsewhere. */
static void open_embedded(struct html_render *r, const struct html_element *element)
{
	static const char *const names[] = {"src", "data", "href"};

	want_breaks(r, 1);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		html_link_note(r, html_attr_of(element, names[i]), say(r, "埋め込み", "embedded"));
	want_breaks(r, 1);
}

/* A page that a reader is sent to without doing anything (HTML Standard, "refresh"): behind a
 * number of seconds and a separator. */
static struct span refresh_target(struct span content)
{
	struct span rest = span_trim(content);
	uint8_t quote;
	const uint8_t *end;

	while (rest.size > 0 &&
	       ((rest.data[0] >= '0' && rest.data[0] <= '9') || rest.data[0] == '.'))
		rest = (struct span){rest.data + 1, rest.size - 1};
	while (rest.size > 0 &&
	       (is_space(rest.data[0]) || rest.data[0] == ';' || rest.data[0] == ','))
		rest = (struct span){rest.data + 1, rest.size - 1};
	if (span_starts_nocase(rest, span_of("url"))) {
		struct span value = span_trim((struct span){rest.data + 3, rest.size - 3});

		if (value.size > 0 && value.data[0] == '=')
			rest = span_trim((struct span){value.data + 1, value.size - 1});
	}
	quote = rest.size > 0 ? rest.data[0] : 0;
	if (quote != '"' && quote != '\'')
		return rest;
	rest = (struct span){rest.data + 1, rest.size - 1};
	end = rest.size > 0 ? memchr(rest.data, quote, rest.size) : NULL;
	return (struct span){rest.data, end != NULL ? (size_t)(end - rest.data) : rest.size};
}

static void open_meta(struct html_render *r, const struct html_element *element)
{
	if (!span_equal_nocase(html_attr_of(element, "http-equiv"), span_of("refresh")))
		return;
	r->report->active++;
	want_breaks(r, 1);
	html_link_note(r, refresh_target(html_attr_of(element, "content")),
		       say(r, "自動移動", "moves on to"));
	want_breaks(r, 1);
}

/* What an element that begins writes, and which line it begins. */
static void open_effect(struct html_render *r, const struct html_element *element,
			struct html_frame *frame)
{
	switch (element->tag) {
	case HTML_BLOCK:
	case HTML_ROW:
		want_breaks(r, 1);
		break;
	case HTML_TABLE:
		want_breaks(r, 1);
		frame->data_table =
			html_attr_has(element, "border") &&
			!span_equal_nocase(html_attr_of(element, "border"), span_of("0"));
		break;
	case HTML_PARA:
		want_breaks(r, 2);
		break;
	case HTML_PRE:
		want_breaks(r, 1);
		r->pres++;
		break;
	case HTML_QUOTE:
		want_breaks(r, 2);
		r->quotes++;
		break;
	case HTML_HEADING:
		want_breaks(r, 2);
		html_render_mark(r, "■ ");
		r->space = false;
		break;
	case HTML_LIST:
	case HTML_OL:
		open_list(r, element);
		break;
	case HTML_LI:
		open_item(r);
		break;
	case HTML_CELL:
	case HTML_HEAD_CELL:
		open_cell(r, element);
		break;
	case HTML_FORM:
		open_form(r, element);
		break;
	case HTML_EMBED:
		open_embedded(r, element);
		break;
	case HTML_UNREAD:
		open_embedded(r, element);
		unread_text(r, html_attr_of(element, "srcdoc"));
		break;
	case HTML_Q:
		html_render_mark(r, "「");
		break;
	case HTML_RT:
		r->space = false;
		html_render_mark(r, "(");
		break;
	case HTML_DEL:
		html_render_mark(r, say(r, "[取消線: ", "[struck out: "));
		r->space = false;
		break;
	case HTML_SUP:
		if (r->out->size > 0 && r->out->data[r->out->size - 1] >= '0' &&
		    r->out->data[r->out->size - 1] <= '9')
			html_render_mark(r, "^");
		break;
	case HTML_A:
		r->image_only = false;
		break;
	default:
		break;
	}
}

/* Elements without content. */
static void open_void(struct html_render *r, const struct html_element *element, bool shown)
{
	struct span alt = html_attr_of(element, "alt");

	if (element->tag == HTML_BASE && r->base.size == 0)
		r->base = html_attr_of(element, "href");
	if (r->skips > 0)
		return;
	if (element->tag == HTML_META) { /* it does what it does whether or not anything is seen */
		open_meta(r, element);
		return;
	}
	if (!shown) {
		hide_text(r, alt);
		return;
	}
	switch (element->tag) {
	case HTML_BR:
		line_end_now(r);
		break;
	case HTML_HR:
		want_breaks(r, 1);
		html_render_mark(r, "----------------------------------------");
		want_breaks(r, 1);
		break;
	case HTML_IMG:
		open_image(r, element);
		break;
	case HTML_INPUT:
		open_input(r, element);
		break;
	case HTML_EMBED:
		r->report->active++;
		open_embedded(r, element);
		break;
	case HTML_SOURCE:
		open_embedded(r, element);
		break;
	case HTML_AREA:
		if (html_attr_has(element, "href"))
			html_link_close(r, html_attr_of(element, "href"), alt);
		break;
	default:
		break;
	}
}

/* Is the element's content left out, whatever its style? */
static bool is_skipped(struct html_render *r, enum html_tag tag)
{
	r->report->active += tag == HTML_SCRIPT || tag == HTML_EMBED || tag == HTML_UNREAD;
	return tag == HTML_SCRIPT || tag == HTML_SKIP || tag == HTML_STYLE;
}

/* What style sheets and its own attributes make of an element in the innermost one. Return: whether
 * they hide all of it. */
static bool take_style(struct html_render *r, const struct html_element *element,
		       struct html_look *look, struct html_cascade cascades[HTML_CASCADES])
{
	struct html_sheet *sheet = &r->room->sheet;
	struct html_cascade *cascade = &cascades[HTML_ITSELF];
	bool lost;

	for (size_t i = 0; i < HTML_CASCADES; i++) {
		cascades[i].set = cascades[i].variable = 0;
		cascades[i].cut = cascades[i].unread = false;
	}
	if (sheet->compound_count == 0 && element->attr_count == 0 && element->tag != HTML_A)
		return false;
	if (sheet->compound_count > 0)
		html_sheet_match(sheet, element, &r->room->matches[r->frame_count],
				 &r->room->matches[r->frame_count + 1], cascades);
	lost = html_style_apply(element, cascade, look);
	r->report->sheet_cut = r->report->sheet_cut || sheet->cut || cascade->cut;
	r->report->style_unread = r->report->style_unread || cascade->unread;
	return lost;
}

/* Of an element whose own text is not seen: does it write any mark that would stand alone? */
static bool writes_mark(enum html_tag tag)
{
	return tag == HTML_HEADING || tag == HTML_LI || tag == HTML_Q || tag == HTML_RT ||
	       tag == HTML_DEL || tag == HTML_SUP || tag == HTML_FORM;
}

static uint8_t key_of(struct span name)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < name.size; i++)
		hash = hash * 31 + name.data[i];
	return (uint8_t)hash;
}

static void open_link(struct html_render *r, struct html_frame *frame)
{
	flush_separators(r);
	flush_breaks(r);
	flush_space(r, span_of(""));
	frame->mark = r->out->size;
}

void html_render_open(struct html_render *r, const struct html_element *element)
{
	struct html_look look = look_of(r);
	struct html_cascade cascades[HTML_CASCADES];
	struct html_generated before;
	struct html_frame *frame;
	bool lost;

	if (r->frame_count == HTML_FRAMES_MAX) {
		if (element->is_void)
			open_void(r, element, r->lost == 0 && !look.invisible);
		else
			r->ignored_depth++;
		return;
	}
	lost = take_style(r, element, &look, cascades);
	if (element->is_void) {
		open_void(r, element, r->lost == 0 && !lost && !look.invisible);
		return;
	}
	frame = &r->frames[r->frame_count++];
	*frame = (struct html_frame){.tag = (uint8_t)element->tag,
				     .key = key_of(element->name),
				     .look = look,
				     .lost = lost || element->tag == HTML_TEMPLATE,
				     .skips = is_skipped(r, element->tag)};
	r->skips += frame->skips;
	r->lost += frame->lost;
	frame->silent = r->skips > 0 || r->lost > 0 ||
			(!html_render_sees(r, &look) && writes_mark(element->tag));
	if (element->tag == HTML_A)
		frame->href = html_attr_of(element, "href");
	frame->links = html_attr_has(element, "href");
	if (r->skips == 0 && !html_render_sees(r, &look))
		hide_text(r, span_of(" "));
	if (!frame->silent)
		open_effect(r, element, frame);
	if (!frame->silent && element->tag == HTML_A)
		open_link(r, frame);
	if (r->room->sheet.generates) {
		before = html_generated_of(r, element, &cascades[HTML_BEFORE], look);
		frame->after = html_generated_of(r, element, &cascades[HTML_AFTER], look);
		html_generated_put(r, &before);
	}
}

/* Where a link goes whose text is not seen. */
static void hide_link(struct html_render *r, const struct html_frame *frame)
{
	struct span href = frame->href;

	if (r->skips > 0 || (!span_starts_nocase(href, span_of("http:")) &&
			     !span_starts_nocase(href, span_of("https:"))))
		return;
	if (href.size > HTML_URL_SHOWN)
		href.size = HTML_URL_SHOWN;
	hide_text(r, span_of(" <"));
	hide_text(r, href);
	hide_text(r, span_of(">"));
}

static void close_link(struct html_render *r, const struct html_frame *frame)
{
	size_t mark = frame->mark < r->out->size ? frame->mark : r->out->size;
	struct span shown;

	if (!frame->links || (frame->href.size == 0 && r->base.size == 0))
		return;
	shown = (struct span){bytes_span(r->out).data + mark, r->out->size - mark};
	if (span_trim(shown).size == 0) {
		if (!r->image_only && !html_render_sees(r, &frame->look)) {
			hide_link(r, frame);
			return;
		}
		/* What is written may move the output, and with it what was shown. */
		shown = span_of("");
		html_render_mark(r, r->image_only ? say(r, "[画像]", "[image]")
						  : say(r, "[リンク]", "[link]"));
	}
	html_link_close(r, frame->href, shown);
	r->image_only = false;
}

static void close_effect(struct html_render *r, const struct html_frame *frame)
{
	switch (frame->tag) {
	case HTML_BLOCK:
	case HTML_ROW:
	case HTML_TABLE:
	case HTML_FORM:
	case HTML_LI:
	case HTML_EMBED:
	case HTML_UNREAD:
		want_breaks(r, 1);
		break;
	case HTML_PARA:
	case HTML_HEADING:
		want_breaks(r, 2);
		break;
	case HTML_PRE:
		r->pres--;
		want_breaks(r, 1);
		break;
	case HTML_QUOTE:
		want_breaks(r, 2);
		r->quotes--;
		break;
	case HTML_LIST:
	case HTML_OL:
		r->list_depth--;
		r->indent = r->list_depth > 1 ? (r->list_depth - 1) * 2 : 0;
		want_breaks(r, r->list_depth == 0 ? 2 : 1);
		break;
	case HTML_Q:
		html_render_mark(r, "」");
		break;
	case HTML_RT:
		html_render_mark(r, ")");
		break;
	case HTML_DEL:
		html_render_mark(r, "]");
		break;
	case HTML_A:
		close_link(r, frame);
		break;
	default:
		break;
	}
}

void html_render_close(struct html_render *r)
{
	struct html_frame frame;

	if (r->ignored_depth > 0) {
		r->ignored_depth--;
		return;
	}
	if (r->frame_count == 0)
		return;
	/* When the output has failed, the document that frames look into may be gone. */
	if (r->err < 0) {
		r->frame_count--;
		return;
	}
	html_generated_put(r, &r->frames[r->frame_count - 1].after);
	frame = r->frames[r->frame_count - 1];
	if (frame.tag == HTML_A && frame.silent)
		hide_link(r, &frame);
	r->frame_count--;
	r->skips -= frame.skips;
	r->lost -= frame.lost;
	if (!frame.silent)
		close_effect(r, &frame);
}

bool html_render_has_open(const struct html_render *r, enum html_tag tag, struct span name,
			  bool nearby, size_t *distance)
{
	uint8_t key = key_of(name);

	for (size_t i = r->frame_count; i > 0; i--) {
		enum html_tag open = (enum html_tag)r->frames[i - 1].tag;

		if (open == tag && (tag != HTML_OTHER || r->frames[i - 1].key == key)) {
			*distance = r->ignored_depth + r->frame_count - i + 1;
			return true;
		}
		if (nearby && (open == HTML_LIST || open == HTML_OL || open == HTML_TABLE ||
			       open == HTML_CELL || open == HTML_HEAD_CELL))
			break;
	}
	return false;
}

uint32_t html_render_steps(const struct html_render *r)
{
	return r->room->sheet.spent;
}

void html_render_end(struct html_render *r)
{
	while (r->frame_count > 0 || r->ignored_depth > 0)
		html_render_close(r);
	line_trim(r);
	if (r->in_line)
		put(r, "\n", 1);
}
