/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting, watching, ending and restarting processes. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "supervisor/supervisor.h"

#define START_DEADLINE_MS 8000U /* to READY */
#define LONG_LIFE_MS      1000U /* after which earlier deaths are forgotten */
#define STORM_DEATHS      12U   /* in a row: alarm, and the path is shut */
#define RESTART_MIN_MS    20U   /* doubled with each death in a row, up to */
#define RESTART_MAX_MS    640U  /* so that it is back within a second */
#define RESTART_STORM_MS  5000U /* from the storm on */
#define SERVE_MOST        32
#define QUEUE_BYTES                                                                                \
	(4 << 20) /* of audit's control channel and of each events channel: room for a burst */

static void on_control(struct loop *loop, struct loop_fd *self, short revents);
static void on_timer(struct loop *loop, struct loop_timer *self);
static void on_life_over(struct loop *loop, struct loop_timer *self);

const char *child_name(const struct child *child)
{
	return table_roles[child->role].program;
}

struct child *child_find(struct supervisor *sup, enum role role, uint32_t index)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *child = &sup->children[i];

		if (child->state != CHILD_FREE && child->role == role && child->index == index &&
		    !child->session)
			return child;
	}
	return NULL;
}

size_t child_alive_count(const struct supervisor *sup, bool audit)
{
	size_t count = 0;

	for (size_t i = 0; i < CHILDREN_MAX; i++)
		count += sup->children[i].pid > 0 &&
			 log_senders_is_of_log(&sup->children[i]) == audit;
	return count;
}

#define ARGS_MAX 5

/* What has become of a process; one that serves a share of the packets is told by its number (ADR
 * 414). */
static void tell_fault(const struct child *child, enum event_id id, const struct event_arg *more,
		       size_t count)
{
	struct event_arg args[ARGS_MAX] = {EV_TEXT(PROCESS, child_name(child)),
					   EV_NUMBER(PID, child->pid)};
	bool has_share = child->role == ROLE_NETFILTER || child->role == ROLE_ARBITER;

	for (size_t i = 0; i < count; i++) /* at most two */
		args[2 + i] = more[i];
	if (has_share && child->index > 0)
		args[2 + count++] = (struct event_arg)EV_NUMBER(SHARE, child->index);
	supervisor_emit(child->sup, id, args, 2 + count);
}

void child_kill(struct child *child, const char *why)
{
	if (child->pid <= 0 || child->reaped)
		return;
	if (why)
		tell_fault(child, EVENT_PROCESS_KILLED,
			   (const struct event_arg[]){EV_TEXT(REASON, why)}, 1);
	/* ESRCH is not possible: it is not reaped yet. */
	(void)kill(child->pid, SIGKILL);
}

void child_send(struct child *child, uint16_t type, const void *body, size_t body_bytes,
		const int *fds, size_t fd_count)
{
	int err;

	if (!child_is_alive(child))
		return;
	err = channel_send(&child->control, type, body, body_bytes, fds, fd_count);
	if (err == -ERR_AGAIN)
		child_kill(child, "does not read its control channel");
	else if (err < 0 && err != -ERR_CLOSED) /* closed: it is dying, and will be reaped */
		child_kill(child, "its control channel failed");
}

void child_give(struct child *child, const struct control_give *give, int fd)
{
	child_send(child, CONTROL_GIVE, give, sizeof(*give), &fd, 1);
}

/*
 * The events' writing end is the child's alone; we keep the reading end for an audit that may have
 * to come back.
 */
