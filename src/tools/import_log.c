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

#include "audit/device_key.h"
#include "base/err.h"
#include "tools/log_anchors.h"
#include "tools/log_choose.h"
#include "tools/log_copy.h"
#include "tools/tools.h"
#include "wire/log/chain.h"

enum { STATUS_WHOLE = 0, STATUS_NOT = 1, STATUS_USAGE = 2 };

#define LOG_NAME_BYTES 32  /* twenty digits, ".log" and NUL */
#define TOLD_MAX       100 /* records that are not written, by name; the others are counted */

struct import {
	const char *host; /* NULL: of any */
	char **names;     /* of the sources, in the order of the arguments */
	int *sources;     /* descriptors */
	int source_count;
	struct log_place *places; /* by sequence, once all have been read */
	size_t count, capacity;
	struct log_anchors expected; /* its key */
	struct log_anchor *anchors;  /* that say they are by that key; then those that are */
	size_t anchor_count, anchor_capacity;

	int directory, out; /* descriptors; -1: none */
	unsigned files;
	uint64_t first, last; /* written; 0: none yet */
	uint64_t early;       /* records before the first that begins a file */
	uint64_t twice, foreign, undecided;
	bool gaps;
};

/* Room for one more of @size bytes. Return: the array, which may have moved; NULL: no memory. */
static void *room(void *array, size_t count, size_t *capacity, size_t size)
{
	size_t wanted = *capacity > 0 ? *capacity * 2 : 1024;
	void *grown;

	if (count < *capacity)
		return array;
	grown = realloc(array, wanted * size);
	if (grown != NULL)
		*capacity = wanted;
	return grown;
}

static int add(struct import *im, const struct log_place *place)
{
	struct log_place *places;

	if (im->count == LOG_COPY_RECORDS_MAX)
		return -ERR_TOO_LONG;
	places = room(im->places, im->count, &im->capacity, sizeof(*places));
	if (places == NULL)
		return -ERR_NO_MEMORY;
	im->places = places;
	places[im->count++] = *place;
	return 0;
}

/* Keep an anchor that says it is by the expected key. Return: 0 or -ERR_NO_MEMORY. */
static int add_anchor(struct import *im, const struct syslog_view *view)
{
	struct log_anchor anchor, *anchors;

	if (!im->expected.expects_key || !span_equal(view->process, span_of("audit")) ||
	    !span_equal(view->message_id, span_of(LOG_ANCHOR_EVENT)) ||
	    log_anchor_parse(view, &anchor) < 0 ||
	    memcmp(anchor.key, im->expected.key, sizeof(anchor.key)) != 0)
		return 0;
	anchors = room(im->anchors, im->anchor_count, &im->anchor_capacity, sizeof(*anchors));
	if (anchors == NULL)
		return -ERR_NO_MEMORY;
	im->anchors = anchors;
	anchors[im->anchor_count++] = anchor;
	return 0;
}

static void take_digest(struct span message, uint8_t digest[LOG_PLACE_DIGEST_BYTES])
{
	uint8_t whole[SHA256_BYTES];
	struct sha256 hash;

	sha256_init(&hash);
	sha256_update(&hash, message.data, message.size);
	sha256_final(&hash, whole);
	memcpy(digest, whole, LOG_PLACE_DIGEST_BYTES);
}

static bool is_wanted(const struct import *im, struct span message, struct syslog_view *view)
{
	return message.size <= LOG_CHAIN_LINE_MAX && syslog_parse(message, view) == 0 &&
	       (im->host == NULL || span_equal(view->host, span_of(im->host)));
}

