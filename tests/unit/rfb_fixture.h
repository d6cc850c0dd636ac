/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeding a desktop's messages to their reader as a connection does: in pieces. */
#ifndef SEKISHO_TESTS_RFB_FIXTURE_H
#define SEKISHO_TESTS_RFB_FIXTURE_H

#include "base/buf.h"
#include "wire/rfb/server.h"

/* Feed messages in pieces of so many octets; each unit must be taken once it is whole.
 *
 * @taken: how many octets were. Returns the last event but MORE (MORE where there was none), or the
 * reader's error. */
static inline int rfb_feed(struct rfb_server_parser *parser, struct span messages, size_t piece,
			   size_t *taken)
{
	size_t there = 0;
	int last = RFB_SERVER_MORE;

	*taken = 0;
	while (there < messages.size) {
		int event = RFB_SERVER_BELL;

		there = there + piece < messages.size ? there + piece : messages.size;
		while (event != RFB_SERVER_MORE) {
			struct reader r;

			reader_init(&r, messages.data + *taken, there - *taken);
			event = rfb_server_next(parser, &r);
			*taken += r.at;
			if (event < 0)
				return event;
			last = event == RFB_SERVER_MORE ? last : event;
		}
		assert_true(there - *taken < RFB_SERVER_UNIT_MAX);
	}
	return last;
}

#endif
