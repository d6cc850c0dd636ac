/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A config process without its peers: its state in a place of its own, a clock that stands until it
 * is set, and audit's end of its events. */
#ifndef SEKISHO_TESTS_CONFIG_FIXTURE_H
#define SEKISHO_TESTS_CONFIG_FIXTURE_H

#include "unit.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/channel.h"
#include "config/config.h"
#include "place.h"

#define BEGAN_S INT64_C(1800000000) /* January 2027 */

static struct {
	struct place place;
	struct config c;
	struct clock_simulated time;
	struct clock clock;
	int events; /* audit's end */
} f;

/* Nothing runs yet, and there are no directories. */
static inline void fixture_open(void)
{
	int fds[2];

	memset(&f, 0, sizeof(f));
	place_open(&f.place);
	f.time = (struct clock_simulated){.mono_ns = 1000000000, .wall_ns = BEGAN_S * 1000000000};
	f.clock = clock_simulate(&f.time);
	loop_init(&f.c.loop, &f.clock, f.c.polls, f.c.fds, CONFIG_DESCRIPTORS);
	assert_int_equal(channel_pair(fds), 0);
	event_client_init(&f.c.process.events, fds[0]);
	f.events = fds[1];
	f.c.keys_dir = f.c.state_dir = -1;
	bytes_init(&f.c.running_text, CONFIG_TEXT_BYTES);
}

static inline void fixture_close(void)
{
	bytes_fini(&f.c.running_text);
	(void)close(f.c.process.events.fd);
	(void)close(f.events);
	place_close(&f.place);
}

/* The next event that was sent; EVENT_NONE_: none. Its texts hold @text; NULL: any. */
static inline enum event_id next_event(const char *text)
{
	static uint8_t body[65536];
	ssize_t size = recv(f.events, body, sizeof(body), MSG_DONTWAIT);
	struct event_record event;

	if (size < (ssize_t)sizeof(event))
		return EVENT_NONE_;
	memcpy(&event, body + size - sizeof(event), sizeof(event));
	if (text != NULL)
		assert_non_null(memmem(event.text, sizeof(event.text), text, strlen(text)));
	return event.id;
}

#endif
