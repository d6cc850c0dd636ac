/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFB messages from server to client: formats, headers, Raw, cursor, sizes. */
#include "wire/rfb/encode.h"

#include <assert.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "pixel images are stored from their low byte on");

/* What a client with a colour map gets: an index of 3 bits red, 3 green, 2 blue. */
static const struct rfb_format mapped_format = {
	.bits_per_pixel = 8,
	.depth = 8,
	.true_colour = true,
	.red_max = 7,
	.green_max = 7,
	.blue_max = 3,
	.red_shift = 5,
	.green_shift = 2,
};

void rfb_encoder_init(struct rfb_encoder *e)
{
	*e = (struct rfb_encoder){.zlib_begun = false};
	rfb_encoder_format(e, &rfb_format_gateway);
}

/* One colour's share of a pixel, in the byte order of the wire. */
static uint32_t share(const struct rfb_format *f, uint32_t value, uint16_t max, uint8_t shift)
{
	uint32_t bits = (value * max + 127) / 255 << shift;

	if (!f->big_endian || f->bits_per_pixel == 8)
		return bits;
	return f->bits_per_pixel == 16 ? __builtin_bswap16((uint16_t)bits)
				       : __builtin_bswap32(bits);
}

/* RFC 6143 7.7.5: CPIXEL drops the byte of a 4-byte true colour pixel that no colour uses. */
static void choose_cpixel(struct rfb_encoder *e)
{
	const struct rfb_format *f = &e->format;
	uint32_t used = (uint32_t)f->red_max << f->red_shift |
			(uint32_t)f->green_max << f->green_shift |
			(uint32_t)f->blue_max << f->blue_shift;

	e->cpixel_bytes = e->pixel_bytes;
	e->cpixel_skip = 0;
	if (e->pixel_bytes != 4 || f->depth > 24)
		return;
	if ((used & 0xff000000U) == 0) {
		e->cpixel_bytes = 3;
		e->cpixel_skip = f->big_endian ? 1 : 0;
	} else if ((used & 0xffU) == 0) {
		e->cpixel_bytes = 3;
		e->cpixel_skip = f->big_endian ? 0 : 1;
	}
}

void rfb_encoder_format(struct rfb_encoder *e, const struct rfb_format *format)
{
	e->format = format->true_colour ? *format : mapped_format;
	format = &e->format;
	e->pixel_bytes = format->bits_per_pixel / 8U;
	for (uint32_t i = 0; i < 256; i++) {
		e->red[i] = share(format, i, format->red_max, format->red_shift);
		e->green[i] = share(format, i, format->green_max, format->green_shift);
		e->blue[i] = share(format, i, format->blue_max, format->blue_shift);
	}
	choose_cpixel(e);
	e->plain = e->red[255] == 0xff0000 && e->green[255] == 0xff00 && e->blue[255] == 0xff;
}

static void rect_header(struct writer *w, const struct rfb_rect *r, int32_t encoding)
{
	writer_be16(w, r->x);
	writer_be16(w, r->y);
	writer_be16(w, r->w);
	writer_be16(w, r->h);
	writer_be32(w, (uint32_t)encoding);
}

void rfb_encode_update(struct writer *w, uint16_t rect_count)
{
	writer_u8(w, RFB_UPDATE);
	writer_u8(w, 0);
	writer_be16(w, rect_count);
}

/*
 * Pixels of one row to @at, which has room for count * pixel_bytes (checked by the caller). The
 * rows of an update are where the time goes: so no writer call for each pixel.
 */
static uint8_t *put_row(const struct rfb_encoder *e, const uint32_t *pixels, unsigned count,
			uint8_t *at)
{
	if (e->plain) {
		memcpy(at, pixels, count * 4U);
		return at + count * 4U;
	}
	for (unsigned x = 0; x < count; x++, at += e->pixel_bytes) {
		uint32_t pixel = rfb_encoder_pixel(e, pixels[x]);

		switch (e->pixel_bytes) {
		case 1:
			*at = (uint8_t)pixel;
			break;
		case 2:
			memcpy(at, &pixel, 2);
			break;
		default:
			memcpy(at, &pixel, 4);
			break;
		}
	}
	return at;
}

