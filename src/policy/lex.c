/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lexer: bytes to words. Pure; every byte is looked at once. */
#include "policy/lex.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define IDEOGRAPHIC_SPACE 0x3000U
#define FULL_WIDTH_LOW    0xff01U /* full-width forms of ASCII */
#define FULL_WIDTH_HIGH   0xff5eU

void lexer_init(struct lexer *lexer, struct span text)
{
	static const uint8_t byte_order_mark[] = {0xef, 0xbb, 0xbf};

	if (text.size >= 3 && memcmp(text.data, byte_order_mark, 3) == 0) {
		text.data += 3;
		text.size -= 3;
	}
	*lexer = (struct lexer){.rest = text, .at = {1, 1}};
}

static enum lex_kind fail(struct lexer *lexer, struct word *word, enum problem_id problem)
{
	lexer->problem = problem;
	word->at = lexer->at;
	return LEX_ERROR;
}

/* Take one character of @size bytes. */
static void advance(struct lexer *lexer, size_t size)
{
	if (lexer->rest.data[0] == '\n')
		lexer->at = (struct position){lexer->at.line + 1, 1};
	else
		lexer->at.column++;
	lexer->rest.data += size;
	lexer->rest.size -= size;
}

/* A mark that changes the direction of text would show whoever approves a change another one. */
static bool is_text(uint32_t c)
{
	if (c < 0x20)
		return c == '\t' || c == '\n' || c == '\r';
	return (c < 0x7f || c > 0x9f) && !utf8_is_bidi_control(c);
}

/* Look at the next character; false (and why) where it is no text. */
static bool peek(struct lexer *lexer, struct word *word, uint32_t *character, size_t *size)
{
	*size = utf8_decode(lexer->rest, character);
	if (*size == 0)
		lexer->problem = PROBLEM_NOT_UTF8;
	else if (is_text(*character))
		return true;
	else
		lexer->problem = PROBLEM_CONTROL;
	word->at = lexer->at;
	word->size = (size_t)snprintf(word->text, sizeof(word->text), "%02x",
				      *size == 0 ? lexer->rest.data[0] : *character);
	return false;
}

static bool is_blank(uint32_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool ends_word(uint32_t c)
{
	return is_blank(c) || c == ';' || c == '{' || c == '}' || c == '"' || c == '#';
}

/* Blanks and comments. */
static bool skip_blanks(struct lexer *lexer, struct word *word)
{
	bool comment = false;
	uint32_t c;
	size_t size;

	while (lexer->rest.size > 0) {
		if (!peek(lexer, word, &c, &size))
			return false;
		if (c == '#')
			comment = true;
		else if (c == '\n')
			comment = false;
		else if (!comment && !is_blank(c))
			return true;
		advance(lexer, size);
	}
	return true;
}

static bool append(struct word *word, const uint8_t *data, size_t size)
{
	if (size >= sizeof(word->text) - word->size)
		return false;
	memcpy(word->text + word->size, data, size);
	word->size += size;
	word->text[word->size] = '\0';
	return true;
}

static enum lex_kind read_word(struct lexer *lexer, struct word *word)
{
	uint32_t c;
	size_t size;

	while (lexer->rest.size > 0) {
		if (!peek(lexer, word, &c, &size))
			return LEX_ERROR;
		if (ends_word(c))
			break;
		if (c == IDEOGRAPHIC_SPACE || (c >= FULL_WIDTH_LOW && c <= FULL_WIDTH_HIGH)) {
			word->size = 0;
			(void)append(word, lexer->rest.data, size); /* one character fits */
			return fail(lexer, word, PROBLEM_FULL_WIDTH);
		}
		if (!append(word, lexer->rest.data, size))
			return fail(lexer, word, PROBLEM_WORD_TOO_LONG);
		advance(lexer, size);
	}
	return LEX_WORD;
}

/* What stands behind a backslash; the backslash is taken already. */
static bool read_escape(struct lexer *lexer, uint32_t *c, size_t *size)
{
	*size = utf8_decode(lexer->rest, c);
	return *size == 1 && (*c == '"' || *c == '\\');
}

static enum lex_kind read_string(struct lexer *lexer, struct word *word)
{
	uint32_t c;
	size_t size;

	word->quoted = true;
	advance(lexer, 1);
	while (lexer->rest.size > 0) {
		if (!peek(lexer, word, &c, &size))
			return LEX_ERROR;
		if (c == '\n' || c == '\r')
			break;
		if (c == '"') {
			advance(lexer, 1);
			return LEX_WORD;
		}
		if (c == '\\') {
			advance(lexer, 1);
			if (!read_escape(lexer, &c, &size))
				return fail(lexer, word, PROBLEM_BAD_ESCAPE);
		}
		if (!append(word, lexer->rest.data, size))
			return fail(lexer, word, PROBLEM_WORD_TOO_LONG);
		advance(lexer, size);
	}
	lexer->problem = PROBLEM_UNCLOSED_STRING; /* word->at still is where it began */
	return LEX_ERROR;
}

enum lex_kind lexer_next(struct lexer *lexer, struct word *word)
{
	enum lex_kind kind;

	word->size = 0;
	word->quoted = false;
	word->text[0] = '\0';
	if (!skip_blanks(lexer, word))
		return LEX_ERROR;
	word->at = lexer->at;
	if (lexer->rest.size == 0)
		return LEX_END;
	switch (lexer->rest.data[0]) {
	case '"':
		return read_string(lexer, word);
	case ';':
		kind = LEX_SEMICOLON;
		break;
	case '{':
		kind = LEX_OPEN;
		break;
	case '}':
		kind = LEX_CLOSE;
		break;
	default:
		return read_word(lexer, word);
	}
	(void)append(word, lexer->rest.data, 1); /* one byte fits */
	advance(lexer, 1);
	return kind;
}
