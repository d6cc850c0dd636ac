/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the styles of an element make of it: which declarations win, and whether its text is seen.
 */
#include <string.h>

#include "wire/html/render.h"
#include "wire/html/style.h"

enum {
	PLAIN_BYTES = 2048,    /* of a style attribute with escapes that is read without them */
	FONT_MILLI_PX = 16000, /* what browsers begin with */
	FONT_LEAST_MILLI_PX = 3500, /* smaller letters are not read */
	FAR_MILLI_PX = 500000,      /* to the left or above: off the screen */
	FAR_RIGHT_MILLI_PX = 2500000,
	THIN_MILLI_PX = 1000, /* a box in which nothing is seen */
	OPACITY_LEAST = 100,  /* thousandths */
	ALPHA_LEAST = 26,     /* of 255 */
	VIEW_WIDTH_PX = 1024, /* of the screen that is thought of */
	VIEW_HEIGHT_PX = 768,
	/* Of what percentages are, so that they are far where nothing can be left on the screen: a
	 * place from all of the box around on, a shift only past all of the element itself. */
	WHOLE_PLACE = FAR_MILLI_PX,
	WHOLE_SHIFT = FAR_MILLI_PX - FAR_MILLI_PX / 100,
};

#define IMPORTANT   (UINT32_C(1) << 31)
#define OF_ELEMENT  (UINT32_C(1) << 30)
#define LENGTH_MOST INT64_C(1000000000)

void html_cascade_take(struct html_cascade *cascade, const struct html_declaration *declaration,
		       uint32_t specificity, bool is_inline)
{
	uint32_t weight = specificity | (declaration->important ? IMPORTANT : 0) |
			  (is_inline ? OF_ELEMENT : 0);
	uint32_t bit = UINT32_C(1) << declaration->property;

	if ((cascade->set & bit) && cascade->weight[declaration->property] > weight)
		return;
	cascade->set |= bit;
	cascade->variable = (cascade->variable & ~bit) | (declaration->variable ? bit : 0);
	cascade->weight[declaration->property] = weight;
	cascade->value[declaration->property] = declaration->value;
}

/* The value that wins; an empty span where there is none. */
static struct span winner(const struct html_cascade *cascade, enum html_property property)
{
	return cascade->set >> property & 1 ? cascade->value[property] : span_of("");
}

static bool is(struct span s, const char *text)
{
	return span_equal_nocase(s, span_of(text));
}

const uint8_t *html_css_find(struct span s, const char *word)
{
	struct span wanted = span_of(word);

	for (size_t at = 0; at + wanted.size <= s.size; at++) {
		if ((s.data[at] | 0x20) == (wanted.data[0] | 0x20) &&
		    span_starts_nocase((struct span){s.data + at, s.size - at}, wanted))
			return s.data + at;
	}
	return NULL;
}

