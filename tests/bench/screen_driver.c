/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plays the supervisor for screen sessions alone: accepts viewers, starts both halves of a session
 * for each, hands over sockets, connects to the desktop when asked, prints the events. For tests
 * and measurements of the two programs without the rest of the appliance: both peers are on one
 * network here, and there is no uid, namespace or root of their own.
 *
 * usage: screen_driver LIBEXEC-DIRECTORY LISTEN-PORT DESKTOP-IPV4 DESKTOP-PORT [FRAMES-PER-S
 * [IDLE-S [LIMIT-S [STATEMENTS [AUTHORITY-FILE [PASSWORD-FILE [CERTIFICATE-FILE]]]]]]]]
 * STATEMENTS are more of the screen's entry. The first two files stand for the slots of its
 * desktop-security; with the third its security is x509-plain, and every login is admitted. Prints
 * `ready`, then a line for each event; `started SESSION VIEWER-PID SOURCE-PID` for each session.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/event.h"
#include "base/sealed.h"
#include "base/shared.h"
#include "channel/admission.h"
#include "channel/control.h"
#include "channel/screen.h"
#include "policy/policy.h"

enum { SESSIONS_MAX = 512 };

struct half {
	pid_t pid;
	int control, events; /* our ends; -1 where the half has gone */
};

struct driver {
	const char *libexec;
	struct sockaddr_in desktop;
	int listener;
	int snapshot;
	int authority, password; /* of the desktops; -1: none */
	int certificate;         /* of viewers' TLS; -1: they come without */
	uint32_t next_session;
	struct half halves[2 * SESSIONS_MAX];
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* A measurement wants more updates a second than may be configured. */
static void set_frame_rate(struct bytes *block, uint32_t rate)
{
	struct snapshot_header *h = (struct snapshot_header *)block->data;
	struct snapshot_screen *screen =
		(struct snapshot_screen *)(block->data + h->sections[SECTION_SCREENS].offset);

	screen->frame_rate_max = rate;
	snapshot_digest(h->sha256, block->data, block->size);
}

/* A policy of two zones and one screen entry, as the configuration language gives it. */
static int make_snapshot(uint32_t rate, uint32_t idle_s, uint32_t limit_s, const char *security,
			 const char *statements)
{
	static struct problems problems;
	struct bytes block;
	char text[1024];
	int fd;

	(void)snprintf(text, sizeof(text),
		       "zone viewers { tier business; port eth0; address 10.20.0.1/24; }\n"
		       "zone desktops { tier outside; port eth1; address 203.0.113.1/28; }\n"
		       "screen-user anybody { group staff; }\n"
		       "screen screen { from viewers; to desktops; desktop 203.0.113.5; security %s"
		       " sessions 320; idle-timeout %us; session-limit %us; %s }\n",
		       security, idle_s, limit_s, statements);
	bytes_init(&block, SNAPSHOT_BYTES_MAX);
	problems_init(&problems);
	if (policy_compile_text(span_of(text), &block, &problems) != 0) {
		fprintf(stderr, "screen_driver: the policy does not compile:\n%s", text);
		exit(2);
	}
	set_frame_rate(&block, rate);
	if (sealed_make("policy", bytes_span(&block), &fd) != 0)
		die("memfd");
	bytes_fini(&block);
	return fd;
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 128) != 0)
		die("listen");
	return fd;
}

/* In the child: descriptors 3 and 4 are all that it keeps beyond the first three. */
static _Noreturn void exec_half(const struct driver *d, const char *program, int control,
				int events)
{
	char path[4096];
	int null = open("/dev/null", O_RDWR);

	(void)snprintf(path, sizeof(path), "%s/%s", d->libexec, program);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	control = fcntl(control, F_DUPFD, 10);
	events = fcntl(events, F_DUPFD, 10);
	if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(control, FD_CONTROL) < 0 ||
	    dup2(events, FD_EVENTS) < 0)
		_exit(2);
	close_range(5, ~0U, 0);
	execl(path, program, NULL);
	_exit(2);
}

static struct half *start_half(struct driver *d, const char *program)
{
	struct half *half = d->halves;
	int control[2], events[2];

	while (half < d->halves + 2 * SESSIONS_MAX && half->pid != 0)
		half++;
	if (half == d->halves + 2 * SESSIONS_MAX || channel_pair(control) != 0 ||
	    channel_pair(events) != 0)
		return NULL;
	half->pid = fork();
	if (half->pid == 0)
		exec_half(d, program, control[1], events[1]);
	(void)close(control[1]);
	(void)close(events[1]);
	half->control = control[0];
	half->events = events[0];
	return half;
}

