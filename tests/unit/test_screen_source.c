/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The half that faces the desktop, alone: what it says when the viewer's half has gone. */
#include "unit.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "screen-source/source.h"

enum { WIDTH = 128, HEIGHT = 128 };

static struct source source;
static struct screen_pixels memory; /* touched as far as the frame goes */
static int viewer_fd;

/* What main.c has of it, without a loop to stop. */
void source_end(struct source *s, enum screen_end why, const char *detail, int32_t code)
{
	session_end(&s->session, why, detail, code);
}

bool source_bucket_take(struct source_bucket *b, unsigned per_s, unsigned burst)
{
	return true;
}

static int setup(void **state)
{
	int link[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, link), 0);
	source = (struct source){
		.link = {.fd = link[0], .events = POLLIN},
		.phase = SOURCE_RUNNING,
		.pixels = &memory,
	};
	memset(&memory.shape, 0, sizeof(memory.shape));
	viewer_fd = link[1];
	frame_init(&source.frame, memory.frame, WIDTH * HEIGHT);
	assert_int_equal(frame_resize(&source.frame, WIDTH, HEIGHT), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)close(source.link.fd);
	return 0;
}

static void viewer_leaves(void)
{
	struct screen_input input = {.kind = SCREEN_INPUT_ENDED, .value = SCREEN_END_VIEWER_LEFT};

	assert_int_equal(send(viewer_fd, &input, sizeof(input), 0), sizeof(input));
	(void)close(viewer_fd);
}

static void draw(void)
{
	struct rfb_rect all = {0, 0, WIDTH, HEIGHT};

	frame_mark(&source.frame, &source.frame.dirty, &all);
	tiles_begin(&source);
}

static void test_source_tells_the_viewers_reason_when_tiles_find_it_gone(void **state)
{
	viewer_leaves();
	draw();
	input_serve(&source);
	assert_string_equal(screen_end_name(source.session.end), "viewer-left");
}

static void test_source_tells_the_viewers_reason_behind_tiles_left_unread(void **state)
{
	draw();
	viewer_leaves();
	input_serve(&source);
	assert_string_equal(screen_end_name(source.session.end), "viewer-left");
}

static void test_source_draws_no_more_once_the_link_has_broken(void **state)
{
	viewer_leaves();
	draw();
	assert_false(tiles_may_begin(&source));
	assert_int_equal(source.link.events & POLLOUT, 0);
}

static void test_source_tells_of_a_half_that_died_without_a_reason(void **state)
{
	(void)close(viewer_fd);
	draw();
	input_serve(&source);
	assert_string_equal(screen_end_name(source.session.end), "other-half-died");
}

static void test_source_counts_in_the_memory_what_it_has_told(void **state)
{
	const struct rfb_rect corner = {WIDTH - 1, HEIGHT - 1, 1, 1};
	const struct screen_shape *shape = &memory.shape;

	source.size_due = true;
	draw();
	assert_int_equal(shape->sizes, 1);
	assert_int_equal(shape->width, WIDTH);
	assert_int_equal(shape->height, HEIGHT);
	frame_mark(&source.frame, &source.frame.dirty, &corner);
	tiles_begin(&source);
	assert_int_equal(shape->sizes, 1);
	assert_int_equal(shape->drawn[0][0], 1);
	assert_int_equal(shape->drawn[1][1], 2);
	assert_int_equal(shape->drawn[2][0], 0);
	(void)close(viewer_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_source_tells_the_viewers_reason_when_tiles_find_it_gone, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_source_tells_the_viewers_reason_behind_tiles_left_unread, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_source_draws_no_more_once_the_link_has_broken,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_source_tells_of_a_half_that_died_without_a_reason, setup, teardown),
		cmocka_unit_test_setup_teardown(test_source_counts_in_the_memory_what_it_has_told,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
