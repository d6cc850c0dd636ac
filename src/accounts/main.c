/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * accounts: who may sit at the consoles and see screens. Keeps passwords (their hashes), ends
 * sessions. Talks to: consoles (one link each), the supervisor (control channel), which serves a
 * console only what the person's role allows. Privilege: none; one directory of its own, which no
 * other process sees and no export contains.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "accounts/desk.h"
#include "accounts/staff.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/process.h"
#include "channel/control.h"
#include "channel/person.h"
#include "channel/zeroise.h"

#define CONTROL_MESSAGES 16
#define DESCRIPTORS      (DESK_SEATS + 2)
#define TICK_MS          1000U

struct accounts;

struct account_link {
	struct accounts *accounts;
	struct channel channel;
	struct loop_fd watch;
	struct loop_timer delay; /* a refusal is told only then */
	uint32_t pid;            /* of the console */
	struct account_answer answer;
	bool awaits;       /* what becomes of its first administrator, or recovery */
	uint32_t language; /* of that HELLO */
	uint32_t hello;    /* serial of a HELLO that waits for the first policy; 0: none */
	bool used;
};

struct accounts {
	struct process process;
	struct loop loop;
	struct pollfd polls[DESCRIPTORS];
	struct loop_fd *fds[DESCRIPTORS];
	struct loop_timer tick;
	struct desk desk;
	struct account_link links[DESK_SEATS];
	int directory;
	struct snapshot policy; /* that runs */
	bool has_policy;
};

static struct accounts accounts = {.directory = -1};

/* ---- what the desk has to say */

static bool on_event(void *ctx, enum event_id id, const struct event_arg *args, size_t count)
{
	struct accounts *a = ctx;
	uint64_t lost = a->process.events.lost;

	event_emit(&a->process.events, id, args, count);
	return a->process.events.lost <= lost;
}

static void on_person(void *ctx, uint32_t console, enum account_role role, const char *name,
		      const char *hands)
{
	struct accounts *a = ctx;
	struct control_person body = {
		.console = console, .role = role, .pid = a->links[console].pid};

	(void)snprintf(body.name, sizeof(body.name), "%s", name);
	(void)snprintf(body.hands, sizeof(body.hands), "%s", hands);
	if (channel_send(&a->process.control, CONTROL_PERSON, &body, sizeof(body), NULL, 0) < 0)
		loop_stop(&a->loop, 1); /* whoever is not told must not go on as before */
}

static void on_notice(void *ctx, uint32_t console, bool end, const char *text)
{
	struct accounts *a = ctx;
	struct account_notice body = {.end = end};

	(void)snprintf(body.text, sizeof(body.text), "%s", text);
	if (a->links[console].used) /* one that cannot be read is of no use to anybody */
		(void)channel_send(&a->links[console].channel, ACCOUNT_NOTICE, &body, sizeof(body),
				   NULL, 0);
}

static bool on_first(void *ctx, const struct control_first *first)
{
	struct accounts *a = ctx;

	return channel_send(&a->process.control, CONTROL_FIRST, first, sizeof(*first), NULL, 0) ==
	       0;
}

static bool on_recovery(void *ctx, const struct control_recovery *said)
{
	struct accounts *a = ctx;

	return channel_send(&a->process.control, CONTROL_RECOVERY, said, sizeof(*said), NULL, 0) ==
	       0;
}

static bool on_confirmed(void *ctx, uint32_t console)
{
	struct accounts *a = ctx;
	const struct control_confirmed body = {.console = console, .pid = a->links[console].pid};

	return channel_send(&a->process.control, CONTROL_CONFIRMED, &body, sizeof(body), NULL, 0) ==
	       0;
}

/* ---- consoles */

static uint32_t number_of(const struct account_link *link)
{
	return (uint32_t)(link - link->accounts->links);
}

static void drop_link(struct account_link *link)
{
	struct accounts *a = link->accounts;

	if (!link->used)
		return;
	loop_remove(&a->loop, &link->watch);
	loop_disarm(&a->loop, &link->delay);
	channel_fini(&link->channel);
	link->used = false;
	desk_leave(&a->desk, number_of(link));
}

