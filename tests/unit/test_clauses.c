/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of clauses: complete, and judged by what a configuration says (L6). */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/event.h"
#include "policy/clauses.h"
#include "policy/parse.h"

static struct tree tree;

static int open_tree(void **state)
{
	(void)state;
	return tree_init(&tree);
}

static int close_tree(void **state)
{
	(void)state;
	tree_fini(&tree);
	return 0;
}

static void read_config(const char *text)
{
	struct problems problems;

	problems_init(&problems);
	assert_int_equal(parse_text(&tree, span_of(text), PARSE_WHOLE, &problems), 0);
}

static struct clause_view view = {.tree = &tree};

static enum clause_state judged(const char *id)
{
	const struct clause *clause = clause_find(id);

	assert_non_null(clause);
	return clause_judge(&view, clause);
}

static void assert_known(const char *ids)
{
	char id[16];

	while (*ids != '\0') {
		size_t size = strcspn(ids, " ");

		snprintf(id, sizeof(id), "%.*s", (int)size, ids);
		if (clause_find(id) == NULL)
			fail_msg("%s is no clause", id);
		ids += size + strspn(ids + size, " ");
	}
}

static void test_clauses_know_every_requirement_of_statements_and_events(void **state)
{
	(void)state;
	for (enum schema_id row = ROW_ROOT + 1; row < ROW_COUNT_; row++)
		assert_known(schema_row(row)->requirement);
	for (enum event_id id = EVENT_NONE_ + 1; id < EVENT_COUNT_; id++)
		assert_known(event_requirement(id));
}

static void test_clauses_are_each_there_once_in_both_languages(void **state)
{
	size_t count = 0;

	(void)state;
	for (const struct clause *c = clause_first(); c != NULL; c = clause_next(c)) {
		assert_ptr_equal(clause_find(c->id), c);
		assert_true(c->sources[0] != '\0');
		for (enum language l = LANGUAGE_EN; l <= LANGUAGE_JA; l++) {
			assert_true(c->text[l][0] != '\0');
			assert_true(c->means[l][0] != '\0');
		}
		count++;
	}
	assert_int_equal(count, 46);
	assert_null(clause_find(""));
	assert_null(clause_find("Z15"));
}

static void test_clause_needs_a_statement(void **state)
{
	(void)state;
	assert_int_equal(judged("C1"), CLAUSE_UNMET);
	read_config("login { two-person; }");
	assert_int_equal(judged("C1"), CLAUSE_MET);
}

static void test_clause_about_each_entry_is_unused_partly_met_or_met(void **state)
{
	(void)state;
	assert_int_equal(judged("M2"), CLAUSE_UNUSED);
	read_config("mail a { from x; } mail b { from x; scanner s; }");
	assert_int_equal(judged("M2"), CLAUSE_PARTLY);
	read_config("");
	assert_int_equal(clause_look(&view, &clause_next_need(clause_find("M2"))->need).all, 2);
}

static void test_clause_about_what_was_seen_is_met_by_that_alone(void **state)
{
	(void)state;
	read_config("");
	assert_int_equal(judged("L3"), CLAUSE_UNMET);
	view.seen[SIGHT_SAVED_WHOLE] = true;
	assert_int_equal(judged("L3"), CLAUSE_MET);
	view.seen[SIGHT_SAVED_WHOLE] = false;
}

static void test_clause_about_a_value_judges_its_default(void **state)
{
	(void)state;
	read_config("login { user a { role auditor; } }");
	assert_int_equal(judged("A1"), CLAUSE_MET);
	assert_int_equal(judged("M1"), CLAUSE_UNUSED);
}

static void test_clause_about_a_value_refuses_more_and_none(void **state)
{
	(void)state;
	read_config("login { user a { role auditor; } maximum-age 31d; }"
		    "mail a { size-limit 5MB; } mail b { from x; } mail c { size-limit 6MB; }");
	assert_int_equal(judged("A1"), CLAUSE_PARTLY);
	assert_int_equal(judged("M1"), CLAUSE_PARTLY);
	assert_int_equal(clause_look(&view, &clause_next_need(clause_find("M1"))->need).good, 2);
}

static void test_clause_default_of_a_block_with_requirements_needs_the_block(void **state)
{
	(void)state;
	read_config("mail a { from x; }");
	assert_int_equal(judged("M4"), CLAUSE_UNUSED);
	read_config("mail b { outbound { sender a.example; auto-forwarded pass; } }");
	assert_int_equal(judged("M4"), CLAUSE_UNMET);
}

static void test_clause_that_this_version_lacks_is_not_met(void **state)
{
	(void)state;
	assert_int_equal(judged("C4"), CLAUSE_UNMET);
}

static void assert_value(enum schema_id row, const char *wanted)
{
	struct bytes value;

	bytes_init(&value, 4096);
	assert_int_equal(clause_value(&value, &tree, row, LANGUAGE_EN), 0);
	assert_true(span_equal(bytes_span(&value), span_of(wanted)));
	bytes_fini(&value);
}

static void test_clause_value_tells_what_is_written_and_what_holds_by_default(void **state)
{
	(void)state;
	assert_value(ROW_MAIL_SIZE_LIMIT, "");
	assert_value(ROW_LOGIN_ATTEMPTS, "3 (default)");
	read_config("mail a { size-limit 4MB; } mail b { from x; }"
		    "holiday 2026-01-01; holiday 2026-01-02; holiday 2026-01-03;"
		    "holiday 2026-01-04; holiday 2026-01-05;");
	assert_value(ROW_MAIL_SIZE_LIMIT, "4MB, 5MB (default)");
	assert_value(ROW_HOLIDAY, "2026-01-01, 2026-01-02, 2026-01-03, 2026-01-04, 1 more");
}

static void test_clause_open_point_names_statement_and_count(void **state)
{
	const struct clause_need *need = &clause_next_need(clause_find("M2"))->need;
	struct bytes words;

	(void)state;
	bytes_init(&words, 4096);
	assert_int_equal(
		clause_open_point(&words, need, (struct clause_finding){1, 3}, LANGUAGE_EN), 0);
	assert_true(span_equal(bytes_span(&words),
			       span_of("`mail scanner` is missing: `mail`, 2 of 3")));
	bytes_fini(&words);
}

static void test_clause_is_named_by_whole_words(void **state)
{
	(void)state;
	assert_true(clause_is_named("Z1 Z8 L1", "L1"));
	assert_false(clause_is_named("Z12 Z14", "Z1"));
	assert_false(clause_is_named("", "Z1"));
}

#define WITH_TREE(test) cmocka_unit_test_setup_teardown(test, open_tree, close_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clauses_know_every_requirement_of_statements_and_events),
		cmocka_unit_test(test_clauses_are_each_there_once_in_both_languages),
		WITH_TREE(test_clause_needs_a_statement),
		WITH_TREE(test_clause_about_what_was_seen_is_met_by_that_alone),
		WITH_TREE(test_clause_about_each_entry_is_unused_partly_met_or_met),
		WITH_TREE(test_clause_about_a_value_judges_its_default),
		WITH_TREE(test_clause_about_a_value_refuses_more_and_none),
		WITH_TREE(test_clause_default_of_a_block_with_requirements_needs_the_block),
		WITH_TREE(test_clause_that_this_version_lacks_is_not_met),
		WITH_TREE(test_clause_value_tells_what_is_written_and_what_holds_by_default),
		cmocka_unit_test(test_clause_open_point_names_statement_and_count),
		cmocka_unit_test(test_clause_is_named_by_whole_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