void rfb_encode_raw(const struct rfb_encoder *e, const struct frame *f, const struct rfb_rect *r,
		    struct writer *w)
{
	size_t bytes = (size_t)r->w * r->h * e->pixel_bytes;
	uint8_t *at = w->data + w->size;

	if (w->capacity - w->size < bytes) {
		w->failed = true;
		return;
	}
	for (unsigned y = 0; y < r->h; y++)
		at = put_row(e, frame_at(f, r->x, r->y + y), r->w, at);
	w->size += bytes;
}

void rfb_encode_rect(struct rfb_encoder *e, const struct frame *f, const struct rfb_rect *r,
		     enum rfb_encoding encoding, struct writer *w)
{
	rfb_encode_rect_at(e, f, r, r, encoding, w);
}

void rfb_encode_rect_at(struct rfb_encoder *e, const struct frame *f, const struct rfb_rect *r,
			const struct rfb_rect *place, enum rfb_encoding encoding, struct writer *w)
{
	assert(r->w > 0 && r->h > 0 && frame_holds(f, r));
	assert(r->w <= RFB_ENCODE_WIDTH_MAX && r->h <= RFB_ENCODE_HEIGHT_MAX);
	assert(place->w == r->w && place->h == r->h);
	rect_header(w, place, encoding);
	if (encoding == RFB_ZRLE)
		rfb_encode_zrle(e, f, r, w);
	else if (encoding == RFB_HEXTILE)
		rfb_encode_hextile(e, f, r, w);
	else
		rfb_encode_raw(e, f, r, w);
}

void rfb_encode_size(struct writer *w, uint16_t width_px, uint16_t height_px, bool extended)
{
	struct rfb_rect size = {0, 0, width_px, height_px};

	rect_header(w, &size, extended ? RFB_EXTENDED_DESKTOP_SIZE : RFB_DESKTOP_SIZE);
	if (!extended)
		return;
	writer_be32(w, 1U << 24); /* one screen, padding */
	writer_be32(w, 0);        /* its id */
	writer_be16(w, 0);
	writer_be16(w, 0);
	writer_be16(w, width_px);
	writer_be16(w, height_px);
	writer_be32(w, 0); /* flags */
}

void rfb_encode_cursor(const struct rfb_encoder *e, const struct rfb_rect *hot_and_size,
		       const uint32_t *pixels, struct writer *w)
{
	const struct rfb_rect *r = hot_and_size;

	rect_header(w, r, RFB_CURSOR);
	for (unsigned i = 0; i < (unsigned)r->w * r->h; i++) {
		uint32_t pixel =
			pixels[i] == 0 ? 0 : rfb_encoder_pixel(e, pixels[i] & FRAME_PIXEL_MASK);

		writer_bytes(w, &pixel, e->pixel_bytes);
	}
	for (unsigned y = 0; y < r->h; y++) {
		for (unsigned x = 0; x < r->w; x += 8) {
			uint8_t bits = 0;

			for (unsigned i = 0; i < 8 && x + i < r->w; i++)
				bits |= (uint8_t)((pixels[y * r->w + x + i] != 0) << (7 - i));
			writer_u8(w, bits);
		}
	}
}

void rfb_encode_colour_map(struct writer *w)
{
	writer_u8(w, RFB_COLOUR_MAP);
	writer_u8(w, 0);
	writer_be16(w, 0);
	writer_be16(w, 256);
	for (uint32_t i = 0; i < 256; i++) {
		writer_be16(w, (uint16_t)((i >> 5 & 7) * 65535 / 7));
		writer_be16(w, (uint16_t)((i >> 2 & 7) * 65535 / 7));
		writer_be16(w, (uint16_t)((i & 3) * 65535 / 3));
	}
}
