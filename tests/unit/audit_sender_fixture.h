/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sender of the audit log in simulated time; the syslog server is the test that includes this. */
#ifndef SEKISHO_TESTS_AUDIT_SENDER_FIXTURE_H
#define SEKISHO_TESTS_AUDIT_SENDER_FIXTURE_H

#include "unit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit/sender.h"
#include "base/err.h"
#include "log_senders_here.h"
#include "place.h"

#define RECORDS_MAX   600
#define GOT_MAX       16384
#define LOOP_MAX      24
#define DAY_MINUTES   1440U
#define DAY_SEGMENT   (64U << 10)
#define DAY_FITS      (4U << 20)   /* of a store that holds what a day has to say */
#define DAY_OVERFLOWS (256U << 10) /* of one that does not */

struct sending {
	struct place place;
	struct clock_simulated time;
	struct clock clock;
	struct loop loop;
	struct pollfd polls[LOOP_MAX];
	struct loop_fd *fds[LOOP_MAX];
	struct record_form form;
	struct store store;
	struct sender sender;
	struct log_senders_here here;
	in_port_t port_be16;   /* of the server, once it was there */
	uint64_t got[GOT_MAX]; /* numbers of the records that arrived, as they did */
	size_t got_count;
	unsigned told[EVENT_COUNT_]; /* how often the sender reported each event */
	uint64_t forced_out;         /* records that it said were gone before they were sent */
};

static void on_report(void *ctx, enum event_id id, const struct event_arg *args, size_t count)
{
	struct sending *s = ctx;

	s->told[id]++;
	for (size_t i = 0; i < count && id == EVENT_SYSLOG_FORCED_OUT; i++)
		s->forced_out += args[i].key == FIELD_COUNT ? args[i].number : 0;
}

/* A store of at most @limit_bytes in segments of @segment_bytes. */
static void sending_init(struct sending *s, uint64_t limit_bytes, uint64_t segment_bytes)
{
	struct store_recovery found;

	place_open(&s->place);
	s->time.mono_ns = 1000000000;
	s->clock = clock_simulate(&s->time);
	s->form = (struct record_form){.clock = &s->clock, .host = "h"};
	loop_init(&s->loop, &s->clock, s->polls, s->fds, LOOP_MAX);
	assert_int_equal(store_open(&s->store, s->place.dir, &s->form, limit_bytes, segment_bytes,
				    &found),
			 0);
}

static void sending_fini(struct sending *s)
{
	sender_close(&s->sender);
	here_close_all(&s->here);
	store_close(&s->store);
	place_close(&s->place);
}

/* Where the server is, or was; port 0 for one that has not been there yet. */
static struct sockaddr_in server_address(const struct sending *s)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = s->port_be16,
				    .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

/* The server's socket gets its address, and keeps it when it comes back. */
static inline void server_bind(struct sending *s, int fd)
{
	struct sockaddr_in at = server_address(s);
	socklen_t size = sizeof(at);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	s->port_be16 = at.sin_port;
}

static void append(struct sending *s, unsigned count)
{
	struct event_record event;

	event_build(&event, EVENT_HEARTBEAT, NULL, 0);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(store_append(&s->store, "audit", &event), 0);
	assert_int_equal(store_sync(&s->store), 0);
	sender_kick(&s->sender);
}

/* One record, as it came from the wire. */
static inline void take_record(struct sending *s, const uint8_t *line, size_t bytes)
{
	struct syslog_view view;

	assert_true(s->got_count < GOT_MAX);
	assert_int_equal(syslog_parse((struct span){line, bytes}, &view), 0);
	assert_int_equal(syslog_param_number(&view, "seq", &s->got[s->got_count++]), 0);
}

static void step_ms(struct sending *s, uint64_t ms)
{
	s->time.mono_ns += ms * 1000000U;
	assert_int_equal(loop_step(&s->loop, 0), 0);
}

/* 5 ms of simulated time. */
static void step(struct sending *s)
{
	step_ms(s, 5);
}

/* A day on which nobody listens: a record each minute, and 15 more in those of the office hours. */
static inline void pass_day_alone(struct sending *s)
{
	for (unsigned minute = 0; minute < DAY_MINUTES; minute++) {
		append(s, minute >= 510 && minute < 1035 ? 16 : 1);
		for (unsigned i = 0; i < 60 * 4; i++)
			step_ms(s, 250);
	}
}

/* Numbers only grow but for what is sent twice, and end with the newest. Return: how many are
 * missing. */
static inline uint64_t check_gaps(const struct sending *s)
{
	uint64_t next = 1, missing = 0;

	for (size_t i = 0; i < s->got_count; i++) {
		if (s->got[i] < next)
			continue;
		missing += s->got[i] - next;
		next = s->got[i] + 1;
	}
	assert_int_equal(next, s->store.chain.next_sequence);
	return missing;
}

/* Each number from 1 on arrived, the first arrival of each in order. Return: how many came twice.
 */
static inline unsigned check_order(const struct sending *s)
{
	uint64_t next = 1;
	unsigned twice = 0;

	for (size_t i = 0; i < s->got_count; i++) {
		assert_true(s->got[i] <= next);
		if (s->got[i] == next)
			next++;
		else
			twice++;
	}
	assert_int_equal(next, s->store.chain.next_sequence);
	return twice;
}

#endif
