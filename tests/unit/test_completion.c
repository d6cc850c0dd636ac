/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completion offers exactly what the parser takes (C2): at any place of any line, for each purpose,
 * each word of the language is offered if and only if the parser goes on behind it. Lines and
 * configurations are generated from the table of the schema, and so are the words that are tried: a
 * statement that is added there is tried here. CONFIGS: how many places; 300 by default.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "generator_fixture.h"
#include "policy/edit.h"

#define LINE_BYTES    4096
#define OFFERS_BYTES  (4U << 20)
#define TRIED_MAX     4096
#define PLACES_A_TREE 8

static const char *const purposes[] = {"set", "delete", "show", "edit"};

/* ---- what may stand behind some words, by the schema alone */

struct place {
	enum schema_id row; /* a name: the statement whose children they are */
	bool is_name;
	bool is_keyword; /* of args[arg]; neither: its value */
	unsigned arg;
};

static struct place place_behind(const struct edit_words *words)
{
	struct place place = {.row = ROW_ROOT, .is_name = true};
	size_t at = 0;

	while (at < words->count) {
		place.row = schema_find_child(place.row, span_of(words->words[at++].text));
		assert_true(place.row < ROW_COUNT_);
		for (unsigned i = 0; i < schema_arg_count(place.row); i++) {
			bool keyword = schema_row(place.row)->args[i].keyword != NULL;

			if (at + (keyword ? 1 : 0) >= words->count)
				return (struct place){.row = place.row,
						      .is_keyword = keyword && at == words->count,
						      .arg = i};
			at += keyword ? 2 : 1;
		}
	}
	return place;
}

/* ---- lines and words to try */

/* A value as it is written in a line. */
static void write_value(struct bytes *line, const struct value_form *form, const char *value)
{
	if (form->type != TYPE_TEXT) {
		assert_int_equal(bytes_append_text(line, value), 0);
		return;
	}
	assert_int_equal(bytes_append_u8(line, '"'), 0);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			assert_int_equal(bytes_append_u8(line, '\\'), 0);
		assert_int_equal(bytes_append_u8(line, (uint8_t)*value), 0);
	}
	assert_int_equal(bytes_append_u8(line, '"'), 0);
}

/* The words that lead to a statement. */
static void write_path(struct bytes *line, const struct tree_node *node)
{
	const struct schema_row *row = schema_row(node->row);

	if (node->parent == NULL)
		return;
	write_path(line, node->parent); /* as deep as the schema is */
	assert_int_equal(bytes_printf(line, "%s ", row->name), 0);
	for (unsigned i = 0; i < node->value_count; i++) {
		if (row->args[i].keyword != NULL)
			assert_int_equal(bytes_printf(line, "%s ", row->args[i].keyword), 0);
		write_value(line, &row->args[i], tree_value(node, i));
		assert_int_equal(bytes_append_u8(line, ' '), 0);
	}
}

static const struct tree_node *pick_node(const struct tree *tree)
{
	const struct tree_node *node = tree->root;

	for (unsigned n = pick((unsigned)tree->node_count + 1); n > 0 && node != NULL; n--)
		node = tree_walk(tree->root, node);
	return node != NULL ? node : tree->root;
}

/* The first words of a line that leads to a statement of the tree, or to any. */
static void pick_beginning(struct edit_words *words, const struct tree *tree)
{
	struct problems problems;
	char any[LINE_BYTES];
	struct bytes line;

	bytes_init(&line, LINE_BYTES);
	problems_init(&problems);
	if (pick(2) == 0) {
		generate_path(any, sizeof(any));
		assert_int_equal(bytes_append_text(&line, any), 0);
	} else {
		write_path(&line, pick_node(tree));
	}
	assert_int_equal(edit_split(words, bytes_span(&line), &problems), 0);
	words->count = pick((unsigned)words->count + 1);
	words->ends_in_blank = true;
	bytes_fini(&line);
}

struct tried {
	char *words[TRIED_MAX];
	size_t count;
};

