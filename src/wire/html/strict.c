/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tags, attributes, references and comments of faultless HTML (WHATWG HTML 13.2.5, without its
 * error recovery). */
#include "wire/html/strict.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "wire/html/entity.h"

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static bool is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Are all eight bytes of printable ASCII? */
static bool is_plain_eight(const uint8_t *s)
{
	uint64_t v;

	memcpy(&v, s, sizeof(v));
	return ((v | (v - UINT64_C(0x2020202020202020)) | (v + UINT64_C(0x0101010101010101))) &
		UINT64_C(0x8080808080808080)) == 0;
}

/* A code point that parsers leave as it is. */
static bool is_ordinary(uint32_t c)
{
	return c >= 0xA0 && c != 0xFEFF && !(c >= 0xD800 && c <= 0xDFFF) &&
	       (c & 0xFFFE) != 0xFFFE && !(c >= 0xFDD0 && c <= 0xFDEF);
}

/* The length of the character at @s, 0 where parsers would change it. */
static size_t ordinary_length(const uint8_t *s, size_t left)
{
	size_t length;
	uint32_t c;

	if (s[0] < 0x80) {
		bool line_end = s[0] == '\r' && left > 1 && s[1] == '\n';

		return (s[0] >= 0x20 && s[0] < 0x7F) || s[0] == '\n' || s[0] == '\t' || line_end
			       ? 1
			       : 0;
	}
	if (s[0] >= 0xE3 && s[0] <= 0xE9 && left >= 3) /* kana and ideographs */
		return (s[1] & 0xC0) == 0x80 && (s[2] & 0xC0) == 0x80 ? 3 : 0;
	length = utf8_decode((struct span){s, left}, &c);
	return length > 0 && is_ordinary(c) ? length : 0;
}

bool html_strict_init(struct html_strict *lexer, struct span in)
{
	*lexer = (struct html_strict){.in = in};
	for (size_t at = 0; at < in.size;) {
		size_t length = in.size - at >= 8 && is_plain_eight(in.data + at)
					? 8
					: ordinary_length(in.data + at, in.size - at);

		if (length == 0)
			return false;
		at += length;
	}
	return true;
}

void html_strict_fini(struct html_strict *lexer)
{
	free(lexer->decoded);
	lexer->decoded = NULL;
}

/*
 * @raw with its references decoded, and CR LF as LF where @attribute: as it stands where there is
 * nothing to do. What is decoded is never longer than what it was, so that all of it fits a copy of
 * the document.
 */
static bool decode(struct html_strict *l, struct span raw, bool attribute, struct span *out)
{
	const uint8_t *amp = raw.size > 0 ? memchr(raw.data, '&', raw.size) : NULL;
	bool folded = attribute && raw.size > 0 && memchr(raw.data, '\r', raw.size) != NULL;
	size_t begin = l->decoded_size;

	*out = raw;
	if (amp == NULL && !folded)
		return true;
	if (l->decoded == NULL)
		l->decoded = malloc(l->in.size + 1);
	if (l->decoded == NULL)
		return false;
	for (size_t at = 0; at < raw.size;) {
		struct span rest = {raw.data + at, raw.size - at};
		size_t taken = 1;

		if (rest.data[0] == '&') {
			taken = html_entity_strict(rest, attribute, l->decoded, &l->decoded_size);
			if (taken == 0)
				return false;
		} else if (!attribute || rest.data[0] != '\r') {
			l->decoded[l->decoded_size++] = rest.data[0];
		}
		at += taken;
	}
	*out = (struct span){l->decoded + begin, l->decoded_size - begin};
	return true;
}

static bool is_attr_name(uint8_t c)
{
	return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == ':' || c == '.' ||
	       c == '@';
}

static bool is_unquoted(uint8_t c)
{
	return !is_space(c) && c != '>' && c != '"' && c != '\'' && c != '<' && c != '=' &&
	       c != '`';
}

static void skip_space(struct html_strict *l)
{
	while (l->at < l->in.size && is_space(l->in.data[l->at]))
		l->at++;
}

/* The byte at the lexer, or 0 at the end. */
static uint8_t peek(const struct html_strict *l)
{
	return l->at < l->in.size ? l->in.data[l->at] : 0;
}

/* A value behind its equals sign; quoted ones end before a space, a slash or the tag's end. */
static bool read_value(struct html_strict *l, struct span *value)
{
	uint8_t quote = peek(l);
	size_t begin = l->at;

	if (quote == '"' || quote == '\'') {
		const uint8_t *end = memchr(l->in.data + l->at + 1, quote, l->in.size - l->at - 1);

		if (end == NULL)
			return false;
		*value = (struct span){l->in.data + begin + 1,
				       (size_t)(end - l->in.data) - begin - 1};
		l->at = (size_t)(end - l->in.data) + 1;
		return is_space(peek(l)) || peek(l) == '>' || peek(l) == '/';
	}
	while (l->at < l->in.size && is_unquoted(l->in.data[l->at]))
		l->at++;
	*value = (struct span){l->in.data + begin, l->at - begin};
	return value->size > 0 && (is_space(peek(l)) || peek(l) == '>');
}

