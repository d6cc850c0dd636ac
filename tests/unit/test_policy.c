/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration language: golden files, generated configurations (print and parse are inverse),
 * editing by path, and completion, which must offer exactly what the parser takes. Run from the
 * source directory.
 */
#include "unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "generator_fixture.h"
#include "policy/edit.h"
#include "policy/policy.h"
#include "policy/print.h"

#define GOLDEN_TIME_S 1793458800 /* 2026-11-01T00:00 in Japan, as test_config.py has it */
#define GOLDEN        "tests/golden/config"
#define OUT_BYTES     (16U << 20)
#define STEPS_MAX     12

/* ---- golden files */

static bool read_golden(struct bytes *out, const char *name, const char *suffix)
{
	char path[512], chunk[4096];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s%s", GOLDEN, name, suffix);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		assert_int_equal(bytes_append(out, chunk, n), 0);
	fclose(file);
	return true;
}

static void expect_golden(const struct bytes *got, const char *name, const char *suffix)
{
	struct bytes wanted;

	bytes_init(&wanted, OUT_BYTES);
	(void)read_golden(&wanted, name, suffix); /* no file: nothing is wanted */
	if (!span_equal(bytes_span(got), bytes_span(&wanted)))
		fail_msg("%s%s: got\n%.*s", name, suffix, (int)got->size, (const char *)got->data);
	bytes_fini(&wanted);
}

static void check_golden(const char *name)
{
	struct bytes text, out, block;
	struct problems problems;
	struct tree tree;
	char file[300];
	int err;

	bytes_init(&text, OUT_BYTES);
	bytes_init(&out, OUT_BYTES);
	bytes_init(&block, SNAPSHOT_BYTES_MAX);
	problems_init(&problems);
	assert_true(read_golden(&text, name, ".conf"));
	assert_int_equal(tree_init(&tree), 0);
	err = parse_text(&tree, bytes_span(&text), PARSE_WHOLE, &problems);
	if (err == 0)
		err = policy_check(&tree, GOLDEN_TIME_S, &block, &problems);
	if (err == 0)
		assert_int_equal(print_tree(&out, tree.root), 0);
	expect_golden(&out, name, ".out");
	snprintf(file, sizeof(file), "%s.conf", name);
	bytes_clear(&out);
	assert_int_equal(problems_print(&out, &problems, file, LANGUAGE_EN), 0);
	expect_golden(&out, name, ".en");
	bytes_clear(&out);
	assert_int_equal(problems_print(&out, &problems, file, LANGUAGE_JA), 0);
	expect_golden(&out, name, ".ja");
	tree_fini(&tree);
	bytes_fini(&text);
	bytes_fini(&out);
	bytes_fini(&block);
}

static void test_policy_golden_files_give_their_form_or_messages(void **state)
{
	DIR *listing = opendir(GOLDEN);
	const struct dirent *item;
	size_t count = 0;

	assert_non_null(listing);
	while ((item = readdir(listing)) != NULL) {
		char name[256];
		char *suffix;

		snprintf(name, sizeof(name), "%s", item->d_name);
		suffix = strstr(name, ".conf");
		if (suffix == NULL || strcmp(suffix, ".conf") != 0)
			continue;
		*suffix = '\0';
		check_golden(name);
		count++;
	}
	closedir(listing);
	assert_true(count >= 16);
}

/* ---- generated configurations */

static void print_and_parse(const struct tree *tree, struct bytes *text, struct tree *again)
{
	struct problems problems;

	problems_init(&problems);
	assert_int_equal(print_tree(text, tree->root), 0);
	assert_int_equal(tree_init(again), 0);
	if (parse_text(again, bytes_span(text), PARSE_WHOLE, &problems) != 0)
		fail_msg("does not parse:\n%.*s", (int)text->size, (const char *)text->data);
}

/* parse(print(x)) prints the same, and differs in nothing; another configuration prints other bytes
 * and differs. */
