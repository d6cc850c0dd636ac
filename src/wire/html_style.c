/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inline CSS, as far as it hides text: display, visibility, size, opacity, colour on the same
 * colour, off the screen. */
#include <string.h>

#include "wire/html_render.h"

static const struct {
	const char *name;
	uint32_t rgb;
} colors[] = {
	{"white", 0xFFFFFF},  {"black", 0x000000}, {"red", 0xFF0000},  {"blue", 0x0000FF},
	{"green", 0x008000},  {"gray", 0x808080},  {"grey", 0x808080}, {"yellow", 0xFFFF00},
	{"silver", 0xC0C0C0}, {"navy", 0x000080},
};

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint32_t color_hex(struct span s)
{
	uint32_t value = 0;
	size_t digits = s.size;

	if (digits != 3 && digits != 6)
		return HTML_COLOR_NONE;
	for (size_t i = 0; i < digits; i++) {
		int v = hex_value(s.data[i]);

		if (v < 0)
			return HTML_COLOR_NONE;
		value = value << 4 | (uint32_t)v;
		if (digits == 3)
			value = value << 4 | (uint32_t)v;
	}
	return value;
}

/* "rgb(255, 255, 255)" */
static uint32_t color_rgb(struct span s)
{
	uint32_t value = 0, part = 0;
	unsigned parts = 0;
	bool digits = false;

	for (size_t i = 0; i <= s.size; i++) {
		uint8_t c = i < s.size ? s.data[i] : ')';

		if (c >= '0' && c <= '9') {
			part = part * 10 + (c - '0');
			part = part > 255 ? 255 : part;
			digits = true;
		} else if (digits && parts < 3) {
			value = value << 8 | part;
			parts++;
			part = 0;
			digits = false;
		}
	}
	return parts == 3 ? value : HTML_COLOR_NONE;
}

/* The colour that a value begins with, or HTML_COLOR_NONE. */
static uint32_t color_of(struct span s)
{
	s = span_trim(s);
	if (s.size > 1 && s.data[0] == '#') {
		size_t n = 1;

		while (n < s.size && hex_value(s.data[n]) >= 0)
			n++;
		return color_hex((struct span){s.data + 1, n - 1});
	}
	if (span_starts_nocase(s, span_of("rgb(")) || span_starts_nocase(s, span_of("rgba(")))
		return color_rgb(s);
	for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++) {
		if (span_starts_nocase(s, span_of(colors[i].name)))
			return colors[i].rgb;
	}
	return HTML_COLOR_NONE;
}

/* A number with its sign; *@ok false where the value is none. Fractions count as their whole part.
 */
static long number_of(struct span s, bool *ok)
{
	bool minus = s.size > 0 && s.data[0] == '-';
	long value = 0;

	*ok = false;
	for (size_t i = minus ? 1 : 0; i < s.size && s.data[i] >= '0' && s.data[i] <= '9'; i++) {
		if (value < 1000000)
			value = value * 10 + (s.data[i] - '0');
		*ok = true;
	}
	return minus ? -value : value;
}

/* What the declarations of one style attribute say together. */
struct declared {
	bool none;    /* display:none and its like */
	bool tiny;    /* no size in some direction */
	bool clipped; /* overflow:hidden */
	bool off;     /* far off the screen */
};

static bool is(struct span s, const char *text)
{
	return span_equal_nocase(s, span_of(text));
}

static bool begins(struct span s, const char *text)
{
	return span_starts_nocase(s, span_of(text));
}

/* Zero, or too small to be read. "0.9em" is not: its whole part is 0, but a fraction follows. */
static bool is_zero(struct span value)
{
	bool ok;
	long n = number_of(value, &ok);

	for (size_t i = 0; i < value.size; i++) {
		if (value.data[i] == '.' && i + 1 < value.size && value.data[i + 1] != '0')
			return false;
	}
	return ok && n == 0;
}

static void declare_size(struct declared *d, struct span name, struct span value)
{
	bool ok;
	long n = number_of(value, &ok);

	if (is(name, "font-size"))
		d->none = d->none || is_zero(value) ||
			  (ok && n == 1 && memmem(value.data, value.size, "px", 2));
	else if (is(name, "opacity"))
		d->none = d->none || is_zero(value);
	else if (is(name, "height") || is(name, "max-height") || is(name, "width") ||
		 is(name, "max-width"))
		d->tiny = d->tiny || is_zero(value);
	else if (is(name, "text-indent") || is(name, "left") || is(name, "top") ||
		 is(name, "margin-left") || is(name, "right"))
		d->off = d->off || (ok && n <= -500);
}

static void declare(struct declared *d, struct html_look *look, struct span name, struct span value)
{
	if (is(name, "display")) {
		d->none = d->none || begins(value, "none");
	} else if (is(name, "visibility")) {
		d->none = d->none || begins(value, "hidden") || begins(value, "collapse");
	} else if (is(name, "mso-hide")) {
		d->none = d->none || begins(value, "all");
	} else if (is(name, "overflow")) {
		d->clipped = d->clipped || begins(value, "hidden");
	} else if (is(name, "color")) {
		if (begins(value, "transparent"))
			d->none = true;
		look->color = color_of(value);
	} else if (is(name, "background-color") || is(name, "background")) {
		uint32_t color = color_of(value);

		look->background = color != HTML_COLOR_NONE ? color : look->background;
	} else {
		declare_size(d, name, value);
	}
}

static void declare_all(struct declared *d, struct html_look *look, struct span style)
{
	size_t at = 0;

	while (at < style.size) {
		const uint8_t *semicolon = memchr(style.data + at, ';', style.size - at);
		size_t end = semicolon != NULL ? (size_t)(semicolon - style.data) : style.size;
		const uint8_t *colon = memchr(style.data + at, ':', end - at);

		if (colon != NULL) {
			size_t middle = (size_t)(colon - style.data);

			declare(d, look, span_trim((struct span){style.data + at, middle - at}),
				span_trim((struct span){colon + 1, end - middle - 1}));
		}
		at = end + 1;
	}
}

static bool hides(const struct declared *d)
{
	return d->none || d->off || (d->tiny && d->clipped);
}

bool html_style_hides(struct span declarations)
{
	struct html_look look = {HTML_COLOR_NONE, HTML_COLOR_NONE};
	struct declared d = {0};

	declare_all(&d, &look, declarations);
	return hides(&d);
}

bool html_style_apply(const struct html_element *element, struct html_look *look)
{
	struct declared d = {0};
	struct span color, background;

	if (element->attr_count == 0)
		return false;
	color = html_attr_of(element, "color");
	background = html_attr_of(element, "bgcolor");
	if (color.size > 0)
		look->color = color_of(color);
	if (background.size > 0)
		look->background = color_of(background);
	declare_all(&d, look, html_attr_of(element, "style"));
	if (html_attr_has(element, "hidden") || hides(&d))
		return true;
	/* Without any colour said the page is white; a picture behind the text is not known. */
	return look->color != HTML_COLOR_NONE &&
	       look->color == (look->background == HTML_COLOR_NONE ? 0xFFFFFF : look->background);
}
