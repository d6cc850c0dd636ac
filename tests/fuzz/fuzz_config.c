/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration text that obeys nothing. What parses must print to a form that parses to the same
 * bytes and differs in nothing from itself; what compiles must pass the loader; what is refused
 * must say why.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/parse.h"
#include "policy/policy.h"
#include "policy/print.h"

#define NOW_S     1793458800 /* when what is unwise is looked for: 2026-11-01 */
#define OUT_BYTES (64U << 20)

static void must(bool holds)
{
	if (!holds)
		abort();
}

static int parse(struct tree *tree, struct span text, struct problems *problems)
{
	int err;

	problems_init(problems);
	must(tree_init(tree) == 0);
	err = parse_text(tree, text, PARSE_WHOLE, problems);
	must((err != 0) == (problems->error_count > 0));
	return err;
}

static void say_problems(const struct problems *problems)
{
	struct bytes out;

	for (int language = LANGUAGE_EN; language <= LANGUAGE_JA; language++) {
		bytes_init(&out, OUT_BYTES);
		must(problems_print(&out, problems, "f", language) == 0);
		must((out.size > 0) == (problems->count > 0));
		bytes_fini(&out);
	}
}

/* Print, parse, print: the same; and no difference. */
static void check_canonical(struct tree *tree)
{
	struct bytes first, second, difference;
	struct problems problems;
	struct tree again;

	bytes_init(&first, OUT_BYTES);
	bytes_init(&second, OUT_BYTES);
	bytes_init(&difference, OUT_BYTES);
	must(print_tree(&first, tree->root) == 0);
	must(parse(&again, bytes_span(&first), &problems) == 0);
	must(print_tree(&second, again.root) == 0);
	must(span_equal(bytes_span(&first), bytes_span(&second)));
	must(print_difference(&difference, tree, &again) == 0 && difference.size == 0);
	tree_fini(&again);
	bytes_fini(&first);
	bytes_fini(&second);
	bytes_fini(&difference);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct problems problems;
	struct snapshot view;
	struct bytes block;
	struct tree tree;

	if (parse(&tree, (struct span){data, size}, &problems) == 0) {
		check_canonical(&tree);
		bytes_init(&block, SNAPSHOT_BYTES_MAX);
		if (policy_check(&tree, NOW_S, &block, &problems) == 0)
			must(snapshot_view(&view, block.data, block.size) == 0);
		for (uint32_t i = 0; i < problems.count; i++)
			must(problems.items[i].id != PROBLEM_NOT_SOUND);
		bytes_fini(&block);
	}
	say_problems(&problems);
	tree_fini(&tree);
	return 0;
}