static void test_policy_print_and_parse_are_inverse_on_generated_configurations(void **state)
{
	for (unsigned long i = configs(); i > 0; i--) {
		struct tree tree, again, other;
		struct bytes first, second, third, difference;

		bytes_init(&first, OUT_BYTES);
		bytes_init(&second, OUT_BYTES);
		bytes_init(&third, OUT_BYTES);
		bytes_init(&difference, OUT_BYTES);
		generate_tree(&tree);
		generate_tree(&other);
		print_and_parse(&tree, &first, &again);
		assert_int_equal(print_tree(&second, again.root), 0);
		assert_true(span_equal(bytes_span(&first), bytes_span(&second)));
		assert_int_equal(print_difference(&difference, &tree, &again), 0);
		assert_int_equal(difference.size, 0);
		assert_int_equal(print_tree(&third, other.root), 0);
		assert_int_equal(print_difference(&difference, &tree, &other), 0);
		assert_true((difference.size == 0) ==
			    span_equal(bytes_span(&first), bytes_span(&third)));
		tree_fini(&tree);
		tree_fini(&again);
		tree_fini(&other);
		bytes_fini(&first);
		bytes_fini(&second);
		bytes_fini(&third);
		bytes_fini(&difference);
	}
}

/* ---- differences */

/* What leads down to a place of "[edit PATH]", as an opened block for each statement on the way.
 * Return: how many were opened. */
static unsigned open_blocks(struct bytes *text, const char *path)
{
	struct problems problems;
	struct edit_words words;
	enum schema_id row = ROW_ROOT;
	unsigned opened = 0;
	size_t at = 0;

	problems_init(&problems);
	assert_int_equal(edit_split(&words, span_of(path), &problems), 0);
	while (at < words.count) {
		row = schema_find_child(row, span_of(words.words[at].text));
		assert_true(row < ROW_COUNT_);
		for (unsigned left = 1 + schema_arg_count(row); left > 0; left--)
			assert_int_equal(bytes_printf(text, "%s ", words.words[at++].text), 0);
		assert_int_equal(bytes_append_text(text, "{\n"), 0);
		opened++;
	}
	return opened;
}

static void add_below(struct tree *tree, const char *path, struct bytes *added)
{
	struct problems problems;
	struct bytes text;
	unsigned opened;

	problems_init(&problems);
	bytes_init(&text, OUT_BYTES);
	opened = open_blocks(&text, path);
	assert_int_equal(bytes_append(&text, added->data, added->size), 0);
	while (opened-- > 0)
		assert_int_equal(bytes_append_text(&text, "}\n"), 0);
	if (parse_text(tree, bytes_span(&text), PARSE_MERGE, &problems) != 0)
		fail_msg("cannot be added:\n%.*s", (int)text.size, (const char *)text.data);
	bytes_clear(added);
	bytes_fini(&text);
}

static void remove_below(struct tree *tree, const char *path, const char *statement)
{
	char line[2048];
	size_t size = strlen(statement);

	while (size > 0 && strchr(";{ ", statement[size - 1]) != NULL)
		size--;
	snprintf(line, sizeof(line), "%s %.*s", path, (int)size, statement);
	if (delete_line(tree, line) != 0)
		fail_msg("cannot be deleted: %s", line);
}

/* Do what a difference says. A line that is indented further belongs to the one above it. */
static void apply_difference(struct tree *tree, struct bytes *difference)
{
	char path[1024] = "", *line, *rest;
	struct bytes added;

	bytes_init(&added, OUT_BYTES);
	assert_int_equal(bytes_append_u8(difference, 0), 0);
	rest = (char *)difference->data;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strncmp(line, "[edit", 5) == 0) {
			add_below(tree, path, &added);
			snprintf(path, sizeof(path), "%.*s", (int)strcspn(line + 5, "]"), line + 5);
		} else if (line[0] == '-' && line[4] != ' ' && line[4] != '}') {
			remove_below(tree, path, line + 4);
		} else if (line[0] == '+') {
			assert_int_equal(bytes_printf(&added, "%s\n", line + 4), 0);
		}
	}
	add_below(tree, path, &added);
	bytes_fini(&added);
}