static void try_word(struct tried *tried, const char *word, size_t size)
{
	for (size_t i = 0; i < tried->count; i++) {
		if (strncmp(tried->words[i], word, size) == 0 && tried->words[i][size] == '\0')
			return;
	}
	assert_true(tried->count < TRIED_MAX);
	tried->words[tried->count++] = strndup(word, size);
}

/* The fixed words of one form, and some value of it. */
static void try_form(struct tried *tried, const struct value_form *form)
{
	char value[256];

	for (const char *p = form->words; p != NULL && *(p += strspn(p, " ")) != '\0';
	     p += strcspn(p, " "))
		try_word(tried, p, strcspn(p, " :"));
	if (form->keyword != NULL)
		try_word(tried, form->keyword, strlen(form->keyword));
	pick_value(value, sizeof(value), form);
	try_word(tried, value, strlen(value));
}

/* Every name and every fixed word of the language, a value of each form, each value of the tree. */
static void try_all(struct tried *tried, const struct tree *tree)
{
	for (enum schema_id id = ROW_ROOT + 1; id < ROW_COUNT_; id++) {
		try_word(tried, schema_row(id)->name, strlen(schema_row(id)->name));
		for (unsigned i = 0; i < schema_arg_count(id); i++)
			try_form(tried, &schema_row(id)->args[i]);
	}
	for (const struct tree_node *n = tree->root; n != NULL; n = tree_walk(tree->root, n)) {
		for (unsigned i = 0; i < n->value_count; i++) {
			struct bytes value;

			bytes_init(&value, LINE_BYTES);
			write_value(&value, &schema_row(n->row)->args[i], tree_value(n, i));
			try_word(tried, (const char *)value.data, value.size);
			bytes_fini(&value);
		}
	}
	try_word(tried, "5", 1);
	try_word(tried, "no-such-word", 12);
	try_word(tried, "\"no such word\"", 14);
}

static void forget_tried(struct tried *tried)
{
	while (tried->count > 0)
		free(tried->words[--tried->count]);
}

/* ---- what the parser says */

static struct tree
	scratch; /* empty between lines: what may be set does not depend on what is there */

/* Whether the values typed so far are those of a statement that is there. */
static bool begins_a_statement(const struct tree *tree, const struct edit_words *words)
{
	for (const struct tree_node *n = tree_walk(tree->root, tree->root); n != NULL;
	     n = tree_walk(tree->root, n)) {
		struct problems problems;
		struct edit_words path;
		struct bytes line;
		size_t same = 0;

		bytes_init(&line, LINE_BYTES);
		problems_init(&problems);
		write_path(&line, n);
		assert_int_equal(edit_split(&path, bytes_span(&line), &problems), 0);
		bytes_fini(&line);
		while (same < words->count && same < path.count &&
		       strcmp(words->words[same].text, path.words[same].text) == 0)
			same++;
		if (same == words->count)
			return true;
	}
	return false;
}

/*
 * Whether the parser takes the line as it is; with *@goes_on also set where the only thing wrong
 * with it is that it ends here.
 */
static bool parser_takes(const struct tree *tree, enum edit_purpose purpose,
			 const struct edit_words *words, bool *goes_on)
{
	enum schema_id last = place_behind(words).row;
	struct problems problems;
	struct bytes path;
	bool taken;

	problems_init(&problems);
	bytes_init(&path, LINE_BYTES);
	if (purpose == EDIT_SET)
		taken = edit_set(&scratch, words, &problems) == 0;
	else if (purpose == EDIT_ENTER)
		taken = words->count > 0 && edit_locate(&path, words, &problems) == 0;
	else
		taken = edit_find(tree, words, &problems) != NULL &&
			(words->count > 0 || purpose == EDIT_SHOW);
	tree_clear(&scratch, scratch.root);
	bytes_fini(&path);
	*goes_on = taken || words->count == 0 ||
		   (problems.items[0].id == PROBLEM_PATH_TOO_SHORT && purpose == EDIT_SET) ||
		   (problems.items[0].id == PROBLEM_MISSING_VALUE &&
		    (purpose == EDIT_SET ||
		     (purpose == EDIT_ENTER && schema_first_child(last) < ROW_COUNT_) ||
		     ((purpose == EDIT_DELETE || purpose == EDIT_SHOW) &&
		      begins_a_statement(tree, words))));
	return taken;
}

