/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Syslog over UDP (L1): while the server is away nothing is lost or reordered, and the place
 * reached survives. */
#include "unit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit/sender.h"
#include "base/err.h"

#define RECORDS_MAX 600

struct fixture {
	char path[64];
	struct clock_simulated time;
	struct clock clock;
	struct loop loop;
	struct pollfd polls[8];
	struct loop_fd *fds[8];
	struct record_form form;
	struct store store;
	struct sender sender;
	int server; /* -1: away */
	in_port_t port_be16;
	uint64_t got[RECORDS_MAX * 2];
	size_t got_count;
	unsigned told[EVENT_COUNT_];
};

static void on_report(void *ctx, enum event_id id, const struct event_arg *args, size_t count)
{
	((struct fixture *)ctx)->told[id]++;
}

static void server_start(struct fixture *f)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = f->port_be16,
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(at);

	f->server = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(f->server, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(f->server, (struct sockaddr *)&at, &size), 0);
	f->port_be16 = at.sin_port;
}

static void server_stop(struct fixture *f)
{
	close(f->server);
	f->server = -1;
}

static int connect_server(const struct fixture *f)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = f->port_be16,
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct store_recovery found;

	(void)snprintf(f->path, sizeof(f->path), "/tmp/audit-sender-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->time.mono_ns = 1000000000;
	f->clock = clock_simulate(&f->time);
	f->form = (struct record_form){.clock = &f->clock, .host = "h"};
	loop_init(&f->loop, &f->clock, f->polls, f->fds, 8);
	assert_int_equal(store_open(&f->store, open(f->path, O_RDONLY | O_DIRECTORY), &f->form,
				    64U << 10, 16U << 10, &found),
			 0);
	server_start(f);
	assert_int_equal(sender_open(&f->sender, &f->loop, &f->store,
				     (struct sender_report){.event = on_report, .ctx = f}, "server",
				     connect_server(f), true),
			 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	DIR *dir;
	struct dirent *entry;

	sender_close(&f->sender);
	store_close(&f->store);
	if (f->server >= 0)
		server_stop(f);
	dir = opendir(f->path);
	while ((entry = readdir(dir)) != NULL)
		unlinkat(f->store.directory, entry->d_name, 0);
	closedir(dir);
	close(f->store.directory);
	rmdir(f->path);
	free(f);
	return 0;
}

static void append(struct fixture *f, unsigned count)
{
	struct event_record event;

	event_build(&event, EVENT_HEARTBEAT, NULL, 0);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(store_append(&f->store, "audit", &event), 0);
	assert_int_equal(store_sync(&f->store), 0);
	sender_kick(&f->sender);
}

static void receive(struct fixture *f)
{
	char line[STORE_LINE_MAX];
	ssize_t size;

	while (f->server >= 0 && (size = recv(f->server, line, sizeof(line), 0)) > 0) {
		struct syslog_view view;

		assert_int_equal(syslog_parse((struct span){(uint8_t *)line, (size_t)size}, &view),
				 0);
		assert_int_equal(syslog_param_number(&view, "seq", &f->got[f->got_count++]), 0);
	}
}

/* Let simulated time pass in steps of 5 ms. */
static void pass(struct fixture *f, unsigned ms)
{
	for (unsigned at = 0; at < ms; at += 5) {
		f->time.mono_ns += 5000000;
		assert_int_equal(loop_step(&f->loop, 0), 0);
		receive(f);
	}
}

/* Each number from @first on arrived, the first arrival of each in order. Return: how many came
 * twice. */
static unsigned check_order(const struct fixture *f, uint64_t first)
{
	uint64_t next = first;
	unsigned twice = 0;

	for (size_t i = 0; i < f->got_count; i++) {
		assert_true(f->got[i] <= next);
		if (f->got[i] == next)
			next++;
		else
			twice++;
	}
	assert_int_equal(next, f->store.chain.next_sequence);
	return twice;
}

static void test_sender_sends_all_in_order(void **state)
{
	struct fixture *f = *state;

	append(f, 150);
	pass(f, 200);
	assert_int_equal(check_order(f, 1), 0);
}

/* A power cut takes back what is not on the disk, and its numbers go to other records then. */
static void test_sender_keeps_back_what_is_not_on_the_disk(void **state)
{
	struct fixture *f = *state;
	struct event_record event;

	append(f, 1);
	event_build(&event, EVENT_HEARTBEAT, NULL, 0);
	assert_int_equal(store_append(&f->store, "audit", &event), 0);
	sender_kick(&f->sender);
	pass(f, 2000);
	assert_int_equal(f->got_count, 2);
	assert_int_equal(store_sync(&f->store), 0);
	sender_kick(&f->sender);
	pass(f, 100);
	assert_int_equal(check_order(f, 1), 0);
}

static void test_sender_resends_from_the_refused_record(void **state)
{
	struct fixture *f = *state;

	append(f, 5);
	pass(f, 15000);
	server_stop(f);
	append(f, 3);
	pass(f, 20000);
	assert_int_equal(f->told[EVENT_SYSLOG_AWAY], 1);
	assert_int_equal(f->got_count, 6);
	server_start(f);
	pass(f, 20000);
	assert_int_equal(f->told[EVENT_SYSLOG_BACK], 1);
	assert_int_equal(check_order(f, 1), 0);
}

/* The errors about records sent just before the one that is reported may have been held back. */
/* Nothing tells of datagrams that were refused before the zone's rules let errors in: the first
 * goes alone. */
static void test_sender_tries_a_new_server_with_one_record(void **state)
{
	struct fixture *f = *state;

	pass(f, 100);
	sender_close(&f->sender);
	server_stop(f);
	append(f, 5);
	assert_int_equal(sender_open(&f->sender, &f->loop, &f->store,
				     (struct sender_report){.event = on_report, .ctx = f}, "server",
				     connect_server(f), false),
			 0);
	pass(f, 4000);
	assert_int_equal(f->told[EVENT_SYSLOG_AWAY], 1);
	server_start(f);
	pass(f, 20000);
	assert_int_equal(check_order(f, 1), 0);
	assert_int_equal(f->told[EVENT_SYSLOG_BACK], 1);
}

static void test_sender_resends_what_was_sent_shortly_before(void **state)
{
	struct fixture *f = *state;

	append(f, 5);
	pass(f, 100);
	server_stop(f);
	append(f, 1);
	pass(f, 100);
	server_start(f);
	pass(f, 10000);
	assert_int_equal(check_order(f, 1), 6);
}

static void test_sender_counts_what_was_forced_out(void **state)
{
	struct fixture *f = *state;

	pass(f, 100);
	server_stop(f);
	append(f, 1);
	pass(f, 100);
	append(f, RECORDS_MAX);
	assert_true(f->store.segments[0].first_sequence > 10);
	server_start(f);
	pass(f, 30000);
	assert_true(f->told[EVENT_SYSLOG_FORCED_OUT] > 0);
	assert_int_equal(f->got[f->got_count - 1] + 1, f->store.chain.next_sequence);
}

static void test_sender_goes_on_where_it_was_closed(void **state)
{
	struct fixture *f = *state;
	struct sender_report report = {.event = on_report, .ctx = f};

	append(f, 10);
	pass(f, 100);
	sender_close(&f->sender);
	append(f, 10);
	assert_int_equal(sender_open(&f->sender, &f->loop, &f->store, report, "server",
				     connect_server(f), true),
			 0);
	pass(f, 100);
	assert_int_equal(check_order(f, 1), 0);
}

/* A place saved long ago, or damaged, only sends more again. */
static void test_sender_with_a_damaged_place_sends_all_again(void **state)
{
	struct fixture *f = *state;
	struct sender_report report = {.event = on_report, .ctx = f};
	int fd;

	append(f, 10);
	pass(f, 100);
	sender_close(&f->sender);
	fd = openat(f->store.directory, "sent-server", O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, "junk", 4), 4);
	close(fd);
	assert_int_equal(sender_open(&f->sender, &f->loop, &f->store, report, "server",
				     connect_server(f), true),
			 0);
	pass(f, 100);
	assert_int_equal(check_order(f, 1), 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sender_sends_all_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sender_keeps_back_what_is_not_on_the_disk,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_sender_resends_from_the_refused_record, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_sender_tries_a_new_server_with_one_record,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_sender_resends_what_was_sent_shortly_before,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_sender_counts_what_was_forced_out, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_sender_goes_on_where_it_was_closed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_sender_with_a_damaged_place_sends_all_again,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
