/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Declarations of CSS taken apart: names, values, "!important", shorthands, comments, escapes (CSS
 * Syntax Level 3, as far as it is needed here). */
#include <string.h>

#include "wire/html/style.h"

enum shape { PLAIN, FONT, MARGIN, INSET };

static const struct {
	const char *name;
	uint8_t property;
	uint8_t shape;
} properties[] = {
	{"-webkit-background-clip", HTML_BACKGROUND_CLIP, PLAIN},
	{"-webkit-text-fill-color", HTML_TEXT_FILL, PLAIN},
	{"-webkit-transform", HTML_TRANSFORM, PLAIN},
	{"background", HTML_BACKGROUND, PLAIN},
	{"background-clip", HTML_BACKGROUND_CLIP, PLAIN},
	{"background-color", HTML_BACKGROUND, PLAIN},
	{"background-image", HTML_BACKGROUND_IMAGE, PLAIN},
	{"bottom", HTML_BOTTOM, PLAIN},
	{"clip", HTML_CLIP, PLAIN},
	{"clip-path", HTML_CLIP_PATH, PLAIN},
	{"color", HTML_COLOR, PLAIN},
	{"content", HTML_CONTENT, PLAIN},
	{"content-visibility", HTML_CONTENT_VISIBILITY, PLAIN},
	{"display", HTML_DISPLAY, PLAIN},
	{"filter", HTML_FILTER, PLAIN},
	{"font", HTML_FONT_SIZE, FONT},
	{"font-size", HTML_FONT_SIZE, PLAIN},
	{"height", HTML_HEIGHT, PLAIN},
	{"inset", HTML_TOP, INSET},
	{"left", HTML_LEFT, PLAIN},
	{"margin", HTML_MARGIN_TOP, MARGIN},
	{"margin-left", HTML_MARGIN_LEFT, PLAIN},
	{"margin-top", HTML_MARGIN_TOP, PLAIN},
	{"max-height", HTML_MAX_HEIGHT, PLAIN},
	{"max-width", HTML_MAX_WIDTH, PLAIN},
	{"mso-hide", HTML_MSO_HIDE, PLAIN},
	{"opacity", HTML_OPACITY, PLAIN},
	{"overflow", HTML_OVERFLOW, PLAIN},
	{"overflow-x", HTML_OVERFLOW, PLAIN},
	{"overflow-y", HTML_OVERFLOW, PLAIN},
	{"position", HTML_POSITION, PLAIN},
	{"right", HTML_RIGHT, PLAIN},
	{"scale", HTML_SCALE, PLAIN},
	{"text-indent", HTML_TEXT_INDENT, PLAIN},
	{"text-shadow", HTML_TEXT_SHADOW, PLAIN},
	{"top", HTML_TOP, PLAIN},
	{"transform", HTML_TRANSFORM, PLAIN},
	{"translate", HTML_TRANSLATE, PLAIN},
	{"visibility", HTML_VISIBILITY, PLAIN},
	{"width", HTML_WIDTH, PLAIN},
};

enum { PROPERTY_NAMES = sizeof(properties) / sizeof(properties[0]) };

/* The size in "italic bold 12px/1.5 serif": the first token that begins like a number. */
static struct span font_size_of(struct span value)
{
	for (size_t at = 0; at < value.size; at++) {
		bool begins = at == 0 || value.data[at - 1] <= ' ';
		size_t end = at;

		if (!begins || value.data[at] > '9' || value.data[at] < '.')
			continue;
		while (end < value.size && value.data[end] > ' ' && value.data[end] != '/')
			end++;
		/* A weight has no unit: "700 12px serif" */
		if (end - at == 3 && memcmp(value.data + at + 1, "00", 2) == 0)
			continue;
		return (struct span){value.data + at, end - at};
	}
	return span_of("");
}

/* The tokens of "a b c d", at most four. */
static unsigned tokens_of(struct span value, struct span token[4])
{
	unsigned count = 0;

	for (size_t at = 0; at < value.size && count < 4;) {
		size_t begin;

		while (at < value.size && value.data[at] <= ' ')
			at++;
		for (begin = at; at < value.size && value.data[at] > ' ';)
			at++;
		if (at > begin)
			token[count++] = (struct span){value.data + begin, at - begin};
	}
	return count;
}

struct span html_value_bound(enum html_property property, struct span value)
{
	if (value.size <= (property == HTML_CONTENT ? HTML_CONTENT_BYTES : HTML_VALUE_BYTES))
		return value;
	if (property == HTML_CONTENT) {
		for (value.size = HTML_CONTENT_BYTES; (value.data[value.size] & 0xC0) == 0x80;)
			value.size--;
		return value;
	}
	return span_of(property == HTML_BACKGROUND || property == HTML_BACKGROUND_IMAGE ? "url()"
											: "var()");
}

/* A picture's data are long wherever they stand: nothing is lost with them. */
static void give(struct html_declaration d, html_declare_fn *take, void *ctx)
{
	struct span bound = html_value_bound(d.property, d.value);

	d.cut = bound.size < d.value.size && d.property != HTML_BACKGROUND &&
		d.property != HTML_BACKGROUND_IMAGE;
	d.value = bound;
	d.variable = !d.cut && html_css_find(bound, "var(") != NULL;
	take(ctx, &d);
}

