/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A loop in simulated time, a mail entry without a configuration, a supervisor's ends of the
 * channels, and the two halves of a session on them. */
#ifndef SEKISHO_TESTS_MAIL_FIXTURE_H
#define SEKISHO_TESTS_MAIL_FIXTURE_H

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/err.h"
#include "base/event.h"
#include "base/loop.h"
#include "channel/control.h"
#include "channel/mail.h"
#include "mail-receiver/receiver.h"
#include "mail-sender/sender.h"
#include "policy/mail_policy.h"

#define FIXTURE_WATCHED    8
#define FIXTURE_SIZE_LIMIT 1000
#define FIXTURE_RECIPIENTS 3
#define FIXTURE_SESSION    7

/* The header of a flattened mail. */
#define FIXTURE_HEADER(encoding) FIXTURE_FORM("text/plain; charset=utf-8", encoding)
#define FIXTURE_FORM(type, encoding)                                                               \
	"Received: by gw.example.lg.jp with Sekisho id 0123456789abcdef0123; Sun, 22 Nov 2026 "    \
	"00:00:00 +0900\n"                                                                         \
	"From: <taro@example.jp>\nSubject: test\nMessage-ID: <1@example.jp>\n"                     \
	"MIME-Version: 1.0\nContent-Type: " type "\n"                                              \
	"Content-Transfer-Encoding: " encoding "\nSekisho-Receipt: 0123456789abcdef0123\n\n"

struct mail_fixture {
	struct clock_simulated time;
	struct clock clock;
	struct pollfd polls[FIXTURE_WATCHED];
	struct loop_fd *slots[FIXTURE_WATCHED];
	struct loop loop;
	struct snapshot snapshot;
	struct snapshot_mail entry;
	struct mail_policy policy;
	struct event_client events;
	struct channel control;    /* the half's own end */
	struct channel supervisor; /* the test's ends */
	struct channel link;
	struct channel audit;
	int wire; /* of the peer or the next hop */
};

/* Offsets: host name at 1, the two domains behind it. */
static const char fixture_text[] = "\0gw.example.lg.jp\0city.example.lg.jp\0town.example.lg.jp";
static const struct snapshot_text fixture_domains[] = {{18}, {37}};

static inline void mail_fixture_pair(int fds[2])
{
	assert_int_equal(channel_pair(fds), 0);
}

static inline void mail_fixture_init(struct mail_fixture *f)
{
	int fds[2];

	*f = (struct mail_fixture){.wire = -1};
	f->time.mono_ns = 1000000000U;
	f->clock = clock_simulate(&f->time);
	loop_init(&f->loop, &f->clock, f->polls, f->slots, FIXTURE_WATCHED);
	f->entry = (struct snapshot_mail){
		.domains = {0, 2},
		.next_hops = {0, 2},
		.size_limit_bytes = FIXTURE_SIZE_LIMIT,
		.recipients_max = FIXTURE_RECIPIENTS,
		.text_host_name = 1,
		.scanner = SNAPSHOT_NONE,
	};
	f->snapshot.mails = &f->entry;
	f->snapshot.mail_count = 1;
	f->snapshot.text = fixture_text;
	f->snapshot.list_texts = fixture_domains;
	assert_int_equal(mail_policy_open(&f->policy, &f->snapshot, 0), 0);
	mail_fixture_pair(fds);
	channel_init(&f->control, fds[0], NULL, 0, NULL);
	channel_init(&f->supervisor, fds[1], NULL, 0, NULL);
	mail_fixture_pair(fds);
	event_client_init(&f->events, fds[0]);
	channel_init(&f->audit, fds[1], NULL, 0, NULL);
}

static inline void mail_fixture_fini(struct mail_fixture *f)
{
	channel_fini(&f->control);
	channel_fini(&f->supervisor);
	channel_fini(&f->link);
	channel_fini(&f->audit);
	(void)close(f->events.fd);
	if (f->wire >= 0)
		(void)close(f->wire);
}

/* A receiver that is not started yet. @link: what it is started with; the sender's end is
 * @f->link. */