static int send_answer(struct account_link *link)
{
	int err = channel_send(&link->channel, ACCOUNT_ANSWER, &link->answer, sizeof(link->answer),
			       NULL, 0);

	explicit_bzero(&link->answer, sizeof(link->answer));
	return err;
}

static void on_delay(struct loop *loop, struct loop_timer *timer)
{
	struct account_link *link = timer->ctx;

	if (send_answer(link) < 0)
		drop_link(link);
}

static int greet(struct account_link *link)
{
	const struct account_request hello = {
		.kind = ACCOUNT_HELLO, .language = link->language, .serial = link->hello};

	link->hello = 0;
	(void)desk_request(&link->accounts->desk, number_of(link), &hello, &link->answer);
	link->answer.serial = hello.serial;
	return send_answer(link);
}

/* One request at a time: while its answer is held back or awaited, another is a violation. */
static bool is_busy(const struct account_link *link)
{
	return loop_armed(&link->delay) || link->awaits;
}

static int handle_request(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct account_link *link = ctx;
	struct account_request request;
	uint64_t came_ms = clock_mono_ms(&clock_system);
	bool hold;

	memcpy(&request, message->body, sizeof(request));
	if (request.kind == ACCOUNT_ACTIVE) {
		desk_active(&link->accounts->desk, number_of(link));
		return 0;
	}
	if (request.kind == 0 || request.kind >= ACCOUNT_KIND_COUNT_ || is_busy(link))
		return -ERR_PEER;
	if (request.kind == ACCOUNT_HELLO && !link->accounts->desk.has_policy) {
		link->hello = request.serial;
		link->language = request.language;
		return 0;
	}
	request.name[sizeof(request.name) - 1] = '\0';
	request.secret[sizeof(request.secret) - 1] = '\0';
	request.fresh[sizeof(request.fresh) - 1] = '\0';
	hold = desk_request(&link->accounts->desk, number_of(link), &request, &link->answer);
	link->answer.serial = request.serial;
	link->awaits = desk_recovery_asks(&link->accounts->desk, number_of(link));
	explicit_bzero(request.secret, sizeof(request.secret));
	explicit_bzero(request.fresh, sizeof(request.fresh));
	channel_wipe(message);
	if (link->awaits)
		return 0;
	if (!hold)
		return send_answer(link);
	loop_arm(&link->accounts->loop, &link->delay,
		 desk_hold_ms(clock_mono_ms(&clock_system) - came_ms));
	return 0;
}

static int handle_first(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct account_link *link = ctx;
	struct account_first first;

	memcpy(&first, message->body, sizeof(first));
	channel_wipe(message);
	if (is_busy(link))
		return -ERR_PEER;
	first.name[sizeof(first.name) - 1] = '\0';
	first.secret[sizeof(first.secret) - 1] = '\0';
	first.host[sizeof(first.host) - 1] = '\0';
	first.organization[sizeof(first.organization) - 1] = '\0';
	first.preset[sizeof(first.preset) - 1] = '\0';
	link->awaits = desk_first(&link->accounts->desk, number_of(link), &first, &link->answer);
	link->answer.serial = first.serial;
	explicit_bzero(first.secret, sizeof(first.secret));
	return link->awaits ? 0 : send_answer(link);
}

static const struct channel_rule link_rules[] = {
	{ACCOUNT_REQUEST, 0, 0, CHANNEL_EXACTLY(account_request), handle_request, "request"},
	{ACCOUNT_FIRST, 0, 0, CHANNEL_EXACTLY(account_first), handle_first, "first"},
};

static void on_link(struct loop *loop, struct loop_fd *self, short revents)
{
	struct account_link *link = self->ctx;
	struct accounts *a = link->accounts;
	const char *why = NULL;
	int fd = self->fd, got = channel_serve(&link->channel, CONTROL_MESSAGES, &why);

	if (got >= 0)
		return;
	if (got == -ERR_PEER)
		event_send(&a->process.events, EVENT_CHANNEL_VIOLATION, EV_TEXT(PROCESS, "console"),
			   EV_TEXT(REASON, why != NULL ? why : err_name(got)));
	/* Where the gateway stops, that is why the console has ended; its number may have another
	 * link by then. */
	(void)channel_serve(&a->process.control, CONTROL_MESSAGES, NULL); /* its end is seen next */
	if (link->channel.fd == fd)
		drop_link(link);
}

