/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CSS, as far as it says whether a reader sees a text: colours, the declarations of an element with
 * their cascade (CSS Cascading Level 4), and the selectors of style sheets (Selectors Level 4). For
 * this folder only. What is not understood here does not hide: its text stays in the flow.
 */
#ifndef SEKISHO_WIRE_HTML_STYLE_H
#define SEKISHO_WIRE_HTML_STYLE_H

#include <stdbool.h>

#include "base/buf.h"

struct html_element;

enum {
	HTML_SHEET_BYTES = 128 << 10,   /* of all style sheets of a document */
	HTML_SHEET_COMPOUNDS = 512,     /* parts of selectors: ".a > p" has two */
	HTML_SHEET_SIMPLES = 1024,      /* tags, classes, ids and attributes in them */
	HTML_SHEET_DECLARATIONS = 1024, /* that matter here */
	HTML_SHEET_STEPS = 5 << 20, /* comparisons with elements, of all documents of a mail, and */
	HTML_SHEET_STEPS_BASE = 16 << 10, /* of one that many, and */
	HTML_SHEET_STEPS_OCTET = 64,      /* for each of its octets; past any of these the sheet is
					     cut, and the report says so */
	HTML_SHEET_WORDS = HTML_SHEET_COMPOUNDS / 64,
	HTML_VALUE_BYTES = 256,       /* of a value: each element that has it looks it through */
	HTML_CONTENT_BYTES = 1024,    /* of what "content" says */
	HTML_GENERATED_ATTRS = 4,     /* attributes that it names; past them the sheet is cut */
	HTML_GENERATED_BYTES = 65536, /* of the text that style sheets write, of all documents */
};

/* The properties that are looked at; shorthands are taken apart into these. */
enum html_property {
	HTML_BACKGROUND,
	HTML_BACKGROUND_CLIP,
	HTML_BACKGROUND_IMAGE,
	HTML_BOTTOM,
	HTML_CLIP,
	HTML_CLIP_PATH,
	HTML_COLOR,
	HTML_CONTENT_VISIBILITY,
	HTML_DISPLAY,
	HTML_FILTER,
	HTML_FONT_SIZE,
	HTML_HEIGHT,
	HTML_LEFT,
	HTML_MARGIN_LEFT,
	HTML_MARGIN_TOP,
	HTML_MAX_HEIGHT,
	HTML_MAX_WIDTH,
	HTML_MSO_HIDE,
	HTML_OPACITY,
	HTML_OVERFLOW,
	HTML_POSITION,
	HTML_RIGHT,
	HTML_SCALE,
	HTML_TEXT_FILL,
	HTML_TEXT_INDENT,
	HTML_TEXT_SHADOW,
	HTML_TOP,
	HTML_TRANSFORM,
	HTML_TRANSLATE,
	HTML_VISIBILITY,
	HTML_WIDTH,
	HTML_CONTENT,
	HTML_PROPERTIES, /* 32: html_cascade has a bit for each */
};

struct html_declaration {
	enum html_property property;
	bool important;
	bool cut;          /* the value was too long, and something unknown stands for it */
	bool variable;     /* it says "var()", which is not read */
	struct span value; /* without "!important"; a view into the style */
};

typedef void html_declare_fn(void *ctx, const struct html_declaration *declaration);

/* Each declaration of @style that matters, in order, shorthands taken apart. */
void html_declarations(struct span style, html_declare_fn *take, void *ctx);

/* @value, or where it is longer than HTML_VALUE_BYTES one that says nothing: a variable; a picture
 * where it is a background. Of "content" the beginning is kept. */
struct span html_value_bound(enum html_property property, struct span value);

/* The last octet of the string at @at, with its line or with @css at the latest, so that none is
 * looked through twice; @at where no string begins. */
size_t html_css_string_end(struct span css, size_t at);

/* CSS without comments and escapes, written to @out, which has room for @in.size octets. Return:
 * octets written. */
size_t html_css_plain(struct span in, uint8_t *out);

/* Of each property the declaration that wins so far. */
struct html_cascade {
	uint32_t set;      /* a bit for each property that has one */
	uint32_t variable; /* a bit for each of those that say "var()" */
	bool cut;          /* a value was too long, and hides nothing */
	bool unread;       /* one that may hide was not read: set by html_style_apply */
	uint32_t weight[HTML_PROPERTIES];
	struct span value[HTML_PROPERTIES];
};

/* A declaration of @specificity; it wins over those of the same weight that came before. */
void html_cascade_take(struct html_cascade *cascade, const struct html_declaration *declaration,
		       uint32_t specificity, bool is_inline);

