/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The half that faces the desktop, alone: how its bytes are received, and what it says when the
 * viewer's half has gone. */
#include "unit.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
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

/* A release of what is not pressed writes nothing to the desktop, so no buffer ends the turn. */
static void test_source_takes_so_much_input_in_a_turn(void **state)
{
	const struct screen_input input = {.kind = SCREEN_KEY, .flags = 0, .value = 'a'};
	struct screen_input left;
	unsigned sent = 0, remaining = 0;

	while (sent < SOURCE_INPUT_MAX + 3 &&
	       send(viewer_fd, &input, sizeof(input), 0) == sizeof(input))
		sent++;
	assert_int_equal(sent, SOURCE_INPUT_MAX + 3);
	source.link.events = 0;
	input_serve(&source);
	assert_int_equal(source.session.end, SCREEN_END_NONE_);
	assert_true(source.link.events & POLLIN);
	while (recv(source.link.fd, &left, sizeof(left), MSG_DONTWAIT) > 0)
		remaining++;
	assert_int_equal(remaining, 3);
	(void)close(viewer_fd);
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

/* An update of Raw rectangles: as wide as the screen, narrower ones, a small one; and what tells
 * them apart from a copy. */
static size_t write_update(uint8_t *bytes, size_t size)
{
	static const struct rfb_rect rects[] = {
		{0, 0, WIDTH, 70}, {3, 5, 100, 60},   {0, 126, WIDTH, 2},
		{1, 1, 2, 3},      {28, 60, 100, 66},
	};
	struct writer w;
	uint32_t colour = 0xca000000;

	writer_init(&w, bytes, size);
	writer_be32(&w, sizeof(rects) / sizeof(rects[0]));
	for (size_t i = 0; i < sizeof(rects) / sizeof(rects[0]); i++) {
		writer_be16(&w, rects[i].x);
		writer_be16(&w, rects[i].y);
		writer_be16(&w, rects[i].w);
		writer_be16(&w, rects[i].h);
		writer_be32(&w, RFB_RAW);
		for (unsigned k = 0; k < (unsigned)rects[i].w * rects[i].h; k++, colour += 0x010203)
			writer_bytes(&w, &colour, sizeof(colour));
	}
	assert_false(w.failed);
	return w.size;
}

static int decode_received(void)
{
	struct reader r;
	int event;

	reader_init(&r, source.in + source.in_at, source.in_end - source.in_at);
	event = rfb_server_next(&source.parser, &r);
	source.in_at += r.at;
	return event;
}

static void compare_with_parser(const uint8_t *bytes, size_t size)
{
	static uint32_t pixels[WIDTH * HEIGHT];
	struct frame frame;
	struct rfb_server_parser parser;
	struct reader r;

	memset(pixels, 0, sizeof(pixels));
	frame_init(&frame, pixels, WIDTH * HEIGHT);
	assert_int_equal(frame_resize(&frame, WIDTH, HEIGHT), 0);
	memset(&frame.dirty, 0, sizeof(frame.dirty));
	rfb_server_init(&parser, &frame, NULL);
	reader_init(&r, bytes, size);
	assert_int_equal(rfb_server_next(&parser, &r), RFB_SERVER_END);
	assert_memory_equal(&frame.dirty, &source.frame.dirty, sizeof(frame.dirty));
	for (size_t i = 0; i < WIDTH * HEIGHT; i++)
		assert_int_equal(memory.frame[i] & FRAME_PIXEL_MASK, pixels[i]);
}

/* Return: bytes that went into the frame without the parser. */
static size_t receive_in_pieces(const uint8_t *bytes, size_t size, size_t piece)
{
	int desktop[2], event = RFB_SERVER_MORE;
	size_t sent = 0, direct = 0;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, desktop), 0);
	stream_init(&source.stream, desktop[0]);
	rfb_server_init(&source.parser, &source.frame, NULL);
	memset(memory.frame, 0, WIDTH * HEIGHT * sizeof(memory.frame[0]));
	memset(&source.frame.dirty, 0, sizeof(source.frame.dirty));
	source.in_at = source.in_end = 0;
	while (event == RFB_SERVER_MORE) {
		size_t before = source.in_end - source.in_at;
		ssize_t n = receive_more(&source);

		if (n > 0) {
			direct += before + (size_t)n - source.in_end;
			event = decode_received();
			continue;
		}
		assert_int_equal(n, -ERR_AGAIN);
		assert_in_range(sent, 0, size - 1);
		piece = piece < size - sent ? piece : size - sent;
		assert_int_equal(send(desktop[1], bytes + sent, piece, 0), piece);
		sent += piece;
	}
	assert_int_equal(event, RFB_SERVER_END);
	assert_int_equal(source.in_end - source.in_at + size - sent, 0);
	(void)close(desktop[0]);
	(void)close(desktop[1]);
	return direct;
}

static void test_source_receives_raw_pixels_where_they_belong(void **state)
{
	static uint8_t bytes[4 * WIDTH * HEIGHT * 2];
	const size_t pieces[] = {1, 3, 997, 20001, sizeof(bytes)};
	size_t size = write_update(bytes, sizeof(bytes));

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		size_t direct = receive_in_pieces(bytes, size, pieces[i]);

		compare_with_parser(bytes, size);
		assert_in_range(direct, size / 2, size);
	}
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
		cmocka_unit_test_setup_teardown(test_source_receives_raw_pixels_where_they_belong,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_source_draws_no_more_once_the_link_has_broken,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_source_tells_of_a_half_that_died_without_a_reason, setup, teardown),
		cmocka_unit_test_setup_teardown(test_source_takes_so_much_input_in_a_turn, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_source_counts_in_the_memory_what_it_has_told,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