static bool read_attr(struct html_strict *l, struct html_token *token)
{
	struct html_attr attr = {.value = span_of("")};
	struct span raw;
	size_t begin = l->at;

	while (l->at < l->in.size && is_attr_name(l->in.data[l->at]))
		l->at++;
	attr.name = (struct span){l->in.data + begin, l->at - begin};
	if (attr.name.size == 0 || token->attr_count == HTML_STRICT_ATTRS)
		return false;
	skip_space(l);
	if (peek(l) == '=') {
		l->at++;
		skip_space(l);
		if (!read_value(l, &raw) || !decode(l, raw, true, &attr.value))
			return false;
	} else if (peek(l) != '>' && peek(l) != '/' && !is_attr_name(peek(l))) {
		return false;
	}
	token->attrs[token->attr_count++] = attr;
	return true;
}

/* From the first letter of the name on; behind the ">". */
static bool read_tag(struct html_strict *l, struct html_token *token)
{
	token->name_size = token->attr_count = 0;
	token->self_closing = false;
	for (; l->at < l->in.size; l->at++) {
		uint8_t c = l->in.data[l->at];

		if (!is_letter(c) && !is_digit(c) && c != ':')
			break;
		if (token->name_size == HTML_STRICT_NAME)
			return false;
		token->name[token->name_size++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	if (!is_space(peek(l)) && peek(l) != '>' && peek(l) != '/')
		return false;
	for (skip_space(l); peek(l) != '>' && peek(l) != '/'; skip_space(l)) {
		if (!read_attr(l, token))
			return false;
	}
	if (peek(l) == '/') {
		l->at++;
		token->self_closing = true;
	}
	return l->at < l->in.size && l->in.data[l->at++] == '>';
}

/* Behind the next ">". */
static bool skip_markup(struct html_strict *l)
{
	const uint8_t *end = memchr(l->in.data + l->at, '>', l->in.size - l->at);

	if (end != NULL)
		l->at = (size_t)(end - l->in.data) + 1;
	return end != NULL;
}

/* "<!" begins a comment, a document type, or what is read as a comment up to the next ">". */
static bool read_declaration(struct html_strict *l, struct html_token *token)
{
	struct span rest = {l->in.data + l->at, l->in.size - l->at};
	const uint8_t *end;

	token->kind = HTML_TOKEN_NOTHING;
	if (!span_starts_nocase(rest, span_of("<!--"))) {
		if (span_starts_nocase(rest, span_of("<!doctype")))
			token->kind = HTML_TOKEN_DOCTYPE;
		return skip_markup(l);
	}
	end = memmem(rest.data + 4, rest.size - 4, "-->", 3);
	/* What else may end a comment is left to those who know. */
	if (end == NULL || rest.data[4] == '>' || (rest.data[4] == '-' && rest.data[5] == '>') ||
	    memmem(rest.data, (size_t)(end - rest.data), "--!>", 4) != NULL)
		return false;
	l->at += (size_t)(end - rest.data) + 3;
	return true;
}

static bool read_text(struct html_strict *l, struct html_token *token)
{
	const uint8_t *lt = memchr(l->in.data + l->at, '<', l->in.size - l->at);
	size_t end = lt != NULL ? (size_t)(lt - l->in.data) : l->in.size;
	struct span raw = {l->in.data + l->at, end - l->at};

	token->kind = HTML_TOKEN_TEXT;
	l->at = end;
	return decode(l, raw, false, &token->text);
}

bool html_strict_next(struct html_strict *l, struct html_token *token)
{
	const uint8_t *s = l->in.data + l->at;
	size_t left = l->in.size - l->at;

	if (left == 0) {
		token->kind = HTML_TOKEN_END;
		return true;
	}
	if (s[0] != '<')
		return read_text(l, token);
	if (left < 3)
		return false;
	if (s[1] == '!')
		return read_declaration(l, token);
	if (s[1] == '/' && is_letter(s[2])) {
		token->kind = HTML_TOKEN_CLOSE;
		l->at += 2;
		return read_tag(l, token) && token->attr_count == 0 && !token->self_closing;
	}
	if (!is_letter(s[1]))
		return false;
	token->kind = HTML_TOKEN_OPEN;
	l->at++;
	return read_tag(l, token);
}

bool html_strict_raw(struct html_strict *l, struct span name, struct span *content)
{
	size_t begin = l->at, at = begin;

	for (;;) {
		const uint8_t *lt = memmem(l->in.data + at, l->in.size - at, "</", 2);
		struct span rest;

		if (lt == NULL)
			return false;
		at = (size_t)(lt - l->in.data);
		rest = (struct span){lt + 2, l->in.size - at - 2};
		if (span_starts_nocase(rest, name))
			break;
		at += 2;
	}
	*content = (struct span){l->in.data + begin, at - begin};
	l->at = at + 2 + name.size;
	skip_space(l);
	return l->at < l->in.size && l->in.data[l->at++] == '>';
}
