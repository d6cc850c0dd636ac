/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parser: words are gathered up to ';', '{' or '}', then bound to a row of the schema. The tree
 * is its only stack. */
#include "policy/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct parser {
	struct lexer lexer;
	struct tree *tree;
	struct tree_node *block; /* the innermost one that is open */
	enum parse_mode mode;
	struct problems *problems;
	size_t skip_depth; /* blocks open inside one that nobody knows */
	size_t word_count;
	struct word words[PARSE_WORDS_MAX];
};

/* Problems at one word, with the statement's name. */
static int refuse_value(struct problems *problems, enum problem_id id, enum schema_id row,
			unsigned arg, const struct word *word)
{
	problems_add(problems, word->at, id, row, arg, word->text, schema_row(row)->name);
	return -ERR_SYNTAX;
}

int parse_word(struct value *out, const struct value_form *form, const struct word *word)
{
	int err = value_parse(out, form, (struct span){(const uint8_t *)word->text, word->size});

	if (err == 0 && word->quoted && form->type != TYPE_TEXT && form->type != TYPE_PATTERN)
		err = -ERR_SYNTAX;
	return err;
}

static int parse_value(struct writer *w, enum schema_id row, unsigned arg, const struct word *word,
		       struct problems *problems)
{
	const struct value_form *form = &schema_row(row)->args[arg];
	struct value value;
	int err = parse_word(&value, form, word);

	if (err == -ERR_RANGE)
		return refuse_value(problems, PROBLEM_OUT_OF_RANGE, row, arg, word);
	if (err == -ERR_TOO_LONG)
		return refuse_value(problems, PROBLEM_VALUE_TOO_LONG, row, arg, word);
	if (err != 0)
		return refuse_value(problems, PROBLEM_BAD_VALUE, row, arg, word);
	writer_bytes(w, value.text, strlen(value.text) + 1);
	return 0;
}

static int refuse_count(enum schema_id row, const struct word *name, const struct word *words,
			size_t used, size_t count, struct problems *problems)
{
	const struct word *last = used > 0 ? &words[used - 1] : name;
	struct position after = {last->at.line, last->at.column + (uint32_t)last->size};

	if (used < count)
		problems_add(problems, words[used].at, PROBLEM_EXTRA_VALUE, row, 0,
			     schema_row(row)->name, words[used].text);
	else
		problems_add(problems, after, PROBLEM_MISSING_VALUE, row, 0, schema_row(row)->name,
			     NULL);
	return -ERR_SYNTAX;
}

int parse_values(struct tree_values *out, enum schema_id row, const struct word *name,
		 const struct word *words, size_t count, struct problems *problems, char *buffer,
		 size_t buffer_bytes)
{
	unsigned args = schema_arg_count(row);
	struct writer w;
	size_t used = 0;

	writer_init(&w, buffer, buffer_bytes);
	for (unsigned arg = 0; arg < args; arg++) {
		const char *keyword = schema_row(row)->args[arg].keyword;

		if (keyword != NULL && used < count && strcmp(words[used].text, keyword) != 0) {
			problems_add(problems, words[used].at, PROBLEM_MISSING_KEYWORD, row, arg,
				     words[used].text, keyword);
			return -ERR_SYNTAX;
		}
		used += keyword != NULL ? 1 : 0;
		if (used >= count)
			return refuse_count(row, name, words, count, count, problems);
		if (parse_value(&w, row, arg, &words[used], problems) != 0)
			return -ERR_SYNTAX;
		used++;
	}
	if (used < count)
		return refuse_count(row, name, words, used, count, problems);
	*out = (struct tree_values){(uint16_t)args, (uint32_t)w.size, buffer};
	return 0;
}

static int refuse_word(struct parser *p, enum problem_id id, const struct word *word)
{
	problems_add(p->problems, word->at, id, p->block->row, 0, word->text, NULL);
	return -ERR_SYNTAX;
}

