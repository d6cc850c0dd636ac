/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store and the sender of the audit log on a day on which the syslog server is away: the clock
 * is simulated, the server a real one.
 *
 *   log_day DIRECTORY HOST LIMIT_KIB udp|tcp|tls ADDRESS PORT [AUTHORITY NAME]
 *
 * Prints "sent" when the server's host has the first records for longer than anything stays in
 * doubt, and reads a line, by which the server is away; lets a day pass, prints "away" and reads a
 * line again, by which it is back. Prints "all N" when its host has taken N records, or what was
 * left of them, and ends with 0.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "audit/sender.h"
#include "base/err.h"
#include "../unit/log_senders_here.h"

#define ARGUMENTS_PLAIN 7
#define ARGUMENTS_TLS   9
#define SERVER          "server"
#define SEGMENT_BYTES   (64U << 10)
#define STEP_MS         5U
#define LOOP_MAX        24
#define LOOK_MS         250U
#define DAY_MINUTES     1440U
#define MINUTE_STEPS    240U /* of LOOK_MS */
#define OPEN_MINUTE     510U /* of the office hours */
#define SHUT_MINUTE     1035U
#define OPEN_RECORDS    16U   /* in each of their minutes */
#define QUIET_STEPS     3000U /* of STEP_MS: longer than SENDER_DOUBT_S */
#define FLOW_S          120   /* of real time, for a server on a busy machine */

static struct day {
	struct clock_simulated time;
	struct clock clock;
	struct loop loop;
	struct pollfd polls[LOOP_MAX];
	struct loop_fd *fds[LOOP_MAX];
	struct record_form form;
	struct store store;
	struct sender sender;
	struct log_senders_here here;
	struct sockaddr_in server;
	const char *authority; /* file; NULL: not under TLS: */
	const char *peer;
	bool datagrams;
} day;

