/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of HTML's elements by their names, and of their attributes. */
#include <string.h>

#include "wire/html/render.h"

enum { VOID = 1 };

static const struct {
	const char *name;
	uint8_t tag;
	uint8_t flags;
} tags[] = {
	{"a", HTML_A, 0},
	{"address", HTML_BLOCK, 0},
	{"applet", HTML_EMBED, 0},
	{"area", HTML_AREA, VOID},
	{"article", HTML_BLOCK, 0},
	{"aside", HTML_BLOCK, 0},
	{"audio", HTML_EMBED, 0},
	{"base", HTML_BASE, VOID},
	{"blockquote", HTML_QUOTE, 0},
	{"body", HTML_BODY, 0},
	{"br", HTML_BR, VOID},
	{"canvas", HTML_EMBED, 0},
	{"caption", HTML_BLOCK, 0},
	{"center", HTML_BLOCK, 0},
	{"col", HTML_OTHER, VOID},
	{"dd", HTML_BLOCK, 0},
	{"del", HTML_DEL, 0},
	{"details", HTML_BLOCK, 0},
	{"dir", HTML_LIST, 0},
	{"div", HTML_BLOCK, 0},
	{"dl", HTML_PARA, 0},
	{"dt", HTML_BLOCK, 0},
	{"embed", HTML_EMBED, VOID},
	{"fieldset", HTML_BLOCK, 0},
	{"figcaption", HTML_BLOCK, 0},
	{"figure", HTML_PARA, 0},
	{"footer", HTML_BLOCK, 0},
	{"form", HTML_FORM, 0},
	{"frame", HTML_EMBED, VOID},
	{"frameset", HTML_OTHER, 0},
	{"h1", HTML_HEADING, 0},
	{"h2", HTML_HEADING, 0},
	{"h3", HTML_HEADING, 0},
	{"h4", HTML_HEADING, 0},
	{"h5", HTML_HEADING, 0},
	{"h6", HTML_HEADING, 0},
	{"header", HTML_BLOCK, 0},
	{"hr", HTML_HR, VOID},
	{"iframe", HTML_UNREAD, 0},
	{"img", HTML_IMG, VOID},
	{"image", HTML_IMG, VOID},
	{"input", HTML_INPUT, VOID},
	{"legend", HTML_BLOCK, 0},
	{"li", HTML_LI, 0},
	{"link", HTML_OTHER, VOID},
	{"listing", HTML_PRE, 0},
	{"main", HTML_BLOCK, 0},
	{"math", HTML_OTHER, 0},
	{"menu", HTML_LIST, 0},
	{"meta", HTML_META, VOID},
	{"nav", HTML_BLOCK, 0},
	{"noembed", HTML_UNREAD, 0},
	{"noframes", HTML_UNREAD, 0},
	{"object", HTML_EMBED, 0},
	{"ol", HTML_OL, 0},
	{"option", HTML_BLOCK, 0},
	{"p", HTML_PARA, 0},
	{"param", HTML_OTHER, VOID},
	{"plaintext", HTML_PRE, 0},
	{"pre", HTML_PRE, 0},
	{"q", HTML_Q, 0},
	{"rp", HTML_SKIP, 0},
	{"rt", HTML_RT, 0},
	{"s", HTML_DEL, 0},
	{"script", HTML_SCRIPT, 0},
	{"section", HTML_BLOCK, 0},
	{"source", HTML_SOURCE, VOID},
	{"strike", HTML_DEL, 0},
	{"style", HTML_STYLE, 0},
	{"summary", HTML_BLOCK, 0},
	{"sup", HTML_SUP, 0},
	{"svg", HTML_EMBED, 0},
	{"table", HTML_TABLE, 0},
	{"td", HTML_CELL, 0},
	{"template", HTML_TEMPLATE, 0},
	{"text", HTML_BLOCK, 0},
	{"textarea", HTML_PRE, 0},
	{"th", HTML_HEAD_CELL, 0},
	{"title", HTML_SKIP, 0},
	{"tr", HTML_ROW, 0},
	{"track", HTML_OTHER, VOID},
	{"ul", HTML_LIST, 0},
	{"video", HTML_EMBED, 0},
	{"wbr", HTML_OTHER, VOID},
	{"xml", HTML_SKIP, 0},
	{"xmp", HTML_PRE, 0},
};

enum html_tag html_tag_of(struct span name, bool *is_void)
{
	size_t low = 0, high = sizeof(tags) / sizeof(tags[0]);

	*is_void = false;
	for (size_t i = low; i < high; i++) {
		if (tags[i].name[0] == name.data[0] && strlen(tags[i].name) == name.size &&
		    memcmp(tags[i].name, name.data, name.size) == 0) {
			*is_void = tags[i].flags == VOID;
			return (enum html_tag)tags[i].tag;
		}
	}
	return HTML_OTHER;
}

const struct html_attr *html_attr_find(const struct html_element *element, struct span name)
{
	for (size_t i = 0; i < element->attr_count; i++) {
		if (span_equal_nocase(element->attrs[i].name, name))
			return &element->attrs[i];
	}
	return NULL;
}

struct span html_attr_of(const struct html_element *element, const char *name)
{
	const struct html_attr *attr = html_attr_find(element, span_of(name));

	return attr != NULL ? span_trim(attr->value) : span_of("");
}

bool html_attr_has(const struct html_element *element, const char *name)
{
	return html_attr_find(element, span_of(name)) != NULL;
}
