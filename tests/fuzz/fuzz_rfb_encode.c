/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any picture, encoded: within its room in every encoding and format, and decoded to the same
 * picture by our own decoder for what that knows (Raw, Hextile).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/rfb/encode.h"
#include "wire/rfb/inflate.h"
#include "wire/rfb/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WIDTH = 150, HEIGHT = 64, COUNT = WIDTH * HEIGHT };

/* Runs and a small palette from the input: noise alone would never reach the run-length tiles. */
static void paint(uint32_t *pixels, const uint8_t *data, size_t size)
{
	size_t at = 0;

	for (size_t i = 0; i + 1 < size && at < COUNT; i += 2) {
		unsigned run = 1U + data[i + 1] % 64 * (data[i + 1] & 128 ? 8 : 1);

		for (; run > 0 && at < COUNT; run--)
			pixels[at++] = data[i] * 0x010305U & FRAME_PIXEL_MASK;
	}
}

static void decode(const uint8_t *bytes, size_t size, struct frame *shown)
{
	static struct rfb_server_parser parser;
	static struct rfb_inflate inflate;
	struct reader r;

	if (rfb_inflate_init(&inflate) != 0)
		abort();
	rfb_server_init(&parser, shown, &inflate);
	reader_init(&r, bytes, size);
	if (rfb_server_next(&parser, &r) != RFB_SERVER_END || r.at != size)
		abort();
}

static void encode(const struct frame *f, enum rfb_encoding encoding,
		   const struct rfb_format *format, struct frame *shown)
{
	const struct rfb_rect all = {0, 0, WIDTH, HEIGHT};
	uint8_t *sent = malloc(RFB_ENCODE_BYTES_MAX + 4);
	struct rfb_encoder e;
	struct writer w;

	if (sent == NULL)
		abort();
	rfb_encoder_init(&e);
	rfb_encoder_format(&e, format);
	writer_init(&w, sent, RFB_ENCODE_BYTES_MAX + 4);
	rfb_encode_update(&w, 1);
	rfb_encode_rect(&e, f, &all, encoding, &w);
	if (w.failed)
		abort();
	if (shown != NULL) {
		decode(sent, w.size, shown);
		if (memcmp(f->pixels, shown->pixels, COUNT * sizeof(*f->pixels)) != 0)
			abort();
	}
	free(sent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rfb_format small = {16, 16, true, true, 31, 63, 31, 11, 5, 0};
	uint32_t *pixels = calloc(COUNT, sizeof(*pixels)), *mirror = calloc(COUNT, sizeof(*mirror));
	struct frame f, shown;

	if (pixels == NULL || mirror == NULL)
		abort();
	frame_init(&f, pixels, COUNT);
	frame_init(&shown, mirror, COUNT);
	if (frame_resize(&f, WIDTH, HEIGHT) != 0 || frame_resize(&shown, WIDTH, HEIGHT) != 0)
		abort();
	paint(pixels, data, size);
	encode(&f, RFB_HEXTILE, &rfb_format_gateway, &shown);
	memset(mirror, 0xff, COUNT * sizeof(*mirror));
	encode(&f, RFB_ZRLE, &rfb_format_gateway, &shown);
	memset(mirror, 0xff, COUNT * sizeof(*mirror));
	encode(&f, RFB_RAW, &rfb_format_gateway, &shown);
	encode(&f, RFB_ZRLE, &rfb_format_gateway, NULL);
	encode(&f, RFB_ZRLE, &small, NULL);
	encode(&f, RFB_HEXTILE, &small, NULL);
	free(pixels);
	free(mirror);
	return 0;
}