static inline void mail_fixture_receiver(struct mail_fixture *f, struct receiver *r, int *link)
{
	int pair[2];

	mail_fixture_pair(pair);
	channel_init(&f->link, pair[1], NULL, 0, NULL);
	*link = pair[0];
	*r = (struct receiver){.loop = &f->loop,
			       .events = &f->events,
			       .control = &f->control,
			       .policy = &f->policy,
			       .session = FIXTURE_SESSION,
			       .peer_family = 4,
			       .certificate_fd = -1};
}

/* A sender that is not started yet. @link: what it is started with; the receiver's end is
 * @f->link. */
static inline void mail_fixture_sender(struct mail_fixture *f, struct sender *s, int *link)
{
	int pair[2];

	mail_fixture_pair(pair);
	channel_init(&f->link, pair[1], NULL, 0, NULL);
	*link = pair[0];
	*s = (struct sender){.loop = &f->loop,
			     .events = &f->events,
			     .control = &f->control,
			     .policy = &f->policy,
			     .session = FIXTURE_SESSION,
			     .authority_fd = -1};
}

/* A connection whose far end is @f->wire; returns the end of the process under test. */
static inline int mail_fixture_wire(struct mail_fixture *f)
{
	int wire[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, wire), 0);
	f->wire = wire[1];
	return wire[0];
}

/* Serve all that is there now. */
static inline void mail_fixture_settle(struct mail_fixture *f)
{
	for (int i = 0; i < 20; i++)
		assert_int_equal(loop_step(&f->loop, 0), 0);
}

static inline void mail_fixture_pass_ms(struct mail_fixture *f, uint64_t ms)
{
	f->time.mono_ns += ms * 1000000U;
	mail_fixture_settle(f);
}

static inline void mail_fixture_say(struct mail_fixture *f, const void *data, size_t size)
{
	assert_int_equal(send(f->wire, data, size, MSG_NOSIGNAL), (ssize_t)size);
	mail_fixture_settle(f);
}

/* All that the process under test has written so far, NUL-terminated; valid until the next call. */
static inline const char *mail_fixture_heard(struct mail_fixture *f)
{
	static char text[65536];
	size_t size = 0;
	ssize_t n = 0;

	mail_fixture_settle(f);
	while ((n = recv(f->wire, text + size, sizeof(text) - 1 - size, MSG_DONTWAIT)) > 0)
		size += (size_t)n;
	text[size] = '\0';
	return text;
}

/* Whether the other side has closed for good, once what it said was read. */
static inline bool mail_fixture_wire_ended(struct mail_fixture *f)
{
	char c = 0;

	mail_fixture_settle(f);
	return recv(f->wire, &c, 1, MSG_DONTWAIT) == 0;
}

/* Whether an event of this kind is among those emitted since the last call. */
static inline bool mail_fixture_event(struct mail_fixture *f, enum event_id id)
{
	bool found = false;
	struct event_record record;

	for (;;) {
		uint8_t room[sizeof(record) + 64];
		ssize_t n = recv(f->audit.fd, room, sizeof(room), MSG_DONTWAIT);

		if (n < (ssize_t)sizeof(record))
			return found;
		memcpy(&record, room + (n - (ssize_t)sizeof(record)), sizeof(record));
		found = found || record.id == id;
	}
}

/* Take the next message of a channel, which must be of this type and carry a descriptor only where
 * @fd is given. */
static inline void mail_fixture_take(struct mail_fixture *f, struct channel *ch, uint16_t type,
				     void *body, size_t body_bytes, int *fd)
{
	size_t count = 0;

	mail_fixture_settle(f);
	assert_int_equal(
		channel_receive(ch, type, body, body_bytes, fd, fd != NULL ? 1 : 0, &count, 0), 0);
	assert_int_equal(count, fd != NULL ? 1 : 0);
}

static inline bool mail_fixture_quiet(struct mail_fixture *f, struct channel *ch)
{
	char c = 0;

	mail_fixture_settle(f);
	return recv(ch->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
}

#endif
