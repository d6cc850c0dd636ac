/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line at the console against a configuration: set, delete, find; and what could be typed next.
 */
#ifndef SEKISHO_POLICY_EDIT_H
#define SEKISHO_POLICY_EDIT_H

#include "policy/parse.h"

#define EDIT_WORDS_MAX PARSE_WORDS_MAX

struct edit_words {
	size_t count;
	bool ends_in_blank; /* the text goes on with a new word */
	struct word words[EDIT_WORDS_MAX];
};

/**
 * edit_split - split a line into words
 * @text: borrowed, any bytes; positions count from its first character
 * Return: 0 or -ERR_SYNTAX with the error in @problems: broken quotes, punctuation, too many words.
 */
int edit_split(struct edit_words *out, struct span text, struct problems *problems);

/* Append the words of @more to @words. Return: 0 or -ERR_NO_SPACE. */
int edit_join(struct edit_words *words, const struct edit_words *more);

/*
 * In all three the words lead from the root to one statement; names of statements may be shortened
 * as long as they are unique. Nothing is changed on an error.
 */

/**
 * edit_set - write one statement, making the entries on the way; a leaf's old value is replaced
 * Return: 0 or -ERR_SYNTAX with the error in @problems.
 */
int edit_set(struct tree *tree, const struct edit_words *words, struct problems *problems);

/**
 * edit_delete - delete a statement with all below it; a list, entry or leaf without its value: all
 * of that name
 * Return: 0 or -ERR_SYNTAX with the error in @problems.
 */
int edit_delete(struct tree *tree, const struct edit_words *words, struct problems *problems);

/**
 * edit_find - the entry, block or statement that the words lead to; no words: the root
 * Return: the node, or NULL with the error in @problems.
 */
struct tree_node *edit_find(const struct tree *tree, const struct edit_words *words,
			    struct problems *problems);

/**
 * edit_locate - the canonical path of a block or entry, whether it is there or not; no words: the
 * root
 * @out: the path is appended, without a line end
 * Return: 0 or -ERR_SYNTAX with the error in @problems: the words lead elsewhere.
 */
int edit_locate(struct bytes *out, const struct edit_words *words, struct problems *problems);

enum edit_purpose { EDIT_SET, EDIT_DELETE, EDIT_SHOW, EDIT_ENTER };

/**
 * edit_complete - what may come next
 * @words: the line up to the cursor; the last word is looked at as a beginning unless ends_in_blank
 * @out:   one line each: the text that completes the word (or "<label>" where the word is free,
 * "<Enter>" where the line
 *         may end), a tab, and help
 * Return: 0 or -ERR_NO_MEMORY. No lines where the words so far mean nothing.
 */
int edit_complete(struct bytes *out, const struct tree *tree, const struct edit_words *words,
		  enum edit_purpose purpose, enum language language);

#endif