/* ---- what completion says */

static void complete(struct bytes *offers, const struct tree *tree, const struct edit_words *words,
		     enum edit_purpose purpose)
{
	bytes_clear(offers);
	assert_int_equal(edit_complete(offers, tree, words, purpose,
				       pick(2) == 0 ? LANGUAGE_EN : LANGUAGE_JA),
			 0);
	assert_int_equal(bytes_append_u8(offers, 0), 0);
}

/* The next offer's text into @out; false at the end. */
static bool next_offer(const char **at, char *out, size_t size)
{
	size_t bytes = strcspn(*at, "\t");

	if (**at == '\0')
		return false;
	assert_true((*at)[bytes] == '\t' && bytes < size);
	memcpy(out, *at, bytes);
	out[bytes] = '\0';
	*at += strcspn(*at, "\n") + 1;
	return true;
}

static unsigned times_offered(const struct bytes *offers, const char *text)
{
	const char *at = (const char *)offers->data;
	char offer[LINE_BYTES];
	unsigned times = 0;

	while (next_offer(&at, offer, sizeof(offer)))
		times += strcmp(offer, text) == 0;
	return times;
}

static bool has_label(const struct bytes *offers)
{
	const char *at = (const char *)offers->data;
	char offer[LINE_BYTES];

	while (next_offer(&at, offer, sizeof(offer))) {
		if (offer[0] == '<' && strcmp(offer, "<Enter>") != 0)
			return true;
	}
	return false;
}

/* A value is offered by its canonical form, or as one of those that a label describes. */
static bool value_is_offered(const struct bytes *offers, const struct value_form *form,
			     const struct word *word)
{
	struct value value;
	struct bytes text;
	bool offered;

	if (word->quoted && form->type != TYPE_TEXT && form->type != TYPE_PATTERN)
		return false;
	if (value_parse(&value, form, (struct span){(const uint8_t *)word->text, word->size}) != 0)
		return false;
	bytes_init(&text, LINE_BYTES);
	write_value(&text, form, value.text);
	assert_int_equal(bytes_append_u8(&text, 0), 0);
	offered = has_label(offers) || times_offered(offers, (const char *)text.data) == 1;
	bytes_fini(&text);
	return offered;
}

static bool is_offered(const struct bytes *offers, const struct place *place,
		       const struct word *word)
{
	if (place->is_name || place->is_keyword)
		return !word->quoted && times_offered(offers, word->text) == 1;
	return value_is_offered(offers, &schema_row(place->row)->args[place->arg], word);
}

/* Whether a word shortens the name of a statement that may stand here: that is not tried, Tab makes
 * it longer. */
static bool is_shortened(const struct place *place, const struct word *word)
{
	for (enum schema_id id = schema_first_child(place->row); place->is_name && id < ROW_COUNT_;
	     id = schema_next_sibling(id)) {
		if (strncmp(schema_row(id)->name, word->text, word->size) == 0 &&
		    schema_row(id)->name[word->size] != '\0')
			return schema_find_child(place->row, span_of(word->text)) == ROW_COUNT_;
	}
	return false;
}

/* ---- the comparison */

static void fail_at(const struct edit_words *words, enum edit_purpose purpose, const char *what,
		    const char *word, const struct bytes *offers)
{
	char line[LINE_BYTES] = "";
	size_t used = 0;

	for (size_t i = 0; i < words->count; i++)
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s ",
					 words->words[i].text);
	fail_msg("%s %s[%s]: %s; offered:\n%s", purposes[purpose], line, word, what,
		 (const char *)offers->data);
}

