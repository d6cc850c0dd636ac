/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading HTML whose tags nest as they are written. There a tree says nothing that the tags do not,
 * and the renderer is driven by them alone, at several times the speed. The rules below are those
 * of HTML5's tree construction for documents that need no repair; whatever would need some is left
 * to the tree builder. Both must say the same: tests/unit/test_html.c and tests/fuzz/fuzz_html.c
 * hold them together.
 */
#include <string.h>

#include "base/err.h"
#include "wire/html/render.h"
#include "wire/html/strict.h"

/* Where an element may stand and what may stand in it. */
enum rule {
	RULE_PHRASE,  /* anywhere in text, and only text and the like in it */
	RULE_BLOCK,   /* not inside of a paragraph */
	RULE_PARA,    /* nor has it any block in it */
	RULE_HEADING, /* nor inside of another of its kind */
	RULE_FORM,    /* the same */
	RULE_LINK,    /* not inside of another link */
	RULE_LIST,
	RULE_ITEM, /* in a list */
	RULE_TERMS,
	RULE_TERM, /* in a list of terms */
	RULE_RUBY,
	RULE_READING, /* in a ruby */
	RULE_PRE,
	RULE_TABLE,
	RULE_CAPTION, /* in a table */
	RULE_COLUMNS, /* in a table */
	RULE_COLUMN,  /* in columns, or in a table */
	RULE_ROWS,    /* in a table */
	RULE_ROW,     /* in a table, or in rows */
	RULE_CELL,    /* in a row */
	RULE_VOID,    /* has no closing tag */
	RULE_RULER,   /* the same, not in a paragraph */
	RULE_META,    /* the same, in the head too */
	RULE_RAW,     /* has text only, in the head too */
	RULE_HTML,
	RULE_HEAD,
	RULE_BODY,
};

static const struct element {
	const char *name;
	uint8_t rule;
} elements[] = {
	{"a", RULE_LINK},           {"abbr", RULE_PHRASE},      {"address", RULE_BLOCK},
	{"article", RULE_BLOCK},    {"aside", RULE_BLOCK},      {"b", RULE_PHRASE},
	{"big", RULE_PHRASE},       {"blockquote", RULE_BLOCK}, {"body", RULE_BODY},
	{"br", RULE_VOID},          {"caption", RULE_CAPTION},  {"center", RULE_BLOCK},
	{"cite", RULE_PHRASE},      {"code", RULE_PHRASE},      {"col", RULE_COLUMN},
	{"colgroup", RULE_COLUMNS}, {"dd", RULE_TERM},          {"del", RULE_PHRASE},
	{"dfn", RULE_PHRASE},       {"div", RULE_BLOCK},        {"dl", RULE_TERMS},
	{"dt", RULE_TERM},          {"em", RULE_PHRASE},        {"figcaption", RULE_BLOCK},
	{"figure", RULE_BLOCK},     {"font", RULE_PHRASE},      {"footer", RULE_BLOCK},
	{"form", RULE_FORM},        {"h1", RULE_HEADING},       {"h2", RULE_HEADING},
	{"h3", RULE_HEADING},       {"h4", RULE_HEADING},       {"h5", RULE_HEADING},
	{"h6", RULE_HEADING},       {"head", RULE_HEAD},        {"header", RULE_BLOCK},
	{"hr", RULE_RULER},         {"html", RULE_HTML},        {"i", RULE_PHRASE},
	{"img", RULE_VOID},         {"input", RULE_VOID},       {"ins", RULE_PHRASE},
	{"kbd", RULE_PHRASE},       {"label", RULE_PHRASE},     {"li", RULE_ITEM},
	{"link", RULE_META},        {"mark", RULE_PHRASE},      {"meta", RULE_META},
	{"nav", RULE_BLOCK},        {"o:p", RULE_PHRASE},       {"ol", RULE_LIST},
	{"p", RULE_PARA},           {"pre", RULE_PRE},          {"q", RULE_PHRASE},
	{"rp", RULE_READING},       {"rt", RULE_READING},       {"ruby", RULE_RUBY},
	{"s", RULE_PHRASE},         {"script", RULE_RAW},       {"section", RULE_BLOCK},
	{"small", RULE_PHRASE},     {"span", RULE_PHRASE},      {"strike", RULE_PHRASE},
	{"strong", RULE_PHRASE},    {"style", RULE_RAW},        {"sub", RULE_PHRASE},
	{"sup", RULE_PHRASE},       {"table", RULE_TABLE},      {"tbody", RULE_ROWS},
	{"td", RULE_CELL},          {"tfoot", RULE_ROWS},       {"th", RULE_CELL},
	{"thead", RULE_ROWS},       {"time", RULE_PHRASE},      {"title", RULE_RAW},
	{"tr", RULE_ROW},           {"tt", RULE_PHRASE},        {"u", RULE_PHRASE},
	{"ul", RULE_LIST},          {"var", RULE_PHRASE},       {"wbr", RULE_VOID},
};

enum { ELEMENTS = sizeof(elements) / sizeof(elements[0]) };

#define IN(rule) (1U << (rule))