static struct span behind(struct span s, const uint8_t *at)
{
	return (struct span){at, s.size - (size_t)(at - s.data)};
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* "e-9" and the like. Return: octets taken; *@value is scaled. */
static size_t exponent_read(struct span s, int64_t *value)
{
	size_t at = 1;
	bool minus;
	int power = 0;

	if (s.size < 2 || (s.data[0] | 0x20) != 'e')
		return 0;
	minus = s.data[1] == '-';
	at += s.data[1] == '-' || s.data[1] == '+';
	if (at >= s.size || !is_digit(s.data[at]))
		return 0;
	for (; at < s.size && is_digit(s.data[at]); at++)
		power = power < 20 ? power * 10 + (s.data[at] - '0') : power;
	for (; power > 0; power--) {
		*value = minus ? *value / 10 : *value * 10;
		*value = *value > LENGTH_MOST ? LENGTH_MOST : *value;
	}
	return at;
}

size_t html_number_read(struct span s, int64_t *milli)
{
	bool minus = s.size > 0 && s.data[0] == '-', any = false;
	size_t at = s.size > 0 && (s.data[0] == '-' || s.data[0] == '+') ? 1 : 0;
	int64_t value = 0, unit = 1000;

	for (; at < s.size && is_digit(s.data[at]); at++, any = true)
		value = value < LENGTH_MOST ? value * 10 + (s.data[at] - '0') * unit : value;
	if (at + 1 < s.size && s.data[at] == '.' && is_digit(s.data[at + 1])) {
		for (at++; at < s.size && is_digit(s.data[at]); at++, any = true) {
			unit /= 10;
			value += (s.data[at] - '0') * unit;
		}
	}
	if (!any)
		return 0;
	at += exponent_read((struct span){s.data + at, s.size - at}, &value);
	value = value > LENGTH_MOST ? LENGTH_MOST : value;
	*milli = minus ? -value : value;
	return at;
}

/* Thousandths of pixels that one of a unit has; 0: of the font, or of a whole. */
static const struct {
	const char *unit;
	int64_t milli_px;
	int64_t thousandths_of_font;
} units[] = {
	{"px", 1000, 0},
	{"pt", 1333, 0},
	{"pc", 16000, 0},
	{"in", 96000, 0},
	{"cm", 37795, 0},
	{"mm", 3780, 0},
	{"q", 945, 0},
	{"vw", VIEW_WIDTH_PX * 10, 0},
	{"vh", VIEW_HEIGHT_PX * 10, 0},
	{"vmin", VIEW_HEIGHT_PX * 10, 0},
	{"vmax", VIEW_WIDTH_PX * 10, 0},
	{"em", 0, 1000},
	{"rem", FONT_MILLI_PX, 0},
	{"ex", 0, 500},
	{"ch", 0, 500},
	{"ic", 0, 1000},
};

/*
 * A length at the beginning of @s, or of what stands in its brackets ("calc(-99px)"), in
 * thousandths of a pixel; percentages of @whole. Return: octets taken, 0 where there is none.
 */
static size_t length_read(struct span s, int64_t font_milli_px, int64_t whole_milli_px,
			  int64_t *milli_px)
{
	const uint8_t *open = s.size > 0 && (s.data[0] | 0x20) >= 'a' && (s.data[0] | 0x20) <= 'z'
				      ? memchr(s.data, '(', s.size)
				      : NULL;
	size_t begin = open != NULL ? (size_t)(open - s.data) + 1 : 0, end;
	size_t taken = html_number_read((struct span){s.data + begin, s.size - begin}, milli_px);

	if (taken == 0)
		return 0;
	begin += taken;
	for (end = begin;
	     end < s.size && (s.data[end] | 0x20) >= 'a' && (s.data[end] | 0x20) <= 'z';)
		end++;
	if (end < s.size && s.data[end] == '%') {
		*milli_px = *milli_px * (whole_milli_px / 100) / 1000;
		return end + 1;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!span_equal_nocase((struct span){s.data + begin, end - begin},
				       span_of(units[i].unit)))
			continue;
		*milli_px =
			*milli_px *
			(units[i].milli_px + units[i].thousandths_of_font * font_milli_px / 1000) /
			1000;
		break;
	}
	*milli_px = *milli_px > LENGTH_MOST ? LENGTH_MOST : *milli_px;
	*milli_px = *milli_px < -LENGTH_MOST ? -LENGTH_MOST : *milli_px;
	return end;
}

static bool is_far(int64_t milli_px)
{
	return milli_px <= -FAR_MILLI_PX || milli_px >= FAR_RIGHT_MILLI_PX;
}

/* Does this property move the element off the screen? */
static bool moves_away(const struct html_cascade *cascade, enum html_property property,
		       int64_t whole, const struct html_look *look)
{
	int64_t length;

	return length_read(winner(cascade, property), look->font_milli_px, whole, &length) > 0 &&
	       is_far(length);
}

static bool is_thin(const struct html_cascade *cascade, enum html_property property,
		    const struct html_look *look)
{
	int64_t length;

	return length_read(winner(cascade, property), look->font_milli_px, VIEW_WIDTH_PX * 1000,
			   &length) > 0 &&
	       length <= THIN_MILLI_PX;
}