static void refuse_twice(struct parser *p, const struct tree_node *first, const struct word *name)
{
	char path[TREE_PATH_BYTES], line[16];

	tree_path(path, first);
	snprintf(line, sizeof(line), "%u", first->at.line);
	problems_add(p->problems, name->at, PROBLEM_DUPLICATE, first->row, 0, path, line);
}

/* Put one statement into the tree; *@out is it, NULL where it was refused. */
static void put_statement(struct parser *p, enum schema_id row, const struct tree_values *values,
			  const struct word *name, struct tree_node **out)
{
	enum schema_kind kind = schema_row(row)->kind;
	char limit[16];
	int err;

	*out = tree_find(p->tree, p->block, row, values);
	if (*out != NULL && p->mode == PARSE_WHOLE) {
		refuse_twice(p, *out, name);
		return;
	}
	if (*out != NULL && kind == SCHEMA_LEAF) {
		tree_remove(p->tree, *out);
		*out = NULL;
	}
	if (*out != NULL)
		return;
	err = tree_add(p->tree, p->block, row, values, name->at, out);
	snprintf(limit, sizeof(limit), "%d", TREE_NODES_MAX);
	if (err == -ERR_NO_SPACE)
		problems_add(p->problems, name->at, PROBLEM_TOO_MANY_STATEMENTS, row, 0, limit,
			     NULL);
	else if (err != 0)
		problems_add(p->problems, name->at, PROBLEM_NO_MEMORY, row, 0, NULL, NULL);
}

/* "domain a b c;" stands for three statements. */
static bool repeats(enum schema_id row)
{
	return schema_row(row)->kind == SCHEMA_LIST && schema_arg_count(row) == 1;
}

/* Bind the gathered words; *@out is the new or entered node, NULL after an error. */
static void bind_statement(struct parser *p, struct tree_node **out)
{
	const struct word *name = &p->words[0];
	enum schema_id row = schema_find_child(
		p->block->row, (struct span){(const uint8_t *)name->text, name->size});
	size_t at = 1, step = p->word_count - 1;
	struct tree_values values;
	char buffer[PARSE_VALUES_BYTES];

	*out = NULL;
	if (name->quoted || row == ROW_COUNT_) {
		(void)refuse_word(p, name->quoted ? PROBLEM_QUOTED_NAME : PROBLEM_UNKNOWN, name);
		return;
	}
	if (repeats(row) && step > 1)
		step = 1;
	do {
		*out = NULL;
		if (parse_values(&values, row, name, p->words + at, step, p->problems, buffer,
				 sizeof(buffer)) != 0)
			return;
		put_statement(p, row, &values, name, out);
		at += step;
	} while (*out != NULL && step > 0 && at < p->word_count);
}

static bool holds_statements(const struct tree_node *node)
{
	enum schema_kind kind = schema_row(node->row)->kind;

	return (kind == SCHEMA_BLOCK || kind == SCHEMA_ENTRY) &&
	       schema_first_child(node->row) < ROW_COUNT_;
}

static void on_semicolon(struct parser *p, const struct word *word)
{
	struct tree_node *node;

	if (p->word_count == 0) {
		(void)refuse_word(p, PROBLEM_NO_STATEMENT, word);
		return;
	}
	bind_statement(p, &node);
	if (node != NULL && schema_row(node->row)->kind == SCHEMA_BLOCK)
		problems_add(p->problems, word->at, PROBLEM_NEEDS_BLOCK, node->row, 0,
			     schema_row(node->row)->name, NULL);
}

static void on_open(struct parser *p, const struct word *word)
{
	struct tree_node *node = NULL;

	if (p->word_count == 0)
		(void)refuse_word(p, PROBLEM_NO_STATEMENT, word);
	else
		bind_statement(p, &node);
	if (node != NULL && !holds_statements(node)) {
		problems_add(p->problems, word->at, PROBLEM_TAKES_NO_BLOCK, node->row, 0,
			     schema_row(node->row)->name, NULL);
		node = NULL;
	}
	if (node != NULL)
		p->block = node;
	else
		p->skip_depth = 1; /* what it holds cannot be judged: go on behind it */
}

