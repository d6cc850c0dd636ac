/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Judging a configuration by the table of clauses. */
#include "policy/clauses.h"

#include <string.h>

#include "base/err.h"

#define VALUES_SHOWN 4 /* of one statement; the rest is counted */

/* ---- the table */

#define WRITTEN_FIELDS(what)         .kind = NEED_WRITTEN, .row = ROW_##what
#define EACH_FIELDS(parent, what)    .kind = NEED_EACH, .of = ROW_##parent, .row = ROW_##what
#define WITHIN_FIELDS(what, number)  .kind = NEED_WITHIN, .row = ROW_##what, .most = (number)
#define OTHER_FIELDS(what, unwanted) .kind = NEED_OTHER, .row = ROW_##what, .word = (unwanted)

static const struct clause rows[] = {
#define CLAUSE(name, where, text_ja, text_en, means_en, means_ja)                                  \
	{.id = name, .sources = where, .text = {text_en, text_ja}, .means = {means_en, means_ja}},
#define NEED(which, ...)   {.need = {which##_FIELDS(__VA_ARGS__)}},
#define SEEN(what, en, ja) {.need = {.kind = NEED_SEEN, .sight = SIGHT_##what, .lack = {en, ja}}},
#define LACK(en, ja)       {.need = {.kind = NEED_LACK, .lack = {en, ja}}},
#include "policy/clauses.def"
	{.id = ""}, /* behind the last */
};

static bool is_end(const struct clause *row)
{
	return row->id != NULL && row->id[0] == '\0';
}

const struct clause *clause_first(void)
{
	return rows;
}

const struct clause *clause_next(const struct clause *clause)
{
	do
		clause++;
	while (clause->id == NULL);
	return is_end(clause) ? NULL : clause;
}

const struct clause *clause_next_need(const struct clause *row)
{
	return row[1].id == NULL ? row + 1 : NULL;
}

const struct clause *clause_find(const char *id)
{
	for (const struct clause *c = clause_first(); c != NULL; c = clause_next(c)) {
		if (strcmp(c->id, id) == 0)
			return c;
	}
	return NULL;
}

const char *clause_state_name(enum clause_state state, enum language language)
{
	static const char *const names[CLAUSE_STATE_COUNT_][2] = {
		[CLAUSE_MET] = {"met", "充足"},
		[CLAUSE_PARTLY] = {"partly met", "一部充足"},
		[CLAUSE_UNMET] = {"not met", "未充足"},
		[CLAUSE_UNUSED] = {"not used", "対象なし"},
	};

	return names[state][language];
}

bool clause_is_named(const char *ids, const char *id)
{
	size_t size = strlen(id);

	for (const char *at = ids; *at != '\0'; at += strspn(at, " ")) {
		size_t word = strcspn(at, " ");

		if (word == size && memcmp(at, id, size) == 0)
			return true;
		at += word;
	}
	return false;
}

/* ---- the schema and the tree */

static enum schema_id parent_of(enum schema_id row)
{
	enum schema_id at = row;

	while (at > ROW_ROOT && schema_row(at)->depth >= schema_row(row)->depth)
		at--;
	return at;
}

static bool has_required(enum schema_id block)
{
	for (enum schema_id at = schema_first_child(block); at != ROW_COUNT_;
	     at = schema_next_sibling(at)) {
		if (schema_row(at)->flags & SCHEMA_REQUIRED)
			return true;
	}
	return false;
}

/* The statement that a default of @row belongs to: a block of which nothing is required holds its
 * defaults even where it is not written. */
static enum schema_id holder_of(enum schema_id row)
{
	enum schema_id at = parent_of(row);

	while (at != ROW_ROOT && schema_row(at)->kind == SCHEMA_BLOCK && !has_required(at))
		at = parent_of(at);
	return at;
}

static size_t count_rows(const struct tree_node *top, enum schema_id row)
{
	size_t count = row == top->row;

	for (const struct tree_node *n = tree_walk(top, top); n != NULL; n = tree_walk(top, n))
		count += n->row == row;
	return count;
}

static struct clause_finding look_each(const struct tree *tree, const struct clause_need *need)
{
	struct clause_finding found = {0};
	const struct tree_node *top = tree->root;

	for (const struct tree_node *n = tree_walk(top, top); n != NULL; n = tree_walk(top, n)) {
		if (n->row != need->of)
			continue;
		found.all++;
		found.good += count_rows(n, need->row) > 0;
	}
	return found;
}

static bool is_wanted(const struct clause_need *need, const char *text)
{
	struct value value;

	if (need->kind == NEED_OTHER)
		return strcmp(text, need->word) != 0;
	return value_parse(&value, &schema_row(need->row)->args[0], span_of(text)) == 0 &&
	       value.number > 0 && value.number <= need->most;
}

static struct clause_finding look_values(const struct tree *tree, const struct clause_need *need)
{
	const struct tree_node *top = tree->root;
	const char *fallback = schema_row(need->row)->fallback;
	size_t holders = count_rows(top, holder_of(need->row)), written = 0;
	struct clause_finding found = {0};

