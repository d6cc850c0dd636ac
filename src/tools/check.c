/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho check: parse, validate and compile a configuration; print its canonical form. */
#include <stdio.h>

#include "policy/parse.h"
#include "policy/policy.h"
#include "policy/print.h"
#include "tools/config_file.h"
#include "tools/tools.h"

/* Parse, compile, and leave the canonical text in @out. */
static int check_text(struct bytes *out, struct span text, struct problems *problems)
{
	struct bytes block;
	struct tree tree;
	int err = tree_init(&tree);

	if (err != 0)
		return err;
	bytes_init(&block, SNAPSHOT_BYTES_MAX);
	err = parse_text(&tree, text, PARSE_WHOLE, problems);
	if (err == 0)
		err = policy_compile(&tree, &block, problems);
	if (err == 0)
		err = print_tree(out, tree.root);
	bytes_fini(&block);
	tree_fini(&tree);
	return err;
}

int tool_check(int argc, char **argv)
{
	static struct problems problems;
	struct bytes text, out;
	int err;

	if (argc != 2) {
		fprintf(stderr, "usage: sekisho check FILE\n");
		return 2;
	}
	bytes_init(&text, 2 * PARSE_TEXT_BYTES_MAX);
	bytes_init(&out, 4 * PARSE_TEXT_BYTES_MAX);
	problems_init(&problems);
	err = config_file_read(&text, argv[1]);
	if (err == 0)
		err = check_text(&out, bytes_span(&text), &problems);
	config_file_complain(&problems, argv[1]);
	if (err == 0)
		fwrite(out.data, 1, out.size, stdout);
	bytes_fini(&out);
	bytes_fini(&text);
	return err == 0 ? 0 : 1;
}
