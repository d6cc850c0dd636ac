/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may be typed next: the same schema and the same rules as the parser's, read forwards. */
#include "policy/edit.h"

#include <string.h>

#include "base/err.h"
#include "policy/match.h"
#include "policy/print.h"

#define ENTER "<Enter>"

/* Where the words so far have led. */
struct cursor {
	const struct tree *tree;
	const struct tree_node *node; /* the statement that stands there now, NULL: none yet; while
					 values of @row are typed, the one that it stands in */
	enum schema_id row;
	unsigned arg;         /* the next argument of @row; schema_arg_count: all are given */
	bool keyword_given;   /* the word before that argument is there */
	struct writer values; /* of @row so far, canonical, each with its NUL */
	char buffer[PARSE_VALUES_BYTES];
	enum edit_purpose purpose;
	enum language language;
};

static bool starts_with(const char *text, const struct word *begin)
{
	return begin == NULL || strncmp(text, begin->text, begin->size) == 0;
}

static void offer(struct bytes *out, const char *text, const char *help)
{
	(void)bytes_printf(out, "%s\t%s\n", text, help); /* told by out->failed at the end */
}

static bool holds_statements(enum schema_id row)
{
	return schema_first_child(row) < ROW_COUNT_;
}

/* Only what is there can be deleted or shown; anything can be set, and gone into. */
static bool must_exist(const struct cursor *c)
{
	return c->purpose == EDIT_DELETE || c->purpose == EDIT_SHOW;
}

/* ---- offers */

/* Statements below the cursor. */
static void offer_children(struct bytes *out, const struct cursor *c, const struct word *begin)
{
	enum schema_id id = schema_first_child(c->row);

	for (; id < ROW_COUNT_; id = schema_next_sibling(id)) {
		if (!starts_with(schema_row(id)->name, begin))
			continue;
		if (must_exist(c) && (c->node == NULL || tree_first(c->node, id) == NULL))
			continue;
		if (c->purpose == EDIT_ENTER && !holds_statements(id))
			continue;
		offer(out, schema_row(id)->name, schema_row(id)->help[c->language]);
	}
}

/* A free text is offered in its quotes, and only as a whole: it may hold blanks. */
static void offer_text(struct bytes *out, const char *value, const struct word *begin,
		       const char *help)
{
	if (begin != NULL)
		return;
	print_quoted(out, value);
	(void)bytes_printf(out, "\t%s\n", help); /* told by out->failed at the end */
}

/* The first statement from @n on that has the values that were typed so far. */
static const struct tree_node *next_typed(const struct cursor *c, const struct tree_node *n)
{
	while (n != NULL &&
	       (n->text_bytes < c->values.size || memcmp(n->text, c->buffer, c->values.size) != 0))
		n = tree_next(n);
	return n;
}

static const struct tree_node *first_typed(const struct cursor *c)
{
	return c->node != NULL ? next_typed(c, tree_first(c->node, c->row)) : NULL;
}

/* The next value of every statement that is there and has the values so far. Those that share one
 * stand together. */
static void offer_present(struct bytes *out, const struct cursor *c, const struct word *begin)
{
	const struct value_form *form = &schema_row(c->row)->args[c->arg];
	const char *help = schema_row(c->row)->help[c->language], *last = NULL;

	for (const struct tree_node *n = first_typed(c); n != NULL;
	     n = next_typed(c, tree_next(n))) {
		const char *value = tree_value(n, c->arg);

		if (last != NULL && strcmp(value, last) == 0)
			continue;
		last = value;
		if (form->type == TYPE_TEXT)
			offer_text(out, value, begin, help);
		else if (starts_with(value, begin))
			offer(out, value, help);
	}
}

/* The names of all statements of @row at the top. */
static void offer_named(struct bytes *out, const struct cursor *c, enum schema_id row,
			const struct word *begin)
{
	const struct tree_node *n = tree_first(c->tree->root, row);

	for (; n != NULL; n = tree_next(n)) {
		if (starts_with(tree_value(n, 0), begin))
			offer(out, tree_value(n, 0), schema_row(c->row)->help[c->language]);
	}
}

static void offer_words(struct bytes *out, const char *list, const struct word *begin,
			const char *help)
{
	char text[VALUE_TEXT_BYTES];

	while (*(list += strspn(list, " ")) != '\0') {
		size_t size = strcspn(list, " ");
		size_t name = strcspn(list, " :");

		memcpy(text, list, name);
		text[name] = '\0';
		if (starts_with(text, begin))
			offer(out, text, help);
		list += size;
	}
}

/* The one word that a free value is described by. */
static void offer_label(struct bytes *out, const struct value_form *form, enum language language)
{
	char help[256];
	struct writer w;

	writer_init(&w, help, sizeof(help) - 1);
	value_describe(&w, form, language);
	help[w.size] = '\0';
	(void)bytes_printf(out, "<%s>\t%s\n", form->label,
			   help); /* told by out->failed at the end */
}

