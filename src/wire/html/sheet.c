/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Style sheets inside of a document: which rules there are (CSS Syntax Level 3), and which of them
 * hold on a screen of usual size (Media Queries Level 4). */
#include <string.h>

#include "wire/html/render.h"
#include "wire/html/style.h"

enum { VIEW_WIDTH_PX = 1024, VIEW_HEIGHT_PX = 768 };

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

/* Without the word at its beginning, which is put into @word. */
static struct span word_cut(struct span s, struct span *word)
{
	size_t end = 0;

	s = span_trim(s);
	while (end < s.size && !is_space(s.data[end]) && s.data[end] != '(')
		end++;
	*word = (struct span){s.data, end};
	return span_trim((struct span){s.data + end, s.size - end});
}

/* "(max-width: 600px)" without its brackets: does it hold? What is not known does not, and sets
 * @doubt. */
static bool feature_holds(struct span feature, bool *doubt)
{
	static const char *const not_held[] = {
		"prefers-color-scheme:dark",
		"hover:none",
		"any-hover:none",
		"pointer:coarse",
		"any-pointer:coarse",
		"orientation:portrait",
		"prefers-reduced-motion:reduce",
		"forced-colors:active",
		"monochrome",
	};
	static const char *const held[] = {
		"color",
		"hover",
		"hover:hover",
		"any-hover:hover",
		"pointer",
		"pointer:fine",
		"any-pointer:fine",
		"orientation:landscape",
		"prefers-color-scheme:light",
		"scripting",
		"grid:0",
	};
	uint8_t text[64];
	struct span plain = {text, 0}, value;
	const uint8_t *colon;
	int64_t bound, size = VIEW_WIDTH_PX;

	for (size_t i = 0; i < feature.size; i++) {
		if (is_space(feature.data[i]))
			continue;
		if (plain.size == sizeof(text) || feature.data[i] == '(') {
			*doubt = true;
			return false;
		}
		text[plain.size++] = feature.data[i];
	}
	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
		if (span_equal_nocase(plain, span_of(held[i])))
			return true;
	}
	for (size_t i = 0; i < sizeof(not_held) / sizeof(not_held[0]); i++) {
		if (span_equal_nocase(plain, span_of(not_held[i])))
			return false;
	}
	colon = plain.size > 0 ? memchr(text, ':', plain.size) : NULL;
	value = colon != NULL ? (struct span){colon + 1, plain.size - (size_t)(colon + 1 - text)}
			      : span_of("");
	if (html_number_read(value, &bound) == 0) {
		*doubt = true;
		return false;
	}
	bound /= 1000;
	if (memmem(value.data, value.size, "em", 2) != NULL)
		bound *= 16;
	if (memmem(text, plain.size, "height", 6) != NULL)
		size = VIEW_HEIGHT_PX;
	else if (memmem(text, plain.size, "width", 5) == NULL)
		size = 1; /* a ratio or resolution */
	if (memmem(text, plain.size, "max-", 4) != NULL)
		return size <= bound;
	if (memmem(text, plain.size, "min-", 4) != NULL)
		return size >= bound;
	*doubt = *doubt || size == 1;
	return !*doubt && size == bound; /* "device-width: 375px" */
}

/* One query of a list: "only screen and (min-width: 600px) and (color)". */
static bool query_holds(struct span query, bool *doubt)
{
	struct span word, rest = word_cut(query, &word);
	bool negated = span_equal_nocase(word, span_of("not")), holds = true, unknown = false;

	if (negated || span_equal_nocase(word, span_of("only")))
		rest = word_cut(rest, &word);
	if (word.size > 0 && !span_equal_nocase(word, span_of("all")) &&
	    !span_equal_nocase(word, span_of("screen")))
		return negated;
	while (rest.size > 0) {
		const uint8_t *close;

		if (rest.data[0] != '(') { /* "and" */
			size_t before = rest.size;

			rest = word_cut(rest, &word);
			unknown = unknown || !span_equal_nocase(word, span_of("and"));
			if (rest.size == before)
				break;
			continue;
		}
		close = memchr(rest.data, ')', rest.size);
		if (close == NULL) {
			unknown = true;
			break;
		}
		holds = feature_holds((struct span){rest.data + 1, (size_t)(close - rest.data) - 1},
				      &unknown) &&
			holds;
		rest = span_trim(
			(struct span){close + 1, rest.size - (size_t)(close - rest.data) - 1});
	}
	*doubt = *doubt || unknown;
	return !unknown && holds != negated;
}