static bool is_off_screen(const struct html_cascade *cascade, const struct html_look *look)
{
	static const enum html_property places[] = {HTML_LEFT, HTML_TOP, HTML_RIGHT, HTML_BOTTOM};
	struct span position = winner(cascade, HTML_POSITION);
	bool placed = position.size > 0 && !is(position, "static");

	for (size_t i = 0; placed && i < sizeof(places) / sizeof(places[0]); i++) {
		if (moves_away(cascade, places[i], WHOLE_PLACE, look))
			return true;
	}
	return moves_away(cascade, HTML_MARGIN_LEFT, WHOLE_SHIFT, look) ||
	       moves_away(cascade, HTML_MARGIN_TOP, WHOLE_SHIFT, look);
}

/* A cell is as large as its text at least, whatever it says, but where it is shown as a box. */
static bool is_cell(const struct html_element *element, const struct html_cascade *cascade)
{
	struct span display = winner(cascade, HTML_DISPLAY);

	return (element->tag == HTML_CELL || element->tag == HTML_HEAD_CELL) &&
	       (display.size == 0 || is(display, "table-cell"));
}

static bool is_squeezed(const struct html_cascade *cascade, const struct html_look *look)
{
	struct span overflow = winner(cascade, HTML_OVERFLOW);
	bool clipped = html_css_find(overflow, "hidden") != NULL ||
		       html_css_find(overflow, "clip") != NULL ||
		       html_css_find(overflow, "scroll") != NULL;

	/* Who writes max-height: 0 wants nothing to be seen, whatever else he forgot. */
	if (is_thin(cascade, HTML_MAX_HEIGHT, look) || is_thin(cascade, HTML_MAX_WIDTH, look))
		return true;
	return clipped &&
	       (is_thin(cascade, HTML_HEIGHT, look) || is_thin(cascade, HTML_WIDTH, look));
}

/* Are all lengths between the brackets of @s at most @most? False where there is none. */
static bool are_all_small(struct span s, const struct html_look *look, int64_t most)
{
	const uint8_t *open = s.size > 0 ? memchr(s.data, '(', s.size) : NULL;
	bool any = false;

	if (open == NULL)
		return false;
	s = behind(s, open + 1);
	for (size_t at = 0; at < s.size && s.data[at] != ')';) {
		int64_t length;
		size_t taken;

		if (!is_digit(s.data[at]) && s.data[at] != '-' && s.data[at] != '.') {
			at++;
			continue;
		}
		taken = length_read((struct span){s.data + at, s.size - at}, look->font_milli_px,
				    VIEW_WIDTH_PX * 1000, &length);
		if (taken > 0 && (length > most || length < -most))
			return false;
		any = any || taken > 0;
		at += taken > 0 ? taken : 1;
	}
	return any;
}

static bool is_clipped(const struct html_cascade *cascade, const struct html_look *look)
{
	struct span clip = winner(cascade, HTML_CLIP), path = winner(cascade, HTML_CLIP_PATH);
	const uint8_t *inset = html_css_find(path, "inset(");
	int64_t percent;

	if (html_css_find(clip, "rect(") != NULL && are_all_small(clip, look, THIN_MILLI_PX))
		return true;
	if (inset != NULL &&
	    length_read(behind(path, inset + 6), look->font_milli_px, 100000, &percent) > 0 &&
	    percent >= 50000)
		return true;
	/* Of a drawn path or an image nobody knows what they leave. */
	return inset == NULL && path.size > 0 && html_css_find(path, "path(") == NULL &&
	       html_css_find(path, "shape(") == NULL && html_css_find(path, "url(") == NULL &&
	       are_all_small(path, look, THIN_MILLI_PX);
}

