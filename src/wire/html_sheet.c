/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Style sheets inside of a document, as far as they hide: rules of one class or id each, outside of
 * @media and the like. */
#include <string.h>

#include "wire/html_render.h"

static bool is_name(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* Behind the comment that begins at @at, or @at. */
static size_t skip_comment(struct span css, size_t at)
{
	const uint8_t *end;

	if (css.size - at < 2 || css.data[at] != '/' || css.data[at + 1] != '*')
		return at;
	end = memmem(css.data + at + 2, css.size - at - 2, "*/", 2);
	return end != NULL ? (size_t)(end - css.data) + 2 : css.size;
}

/* Behind an at-rule: its semicolon, or its block with all blocks inside. */
static size_t skip_at_rule(struct span css, size_t at)
{
	unsigned depth = 0;

	for (; at < css.size; at++) {
		if (css.data[at] == '{')
			depth++;
		else if (css.data[at] == '}' && (depth == 0 || --depth == 0))
			return at + 1;
		else if (css.data[at] == ';' && depth == 0)
			return at + 1;
	}
	return at;
}

/* Keep "tag.class", ".class" or "#id"; selectors that look at more than one element are beyond us.
 */
static void keep_selector(struct html_sheet *sheet, struct span selector)
{
	size_t at = 0;

	selector = span_trim(selector);
	while (at < selector.size && is_name(selector.data[at]))
		at++;
	if (selector.size - at < 2 || (selector.data[at] != '.' && selector.data[at] != '#') ||
	    sheet->count == HTML_SHEET_MAX)
		return;
	for (size_t i = at + 1; i < selector.size; i++) {
		if (!is_name(selector.data[i]))
			return;
	}
	sheet->hiding[sheet->count++] = (struct span){selector.data + at, selector.size - at};
}

static void keep_selectors(struct html_sheet *sheet, struct span list)
{
	size_t at = 0;

	while (at < list.size) {
		const uint8_t *comma = memchr(list.data + at, ',', list.size - at);
		size_t end = comma != NULL ? (size_t)(comma - list.data) : list.size;

		keep_selector(sheet, (struct span){list.data + at, end - at});
		at = end + 1;
	}
}

void html_sheet_read(struct html_sheet *sheet, struct span css)
{
	size_t at = 0;

	while (at < css.size && sheet->count < HTML_SHEET_MAX) {
		const uint8_t *open, *close;
		size_t begin = skip_comment(css, at), body;

		if (begin > at || strchr(" \t\r\n\f<>!-", css.data[at]) != NULL) {
			at = begin > at ? begin : at + 1;
			continue;
		}
		if (css.data[at] == '@') {
			at = skip_at_rule(css, at);
			continue;
		}
		open = memchr(css.data + at, '{', css.size - at);
		if (open == NULL)
			return;
		body = (size_t)(open - css.data) + 1;
		close = memchr(css.data + body, '}', css.size - body);
		if (close == NULL)
			return;
		if (html_style_hides(
			    (struct span){css.data + body, (size_t)(close - css.data) - body}))
			keep_selectors(sheet, (struct span){css.data + at, body - 1 - at});
		at = (size_t)(close - css.data) + 1;
	}
}

/* Is @word one of the space-separated @list? */
static bool has_word(struct span list, struct span word)
{
	size_t at = 0;

	while (at < list.size) {
		size_t begin;

		while (at < list.size && list.data[at] <= ' ')
			at++;
		begin = at;
		while (at < list.size && list.data[at] > ' ')
			at++;
		if (span_equal((struct span){list.data + begin, at - begin}, word))
			return true;
	}
	return false;
}

bool html_sheet_hides(const struct html_sheet *sheet, const struct html_element *element)
{
	struct span class, id;

	if (sheet->count == 0 || element->attr_count == 0)
		return false;
	class = html_attr_of(element, "class");
	id = html_attr_of(element, "id");
	for (size_t i = 0; i < sheet->count; i++) {
		struct span selector = sheet->hiding[i],
			    name = {selector.data + 1, selector.size - 1};

		if (selector.data[0] == '.' ? has_word(class, name) : span_equal(id, name))
			return true;
	}
	return false;
}
