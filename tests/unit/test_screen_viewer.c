/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The half that faces the viewer, alone: what it says when the desktop's half has gone, and that an
 * update goes on whatever comes between its pieces. */
#include "unit.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "screen-viewer/viewer.h"

enum { WIDTH = 128, HEIGHT = 128 };

static struct viewer viewer;
static uint32_t pixels[WIDTH * HEIGHT];
static int source_fd;

static struct screen_pixels drawn; /* by the desktop's half */

static const struct screen_input key = {.kind = SCREEN_KEY, .flags = 1, .value = 0x61};

/* What main.c has of it, without a loop to stop. */
void viewer_end(struct viewer *v, enum screen_end why, const char *detail, int32_t code)
{
	session_end(&v->session, why, detail, code);
}

void viewer_tell_start(struct viewer *v)
{
}

static int setup(void **state)
{
	int link[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, link), 0);
	viewer = (struct viewer){
		.link = {.fd = link[0], .events = POLLIN},
		.peer = {.fd = -1},
		.phase = VIEWER_RUNNING,
		.pixels = &drawn,
	};
	source_fd = link[1];
	stream_init(&viewer.stream, -1);
	frame_init(&viewer.frame, pixels, WIDTH * HEIGHT);
	assert_int_equal(frame_resize(&viewer.frame, WIDTH, HEIGHT), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)close(viewer.link.fd);
	return 0;
}

static void source_says(struct screen_record record)
{
	assert_int_equal(send(source_fd, &record, sizeof(record), 0), sizeof(record));
}

static void source_leaves(void)
{
	source_says((struct screen_record){.kind = SCREEN_SOLID, .w = 64, .h = 64, .value = 1});
	source_says((struct screen_record){.kind = SCREEN_ENDED, .value = SCREEN_END_DESKTOP_LEFT});
	(void)close(source_fd);
}

static void test_viewer_tells_the_desktops_reason_when_a_key_finds_it_gone(void **state)
{
	source_leaves();
	client_send_input(&viewer, &key);
	assert_false(viewer.input_waits);
	records_serve(&viewer);
	assert_string_equal(screen_end_name(viewer.session.end), "desktop-left");
}

static void test_viewer_tells_the_desktops_reason_behind_keys_left_unread(void **state)
{
	client_send_input(&viewer, &key);
	source_leaves();
	records_serve(&viewer);
	assert_string_equal(screen_end_name(viewer.session.end), "desktop-left");
}

/* More tiles than a batch, and a new size that an update on its way keeps waiting. */
static void test_viewer_tells_the_desktops_reason_behind_a_size_that_waits(void **state)
{
	viewer.rects_left = 1;
	source_says((struct screen_record){.kind = SCREEN_GEOMETRY, .w = 64, .h = 64});
	for (unsigned i = 0; i < 2 * SCREEN_BATCH; i++)
		source_says((struct screen_record){.kind = SCREEN_SOLID, .w = 64, .h = 64});
	source_leaves();
	records_serve(&viewer);
	assert_int_equal(viewer.session.end, SCREEN_END_NONE_);
	assert_int_equal(viewer.link.events & POLLIN, 0);
	records_last(&viewer);
	assert_string_equal(screen_end_name(viewer.session.end), "desktop-left");
}

static void test_viewer_tells_of_a_half_that_died_without_a_reason(void **state)
{
	(void)close(source_fd);
	client_send_input(&viewer, &key);
	assert_int_equal(viewer.session.end, SCREEN_END_NONE_);
	records_last(&viewer);
	assert_string_equal(screen_end_name(viewer.session.end), "other-half-died");
}

/* What is in the fourth byte of a pixel would be in no picture, but in the shape of what is
 * encoded. */