/* The length or number behind @word in @value. */
static bool argument_of(struct span value, const char *word, const struct html_look *look,
			int64_t *length)
{
	const uint8_t *at = html_css_find(value, word);
	const uint8_t *open = at != NULL ? memchr(at, '(', behind(value, at).size) : NULL;

	return open != NULL && length_read(span_trim(behind(value, open + 1)), look->font_milli_px,
					   WHOLE_SHIFT, length) > 0;
}

static bool is_transformed_away(const struct html_cascade *cascade, const struct html_look *look)
{
	struct span transform = winner(cascade, HTML_TRANSFORM),
		    scale = winner(cascade, HTML_SCALE);
	int64_t length;

	if (argument_of(transform, "scale", look, &length) && length < 50 && length > -50)
		return true;
	if (argument_of(transform, "translate", look, &length) && is_far(length))
		return true;
	if ((argument_of(transform, "rotatex", look, &length) ||
	     argument_of(transform, "rotatey", look, &length)) &&
	    (length == 90000 || length == -90000))
		return true;
	if (argument_of(transform, "matrix", look, &length) && length < 50 && length > -50)
		return true;
	if (html_number_read(scale, &length) > 0 && length < 50 && length > -50)
		return true;
	return moves_away(cascade, HTML_TRANSLATE, WHOLE_SHIFT, look);
}

/* Is nothing of the element seen, whatever those in it say? */
static bool is_lost(const struct html_element *element, const struct html_cascade *cascade,
		    const struct html_look *look)
{
	struct span filter = winner(cascade, HTML_FILTER);
	int64_t opacity;

	if (is(winner(cascade, HTML_DISPLAY), "none") ||
	    is(winner(cascade, HTML_MSO_HIDE), "all") ||
	    is(winner(cascade, HTML_CONTENT_VISIBILITY), "hidden") ||
	    look->opacity <= OPACITY_LEAST)
		return true;
	if (argument_of(filter, "opacity", look, &opacity) && opacity < OPACITY_LEAST)
		return true;
	return is_off_screen(cascade, look) ||
	       (!is_cell(element, cascade) && is_squeezed(cascade, look)) ||
	       is_clipped(cascade, look) || is_transformed_away(cascade, look);
}

static void look_font(const struct html_cascade *cascade, struct html_look *look)
{
	static const struct {
		const char *word;
		int32_t milli_px;
	} words[] = {{"xx-small", 9000},  {"x-small", 10000}, {"small", 13000},
		     {"medium", 16000},   {"large", 18000},   {"x-large", 24000},
		     {"xx-large", 32000}, {"initial", 16000}};
	struct span value = winner(cascade, HTML_FONT_SIZE);
	int64_t length;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (is(value, words[i].word))
			look->font_milli_px = words[i].milli_px;
	}
	if (length_read(value, look->font_milli_px, look->font_milli_px, &length) > 0 &&
	    length >= 0)
		look->font_milli_px = (int32_t)length;
}

static void look_opacity(const struct html_cascade *cascade, struct html_look *look)
{
	struct span value = winner(cascade, HTML_OPACITY);
	int64_t opacity;
	size_t taken = html_number_read(value, &opacity);

	if (taken == 0)
		return;
	if (taken < value.size && value.data[taken] == '%')
		opacity /= 100;
	opacity = opacity < 0 ? 0 : opacity > 1000 ? 1000 : opacity;
	look->opacity = look->opacity * (uint32_t)opacity / 1000;
}

/* The end of the token that begins at @at: brackets belong to it. */
static size_t token_end(struct span s, size_t at)
{
	unsigned depth = 0;

	for (; at < s.size && (depth > 0 || s.data[at] > ' '); at++) {
		depth += s.data[at] == '(';
		depth -= s.data[at] == ')' && depth > 0;
	}
	return at;
}

/* The next token of @s from *@at on; empty at the end. */
static struct span token_next(struct span s, size_t *at)
{
	size_t begin;

	if (s.size == 0)
		return span_of("");
	while (*at < s.size && s.data[*at] <= ' ')
		(*at)++;
	begin = *at;
	*at = token_end(s, begin);
	return (struct span){s.data + begin, *at - begin};
}

