/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings of screen sessions, written and read back: whole, cut off, changed and lying (L1). */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "recording_forge.h"
#include "wire/rfb/recording.h"

enum {
	WIDTH = 70, /* two tiles, the second cut by the screen's edge */
	HEIGHT = 9,
	PIXELS = WIDTH * HEIGHT,
	BLOCKS = 6, /* BEGIN, SIZE, three rectangles, END */
	FIRST_TILES = 2,
	REASON = 3,
	/* In a head. */
	KIND_AT = 4,
	ZERO_AT = 6,
	NUMBER_AT = 12,
	TIME_AT = 16,
};

struct fixture {
	uint8_t bytes[BLOCKS * RECORDING_BLOCK_MAX];
	size_t begin[BLOCKS + 1]; /* of each block; of the end */
	uint32_t shown[PIXELS];
};

static const struct recording_origin origin = {
	.session = 17,
	.began_ms = 1795000000000,
	.utc_offset_s = 9 * 3600,
	.screen = "web-desktop",
	.user = "suzuki",
	.gateway = "sekisho-1",
};

/* One colour, two colours, many. */
static void paint(struct frame *f, unsigned step)
{
	for (unsigned i = 0; i < PIXELS; i++)
		f->pixels[i] = (step == 0   ? 0x112233
				: step == 1 ? i / 5 % 2 * 0x445566
					    : i * 2654435U) &
			       FRAME_PIXEL_MASK;
}

static void write_whole(struct fixture *x)
{
	const struct rfb_rect all = {0, 0, WIDTH, HEIGHT};
	struct recording_chain chain = {.number = 0};
	struct rfb_encoder encoder;
	struct frame frame;
	struct writer w;

	rfb_encoder_init(&encoder);
	frame_init(&frame, x->shown, PIXELS);
	assert_int_equal(frame_resize(&frame, WIDTH, HEIGHT), 0);
	writer_init(&w, x->bytes, sizeof(x->bytes));
	recording_put_begin(&chain, &origin, &w);
	x->begin[1] = w.size;
	recording_put_size(&chain, 0, WIDTH, HEIGHT, &w);
	for (unsigned step = 0; step < 3; step++) {
		x->begin[FIRST_TILES + step] = w.size;
		paint(&frame, step);
		recording_put_tiles(&chain, 1000 * step, &encoder, &frame, &all, &w);
	}
	x->begin[BLOCKS - 1] = w.size;
	recording_put_end(&chain, 5000, REASON, &w);
	x->begin[BLOCKS] = w.size;
	assert_false(w.failed);
}

static int setup(void **state)
{
	static struct fixture x;

	write_whole(&x);
	*state = &x;
	return 0;
}

/* What a reader makes of a file. */
struct outcome {
	struct recording_reader reader;
	uint32_t pixels[PIXELS];
};

/* Take blocks to the first error or the end. Return: the error or 0. Out of an allocation of
 * exactly @size bytes, so that a read past them is seen. */
static int take_all(struct outcome *o, const uint8_t *bytes, size_t size)
{
	uint8_t *file = malloc(size > 0 ? size : 1);
	struct frame frame;
	struct reader in;
	int err = 0;

	assert_non_null(file);
	memcpy(file, bytes, size);
	memset(o, 0, sizeof(*o));
	frame_init(&frame, o->pixels, PIXELS);
	recording_reader_init(&o->reader, &frame);
	reader_init(&in, file, size);
	while (err == 0 && !o->reader.chain.ended)
		err = recording_take(&o->reader, &in);
	free(file);
	o->reader.frame = NULL;
	return err;
}

/* Write @count low bytes of @value into a copy of @x at @at, and make the hashes anew. */
static void forge(struct fixture *copy, const struct fixture *x, size_t at, uint64_t value,
		  unsigned count)
{
	*copy = *x;
	for (unsigned i = 0; i < count; i++)
		copy->bytes[at + i] = (uint8_t)(value >> (8 * (count - 1 - i)));
	recording_forge_hashes(copy->bytes, copy->begin[BLOCKS]);
}

/* The block that a byte is in. */
static uint32_t block_at(const struct fixture *x, size_t at)
{
	uint32_t block = 0;

	while (at >= x->begin[block + 1])
		block++;
	return block;
}