/* "top right bottom left", of which the later ones may be missing: only top and left matter. */
static void take_sides(struct html_declaration d, enum html_property left, html_declare_fn *take,
		       void *ctx)
{
	struct span token[4];
	unsigned count = tokens_of(d.value, token);

	if (count == 0)
		return;
	d.value = token[0];
	give(d, take, ctx);
	d.property = left;
	d.value = token[count == 4 ? 3 : count > 1 ? 1 : 0];
	give(d, take, ctx);
}

/* Without "!important" at its end. */
static struct span value_of(struct span value, bool *important)
{
	const uint8_t *mark = value.size > 0 ? memrchr(value.data, '!', value.size) : NULL;

	*important = false;
	if (mark == NULL)
		return span_trim(value);
	*important = span_equal_nocase(
		span_trim((struct span){mark + 1, value.size - (size_t)(mark - value.data) - 1}),
		span_of("important"));
	if (!*important) /* it stands in a string */
		return span_trim(value);
	return span_trim((struct span){value.data, (size_t)(mark - value.data)});
}

static void take_one(struct span name, struct span value, html_declare_fn *take, void *ctx)
{
	struct html_declaration d = {.cut = false};
	size_t i = 0;

	while (i < PROPERTY_NAMES && !span_equal_nocase(name, span_of(properties[i].name)))
		i++;
	if (i == PROPERTY_NAMES)
		return;
	d.property = (enum html_property)properties[i].property;
	d.value = value_of(value, &d.important);
	switch (properties[i].shape) {
	case MARGIN:
		take_sides(d, HTML_MARGIN_LEFT, take, ctx);
		return;
	case INSET:
		take_sides(d, HTML_LEFT, take, ctx);
		return;
	case FONT:
		d.value = font_size_of(d.value);
		break;
	default:
		break;
	}
	if (d.value.size > 0)
		give(d, take, ctx);
}

size_t html_css_string_end(struct span css, size_t at)
{
	size_t end = at + 1;

	if (css.data[at] != '"' && css.data[at] != '\'')
		return at;
	while (end < css.size && css.data[end] != css.data[at] && css.data[end] != '\n')
		end += css.data[end] == '\\' ? 2 : 1;
	return end < css.size ? end : css.size - 1;
}

/* Where the declaration at @at ends: at a semicolon that is in no brackets and no string. */
static size_t declaration_end(struct span style, size_t at)
{
	unsigned depth = 0;

	for (; at < style.size; at++) {
		uint8_t c = style.data[at];

		if (c == ';' && depth == 0)
			break;
		at = html_css_string_end(style, at);
		depth += c == '(';
		depth -= c == ')' && depth > 0;
	}
	return at;
}

void html_declarations(struct span style, html_declare_fn *take, void *ctx)
{
	for (size_t at = 0; at < style.size;) {
		size_t end = declaration_end(style, at);
		const uint8_t *colon = memchr(style.data + at, ':', end - at);

		if (colon != NULL) {
			size_t middle = (size_t)(colon - style.data);

			take_one(span_trim((struct span){style.data + at, middle - at}),
				 (struct span){colon + 1, end - middle - 1}, take, ctx);
		}
		at = end + 1;
	}
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* An escape at @at: "\64" is "d", "\d" would be a hexadecimal one, "\p" is "p". What does not stand
 * for a letter, digit, "-" or "_" stays as it is. Return: octets taken. */
static size_t escape_read(struct span in, size_t at, uint8_t *c)
{
	size_t end = at + 1;
	uint32_t value = 0;

	*c = '\\';
	while (end < in.size && end < at + 7 && hex_value(in.data[end]) >= 0)
		value = value << 4 | (uint32_t)hex_value(in.data[end++]);
	if (end == at + 1) {
		if (end >= in.size)
			return 1;
		value = in.data[end++];
	} else if (end < in.size &&
		   (in.data[end] == ' ' || in.data[end] == '\n' || in.data[end] == '\t')) {
		end++;
	}
	if (!(((value | 0x20) >= 'a' && (value | 0x20) <= 'z') || (value >= '0' && value <= '9') ||
	      value == '-' || value == '_'))
		return 1;
	*c = (uint8_t)value;
	return end - at;
}

/* Behind a comment, or what hides a style sheet from browsers that have none; @at elsewhere. */
static size_t skip_comment(struct span in, size_t at)
{
	struct span rest = {in.data + at, in.size - at};
	const uint8_t *end;

	if (span_starts_nocase(rest, span_of("<!--")))
		return at + 4;
	if (span_starts_nocase(rest, span_of("-->")))
		return at + 3;
	if (!span_starts_nocase(rest, span_of("/*")))
		return at;
	end = memmem(rest.data + 2, rest.size - 2, "*/", 2);
	return end != NULL ? (size_t)(end - in.data) + 2 : in.size;
}

size_t html_css_plain(struct span in, uint8_t *out)
{
	size_t size = 0;
	uint8_t quote = 0;

	for (size_t at = 0; at < in.size;) {
		size_t behind = quote == 0 ? skip_comment(in, at) : at;
		uint8_t c = in.data[at];

		if (behind > at) {
			at = behind;
			continue;
		}
		if (c == '\\') {
			at += escape_read(in, at, &out[size]);
			if (out[size++] == '\\' &&
			    at < in.size) /* what it keeps from meaning more */
				out[size++] = in.data[at++];
			continue;
		}
		if (c == '\n' || c == quote)
			quote = 0;
		else if (quote == 0 && (c == '"' || c == '\''))
			quote = c;
		out[size++] = c;
		at++;
	}
	return size;
}