static int open_channels(struct child *child, int *control_far, int *events_far)
{
	int control[2], events[2], size = QUEUE_BYTES;

	if (channel_pair(control) < 0)
		return -ERR_SYSTEM;
	if (channel_pair(events) < 0) {
		(void)close(control[0]); /* unused */
		(void)close(control[1]);
		return -ERR_SYSTEM;
	}
	/* Smaller queues would do; these lose less in a burst. */
	(void)setsockopt(events[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	(void)setsockopt(control[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	channel_init(&child->control, control[0], control_rules, control_rule_count, child);
	child->control.state = CONTROL_STATE_STARTING;
	child->events_fd = events[0];
	*control_far = control[1];
	*events_far = events[1];
	return 0;
}

static void send_start(struct child *child)
{
	const struct policy_run *running = &child->sup->running;
	struct control_start start = {
		.role = child->role,
		.index = child->index,
		.epoch = running->epoch,
		.policy = running->policy,
		.zone = SNAPSHOT_NONE,
	};

	if (child->session) {
		const struct session *session = child->session;

		start.session = session->id;
		start.index = session->index;
		start.peer_family = session->peer_family;
		start.peer_port = session->peer_port;
		start.crowded = session->crowded;
		memcpy(start.peer_addr, session->peer_addr, sizeof(start.peer_addr));
		if (child->role == ROLE_MAIL_FLATTENER)
			start.envelope = session->envelope;
		for (uint32_t i = 0; i < running->snapshot.zone_count; i++) {
			const char *own =
				child->role == session->near_role ? session->from : session->to;

			if (strcmp(running->snapshot.zones[i].name, own) == 0)
				start.zone = i;
		}
	}
	if (child->role == ROLE_MAIL_SCANNER && !child->session)
		start.test_bytes = scanning_test_bytes(child);
	child_send(child, CONTROL_START, &start, sizeof(start), &running->fd,
		   running->fd >= 0 ? 1 : 0);
}

static void release_channels(struct child *child)
{
	loop_remove(&child->sup->loop, &child->watch);
	channel_fini(&child->control);
	outfit_drop_events(child);
}

int child_prepare(struct child *child)
{
	struct supervisor *sup = child->sup;
	uint64_t file_bytes = recordings_limit_bytes(child);
	struct spawn_disk disk = usb_disk_of(child);
	int control_far, events_far;
	pid_t pid;

	if (open_channels(child, &control_far, &events_far) < 0)
		return -ERR_SYSTEM;
	pid = spawn_start(&sup->spawn, child->role, control_far, events_far, file_bytes, &disk);
	(void)close(control_far); /* the child has its own copies */
	(void)close(events_far);
	child->watch = (struct loop_fd){
		.fd = child->control.fd, .events = POLLIN, .ready = on_control, .ctx = child};
	if (pid < 0 || loop_add(&sup->loop, &child->watch) < 0) {
		if (pid > 0)
			(void)kill(pid, SIGKILL); /* reaped as a stranger */
		release_channels(child);
		return -ERR_SYSTEM;
	}
	child->pid = pid;
	child->state = CHILD_RESERVE;
	child->started_ms = clock_mono_ms(sup->loop.clock);
	child->timer = (struct loop_timer){.fire = on_timer, .ctx = child};
	child->life = (struct loop_timer){.fire = on_life_over, .ctx = child};
	return 0;
}

void child_begin(struct child *child)
{
	struct supervisor *sup = child->sup;
	const struct table_role *row = &table_roles[child->role];

	child->state = CHILD_STARTING;
	child->started_ms = clock_mono_ms(sup->loop.clock);
	child->unanswered = 0;
	loop_arm(&sup->loop, &child->timer, START_DEADLINE_MS);
	if (row->life_ms)
		loop_arm(&sup->loop, &child->life, row->life_ms);
	outfit_share_events(child);
	outfit_give(child);
	send_start(child);
}

int child_launch(struct child *child)
{
	int err = child_prepare(child);

	if (err == 0)
		child_begin(child);
	return err;
}

struct child *child_add(struct supervisor *sup, enum role role, uint32_t index,
			struct session *session, int tty_fd, bool is_tty)
{
	struct child *child = NULL;

	for (size_t i = 0; i < CHILDREN_MAX && !child; i++) {
		if (sup->children[i].state == CHILD_FREE)
			child = &sup->children[i];
	}
	if (!child)
		return NULL;
	*child = (struct child){
		.sup = sup,
		.role = role,
		.index = index,
		.session = session,
		.control = {.fd = -1},
		.watch = {.fd = -1},
		.events_fd = -1,
		.ends = LOG_SENDER_NO_ENDS,
		.tty_fd = tty_fd,
		.is_tty = is_tty,
		.state = CHILD_DOWN,
	};
	return child;
}

/*
 * Everything that holds up the packet path has lived for a while: a path that a storm shut is
 * opened again.
 */
static void forgive(struct child *child)
{
	struct supervisor *sup = child->sup;

	child->deaths = 0;
	if (!(sup->zones.shut & ZONES_SHUT_STORM))
		return;
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		const struct child *other = &sup->children[i];

		if (other->state != CHILD_FREE && table_roles[other->role].holds_policy &&
		    (other->state != CHILD_READY || other->deaths))
			return;
	}
	sup->zones.shut &= ~(unsigned)ZONES_SHUT_STORM;
	supervisor_event(sup, EVENT_PATH_OPENED, EV_TEXT(PROCESS, child_name(child)));
	(void)commit_reconverge(sup); /* its failure is an event of its own */
}

static void ping(struct child *child)
{
	const struct table_role *row = &table_roles[child->role];
	struct control_ping body = {.number = ++child->ping_number};
	bool takes_policy = row->holds_policy && child->sup->commit.state != COMMIT_IDLE;

	/* Counted in pings, not in time: our own pause is not the child's silence. A child that
	 * takes in a policy, which is long work on a small machine, has the step's deadline. */
	if (!takes_policy && child->unanswered * row->ping_ms >= row->silent_ms) {
		child_kill(child, "does not answer");
		return;
	}
	/* Who was in a storm may be wanted no more: any that lives for a while opens the path. */
	if ((child->deaths || (child->sup->zones.shut & ZONES_SHUT_STORM)) &&
	    clock_mono_ms(child->sup->loop.clock) - child->started_ms >= LONG_LIFE_MS)
		forgive(child);
	child->unanswered++;
	/* A full queue is silence too, and counted as such. */
	(void)channel_send(&child->control, CONTROL_PING, &body, sizeof(body), NULL, 0);
	loop_arm(&child->sup->loop, &child->timer, row->ping_ms);
}

void child_retry(struct child *child)
{
	supervisor_event(child->sup, EVENT_PROCESS_KILLED, EV_TEXT(PROCESS, child_name(child)),
			 EV_TEXT(REASON, "cannot be started"), EV_TEXT(DETAIL, strerror(errno)));
	child->timer = (struct loop_timer){.fire = on_timer, .ctx = child};
	loop_arm(&child->sup->loop, &child->timer, RESTART_STORM_MS);
}

void child_dismiss(struct child *child)
{
	child->dismissed = true;
	child->unwanted = true;
	loop_disarm(&child->sup->loop, &child->timer);
	if (child->pid > 0) {
		loop_remove(&child->sup->loop, &child->watch); /* it may say what it likes */
		child_kill(child, NULL);
		child->state = CHILD_DOWN; /* it is started anew if it is wanted when it is dead */
	} else {
		child->state = CHILD_FREE;
	}
}

static void restart(struct child *child)
{
	if (child_launch(child) < 0)
		child_retry(child);
}

/* Return: false where the child has broken its table or hung up. */
static bool serve(struct child *child)
{
	const char *why = NULL;
	int got = channel_serve(&child->control, SERVE_MOST, &why);

	if (got > 0)
		child->unanswered = 0;
	if (got >= 0)
		return true;
	if (got == -ERR_PEER) {
		tell_fault(child, EVENT_CHANNEL_VIOLATION,
			   (const struct event_arg[]){EV_TEXT(REASON, why)}, 1);
		child_kill(child, NULL);
	} else if (got != -ERR_CLOSED) {
		child_kill(child, err_name(got));
	}
	return false;
}

/* A process without its control channel is of no use; if it is not dying, it is ended. */
static void hear(struct child *child)
{
	if (!serve(child)) {
		loop_remove(&child->sup->loop, &child->watch);
		child_kill(child, NULL);
	}
}

static void on_control(struct loop *loop, struct loop_fd *self, short revents)
{
	hear(self->ctx);
}

static void on_timer(struct loop *loop, struct loop_timer *self)
{
	struct child *child = self->ctx;

	switch (child->state) {
	case CHILD_STARTING:
		hear(child); /* our own pause is not the child's: it may have said so long ago */
		if (child->state == CHILD_STARTING)
			child_kill(child, "was not ready in time");
		break;
	case CHILD_READY:
		ping(child);
		break;
	case CHILD_DOWN:
		restart(child);
		break;
	case CHILD_RESERVE: /* has no time limit */
	case CHILD_FREE:
		break;
	}
}

static void on_life_over(struct loop *loop, struct loop_timer *self)
{
	child_kill(self->ctx, "took too long");
}

static uint32_t restart_delay_ms(uint32_t deaths)
{
	uint32_t delay_ms = RESTART_MIN_MS;

	if (deaths <= 1)
		return 0; /* the first restart is at once */
	if (deaths >= STORM_DEATHS)
		return RESTART_STORM_MS;
	for (uint32_t i = 2; i < deaths && delay_ms < RESTART_MAX_MS; i++)
		delay_ms *= 2;
	return delay_ms < RESTART_MAX_MS ? delay_ms : RESTART_MAX_MS;
}

/* A process that holds up the packet path and cannot stay alive: shut every crossing until it can.
 */
static void judge_storm(struct child *child)
{
	struct supervisor *sup = child->sup;

	if (child->deaths != STORM_DEATHS)
		return;
	supervisor_event(sup, EVENT_RESTART_STORM, EV_TEXT(PROCESS, child_name(child)),
			 EV_NUMBER(COUNT, child->deaths));
	if (table_roles[child->role].holds_policy && !(sup->zones.shut & ZONES_SHUT_STORM)) {
		sup->zones.shut |= ZONES_SHUT_STORM;
		(void)commit_reconverge(
			sup); /* its failure is an event of its own; crossings are removed first */
	}
}

static void schedule_restart(struct child *child)
{
	struct supervisor *sup = child->sup;

	child->deaths += !child->dismissed;
	child->dismissed = false;
	child->state = CHILD_DOWN;
	child->timer = (struct loop_timer){.fire = on_timer, .ctx = child};
	loop_arm(&sup->loop, &child->timer, restart_delay_ms(child->deaths));
	judge_storm(child);
}

static void announce_death(struct child *child, int status)
{
	child->failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	if (child->sup->stopping || child->dismissed ||
	    (!child->failed && table_roles[child->role].restart != RESTART_ALWAYS))
		return; /* the end of a session is no fault */
	tell_fault(child, EVENT_PROCESS_DIED,
		   (const struct event_arg[]){
			   WIFSIGNALED(status) ? EV_NUMBER(SIGNAL, WTERMSIG(status))
					       : EV_NUMBER(STATUS, WEXITSTATUS(status)),
			   EV_NUMBER(SESSION, child->session ? child->session->id : 0)},
		   2);
}

static void bury(struct child *child, int status)
{
	struct supervisor *sup = child->sup;
	bool in_reserve = child->state == CHILD_RESERVE, again;

	/* Its number is free for another process now; what it sent may still ask for its end. */
	child->reaped = true;
	/* What it sent before it died still counts: a flattener reports and exits. */
	while (child->control.fd >= 0 && channel_serve(&child->control, SERVE_MOST, NULL) > 0)
		;
	announce_death(child, status);
	if (child->role == ROLE_CONSOLE)
		persons_console_died(child);
	loop_disarm(&sup->loop, &child->timer);
	loop_disarm(&sup->loop, &child->life);
	release_channels(child);
	child->pid = 0;
	child->reaped = false;
	again = !sup->stopping &&
		(table_roles[child->role].restart == RESTART_ALWAYS || child->is_tty) &&
		!child->unwanted;
	if (again)
		schedule_restart(child);
	else
		child->state = CHILD_FREE;
	if (child->role == ROLE_ACCOUNTS)
		persons_forget(sup);
	if (child->role == ROLE_AUDIT)
		persons_unrecorded(sup);
	recovery_child_died(sup, child);
	if (child->role == ROLE_NETFILTER && child->index == 0)
		restore_netfilter_died(sup);
	if (in_reserve)
		reserve_child_died(child);
	else if (child->session)
		session_child_died(child);
	else if (child->role == ROLE_MAIL_SCANNER)
		scanning_probe_died(child);
	else if (child->role == ROLE_MAIL_FLATTENER)
		trial_child_died(child);
	else if (child->role == ROLE_STICK)
		usb_child_died(child);
	else
		commit_child_died(child);
	if (!again && child->tty_fd >= 0) {
		(void)close(child->tty_fd); /* the connection ends with its console */
		child->tty_fd = -1;
	}
}

void child_reap_all(struct supervisor *sup)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < CHILDREN_MAX; i++) {
			if (sup->children[i].pid == pid) {
				bury(&sup->children[i], status);
				break;
			}
		}
	}
}

void child_stop_all(struct supervisor *sup, bool audit)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *child = &sup->children[i];

		if (log_senders_is_of_log(child) != audit)
			continue;
		loop_disarm(&sup->loop, &child->timer);
		loop_disarm(&sup->loop, &child->life);
		/* Who does not end in time is killed; a full queue only means that it will be. */
		if (child->pid > 0)
			(void)channel_send(&child->control, CONTROL_STOP, NULL, 0, NULL, 0);
		else
			child->state = CHILD_FREE;
	}
}