static bool media_hold(struct span list, bool *doubt)
{
	if (span_trim(list).size == 0)
		return true;
	for (size_t at = 0; at < list.size;) {
		const uint8_t *comma = memchr(list.data + at, ',', list.size - at);
		size_t end = comma != NULL ? (size_t)(comma - list.data) : list.size;

		if (query_holds((struct span){list.data + at, end - at}, doubt))
			return true;
		at = end + 1;
	}
	return false;
}

/* Behind the block that begins at @at with "{". */
static size_t block_end(struct span css, size_t at)
{
	unsigned depth = 0;

	for (; at < css.size; at++) {
		at = html_css_string_end(css, at);
		depth += css.data[at] == '{';
		if (css.data[at] == '}' && --depth == 0)
			return at + 1;
	}
	return css.size;
}

/* Where what stands before a block or a semicolon ends. */
static size_t prelude_end(struct span css, size_t at)
{
	while (at < css.size && css.data[at] != '{' && css.data[at] != ';' && css.data[at] != '}')
		at = html_css_string_end(css, at) + 1;
	return at < css.size ? at : css.size;
}

/* Is "content" set in @css? Not "align-content" or a class of that name. */
static bool says_content(struct span css)
{
	static const char word[] = "content";
	const uint8_t *found;

	while ((found = html_css_find(css, word)) != NULL) {
		bool begins = found == css.data || found[-1] != '-';
		size_t behind = (size_t)(found - css.data) + sizeof(word) - 1;

		css = (struct span){css.data + behind, css.size - behind};
		while (css.size > 0 && is_space(css.data[0]))
			css = (struct span){css.data + 1, css.size - 1};
		if (begins && css.size > 0 && css.data[0] == ':')
			return true;
	}
	return false;
}

/* What may hold is not looked at: where it sets backgrounds, none is known. That it hides or
 * writes something is thought of it by a few words. */
static void leave_out(struct html_sheet *sheet, struct span css)
{
	static const char *const hiding[] = {"none", "hidden", "opacity", "font-size"};

	sheet->background_doubt =
		sheet->background_doubt || html_css_find(css, "background") != NULL;
	for (size_t i = 0; i < sizeof(hiding) / sizeof(hiding[0]); i++)
		sheet->unread = sheet->unread || html_css_find(css, hiding[i]) != NULL;
	sheet->unread = sheet->unread || says_content(css);
}

/* Of a sheet that was not made plain: an escape, a comment or a reference may be in any word. */
static void leave_out_raw(struct html_sheet *sheet, struct span css)
{
	static const char *const marks[] = {"\\", "/*", "&"};

	leave_out(sheet, css);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (html_css_find(css, marks[i]) != NULL)
			sheet->unread = sheet->background_doubt = true;
	}
}

/* An at-rule. Return: behind it, or in its block where the rules inside hold. */
static size_t take_at_rule(struct html_sheet *sheet, struct span css, size_t at)
{
	size_t end = prelude_end(css, at);
	struct span prelude = {css.data + at + 1, end - at - 1}, word;
	struct span rest = word_cut(prelude, &word);
	bool media = span_equal_nocase(word, span_of("media")), doubt = !media;
	size_t behind;

	if (end >= css.size || css.data[end] != '{')
		return end + 1;
	if (span_equal_nocase(word, span_of("layer")) ||
	    span_equal_nocase(word, span_of("-moz-document")) ||
	    (media && media_hold(rest, &doubt)) ||
	    (span_equal_nocase(word, span_of("supports")) &&
	     !span_starts_nocase(rest, span_of("not"))))
		return end + 1;
	behind = block_end(css, end);
	if (doubt)
		leave_out(sheet, (struct span){css.data + end, behind - end});
	return behind;
}