static void test_recording_reads_back(void **state)
{
	const struct fixture *x = *state;
	struct outcome o;

	assert_int_equal(take_all(&o, x->bytes, x->begin[BLOCKS]), 0);
	assert_memory_equal(&o.reader.origin, &origin, sizeof(origin));
	assert_memory_equal(o.pixels, x->shown, sizeof(o.pixels));
	assert_int_equal(o.reader.chain.number, BLOCKS);
	assert_int_equal(o.reader.chain.time_ms, 5000);
	assert_int_equal(o.reader.reason, REASON);
	assert_memory_equal(o.reader.chain.hash, x->bytes + x->begin[BLOCKS] - SHA256_BYTES,
			    SHA256_BYTES);
}

/* A power cut, or a process that was killed. */
static void test_recording_cut_at_each_byte_is_whole_up_to_there(void **state)
{
	const struct fixture *x = *state;
	struct outcome o;

	for (size_t size = 0; size < x->begin[BLOCKS]; size++) {
		assert_int_equal(take_all(&o, x->bytes, size), -ERR_TRUNCATED);
		assert_int_equal(o.reader.chain.number, block_at(x, size));
		assert_null(o.reader.fault);
	}
}

static void test_recording_with_a_bit_flipped_is_refused_at_its_block(void **state)
{
	struct fixture *x = *state;
	struct outcome o;

	for (size_t bit = 0; bit < 8 * x->begin[BLOCKS]; bit++) {
		x->bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_not_equal(take_all(&o, x->bytes, x->begin[BLOCKS]), 0);
		assert_int_equal(o.reader.chain.ended, false);
		assert_in_range(o.reader.chain.number, 0, block_at(x, bit / 8) + 1);
		x->bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
}

/* Behind the heads' own order it is the hash that tells. */
static void test_recording_with_a_content_changed_has_a_wrong_hash(void **state)
{
	struct fixture *x = *state;
	struct outcome o;

	for (size_t block = 0; block < BLOCKS; block++) {
		uint8_t *byte = &x->bytes[x->begin[block] + RECORDING_HEAD_BYTES];

		*byte ^= 1;
		assert_int_equal(take_all(&o, x->bytes, x->begin[BLOCKS]), -ERR_INTEGRITY);
		*byte ^= 1;
	}
}

/* Put block @from of @x behind what @w holds, as number @number. */
static void put_block(struct writer *w, const struct fixture *x, size_t from, uint32_t number)
{
	struct writer field;
	size_t at = w->size;

	writer_bytes(w, x->bytes + x->begin[from], x->begin[from + 1] - x->begin[from]);
	writer_init(&field, w->data + at + NUMBER_AT, 4);
	writer_be32(&field, number);
}

/* Blocks in another order, one twice, one left out: with their own numbers, and renumbered. */
static void test_recording_in_another_order_is_refused(void **state)
{
	static const uint32_t orders[][BLOCKS] = {
		{0, 1, 3, 2, 4, 5}, {0, 1, 2, 2, 4, 5}, {0, 1, 3, 4, 5, 5}};
	const struct fixture *x = *state;
	static struct fixture copy;
	struct outcome o;

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct writer own, renumbered;

		writer_init(&own, copy.bytes, sizeof(copy.bytes));
		for (uint32_t block = 0; block < BLOCKS; block++)
			put_block(&own, x, orders[i][block], orders[i][block]);
		assert_int_equal(take_all(&o, copy.bytes, own.size), -ERR_SYNTAX);
		writer_init(&renumbered, copy.bytes, sizeof(copy.bytes));
		for (uint32_t block = 0; block < BLOCKS; block++)
			put_block(&renumbered, x, orders[i][block], block);
		assert_int_equal(take_all(&o, copy.bytes, renumbered.size), -ERR_INTEGRITY);
	}
}

