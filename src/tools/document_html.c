/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A report as one XHTML page for paper: style and pictures stand in it, nothing is loaded. */
#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "policy/clauses.h"
#include "policy/snapshot.h"
#include "tools/document.h"

/* Of drawings, in user units; a page is 720 wide. */
enum {
	PAGE_WIDTH_PX = 720,
	CHART_HEIGHT_PX = 120,
	CHART_FOOT_PX = 18,
	NODE_WIDTH_PX = 150,
	NODE_HEIGHT_PX = 90,
	LINE_HEIGHT_PX = 16,
	LINK_HEIGHT_PX = 30,
};

struct writing {
	const struct document *d;
	struct bytes *out;        /* remembers that it is full */
	uint64_t columns, column; /* of the table */
	bool heading;             /* its first row is being written */
	uint64_t highest, bars, bar;
	size_t nodes, node, links, link; /* of the picture */
};

static const char style[] =
	"@page { size: A4; margin: 16mm }\n"
	"body { font-family: \"Noto Sans CJK JP\", \"Yu Gothic\", sans-serif; font-size: 10pt;"
	" line-height: 1.5; max-width: 190mm; margin: auto; color: #111 }\n"
	"h1 { font-size: 16pt; border-bottom: 2px solid #111 }\n"
	"h2 { font-size: 13pt; border-bottom: 1px solid #777; break-after: avoid }\n"
	"h3 { font-size: 11pt; margin-bottom: 0; break-after: avoid }\n"
	"table { border-collapse: collapse; font-size: 9pt; margin: 4pt 0 8pt }\n"
	"td, th { border: 1px solid #999; padding: 1pt 5pt; text-align: left;"
	" vertical-align: top; overflow-wrap: anywhere }\n"
	"tr { break-inside: avoid }\nsvg { display: block; margin: 6pt 0; break-inside: avoid }\n"
	"p { margin: 2pt 0 }\n.state { display: inline-block; font-weight: bold; padding: 0 6pt;"
	" border: 1px solid #111 }\n"
	".s0 { background: #dff0df }\n.s1 { background: #fff3cd }\n.s2 { background: #f6d5d5 }\n"
	".s3 { background: #eee }\n";

/* What XML would read as its own is written as a reference; what it does not allow, as U+FFFD. */
static void escape(struct bytes *out, struct span text)
{
	while (text.size > 0) {
		uint32_t c;
		size_t size = utf8_decode(text, &c);

		if (size == 0 || (c < 0x20 && c != '\n') || c == 0x7f || c == 0xfffe || c == 0xffff)
			(void)bytes_append_text(out, "\xef\xbf\xbd");
		else if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\'')
			(void)bytes_printf(out, "&#%u;", (unsigned)c);
		else
			(void)bytes_append(out, text.data, size);
		size = size > 0 ? size : 1;
		text = (struct span){text.data + size, text.size - size};
	}
}

static void put(struct writing *w, const struct document_item *item)
{
	escape(w->out, span_of(document_text(w->d, item)));
}

static void put_in(struct writing *w, const struct document_item *item, const char *element,
		   const char *attributes)
{
	(void)bytes_printf(w->out, "<%s%s>", element, attributes);
	put(w, item);
	(void)bytes_printf(w->out, "</%s>\n", element);
}

static void title(struct writing *w, const struct document_item *item)
{
	put_in(w, item, "h1", "");
}

static void heading(struct writing *w, const struct document_item *item)
{
	put_in(w, item, item->number == 2 ? "h2" : "h3", "");
}

static void text(struct writing *w, const struct document_item *item)
{
	put_in(w, item, "p", "");
}

static void state(struct writing *w, const struct document_item *item)
{
	static const char *const classes[CLAUSE_STATE_COUNT_] = {" class=\"state s0\"",
								 " class=\"state s1\"",
								 " class=\"state s2\"",
								 " class=\"state s3\""};

	put_in(w, item, "p", classes[item->number]);
}