/* Whoever does what compare shows gets the other configuration (C2). */
static void test_policy_difference_applied_gives_the_other_configuration(void **state)
{
	for (unsigned long i = configs(); i > 0; i--) {
		struct bytes difference, wanted, got;
		struct tree old, new;

		bytes_init(&difference, OUT_BYTES);
		bytes_init(&wanted, OUT_BYTES);
		bytes_init(&got, OUT_BYTES);
		generate_tree(&old);
		generate_tree(&new);
		assert_int_equal(print_difference(&difference, &old, &new), 0);
		assert_int_equal(print_tree(&wanted, new.root), 0);
		apply_difference(&old, &difference);
		assert_int_equal(print_tree(&got, old.root), 0);
		if (!span_equal(bytes_span(&got), bytes_span(&wanted)))
			fail_msg("wanted:\n%.*s\ngot:\n%.*s", (int)wanted.size,
				 (const char *)wanted.data, (int)got.size, (const char *)got.data);
		tree_fini(&old);
		tree_fini(&new);
		bytes_fini(&difference);
		bytes_fini(&wanted);
		bytes_fini(&got);
	}
}

/* ---- completion */

/* Pick one of the offered texts; a label becomes a value of the form that it stands for. */
static bool pick_offer(char *out, size_t size, const struct bytes *offers,
		       const struct value_form *form)
{
	unsigned count = 0, chosen;
	const char *at = (const char *)offers->data;

	for (size_t i = 0; i < offers->size; i++)
		count += offers->data[i] == '\n';
	if (count == 0)
		return false;
	for (chosen = pick(count); chosen > 0; chosen--)
		at = strchr(at, '\n') + 1;
	snprintf(out, size, "%.*s", (int)strcspn(at, "\t"), at);
	if (out[0] == '<' && strcmp(out, "<Enter>") != 0)
		pick_value(out, size, form);
	return true;
}

/* The form whose label an offer is: the one of the schema that says so at this place. */
static const struct value_form *form_of_label(const struct bytes *offers,
					      const struct edit_words *words)
{
	enum schema_id row = ROW_ROOT;
	size_t at = 0;

	while (at < words->count) {
		unsigned args;

		row = schema_find_child(row, span_of(words->words[at++].text));
		args = schema_arg_count(row);
		for (unsigned i = 0; i < args; i++) {
			at += schema_row(row)->args[i].keyword != NULL ? 1 : 0;
			if (at >= words->count)
				return &schema_row(row)->args[i];
			at++;
		}
	}
	return NULL;
}

/* Follow offers from an empty line to <Enter>: whatever they led to is taken by edit_set. */
static void walk_offers(struct tree *tree)
{
	char line[2048] = "", next[512];
	size_t used = 0;

	for (int step = 0; step < STEPS_MAX; step++) {
		struct problems problems;
		struct edit_words words;
		struct bytes offers;
		bool more;

		problems_init(&problems);
		bytes_init(&offers, OUT_BYTES);
		assert_int_equal(edit_split(&words, span_of(line), &problems), 0);
		assert_int_equal(edit_complete(&offers, tree, &words, EDIT_SET, LANGUAGE_EN), 0);
		assert_int_equal(bytes_append_u8(&offers, 0), 0);
		offers.size--;
		more = pick_offer(next, sizeof(next), &offers, form_of_label(&offers, &words));
		bytes_fini(&offers);
		if (!more)
			return; /* names a zone, service or schedule, and there is none yet */
		if (strcmp(next, "<Enter>") == 0) {
			if (set_line(tree, line) != 0)
				fail_msg("offered but refused: %s", line);
			return;
		}
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s ", next);
	}
}

/* Whether a line of the offers begins with @word. */
static bool is_offered(const struct bytes *offers, const char *word)
{
	size_t size = strlen(word);
	const char *at = (const char *)offers->data;

	for (; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
		if (strncmp(at, word, size) == 0 && (at[size] == '\t' || at[size] == '\n'))
			return true;
	}
	return false;
}