	for (const struct tree_node *n = tree_walk(top, top); n != NULL; n = tree_walk(top, n)) {
		if (n->row != need->row)
			continue;
		written++;
		found.good += is_wanted(need, tree_value(n, 0));
	}
	found.all = written;
	if (fallback != NULL && holders > written) {
		found.all = holders;
		found.good += is_wanted(need, fallback) ? holders - written : 0;
	}
	return found;
}

struct clause_finding clause_look(const struct clause_view *view, const struct clause_need *need)
{
	const struct tree *tree = view->tree;

	switch (need->kind) {
	case NEED_WRITTEN:
		return (struct clause_finding){count_rows(tree->root, need->row) > 0, 1};
	case NEED_EACH:
		return look_each(tree, need);
	case NEED_WITHIN:
	case NEED_OTHER:
		return look_values(tree, need);
	case NEED_SEEN:
		if (need->sight >= SIGHT_OF_LOG_ && !view->has_log)
			return (struct clause_finding){0, 0};
		return (struct clause_finding){view->seen[need->sight], 1};
	case NEED_LACK:
		break;
	}
	return (struct clause_finding){0, 1};
}

enum clause_state clause_judge(const struct clause_view *view, const struct clause *clause)
{
	size_t needs = 0, used = 0, whole = 0;
	bool any_good = false;

	for (const struct clause *n = clause_next_need(clause); n != NULL;
	     n = clause_next_need(n)) {
		struct clause_finding found = clause_look(view, &n->need);

		needs++;
		used += found.all > 0;
		whole += found.all > 0 && found.good == found.all;
		any_good = any_good || found.good > 0;
	}
	if (needs > 0 && used == 0)
		return CLAUSE_UNUSED;
	if (whole == used)
		return CLAUSE_MET;
	return any_good ? CLAUSE_PARTLY : CLAUSE_UNMET;
}

/* ---- words */

int clause_row_path(struct bytes *out, enum schema_id row)
{
	enum schema_id parent = parent_of(row);

	if (parent != ROW_ROOT) {
		(void)clause_row_path(out, parent); /* as deep as the schema; @out remembers */
		(void)bytes_append_u8(out, ' ');
	}
	return bytes_append_text(out, schema_row(row)->name);
}

int clause_open_point(struct bytes *out, const struct clause_need *need,
		      struct clause_finding finding, enum language language)
{
	bool ja = language == LANGUAGE_JA;
	size_t missing = finding.all - finding.good;

	if (need->kind == NEED_LACK)
		return bytes_printf(out, ja ? "この版にない機能: %s" : "this version lacks %s",
				    need->lack[language]);
	if (need->kind == NEED_SEEN)
		return bytes_append_text(out, need->lack[language]);
	(void)bytes_append_u8(out, '`'); /* @out remembers, here and below */
	(void)clause_row_path(out, need->row);
	(void)bytes_append_u8(out, '`');
	if (need->kind == NEED_WRITTEN)
		return bytes_append_text(out, ja ? " の設定がない" : " is not written");
	if (need->kind == NEED_EACH)
		return bytes_printf(out,
				    ja ? " がない `%s`: %zu 件 (全 %zu 件)"
				       : " is missing: `%s`, %zu of %zu",
				    schema_row(need->of)->name, missing, finding.all);
	if (need->kind == NEED_OTHER)
		return bytes_printf(out, ja ? " が %s: %zu 件 (全 %zu 件)" : " is %s: %zu of %zu",
				    need->word, missing, finding.all);
	return bytes_printf(out,
			    ja ? " が無効又は規程の上限を超える: %zu 件 (全 %zu 件)"
			       : " is off or above what the policy allows: %zu of %zu",
			    missing, finding.all);
}

static int append_values(struct bytes *out, const struct tree_node *node)
{
	if (node->value_count == 0)
		return bytes_append_text(out, schema_row(node->row)->name);
	for (unsigned i = 0; i < node->value_count; i++) {
		if (i > 0)
			(void)bytes_append_u8(out, ' '); /* @out remembers */
		(void)bytes_append_text(out, tree_value(node, i));
	}
	return out->failed ? -ERR_NO_MEMORY : 0;
}

int clause_value(struct bytes *out, const struct tree *tree, enum schema_id row,
		 enum language language)
{
	const struct tree_node *top = tree->root;
	const struct schema_row *schema = schema_row(row);
	size_t written = 0, holders;

	for (const struct tree_node *n = tree_walk(top, top); n != NULL; n = tree_walk(top, n)) {
		if (n->row != row || ++written > VALUES_SHOWN)
			continue;
		if (written > 1)
			(void)bytes_append_text(out, ", "); /* @out remembers, here and below */
		(void)append_values(out, n);
	}
	if (written > VALUES_SHOWN)
		(void)bytes_printf(out, language == LANGUAGE_JA ? " 他%zu件" : ", %zu more",
				   written - VALUES_SHOWN);
	if (schema->fallback == NULL)
		return out->failed ? -ERR_NO_MEMORY : 0;
	holders = count_rows(top, holder_of(row));
	if (holders > written)
		(void)bytes_printf(out, language == LANGUAGE_JA ? "%s%s (既定)" : "%s%s (default)",
				   written > 0 ? ", " : "", schema->fallback);
	return out->failed ? -ERR_NO_MEMORY : 0;
}