static bool is_picture(struct span token)
{
	return html_css_find(token, "url(") != NULL || html_css_find(token, "gradient(") != NULL;
}

/* Does this token of a background say nothing of its colour? */
static bool is_layout(struct span token)
{
	static const char *const words[] = {
		"/",        "auto",     "border-box", "bottom", "center", "contain",
		"cover",    "fixed",    "inherit",    "left",   "local",  "content-box",
		"none",     "initial",  "no-repeat",  "repeat", "right",  "padding-box",
		"repeat-x", "repeat-y", "round",      "scroll", "space",  "text",
		"top",      "unset",
	};
	int64_t number;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (is(token, words[i]))
			return true;
	}
	return html_number_read(token, &number) > 0;
}

/* May it stand over something else than what it is written in? */
static bool is_placed_over(const struct html_cascade *cascade)
{
	static const uint32_t places = UINT32_C(1) << HTML_LEFT | UINT32_C(1) << HTML_TOP |
				       UINT32_C(1) << HTML_RIGHT | UINT32_C(1) << HTML_BOTTOM;
	struct span position = winner(cascade, HTML_POSITION);

	return is(position, "absolute") || is(position, "fixed") ||
	       (position.size > 0 && (cascade->set & places) != 0);
}

static void look_background(const struct html_cascade *cascade, struct html_look *look)
{
	struct span value = winner(cascade, HTML_BACKGROUND), token,
		    image = winner(cascade, HTML_BACKGROUND_IMAGE);
	bool picture = is_picture(image), colored = false;
	bool doubt = image.size > 0 && !picture && !is_layout(image);
	uint32_t argb;

	if (html_css_find(winner(cascade, HTML_BACKGROUND_CLIP), "text") != NULL)
		look->ink_is_picture = true;
	if (is_placed_over(cascade))
		look->background_known = false;
	for (size_t at = 0; (token = token_next(value, &at)).size > 0;) {
		if (html_color_read(token, true, &argb)) {
			look->background = html_color_over(argb, look->background);
			colored = argb >> 24 >= 0x80;
		} else if (is_picture(token)) {
			picture = true;
		} else if (!is_layout(token)) {
			doubt = true;
		}
	}
	look->background_known = !doubt && (colored || (look->background_known && !picture));
}

static void look_color(const struct html_cascade *cascade, struct html_look *look)
{
	static const enum html_property colors[] = {HTML_COLOR, HTML_TEXT_FILL};

	for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++) {
		struct span value = winner(cascade, colors[i]);
		uint32_t argb;

		if (value.size == 0 || is(value, "inherit") || is(value, "unset") ||
		    is(value, "currentcolor"))
			continue;
		look->ink_known = true;
		if (is(value, "initial"))
			look->color = 0xFF000000;
		else if (html_color_read(value, true, &argb))
			look->color = argb;
		else
			look->ink_known = false;
	}
}

static void look_rest(const struct html_cascade *cascade, struct html_look *look)
{
	struct span visibility = winner(cascade, HTML_VISIBILITY),
		    shadow = winner(cascade, HTML_TEXT_SHADOW);
	int64_t length;

	if (is(visibility, "hidden") || is(visibility, "collapse"))
		look->invisible = true;
	else if (is(visibility, "visible") || is(visibility, "initial"))
		look->invisible = false;
	if (shadow.size > 0)
		look->is_shadowed = !is(shadow, "none") && !is(shadow, "initial");
	if (length_read(winner(cascade, HTML_TEXT_INDENT), look->font_milli_px, FAR_MILLI_PX,
			&length) > 0)
		look->indent_milli_px = (int32_t)length;
}

void html_look_init(struct html_look *look)
{
	*look = (struct html_look){.color = 0xFF000000,
				   .background = 0xFFFFFF,
				   .background_known = true,
				   .ink_known = true,
				   .font_milli_px = FONT_MILLI_PX,
				   .opacity = 1000};
}