/* Behind the first @count words of a line that is taken, the name of @row is offered. */
static void expect_offered(const struct tree *tree, const struct edit_words *whole, size_t count,
			   enum schema_id row)
{
	struct edit_words words = *whole;
	struct bytes offers;

	words.count = count;
	words.ends_in_blank = true;
	bytes_init(&offers, OUT_BYTES);
	assert_int_equal(edit_complete(&offers, tree, &words, EDIT_SET, LANGUAGE_EN), 0);
	assert_int_equal(bytes_append_u8(&offers, 0), 0);
	if (!is_offered(&offers, schema_row(row)->name))
		fail_msg("%s is taken behind %zu words, but not offered", schema_row(row)->name,
			 count);
	bytes_fini(&offers);
}

/* What edit_set takes, completion leads to: each statement's name is among the offers. */
static void test_policy_completion_offers_all_that_the_parser_takes(void **state)
{
	for (unsigned long i = configs(); i > 0; i--) {
		enum schema_id row = ROW_ROOT;
		struct problems problems;
		struct edit_words words;
		struct tree tree;
		char line[1024];
		size_t at = 0;

		problems_init(&problems);
		assert_int_equal(tree_init(&tree), 0);
		generate_path(line, sizeof(line));
		assert_int_equal(edit_split(&words, span_of(line), &problems), 0);
		while (at < words.count) {
			row = schema_find_child(row, span_of(words.words[at].text));
			expect_offered(&tree, &words, at, row);
			at += 1 + schema_arg_count(row);
			for (unsigned arg = 0; arg < schema_arg_count(row); arg++)
				at += schema_row(row)->args[arg].keyword != NULL;
		}
		tree_fini(&tree);
	}
}

static void test_policy_completion_offers_what_the_parser_takes(void **state)
{
	struct tree tree;

	assert_int_equal(tree_init(&tree), 0);
	for (unsigned long i = configs(); i > 0; i--) {
		walk_offers(&tree);
		if (tree.node_count > 400)
			tree_clear(&tree, tree.root);
	}
	tree_fini(&tree);
}

/* ---- editing */

static void expect_tree(const struct tree *tree, const char *wanted)
{
	struct bytes text;

	bytes_init(&text, OUT_BYTES);
	assert_int_equal(print_tree(&text, tree->root), 0);
	assert_int_equal(bytes_append_u8(&text, 0), 0);
	assert_string_equal((const char *)text.data, wanted);
	bytes_fini(&text);
}

static void test_policy_set_and_delete_follow_paths(void **state)
{
	struct tree tree;

	assert_int_equal(tree_init(&tree), 0);
	assert_int_equal(set_line(&tree, "zon a ti sensitive"), 0);
	assert_int_equal(set_line(&tree, "zone a tier business"), 0);
	assert_int_equal(set_line(&tree, "zone a route 10.0.0.0/8 via 10.1.0.1"), 0);
	assert_int_equal(set_line(&tree, "system syslog server 10.1.0.9 port 515"), 0);
	expect_tree(&tree, "system {\n    syslog {\n        server 10.1.0.9 {\n            port "
			   "515;\n        }\n    }\n}\n"
			   "zone a {\n    tier business;\n    route 10.0.0.0/8 via 10.1.0.1;\n}\n");
	assert_int_equal(delete_line(&tree, "zone a tier sensitive"), -ERR_SYNTAX);
	assert_int_equal(delete_line(&tree, "zone a tier"), 0);
	assert_int_equal(delete_line(&tree, "zone b"), -ERR_SYNTAX);
	assert_int_equal(delete_line(&tree, "system syslog server"), 0);
	expect_tree(&tree, "zone a {\n    route 10.0.0.0/8 via 10.1.0.1;\n}\n");
	assert_int_equal(delete_line(&tree, "zone"), 0);
	expect_tree(&tree, "");
	tree_fini(&tree);
}

