/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Editing by path: a line is resolved to steps first and applied only when every word of it is
 * right. */
#include "policy/edit.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "policy/match.h"

#define STEPS_MAX 8 /* deeper than the schema is */

struct step {
	enum schema_id row;
	const struct word *name;
	bool without_values; /* only the name was typed: all of that name */
	struct tree_values values;
	char buffer[PARSE_VALUES_BYTES];
};

struct path {
	size_t count;
	struct step steps[STEPS_MAX];
};

int edit_split(struct edit_words *out, struct span text, struct problems *problems)
{
	struct lexer lexer;
	struct word word;
	enum lex_kind kind;
	char limit[8];

	out->count = 0;
	out->ends_in_blank = text.size == 0 || text.data[text.size - 1] == ' ' ||
			     text.data[text.size - 1] == '\t';
	lexer_init(&lexer, text);
	while ((kind = lexer_next(&lexer, &word)) != LEX_END) {
		if (kind == LEX_ERROR) {
			problems_add(problems, word.at, lexer.problem, ROW_ROOT, 0, word.text,
				     NULL);
			return -ERR_SYNTAX;
		}
		if (kind != LEX_WORD) {
			problems_add(problems, word.at, PROBLEM_PUNCTUATION, ROW_ROOT, 0, word.text,
				     NULL);
			return -ERR_SYNTAX;
		}
		if (out->count == EDIT_WORDS_MAX) {
			snprintf(limit, sizeof(limit), "%d", EDIT_WORDS_MAX);
			problems_add(problems, word.at, PROBLEM_TOO_MANY_WORDS, ROW_ROOT, 0, limit,
				     NULL);
			return -ERR_SYNTAX;
		}
		out->words[out->count++] = word;
	}
	return 0;
}

int edit_join(struct edit_words *words, const struct edit_words *more)
{
	if (more->count > EDIT_WORDS_MAX - words->count)
		return -ERR_NO_SPACE;
	for (size_t i = 0; i < more->count; i++)
		words->words[words->count++] = more->words[i];
	words->ends_in_blank = more->ends_in_blank;
	return 0;
}

/* How many words the values of a row take, keywords included. */
static size_t value_words(enum schema_id row)
{
	size_t count = schema_arg_count(row);

	for (unsigned i = 0; i < schema_arg_count(row); i++)
		count += schema_row(row)->args[i].keyword != NULL ? 1 : 0;
	return count;
}

/* The row that @word names below @parent. */
static int resolve_name(enum schema_id *row, enum schema_id parent, const struct word *word,
			struct problems *problems)
{
	int err = match_child(row, parent, word);
	enum problem_id problem = err == -ERR_EXISTS ? PROBLEM_AMBIGUOUS : PROBLEM_UNKNOWN;

	if (err != 0)
		problems_add(problems, word->at, problem, parent, 0, word->text, NULL);
	return err != 0 ? -ERR_SYNTAX : 0;
}

/* One name with its values, from word *@at on. */
static int resolve_step(struct step *step, enum schema_id parent, const struct edit_words *words,
			size_t *at, bool values_optional, struct problems *problems)
{
	size_t needed, left;
	int err = resolve_name(&step->row, parent, &words->words[*at], problems);

	if (err != 0)
		return err;
	step->name = &words->words[(*at)++];
	needed = value_words(step->row);
	left = words->count - *at;
	step->values = (struct tree_values){0};
	step->without_values = values_optional && left == 0 && needed > 0;
	if (step->without_values)
		return 0;
	if (left > needed && schema_first_child(step->row) < ROW_COUNT_)
		left = needed;
	err = parse_values(&step->values, step->row, step->name, &words->words[*at], left, problems,
			   step->buffer, sizeof(step->buffer));
	*at += left;
	return err;
}

static int resolve_path(struct path *path, const struct edit_words *words, bool values_optional,
			struct problems *problems)
{
	enum schema_id parent = ROW_ROOT;
	size_t at = 0;

	path->count = 0;
	while (at < words->count && path->count < STEPS_MAX) {
		struct step *step = &path->steps[path->count];

		if (resolve_step(step, parent, words, &at, values_optional, problems) != 0)
			return -ERR_SYNTAX;
		parent = step->row;
		path->count++;
	}
	return 0;
}

static int refuse_end(const struct edit_words *words, enum schema_id row, struct problems *problems)
{
	struct position at = {1, 1};

	if (words->count > 0) {
		const struct word *last = &words->words[words->count - 1];

		at = (struct position){last->at.line, last->at.column + (uint32_t)last->size};
	}
	problems_add(problems, at, PROBLEM_PATH_TOO_SHORT, row, 0, schema_row(row)->name, NULL);
	return -ERR_SYNTAX;
}

