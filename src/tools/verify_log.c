/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho verify-log: is the hash chain of a log directory whole, from its oldest record to its
 * newest? (L1) */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "tools/log_walk.h"
#include "tools/tools.h"

static void print_bad(const struct log_walk *w)
{
	printf("%s:%lu: ", w->file, w->line);
	if (w->begun)
		printf("record %llu: ", (unsigned long long)w->chain.next_sequence);
	printf("%s\n", w->why);
}

static void print_whole(const struct log_walk *w)
{
	const struct log_anchors *anchors = &w->anchors;
	char key[SHA256_HEX_BYTES];

	printf("whole: records %llu to %llu in %d files\n", (unsigned long long)w->first,
	       (unsigned long long)log_walk_last(w), w->file_count);
	if (anchors->count == 0)
		return;
	sha256_hex(anchors->last.key, key);
	printf("anchored: up to record %llu, %lu times; the last key is %s%s\n",
	       (unsigned long long)anchors->last.sequence, anchors->count, key,
	       anchors->expects_key ? ", as expected" : ", compare it with that of the device");
}

/* Return: the exit status: 0 whole, 1 not, 2 no log. */
static int verify_directory(struct log_walk *w, const char *directory)
{
	int err = log_walk_directory(w, directory);

	if (err == -ERR_NOT_FOUND)
		return 2;
	if (err < 0)
		print_bad(w);
	else
		print_whole(w);
	return err < 0 ? 1 : 0;
}

/* Return: 0, or -ERR_SYNTAX after a message. */
static int take_copy(struct log_walk *w, const char *path)
{
	if (log_copy_read(&w->copy, path) < 0) {
		fprintf(stderr, "sekisho: %s: cannot be read\n", path);
		return -ERR_SYNTAX;
	}
	if (w->copy.count == 0) {
		fprintf(stderr, "sekisho: %s: no record of a gateway in it\n", path);
		return -ERR_SYNTAX;
	}
	return 0;
}

static int take_key(struct log_walk *w, const char *name)
{
	if (log_anchors_expect(&w->anchors, name) == 0)
		return 0;
	fprintf(stderr, "sekisho: %s: neither 64 hexadecimal digits nor a PEM of an Ed25519 key\n",
		name);
	return -ERR_SYNTAX;
}

int tool_verify_log(int argc, char **argv)
{
	struct log_walk w = {0};
	const char *directory = NULL, *copy = NULL, *key = NULL;
	bool usable = true;
	int status = 2;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--key") == 0 && key == NULL && i + 1 < argc)
			key = argv[++i];
		else if (strcmp(argv[i], "--part") == 0)
			w.part = true;
		else if (argv[i][0] == '-' || copy != NULL)
			usable = false;
		else if (directory == NULL)
			directory = argv[i];
		else
			copy = argv[i];
	}
	if (!usable || directory == NULL)
		return tool_usage("verify-log");
	if ((copy == NULL || take_copy(&w, copy) == 0) && (key == NULL || take_key(&w, key) == 0))
		status = verify_directory(&w, directory);
	log_copy_fini(&w.copy);
	return status;
}