static void test_policy_set_refuses_lines_that_end_early_or_late(void **state)
{
	struct tree tree;

	assert_int_equal(tree_init(&tree), 0);
	assert_int_equal(set_line(&tree, ""), -ERR_SYNTAX);
	assert_int_equal(set_line(&tree, "system"), -ERR_SYNTAX);
	assert_int_equal(set_line(&tree, "zone"), -ERR_SYNTAX);
	assert_int_equal(set_line(&tree, "zone a tier"), -ERR_SYNTAX);
	assert_int_equal(set_line(&tree, "zone a tier business extra"), -ERR_SYNTAX);
	assert_int_equal(set_line(&tree, "zone a;"), -ERR_SYNTAX);
	assert_int_equal(set_line(&tree, "s"), -ERR_SYNTAX);
	expect_tree(&tree, "");
	tree_fini(&tree);
}

static void test_policy_difference_shows_moves_of_what_is_ordered(void **state)
{
	static const char before[] =
		"mail m { next-hop 10.0.0.1; next-hop 10.0.0.2; domain a.jp; domain b.jp; }";
	static const char after[] = "mail m { next-hop 10.0.0.2; next-hop 10.0.0.1; domain b.jp; "
				    "domain a.jp; listen 26; }";
	struct problems problems;
	struct tree old, new;
	struct bytes out;

	problems_init(&problems);
	bytes_init(&out, OUT_BYTES);
	assert_int_equal(tree_init(&old), 0);
	assert_int_equal(tree_init(&new), 0);
	assert_int_equal(parse_text(&old, span_of(before), PARSE_WHOLE, &problems), 0);
	assert_int_equal(parse_text(&new, span_of(after), PARSE_WHOLE, &problems), 0);
	assert_int_equal(print_difference(&out, &old, &new), 0);
	assert_int_equal(bytes_append_u8(&out, 0), 0);
	assert_string_equal(
		(const char *)out.data,
		"[edit mail m]\n-   next-hop 10.0.0.1;\n-   next-hop 10.0.0.2;\n+   listen 26;\n"
		"+   next-hop 10.0.0.2;\n+   next-hop 10.0.0.1;\n");
	bytes_fini(&out);
	tree_fini(&old);
	tree_fini(&new);
}

/* ---- limits */

static enum problem_id first_problem(struct span text)
{
	static struct problems problems;
	struct bytes block;

	problems_init(&problems);
	bytes_init(&block, SNAPSHOT_BYTES_MAX);
	assert_int_not_equal(policy_compile_text(text, &block, &problems), 0);
	bytes_fini(&block);
	return problems.items[0].id;
}

static void test_policy_limits_are_told(void **state)
{
	struct bytes text;

	bytes_init(&text, 64U << 20);
	for (int i = 0; i <= SNAPSHOT_ZONES_MAX; i++)
		assert_int_equal(
			bytes_printf(
				&text,
				"zone z%d { tier business; port e%d; address 10.%d.0.1/16; }\n", i,
				i, i),
			0);
	assert_int_equal(first_problem(bytes_span(&text)), PROBLEM_TOO_MANY_ROWS);
	bytes_clear(&text);
	for (int i = 0; i < 65; i++)
		assert_int_equal(bytes_append_text(&text, "word "), 0);
	assert_int_equal(first_problem(bytes_span(&text)), PROBLEM_TOO_MANY_WORDS);
	bytes_clear(&text);
	for (int i = 0; i < 512; i++)
		assert_int_equal(bytes_append_u8(&text, 'a'), 0);
	assert_int_equal(first_problem(bytes_span(&text)), PROBLEM_WORD_TOO_LONG);
	bytes_clear(&text);
	while (text.size <= PARSE_TEXT_BYTES_MAX)
		assert_int_equal(bytes_append_text(&text, "# comment\n"), 0);
	assert_int_equal(first_problem(bytes_span(&text)), PROBLEM_TEXT_TOO_LONG);
	bytes_clear(&text);
	for (int i = 0; i < TREE_NODES_MAX + 1; i++)
		assert_int_equal(bytes_printf(&text, "zone a%d;\n", i), 0);
	assert_int_equal(first_problem(bytes_span(&text)), PROBLEM_TOO_MANY_STATEMENTS);
	bytes_fini(&text);
}