static void keep_declaration(void *ctx, const struct html_declaration *declaration)
{
	struct html_sheet *sheet = ctx;

	sheet->cut = sheet->cut || declaration->cut;
	if (sheet->declaration_count == HTML_SHEET_DECLARATIONS)
		sheet->cut = true;
	else
		sheet->declarations[sheet->declaration_count++] = *declaration;
}

/* Return: behind the rule. */
static size_t take_rule(struct html_sheet *sheet, struct span css, size_t at)
{
	size_t open = prelude_end(css, at), first = sheet->declaration_count, end;
	const uint8_t *nested;

	if (open >= css.size || css.data[open] != '{')
		return open + 1;
	end = block_end(css, open);
	nested = memchr(css.data + open + 1, '{', end - open - 1);
	if (nested != NULL)
		leave_out(sheet, (struct span){nested, end - (size_t)(nested - css.data)});
	html_declarations(
		(struct span){css.data + open + 1,
			      end - open - 1 - (css.data[end - 1] == '}' && end > open + 1)},
		keep_declaration, sheet);
	if (sheet->declaration_count > first)
		html_selectors_keep(sheet, (struct span){css.data + at, open - at}, first,
				    sheet->declaration_count - first);
	return end;
}

void html_sheet_read(struct html_sheet *sheet, struct span css)
{
	uint8_t *text = sheet->text + sheet->text_size;

	if (css.size > HTML_SHEET_BYTES - sheet->text_size) {
		sheet->cut = true;
		css.size = HTML_SHEET_BYTES - sheet->text_size;
	}
	css = (struct span){text, html_css_plain(css, text)};
	sheet->text_size += css.size;
	for (size_t at = 0; at < css.size && sheet->compound_count < HTML_SHEET_COMPOUNDS;) {
		if (is_space(css.data[at]) || css.data[at] == '}' || css.data[at] == ';')
			at++;
		else if (css.data[at] == '@')
			at = take_at_rule(sheet, css, at);
		else
			at = take_rule(sheet, css, at);
	}
	sheet->cut = sheet->cut || sheet->compound_count == HTML_SHEET_COMPOUNDS;
}

/* The value of the attribute "media" of the tag @tag, as it is written. */
static struct span media_of(struct span tag)
{
	for (size_t at = 0; at + 6 < tag.size; at++) {
		struct span rest = {tag.data + at, tag.size - at};
		const uint8_t *end;
		size_t quoted;

		if (!span_starts_nocase(rest, span_of("media=")))
			continue;
		quoted = rest.data[6] == '"' || rest.data[6] == '\'';
		rest = (struct span){rest.data + 6 + quoted, rest.size - 6 - quoted};
		end = rest.size == 0 ? NULL
		      : quoted       ? memchr(rest.data, rest.data[-1], rest.size)
				     : memchr(rest.data, ' ', rest.size);
		return (struct span){rest.data,
				     end != NULL ? (size_t)(end - rest.data) : rest.size};
	}
	return span_of("");
}

/* Behind the tag whose "<" is at @at: a ">" in the value of an attribute does not end it. */
static size_t tag_end(struct span in, size_t at)
{
	bool value = false; /* the value of an attribute is due */

	for (; at < in.size && in.data[at] != '>'; at++) {
		uint8_t c = in.data[at];
		const uint8_t *end;

		if (value && (c == '"' || c == '\'')) {
			end = memchr(in.data + at + 1, c, in.size - at - 1);
			if (end == NULL)
				return in.size;
			at = (size_t)(end - in.data);
			value = false;
		} else if (!is_space(c)) {
			value = c == '=';
		}
	}
	return at < in.size ? at + 1 : in.size;
}

