/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTML to text. The document is parsed as HTML5 (gumbo) and walked without recursion; a document
 * that is built to exhaust a tree builder is read tag by tag instead, which says the same with less
 * layout. The output is UTF-8 that still has to be cleaned.
 */
#ifndef SEKISHO_WIRE_HTML_TEXT_H
#define SEKISHO_WIRE_HTML_TEXT_H

#include <stdbool.h>

#include "base/buf.h"

#define HTML_ARENA_BYTES                                                                           \
	(24U << 20)                /* memory of the tree: past it the document is read tag by tag */
#define HTML_TREE_BYTES (4U << 20) /* longer documents are read tag by tag */
#define HTML_TAGS_MAX   200000     /* so are documents with more tags, */
#define HTML_ATTRS_MAX  256        /* with a tag of more attributes, */
#define HTML_DEPTH_MAX  400        /* or nested deeper */
#define HTML_FRAMES_MAX                                                                            \
	1024 /* open elements that are remembered: deeper ones have no effect on layout */
#define HTML_URL_SHOWN    2000  /* bytes of a link's target: the rest is cut, with an ellipsis */
#define HTML_HIDDEN_BYTES 16384 /* of hidden text that is told apart; what is more is shown */

struct html_policy {
	bool english; /* notices in English instead of Japanese */
	bool defang;  /* links as hxxps:// */
};

struct html_report {
	uint32_t links;
	uint32_t images;
	uint32_t misleading_links; /* the text names another host than the target */
	uint32_t defanged_links;   /* written so that nothing opens them */
	uint32_t spelled_links;    /* of hosts that are not plain ASCII */
	uint32_t dropped_links;    /* javascript:, data: and the like */
	uint32_t active;           /* scripts, forms, frames and embedded objects left out */
	uint64_t hidden_bytes;     /* of the text that was told apart */
	uint32_t style_steps;      /* comparisons with style sheets: a mail has so many of them */
	bool by_tags;              /* read tag by tag, see above */
	uint32_t generated_bytes;  /* that style sheets wrote: a mail has so many of them */
	bool style_unread;         /* what is not read of its style sheets may hide something */
	bool sheet_cut;            /* style sheets beyond a limit: not all that hides was seen */
};

/**
 * html_to_text - render @in, appended to @out
 * @in:	    UTF-8; borrowed
 * @hidden: receives the text that CSS hides, at most HTML_HIDDEN_BYTES: what is more stays in @out
 * @report: counts are added
 * Return: 0, -ERR_TOO_LONG or -ERR_NO_MEMORY.
 */
int html_to_text(struct span in, const struct html_policy *policy, struct bytes *out,
		 struct bytes *hidden, struct html_report *report);

/**
 * html_words - append the text of @in alone: no layout, no targets, no readings of ruby
 * What stands between the letters of a word does not part it: tags, comments, cells. Texts that a
 * page does not show (styles, scripts, titles) are among it. For searching, not for reading.
 * Return: 0, -ERR_TOO_LONG or -ERR_NO_MEMORY.
 */
int html_words(struct span in, struct bytes *out);

#endif