/* The parents that an element must have; 0: any but those that take only certain children. */
static const uint32_t parents[] = {
	[RULE_ITEM] = IN(RULE_LIST),     [RULE_TERM] = IN(RULE_TERMS),
	[RULE_READING] = IN(RULE_RUBY),  [RULE_CAPTION] = IN(RULE_TABLE),
	[RULE_COLUMNS] = IN(RULE_TABLE), [RULE_COLUMN] = IN(RULE_TABLE) | IN(RULE_COLUMNS),
	[RULE_ROWS] = IN(RULE_TABLE),    [RULE_ROW] = IN(RULE_TABLE) | IN(RULE_ROWS),
	[RULE_CELL] = IN(RULE_ROW),
};

/* Parents that take no text and only certain children. */
static const uint32_t choosy = IN(RULE_TABLE) | IN(RULE_COLUMNS) | IN(RULE_ROWS) | IN(RULE_ROW);
/* Elements that may not stand in a paragraph, and those that have no content. */
static const uint32_t blocks = IN(RULE_BLOCK) | IN(RULE_PARA) | IN(RULE_HEADING) | IN(RULE_FORM) |
			       IN(RULE_LIST) | IN(RULE_TERMS) | IN(RULE_TABLE) | IN(RULE_RULER) |
			       IN(RULE_PRE);
static const uint32_t voids = IN(RULE_VOID) | IN(RULE_RULER) | IN(RULE_META) | IN(RULE_COLUMN);
/* Elements that may not stand in one of their own kind, however deep. */
static const uint32_t lonely = IN(RULE_LINK) | IN(RULE_FORM) | IN(RULE_HEADING);

enum phase { PHASE_START, PHASE_HEAD, PHASE_AFTER_HEAD, PHASE_BODY, PHASE_END };

struct nest {
	struct html_strict lexer;
	struct html_render *render;
	uint8_t open[HTML_DEPTH_MAX]; /* indices of elements */
	size_t depth;
	uint32_t inside; /* IN() of paragraphs and lonely elements that are open */
	enum phase phase;
	bool head_open; /* its tag was written */
	bool html_seen, head_seen, body_seen;
};

/* The index of the element of this name, or ELEMENTS. */
static size_t element_find(const char *name, size_t size)
{
	size_t low = 0, high = ELEMENTS;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strncmp(elements[middle].name, name, size);

		if (order == 0)
			order = elements[middle].name[size] != '\0';
		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return ELEMENTS;
}

static void render_open(struct nest *n, const struct html_token *token)
{
	struct html_element out = {.attrs = token->attrs, .attr_count = token->attr_count};

	out.name = (struct span){(const uint8_t *)token->name, token->name_size};
	out.tag = html_tag_of(out.name, &out.is_void);
	html_render_open(n->render, &out);
}

static void leave_head(struct nest *n)
{
	if (n->head_open)
		html_render_close(n->render);
	n->head_open = false;
}

/* What stands in a body begins, whether or not its tag was written. */
static void enter_body(struct nest *n)
{
	if (n->phase >= PHASE_BODY)
		return;
	leave_head(n);
	n->phase = PHASE_BODY;
}

/* Are there the elements around the body's content that a tree always has? Rules may name them. */
static bool has_frame(const struct nest *n)
{
	return !html_render_has_rules(n->render) || (n->html_seen && n->head_seen && n->body_seen);
}

/* html, head and body: each once, in this order. */
static bool open_frame(struct nest *n, enum rule rule, const struct html_token *token)
{
	bool *seen = rule == RULE_HTML   ? &n->html_seen
		     : rule == RULE_HEAD ? &n->head_seen
					 : &n->body_seen;

	if (*seen || n->phase >= PHASE_BODY || (rule != RULE_BODY && n->phase != PHASE_START) ||
	    (rule == RULE_HTML && n->head_seen))
		return false;
	*seen = true;
	if (rule == RULE_BODY)
		enter_body(n);
	render_open(n, token);
	if (rule == RULE_HEAD) {
		n->head_open = true;
		n->phase = PHASE_HEAD;
	}
	return true;
}

/* Scripts, style sheets and titles, up to their closing tag. */
static bool open_raw(struct nest *n, const struct html_token *token)
{
	struct span name = {(const uint8_t *)token->name, token->name_size}, content;

	if (!html_strict_raw(&n->lexer, name, &content))
		return false;
	/* In scripts a comment may hold what looks like the end. */
	if (span_equal_nocase(name, span_of("script")) && content.size > 0 &&
	    memmem(content.data, content.size, "<!--", 4) != NULL)
		return false;
	render_open(n, token);
	if (content.size > 0)
		html_render_text(n->render, content);
	html_render_close(n->render);
	return true;
}

static uint32_t parent_of(const struct nest *n)
{
	return n->depth > 0 ? IN(elements[n->open[n->depth - 1]].rule) : 0;
}

