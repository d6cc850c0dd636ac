/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines at the console: each line of the input is first completed, then set (or, with a '-' before
 * it, deleted). Whatever comes of it must still print to a form that parses.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/edit.h"
#include "policy/print.h"

#define OUT_BYTES (16U << 20)

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void run_line(struct tree *tree, struct span line)
{
	static struct edit_words words;
	static struct problems problems;
	bool deletes = line.size > 0 && line.data[0] == '-';
	struct bytes out;

	problems_init(&problems);
	if (deletes) {
		line.data++;
		line.size--;
	}
	if (edit_split(&words, line, &problems) != 0)
		return;
	bytes_init(&out, OUT_BYTES);
	must(edit_complete(&out, tree, &words, deletes ? EDIT_DELETE : EDIT_SET, LANGUAGE_JA) == 0);
	bytes_clear(&out);
	(void)edit_locate(&out, &words,
			  &problems); /* whether it leads anywhere is the input's affair */
	(void)edit_find(tree, &words, &problems); /* the same */
	bytes_fini(&out);
	problems_init(&problems);
	must(((deletes ? edit_delete(tree, &words, &problems)
		       : edit_set(tree, &words, &problems)) != 0) == (problems.error_count > 0));
}

static void check_tree(struct tree *tree)
{
	struct problems problems;
	struct bytes text, again_text;
	struct tree again;

	bytes_init(&text, OUT_BYTES);
	bytes_init(&again_text, OUT_BYTES);
	problems_init(&problems);
	must(tree_init(&again) == 0);
	must(print_tree(&text, tree->root) == 0);
	must(parse_text(&again, bytes_span(&text), PARSE_WHOLE, &problems) == 0);
	must(print_tree(&again_text, again.root) == 0);
	must(span_equal(bytes_span(&text), bytes_span(&again_text)));
	tree_fini(&again);
	bytes_fini(&text);
	bytes_fini(&again_text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tree tree;

	must(tree_init(&tree) == 0);
	while (size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t line = end != NULL ? (size_t)(end - data) : size;

		run_line(&tree, (struct span){data, line});
		size -= end != NULL ? line + 1 : line;
		data += end != NULL ? line + 1 : line;
	}
	check_tree(&tree);
	tree_fini(&tree);
	return 0;
}