static void compare_word(const struct tree *tree, enum edit_purpose purpose,
			 const struct edit_words *words, const struct bytes *offers,
			 const char *text)
{
	struct edit_words longer = *words, one;
	struct place place = place_behind(words);
	struct problems problems;
	bool goes_on;

	problems_init(&problems);
	assert_int_equal(edit_split(&one, span_of(text), &problems), 0);
	if (is_shortened(&place, &one.words[0]) || edit_join(&longer, &one) != 0)
		return;
	if (place.is_name &&
	    schema_find_child(place.row, span_of(one.words[0].text)) == ROW_COUNT_) {
		if (is_offered(offers, &place, &one.words[0]))
			fail_at(words, purpose, "offered, but no name of a statement", text,
				offers);
		return;
	}
	(void)parser_takes(tree, purpose, &longer, &goes_on);
	if (goes_on && !is_offered(offers, &place, &one.words[0]))
		fail_at(words, purpose, "taken, but not offered (once)", text, offers);
	if (!goes_on && is_offered(offers, &place, &one.words[0]))
		fail_at(words, purpose, "offered, but not taken", text, offers);
}

/* Behind half a word, those offers stand that begin with it, all of them, and nothing else. */
static void compare_half(const struct tree *tree, enum edit_purpose purpose,
			 const struct edit_words *words, const struct bytes *whole)
{
	struct edit_words open = *words;
	const char *at = (const char *)whole->data;
	char offer[LINE_BYTES];
	struct bytes offers;
	struct word *word;

	if (!next_offer(&at, offer, sizeof(offer)) || offer[0] == '<' || offer[0] == '"')
		return;
	word = &open.words[open.count++];
	*word = (struct word){.size = 1 + pick((unsigned)strlen(offer))};
	memcpy(word->text, offer, word->size);
	open.ends_in_blank = false;
	bytes_init(&offers, OFFERS_BYTES);
	complete(&offers, tree, &open, purpose);
	at = (const char *)whole->data;
	while (next_offer(&at, offer, sizeof(offer))) {
		bool fits = strncmp(offer, word->text, word->size) == 0 ||
			    (offer[0] == '<' && strcmp(offer, "<Enter>") != 0);

		if (times_offered(&offers, offer) != (fits ? 1U : 0U))
			fail_at(&open, purpose, "wrong behind half a word", offer, &offers);
	}
	bytes_fini(&offers);
}

static void compare_place(const struct tree *tree, const struct tried *tried)
{
	enum edit_purpose purpose = (enum edit_purpose)pick(4);
	struct edit_words words;
	struct bytes offers;
	bool goes_on, taken;

	bytes_init(&offers, OFFERS_BYTES);
	pick_beginning(&words, tree);
	taken = parser_takes(tree, purpose, &words, &goes_on);
	complete(&offers, tree, &words, purpose);
	if (!goes_on && offers.size > 1)
		fail_at(&words, purpose, "offers behind what is not taken", "", &offers);
	if (times_offered(&offers, "<Enter>") != (taken ? 1U : 0U))
		fail_at(&words, purpose, taken ? "Enter is not offered" : "Enter is offered", "",
			&offers);
	for (size_t i = 0; i < tried->count && goes_on; i++)
		compare_word(tree, purpose, &words, &offers, tried->words[i]);
	compare_half(tree, purpose, &words, &offers);
	bytes_fini(&offers);
}

static void test_completion_offers_a_word_if_and_only_if_the_parser_takes_it(void **state)
{
	static struct tried tried;

	assert_int_equal(tree_init(&scratch), 0);
	for (unsigned long i = 0; i < configs(); i += PLACES_A_TREE) {
		struct tree tree;

		generate_tree(&tree);
		try_all(&tried, &tree);
		for (int place = 0; place < PLACES_A_TREE; place++)
			compare_place(&tree, &tried);
		forget_tried(&tried);
		tree_fini(&tree);
	}
	tree_fini(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_completion_offers_a_word_if_and_only_if_the_parser_takes_it),
	};

	return cmocka_run_group_tests_name("completion", tests, NULL, NULL);
}
