/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho import-log: make a log directory, as the gateway has it, out of what syslog servers
 * wrote. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "tools/log_copy.h"
#include "tools/tools.h"
#include "wire/log_chain.h"

enum { STATUS_WHOLE = 0, STATUS_NOT = 1, STATUS_USAGE = 2 };

#define LOG_NAME_BYTES 32 /* twenty digits, ".log" and NUL */

/* Where one record was found. */
struct place {
	uint64_t sequence;
	int64_t offset; /* of its first byte in the file */
	uint32_t line;
	uint16_t size; /* bytes without line end; LOG_CHAIN_LINE_MAX at most */
	uint16_t source;
};

struct import {
	const char *host; /* NULL: of any */
	char **names;     /* of the sources, in the order of the arguments */
	int *sources;     /* descriptors */
	int source_count;
	struct place *places; /* by sequence, once all have been read */
	size_t count, capacity;

	int directory, out; /* descriptors; -1: none */
	unsigned files;
	uint64_t first, last; /* written; 0: none yet */
	uint64_t early;       /* records before the first that begins a file */
	uint64_t twice;
	bool gaps;
};

static int add(struct import *im, const struct place *place)
{
	if (im->count == LOG_COPY_RECORDS_MAX)
		return -ERR_TOO_LONG;
	if (im->count == im->capacity) {
		size_t capacity = im->capacity > 0 ? im->capacity * 2 : 1024;
		void *grown = realloc(im->places, capacity * sizeof(*place));

		if (grown == NULL)
			return -ERR_NO_MEMORY;
		im->places = grown;
		im->capacity = capacity;
	}
	im->places[im->count++] = *place;
	return 0;
}

static bool is_wanted(const struct import *im, struct span message)
{
	struct syslog_view view;

	return message.size <= LOG_CHAIN_LINE_MAX && syslog_parse(message, &view) == 0 &&
	       (im->host == NULL || span_equal(view.host, span_of(im->host)));
}

/* Note where the records of one file stand. Return: 0, -ERR_SYSTEM (errno), or as add(). */
static int read_source(struct import *im, int source)
{
	struct place place = {.source = (uint16_t)source};
	struct log_copy_record record;
	struct span message;
	char *text = NULL;
	size_t capacity = 0;
	int64_t begin = 0;
	ssize_t size;
	int err = 0;
	FILE *file = fopen(im->names[source], "re");

	if (file == NULL)
		return -ERR_SYSTEM;
	while (err == 0 && (size = getline(&text, &capacity, file)) > 0) {
		struct span line = {(const uint8_t *)text, (size_t)size};

		place.line++;
		if (log_copy_parse(line, &record, &message) && is_wanted(im, message)) {
			place.sequence = record.sequence;
			place.offset = begin + (message.data - line.data);
			place.size = (uint16_t)message.size;
			err = add(im, &place);
		}
		begin += size;
	}
	if (err == 0 && ferror(file))
		err = -ERR_SYSTEM;
	im->sources[source] = dup(fileno(file));
	if (err == 0 && im->sources[source] < 0)
		err = -ERR_SYSTEM;
	free(text);
	(void)fclose(file); /* read only */
	return err;
}

/* Those of one number by the order of the arguments and lines. */
static int by_sequence(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->sequence != y->sequence)
		return x->sequence < y->sequence ? -1 : 1;
	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* Return: 0, or -ERR_SYSTEM after a message: the file is not what it was a moment ago. */
static int load(const struct import *im, const struct place *place, uint8_t *line)
{
	ssize_t got = pread(im->sources[place->source], line, place->size, place->offset);

	if (got == place->size)
		return 0;
	fprintf(stderr, "sekisho: %s:%" PRIu32 ": cannot be read again\n", im->names[place->source],
		place->line);
	return -ERR_SYSTEM;
}

/* A record may have come twice, and from two servers: it must be the same. Return: 0, or
 * -ERR_INTEGRITY or -ERR_SYSTEM after a message. */
static int check_doubles(const struct import *im)
{
	uint8_t lines[2][LOG_CHAIN_LINE_MAX];

	for (size_t i = 1; i < im->count; i++) {
		const struct place *a = &im->places[i - 1], *b = &im->places[i];

		if (a->sequence != b->sequence)
			continue;
		if (load(im, a, lines[0]) < 0 || load(im, b, lines[1]) < 0)
			return -ERR_SYSTEM;
		if (a->size == b->size && memcmp(lines[0], lines[1], a->size) == 0)
			continue;
		fprintf(stderr,
			"sekisho: %s:%" PRIu32 " and %s:%" PRIu32
			": two records with the number %" PRIu64
			"; of two gateways? --host chooses one\n",
			im->names[a->source], a->line, im->names[b->source], b->line, a->sequence);
		return -ERR_INTEGRITY;
	}
	return 0;
}

