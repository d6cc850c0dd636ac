/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of the configuration language, with the place of each. */
#ifndef SEKISHO_POLICY_LEX_H
#define SEKISHO_POLICY_LEX_H

#include "policy/problem.h"

enum lex_kind { LEX_WORD, LEX_OPEN, LEX_CLOSE, LEX_SEMICOLON, LEX_END, LEX_ERROR };

struct word {
	struct position at;
	bool quoted;
	size_t size;
	char text[VALUE_TEXT_BYTES]; /* NUL-terminated, quotes and escapes taken off */
};

struct lexer {
	struct span rest;
	struct position at;
	enum problem_id problem; /* what LEX_ERROR means; @word then holds the text for {0} */
};

/* Begin at line 1, column 1 of @text (borrowed, any bytes); a byte order mark is skipped. */
void lexer_init(struct lexer *lexer, struct span text);

/**
 * lexer_next - the next word, or punctuation
 * @word: filled with the place, and the text of LEX_WORD
 * Words are runs of anything but blanks, ';', '{', '}', '"' and '#', or "quoted text" on one line,
 * in which only \" and \\ are escapes; '#' begins a comment up to the line's end. A word longer
 * than VALUE_TEXT_BYTES - 1 is an error.
 * Return: its kind; after LEX_ERROR the rest of the text must not be read.
 */
enum lex_kind lexer_next(struct lexer *lexer, struct word *word);

#endif
