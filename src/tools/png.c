/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PNG: three chunks, and the rows of pixels in one zlib stream. */
#include "tools/png.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	COLOUR_TYPE_RGB = 2,
	FILTER_UP = 2,
	HEADER_BYTES = 13,
};

static void put_be32(FILE *out, uint32_t v)
{
	uint8_t octets[4];
	struct writer w;

	writer_init(&w, octets, sizeof(octets));
	writer_be32(&w, v);
	(void)fwrite(octets, sizeof(octets), 1, out); /* ferror tells, at the end */
}

/* A chunk: length, type, content, CRC over type and content (PNG 5.3). */
static void put_chunk(FILE *out, const char type[4], struct span content)
{
	uLong crc = crc32(0, (const Bytef *)type, 4);

	if (content.size > 0)
		crc = crc32(crc, content.data, (uInt)content.size);
	put_be32(out, (uint32_t)content.size);
	(void)fwrite(type, 4, 1, out); /* ferror tells, at the end; likewise below */
	(void)fwrite(content.data, 1, content.size, out);
	put_be32(out, (uint32_t)crc);
}

static void put_header(FILE *out, const struct frame *frame)
{
	uint8_t header[HEADER_BYTES];
	struct writer w;

	writer_init(&w, header, sizeof(header));
	writer_be32(&w, frame->width);
	writer_be32(&w, frame->height);
	writer_u8(&w, 8); /* bits a colour */
	writer_u8(&w, COLOUR_TYPE_RGB);
	writer_u8(&w, 0); /* deflate */
	writer_u8(&w, 0); /* the one set of filters */
	writer_u8(&w, 0); /* not interlaced */
	put_chunk(out, "IHDR", (struct span){header, w.size});
}

/* A row as the difference to the row above, which screens mostly repeat (PNG 9.2). */
static uint8_t *put_row(const struct frame *frame, unsigned y, uint8_t *at)
{
	const uint32_t *row = frame_at(frame, 0, y),
		       *above = y > 0 ? frame_at(frame, 0, y - 1) : NULL;

	*at++ = FILTER_UP;
	for (unsigned x = 0; x < frame->width; x++) {
		uint32_t a = above ? above[x] : 0;

		for (unsigned shift = 24; shift > 0;) {
			shift -= 8;
			*at++ = (uint8_t)((row[x] >> shift) - (a >> shift));
		}
	}
	return at;
}

int png_write(FILE *out, const struct frame *frame)
{
	static const uint8_t signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
	size_t plain_bytes = frame->height * (1 + 3 * (size_t)frame->width);
	uLongf packed_bytes = compressBound(plain_bytes);
	uint8_t *plain = malloc(plain_bytes), *packed = malloc(packed_bytes), *at = plain;
	int err = -ERR_NO_MEMORY;

	if (plain == NULL || packed == NULL)
		goto cleanup;
	for (unsigned y = 0; y < frame->height; y++)
		at = put_row(frame, y, at);
	if (compress2(packed, &packed_bytes, plain, plain_bytes, Z_BEST_SPEED) != Z_OK)
		goto cleanup;
	(void)fwrite(signature, sizeof(signature), 1, out); /* ferror tells */
	put_header(out, frame);
	put_chunk(out, "IDAT", (struct span){packed, packed_bytes});
	put_chunk(out, "IEND", (struct span){signature, 0});
	err = fflush(out) != 0 || ferror(out) ? -ERR_SYSTEM : 0;
cleanup:
	free(plain);
	free(packed);
	return err;
}
