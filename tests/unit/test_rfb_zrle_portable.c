/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ZRLE as processors without SSE2 encode it: octet by octet as ours do. */
#include "unit.h"

#include <string.h>

/* The same source once more, without the instructions and under names of its own. */
#undef __SSE2__
#define rfb_encode_zrle  portable_zrle
#define rfb_encode_tiles portable_tiles
#include "wire/rfb/zrle.c"
#undef rfb_encode_zrle
#undef rfb_encode_tiles

void rfb_encode_zrle(struct rfb_encoder *e, const struct frame *f, const struct rfb_rect *r,
		     struct writer *w);

enum { WIDTH = 150, HEIGHT = 66, PICTURES = 400 };

static uint32_t pixels[WIDTH * HEIGHT];
static struct frame frame;
static uint8_t room[2][RFB_ENCODE_BYTES_MAX];

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Runs of up to @longest pixels of one of @colours, which differ in bytes of their own. */
static void draw(uint32_t *seed, uint32_t longest, uint32_t colours)
{
	for (unsigned i = 0; i < WIDTH * HEIGHT;) {
		uint32_t length = 1 + next_random(seed) % longest;
		uint32_t colour = next_random(seed) % colours * 0x010b61 & FRAME_PIXEL_MASK;

		for (; length > 0 && i < WIDTH * HEIGHT; length--)
			pixels[i++] = colour;
	}
}

static struct span encode(unsigned which, const struct rfb_rect *r,
			  void (*zrle)(struct rfb_encoder *, const struct frame *,
				       const struct rfb_rect *, struct writer *))
{
	struct rfb_encoder encoder;
	struct writer w;

	rfb_encoder_init(&encoder);
	writer_init(&w, room[which], sizeof(room[which]));
	zrle(&encoder, &frame, r, &w);
	assert_false(w.failed);
	return (struct span){room[which], w.size};
}

static void test_zrle_portable_gives_the_same_octets(void **state)
{
	static const uint32_t lengths[] = {1, 2, 7, 40, 500}, colours[] = {1, 2, 3, 16, 100, 5000};
	uint32_t seed = 1;

	frame_init(&frame, pixels, WIDTH * HEIGHT);
	assert_int_equal(frame_resize(&frame, WIDTH, HEIGHT), 0);
	for (unsigned i = 0; i < PICTURES; i++) {
		struct rfb_rect r;
		struct span ours, portable;

		r.x = (uint16_t)(next_random(&seed) % WIDTH);
		r.y = (uint16_t)(next_random(&seed) % HEIGHT);
		r.w = (uint16_t)(1 + next_random(&seed) % (WIDTH - r.x));
		r.h = (uint16_t)(1 + next_random(&seed) % (HEIGHT - r.y));
		r.h = r.h > FRAME_TILE_PX ? FRAME_TILE_PX : r.h;
		draw(&seed, lengths[i % 5], colours[i / 5 % 6]);
		ours = encode(0, &r, rfb_encode_zrle);
		portable = encode(1, &r, portable_zrle);
		assert_int_equal(ours.size, portable.size);
		assert_memory_equal(ours.data, portable.data, ours.size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zrle_portable_gives_the_same_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
