/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Canonical printing and comparison of configurations. Iterative; appends are checked once, at the
 * end. */
#include "policy/print.h"

#include <string.h>

#include "base/err.h"

#define INDENT "    "

void print_quoted(struct bytes *out, const char *text)
{
	(void)bytes_append_u8(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			(void)bytes_append_u8(out, '\\');
		(void)bytes_append_u8(out, (uint8_t)*text);
	}
	(void)bytes_append_u8(out, '"');
}

static void print_value(struct bytes *out, const struct tree_node *node, unsigned i, bool public)
{
	const struct schema_row *row = schema_row(node->row);

	if (public && (row->flags & SCHEMA_PRIVATE) != 0)
		(void)bytes_append_text(out, PRINT_REMOVED);
	else if (row->args[i].type == TYPE_TEXT)
		print_quoted(out, tree_value(node, i));
	else
		(void)bytes_append_text(out, tree_value(node, i));
}

static void print_words(struct bytes *out, const struct tree_node *node, bool public)
{
	const struct schema_row *row = schema_row(node->row);

	(void)bytes_append_text(out, row->name);
	for (unsigned i = 0; i < node->value_count; i++) {
		(void)bytes_append_u8(out, ' ');
		if (row->args[i].keyword != NULL)
			(void)bytes_printf(out, "%s ", row->args[i].keyword);
		print_value(out, node, i, public);
	}
}

static void begin_line(struct bytes *out, unsigned depth, const char *mark)
{
	(void)bytes_append_text(out, mark);
	while (depth-- > 0)
		(void)bytes_append_text(out, INDENT);
}

/* Print the statement @node up to its first child. */
static void open_statement(struct bytes *out, const struct tree_node *node, unsigned depth,
			   const char *mark, bool public)
{
	begin_line(out, depth, mark);
	print_words(out, node, public);
	(void)bytes_append_text(out, node->first != NULL ? " {\n" : ";\n");
}

static void close_statement(struct bytes *out, unsigned depth, const char *mark)
{
	begin_line(out, depth, mark);
	(void)bytes_append_text(out, "}\n");
}

/* print_statement's and print_public's. */
static int print_below(struct bytes *out, const struct tree_node *node, unsigned depth,
		       const char *mark, bool public)
{
	const struct tree_node *n = node;
	unsigned level = depth;

	open_statement(out, n, level, mark, public);
	for (;;) {
		if (n->first != NULL) {
			n = n->first;
			open_statement(out, n, ++level, mark, public);
			continue;
		}
		while (n != node && n->next == NULL) {
			n = n->parent;
			close_statement(out, --level, mark);
		}
		if (n == node)
			return out->failed ? -ERR_NO_MEMORY : 0;
		n = n->next;
		open_statement(out, n, level, mark, public);
	}
}

int print_statement(struct bytes *out, const struct tree_node *node, unsigned depth,
		    const char *mark)
{
	return print_below(out, node, depth, mark, false);
}

int print_tree(struct bytes *out, const struct tree_node *top)
{
	for (const struct tree_node *n = top->first; n != NULL; n = n->next)
		(void)print_statement(out, n, 0, "");
	return out->failed ? -ERR_NO_MEMORY : 0;
}

int print_public(struct bytes *out, const struct tree_node *top)
{
	for (const struct tree_node *n = top->first; n != NULL; n = n->next)
		(void)print_below(out, n, 0, "", true);
	return out->failed ? -ERR_NO_MEMORY : 0;
}

static bool same_values(const struct tree_node *a, const struct tree_node *b)
{
	return a->text_bytes == b->text_bytes && memcmp(a->text, b->text, a->text_bytes) == 0;
}

/* Whether ordered statements of this row stand in the same order on both sides. */
static bool same_order(const struct tree_node *old, const struct tree_node *new, enum schema_id row)
{
	const struct tree_node *a = tree_first(old, row), *b = tree_first(new, row);

	while (a != NULL && b != NULL && same_values(a, b)) {
		a = tree_next(a);
		b = tree_next(b);
	}
	return a == NULL && b == NULL;
}

/* The statement of @other that is @node on the other side, changed below at most; NULL: gone, new
 * or moved. */
static struct tree_node *find_twin(const struct tree_node *node, const struct tree *other)
{
	struct tree_values values = {node->value_count, node->text_bytes, node->text};
	const struct tree_node *other_parent = node->parent->twin;
	struct tree_node *found;

	if (other_parent == NULL)
		return NULL;
	found = tree_find(other, other_parent, node->row, &values);
	if (found == NULL || !same_values(node, found))
		return NULL;
	if ((schema_row(node->row)->flags & SCHEMA_ORDERED) == 0)
		return found;
	/* Moving one moves all: the first of them decides for those behind it. */
	if (node->prev != NULL && node->prev->row == node->row)
		return node->prev->twin != NULL ? found : NULL;
	return same_order(node->parent, other_parent, node->row) ? found : NULL;
}

static void find_twins(struct tree *tree, const struct tree *other)
{
	tree->root->twin = other->root;
	for (struct tree_node *n = tree->root; (n = tree_walk(tree->root, n)) != NULL;)
		n->twin = find_twin(n, other);
}

/* All children of @node without a twin, after the heading where it is the block's first difference.
 */
static void print_lacking(struct bytes *out, const struct tree_node *node, const char *mark,
			  bool *headed)
{
	char path[TREE_PATH_BYTES];

	for (const struct tree_node *n = node->first; n != NULL; n = n->next) {
		if (n->twin != NULL)
			continue;
		tree_path(path, node);
		if (!*headed)
			(void)bytes_printf(out, "[edit%s%s]\n", path[0] != '\0' ? " " : "", path);
		*headed = true;
		(void)print_statement(out, n, 0, mark);
	}
}

int print_difference(struct bytes *out, struct tree *old, struct tree *new)
{
	find_twins(old, new);
	find_twins(new, old);
	for (const struct tree_node *n = old->root; n != NULL; n = tree_walk(old->root, n)) {
		bool headed = false;

		if (n->twin == NULL)
			continue;
		print_lacking(out, n, "-   ", &headed);
		print_lacking(out, n->twin, "+   ", &headed);
	}
	return out->failed ? -ERR_NO_MEMORY : 0;
}