/* Return: 0, or -ERR_SYSTEM after a message. */
static int begin_file(struct import *im, uint64_t sequence)
{
	char name[LOG_NAME_BYTES];

	snprintf(name, sizeof(name), "%020" PRIu64 ".log", sequence);
	if (im->out >= 0)
		(void)close(im->out); /* each write was seen to succeed */
	im->out = openat(im->directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (im->out < 0) {
		fprintf(stderr, "sekisho: %s: %s\n", name, strerror(errno));
		return -ERR_SYSTEM;
	}
	im->files++;
	return 0;
}

/* Return: 0, or -ERR_SYSTEM after a message. */
static int write_record(struct import *im, const struct place *place)
{
	uint8_t line[LOG_CHAIN_LINE_MAX + 1];
	struct log_chain chain;

	if (load(im, place, line) < 0)
		return -ERR_SYSTEM;
	if (log_chain_adopt(&chain, (struct span){line, place->size}) == 0) {
		if (begin_file(im, place->sequence) < 0)
			return -ERR_SYSTEM;
	} else if (im->out < 0) {
		im->early++;
		return 0;
	}
	if (im->first == 0) {
		im->first = place->sequence;
	} else if (place->sequence != im->last + 1) {
		fprintf(stderr, "sekisho: records %" PRIu64 " to %" PRIu64 " are in no file\n",
			im->last + 1, place->sequence - 1);
		im->gaps = true;
	}
	line[place->size] = '\n';
	if (write(im->out, line, place->size + 1U) != (ssize_t)place->size + 1) {
		fprintf(stderr, "sekisho: the log cannot be written: %s\n", strerror(errno));
		return -ERR_SYSTEM;
	}
	im->last = place->sequence;
	return 0;
}

static int write_all(struct import *im)
{
	for (size_t i = 0; i < im->count; i++) {
		if (i > 0 && im->places[i].sequence == im->places[i - 1].sequence)
			im->twice++;
		else if (write_record(im, &im->places[i]) < 0)
			return -ERR_SYSTEM;
	}
	return 0;
}

/* Return: 0, or -ERR_SYSTEM after a message: nothing was made where it is there already. */
static int make_directory(struct import *im, const char *name)
{
	if (mkdir(name, 0755) == 0)
		im->directory = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (im->directory >= 0)
		return 0;
	fprintf(stderr, "sekisho: %s: %s\n", name, strerror(errno));
	return -ERR_SYSTEM;
}

/* Read all sources and see that they fit together, before anything is written. Return: 0, or the
 * exit status after a message. */
static int read_sources(struct import *im)
{
	for (int i = 0; i < im->source_count; i++) {
		int err = read_source(im, i);

		if (err < 0) {
			fprintf(stderr, "sekisho: %s: %s\n", im->names[i],
				err == -ERR_SYSTEM ? strerror(errno) : err_name(err));
			return STATUS_USAGE;
		}
	}
	if (im->count == 0) {
		fprintf(stderr, "sekisho: no record of %s in any file\n",
			im->host != NULL ? im->host : "a gateway");
		return STATUS_NOT;
	}
	qsort(im->places, im->count, sizeof(*im->places), by_sequence);
	return check_doubles(im) < 0 ? STATUS_NOT : 0;
}

static int import(struct import *im, const char *directory)
{
	int status = read_sources(im);

	if (status != 0)
		return status;
	if (make_directory(im, directory) < 0)
		return STATUS_USAGE;
	if (write_all(im) < 0)
		return STATUS_NOT;
	if (im->files == 0) {
		fprintf(stderr, "sekisho: none of the records begins a file of the log\n");
		(void)rmdir(directory); /* it is empty */
		return STATUS_NOT;
	}
	printf("records %" PRIu64 " to %" PRIu64 " in %u files; %" PRIu64 " came twice, %" PRIu64
	       " before the first file were left out\n",
	       im->first, im->last, im->files, im->twice, im->early);
	return im->gaps ? STATUS_NOT : STATUS_WHOLE;
}

int tool_import_log(int argc, char **argv)
{
	struct import im = {.directory = -1, .out = -1};
	int status = STATUS_USAGE, at = 1;

	if (argc > 2 && strcmp(argv[1], "--host") == 0) {
		im.host = argv[2];
		at = 3;
	}
	im.names = argv + at;
	im.source_count = argc - at - 1;
	if (im.source_count < 1 || im.source_count > UINT16_MAX || argv[at][0] == '-') {
		fprintf(stderr, "usage: sekisho import-log [--host NAME] FILE... DIR\n");
		return STATUS_USAGE;
	}
	im.sources = malloc((size_t)im.source_count * sizeof(*im.sources));
	if (im.sources != NULL) {
		for (int i = 0; i < im.source_count; i++)
			im.sources[i] = -1;
		status = import(&im, argv[argc - 1]);
		for (int i = 0; i < im.source_count; i++)
			close(im.sources[i]);
	}
	if (im.out >= 0 && close(im.out) < 0)
		status = STATUS_NOT;
	if (im.directory >= 0)
		close(im.directory);
	free(im.sources);
	free(im.places);
	return status;
}