/* With hashes that are right: what the hash cannot tell. */
static void test_recording_whose_length_lies_is_refused(void **state)
{
	const struct fixture *x = *state;
	static struct fixture copy;
	struct outcome o;

	for (size_t block = 0; block < BLOCKS; block++) {
		uint32_t whole = (uint32_t)(x->begin[block + 1] - x->begin[block] -
					    RECORDING_HEAD_BYTES - SHA256_BYTES);
		const uint32_t lies[] = {
			0,         RECORDING_RECT_BYTES,  whole - 1,
			whole + 1, RECORDING_CONTENT_MAX, RECORDING_CONTENT_MAX + 1,
			INT32_MAX, UINT32_MAX - 55,       UINT32_MAX};

		for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
			forge(&copy, x, x->begin[block] + RECORDING_LENGTH_AT, lies[i], 4);
			assert_int_not_equal(take_all(&o, copy.bytes, copy.begin[BLOCKS]), 0);
			assert_in_range(o.reader.chain.number, block, block + 1);
			assert_false(o.reader.chain.ended);
		}
	}
}

/* A head, or a rectangle, that no writer writes. */
static void test_recording_with_a_field_out_of_range_is_refused(void **state)
{
	static const struct {
		size_t block, at;
		uint64_t value;
		unsigned count;
	} cases[] = {
		{0, 0, 0x534b5232, 4},
		{1, KIND_AT, RECORDING_BEGIN, 2},
		{1, KIND_AT, 0, 2},
		{1, KIND_AT, RECORDING_END + 1, 2},
		{2, ZERO_AT, 1, 2},
		{2, NUMBER_AT, UINT32_MAX, 4},
		{2, NUMBER_AT, 0, 4},
		{5, TIME_AT, 1999, 8}, /* before the block before */
		{5, TIME_AT, RECORDING_TIME_MAX_MS + 1, 8},
		{5, TIME_AT, INT64_MAX, 8},
		{5, TIME_AT, UINT64_MAX, 8},
		/* contents */
		{0, RECORDING_HEAD_BYTES + 4, UINT64_MAX, 8},
		{0, RECORDING_HEAD_BYTES + 12, INT32_MAX, 4},
		{0, RECORDING_HEAD_BYTES + 16, '\n', 1},
		{0, RECORDING_HEAD_BYTES + 16 + RECORDING_NAME_BYTES - 1, 'x', 1},
		{1, RECORDING_HEAD_BYTES, 0, 2},
		{1, RECORDING_HEAD_BYTES, UINT16_MAX, 2},
		{2, RECORDING_HEAD_BYTES, 1, 2}, /* then it passes the right edge */
		{2, RECORDING_HEAD_BYTES, UINT16_MAX, 2},
		{2, RECORDING_HEAD_BYTES + 2, UINT16_MAX, 2},
		{2, RECORDING_HEAD_BYTES + 4, 0, 2},
		{2, RECORDING_HEAD_BYTES + 6, UINT16_MAX, 2},
		{2, RECORDING_HEAD_BYTES + RECORDING_RECT_BYTES, 0, 1}, /* raw: too short for it */
	};
	const struct fixture *x = *state;
	static struct fixture copy;
	struct outcome o;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		forge(&copy, x, x->begin[cases[i].block] + cases[i].at, cases[i].value,
		      cases[i].count);
		assert_int_equal(take_all(&o, copy.bytes, copy.begin[BLOCKS]), -ERR_SYNTAX);
		assert_non_null(o.reader.fault);
	}
}

/* A chain whose numbers are used up begins no second recording. */
static void test_recording_numbers_do_not_begin_again(void **state)
{
	struct recording_chain chain = {.number = UINT32_MAX, .sized = true};
	const struct recording_block last = {
		.kind = RECORDING_END, .content_bytes = RECORDING_END_BYTES, .number = UINT32_MAX};

	assert_false(recording_block_fits(&last, &chain));
	chain.number--;
	assert_true(
		recording_block_fits(&(struct recording_block){.kind = last.kind,
							       .content_bytes = last.content_bytes,
							       .number = chain.number},
				     &chain));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recording_reads_back),
		cmocka_unit_test(test_recording_cut_at_each_byte_is_whole_up_to_there),
		cmocka_unit_test(test_recording_with_a_bit_flipped_is_refused_at_its_block),
		cmocka_unit_test(test_recording_with_a_content_changed_has_a_wrong_hash),
		cmocka_unit_test(test_recording_in_another_order_is_refused),
		cmocka_unit_test(test_recording_whose_length_lies_is_refused),
		cmocka_unit_test(test_recording_with_a_field_out_of_range_is_refused),
		cmocka_unit_test(test_recording_numbers_do_not_begin_again),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
