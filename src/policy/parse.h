/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text to tree. */
#ifndef SEKISHO_POLICY_PARSE_H
#define SEKISHO_POLICY_PARSE_H

#include "policy/lex.h"
#include "policy/tree.h"

#define PARSE_TEXT_BYTES_MAX (8U << 20) /* of one configuration */
#define PARSE_WORDS_MAX      64         /* of one statement */

enum parse_mode {
	PARSE_WHOLE, /* a configuration of its own: a statement written twice is an error */
	PARSE_MERGE, /* on top of what is there: entries are entered again, leaves replaced */
};

/**
 * parse_text - read a configuration
 * @tree: initialised; on an error it holds part of the input and must be thrown away
 * @text: borrowed, any bytes
 * Iterative; time linear in the input. Words and nesting past the limits are errors, told at their
 * place. Empty blocks leave nothing behind.
 * Return: 0 (there may be warnings in @problems), or -ERR_SYNTAX with at least one error in
 * @problems.
 */
int parse_text(struct tree *tree, struct span text, enum parse_mode mode,
	       struct problems *problems);

/* One word as a value of @form: as value_parse, but what stands in quotes is no value of most
 * forms.
 */
int parse_word(struct value *out, const struct value_form *form, const struct word *word);

/**
 * parse_values - check the words behind a statement's name and make the canonical values of it
 * @words: @count of them, without the name; all are used
 * @name:  the word of the statement's name, for its place
 * @buffer: @buffer_bytes for the text that @out refers to
 * Return: 0, or -ERR_SYNTAX with the error in @problems.
 */
int parse_values(struct tree_values *out, enum schema_id row, const struct word *name,
		 const struct word *words, size_t count, struct problems *problems, char *buffer,
		 size_t buffer_bytes);

/* The most that the canonical values of one statement can take. */
#define PARSE_VALUES_BYTES (SCHEMA_ARGS_MAX * VALUE_TEXT_BYTES)

#endif
