/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may be typed next: the same schema and the same rules as the parser's, read forwards. */
#include "policy/edit.h"

#include <string.h>

#include "base/err.h"
#include "policy/match.h"

#define ENTER "<Enter>"

/* Where the words so far have led. */
struct cursor {
	const struct tree *tree;
	const struct tree_node *node; /* the statement that stands there now, NULL: none yet */
	enum schema_id row;
	unsigned arg;       /* the next argument of @row; schema_arg_count: all are given */
	bool keyword_given; /* the word before that argument is there */
	bool value_given;   /* at least one argument was typed */
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

/* Statements below the cursor; of deleting and showing only those that are there. */
static void offer_children(struct bytes *out, const struct cursor *c, const struct word *begin)
{
	enum schema_id id = schema_first_child(c->row);

	for (; id < ROW_COUNT_; id = schema_next_sibling(id)) {
		if (!starts_with(schema_row(id)->name, begin))
			continue;
		if (c->purpose != EDIT_SET && c->purpose != EDIT_ENTER &&
		    (c->node == NULL || tree_first(c->node, id) == NULL))
			continue;
		if (c->purpose == EDIT_ENTER && !holds_statements(id))
			continue;
		offer(out, schema_row(id)->name, schema_row(id)->help[c->language]);
	}
}

/* Every value that statements of @row below @parent have, first argument. */
static void offer_existing(struct bytes *out, const struct tree_node *parent, enum schema_id row,
			   const struct word *begin, const char *help)
{
	const struct tree_node *n = parent != NULL ? tree_first(parent, row) : NULL;

	for (; n != NULL; n = tree_next(n)) {
		if (starts_with(tree_value(n, 0), begin))
			offer(out, tree_value(n, 0), help);
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

/* Groups of both kinds may stand where an address does. */
static void offer_groups(struct bytes *out, const struct cursor *c, const struct word *begin,
			 const char *help)
{
	offer_existing(out, c->tree->root, ROW_ADDRESS_GROUP, begin, help);
	offer_existing(out, c->tree->root, ROW_STATION_GROUP, begin, help);
}

static void offer_value(struct bytes *out, const struct cursor *c, const struct word *begin)
{
	const struct value_form *form = &schema_row(c->row)->args[c->arg];
	const char *help = schema_row(c->row)->help[c->language];

	if (form->keyword != NULL && !c->keyword_given) {
		if (starts_with(form->keyword, begin))
			offer(out, form->keyword, "");
		return;
	}
	if (form->words != NULL)
		offer_words(out, form->words, begin, help);
	else if (named_row(form->type) < ROW_COUNT_)
		offer_existing(out, c->tree->root, named_row(form->type), begin, help);
	else if (c->arg == 0 && form->type != TYPE_TEXT)
		offer_existing(out, c->node, c->row, begin, help);
	if (form->type == TYPE_PLACE && c->purpose == EDIT_SET)
		offer_groups(out, c, begin, help);
	if (form->words == NULL && c->purpose == EDIT_SET)
		offer_label(out, form, c->language);
}

/* Take a word as the name of a statement below the cursor. */
static bool take_name(struct cursor *c, const struct word *word)
{
	enum schema_id row;

	if (match_child(&row, c->row, word) != 0)
		return false;
	c->row = row;
	c->arg = 0;
	c->keyword_given = false;
	c->value_given = false;
	return true;
}

/* Once the values are complete, c->node becomes the statement itself, if it is there. */
static void enter_statement(struct cursor *c, const struct tree_values *values)
{
	if (c->node != NULL)
		c->node = tree_find(c->tree, c->node, c->row, values);
}

static bool take_value(struct cursor *c, const struct word *word, struct writer *values)
{
	const struct value_form *form = &schema_row(c->row)->args[c->arg];
	struct value v;

	if (form->keyword != NULL && !c->keyword_given) {
		c->keyword_given = strcmp(form->keyword, word->text) == 0;
		return c->keyword_given;
	}
	if (value_parse(&v, form, (struct span){(const uint8_t *)word->text, word->size}) != 0)
		return false;
	writer_bytes(values, v.text, strlen(v.text) + 1);
	c->arg++;
	c->keyword_given = false;
	c->value_given = true;
	return true;
}

static bool follow(struct cursor *c, const struct word *words, size_t count)
{
	char buffer[PARSE_VALUES_BYTES];
	struct writer values;
	bool pending = false; /* a name was taken, its values are not complete */

	writer_init(&values, buffer, sizeof(buffer));
	for (size_t i = 0; i < count; i++) {
		if (!pending) {
			if (!take_name(c, &words[i]))
				return false;
			writer_init(&values, buffer, sizeof(buffer));
			pending = true;
		} else if (!take_value(c, &words[i], &values)) {
			return false;
		}
		if (c->arg == schema_arg_count(c->row)) {
			struct tree_values key = {(uint16_t)c->arg, (uint32_t)values.size, buffer};

			enter_statement(c, &key);
			pending = false;
		}
	}
	return true;
}

/* Whether the line may end here. */
static bool is_complete(const struct cursor *c)
{
	bool all = c->arg == schema_arg_count(c->row);

	if (c->purpose == EDIT_SHOW)
		return all || c->arg == 0;
	if (c->row == ROW_ROOT)
		return false;
	if (c->purpose == EDIT_DELETE)
		return all || c->arg == 0;
	if (c->purpose == EDIT_ENTER)
		return all && holds_statements(c->row);
	return all && schema_row(c->row)->kind != SCHEMA_BLOCK;
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