/* Where "</@name" is, from @at on, or the end. */
static size_t raw_end(struct span in, size_t at, struct span name)
{
	for (; at < in.size; at++) {
		const uint8_t *lt = memchr(in.data + at, '<', in.size - at);

		if (lt == NULL)
			return in.size;
		at = (size_t)(lt - in.data);
		if (at + 2 < in.size && in.data[at + 1] == '/' &&
		    span_starts_nocase((struct span){in.data + at + 2, in.size - at - 2}, name))
			return at;
	}
	return in.size;
}

/* Behind the tag at @at, and behind what it begins where that is no markup but a text. */
static size_t skip_tag(struct span in, size_t at)
{
	static const char *const raw[] = {"textarea", "title",    "xmp",   "iframe",
					  "noembed",  "noframes", "script"};
	struct span name = {in.data + at + 1, in.size - at - 1};
	size_t behind = tag_end(in, at);

	for (size_t i = 0; i < sizeof(raw) / sizeof(raw[0]); i++) {
		size_t size = strlen(raw[i]);

		if (span_starts_nocase(name, span_of(raw[i])) && name.size > size &&
		    (is_space(name.data[size]) || name.data[size] == '>' || name.data[size] == '/'))
			return raw_end(in, behind, span_of(raw[i]));
	}
	return behind;
}

/* In SVG and MathML a title is no mere text, and a style element in it is one. */
static bool is_foreign(struct span tag)
{
	return span_starts_nocase(tag, span_of("<svg")) ||
	       span_starts_nocase(tag, span_of("<math"));
}

/* Behind the style element whose "<" is at @at. */
static size_t collect_one(struct html_sheet *sheet, struct span in, size_t at)
{
	size_t begin = tag_end(in, at), end = raw_end(in, begin, span_of("style"));
	struct span tag = {in.data + at, begin - at};
	bool doubt = false;

	if (media_hold(media_of(tag), &doubt))
		html_sheet_read(sheet, (struct span){in.data + begin, end - begin});
	else if (doubt)
		leave_out_raw(sheet, (struct span){in.data + begin, end - begin});
	return end;
}

void html_sheet_collect(struct html_sheet *sheet, struct span in, uint32_t spent)
{
	uint64_t share = HTML_SHEET_STEPS_BASE + (uint64_t)HTML_SHEET_STEPS_OCTET * in.size;
	uint32_t left = spent < HTML_SHEET_STEPS ? HTML_SHEET_STEPS - spent : 0;
	bool foreign = false;

	sheet->compound_count = sheet->simple_count = sheet->declaration_count = 0;
	sheet->text_size = 0;
	sheet->steps = share < left ? (uint32_t)share : left;
	sheet->spent = spent;
	sheet->cut = sheet->background_doubt = sheet->unread = sheet->generates = false;
	for (size_t at = 0; at < in.size;) {
		const uint8_t *lt = memchr(in.data + at, '<', in.size - at);
		struct span rest;

		if (lt == NULL)
			return;
		at = (size_t)(lt - in.data);
		rest = (struct span){lt, in.size - at};
		if (rest.size >= 4 && memcmp(lt, "<!--", 4) == 0) {
			const uint8_t *end = memmem(lt + 2, rest.size - 2, "-->", 3);

			at = end != NULL ? (size_t)(end - in.data) + 3 : in.size;
		} else if (rest.size > 6 && (lt[1] | 0x20) == 's' &&
			   span_starts_nocase(rest, span_of("<style")) &&
			   (is_space(lt[6]) || lt[6] == '>' || lt[6] == '/')) {
			at = collect_one(sheet, in, at);
		} else if (rest.size > 1 && (lt[1] | 0x20) >= 'a' && (lt[1] | 0x20) <= 'z') {
			size_t behind = skip_tag(in, at);
			struct span skipped = {lt, behind - at};

			foreign = foreign || is_foreign(rest);
			if (foreign && html_css_find(skipped, "<style") != NULL)
				leave_out_raw(sheet, skipped);
			at = behind;
		} else {
			at++;
		}
	}
}
