/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The watermark: where it lies, what it does to pixels, which tiles change with it. */
#include "unit.h"

#include <string.h>

#include "screen-viewer/viewer.h"

enum { WIDTH = 1100, HEIGHT = 300 };

static struct watermark mark;
static uint32_t pixels[WIDTH * HEIGHT];
static uint32_t marked_pixels[RFB_ENCODE_WIDTH_MAX * RFB_ENCODE_HEIGHT_MAX];
static struct frame frame, marked;
static struct viewer viewer;

/* What main.c has of it. */
void viewer_end(struct viewer *v, enum screen_end why, const char *detail, int32_t code)
{
	session_end(&v->session, why, detail, code);
}

void viewer_tell_start(struct viewer *v)
{
}

static int setup(void **state)
{
	mark = (struct watermark){.strength = 1};
	frame_init(&frame, pixels, WIDTH * HEIGHT);
	assert_int_equal(frame_resize(&frame, WIDTH, HEIGHT), 0);
	frame_init(&marked, marked_pixels, sizeof(marked_pixels) / sizeof(marked_pixels[0]));
	return 0;
}

static bool is_set(const struct watermark *m, unsigned x, unsigned y)
{
	return m->rows[y % WATERMARK_ROWS][x / 64 % WATERMARK_WORDS] >> x % 64 & 1;
}

static unsigned count_set(const struct watermark *m)
{
	unsigned count = 0;

	for (unsigned i = 0; i < WATERMARK_ROWS * WATERMARK_WORDS; i++)
		count += (unsigned)__builtin_popcountll(
			m->rows[i / WATERMARK_WORDS][i % WATERMARK_WORDS]);
	return count;
}

/* The upright stroke of an l is seven points of 2 x 2 pixels, from its third column on. */
static void test_watermark_letters_lie_where_the_header_says(void **state)
{
	watermark_draw(&mark, "l", "", 0);
	for (unsigned y = 0; y < 14; y++)
		assert_true(is_set(&mark, 4, WATERMARK_ROWS - 1 + y));
	assert_true(is_set(&mark, 4 + 384, 64 - 97));
	assert_false(is_set(&mark, 0, 0));
	watermark_draw(&mark, "L", "", 0);
	assert_true(is_set(&mark, 4, 0)); /* capitals are drawn small */
}

static void test_watermark_shows_the_beginning_of_long_names_without_overlap(void **state)
{
	static const char letters[] = "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww";
	unsigned one, all, none;

	watermark_draw(&mark, "", "", 0);
	none = count_set(&mark);
	assert_true(none > 0); /* the time */
	watermark_draw(&mark, "w", "", 0);
	one = count_set(&mark) - none;
	watermark_draw(&mark, letters, letters, 0);
	all = count_set(&mark) - none;
	assert_int_equal(all, one * 2 * WATERMARK_LETTERS_MAX);
	watermark_draw(&mark, "\xe3\x81\x82 _", "", 0); /* what has no letter is a gap */
	assert_int_equal(count_set(&mark), none);
}

static uint32_t towards(uint32_t pixel, unsigned shift, uint32_t end, unsigned eighths)
{
	uint32_t colour = pixel >> shift & 255;

	return end == 0 ? colour * (8 - eighths) / 8 : 255 - (255 - colour) * (8 - eighths) / 8;
}

static void check_pixel(uint32_t before, uint32_t after, bool set)
{
	unsigned k = mark.strength;
	uint32_t bright = 2 * (before >> 16) + 5 * (before >> 8 & 255) + (before & 255);
	uint32_t end = bright >= 1024 ? 0 : 255;

	if (set)
		before = towards(before, 16, end, k) << 16 | towards(before, 8, end, k) << 8 |
			 towards(before, 0, end, k);
	assert_int_equal(after, before);
}

static void check_rect(struct rfb_rect r)
{
	watermark_apply(&mark, &frame, &r, &marked);
	assert_int_equal(marked.width, r.w);
	assert_int_equal(marked.height, r.h);
	for (unsigned y = 0; y < r.h; y++)
		for (unsigned x = 0; x < r.w; x++)
			check_pixel(*frame_at(&frame, r.x + x, r.y + y), *frame_at(&marked, x, y),
				    is_set(&mark, r.x + x, r.y + y));
}