/* What an element hands down to those in it. */
struct html_look {
	uint32_t color;        /* 0xAARRGGBB */
	uint32_t background;   /* 0xRRGGBB: what stands behind */
	bool background_known; /* no picture does, and nothing that is not understood */
	bool ink_known;
	bool is_shadowed;    /* a shadow or an outline shows letters without ink */
	bool ink_is_picture; /* the letters show the background (background-clip: text) */
	bool invisible;      /* visibility */
	int32_t font_milli_px;
	int32_t indent_milli_px;
	uint32_t opacity; /* thousandths, with that of all around */
};

void html_look_init(struct html_look *look);
/* Is text of this look too small, too far or too near to its background to be read?
 * @background_doubt: rules were left out that may set a background, and colour alone hides nothing.
 */
bool html_look_is_faint(const struct html_look *look, bool background_doubt);
/* Where @word begins in @css, whatever its case; NULL. */
const uint8_t *html_css_find(struct span css, const char *word);

/**
 * html_style_apply - what the styles of an element make of it
 * @cascade: what style sheets say of it; its own attributes are added
 * @look: what it inherits; changed to its own
 * Return: whether nothing of it and of what is in it is seen.
 */
bool html_style_apply(const struct html_element *element, struct html_cascade *cascade,
		      struct html_look *look);

/* color.c: a CSS colour as 0xAARRGGBB; @legacy: as in the bgcolor attribute, where "#" may be
 * missing. False where it is none. */
bool html_color_read(struct span value, bool legacy, uint32_t *argb);
/* @argb on an opaque @rgb. */
uint32_t html_color_over(uint32_t argb, uint32_t rgb);
/* Are the two too near to each other to be told apart? */
bool html_color_is_near(uint32_t a, uint32_t b);

/* A number at the beginning of @s, in thousandths. Return: octets taken, 0 where there is none. */
size_t html_number_read(struct span s, int64_t *milli);

/* Selectors. A simple one is one condition on an element, a compound one all conditions on it. */
struct html_simple {
	uint8_t kind; /* enum simple_kind of selector.c */
	uint8_t match;
	uint16_t count; /* of a group: how many of the following are in it */
	struct span name;
	struct span value;
};

struct html_compound {
	uint8_t combinator; /* with the compound before; 0: it is the first */
	uint8_t key;        /* hash of a word that an element must have; 0: of none */
	bool last;          /* the selector ends here, and what follows is set */
	uint8_t generated; /* of what the sheet writes: HTML_BEFORE or HTML_AFTER, plus one; or 0 */
	uint16_t simple_first, simple_count;
	uint16_t declaration_first, declaration_count;
	uint32_t specificity;
};

struct html_sheet {
	size_t compound_count, simple_count, declaration_count, text_size;
	uint32_t steps;        /* left */
	uint32_t spent;        /* by this document and those before */
	bool cut;              /* a limit bit */
	bool background_doubt; /* a rule that is not understood may set one */
	bool unread;           /* one may hide something, or write it */
	bool generates;        /* there is a rule for what stands before or behind an element */
	struct html_compound compounds[HTML_SHEET_COMPOUNDS];
	struct html_simple simples[HTML_SHEET_SIMPLES];
	struct html_declaration declarations[HTML_SHEET_DECLARATIONS];
	uint8_t text[HTML_SHEET_BYTES];
};

/*
 * Which compounds, with all before them in their selectors, an element matches: a bit each. With
 * those of its ancestors and siblings one look at each compound decides all selectors.
 */
struct html_match {
	uint64_t self[HTML_SHEET_WORDS];
	uint64_t above[HTML_SHEET_WORDS];    /* it or any element around it */
	uint64_t child[HTML_SHEET_WORDS];    /* the last child so far */
	uint64_t children[HTML_SHEET_WORDS]; /* any child so far */
	uint32_t child_count;
};

/* sheet.c: read all <style> elements of a document. @spent: steps that documents of the same
 * mail took before. */
void html_sheet_collect(struct html_sheet *sheet, struct span document, uint32_t spent);
/* Read one style sheet. */
void html_sheet_read(struct html_sheet *sheet, struct span css);

/* selector.c: keep a rule's selectors, each with the declarations of these numbers. */
void html_selectors_keep(struct html_sheet *sheet, struct span list, size_t declaration_first,
			 size_t declaration_count);
/* What a sheet writes before and behind an element's content (::before, ::after), and the element.
 */
enum { HTML_BEFORE, HTML_AFTER, HTML_ITSELF, HTML_CASCADES };

/**
 * html_sheet_match - what a sheet says of an element
 * @parent: of the element around it, or of none; told of its new child
 * @self: set
 * @cascades: receive the declarations
 */
void html_sheet_match(struct html_sheet *sheet, const struct html_element *element,
		      struct html_match *parent, struct html_match *self,
		      struct html_cascade cascades[HTML_CASCADES]);

#endif
