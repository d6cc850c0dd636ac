/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A generator over the table of the schema: any statement of it, with any value that its form
 * takes; lines at the console, and whole configurations. It takes the same way in every run.
 */
#ifndef SEKISHO_TESTS_GENERATOR_FIXTURE_H
#define SEKISHO_TESTS_GENERATOR_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/edit.h"

/* How many of each: CONFIGS in the environment. */
#define CONFIGS_DEFAULT 300

static uint64_t generator_seed = 1;

static inline unsigned pick(unsigned below)
{
	generator_seed = generator_seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(generator_seed >> 33) % below;
}

static inline unsigned long configs(void)
{
	const char *given = getenv("CONFIGS");
	unsigned long count = given != NULL ? strtoul(given, NULL, 10) : 0;

	return count > 0 ? count : CONFIGS_DEFAULT;
}

static inline void pick_word(char *out, size_t size, const char *words)
{
	char copy[256];
	char *word, *rest = copy;
	unsigned count = 1, chosen;

	snprintf(copy, sizeof(copy), "%s", words);
	for (const char *p = words; *p != '\0'; p++)
		count += *p == ' ';
	for (chosen = pick(count); chosen > 0; chosen--)
		(void)strsep(&rest, " ");
	word = strsep(&rest, " ");
	snprintf(out, size, "%.*s", (int)strcspn(word, ":"), word);
}

static inline void pick_number(char *out, size_t size, const struct value_form *form)
{
	uint64_t width = form->high - form->low + 1;

	snprintf(out, size, "%llu",
		 (unsigned long long)(form->low + pick(width > 100000 ? 100000 : (unsigned)width)));
}

static inline void pick_ports(char *out, size_t size)
{
	unsigned low = 1 + pick(60000);

	snprintf(out, size, "%u-%u", low, low + pick(3));
}

static inline void pick_text(char *out, size_t size)
{
	static const char *const texts[] = {"a",       "周南市",        "a \\\"b\\\" c",
					    "; { } #", "back\\\\slash", " ' "};

	snprintf(out, size, "\"%s\"", texts[pick(6)]);
}

static inline void pick_address(char *out, size_t size, const struct value_form *form)
{
	const char *bits = form->type == TYPE_INTERFACE ? "/24" : "";

	if ((form->type == TYPE_PREFIX || form->type == TYPE_PLACE) && pick(2) == 0)
		snprintf(out, size, "10.%u.0.0/16", pick(3));
	else if (form->type == TYPE_ENDPOINT && pick(2) == 0)
		snprintf(out, size, "[fd00::%x]:%u", 1 + pick(9), 1 + pick(30));
	else if (pick(3) == 0)
		snprintf(out, size, "fd00::%x%s", 1 + pick(9),
			 form->type == TYPE_INTERFACE ? "/64" : "");
	else
		snprintf(out, size, "10.%u.0.%u%s", pick(3), 1 + pick(9), bits);
}

static inline void pick_value(char *out, size_t size, const struct value_form *form)
{
	static const char *const names[TYPE_COUNT_] = {
		[TYPE_NAME] = "a b c",
		[TYPE_ZONE] = "a b c",
		[TYPE_SERVICE] = "a b c",
		[TYPE_SCHEDULE] = "a b c",
		[TYPE_HOST] = "h h.example",
		[TYPE_SCANNER] = "av icap-1",
		[TYPE_SENDER] = "a.example.jp Taro.Y+1@b.example.jp",
		[TYPE_DOMAIN] = "a.example.jp b.example.jp",
		[TYPE_DEVICE] = "eth0 eth1 eth1.100 bond0",
		[TYPE_PATTERN] = "a.example *.a.example *.b.example.jp",
		[TYPE_RATE] = "1/s 100/s 60/m",
		[TYPE_MAC] = "02-00-00-00-00-01",
		[TYPE_DATE] = "2027-03-31 2028-02-29",
		[TYPE_DAYS] = "mon mon-fri daily sat-sun",
		[TYPE_DURATION] = "60s 90s 60500ms",
		[TYPE_SIZE] = "5MB 64KB 4096",
	};

	if (form->words != NULL)
		pick_word(out, size, form->words);
	else if (form->type == TYPE_MAC)
		snprintf(out, size, "02:00:00:00:00:%02x", pick(4));
	else if (form->type == TYPE_TIMES)
		snprintf(out, size, "%02u:30-%02u:00", pick(24), pick(25));
	else if (form->type == TYPE_SIZE && form->low >= 1U << 20)
		pick_word(out, size, "1MB 1536KB 5MB");
	else if (form->type == TYPE_DURATION && form->low >= 86400000)
		pick_word(out, size, "1d 36h 365d");
	else if (form->type == TYPE_PLACE && pick(3) == 0)
		pick_word(out, size, "group-a group-b");
	else if (names[form->type] != NULL)
		pick_word(out, size, names[form->type]);
	else if (form->type == TYPE_NUMBER)
		pick_number(out, size, form);
	else if (form->type == TYPE_PORTS)
		pick_ports(out, size);
	else if (form->type == TYPE_TEXT)
		pick_text(out, size);
	else
		pick_address(out, size, form);
}

/* "name value..." of one statement. */
static inline void generate_words(char *out, size_t size, enum schema_id row)
{
	size_t used = (size_t)snprintf(out, size, "%s", schema_row(row)->name);

	for (unsigned i = 0; i < schema_arg_count(row); i++) {
		const struct value_form *form = &schema_row(row)->args[i];
		char value[256];

		pick_value(value, sizeof(value), form);
		used += (size_t)snprintf(out + used, size - used, " %s%s%s",
					 form->keyword != NULL ? form->keyword : "",
					 form->keyword != NULL ? " " : "", value);
	}
}

static inline enum schema_id pick_child(enum schema_id parent)
{
	enum schema_id id = schema_first_child(parent);
	unsigned count = 0;

	for (enum schema_id c = id; c < ROW_COUNT_; c = schema_next_sibling(c))
		count++;
	for (count = pick(count); count > 0; count--)
		id = schema_next_sibling(id);
	return id;
}

/* A path of words from the top down to some statement that may be set. */
static inline void generate_path(char *out, size_t size)
{
	enum schema_id row = ROW_ROOT;
	size_t used = 0;

	do {
		row = pick_child(row);
		if (used > 0)
			out[used++] = ' ';
		generate_words(out + used, size - used, row);
		used += strlen(out + used);
	} while (schema_first_child(row) < ROW_COUNT_ &&
		 (schema_row(row)->kind == SCHEMA_BLOCK || pick(8) > 0));
}

static inline int set_line(struct tree *tree, const char *line)
{
	struct problems problems;
	struct edit_words words;
	int err;

	problems_init(&problems);
	err = edit_split(&words, span_of(line), &problems);
	return err == 0 ? edit_set(tree, &words, &problems) : err;
}

static inline int delete_line(struct tree *tree, const char *line)
{
	struct problems problems;
	struct edit_words words;

	problems_init(&problems);
	assert_int_equal(edit_split(&words, span_of(line), &problems), 0);
	return edit_delete(tree, &words, &problems);
}

static inline void generate_tree(struct tree *tree)
{
	char line[1024];

	assert_int_equal(tree_init(tree), 0);
	for (unsigned n = pick(30); n > 0; n--) {
		generate_path(line, sizeof(line));
		if (set_line(tree, line) != 0)
			fail_msg("refused: %s", line);
	}
}

#endif