/* Leave a block; one without statements means nothing and is not kept. */
static void leave_block(struct parser *p)
{
	struct tree_node *node = p->block;

	p->block = node->parent;
	if (node->first == NULL && schema_row(node->row)->kind == SCHEMA_BLOCK)
		tree_remove(p->tree, node);
}

static int on_close(struct parser *p, const struct word *word)
{
	if (p->word_count > 0) {
		(void)refuse_word(p, PROBLEM_UNFINISHED, &p->words[0]);
		return -ERR_SYNTAX;
	}
	if (p->block == p->tree->root)
		return refuse_word(p, PROBLEM_EXTRA_CLOSE, word);
	leave_block(p);
	return 0;
}

static int on_end(struct parser *p)
{
	char path[TREE_PATH_BYTES];

	if (p->word_count > 0)
		return refuse_word(p, PROBLEM_UNFINISHED, &p->words[0]);
	if (p->block == p->tree->root && p->skip_depth == 0)
		return 0;
	tree_path(path, p->block);
	problems_add(p->problems, p->lexer.at, PROBLEM_UNCLOSED_BLOCK, p->block->row, 0, path,
		     NULL);
	return -ERR_SYNTAX;
}

/* Inside a block that nobody knows only braces count. */
static void skip_token(struct parser *p, enum lex_kind kind)
{
	if (kind == LEX_OPEN)
		p->skip_depth++;
	else if (kind == LEX_CLOSE)
		p->skip_depth--;
}

static int refuse_limit(struct parser *p, const struct word *word, enum problem_id id,
			unsigned limit)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", limit);
	problems_add(p->problems, word->at, id, ROW_ROOT, 0, text, NULL);
	return -ERR_SYNTAX;
}

/* One token; -ERR_SYNTAX where reading on would only bring follow-up errors. */
static int take_token(struct parser *p, enum lex_kind kind, struct word *word)
{
	int err = 0;

	if (kind == LEX_ERROR)
		return refuse_word(p, p->lexer.problem, word);
	if (p->skip_depth > 0) {
		skip_token(p, kind);
		return 0;
	}
	if (kind == LEX_WORD) {
		if (p->word_count == PARSE_WORDS_MAX)
			return refuse_limit(p, word, PROBLEM_TOO_MANY_WORDS, PARSE_WORDS_MAX);
		p->words[p->word_count++] = *word;
		return 0;
	}
	if (kind == LEX_SEMICOLON)
		on_semicolon(p, word);
	else if (kind == LEX_OPEN)
		on_open(p, word);
	else
		err = on_close(p, word);
	p->word_count = 0;
	return err;
}

static int run_parser(struct parser *p)
{
	struct word word;
	enum lex_kind kind;

	while ((kind = lexer_next(&p->lexer, &word)) != LEX_END) {
		if (take_token(p, kind, &word) != 0)
			return -ERR_SYNTAX;
	}
	return on_end(p);
}

int parse_text(struct tree *tree, struct span text, enum parse_mode mode, struct problems *problems)
{
	const struct word start = {.at = {1, 1}};
	uint32_t errors_before = problems->error_count;
	struct parser *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		problems_add(problems, start.at, PROBLEM_NO_MEMORY, ROW_ROOT, 0, NULL, NULL);
		return -ERR_SYNTAX;
	}
	p->tree = tree;
	p->block = tree->root;
	p->mode = mode;
	p->problems = problems;
	lexer_init(&p->lexer, text);
	if (text.size > PARSE_TEXT_BYTES_MAX)
		(void)refuse_limit(p, &start, PROBLEM_TEXT_TOO_LONG, PARSE_TEXT_BYTES_MAX);
	else
		(void)run_parser(p); /* every failure is in @problems */
	free(p);
	tree_sort_all(tree);
	return problems->error_count > errors_before ? -ERR_SYNTAX : 0;
}
