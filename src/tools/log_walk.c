/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk over a log directory (L1). */
#include "tools/log_walk.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define LOG_NAME_CHARS 24 /* twenty digits and ".log" */

static int bad(struct log_walk *w, const char *why)
{
	w->why = why;
	return -ERR_INTEGRITY;
}

static int is_log_name(const struct dirent *entry)
{
	const char *name = entry->d_name;

	return strlen(name) == LOG_NAME_CHARS && strspn(name, "0123456789") == LOG_NAME_CHARS - 4 &&
	       strcmp(name + LOG_NAME_CHARS - 4, ".log") == 0;
}

/* The first record of a file: names the hash before it, and the file is named after it. */
static int check_first(struct log_walk *w, struct span line, const char *name)
{
	struct log_chain stated;
	char expected[32];

	if (log_chain_adopt(&stated, line) < 0)
		return bad(w, "the file does not begin with a record log-segment");
	if (w->begun && memcmp(stated.hash, w->chain.hash, sizeof(stated.hash)) != 0)
		return bad(
			w,
			"the file does not follow the one before: records are missing or altered");
	snprintf(expected, sizeof(expected), "%020llu.log",
		 (unsigned long long)stated.next_sequence);
	if (strcmp(expected, name) != 0)
		return bad(w, "the file's name is not the number of its first record");
	if (!w->begun) {
		static const uint8_t zero[SHA256_BYTES];

		if (stated.next_sequence == 1 && memcmp(stated.hash, zero, sizeof(zero)) != 0)
			return bad(w, "the first record of all names a record before it");
		w->chain = stated;
		w->first = stated.next_sequence;
		w->begun = true;
	}
	return 0;
}

static int check_line(struct log_walk *w, struct span line, const char *name)
{
	struct syslog_view view;
	uint64_t last;
	int err = w->line == 1 ? check_first(w, line, name) : 0;

	if (err == 0)
		err = log_chain_check(&w->chain, line, &view, &w->why);
	if (err == 0 && log_copy_check(&w->copy, w->chain.next_sequence - 1, w->chain.hash) < 0) {
		w->chain.next_sequence--;
		return bad(w, "the syslog server got another record under this number");
	}
	if (err == 0) {
		err = log_anchors_check(&w->anchors, &w->chain, &view, &w->why);
		w->chain.next_sequence -= err < 0; /* it is this record that is named */
	}
	if (err == 0 && span_equal(view.message_id, span_of("log-retention")) &&
	    span_equal(view.process, span_of("audit")) &&
	    syslog_param_number(&view, "last", &last) == 0 && last > w->removed_to)
		w->removed_to = last;
	if (err == 0 && w->seen != NULL)
		w->seen(w->ctx, w->chain.next_sequence - 1, &view);
	return err;
}

static int check_lines(struct log_walk *w, FILE *file, const char *name)
{
	char *text = NULL;
	size_t capacity = 0;
	ssize_t size;
	int err = 0;

	while (err == 0 && (size = getline(&text, &capacity, file)) > 0) {
		w->line++;
		if (text[size - 1] != '\n')
			err = bad(w, "the record is incomplete: it has no line end");
		else
			err = check_line(w, (struct span){(const uint8_t *)text, (size_t)size - 1},
					 name);
	}
	if (err == 0 && ferror(file))
		err = bad(w, "the file cannot be read");
	else if (err == 0 && w->line == 0)
		err = bad(w, "the file is empty");
	free(text);
	return err;
}

static int check_file(struct log_walk *w, const char *directory, const char *name)
{
	FILE *file;
	int err;

	snprintf(w->file, sizeof(w->file), "%s/%s", directory, name);
	w->line = 0;
	file = fopen(w->file, "re");
	if (file == NULL)
		return bad(w, "the file cannot be opened");
	err = check_lines(w, file, name);
	(void)fclose(file); /* read only */
	return err;
}

/* What only shows when every record has been seen. */
static int check_ends(struct log_walk *w)
{
	if (!w->part && w->first > 1 && w->removed_to + 1 < w->first)
		return bad(w, "older records are missing, and no record log-retention says that "
			      "they were "
			      "removed");
	if (log_copy_last(&w->copy) >= w->chain.next_sequence)
		return bad(w, "the log ends before this record, which the syslog server has");
	return log_anchors_check_end(&w->anchors, &w->why);
}

static int check_files(struct log_walk *w, const char *directory, struct dirent **names, int count)
{
	int err = 0;

	for (int i = 0; err == 0 && i < count; i++)
		err = check_file(w, directory, names[i]->d_name);
	return err < 0 ? err : check_ends(w);
}

int log_walk_directory(struct log_walk *w, const char *directory)
{
	struct dirent **names;
	int err;

	w->file_count = scandir(directory, &names, is_log_name, alphasort);
	if (w->file_count <= 0) {
		fprintf(stderr, "sekisho: %s: %s\n", directory,
			w->file_count < 0 ? strerror(errno) : "no log files in it");
		if (w->file_count == 0)
			free(names);
		return -ERR_NOT_FOUND;
	}
	err = check_files(w, directory, names, w->file_count);
	for (int i = 0; i < w->file_count; i++)
		free(names[i]);
	free(names);
	return err;
}

uint64_t log_walk_last(const struct log_walk *w)
{
	return w->begun ? w->chain.next_sequence - 1 : 0;
}