/* A console that was started anew has nobody sitting at it. */
static int add_link(struct accounts *a, const struct control_give *give, int fd)
{
	uint32_t index = give->index;
	struct account_link *link;

	if (index >= DESK_SEATS)
		return -ERR_RANGE;
	link = &a->links[index];
	drop_link(link);
	link->accounts = a;
	link->pid = give->pid;
	link->hello = 0;
	link->awaits = false;
	channel_init(&link->channel, fd, link_rules, sizeof(link_rules) / sizeof(link_rules[0]),
		     link);
	link->watch = (struct loop_fd){.fd = fd, .events = POLLIN, .ready = on_link, .ctx = link};
	link->delay = (struct loop_timer){.fire = on_delay, .ctx = link};
	if (loop_add(&a->loop, &link->watch) < 0)
		return -ERR_NO_SPACE;
	link->used = true;
	desk_sit(&a->desk, index, give->terminal != 0);
	return 0;
}

/* ---- supervisor */

static int on_give(void *ctx, const struct control_give *give, int fd)
{
	struct accounts *a = ctx;

	if (give->kind == GIVE_LINK && give->role == ROLE_CONSOLE && a->desk.clock != NULL)
		return add_link(a, give, fd);
	if (give->kind == GIVE_STATE && a->directory < 0) {
		a->directory = fd;
		return 0;
	}
	return -ERR_PEER;
}

static int handle_give(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return process_keep(on_give, ctx, message);
}

/* @policy is taken: screens are judged by it until the next one. */
static void adopt(struct accounts *a, struct snapshot policy, const struct control_policy *numbers)
{
	desk_policy(&a->desk, &policy, numbers);
	if (a->has_policy)
		snapshot_unload(&a->policy);
	a->policy = policy;
	a->has_policy = true;
	a->desk.policy = &a->policy;
}

/* Whoever cannot read the running policy begins anew, with the one that comes at the start. */
static int handle_policy(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct accounts *a = ctx;
	const struct control_policy *numbers = message->body;
	struct snapshot running;
	int err = snapshot_load(&running, message->fds[0]);

	if (err < 0)
		return err;
	adopt(a, running, numbers);
	for (size_t i = 0; i < DESK_SEATS; i++) {
		if (a->links[i].used && a->links[i].hello != 0 && greet(&a->links[i]) < 0)
			drop_link(&a->links[i]);
	}
	return 0;
}

static int handle_screen_ask(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct accounts *a = ctx;
	struct control_screen_ask ask;
	struct control_screen_verdict verdict;

	memcpy(&ask, message->body, sizeof(ask));
	channel_wipe(message);
	ask.entry[sizeof(ask.entry) - 1] = '\0';
	ask.name[sizeof(ask.name) - 1] = '\0';
	ask.secret[sizeof(ask.secret) - 1] = '\0';
	verdict = (struct control_screen_verdict){.session = ask.session,
						  .admitted = staff_judge(&a->desk, &ask)};
	explicit_bzero(&ask, sizeof(ask));
	return channel_send(ch, CONTROL_SCREEN_VERDICT, &verdict, sizeof(verdict), NULL, 0);
}

/* What a person at a console was kept waiting for. */
static void answer_awaited(struct account_link *link, const struct account_answer *answer)
{
	uint32_t serial = link->answer.serial;

	if (!link->used || !link->awaits)
		return; /* whoever waited has gone */
	link->answer = *answer;
	link->answer.serial = serial;
	link->awaits = false;
	if (send_answer(link) < 0)
		drop_link(link);
}

static int handle_first_done(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct accounts *a = ctx;
	struct control_first_done done;
	struct account_answer answer;
	uint32_t console;

	memcpy(&done, message->body, sizeof(done));
	done.text[sizeof(done.text) - 1] = '\0';
	console = desk_first_done(&a->desk, &done, &answer);
	if (console != DESK_SEATS) /* or whoever waited has gone */
		answer_awaited(&a->links[console], &answer);
	return 0;
}