bool html_look_is_faint(const struct html_look *look, bool background_doubt)
{
	uint32_t alpha = (look->color >> 24) * look->opacity / 1000;

	if (look->font_milli_px < FONT_LEAST_MILLI_PX || is_far(look->indent_milli_px))
		return true;
	if (look->ink_is_picture || look->is_shadowed || !look->ink_known)
		return false;
	if (alpha < ALPHA_LEAST)
		return true;
	return look->background_known && !background_doubt &&
	       html_color_is_near(html_color_over(alpha << 24 | (look->color & 0xFFFFFF),
						  look->background),
				  look->background);
}

static void take_inline(void *ctx, const struct html_declaration *declaration)
{
	struct html_cascade *cascade = ctx;

	cascade->cut = cascade->cut || declaration->cut;
	html_cascade_take(cascade, declaration, 0, true);
}

/* An attribute that is as good as a declaration, weaker than any. */
static void take_hint(struct html_cascade *cascade, enum html_property property, struct span value)
{
	struct html_declaration hint = {.property = property,
					.value = html_value_bound(property, value)};

	if (value.size > 0 && !(cascade->set >> property & 1))
		html_cascade_take(cascade, &hint, 0, false);
}

/* Of the sizes 1 to 7, also relative to 3, all can be read whatever is around them. */
static struct span font_size_of(struct span size)
{
	int64_t number;

	return html_number_read(size, &number) > 0 ? span_of("medium") : span_of("");
}

static void take_attributes(const struct html_element *element, struct html_cascade *cascade)
{
	bool is_body = element->tag == HTML_BODY;

	if (html_attr_has(element, "hidden"))
		take_hint(cascade, HTML_DISPLAY, span_of("none"));
	take_hint(cascade, HTML_COLOR, html_attr_of(element, is_body ? "text" : "color"));
	take_hint(cascade, HTML_BACKGROUND, html_attr_of(element, "bgcolor"));
	if (span_equal_nocase(element->name, span_of("font")))
		take_hint(cascade, HTML_FONT_SIZE, font_size_of(html_attr_of(element, "size")));
	if (html_attr_of(element, "background").size > 0)
		take_hint(cascade, HTML_BACKGROUND_IMAGE, span_of("url()"));
	if (element->tag == HTML_A && html_attr_has(element, "href"))
		take_hint(cascade, HTML_COLOR, span_of("#0000ee"));
}

static void take_style(struct span style, uint8_t plain[PLAIN_BYTES], struct html_cascade *cascade)
{
	bool escaped = style.size > 0 && (memchr(style.data, '\\', style.size) != NULL ||
					  memmem(style.data, style.size, "/*", 2) != NULL);

	if (escaped && style.size <= PLAIN_BYTES)
		style = (struct span){plain, html_css_plain(style, plain)};
	html_declarations(style, take_inline, cascade);
}

/* Properties that hide nothing by themselves, and colours of what is behind, which have their own
 * doubt. */
static const uint32_t harmless = UINT32_C(1) << HTML_BACKGROUND |
				 UINT32_C(1) << HTML_BACKGROUND_CLIP |
				 UINT32_C(1) << HTML_BACKGROUND_IMAGE |
				 UINT32_C(1) << HTML_OVERFLOW | UINT32_C(1) << HTML_POSITION |
				 UINT32_C(1) << HTML_TEXT_SHADOW | UINT32_C(1) << HTML_CONTENT;

bool html_style_apply(const struct html_element *element, struct html_cascade *cascade,
		      struct html_look *look)
{
	uint8_t plain[PLAIN_BYTES];

	if (element->attr_count > 0) {
		take_attributes(element, cascade);
		take_style(html_attr_of(element, "style"), plain, cascade);
	}
	if (cascade->set == 0)
		return false;
	cascade->unread = (cascade->set & cascade->variable & ~harmless) != 0;
	look_font(cascade, look);
	look_opacity(cascade, look);
	look_background(cascade, look);
	look_color(cascade, look);
	look_rest(cascade, look);
	return is_lost(element, cascade, look);
}
