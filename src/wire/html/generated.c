/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What style sheets write themselves, before and behind what is in an element (CSS Generated
 * Content 3): strings and values of attributes. Counters and pictures are left out. */
#include <string.h>

#include "wire/html/entity.h"
#include "wire/html/render.h"

enum { CHARACTER_MOST = 4 }; /* octets */

/* Behind the string whose quote is at @at. */
static size_t string_behind(struct span value, size_t at)
{
	uint8_t quote = value.data[at++];

	while (at < value.size && value.data[at] != quote)
		at += value.data[at] == '\\' ? 2 : 1;
	return at + 1;
}

/* The value of the attribute that is named at @at, behind "attr(". */
static struct span attr_named(struct span value, size_t at, const struct html_element *element)
{
	struct span name = span_trim((struct span){value.data + at, value.size - at});
	size_t end = 0;

	while (end < name.size && memchr(" ,)\t\n", name.data[end], 5) == NULL)
		end++;
	name.size = end;
	return html_attr_find(element, name) != NULL ? html_attr_find(element, name)->value
						     : span_of("");
}

static bool is_attr(struct span value, size_t at)
{
	return span_starts_nocase((struct span){value.data + at, value.size - at},
				  span_of("attr("));
}

bool html_generated_is_text(struct span value)
{
	for (size_t at = 0; at < value.size; at++) {
		size_t end = html_css_string_end(value, at);

		if (is_attr(value, at))
			return true;
		for (; at < end; at++) {
			if (value.data[at] >= '0')
				return true;
		}
	}
	return false;
}

/* Each attribute that the content names, in the order in which html_generated_put writes them.
 * Return: whether there was room for all. */
static bool find_attrs(struct html_generated *g, const struct html_element *element)
{
	size_t count = 0;

	for (size_t at = 0; at < g->value.size;) {
		if (g->value.data[at] == '"' || g->value.data[at] == '\'') {
			at = string_behind(g->value, at);
			continue;
		}
		if (is_attr(g->value, at)) {
			if (count == HTML_GENERATED_ATTRS)
				return false;
			g->attr[count++] = attr_named(g->value, at + 5, element);
		}
		at++;
	}
	return true;
}

struct html_generated html_generated_of(const struct html_render *r,
					const struct html_element *element,
					struct html_cascade *cascade, struct html_look look)
{
	static const struct html_element nothing = {.name = {(const uint8_t *)"", 0}};
	struct html_generated out = {.value = {(const uint8_t *)"", 0}};

	for (size_t i = 0; i < HTML_GENERATED_ATTRS; i++)
		out.attr[i] = span_of("");
	if (!(cascade->set >> HTML_CONTENT & 1))
		return out;
	out.value = cascade->value[HTML_CONTENT];
	if (!find_attrs(&out, element))
		r->report->sheet_cut = true;
	out.hidden = html_style_apply(&nothing, cascade, &look) || !html_render_sees(r, &look);
	r->report->style_unread = r->report->style_unread || cascade->unread ||
				  (cascade->variable >> HTML_CONTENT & 1) != 0;
	return out;
}

/* An escape of CSS in a string, at @at: "\3042 ", "\"". Return: octets taken. */
static size_t string_escape(struct span s, size_t at, uint8_t out[CHARACTER_MOST], size_t *size)
{
	size_t end = at + 1;
	uint32_t c = 0;

	*size = 0;
	for (; end < s.size && end < at + 7; end++) {
		uint8_t digit = s.data[end] | 0x20;

		if (s.data[end] >= '0' && s.data[end] <= '9')
			c = c << 4 | (uint32_t)(s.data[end] - '0');
		else if (digit >= 'a' && digit <= 'f')
			c = c << 4 | (uint32_t)(digit - 'a' + 10);
		else
			break;
	}
	if (end == at + 1) { /* the octet itself, but a line end is none */
		if (end < s.size && s.data[end] != '\n')
			out[(*size)++] = s.data[end];
		return end < s.size ? 2 : 1;
	}
	if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		c = 0xFFFD;
	html_entity_put(c < 0x20 || c == 0x7F ? ' ' : c, out, size);
	return end - at + (end < s.size && memchr(" \n\t\r\f", s.data[end], 5) != NULL);
}

/* A lone sign that is not seen parts boxes ("clearfix"), and says nothing. */
static bool is_mute(const struct html_generated *g, struct span text)
{
	return g->hidden && text.size == 1 && text.data[0] < '0';
}

/* The string whose quote is at @at. Return: behind it. */
static size_t put_string(struct html_render *r, const struct html_generated *g, size_t at)
{
	uint8_t quote = g->value.data[at++], text[HTML_CONTENT_BYTES + CHARACTER_MOST];
	size_t used = 0, size;

	while (at < g->value.size && g->value.data[at] != quote &&
	       used + CHARACTER_MOST <= sizeof(text)) {
		if (g->value.data[at] == '\\') {
			at += string_escape(g->value, at, text + used, &size);
			used += size;
		} else {
			text[used++] = g->value.data[at++];
		}
	}
	if (!is_mute(g, (struct span){text, used}))
		html_render_flow(r, (struct span){text, used}, g->hidden);
	return at + 1;
}

void html_generated_put(struct html_render *r, const struct html_generated *g)
{
	size_t size = g->value.size, attrs = 0;

	for (size_t i = 0; i < HTML_GENERATED_ATTRS; i++)
		size += g->attr[i].size;
	if (g->value.size == 0 || r->skips > 0)
		return;
	if (size > HTML_GENERATED_BYTES - r->report->generated_bytes) {
		r->report->sheet_cut = true;
		return;
	}
	r->report->generated_bytes += (uint32_t)size;
	for (size_t at = 0; at < g->value.size;) {
		struct span rest = {g->value.data + at, g->value.size - at};

		if (rest.data[0] == '"' || rest.data[0] == '\'') {
			at = put_string(r, g, at);
			continue;
		}
		if (is_attr(g->value, at) && attrs < HTML_GENERATED_ATTRS)
			html_render_flow(r, g->attr[attrs++], g->hidden);
		else if (span_starts_nocase(rest, span_of("open-quote")))
			html_render_flow(r, span_of("「"), g->hidden);
		else if (span_starts_nocase(rest, span_of("close-quote")))
			html_render_flow(r, span_of("」"), g->hidden);
		at++;
	}
}
