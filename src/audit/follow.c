/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the log from where the question before has ended. */
#include "audit/follow.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/store_files.h"

/* Where the log ends now. */
static struct answer_place log_end(const struct store *store)
{
	const struct store_segment *last;

	if (store->segment_count == 0)
		return (struct answer_place){0};
	last = &store->segments[store->segment_count - 1];
	return (struct answer_place){last->first_sequence, last->size_bytes};
}

/* Return: what stands behind the place; NULL: there is none. */
static const char *read_place(const char *argument, struct answer_place *place)
{
	char *end;

	if (argument[0] < '0' || argument[0] > '9')
		return NULL;
	place->segment = strtoull(argument, &end, 10);
	if (end[0] != ':' || end[1] < '0' || end[1] > '9')
		return NULL;
	place->offset = strtoull(end + 1, &end, 10);
	if (*end != ' ' && *end != '\0')
		return NULL;
	return *end == ' ' ? end + 1 : end;
}

/* A line begins there: it stands at the start, or behind the end of another. */
static bool is_line(int fd, uint64_t offset)
{
	char before;

	return offset == 0 || (pread(fd, &before, 1, (off_t)offset - 1) == 1 && before == '\n');
}

/* Note a record that matches: the newest stay. */
static void keep(struct answer *a, uint64_t *matches, uint64_t segment, uint64_t offset)
{
	a->places[(*matches)++ % FOLLOW_ROWS_MAX] = (struct answer_place){segment, offset};
}

/* From @at to the end of its segment, or as much as may be read. Return: bytes read. */
static uint64_t read_segment(struct answer *a, struct answer_place *at, uint64_t most,
			     const char *text, uint64_t *matches)
{
	uint8_t buffer[STORE_LINE_MAX + 1];
	uint64_t begin = at->offset;
	struct span line;
	int fd = store_file_open(a->store->directory, at->segment, O_RDONLY);

	if (fd < 0)
		return 0;
	while (is_line(fd, begin) && at->offset - begin < most &&
	       store_read_line(fd, at->offset, buffer, &line) == 0) {
		if (text[0] == '\0' || memmem(line.data, line.size, text, strlen(text)) != NULL)
			keep(a, matches, at->segment, at->offset);
		at->offset += line.size + 1;
	}
	(void)close(fd); /* read only */
	return at->offset - begin;
}

/* The oldest record first, as the rows are given. */
static void settle(struct answer *a, uint64_t matches)
{
	struct answer_place sorted[FOLLOW_ROWS_MAX] = {0};
	size_t count = matches < FOLLOW_ROWS_MAX ? (size_t)matches : FOLLOW_ROWS_MAX;

	for (size_t i = 0; i < count; i++)
		sorted[i] = a->places[(matches - count + i) % FOLLOW_ROWS_MAX];
	memcpy(a->places, sorted, count * sizeof(sorted[0]));
	a->next = 0;
	a->count = count;
	a->left_out = matches - count;
}

void follow_search(struct answer *a)
{
	struct answer_place at = {0};
	const char *text = read_place(a->query.argument, &at);
	uint64_t matches = 0, most = FOLLOW_BYTES_MAX;

	a->end = log_end(a->store);
	for (size_t i = 0; text != NULL && i < a->store->segment_count; i++) {
		const struct store_segment *segment = &a->store->segments[i];
		uint64_t size;

		if (segment->first_sequence < at.segment)
			continue;
		if (segment->first_sequence > at.segment)
			at = (struct answer_place){segment->first_sequence, 0};
		size = read_segment(a, &at, most, text, &matches);
		most -= size < most ? size : most;
		if (most > 0)
			continue;
		a->end = at; /* the rest is for the next question */
		break;
	}
	if (most > 0 && text != NULL)
		a->end = at.segment != 0 ? at : a->end;
	settle(a, matches);
}
