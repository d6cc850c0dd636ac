/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFB pixel formats: read, check, write. */
#include "wire/rfb/rfb.h"

#include "base/err.h"

const struct rfb_format rfb_format_gateway = {
	.bits_per_pixel = 32,
	.depth = 24,
	.true_colour = true,
	.red_max = 255,
	.green_max = 255,
	.blue_max = 255,
	.red_shift = 16,
	.green_shift = 8,
};

/* The bits that one colour takes in a pixel, or 0 where it does not fit. */
static uint64_t colour_mask(uint16_t max, uint8_t shift, uint8_t bits_per_pixel)
{
	uint64_t mask;

	if (max == 0 || (max & (max + 1)) != 0 || shift >= bits_per_pixel)
		return 0;
	mask = (uint64_t)max << shift;
	return mask >> bits_per_pixel == 0 ? mask : 0;
}

static int true_colour_check(const struct rfb_format *f)
{
	uint64_t red = colour_mask(f->red_max, f->red_shift, f->bits_per_pixel);
	uint64_t green = colour_mask(f->green_max, f->green_shift, f->bits_per_pixel);
	uint64_t blue = colour_mask(f->blue_max, f->blue_shift, f->bits_per_pixel);

	if (red == 0 || green == 0 || blue == 0)
		return -ERR_UNSUPPORTED;
	if ((red & green) != 0 || (red & blue) != 0 || (green & blue) != 0)
		return -ERR_UNSUPPORTED;
	return 0;
}

int rfb_format_read(struct reader *r, struct rfb_format *out)
{
	out->bits_per_pixel = reader_u8(r);
	out->depth = reader_u8(r);
	out->big_endian = reader_u8(r) != 0;
	out->true_colour = reader_u8(r) != 0;
	out->red_max = reader_be16(r);
	out->green_max = reader_be16(r);
	out->blue_max = reader_be16(r);
	out->red_shift = reader_u8(r);
	out->green_shift = reader_u8(r);
	out->blue_shift = reader_u8(r);
	reader_skip(r, 3);
	if (r->failed)
		return -ERR_TRUNCATED;
	if (out->bits_per_pixel != 8 && out->bits_per_pixel != 16 && out->bits_per_pixel != 32)
		return -ERR_UNSUPPORTED;
	if (!out->true_colour)
		return out->bits_per_pixel == 8 ? 0 : -ERR_UNSUPPORTED;
	return true_colour_check(out);
}

void rfb_format_write(struct writer *w, const struct rfb_format *format)
{
	static const uint8_t padding[3];

	writer_u8(w, format->bits_per_pixel);
	writer_u8(w, format->depth);
	writer_u8(w, format->big_endian);
	writer_u8(w, format->true_colour);
	writer_be16(w, format->red_max);
	writer_be16(w, format->green_max);
	writer_be16(w, format->blue_max);
	writer_u8(w, format->red_shift);
	writer_u8(w, format->green_shift);
	writer_u8(w, format->blue_shift);
	writer_bytes(w, padding, sizeof(padding));
}