static enum schema_id named_row(enum value_type type)
{
	switch (type) {
	case TYPE_ZONE:
		return ROW_ZONE;
	case TYPE_SERVICE:
		return ROW_SERVICE;
	case TYPE_SCHEDULE:
		return ROW_SCHEDULE;
	case TYPE_SCANNER:
		return ROW_SCANNER;
	default:
		return ROW_COUNT_;
	}
}

/* What the form itself names: fixed words, or statements elsewhere; and a label, where there is
 * more. Groups of both kinds may stand where an address does. */
static void offer_possible(struct bytes *out, const struct cursor *c, const struct word *begin)
{
	const struct value_form *form = &schema_row(c->row)->args[c->arg];

	if (form->words != NULL)
		offer_words(out, form->words, begin, schema_row(c->row)->help[c->language]);
	else if (named_row(form->type) < ROW_COUNT_)
		offer_named(out, c, named_row(form->type), begin);
	else if (form->type == TYPE_PLACE) {
		offer_named(out, c, ROW_ADDRESS_GROUP, begin);
		offer_named(out, c, ROW_STATION_GROUP, begin);
	} else if (c->arg == 0 && form->type != TYPE_TEXT)
		offer_present(out, c, begin);
	if (form->type != TYPE_WORD)
		offer_label(out, form, c->language);
}

static void offer_value(struct bytes *out, const struct cursor *c, const struct word *begin)
{
	const struct value_form *form = &schema_row(c->row)->args[c->arg];

	if (form->keyword != NULL && !c->keyword_given) {
		if (starts_with(form->keyword, begin))
			offer(out, form->keyword, "");
	} else if (must_exist(c)) {
		offer_present(out, c, begin);
	} else {
		offer_possible(out, c, begin);
	}
}

/* ---- following the words */

/* The values are complete: c->node becomes the statement itself, if it is there. */
static void enter_statement(struct cursor *c)
{
	struct tree_values values = {(uint16_t)c->arg, (uint32_t)c->values.size, c->buffer};

	if (c->node != NULL)
		c->node = tree_find(c->tree, c->node, c->row, &values);
}

/* Take a word as the name of a statement below the cursor. */
static bool take_name(struct cursor *c, const struct word *word)
{
	enum schema_id row;

	if (match_child(&row, c->row, word) != 0)
		return false;
	if (c->purpose == EDIT_ENTER && !holds_statements(row))
		return false;
	c->row = row;
	c->arg = 0;
	c->keyword_given = false;
	writer_init(&c->values, c->buffer, sizeof(c->buffer));
	return !must_exist(c) || first_typed(c) != NULL;
}

static bool take_value(struct cursor *c, const struct word *word)
{
	const struct value_form *form = &schema_row(c->row)->args[c->arg];
	struct value v;

	if (form->keyword != NULL && !c->keyword_given) {
		c->keyword_given = strcmp(form->keyword, word->text) == 0;
		return c->keyword_given;
	}
	if (parse_word(&v, form, word) != 0)
		return false;
	writer_bytes(&c->values, v.text, strlen(v.text) + 1);
	c->arg++;
	c->keyword_given = false;
	return !must_exist(c) || first_typed(c) != NULL;
}

static bool follow(struct cursor *c, const struct word *words, size_t count)
{
	bool pending = false; /* a name was taken, its values are not complete */

	for (size_t i = 0; i < count; i++) {
		if (!(pending ? take_value(c, &words[i]) : take_name(c, &words[i])))
			return false;
		pending = c->arg < schema_arg_count(c->row);
		if (!pending)
			enter_statement(c);
	}
	return true;
}

/* Whether the line may end here. */
static bool is_complete(const struct cursor *c)
{
	bool all = c->arg == schema_arg_count(c->row);

	if (c->row == ROW_ROOT)
		return c->purpose == EDIT_SHOW;
	if (must_exist(c))
		return all || c->arg == 0; /* the name alone: all of that name */
	return all && (c->purpose == EDIT_ENTER || schema_row(c->row)->kind != SCHEMA_BLOCK);
}

int edit_complete(struct bytes *out, const struct tree *tree, const struct edit_words *words,
		  enum edit_purpose purpose, enum language language)
{
	struct cursor c = {.tree = tree,
			   .node = tree->root,
			   .row = ROW_ROOT,
			   .purpose = purpose,
			   .language = language};
	bool open = !words->ends_in_blank && words->count > 0;
	const struct word *begin = open ? &words->words[words->count - 1] : NULL;

	if (!follow(&c, words->words, words->count - (open ? 1 : 0)))
		return 0;
	if (begin == NULL && is_complete(&c))
		offer(out, ENTER, "");
	if (c.arg < schema_arg_count(c.row))
		offer_value(out, &c, begin);
	else
		offer_children(out, &c, begin);
	return out->failed ? -ERR_NO_MEMORY : 0;
}