/* May an element of this rule begin here? */
static bool fits(const struct nest *n, enum rule rule)
{
	uint32_t wanted = rule < sizeof(parents) / sizeof(parents[0]) ? parents[rule] : 0;
	uint32_t parent = parent_of(n);

	if (wanted != 0 ? !(parent & wanted) : (parent & choosy) != 0)
		return false;
	/* A tree has rows around each row, and columns around each column: rules may name them. */
	if ((rule == RULE_ROW || rule == RULE_COLUMN) && parent == IN(RULE_TABLE) &&
	    html_render_has_rules(n->render))
		return false;
	if ((n->inside & IN(RULE_PARA)) && (IN(rule) & blocks))
		return false;
	return !(n->inside & IN(rule) & lonely);
}

/* The first line end of preformatted text is none. */
static bool begins_with_line_end(const struct nest *n)
{
	uint8_t next = n->lexer.at < n->lexer.in.size ? n->lexer.in.data[n->lexer.at] : 0;

	return next == '\n' || next == '\r' || next == '&';
}

static bool take_open(struct nest *n, const struct html_token *token)
{
	size_t index = element_find(token->name, token->name_size);
	enum rule rule;
	bool is_void;

	if (index == ELEMENTS || n->phase == PHASE_END)
		return false;
	rule = (enum rule)elements[index].rule;
	is_void = (IN(rule) & voids) != 0;
	if (token->self_closing && !is_void)
		return false;
	if (rule >= RULE_HTML)
		return open_frame(n, rule, token);
	if (rule == RULE_META || rule == RULE_RAW) {
		if (n->phase < PHASE_HEAD && html_render_has_rules(n->render))
			return false;
		if (n->phase == PHASE_AFTER_HEAD || (parent_of(n) & choosy))
			return false;
		n->phase = n->phase == PHASE_START ? PHASE_HEAD : n->phase;
		if (rule == RULE_RAW)
			return open_raw(n, token);
		render_open(n, token);
		return true;
	}
	if (!fits(n, rule) || n->depth == HTML_DEPTH_MAX || !has_frame(n))
		return false;
	enter_body(n);
	render_open(n, token);
	if (is_void)
		return true;
	n->open[n->depth++] = (uint8_t)index;
	n->inside |= IN(rule) & (lonely | IN(RULE_PARA));
	return rule != RULE_PRE || !begins_with_line_end(n);
}

static bool close_frame(struct nest *n, enum rule rule)
{
	if (rule == RULE_HEAD) {
		if (!n->head_open)
			return false;
		leave_head(n);
		n->phase = PHASE_AFTER_HEAD;
		return true;
	}
	/* What follows body and html belongs to the body still: so they stay open. */
	if (n->phase < PHASE_BODY || n->depth > 0)
		return false;
	n->phase = PHASE_END;
	return true;
}

static bool take_close(struct nest *n, const struct html_token *token)
{
	size_t index = element_find(token->name, token->name_size);
	enum rule rule;

	if (index == ELEMENTS)
		return false;
	rule = (enum rule)elements[index].rule;
	if (rule >= RULE_HTML)
		return close_frame(n, rule);
	if (n->depth == 0 || n->open[n->depth - 1] != index || n->phase == PHASE_END)
		return false;
	n->depth--;
	n->inside &= ~(IN(rule) & (lonely | IN(RULE_PARA)));
	html_render_close(n->render);
	return true;
}

static size_t blank_size(struct span text)
{
	size_t size = 0;

	while (size < text.size && memchr(" \n\t\r", text.data[size], 4) != NULL)
		size++;
	return size;
}

static bool take_text(struct nest *n, struct span text)
{
	size_t blank = n->phase == PHASE_BODY && !(parent_of(n) & choosy) ? 0 : blank_size(text);

	/* Text that has no place: white space only. */
	if (blank < text.size && (n->phase == PHASE_END || (parent_of(n) & choosy)))
		return false;
	if (n->phase < PHASE_BODY) {
		if (n->phase != PHASE_START && blank > 0)
			html_render_text(n->render, (struct span){text.data, blank});
		if (blank == text.size)
			return true;
		if (!has_frame(n))
			return false;
		enter_body(n);
		text = (struct span){text.data + blank, text.size - blank};
	}
	html_render_text(n->render, text);
	return true;
}

static bool take(struct nest *n, const struct html_token *token)
{
	switch (token->kind) {
	case HTML_TOKEN_OPEN:
		return take_open(n, token);
	case HTML_TOKEN_CLOSE:
		return take_close(n, token);
	case HTML_TOKEN_TEXT:
		return take_text(n, token->text);
	case HTML_TOKEN_DOCTYPE:
		return n->phase == PHASE_START && !n->html_seen;
	default:
		return true;
	}
}

int html_nest_walk(struct span in, struct html_render *r)
{
	struct nest n = {.render = r};
	struct html_token token;
	bool good = in.size <= HTML_TREE_BYTES && html_strict_init(&n.lexer, in);

	while (good && r->err == 0) {
		good = html_strict_next(&n.lexer, &token) && take(&n, &token);
		if (good && token.kind == HTML_TOKEN_END)
			break;
	}
	/* An end that a full parser would have to find. */
	good = good && (n.depth == 0 || r->err < 0);
	html_strict_fini(&n.lexer);
	return good ? 0 : -ERR_SYNTAX;
}