/* Note where the records of one file stand. Return: 0, -ERR_SYSTEM (errno), or as add(). */
static int read_source(struct import *im, int source)
{
	struct log_place place = {.source = (uint16_t)source};
	struct log_copy_record record;
	struct syslog_view view;
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
		if (log_copy_parse(line, &record, &message) && is_wanted(im, message, &view)) {
			place.sequence = record.sequence;
			place.offset = begin + (message.data - line.data);
			place.size = (uint16_t)message.size;
			take_digest(message, place.digest);
			err = add(im, &place);
			err = err < 0 ? err : add_anchor(im, &view);
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

/* Those of one number side by side where they are the same, then by arguments and lines. */
static int by_sequence(const void *a, const void *b)
{
	const struct log_place *x = a, *y = b;

	if (x->sequence != y->sequence)
		return x->sequence < y->sequence ? -1 : 1;
	if (memcmp(x->digest, y->digest, sizeof(x->digest)) != 0)
		return memcmp(x->digest, y->digest, sizeof(x->digest));
	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* Return: 0, or -ERR_SYSTEM after a message: the file is not what it was a moment ago. */
static int load(const struct import *im, const struct log_place *place, uint8_t *line)
{
	ssize_t got = pread(im->sources[place->source], line, place->size, place->offset);

	if (got == place->size)
		return 0;
	fprintf(stderr, "sekisho: %s:%" PRIu32 ": cannot be read again\n", im->names[place->source],
		place->line);
	return -ERR_SYSTEM;
}

static int by_record(const void *a, const void *b)
{
	const struct log_anchor *x = a, *y = b;

	if (x->sequence != y->sequence)
		return x->sequence < y->sequence ? -1 : 1;
	return memcmp(x->hash, y->hash, sizeof(x->hash));
}

/* Keep each anchor that the expected key has signed once: whoever sends one again and again proves
 * no more by that, and each costs a search. */
static void check_anchors(struct import *im)
{
	size_t kept = 0;

	if (im->anchor_count > 1)
		qsort(im->anchors, im->anchor_count, sizeof(*im->anchors), by_record);
	for (size_t i = 0; i < im->anchor_count; i++) {
		if (kept > 0 && by_record(&im->anchors[kept - 1], &im->anchors[i]) == 0)
			continue;
		if (device_key_check(&im->anchors[i]))
			im->anchors[kept++] = im->anchors[i];
	}
	im->anchor_count = kept;
}

static int load_place(void *ctx, const struct log_place *place, uint8_t line[LOG_CHAIN_LINE_MAX])
{
	return load(ctx, place, line);
}

static void tell_fork(const struct import *im, const struct log_place *a, const struct log_place *b)
{
	fprintf(stderr,
		"sekisho: %s:%" PRIu32 " and %s:%" PRIu32 ": two records with the number %" PRIu64
		" that both go on from the one before; of two gateways? --host chooses one; "
		"forged? --key tells which\n",
		im->names[a->source], a->line, im->names[b->source], b->line, a->sequence);
}

/* Say what is not written. */
static void tell_left_out(struct import *im, const struct log_place *place)
{
	const char *why = im->expected.expects_key
				  ? "nothing that the key has signed proves this record"
				  : "nothing tells which of the records with this number is the "
				    "gateway's";
	bool foreign = place->fate == LOG_FOREIGN;

	if (foreign)
		im->foreign++;
	else
		im->undecided++;
	if (im->foreign + im->undecided > TOLD_MAX)
		return;
	fprintf(stderr, "sekisho: %s:%" PRIu32 ": record %" PRIu64 ": %s: left out\n",
		im->names[place->source], place->line, place->sequence,
		foreign ? "another one with this number is the gateway's" : why);
}

/* A record may have come twice, and from two servers, and anybody who reaches a server may have
 * added some. Return: 0, or -ERR_INTEGRITY or -ERR_SYSTEM after a message. */
static int choose(struct import *im)
{
	struct log_choice choice = {.places = im->places,
				    .count = im->count,
				    .anchors = im->anchors,
				    .anchor_count = im->anchor_count,
				    .keyed = im->expected.expects_key,
				    .load = load_place,
				    .ctx = im};
	int err;

	err = log_choose(&choice);
	for (size_t i = 0; choice.forked && i < choice.fork; i++) {
		if (im->places[i].sequence == im->places[choice.fork].sequence &&
		    im->places[i].fate == LOG_TAKEN)
			tell_fork(im, &im->places[i], &im->places[choice.fork]);
	}
	return err;
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
static int write_record(struct import *im, const struct log_place *place)
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
		const struct log_place *place = &im->places[i];

		if (place->fate == LOG_TWICE)
			im->twice++;
		else if (place->fate != LOG_TAKEN)
			tell_left_out(im, place);
		else if (write_record(im, place) < 0)
			return -ERR_SYSTEM;
	}
	if (im->foreign + im->undecided > 0)
		fprintf(stderr, "sekisho: %" PRIu64 " records were left out\n",
			im->foreign + im->undecided);
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
	check_anchors(im);
	return choose(im) < 0 ? STATUS_NOT : 0;
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
	return im->gaps || im->undecided > 0 ? STATUS_NOT : STATUS_WHOLE;
}

/* --host NAME and --key KEY in any order. Return: the first argument behind them; 0: wrong. */
static int read_options(struct import *im, int argc, char **argv)
{
	int at = 1;

	for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
		if (strcmp(argv[at], "--host") == 0) {
			im->host = argv[at + 1];
		} else if (strcmp(argv[at], "--key") != 0) {
			return 0;
		} else if (log_anchors_expect(&im->expected, argv[at + 1]) < 0) {
			fprintf(stderr, "sekisho: %s: no public key\n", argv[at + 1]);
			return 0;
		}
	}
	return at;
}

int tool_import_log(int argc, char **argv)
{
	struct import im = {.directory = -1, .out = -1};
	int status = STATUS_USAGE, at = read_options(&im, argc, argv);

	im.names = argv + at;
	im.source_count = argc - at - 1;
	if (at == 0 || im.source_count < 1 || im.source_count > UINT16_MAX || argv[at][0] == '-')
		return tool_usage("import-log");
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
	free(im.anchors);
	return status;
}