/* Enter or make one step below @parent; the last of a path replaces a leaf's value. */
static struct tree_node *apply_step(struct tree *tree, struct tree_node *parent,
				    const struct step *step, struct problems *problems)
{
	struct tree_node *node = tree_find(tree, parent, step->row, &step->values);
	struct position at = {0, 0};
	char limit[16];

	if (node != NULL && schema_row(step->row)->kind == SCHEMA_LEAF) {
		tree_remove(tree, node);
		node = NULL;
	}
	if (node != NULL)
		return node;
	snprintf(limit, sizeof(limit), "%d", TREE_NODES_MAX);
	if (tree_add(tree, parent, step->row, &step->values, at, &node) == 0)
		tree_sort(parent);
	else
		problems_add(problems, step->name->at, PROBLEM_TOO_MANY_STATEMENTS, step->row, 0,
			     limit, NULL);
	return node;
}

int edit_set(struct tree *tree, const struct edit_words *words, struct problems *problems)
{
	struct path path;
	struct tree_node *node = tree->root;
	enum schema_id last;

	if (resolve_path(&path, words, false, problems) != 0)
		return -ERR_SYNTAX;
	last = path.count > 0 ? path.steps[path.count - 1].row : ROW_ROOT;
	if (schema_row(last)->kind == SCHEMA_BLOCK)
		return refuse_end(words, last, problems);
	for (size_t i = 0; i < path.count && node != NULL; i++)
		node = apply_step(tree, node, &path.steps[i], problems);
	return node != NULL ? 0 : -ERR_SYNTAX;
}

static int refuse_missing(const struct step *step, struct problems *problems)
{
	char what[PROBLEM_ARG_BYTES];
	const char *value = step->values.count > 0 ? step->values.text : "";

	snprintf(what, sizeof(what), "%s%s%s", schema_row(step->row)->name,
		 value[0] != '\0' ? " " : "", value);
	problems_add(problems, step->name->at, PROBLEM_NOT_THERE, step->row, 0, what, NULL);
	return -ERR_SYNTAX;
}

/* A leaf is found by its name alone; a value that is typed with it must be the one it has. */
static struct tree_node *find_step(const struct tree *tree, const struct tree_node *parent,
				   const struct step *step)
{
	struct tree_node *node;

	if (step->without_values)
		return tree_first(parent, step->row);
	node = tree_find(tree, parent, step->row, &step->values);
	if (node != NULL && (node->text_bytes != step->values.text_bytes ||
			     memcmp(node->text, step->values.text, node->text_bytes) != 0))
		return NULL;
	return node;
}

/* Follow a path; *@last is set to its last step, NULL for the root. */
static struct tree_node *find_path(const struct tree *tree, const struct path *path,
				   const struct step **last, struct problems *problems)
{
	struct tree_node *node = tree->root;

	*last = NULL;
	for (size_t i = 0; i < path->count; i++) {
		*last = &path->steps[i];
		node = find_step(tree, node, *last);
		if (node == NULL) {
			(void)refuse_missing(*last, problems); /* the caller sees NULL */
			return NULL;
		}
	}
	return node;
}

/* Blocks that hold nothing any more mean nothing. */
static void prune_blocks(struct tree *tree, struct tree_node *node)
{
	while (node != tree->root && node->first == NULL &&
	       schema_row(node->row)->kind == SCHEMA_BLOCK) {
		struct tree_node *parent = node->parent;

		tree_remove(tree, node);
		node = parent;
	}
}

int edit_delete(struct tree *tree, const struct edit_words *words, struct problems *problems)
{
	struct path path;
	const struct step *last;
	struct tree_node *node, *parent;

	if (resolve_path(&path, words, true, problems) != 0)
		return -ERR_SYNTAX;
	node = find_path(tree, &path, &last, problems);
	if (node == NULL)
		return -ERR_SYNTAX;
	if (last == NULL)
		return refuse_end(words, ROW_ROOT, problems);
	parent = node->parent;
	do {
		struct tree_node *next = last->without_values ? tree_next(node) : NULL;

		tree_remove(tree, node);
		node = next;
	} while (node != NULL);
	prune_blocks(tree, parent);
	return 0;
}

struct tree_node *edit_find(const struct tree *tree, const struct edit_words *words,
			    struct problems *problems)
{
	struct path path;
	const struct step *last;

	if (resolve_path(&path, words, true, problems) != 0)
		return NULL;
	return find_path(tree, &path, &last, problems);
}

int edit_locate(struct bytes *out, const struct edit_words *words, struct problems *problems)
{
	struct path path;
	enum schema_id last;

	if (resolve_path(&path, words, false, problems) != 0)
		return -ERR_SYNTAX;
	last = path.count > 0 ? path.steps[path.count - 1].row : ROW_ROOT;
	if (schema_first_child(last) == ROW_COUNT_) {
		problems_add(problems, words->words[0].at, PROBLEM_TAKES_NO_BLOCK, last, 0,
			     schema_row(last)->name, NULL);
		return -ERR_SYNTAX;
	}
	for (size_t i = 0; i < path.count; i++) {
		const struct step *step = &path.steps[i];
		const char *value = step->values.text;

		(void)bytes_printf(out, "%s%s", i > 0 ? " " : "",
				   schema_row(step->row)->name); /* short */
		for (unsigned k = 0; k < step->values.count; k++, value += strlen(value) + 1)
			(void)bytes_printf(out, " %s", value); /* short */
	}
	return 0;
}