static void give(struct half *half, uint32_t kind, uint32_t role, uint32_t session, int fd)
{
	struct control_give body = {.kind = kind, .role = role, .session = session};
	struct channel ch;

	channel_init(&ch, half->control, NULL, 0, NULL);
	if (channel_send(&ch, CONTROL_GIVE, &body, sizeof(body), &fd, 1) != 0)
		fputs("give failed\n", stderr);
}

static void start(const struct driver *d, struct half *half, uint32_t role,
		  const struct sockaddr_in *peer)
{
	struct control_start body = {
		.role = role,
		.session = d->next_session,
		.zone = role == ROLE_SCREEN_SOURCE,
		.epoch = 1,
		.peer_family = 4,
		.peer_port = ntohs(peer->sin_port),
	};
	struct channel ch;

	memcpy(body.peer_addr, &peer->sin_addr, 4);
	channel_init(&ch, half->control, NULL, 0, NULL);
	if (channel_send(&ch, CONTROL_START, &body, sizeof(body), &d->snapshot, 1) != 0)
		fputs("start failed\n", stderr);
}

static void begin_session(struct driver *d, int peer, const struct sockaddr_in *from)
{
	struct half *viewer = start_half(d, "screen-viewer"),
		    *desktop = start_half(d, "screen-source");
	int link[2], pixels[SHARED_WAY_COUNT_];

	if (viewer == NULL || desktop == NULL || channel_pair(link) != 0 ||
	    shared_make("screen", sizeof(struct screen_pixels), pixels) != 0)
		die("session");
	d->next_session++;
	give(viewer, GIVE_PEER, 0, d->next_session, peer);
	give(viewer, GIVE_LINK, ROLE_SCREEN_SOURCE, d->next_session, link[0]);
	give(viewer, GIVE_PIXELS, 0, d->next_session, pixels[SHARED_READ]);
	give(desktop, GIVE_LINK, ROLE_SCREEN_VIEWER, d->next_session, link[1]);
	give(desktop, GIVE_PIXELS, 0, d->next_session, pixels[SHARED_WRITE]);
	if (d->certificate >= 0)
		give(viewer, GIVE_CERTIFICATE, 0, d->next_session, d->certificate);
	if (d->authority >= 0)
		give(desktop, GIVE_AUTHORITY, 0, d->next_session, d->authority);
	if (d->password >= 0)
		give(desktop, GIVE_PASSWORD, 0, d->next_session, d->password);
	start(d, viewer, ROLE_SCREEN_VIEWER, from);
	start(d, desktop, ROLE_SCREEN_SOURCE, from);
	printf("started %u %d %d\n", d->next_session, viewer->pid, desktop->pid);
	(void)close(link[0]);
	(void)close(link[1]);
	(void)close(pixels[SHARED_READ]);
	(void)close(pixels[SHARED_WRITE]);
}

