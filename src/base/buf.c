/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bounds-checked views, readers and writers over bytes. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define BYTES_FIRST_CAPACITY 256 /* of a growing string's first allocation */

struct span span_of(const char *text)
{
	return (struct span){(const uint8_t *)text, strlen(text)};
}

bool span_equal(struct span a, struct span b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* ASCII only: the locale must never decide what a protocol word means. */
static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool span_equal_nocase(struct span a, struct span b)
{
	return a.size == b.size && span_starts_nocase(a, b);
}

bool span_starts_nocase(struct span whole, struct span prefix)
{
	if (whole.size < prefix.size)
		return false;
	for (size_t i = 0; i < prefix.size; i++) {
		if (lower(whole.data[i]) != lower(prefix.data[i]))
			return false;
	}
	return true;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span s)
{
	while (s.size > 0 && is_blank(s.data[0])) {
		s.data++;
		s.size--;
	}
	while (s.size > 0 && is_blank(s.data[s.size - 1]))
		s.size--;
	return s;
}

void reader_init(struct reader *r, const void *data, size_t size_bytes)
{
	*r = (struct reader){.data = data, .size = size_bytes};
}

size_t reader_left(const struct reader *r)
{
	return r->failed ? 0 : r->size - r->at;
}

struct span reader_span(struct reader *r, size_t size_bytes)
{
	struct span s;

	if (size_bytes > reader_left(r)) {
		r->failed = true;
		return (struct span){NULL, 0};
	}
	s = (struct span){r->data + r->at, size_bytes};
	r->at += size_bytes;
	return s;
}

void reader_skip(struct reader *r, size_t size_bytes)
{
	(void)reader_span(r, size_bytes); /* only the position matters */
}

static uint64_t read_be(struct reader *r, size_t size_bytes)
{
	struct span s = reader_span(r, size_bytes);
	uint64_t v = 0;

	for (size_t i = 0; i < s.size; i++)
		v = v << 8 | s.data[i];
	return v;
}

uint8_t reader_u8(struct reader *r)
{
	return (uint8_t)read_be(r, 1);
}

uint16_t reader_be16(struct reader *r)
{
	return (uint16_t)read_be(r, 2);
}

uint32_t reader_be32(struct reader *r)
{
	return (uint32_t)read_be(r, 4);
}

uint64_t reader_be64(struct reader *r)
{
	return read_be(r, 8);
}

int reader_peek(const struct reader *r)
{
	return reader_left(r) > 0 ? r->data[r->at] : -1;
}

void writer_init(struct writer *w, void *data, size_t capacity_bytes)
{
	*w = (struct writer){.data = data, .capacity = capacity_bytes};
}

void writer_bytes(struct writer *w, const void *data, size_t size_bytes)
{
	if (w->failed || size_bytes > w->capacity - w->size) {
		w->failed = true;
		return;
	}
	if (size_bytes > 0)
		memcpy(w->data + w->size, data, size_bytes);
	w->size += size_bytes;
}

static void write_be(struct writer *w, uint64_t v, size_t size_bytes)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size_bytes; i++)
		bytes[i] = (uint8_t)(v >> (8 * (size_bytes - 1 - i)));
	writer_bytes(w, bytes, size_bytes);
}

void writer_u8(struct writer *w, uint8_t v)
{
	write_be(w, v, 1);
}

void writer_be16(struct writer *w, uint16_t v)
{
	write_be(w, v, 2);
}

void writer_be32(struct writer *w, uint32_t v)
{
	write_be(w, v, 4);
}

void writer_be64(struct writer *w, uint64_t v)
{
	write_be(w, v, 8);
}

void writer_span(struct writer *w, struct span s)
{
	writer_bytes(w, s.data, s.size);
}

void writer_text(struct writer *w, const char *text)
{
	writer_bytes(w, text, strlen(text));
}

void writer_printf(struct writer *w, const char *format, ...)
{
	size_t room = w->capacity - w->size;
	va_list args;
	int n;

	if (w->failed)
		return;
	va_start(args, format);
	n = vsnprintf((char *)w->data + w->size, room, format, args);
	va_end(args);
	/* vsnprintf needs room for a NUL, which is not part of what is written. */
	if (n < 0 || (size_t)n >= room) {
		w->failed = true;
		return;
	}
	w->size += (size_t)n;
}

void bytes_init(struct bytes *b, size_t limit_bytes)
{
	*b = (struct bytes){.limit = limit_bytes};
}

void bytes_fini(struct bytes *b)
{
	free(b->data);
	bytes_init(b, b->limit);
}

void bytes_clear(struct bytes *b)
{
	b->size = 0;
	b->failed = false;
}

/* Room for @more further bytes; the capacity doubles, so that appending is linear in total. */
static int reserve(struct bytes *b, size_t more)
{
	size_t need, capacity;
	uint8_t *grown;

	if (b->failed || !size_add(b->size, more, &need) || need > b->limit) {
		b->failed = true;
		return -ERR_TOO_LONG;
	}
	if (need <= b->capacity)
		return 0;
	capacity = b->capacity > 0 ? b->capacity : BYTES_FIRST_CAPACITY;
	while (capacity < need && capacity <= SIZE_MAX / 2)
		capacity *= 2;
	if (capacity < need)
		capacity = need;
	grown = realloc(b->data, capacity);
	if (grown == NULL) {
		b->failed = true;
		return -ERR_NO_MEMORY;
	}
	b->data = grown;
	b->capacity = capacity;
	return 0;
}

int bytes_append(struct bytes *b, const void *data, size_t size_bytes)
{
	int err = reserve(b, size_bytes);

	if (err < 0)
		return err;
	if (size_bytes > 0)
		memcpy(b->data + b->size, data, size_bytes);
	b->size += size_bytes;
	return 0;
}

int bytes_append_u8(struct bytes *b, uint8_t v)
{
	return bytes_append(b, &v, 1);
}

int bytes_append_text(struct bytes *b, const char *text)
{
	return bytes_append(b, text, strlen(text));
}

int bytes_printf(struct bytes *b, const char *format, ...)
{
	va_list args;
	int n, err;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0) {
		b->failed = true;
		return -ERR_SYSTEM;
	}
	/* One more for vsnprintf's NUL; it counts against the limit, so that the limit stays hard.
	 */
	err = reserve(b, (size_t)n + 1);
	if (err < 0)
		return err;
	va_start(args, format);
	(void)vsnprintf((char *)b->data + b->size, (size_t)n + 1, format, args);
	va_end(args);
	b->size += (size_t)n;
	return 0;
}

uint8_t *bytes_room(struct bytes *b, size_t more)
{
	return reserve(b, more) < 0 ? NULL : b->data + b->size;
}

struct span bytes_span(const struct bytes *b)
{
	return (struct span){b->data != NULL ? b->data : (const uint8_t *)"", b->size};
}
