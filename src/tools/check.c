/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho check: parse, validate and compile a configuration; print its canonical form. */
#include <getopt.h>
#include <stdio.h>
#include <time.h>

#include "base/err.h"
#include "policy/parse.h"
#include "policy/policy.h"
#include "policy/print.h"
#include "tools/config_file.h"
#include "tools/tools.h"

/* When: @at in the configuration's own time, which only its compiled form tells; now without. */
static int find_time(int64_t *at_s, const char *at, struct tree *tree, struct problems *problems)
{
	struct snapshot view;
	struct bytes block;
	int err;

	*at_s = time(NULL);
	if (at == NULL)
		return 0;
	bytes_init(&block, SNAPSHOT_BYTES_MAX);
	err = policy_compile(tree, &block, problems);
	if (err == 0)
		err = snapshot_view(&view, block.data, block.size);
	if (err == 0)
		err = config_file_time(at_s, at, view.header->utc_offset_s);
	if (err == -ERR_SYNTAX)
		fprintf(stderr, "sekisho check: --at takes YYYY-MM-DDTHH:MM\n");
	bytes_fini(&block);
	return err;
}

static int check_tree(struct tree *tree, const char *at, struct problems *problems)
{
	struct bytes block;
	int64_t at_s;
	int err = find_time(&at_s, at, tree, problems);

	if (err != 0)
		return err;
	problems_init(problems); /* the same once more, and what is unwise */
	bytes_init(&block, SNAPSHOT_BYTES_MAX);
	err = policy_check(tree, at_s, &block, problems);
	bytes_fini(&block);
	return err;
}

/* Parse, check, and leave the canonical text in @out. */
static int check_text(struct bytes *out, struct span text, const char *at,
		      struct problems *problems)
{
	struct tree tree;
	int err = tree_init(&tree);

	if (err != 0)
		return err;
	err = parse_text(&tree, text, PARSE_WHOLE, problems);
	if (err == 0)
		err = check_tree(&tree, at, problems);
	if (err == 0)
		err = print_tree(out, tree.root);
	tree_fini(&tree);
	return err;
}

/* "check [--at TIME] FILE". Return: the file, NULL where the line is another. */
static const char *read_options(int argc, char **argv, const char **at)
{
	static const struct option options[] = {{"at", required_argument, NULL, 'a'},
						{NULL, 0, NULL, 0}};
	int option;

	*at = NULL;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'a')
			return NULL;
		*at = optarg;
	}
	return argc - optind == 1 ? argv[optind] : NULL;
}

int tool_check(int argc, char **argv)
{
	static struct problems problems;
	struct bytes text, out;
	const char *at, *path = read_options(argc, argv, &at);
	int err;

	if (path == NULL)
		return tool_usage("check");
	bytes_init(&text, 2 * PARSE_TEXT_BYTES_MAX);
	bytes_init(&out, 4 * PARSE_TEXT_BYTES_MAX);
	problems_init(&problems);
	err = config_file_read(&text, path);
	if (err == 0)
		err = check_text(&out, bytes_span(&text), at, &problems);
	config_file_complain(&problems, path);
	if (err == 0)
		fwrite(out.data, 1, out.size, stdout);
	bytes_fini(&out);
	bytes_fini(&text);
	return err == 0 ? 0 : 1;
}