static void table(struct writing *w, const struct document_item *item)
{
	w->columns = item->number;
	w->column = 0;
	w->heading = true;
	(void)bytes_append_text(w->out, "<table>\n");
}

static void cell(struct writing *w, const struct document_item *item)
{
	if (w->column++ == 0)
		(void)bytes_append_text(w->out, "<tr>");
	put_in(w, item, w->heading ? "th" : "td", "");
	if (w->column < w->columns)
		return;
	(void)bytes_append_text(w->out, "</tr>\n");
	w->column = 0;
	w->heading = false;
}

/* ---- drawings */

static void begin_drawing(struct writing *w, const struct document_item *item, unsigned width,
			  unsigned height)
{
	(void)bytes_append_text(w->out, "<h3>");
	put(w, item);
	(void)bytes_printf(w->out,
			   "</h3>\n<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\""
			   " width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\" font-size=\"10\">\n",
			   width, height, width, height);
}

static void chart(struct writing *w, const struct document_item *item)
{
	w->highest = document_highest(item);
	w->bars = w->bar = 0;
	for (const struct document_item *i = item + 1; i->kind != DOCUMENT_END; i++)
		w->bars++;
	begin_drawing(w, item, PAGE_WIDTH_PX, CHART_HEIGHT_PX + 2 * CHART_FOOT_PX);
	(void)bytes_printf(w->out,
			   "<line x1=\"0\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"#777\"/>\n",
			   CHART_FOOT_PX + CHART_HEIGHT_PX, PAGE_WIDTH_PX,
			   CHART_FOOT_PX + CHART_HEIGHT_PX);
}

static void bar(struct writing *w, const struct document_item *item)
{
	double wide = (double)PAGE_WIDTH_PX / (double)w->bars, left = wide * (double)w->bar++;
	double high = (double)item->number * CHART_HEIGHT_PX / (double)w->highest;
	double top = CHART_FOOT_PX + CHART_HEIGHT_PX - high, middle = left + wide / 2;

	(void)bytes_printf(w->out,
			   "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
			   "fill=\"#4a6fa5\"/>",
			   left + wide / 8, top, wide * 3 / 4, high);
	if (item->number > 0)
		(void)bytes_printf(w->out,
				   "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" "
				   "font-size=\"8\">%" PRIu64 "</text>",
				   middle, top - 2, item->number);
	(void)bytes_printf(w->out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", middle,
			   CHART_HEIGHT_PX + CHART_FOOT_PX + 12);
	put(w, item);
	(void)bytes_append_text(w->out, "</text>\n");
}

static void picture(struct writing *w, const struct document_item *item)
{
	w->nodes = w->node = w->links = w->link = 0;
	for (const struct document_item *i = item + 1; i->kind != DOCUMENT_END; i++) {
		w->nodes += i->kind == DOCUMENT_NODE;
		w->links += i->kind == DOCUMENT_LINK;
	}
	begin_drawing(w, item, PAGE_WIDTH_PX,
		      (unsigned)(NODE_HEIGHT_PX + LINK_HEIGHT_PX * (w->links + 1)));
}

static double node_middle(const struct writing *w, size_t place)
{
	return PAGE_WIDTH_PX * ((double)place + 0.5) / (double)w->nodes;
}

static void node(struct writing *w, const struct document_item *item)
{
	static const char *const fills[] = {[TIER_SENSITIVE] = "#f6d5d5",
					    [TIER_BUSINESS] = "#dfe9f6",
					    [TIER_OUTSIDE] = "#eeeeee"};
	double middle = node_middle(w, w->node++), wide = (double)PAGE_WIDTH_PX / (double)w->nodes;
	const char *words = document_text(w->d, item);

	wide = wide - 12 < NODE_WIDTH_PX ? wide - 12 : NODE_WIDTH_PX;
	(void)bytes_printf(w->out,
			   "<rect x=\"%.1f\" y=\"1\" width=\"%.1f\" height=\"%d\" "
			   "fill=\"%s\" stroke=\"#111\"/>\n",
			   middle - wide / 2, wide, NODE_HEIGHT_PX, fills[item->number]);
	for (int y = LINE_HEIGHT_PX; words[0] != '\0'; y += LINE_HEIGHT_PX) {
		size_t size = strcspn(words, "\n");

		(void)bytes_printf(w->out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\"%s>",
				   middle, y, y == LINE_HEIGHT_PX ? " font-weight=\"bold\"" : "");
		escape(w->out, (struct span){(const uint8_t *)words, size});
		(void)bytes_append_text(w->out, "</text>\n");
		words += size + (words[size] == '\n');
	}
}

