/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bounds-checked views, readers and writers: the only way that wire bytes are decoded or produced.
 */
#ifndef SEKISHO_BASE_BUF_H
#define SEKISHO_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A borrowed run of bytes; never NUL-terminated by promise. */
struct span {
	const uint8_t *data;
	size_t size;
};

/**
 * span_of - a view of a C string without its NUL
 * @text: borrowed
 */
struct span span_of(const char *text);
bool span_equal(struct span a, struct span b);
/* ASCII letters compare without case; all other bytes exactly. */
bool span_equal_nocase(struct span a, struct span b);
bool span_starts_nocase(struct span whole, struct span prefix);
/* Spaces, tabs, CR and LF removed from both ends. */
struct span span_trim(struct span s);

/*
 * A reader walks a span. The first read past the end sets `failed` and yields zeros;
 * all later reads yield zeros too, so that a parser checks once, at the end of a unit.
 */
struct reader {
	const uint8_t *data;
	size_t size;
	size_t at;
	bool failed;
};

void reader_init(struct reader *r, const void *data, size_t size_bytes);
size_t reader_left(const struct reader *r);
uint8_t reader_u8(struct reader *r);
uint16_t reader_be16(struct reader *r);
uint32_t reader_be32(struct reader *r);
uint64_t reader_be64(struct reader *r);
/* A view of the next @size_bytes; an empty span and `failed` where fewer are left. */
struct span reader_span(struct reader *r, size_t size_bytes);
void reader_skip(struct reader *r, size_t size_bytes);
/* The next byte without taking it, or -1 at the end (does not set `failed`). */
int reader_peek(const struct reader *r);

/*
 * A writer fills the caller's fixed array. A write that does not fit sets `failed` and writes
 * nothing; later writes are refused too.
 */
struct writer {
	uint8_t *data;
	size_t capacity;
	size_t size;
	bool failed;
};

void writer_init(struct writer *w, void *data, size_t capacity_bytes);
void writer_u8(struct writer *w, uint8_t v);
void writer_be16(struct writer *w, uint16_t v);
void writer_be32(struct writer *w, uint32_t v);
void writer_be64(struct writer *w, uint64_t v);
void writer_bytes(struct writer *w, const void *data, size_t size_bytes);
void writer_span(struct writer *w, struct span s);
void writer_text(struct writer *w, const char *text);
/* printf into the writer; the NUL is not counted and may be cut. */
void writer_printf(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * A growing byte string on the heap, with a hard limit. An append past the limit or out of memory
 * sets `failed` and leaves the content as it was.
 */
struct bytes {
	uint8_t *data;
	size_t size;
	size_t capacity;
	size_t limit;
	bool failed;
};

void bytes_init(struct bytes *b, size_t limit_bytes);
void bytes_fini(struct bytes *b);
void bytes_clear(struct bytes *b);
int bytes_append(struct bytes *b, const void *data, size_t size_bytes);
int bytes_append_u8(struct bytes *b, uint8_t v);
int bytes_append_text(struct bytes *b, const char *text);
int bytes_printf(struct bytes *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/**
 * bytes_room - room to write into directly, behind the content, for loops that must not call per
 * byte
 * Return: at least @more writable bytes, valid until the next call on @b; what is written counts
 * once @b->size is raised over it. NULL past the limit or out of memory, with `failed` set.
 */
uint8_t *bytes_room(struct bytes *b, size_t more);
/* All of the content; never a null pointer. */
struct span bytes_span(const struct bytes *b);

/* Checked size arithmetic: false where the result does not fit. */
static inline bool size_add(size_t a, size_t b, size_t *out)
{
	return !__builtin_add_overflow(a, b, out);
}

static inline bool size_mul(size_t a, size_t b, size_t *out)
{
	return !__builtin_mul_overflow(a, b, out);
}

#endif
