/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading a syslog server's file. */
#include "tools/log_copy.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/log_chain.h"

static const char number_mark[] = "[" LOG_CHAIN_ELEMENT " seq=\"";

/* Servers put their own words in front of a message; what is ours is found by its marks. */
static bool parse_line(struct span line, struct log_copy_record *record)
{
	const uint8_t *mark = memmem(line.data, line.size, number_mark, sizeof(number_mark) - 1);
	const uint8_t *end = line.data + line.size;
	uint64_t number = 0;

	if (mark == NULL || log_chain_stated(line, record->hash) < 0)
		return false;
	for (mark += sizeof(number_mark) - 1; mark < end && *mark >= '0' && *mark <= '9'; mark++) {
		if (__builtin_mul_overflow(number, 10U, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*mark - '0'), &number))
			return false;
	}
	record->sequence = number;
	return number > 0 && mark < end && *mark == '"';
}

static int add(struct log_copy *copy, const struct log_copy_record *record)
{
	if (copy->count == LOG_COPY_RECORDS_MAX)
		return -ERR_TOO_LONG;
	if (copy->count == copy->capacity) {
		size_t capacity = copy->capacity > 0 ? copy->capacity * 2 : 1024;
		void *grown = realloc(copy->records, capacity * sizeof(*record));

		if (grown == NULL)
			return -ERR_NO_MEMORY;
		copy->records = grown;
		copy->capacity = capacity;
	}
	copy->records[copy->count++] = *record;
	return 0;
}

static int by_sequence(const void *a, const void *b)
{
	const struct log_copy_record *x = a, *y = b;

	return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

int log_copy_read(struct log_copy *copy, const char *path)
{
	struct log_copy_record record;
	char *text = NULL;
	size_t capacity = 0;
	ssize_t size;
	int err = 0;
	FILE *file = fopen(path, "re");

	*copy = (struct log_copy){0};
	if (file == NULL)
		return -ERR_SYSTEM;
	while (err == 0 && (size = getline(&text, &capacity, file)) > 0) {
		struct span line = span_trim((struct span){(const uint8_t *)text, (size_t)size});

		if (parse_line(line, &record))
			err = add(copy, &record);
	}
	if (err == 0 && ferror(file))
		err = -ERR_SYSTEM;
	free(text);
	(void)fclose(file); /* read only */
	if (copy->count > 0)
		qsort(copy->records, copy->count, sizeof(record), by_sequence);
	return err;
}

void log_copy_fini(struct log_copy *copy)
{
	free(copy->records);
	*copy = (struct log_copy){0};
}

/* The first record with a number of at least @sequence. */
static size_t lower_bound(const struct log_copy *copy, uint64_t sequence)
{
	size_t low = 0, high = copy->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (copy->records[middle].sequence < sequence)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int log_copy_check(const struct log_copy *copy, uint64_t sequence, const uint8_t hash[SHA256_BYTES])
{
	/* A record may have arrived twice: each must be the same. */
	for (size_t i = lower_bound(copy, sequence);
	     i < copy->count && copy->records[i].sequence == sequence; i++) {
		if (memcmp(copy->records[i].hash, hash, SHA256_BYTES) != 0)
			return -ERR_INTEGRITY;
	}
	return 0;
}

uint64_t log_copy_last(const struct log_copy *copy)
{
	return copy->count > 0 ? copy->records[copy->count - 1].sequence : 0;
}
