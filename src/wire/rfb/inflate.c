/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ZRLE's zlib stream (RFC 1950, RFC 1951): bounded memory, bounded steps. */
#include "wire/rfb/inflate.h"

#include <string.h>

#include "base/err.h"

enum { ALIGNMENT = 16 };

/* Memory is handed out in order and never taken back: zlib asks twice in a stream's life. */
static voidpf hand_out(voidpf opaque, uInt items, uInt size)
{
	struct rfb_inflate *z = opaque;
	size_t bytes, at = z->memory_used;

	if (__builtin_mul_overflow((size_t)items, (size_t)size, &bytes) ||
	    bytes > sizeof(z->memory) - at)
		return Z_NULL;
	z->memory_used += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (z->memory_used > sizeof(z->memory))
		z->memory_used = sizeof(z->memory);
	return z->memory + at;
}

static void keep(voidpf opaque, voidpf memory)
{
}

int rfb_inflate_init(struct rfb_inflate *z)
{
	*z = (struct rfb_inflate){.stream = {.zalloc = hand_out, .zfree = keep, .opaque = z}};
	return inflateInit(&z->stream) == Z_OK ? 0 : -ERR_NO_SPACE;
}

struct reader rfb_inflate_reader(const struct rfb_inflate *z)
{
	struct reader r;

	reader_init(&r, z->window + z->at, z->end - z->at);
	return r;
}

void rfb_inflate_take(struct rfb_inflate *z, size_t bytes)
{
	z->at += bytes;
}

int rfb_inflate_more(struct rfb_inflate *z, struct reader *r, uint32_t *left)
{
	size_t there = reader_left(r) < *left ? reader_left(r) : *left, taken;
	size_t before;
	int status;

	if (z->broken)
		return -ERR_SYNTAX;
	memmove(z->window, z->window + z->at, z->end - z->at);
	z->end -= z->at;
	z->at = 0;
	before = z->end;
	z->stream.next_in = (z_const Bytef *)(uintptr_t)(r->data + r->at); /* zlib only reads it */
	z->stream.avail_in = (uInt)there;
	z->stream.next_out = z->window + z->end;
	z->stream.avail_out = (uInt)(sizeof(z->window) - z->end);
	status = inflate(&z->stream, Z_SYNC_FLUSH);
	taken = there - z->stream.avail_in;
	z->end = sizeof(z->window) - z->stream.avail_out;
	reader_skip(r, taken);
	*left -= (uint32_t)taken;
	z->broken = status != Z_OK && status != Z_BUF_ERROR;
	if (z->end > before) /* that comes first, however the bytes were cut */
		return 0;
	if (z->broken)
		return -ERR_SYNTAX;
	return taken == 0 ? -ERR_AGAIN : 0;
}