static void test_watermark_moves_marked_pixels_only_and_leaves_the_frame(void **state)
{
	static uint32_t before[WIDTH * HEIGHT];
	uint32_t noise = 1;

	for (unsigned i = 0; i < WIDTH * HEIGHT; i++)
		pixels[i] = (noise = noise * 1664525 + 1013904223) >> 8;
	memcpy(before, pixels, sizeof(before));
	watermark_draw(&mark, "suzuki", "sekisho", 1764000000);
	for (mark.strength = 1; mark.strength <= 3; mark.strength++) {
		check_rect((struct rfb_rect){0, 0, 1024, 64});
		check_rect((struct rfb_rect){1024, 256, WIDTH - 1024, HEIGHT - 256});
		check_rect((struct rfb_rect){512, 64, 1, 1});
	}
	assert_memory_equal(before, pixels, sizeof(before));
}

/* A minute later: the tiles whose picture is another are marked, and no others. */
static void test_watermark_marks_exactly_the_tiles_that_change(void **state)
{
	struct watermark later = mark;
	unsigned changed = 0, same = 0;

	watermark_draw(&mark, "suzuki", "sekisho", 1764000000);
	watermark_draw(&later, "suzuki", "sekisho", 1764000060);
	memset(&frame.dirty, 0, sizeof(frame.dirty));
	watermark_changed(&mark, &later, &frame);
	for (unsigned i = 0; i < frame_tile_rows(&frame) * frame_tile_columns(&frame); i++) {
		unsigned column = i % frame_tile_columns(&frame),
			 row = i / frame_tile_columns(&frame);
		bool differs = false;

		for (unsigned p = 0; p < 64 * 64; p++)
			differs |= is_set(&mark, column * 64 + p % 64, row * 64 + p / 64) !=
				   is_set(&later, column * 64 + p % 64, row * 64 + p / 64);
		assert_int_equal(frame.dirty.rows[row] >> column & 1, differs);
		changed += differs;
		same += !differs;
	}
	assert_true(changed > 0 && same > 0);
}

static void renew(struct loop *loop, struct loop_timer *self)
{
	marking_renew(self->ctx);
}

/* The minute is Tokyo's where the policy says so, and its end is waited for. */
static void test_watermark_is_drawn_anew_when_the_minute_ends(void **state)
{
	struct clock_simulated time = {.wall_ns = 1764000059 * INT64_C(1000000000)};
	struct clock clock = clock_simulate(&time);
	struct watermark first;

	viewer = (struct viewer){.mark_timer = {.fire = renew, .ctx = &viewer},
				 .session = {.watermark = SNAPSHOT_WATERMARK_FAINT,
					     .frame_period_ms = 100,
					     .utc_offset_s = 9 * 3600,
					     .gateway = "sekisho",
					     .user = "suzuki"}};
	loop_init(&viewer.loop, &clock, viewer.polls, viewer.poll_fds, 4);
	frame_init(&viewer.frame, pixels, WIDTH * HEIGHT);
	assert_int_equal(frame_resize(&viewer.frame, WIDTH, HEIGHT), 0);
	memset(&viewer.frame.dirty, 0, sizeof(viewer.frame.dirty));
	marking_begin(&viewer);
	first = viewer.mark;
	mark.strength = 1;
	watermark_draw(&mark, "suzuki", "sekisho", 1764000000 + 9 * 3600);
	assert_memory_equal(&first, &mark, sizeof(mark));
	assert_false(frame_any_dirty(&viewer.frame));
	time.mono_ns += 999 * UINT64_C(1000000);
	assert_int_equal(loop_step(&viewer.loop, 0), 0);
	assert_memory_equal(&first, &viewer.mark, sizeof(mark));
	time.mono_ns += UINT64_C(1000000);
	time.wall_ns += INT64_C(1000000000);
	assert_int_equal(loop_step(&viewer.loop, 0), 0);
	assert_memory_not_equal(&first, &viewer.mark, sizeof(mark));
	assert_true(frame_any_dirty(&viewer.frame));
	assert_true(loop_armed(&viewer.mark_timer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_watermark_letters_lie_where_the_header_says, setup),
		cmocka_unit_test_setup(
			test_watermark_shows_the_beginning_of_long_names_without_overlap, setup),
		cmocka_unit_test_setup(test_watermark_moves_marked_pixels_only_and_leaves_the_frame,
				       setup),
		cmocka_unit_test_setup(test_watermark_marks_exactly_the_tiles_that_change, setup),
		cmocka_unit_test_setup(test_watermark_is_drawn_anew_when_the_minute_ends, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