static void accept_viewer(struct driver *d)
{
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	int peer =
		accept4(d->listener, (struct sockaddr *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (peer < 0)
		return;
	begin_session(d, peer, &from);
	(void)close(peer);
}

static int open_slot(int argc, char **argv, int at)
{
	int fd = argc > at && argv[at][0] != '\0' ? open(argv[at], O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0 && argc > at && argv[at][0] != '\0')
		die(argv[at]);
	return fd;
}

static void answer_connect(const struct driver *d, struct channel *ch)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct control_connected body = {.target = 0};

	if (fd < 0)
		die("socket");
	if (connect(fd, (const struct sockaddr *)&d->desktop, sizeof(d->desktop)) != 0 &&
	    errno != EINPROGRESS)
		body.error = errno;
	(void)channel_send(ch, CONTROL_CONNECTED, &body, sizeof(body), &fd, body.error == 0);
	(void)close(fd);
}

static int on_connect(struct channel *ch, void *ctx, const struct channel_message *message)
{
	answer_connect(ctx, ch);
	return 0;
}

/* Everybody is admitted: what a login costs is not what is measured. */
static int on_login(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct control_screen_verdict verdict = {.admitted = 1};

	return channel_send(ch, CONTROL_SCREEN_VERDICT, &verdict, sizeof(verdict), NULL, 0);
}

static int on_ready(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return 0;
}

static void print_field(const struct event_record *r, const struct event_field *f)
{
	printf(" %s=", event_key_name(f->key));
	if (f->kind == EVENT_KIND_TEXT)
		printf("%.*s", (int)f->text_bytes, r->text + f->text_at);
	else if (f->kind == EVENT_KIND_IPV4)
		printf("%u.%u.%u.%u", f->bytes[0], f->bytes[1], f->bytes[2], f->bytes[3]);
	else
		printf("%llu", (unsigned long long)f->number);
}

static void print_event(const struct event_record *r)
{
	printf("%s", event_name(r->id));
	for (uint32_t i = 0; i < r->field_count && i < EVENT_FIELDS_MAX; i++)
		print_field(r, &r->fields[i]);
	putchar('\n');
}

/* Events travel as channel messages: the record is behind the frame's header. */
static void read_events(struct half *half)
{
	uint8_t message[sizeof(struct event_record) + 64];
	struct event_record record;

	for (;;) {
		ssize_t n = recv(half->events, message, sizeof(message), MSG_DONTWAIT);

		if (n < (ssize_t)sizeof(record))
			return;
		memcpy(&record, message + n - sizeof(record), sizeof(record));
		print_event(&record);
	}
}

static long milliseconds(const struct rusage *used)
{
	return (used->ru_utime.tv_sec + used->ru_stime.tv_sec) * 1000 +
	       (used->ru_utime.tv_usec + used->ru_stime.tv_usec) / 1000;
}

static void serve_half(struct driver *d, struct half *half)
{
	static const struct channel_rule rules[] = {
		{CONTROL_CONNECT, 0, 0, sizeof(struct control_connect),
		 sizeof(struct control_connect), CHANNEL_ANY_STATE, on_connect, "connect"},
		{CONTROL_READY, 0, 0, 0, 0, CHANNEL_ANY_STATE, on_ready, "ready"},
		{CONTROL_SCREEN_LOGIN, 0, 0, CHANNEL_EXACTLY(control_screen_login), on_login,
		 "screen login"},
	};
	struct channel ch;
	struct rusage used;
	int status;

	channel_init(&ch, half->control, rules, sizeof(rules) / sizeof(rules[0]), d);
	if (channel_serve(&ch, 8, NULL) >= 0)
		return;
	read_events(half);
	(void)wait4(half->pid, &status, 0, &used);
	printf("ended %d status %d cpu-ms %ld\n", half->pid, status, milliseconds(&used));
	(void)close(half->control);
	(void)close(half->events);
	*half = (struct half){.pid = 0};
}

static void serve(struct driver *d)
{
	static struct pollfd polls[1 + 4 * SESSIONS_MAX];
	static struct half *owners[1 + 4 * SESSIONS_MAX];
	nfds_t count = 1;

	polls[0] = (struct pollfd){.fd = d->listener, .events = POLLIN};
	for (struct half *half = d->halves; half < d->halves + 2 * SESSIONS_MAX; half++) {
		if (half->pid == 0)
			continue;
		owners[count] = half;
		polls[count++] = (struct pollfd){.fd = half->events, .events = POLLIN};
		owners[count] = half;
		polls[count++] = (struct pollfd){.fd = half->control, .events = POLLIN};
	}
	if (poll(polls, count, -1) < 0)
		die("poll");
	if (polls[0].revents)
		accept_viewer(d);
	for (nfds_t i = 1; i < count; i += 2) {
		if (polls[i].revents)
			read_events(owners[i]);
		if (polls[i + 1].revents)
			serve_half(d, owners[i]);
	}
}

static uint32_t number(int argc, char **argv, int at, uint32_t otherwise)
{
	return argc > at ? (uint32_t)strtoul(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
	static struct driver d;

	if (argc < 5) {
		fputs("usage: screen_driver LIBEXEC-DIRECTORY LISTEN-PORT DESKTOP-IPV4 DESKTOP-PORT"
		      " [FRAMES-PER-S [IDLE-S [LIMIT-S [STATEMENTS [AUTHORITY-FILE"
		      " [PASSWORD-FILE [CERTIFICATE-FILE]]]]]]]\n",
		      stderr);
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	d.libexec = argv[1];
	d.desktop = (struct sockaddr_in){.sin_family = AF_INET,
					 .sin_port = htons((uint16_t)number(argc, argv, 4, 0))};
	if (inet_pton(AF_INET, argv[3], &d.desktop.sin_addr) != 1)
		die("desktop address");
	d.authority = open_slot(argc, argv, 9);
	d.password = open_slot(argc, argv, 10);
	d.certificate = open_slot(argc, argv, 11);
	d.snapshot = make_snapshot(number(argc, argv, 5, 60), number(argc, argv, 6, 0),
				   number(argc, argv, 7, 0),
				   d.certificate < 0
					   ? "none;"
					   : "x509-plain; tls { certificate screen; } group staff;",
				   argc > 8 ? argv[8] : "");
	d.listener = listen_on((uint16_t)number(argc, argv, 2, 0));
	puts("ready");
	for (;;)
		serve(&d);
}
