/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading a syslog server's file. */
#include "tools/log_copy.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/log/chain.h"

static const char number_mark[] = "[" LOG_CHAIN_ELEMENT " seq=\"";

/* Where "<PRI>1 " stands last before @mark; the line's begin where there is none. */
static const uint8_t *begin_of(struct span line, const uint8_t *mark)
{
	for (const uint8_t *at = mark; at-- > line.data;) {
		const uint8_t *digits = at + 1;

		while (digits < mark && *digits >= '0' && *digits <= '9')
			digits++;
		if (*at == '<' && digits > at + 1 && mark - digits > 3 &&
		    memcmp(digits, ">1 ", 3) == 0)
			return at;
	}
	return line.data;
}

bool log_copy_parse(struct span line, struct log_copy_record *record, struct span *message)
{
	const uint8_t *mark = memmem(line.data, line.size, number_mark, sizeof(number_mark) - 1);
	const uint8_t *end;
	uint64_t number = 0;

	line = span_trim(line);
	end = line.data + line.size;
	if (mark == NULL || log_chain_stated(line, record->hash) < 0)
		return false;
	message->data = begin_of(line, mark);
	message->size = (size_t)(end - message->data);
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
	struct span message;
	char *text = NULL;
	size_t capacity = 0;
	ssize_t size;
	int err = 0;
	FILE *file = fopen(path, "re");

	*copy = (struct log_copy){0};
	if (file == NULL)
		return -ERR_SYSTEM;
	while (err == 0 && (size = getline(&text, &capacity, file)) > 0) {
		struct span line = {(const uint8_t *)text, (size_t)size};

		if (log_copy_parse(line, &record, &message))
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

size_t log_first_of(const void *rows, size_t count, size_t row_bytes, uint64_t sequence)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint64_t number;

		memcpy(&number, (const uint8_t *)rows + middle * row_bytes, sizeof(number));
		if (number < sequence)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int log_copy_check(const struct log_copy *copy, uint64_t sequence, const uint8_t hash[SHA256_BYTES])
{
	/* A record may have arrived twice: each must be the same. */
	for (size_t i =
		     log_first_of(copy->records, copy->count, sizeof(copy->records[0]), sequence);
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
