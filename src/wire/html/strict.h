/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lexer for HTML as people and mailers write it when they make no mistakes. Whatever HTML5 reads
 * by a rule of error recovery, or by a rule that is not known here, it turns away: then a full
 * parser has to read the document. For this folder only.
 */
#ifndef SEKISHO_WIRE_HTML_STRICT_H
#define SEKISHO_WIRE_HTML_STRICT_H

#include "wire/html/render.h"

enum {
	HTML_STRICT_NAME = 12,  /* characters of an element's name */
	HTML_STRICT_ATTRS = 32, /* attributes of a tag */
};

enum html_token_kind {
	HTML_TOKEN_END, /* of the document */
	HTML_TOKEN_OPEN,
	HTML_TOKEN_CLOSE,
	HTML_TOKEN_TEXT,
	HTML_TOKEN_NOTHING, /* a comment */
	HTML_TOKEN_DOCTYPE,
};

struct html_token {
	enum html_token_kind kind;
	char name[HTML_STRICT_NAME]; /* of a tag, lower case */
	size_t name_size;
	bool self_closing;
	struct html_attr attrs[HTML_STRICT_ATTRS]; /* references decoded */
	size_t attr_count;
	struct span text; /* references decoded; never empty */
};

struct html_strict {
	struct span in;
	size_t at;
	uint8_t *decoded; /* what references were decoded in; owned, valid until the end */
	size_t decoded_size;
};

/**
 * html_strict_init - begin to read @in
 * Return: whether it may be read by this lexer: UTF-8 without control characters and the like, line
 * ends LF or CR LF.
 */
bool html_strict_init(struct html_strict *lexer, struct span in);
void html_strict_fini(struct html_strict *lexer);

/* The next token. Return: false where the document must be read by a full parser. */
bool html_strict_next(struct html_strict *lexer, struct html_token *token);

/* The content of an element that has no tags in it, up to its closing tag, which is taken as well.
 * False where there is none. */
bool html_strict_raw(struct html_strict *lexer, struct span name, struct span *content);

#endif