static void test_viewer_takes_no_more_than_24_bits_of_a_pixel(void **state)
{
	memset(&drawn, 0xDE, sizeof(drawn));
	source_says((struct screen_record){.kind = SCREEN_PIXELS, .x = 64, .w = 64, .h = 64});
	source_says((struct screen_record){.kind = SCREEN_SOLID, .w = 64, .h = 64, .value = ~0U});
	source_says((struct screen_record){.kind = SCREEN_CURSOR, .w = 128, .h = 128});
	records_serve(&viewer);
	assert_int_equal(viewer.session.end, SCREEN_END_NONE_);
	assert_int_equal(*frame_at(&viewer.frame, 64, 63), 0xDEDEDE);
	assert_int_equal(*frame_at(&viewer.frame, 0, 63), 0xFFFFFF);
	for (size_t i = 0; i < 128 * 128; i++)
		assert_int_equal(viewer.cursor_pixels[i], 0xFFDEDEDE); /* opaque, no more */
}

/* ---- a browser ---- */

enum { CAP_KBIT_S = 2000, PERIOD_MS = 10 };

static int browser_fd;

/* Its session: frames, a connection that takes no more for now, and a cap on bytes that lets out a
 * tile and then holds up the rest. */
static int setup_browser(void **state)
{
	int connection[2];

	setup(state);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, connection), 0);
	viewer.peer.fd = connection[0];
	viewer.reading = true;
	browser_fd = connection[1];
	while (send(viewer.peer.fd, "", 1, 0) == 1)
		;
	stream_init(&viewer.stream, viewer.peer.fd);
	viewer.browser = (struct viewer_browser){.is_one = true, .upgraded = true};
	loop_init(&viewer.loop, &clock_system, viewer.polls, viewer.poll_fds, 4);
	rfb_encoder_init(&viewer.encoder);
	pace_init(&viewer.pace, CAP_KBIT_S);
	viewer.session.frame_period_ms = PERIOD_MS;
	viewer.choice.pixels = RFB_RAW;
	return 0;
}

static int teardown_browser(void **state)
{
	(void)close(viewer.peer.fd);
	(void)close(browser_fd);
	(void)close(source_fd);
	return teardown(state);
}

/* All that has come to the browser. Return: whether a pong is among it: the pixels are black. */
static bool read_all(void)
{
	static const uint8_t pong[] = {0x8a, 0x00};
	static uint8_t bytes[1 << 17];
	ssize_t n = recv(browser_fd, bytes, sizeof(bytes), 0);

	return n > 0 && memmem(bytes, (size_t)n, pong, sizeof(pong)) != NULL;
}

/* As the loop serves the connection and the tick; false where neither is due, now or later. */
static bool serve(void)
{
	struct pollfd polled = {.fd = viewer.peer.fd, .events = viewer.peer.events};

	if (poll(&polled, 1, PERIOD_MS) > 0) {
		update_continue(&viewer);
		return true;
	}
	if (!loop_armed(&viewer.tick_timer))
		return false;
	loop_disarm(&viewer.loop, &viewer.tick_timer);
	update_tick(&viewer);
	return true;
}

static void test_viewer_goes_on_with_an_update_between_whose_pieces_a_ping_came(void **state)
{
	static const uint8_t ping[] = {0x89, 0x80, 0, 0, 0, 0};
	uint8_t data[64];
	bool answered;

	viewer.wants = true;
	viewer.wanted = viewer.frame.dirty;
	update_tick(&viewer);
	assert_true(viewer.rects_left > 0 && viewer.out_at < viewer.out_end);
	answered = read_all();
	assert_false(answered);
	assert_int_equal(send(browser_fd, ping, sizeof(ping), 0), sizeof(ping));
	assert_int_equal(peer_read(&viewer, data, sizeof(data)), -ERR_AGAIN);
	client_watch_peer(&viewer); /* as behind every read */
	viewer.peer.events &= ~POLLIN;
	while (update_going(&viewer)) {
		assert_true(serve());
		answered |= read_all();
		assert_int_equal(viewer.session.end, SCREEN_END_NONE_);
	}
	assert_true(answered);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_viewer_tells_the_desktops_reason_when_a_key_finds_it_gone, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_viewer_tells_the_desktops_reason_behind_keys_left_unread, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_viewer_tells_the_desktops_reason_behind_a_size_that_waits, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_viewer_tells_of_a_half_that_died_without_a_reason, setup, teardown),
		cmocka_unit_test_setup_teardown(test_viewer_takes_no_more_than_24_bits_of_a_pixel,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_viewer_goes_on_with_an_update_between_whose_pieces_a_ping_came,
			setup_browser, teardown_browser),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
