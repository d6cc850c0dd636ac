/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho verify-log: is the hash chain of a log directory whole, from its oldest record to its
 * newest? (L1) */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/log_anchors.h"
#include "tools/log_copy.h"
#include "tools/tools.h"
#include "wire/log_chain.h"

#define LOG_NAME_CHARS 24 /* twenty digits and ".log" */

struct verification {
	struct log_chain chain;
	struct log_copy copy; /* of the syslog server; empty without one */
	struct log_anchors anchors;
	uint64_t first;      /* sequence number of the oldest record */
	uint64_t removed_to; /* the newest that a record of retention says was removed */
	char file[512];
	unsigned long line;
	const char *why;
	bool begun;
};

static int bad(struct verification *v, const char *why)
{
	v->why = why;
	return -ERR_INTEGRITY;
}

static int is_log_name(const struct dirent *entry)
{
	const char *name = entry->d_name;

	return strlen(name) == LOG_NAME_CHARS && strspn(name, "0123456789") == LOG_NAME_CHARS - 4 &&
	       strcmp(name + LOG_NAME_CHARS - 4, ".log") == 0;
}

/* The first record of a file: names the hash before it, and the file is named after it. */
static int check_first(struct verification *v, struct span line, const char *name)
{
	struct log_chain stated;
	char expected[32];

	if (log_chain_adopt(&stated, line) < 0)
		return bad(v, "the file does not begin with a record log-segment");
	if (v->begun && memcmp(stated.hash, v->chain.hash, sizeof(stated.hash)) != 0)
		return bad(
			v,
			"the file does not follow the one before: records are missing or altered");
	snprintf(expected, sizeof(expected), "%020llu.log",
		 (unsigned long long)stated.next_sequence);
	if (strcmp(expected, name) != 0)
		return bad(v, "the file's name is not the number of its first record");
	if (!v->begun) {
		static const uint8_t zero[SHA256_BYTES];

		if (stated.next_sequence == 1 && memcmp(stated.hash, zero, sizeof(zero)) != 0)
			return bad(v, "the first record of all names a record before it");
		v->chain = stated;
		v->first = stated.next_sequence;
		v->begun = true;
	}
	return 0;
}

static int check_line(struct verification *v, struct span line, const char *name)
{
	struct syslog_view view;
	uint64_t last;
	int err = v->line == 1 ? check_first(v, line, name) : 0;

	if (err == 0)
		err = log_chain_check(&v->chain, line, &view, &v->why);
	if (err == 0 && log_copy_check(&v->copy, v->chain.next_sequence - 1, v->chain.hash) < 0) {
		v->chain.next_sequence--;
		return bad(v, "the syslog server got another record under this number");
	}
	if (err == 0) {
		err = log_anchors_check(&v->anchors, &v->chain, &view, &v->why);
		v->chain.next_sequence -= err < 0; /* it is this record that is named */
	}
	if (err == 0 && span_equal(view.message_id, span_of("log-retention")) &&
	    span_equal(view.process, span_of("audit")) &&
	    syslog_param_number(&view, "last", &last) == 0 && last > v->removed_to)
		v->removed_to = last;
	return err;
}

static int check_lines(struct verification *v, FILE *file, const char *name)
{
	char *text = NULL;
	size_t capacity = 0;
	ssize_t size;
	int err = 0;

	while (err == 0 && (size = getline(&text, &capacity, file)) > 0) {
		v->line++;
		if (text[size - 1] != '\n')
			err = bad(v, "the record is incomplete: it has no line end");
		else
			err = check_line(v, (struct span){(const uint8_t *)text, (size_t)size - 1},
					 name);
	}
	if (err == 0 && ferror(file))
		err = bad(v, "the file cannot be read");
	else if (err == 0 && v->line == 0)
		err = bad(v, "the file is empty");
	free(text);
	return err;
}

static int check_file(struct verification *v, const char *directory, const char *name)
{
	FILE *file;
	int err;

	snprintf(v->file, sizeof(v->file), "%s/%s", directory, name);
	v->line = 0;
	file = fopen(v->file, "re");
	if (file == NULL)
		return bad(v, "the file cannot be opened");
	err = check_lines(v, file, name);
	(void)fclose(file); /* read only */
	return err;
}