/* Down from one node, across, up to the other, each link on a level of its own. */
static void connection(struct writing *w, const struct document_item *item)
{
	static const char *const strokes[] = {
		"stroke=\"#b03030\" stroke-width=\"3\"",
		"stroke=\"#2d6a4f\" stroke-width=\"2\" stroke-dasharray=\"8 4\"",
		"stroke=\"#4a6fa5\" stroke-width=\"2\" stroke-dasharray=\"2 3\"",
		"stroke=\"#777777\" stroke-width=\"1\" stroke-dasharray=\"1 5\"",
		"stroke=\"#ff0000\" stroke-width=\"6\""};
	size_t level = w->link++;
	double shift = (double)level * 8 - (double)w->links * 4;
	double from = node_middle(w, DOCUMENT_LINK_FROM(item->number)) + shift;
	double to = node_middle(w, DOCUMENT_LINK_TO(item->number)) + shift;
	double y = NODE_HEIGHT_PX + LINK_HEIGHT_PX * (double)(level + 1) - 8;

	(void)bytes_printf(w->out, "<path d=\"M %.1f %d V %.1f H %.1f V %d\" fill=\"none\" %s/>\n",
			   from, NODE_HEIGHT_PX + 1, y, to, NODE_HEIGHT_PX + 1,
			   strokes[DOCUMENT_LINK_KIND(item->number)]);
	(void)bytes_printf(w->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
			   (from + to) / 2, y - 4);
	put(w, item);
	(void)bytes_append_text(w->out, "</text>\n");
}

/* What is open is the last that was begun: charts, pictures and tables do not nest. */
static void end(struct writing *w, const struct document_item *item)
{
	while (item->kind != DOCUMENT_TABLE && item->kind != DOCUMENT_CHART &&
	       item->kind != DOCUMENT_PICTURE)
		item--;
	(void)bytes_append_text(w->out, item->kind == DOCUMENT_TABLE ? "</table>\n" : "</svg>\n");
}

static void put_head(struct writing *w)
{
	(void)bytes_printf(w->out,
			   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE html>\n"
			   "<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"%s\">\n<head>\n"
			   "<meta charset=\"utf-8\"/>\n<title>",
			   w->d->language == LANGUAGE_JA ? "ja" : "en");
	if (w->d->count > 0)
		put(w, &w->d->items[0]);
	(void)bytes_printf(w->out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", style);
}

int document_write_html(const struct document *d, struct bytes *out)
{
	static void (*const writers[])(struct writing *w, const struct document_item *item) = {
		[DOCUMENT_TITLE] = title,     [DOCUMENT_HEADING] = heading,
		[DOCUMENT_TEXT] = text,       [DOCUMENT_STATE] = state,
		[DOCUMENT_TABLE] = table,     [DOCUMENT_CELL] = cell,
		[DOCUMENT_CHART] = chart,     [DOCUMENT_BAR] = bar,
		[DOCUMENT_PICTURE] = picture, [DOCUMENT_NODE] = node,
		[DOCUMENT_LINK] = connection, [DOCUMENT_END] = end,
	};
	struct writing w = {.d = d, .out = out};

	put_head(&w);
	for (size_t i = 0; i < d->count; i++)
		writers[d->items[i].kind](&w, &d->items[i]);
	(void)bytes_append_text(out, "</body>\n</html>\n");
	return d->failed || out->failed ? -ERR_NO_MEMORY : 0;
}