static int handle_recovery(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_recovery *said = message->body;
	struct control_recovery body = {.console = said->console};
	struct account_answer answer;
	struct accounts *a = ctx;

	if (said->console >= DESK_SEATS)
		return -ERR_PEER;
	if (said->step != RECOVERY_BEGIN) {
		if (desk_recovery_go_on(&a->desk, said, &answer))
			answer_awaited(&a->links[said->console], &answer);
		explicit_bzero(&answer, sizeof(answer));
		return 0;
	}
	body.step = a->links[said->console].used ? desk_recovery_begin(&a->desk, said->console)
						 : RECOVERY_REFUSED;
	return channel_send(ch, CONTROL_RECOVERY, &body, sizeof(body), NULL, 0);
}

static int handle_stop(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct accounts *a = ctx;

	desk_stop(&a->desk);
	loop_stop(&a->loop, 0);
	return 0;
}

static const struct channel_rule control_rules[] = {
	{CONTROL_GIVE, 1, 1, CHANNEL_EXACTLY(control_give), handle_give, "give"},
	{CONTROL_SCREEN_ASK, 0, 0, CHANNEL_EXACTLY(control_screen_ask), handle_screen_ask,
	 "screen ask"},
	{CONTROL_POLICY, 1, 1, CHANNEL_EXACTLY(control_policy), handle_policy, "policy"},
	{CONTROL_FIRST_DONE, 0, 0, CHANNEL_EXACTLY(control_first_done), handle_first_done,
	 "first done"},
	{CONTROL_RECOVERY, 0, 0, CHANNEL_EXACTLY(control_recovery), handle_recovery, "recovery"},
	{CONTROL_PING, 0, 0, CHANNEL_EXACTLY(control_ping), process_pong, "ping"},
	{CONTROL_STOP, 0, 0, 0, 0, CHANNEL_ANY_STATE, handle_stop, "stop"},
};

static void on_tick(struct loop *loop, struct loop_timer *timer)
{
	struct accounts *a = timer->ctx;

	desk_tick(&a->desk);
	loop_arm(loop, timer, TICK_MS);
}

/* ---- life */

static const int extra_syscalls[] = {SYS_openat,    SYS_unlinkat,   SYS_renameat,
				     SYS_renameat2, SYS_getdents64, SYS_fsync};

static const struct sandbox_profile profile = {
	.name = "accounts",
	.syscalls = extra_syscalls,
	.syscall_count = sizeof(extra_syscalls) / sizeof(extra_syscalls[0]),
	.keeps_files = true,
};

/* The policy that runs already when accounts is started again. */
static int adopt_running(struct accounts *a, int snapshot_fd, const struct control_policy *numbers)
{
	struct snapshot running;
	int err;

	if (snapshot_fd < 0)
		return 0;
	err = snapshot_load(&running, snapshot_fd);
	(void)close(snapshot_fd); /* mapped, or of no use */
	if (err < 0)
		return err;
	adopt(a, running, numbers);
	return 0;
}

static int start(struct accounts *a)
{
	const struct desk_owner owner = {on_event,    on_person,    on_notice, on_first,
					 on_recovery, on_confirmed, a};
	struct control_start begin;
	int snapshot_fd = -1;
	int err = process_begin(&a->process, &profile, on_give, a, &begin, &snapshot_fd);

	if (err == 0 && a->directory < 0)
		err = -ERR_NOT_FOUND;
	if (err == 0)
		err = desk_init(&a->desk, &clock_system, a->directory, owner);
	if (err == 0)
		err = adopt_running(a, snapshot_fd, &begin.policy);
	if (err < 0)
		return err;
	err = process_serve(&a->process, &a->loop, control_rules,
			    sizeof(control_rules) / sizeof(control_rules[0]), NULL, a);
	if (err < 0)
		return err;
	a->tick = (struct loop_timer){.fire = on_tick, .ctx = a};
	loop_arm(&a->loop, &a->tick, TICK_MS);
	return process_ready(&a->process);
}

int main(void)
{
	int status, err;

	loop_init(&accounts.loop, &clock_system, accounts.polls, accounts.fds, DESCRIPTORS);
	err = start(&accounts);
	if (err < 0) {
		fprintf(stderr, "accounts: cannot start: %s\n", err_name(err));
		return 1;
	}
	status = loop_run(&accounts.loop);
	return status < 0 ? 1 : status;
}