/* Services named by many permits side by side would grow without end. */
static void test_policy_refuses_what_compiles_too_big(void **state)
{
	struct bytes text;

	bytes_init(&text, 8U << 20);
	assert_int_equal(
		bytes_append_text(&text, "zone a { tier business; port e0; address 10.0.0.1/24; }\n"
					 "zone b { tier business; port e1; address 10.0.1.1/24; }\n"
					 "service t { tcp 1; }\nservice s {"),
		0);
	for (int i = 1; i < 30000; i++)
		assert_int_equal(bytes_printf(&text, "tcp %d;", i), 0);
	assert_int_equal(bytes_append_text(&text, "}\ncrossing a b {\n"), 0);
	for (int i = 1; i < 1000; i++)
		assert_int_equal(bytes_printf(&text,
					      "permit %d { destination 10.0.1.5; service s t; }\n",
					      i),
				 0);
	assert_int_equal(bytes_append_text(&text, "}\n"), 0);
	assert_int_equal(first_problem(bytes_span(&text)), PROBLEM_SNAPSHOT_TOO_BIG);
	bytes_fini(&text);
}

static void add(struct problems *p, uint32_t line, enum problem_id id)
{
	problems_add(p, (struct position){line, 1}, id, ROW_ROOT, 0, NULL, NULL);
}

/* Advice in any number hides neither damage nor an error, and all stand in the order of their
 * places. */
static void test_policy_problems_keep_errors_and_damage_before_advice(void **state)
{
	struct problems p;

	(void)state;
	problems_init(&p);
	for (uint32_t i = 0; i < PROBLEMS_MAX + 5; i++)
		add(&p, 10 + i, PROBLEM_SENSITIVE_UNLOGGED);
	assert_int_equal(p.items[PROBLEMS_MAX - 1].at.line, 10 + PROBLEMS_MAX - 1);
	add(&p, 100, PROBLEM_SLOT_UNUSABLE);
	add(&p, 5, PROBLEM_SLOT_UNUSABLE);
	add(&p, 12, PROBLEM_NO_AUTHORITY);
	assert_int_equal(p.count, PROBLEMS_MAX);
	assert_int_equal(p.items[0].id, PROBLEM_SLOT_UNUSABLE);
	assert_int_equal(p.items[4].id, PROBLEM_NO_AUTHORITY);
	assert_int_equal(p.items[PROBLEMS_MAX - 1].id, PROBLEM_SLOT_UNUSABLE);
	assert_int_equal(p.items[PROBLEMS_MAX - 2].at.line, 10 + PROBLEMS_MAX - 4);
	for (uint32_t i = 0; i < PROBLEMS_MAX; i++)
		add(&p, 200 + i, PROBLEM_NO_AUTHORITY);
	for (uint32_t i = 0; i < PROBLEMS_MAX; i++)
		assert_int_equal(p.items[i].id, PROBLEM_NO_AUTHORITY);
	add(&p, 1, PROBLEM_SLOT_UNUSABLE); /* what weighs less does not push out */
	assert_int_equal(p.items[0].at.line, 12);
	assert_int_equal(p.error_count, PROBLEMS_MAX + 1);
	assert_int_equal(p.warning_count, PROBLEMS_MAX + 5 + 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy_golden_files_give_their_form_or_messages),
		cmocka_unit_test(
			test_policy_print_and_parse_are_inverse_on_generated_configurations),
		cmocka_unit_test(test_policy_difference_applied_gives_the_other_configuration),
		cmocka_unit_test(test_policy_completion_offers_all_that_the_parser_takes),
		cmocka_unit_test(test_policy_completion_offers_what_the_parser_takes),
		cmocka_unit_test(test_policy_set_and_delete_follow_paths),
		cmocka_unit_test(test_policy_set_refuses_lines_that_end_early_or_late),
		cmocka_unit_test(test_policy_difference_shows_moves_of_what_is_ordered),
		cmocka_unit_test(test_policy_limits_are_told),
		cmocka_unit_test(test_policy_problems_keep_errors_and_damage_before_advice),
		cmocka_unit_test(test_policy_refuses_what_compiles_too_big),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
