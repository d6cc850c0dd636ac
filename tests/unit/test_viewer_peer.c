/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long a browser that takes little at a time can hold up the end of its session (Z11). */
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "screen-viewer/viewer.h"

#define MS_NS UINT64_C(1000000)

#define STEP_MS 300 /* between two reads of the browser */

static struct viewer viewer;
static int browser;
static struct clock_simulated now = {.mono_ns = 1000 * MS_NS};

static struct clock test_clock;

/* peer.c ends a session only for frames, and here come none. */
void viewer_end(struct viewer *v, enum screen_end why, const char *detail, int32_t code)
{
	fail();
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

/* The browser reads a little after STEP_MS; time passes at once. */
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	static char taken[4096];

	assert_in_range(timeout_ms, 1, PEER_DRAIN_MS);
	if (timeout_ms < STEP_MS) {
		now.mono_ns += (uint64_t)timeout_ms * MS_NS;
		return 0;
	}
	now.mono_ns += STEP_MS * MS_NS;
	(void)recv(browser, taken, sizeof(taken), MSG_DONTWAIT);
	fds[0].revents = POLLOUT;
	return 1;
}

static void test_peer_close_has_one_deadline(void **state)
{
	uint64_t begin_ns = now.mono_ns;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	browser = ends[1];
	test_clock = clock_simulate(&now);
	viewer.loop.clock = &test_clock;
	viewer.peer.fd = ends[0];
	stream_init(&viewer.stream, ends[0]);
	viewer.browser.upgraded = true;
	viewer.session.end = SCREEN_END_CLEARED;
	viewer.out_end = sizeof(viewer.out);
	while (send(ends[0], viewer.out, sizeof(viewer.out), 0) > 0)
		; /* until nothing more fits */
	peer_close(&viewer);
	assert_true(peer_has_output(&viewer));
	assert_int_equal(now.mono_ns - begin_ns, PEER_DRAIN_MS * MS_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_peer_close_has_one_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
