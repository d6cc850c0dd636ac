/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho check: parse, validate and compile a configuration; print its canonical form. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "policy/parse.h"
#include "policy/policy.h"
#include "policy/print.h"
#include "tools/tools.h"

#define READ_BYTES 65536

static int read_descriptor(struct bytes *out, int fd)
{
	static uint8_t chunk[READ_BYTES];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		int err = bytes_append(out, chunk, (size_t)n);

		if (err != 0)
			return err;
	}
	return n < 0 ? -ERR_SYSTEM : 0;
}

static int read_file(struct bytes *out, const char *path)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -ERR_SYSTEM;
	err = read_descriptor(out, fd);
	if (fd != STDIN_FILENO)
		close(fd);
	return err;
}

/* Messages follow the locale, as those of other programs do. */
static enum language reader_language(void)
{
	const char *names[] = {getenv("LC_ALL"), getenv("LC_MESSAGES"), getenv("LANG")};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i] != NULL && names[i][0] != '\0')
			return strncmp(names[i], "ja", 2) == 0 ? LANGUAGE_JA : LANGUAGE_EN;
	}
	return LANGUAGE_EN;
}

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
	struct bytes text, out, messages;
	int err;

	if (argc != 2) {
		fprintf(stderr, "usage: sekisho check FILE\n");
		return 2;
	}
	bytes_init(&text, 2 * PARSE_TEXT_BYTES_MAX);
	bytes_init(&out, 4 * PARSE_TEXT_BYTES_MAX);
	bytes_init(&messages, PARSE_TEXT_BYTES_MAX);
	problems_init(&problems);
	err = read_file(&text, argv[1]);
	if (err != 0)
		fprintf(stderr, "sekisho: cannot read %s: %s\n", argv[1],
			err == -ERR_SYSTEM ? strerror(errno) : err_name(err));
	else
		err = check_text(&out, bytes_span(&text), &problems);
	if (problems_print(&messages, &problems, argv[1], reader_language()) == 0)
		fwrite(messages.data, 1, messages.size, stderr);
	if (err == 0)
		fwrite(out.data, 1, out.size, stdout);
	bytes_fini(&messages);
	bytes_fini(&out);
	bytes_fini(&text);
	return err == 0 ? 0 : 1;
}
