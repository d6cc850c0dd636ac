/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The renderer behind html_text: takes opening tags, closing tags and text, writes lines. For
 * html_*.c only. */
#ifndef SEKISHO_WIRE_HTML_RENDER_H
#define SEKISHO_WIRE_HTML_RENDER_H

#include "wire/html_text.h"

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
	HTML_EMBED, /* object, iframe, audio, ...: left out and counted */
	HTML_FORM,
	HTML_HEADING,
	HTML_HR,
	HTML_IMG,
	HTML_INPUT,
	HTML_LI,
	HTML_LIST,
	HTML_OL,
	HTML_PRE,
	HTML_Q,
	HTML_QUOTE,
	HTML_ROW,
	HTML_RT,
	HTML_SCRIPT, /* left out and counted */
	HTML_SKIP,   /* left out: title, style, rp, ... */
	HTML_STYLE,
	HTML_SUP,
	HTML_TABLE,
};

struct html_attr {
	struct span name;
	struct span value;
};

struct html_element {
	enum html_tag tag;
	bool is_void; /* has no content: no closing tag comes */
	const struct html_attr *attrs;
	size_t attr_count;
};

/* The element of this lower-case name. */
enum html_tag html_tag_of(struct span name, bool *is_void);

/* The value of an attribute; an empty span where there is none. @name in lower case. */
struct span html_attr_of(const struct html_element *element, const char *name);
bool html_attr_has(const struct html_element *element, const char *name);

struct html_frame;

enum { HTML_LIST_LEVELS = 16, HTML_SHEET_MAX = 64 };

/* Classes (".x") and ids ("#x") that style sheets hide; views into the document. */
struct html_sheet {
	struct span hiding[HTML_SHEET_MAX];
	size_t count;
};

struct html_render {
	const struct html_policy *policy;
	struct html_report *report;
	struct bytes *out;
	struct bytes *hidden;
	struct html_frame *frames; /* HTML_FRAMES_MAX of them */
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
	unsigned hides;       /* depth of what CSS hides */
	unsigned list_depth;
	uint32_t list_number[HTML_LIST_LEVELS]; /* of ordered lists: the next number; 0: bullets */
	size_t line_begin;                      /* where the current line starts in out */
	size_t indent;                          /* spaces after the quote marks */
	bool in_line;                           /* something stands on the current line */
	struct html_sheet sheet;
	bool image_only; /* an image without a text stood where a link's text should be */
	int err;         /* the first failed append */
};

/* @frames: room for HTML_FRAMES_MAX; see html_frames_new. */
void html_render_init(struct html_render *r, const struct html_policy *policy,
		      struct html_frame *frames, struct bytes *out, struct bytes *hidden,
		      struct html_report *report);
struct html_frame *html_frames_new(void);

/* Elements nest: each open of an element that is not void is followed by a close of the same. */
void html_render_open(struct html_render *r, const struct html_element *element);
void html_render_close(struct html_render *r);
/*
 * Is an element of this tag open, and how many closes would close it? @nearby: only one with no
 * list, table or cell inside of it, as a new item or paragraph ends the one before.
 */
bool html_render_has_open(const struct html_render *r, enum html_tag tag, bool nearby,
			  size_t *distance);
void html_render_text(struct html_render *r, struct span text);
void html_render_end(struct html_render *r);

/* Append to the current line: what a notice or a mark needs. */
void html_render_mark(struct html_render *r, const char *text);
void html_render_raw(struct html_render *r, struct span text);

/* html_link.c: what stands behind a link's text. @shown: the link's text as it was written. */
void html_link_close(struct html_render *r, struct span href, struct span shown);

/* html_style.c */
struct html_look {
	uint32_t color; /* 0xRRGGBB; HTML_COLOR_NONE where nothing says */
	uint32_t background;
};

#define HTML_COLOR_NONE UINT32_MAX

/**
 * html_style_apply - does the element's own style hide its text?
 * @look: colours inherited; changed to those of the element
 */
bool html_style_apply(const struct html_element *element, struct html_look *look);

/* Do these declarations hide what they apply to? Colours are not looked at. */
bool html_style_hides(struct span declarations);

/* html_sheet.c: what a <style> element says, and whether it hides an element. */
void html_sheet_read(struct html_sheet *sheet, struct span css);
bool html_sheet_hides(const struct html_sheet *sheet, const struct html_element *element);

/*
 * html_nest.c, html_tree.c and html_scan.c: the three ways of reading. An error of one means: begin
 * again with the next. -ERR_SYNTAX: its tags do not nest as they are written; -ERR_NO_MEMORY.
 */
int html_nest_walk(struct span in, struct html_render *r);
int html_tree_walk(struct span in, struct html_render *r);
void html_scan_walk(struct span in, struct html_render *r);
/* Is the document harmless for a tree builder? */
bool html_scan_guard(struct span in);

#endif