static void fail(const char *what)
{
	fprintf(stderr, "log_day: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void append(enum event_id id, const struct event_arg *args, size_t count)
{
	struct event_record event;

	if (event_build(&event, id, args, count) < 0 ||
	    store_append(&day.store, "audit", &event) < 0)
		fail("a record was refused");
}

static void on_report(void *ctx, enum event_id id, const struct event_arg *args, size_t count)
{
	(void)ctx;
	append(id, args, count);
}

static int call_server(int kind)
{
	int fd = socket(AF_INET, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket");
	if (connect(fd, (struct sockaddr *)&day.server, sizeof(day.server)) == 0 ||
	    errno == EINPROGRESS)
		return fd;
	(void)close(fd); /* errno of connect() is not asked for */
	return -1;
}

static void on_connect(void *ctx, const char *name)
{
	struct transport_wish wish = {.kind = day.authority != NULL ? SNAPSHOT_TRANSPORT_TLS
								    : SNAPSHOT_TRANSPORT_TCP,
				      .peer = day.peer,
				      .socket_fd = call_server(SOCK_STREAM),
				      .authority_fd = -1,
				      .identity_fd = -1};
	int link = -1;

	(void)ctx;
	(void)name;
	if (wish.socket_fd >= 0 && day.authority != NULL)
		wish.authority_fd = open(day.authority, O_RDONLY | O_CLOEXEC);
	if (wish.socket_fd >= 0)
		link = here_start(&day.here, &day.loop, wish);
	if (wish.authority_fd >= 0)
		(void)close(wish.authority_fd); /* was only read */
	sender_connected(&day.sender, link, ECONNREFUSED);
}

static void step_ms(uint64_t ms)
{
	day.time.mono_ns += ms * 1000000U;
	day.time.wall_ns += (int64_t)ms * 1000000;
	if (loop_step(&day.loop, 0) < 0)
		fail("loop");
	if (day.store.dirty && store_sync(&day.store) < 0)
		fail("sync");
	sender_kick(&day.sender);
}

/* Datagrams that the server's socket has no room for are lost: whether there are some in it. */
static bool server_is_reading(void)
{
	FILE *sockets = fopen("/proc/net/udp", "re");
	char line[256];
	unsigned port;
	unsigned long waiting;
	bool reading = false;

	if (sockets == NULL)
		fail("/proc/net/udp");
	while (!reading && fgets(line, sizeof(line), sockets) != NULL)
		reading = sscanf(line, " %*d: %*x:%x %*x:%*x %*x %*x:%lx", &port, &waiting) == 2 &&
			  port == ntohs(day.server.sin_port) && waiting > 0;
	(void)fclose(sockets); /* was only read */
	return reading;
}

static bool all_sent(void)
{
	const struct sender *s = &day.sender;

	if (s->state != SENDER_FLOWING || s->cursor.sequence < day.store.chain.next_sequence)
		return false;
	return s->link.reached == day.store.chain.next_sequence;
}

/*
 * Time stands still while the server's host has datagrams to read. It flies while nobody is waited
 * for but the clock; a stream's other end gets the time that it takes.
 */
static void flow_one_step(void)
{
	const struct timespec pause = {0, STEP_MS * 1000000L};

	if (day.datagrams) {
		while (server_is_reading())
			(void)nanosleep(&pause, NULL); /* a shorter one does no harm */
	} else if (day.sender.state != SENDER_PAUSED) {
		(void)nanosleep(&pause, NULL); /* see above */
	}
	step_ms(STEP_MS);
}

static void flow_until_all_is_sent(void)
{
	time_t end = time(NULL) + FLOW_S;

	while (!all_sent()) {
		flow_one_step();
		if (time(NULL) > end) {
			errno = ETIMEDOUT;
			fail("the server did not take the log");
		}
	}
}

/* Say where we are, and wait for the other side to have got there, too. */
static void meet(const char *what)
{
	char line[8];

	printf("%s\n", what);
	(void)fflush(stdout); /* the reader sees nothing, and says so */
	if (fgets(line, sizeof(line), stdin) == NULL)
		fail("nobody is there");
}

/* A record each minute, more in the office hours. */
static void pass_day(void)
{
	for (unsigned minute = 0; minute < DAY_MINUTES; minute++) {
		bool open = minute >= OPEN_MINUTE && minute < SHUT_MINUTE;

		for (unsigned i = 0; i < (open ? OPEN_RECORDS : 1U); i++)
			append(EVENT_HEARTBEAT, NULL, 0);
		for (unsigned i = 0; i < MINUTE_STEPS; i++)
			step_ms(LOOK_MS);
	}
}

static int call_datagrams(void)
{
	const struct transport_wish wish = {.kind = SNAPSHOT_TRANSPORT_UDP,
					    .socket_fd = call_server(SOCK_DGRAM),
					    .authority_fd = -1,
					    .identity_fd = -1};

	return here_start(&day.here, &day.loop, wish);
}

static void begin(char **argv)
{
	const struct sender_report report = {on_report, on_connect, NULL};
	int directory = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct store_recovery found;

	day.time.mono_ns = 1000000000U;
	day.time.wall_ns = (int64_t)time(NULL) * 1000000000;
	day.clock = clock_simulate(&day.time);
	day.form.clock = &day.clock;
	(void)snprintf(day.form.host, sizeof(day.form.host), "%s", argv[2]);
	loop_init(&day.loop, &day.clock, day.polls, day.fds, LOOP_MAX);
	if (directory < 0 ||
	    store_open(&day.store, directory, &day.form, strtoull(argv[3], NULL, 10) << 10,
		       SEGMENT_BYTES, &found) < 0)
		fail(argv[1]);
	day.datagrams = strcmp(argv[4], "udp") == 0;
	day.authority = argv[7];
	day.peer = day.authority != NULL ? argv[8] : NULL;
	if (!day.datagrams)
		sender_open_stream(&day.sender, &day.loop, &day.store, report, SERVER, day.peer);
	else if (sender_open(&day.sender, &day.loop, &day.store, report, SERVER, call_datagrams(),
			     false) < 0)
		fail("sender");
}

int main(int argc, char **argv)
{
	/* What a server has to take apart as it was meant. */
	const struct event_arg reason[] = {EV_TEXT(ZONE, "lgwan"),
					   EV_TEXT(REASON,
						   "訓練 [a=\"b\\c\"] \xff\n\xe2\x80\xae end")};

	if (argc != ARGUMENTS_PLAIN && argc != ARGUMENTS_TLS)
		return 2;
	day.server = (struct sockaddr_in){.sin_family = AF_INET,
					  .sin_port = htons((uint16_t)strtoul(argv[6], NULL, 10))};
	if (inet_pton(AF_INET, argv[5], &day.server.sin_addr) != 1)
		return 2;
	begin(argv);
	append(EVENT_ZONE_ISOLATED, reason, sizeof(reason) / sizeof(reason[0]));
	flow_until_all_is_sent();
	for (unsigned i = 0; i < QUIET_STEPS; i++)
		step_ms(STEP_MS);
	meet("sent");
	pass_day();
	meet("away");
	flow_until_all_is_sent();
	printf("all %llu\n", (unsigned long long)day.store.chain.next_sequence - 1);
	sender_close(&day.sender);
	here_close_all(&day.here);
	store_close(&day.store);
	return 0;
}