/* What only shows when every record has been seen. */
static int check_ends(struct verification *v)
{
	if (v->first > 1 && v->removed_to + 1 < v->first)
		return bad(v, "older records are missing, and no record log-retention says that "
			      "they were "
			      "removed");
	if (log_copy_last(&v->copy) >= v->chain.next_sequence)
		return bad(v, "the log ends before this record, which the syslog server has");
	return log_anchors_check_end(&v->anchors, &v->why);
}

static int check_files(struct verification *v, const char *directory, struct dirent **names,
		       int count)
{
	int err = 0;

	for (int i = 0; err == 0 && i < count; i++)
		err = check_file(v, directory, names[i]->d_name);
	return err < 0 ? err : check_ends(v);
}

static void print_bad(const struct verification *v)
{
	printf("%s:%lu: ", v->file, v->line);
	if (v->begun)
		printf("record %llu: ", (unsigned long long)v->chain.next_sequence);
	printf("%s\n", v->why);
}

static void print_whole(const struct verification *v, int file_count)
{
	const struct log_anchors *anchors = &v->anchors;
	char key[SHA256_HEX_BYTES];

	printf("whole: records %llu to %llu in %d files\n", (unsigned long long)v->first,
	       (unsigned long long)(v->chain.next_sequence - 1), file_count);
	if (anchors->count == 0)
		return;
	sha256_hex(anchors->last.key, key);
	printf("anchored: up to record %llu, %lu times; the last key is %s%s\n",
	       (unsigned long long)anchors->last.sequence, anchors->count, key,
	       anchors->expects_key ? ", as expected" : ", compare it with that of the device");
}

/* Return: 0 whole, 1 not, 2 no log. */
static int verify_directory(struct verification *v, const char *directory)
{
	struct dirent **names;
	int err, count = scandir(directory, &names, is_log_name, alphasort);

	if (count <= 0) {
		fprintf(stderr, "sekisho: %s: %s\n", directory,
			count < 0 ? strerror(errno) : "no log files in it");
		return 2;
	}
	err = check_files(v, directory, names, count);
	if (err < 0)
		print_bad(v);
	else
		print_whole(v, count);
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return err < 0 ? 1 : 0;
}

/* Return: 0, or -ERR_SYNTAX after a message. */
static int take_copy(struct verification *v, const char *path)
{
	if (log_copy_read(&v->copy, path) < 0) {
		fprintf(stderr, "sekisho: %s: cannot be read\n", path);
		return -ERR_SYNTAX;
	}
	if (v->copy.count == 0) {
		fprintf(stderr, "sekisho: %s: no record of a gateway in it\n", path);
		return -ERR_SYNTAX;
	}
	return 0;
}

static int take_key(struct verification *v, const char *name)
{
	if (log_anchors_expect(&v->anchors, name) == 0)
		return 0;
	fprintf(stderr, "sekisho: %s: neither 64 hexadecimal digits nor a PEM of an Ed25519 key\n",
		name);
	return -ERR_SYNTAX;
}

int tool_verify_log(int argc, char **argv)
{
	struct verification v = {0};
	const char *directory = NULL, *copy = NULL, *key = NULL;
	bool usable = true;
	int status = 2;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--key") == 0 && key == NULL && i + 1 < argc)
			key = argv[++i];
		else if (argv[i][0] == '-' || copy != NULL)
			usable = false;
		else if (directory == NULL)
			directory = argv[i];
		else
			copy = argv[i];
	}
	if (!usable || directory == NULL) {
		fprintf(stderr, "usage: sekisho verify-log [--key PUBLIC-KEY] DIR [COPY]\n");
		return 2;
	}
	if ((copy == NULL || take_copy(&v, copy) == 0) && (key == NULL || take_key(&v, key) == 0))
		status = verify_directory(&v, directory);
	log_copy_fini(&v.copy);
	return status;
}
