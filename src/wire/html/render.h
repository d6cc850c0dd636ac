/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The renderer behind html_text: takes opening tags, closing tags and text, writes lines. For
 * this folder only. */
#ifndef SEKISHO_WIRE_HTML_RENDER_H
#define SEKISHO_WIRE_HTML_RENDER_H

#include "wire/html/style.h"
#include "wire/html/text.h"

/* What an element does to the text. Elements that do nothing are HTML_OTHER. */
enum html_tag {
	HTML_OTHER,
	HTML_A,
	HTML_AREA,
	HTML_BASE,
	HTML_BLOCK, /* begins and ends a line: div, section, ... */
	HTML_PARA,  /* and has an empty line around it: p, dl, figure, ... */
	HTML_BODY,
	HTML_BR,
	HTML_CELL,
	HTML_HEAD_CELL,
	HTML_DEL,
	HTML_EMBED, /* object, svg, audio, ...: counted; the text inside is told */
	HTML_FORM,
	HTML_HEADING,
	HTML_HR,
	HTML_IMG,
	HTML_INPUT,
	HTML_LI,
	HTML_LIST,
	HTML_META,
	HTML_OL,
	HTML_PRE,
	HTML_Q,
	HTML_QUOTE,
	HTML_ROW,
	HTML_SOURCE, /* of audio and video */
	HTML_RT,
	HTML_SCRIPT, /* left out and counted */
	HTML_SKIP,   /* left out: title, style, rp, ... */
	HTML_STYLE,
	HTML_SUP,
	HTML_TABLE,
	HTML_TEMPLATE, /* never seen: told as what CSS hides is */
	HTML_UNREAD,   /* iframe, noframes, ...: what is in it is a text for parsers */
};

struct html_attr {
	struct span name;
	struct span value;
};

struct html_element {
	enum html_tag tag;
	struct span name; /* lower case */
	bool is_void;     /* has no content: no closing tag comes */
	const struct html_attr *attrs;
	size_t attr_count;
};

/* The element of this lower-case name. */
enum html_tag html_tag_of(struct span name, bool *is_void);

/* The value of an attribute; an empty span where there is none. @name in lower case. */
struct span html_attr_of(const struct html_element *element, const char *name);
bool html_attr_has(const struct html_element *element, const char *name);
/* The attribute of this name; NULL. */
const struct html_attr *html_attr_find(const struct html_element *element, struct span name);

struct html_frame;
struct html_room;

enum { HTML_LIST_LEVELS = 16 };

struct html_render {
	const struct html_policy *policy;
	struct html_report *report;
	struct bytes *out;
	struct bytes *hidden;
	struct html_room *room;
	struct html_frame *frames; /* HTML_FRAMES_MAX of them, in the room */
	size_t frame_count;
	size_t ignored_depth; /* open elements beyond the frames */
	unsigned breaks;      /* line ends that are due before the next text: 0 to 2 */
	bool space;           /* a space is due */
	bool space_line;      /* and the white space had a line end in it */
	unsigned separators;  /* cell borders that are due */
	bool data_row;        /* in a row of a table whose empty cells count */
	unsigned quotes;      /* depth of block quotes */
	unsigned pres;        /* depth of preformatted text */
	unsigned skips;       /* depth of what is left out */
	unsigned lost;        /* depth of what CSS hides */
	unsigned list_depth;
	uint32_t list_number[HTML_LIST_LEVELS]; /* of ordered lists: the next number; 0: bullets */
	size_t line_begin;                      /* where the current line starts in out */
	size_t indent;                          /* spaces after the quote marks */
	bool in_line;                           /* something stands on the current line */
	struct span base; /* to which links are relative; empty where the document does not say */
	bool image_only;  /* an image without a text stood where a link's text should be */
	int err;          /* the first failed append */
};

/* @room: see html_room_new. @document: what will be read; its style sheets are, at once. */
void html_render_init(struct html_render *r, const struct html_policy *policy,
		      struct html_room *room, struct span document, struct bytes *out,
		      struct bytes *hidden, struct html_report *report);
/* Working memory, to be freed; NULL where there is none. */
struct html_room *html_room_new(void);
/* Has the document any rules of style? Then it matters which elements there are, and not only what
 * they do. */
bool html_render_has_rules(const struct html_render *r);

/* Comparisons with style sheets so far, with those of the mail's documents before. */
uint32_t html_render_steps(const struct html_render *r);

/* Elements nest: each open of an element that is not void is followed by a close of the same. */
void html_render_open(struct html_render *r, const struct html_element *element);
void html_render_close(struct html_render *r);
/*
 * Is an element of this tag (and name, where the tag is HTML_OTHER) open, and how many closes would
 * close it? @nearby: only one with no list, table or cell inside of it, as a new item or paragraph
 * ends the one before.
 */
bool html_render_has_open(const struct html_render *r, enum html_tag tag, struct span name,
			  bool nearby, size_t *distance);
void html_render_text(struct html_render *r, struct span text);
void html_render_end(struct html_render *r);

/* Text that a style sheet writes before or behind what is in an element. */
struct html_generated {
	struct span value;                      /* of "content"; empty where there is none */
	struct span attr[HTML_GENERATED_ATTRS]; /* of the attributes that it names, in its order */
	bool hidden;
};

/* generated.c: what the sheets write at one side of an element that looks like @look; and to
 * write it, as far as HTML_GENERATED_BYTES go. */
struct html_generated html_generated_of(const struct html_render *r,
					const struct html_element *element,
					struct html_cascade *cascade, struct html_look look);
void html_generated_put(struct html_render *r, const struct html_generated *generated);
/* Does @value of "content" write more than signs? */
bool html_generated_is_text(struct span value);

/* Is text of this look in the flow seen? */
bool html_render_sees(const struct html_render *r, const struct html_look *look);
/* Words in the flow, or among what is told apart. */
void html_render_flow(struct html_render *r, struct span text, bool hidden);

/* Append to the current line: what a notice or a mark needs. */
void html_render_mark(struct html_render *r, const char *text);
void html_render_raw(struct html_render *r, struct span text);

/* link.c: what stands behind a link's text. @shown: the link's text as it was written. */
void html_link_close(struct html_render *r, struct span href, struct span shown);
/* What is not a link but names a place: "[LABEL: target]". Nothing where @href is empty. */
void html_link_note(struct html_render *r, struct span href, const char *label);

/*
 * nest.c, tree.c and scan.c: the three ways of reading. An error of one means: begin
 * again with the next. -ERR_SYNTAX: its tags do not nest as they are written; -ERR_NO_MEMORY.
 */
int html_nest_walk(struct span in, struct html_render *r);
int html_tree_walk(struct span in, struct html_render *r);
void html_scan_walk(struct span in, struct html_render *r);
/* Is the document harmless for a tree builder? */
bool html_scan_guard(struct span in);

#endif
