/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One policy replaces another: all or nothing.
 *
 *   WAITING    until netfilter, arbiter and audit are ready
 *   PREPARING  new zones and crossings are made with all links down;
 *              each holder of policy says PREPARED or REFUSED
 *   APPLYING   from here on the candidate is the running policy: a process that dies now comes back
 *              with it. When all have applied it, the kernel is led to the new layout: links up,
 *              routes, forwarding, sockets
 *
 * What fails before APPLYING changes nothing. What fails after it is taken back by the same road,
 * with the previous policy and a new epoch.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "supervisor/supervisor.h"
#include "supervisor/survey.h"

#define STEP_DEADLINE_MS 15000U

static const enum role holders[] = {ROLE_AUDIT, ROLE_ARBITER, ROLE_NETFILTER};
#define HOLDER_COUNT (sizeof(holders) / sizeof(holders[0]))

static void run_close(struct policy_run *run)
{
	if (run->fd >= 0) {
		snapshot_unload(&run->snapshot);
		(void)close(run->fd); /* sealed: nothing can be lost */
	}
	*run = (struct policy_run){.fd = -1};
}

static void answer(struct supervisor *sup, uint64_t request, bool ok, const char *reason)
{
	struct control_committed body = {.request = request, .epoch = sup->running.epoch, .ok = ok};
	struct child *config = child_find(sup, ROLE_CONFIG, 0);

	(void)snprintf(body.reason, sizeof(body.reason), "%s", reason);
	survey_soon(sup);
	if (ok)
		supervisor_event(sup, EVENT_POLICY_APPLIED, EV_NUMBER(EPOCH, sup->running.epoch),
				 EV_SHA256(SHA256, sup->running.snapshot.header->sha256));
	else
		supervisor_event(sup, EVENT_POLICY_REFUSED, EV_TEXT(REASON, reason),
				 EV_NUMBER(EPOCH, sup->running.epoch));
	if (request && config)
		child_send(config, CONTROL_COMMITTED, &body, sizeof(body), NULL, 0);
}

static void on_deadline(struct loop *loop, struct loop_timer *self);
static void try_prepare(struct supervisor *sup);

static void start(struct supervisor *sup, struct policy_run candidate, uint64_t request,
		  bool is_rollback)
{
	struct commit *commit = &sup->commit;

	commit->candidate = candidate;
	commit->candidate.epoch = ++sup->epoch_last;
	commit->request = request;
	commit->is_rollback = is_rollback;
	commit->state = COMMIT_WAITING;
	commit->deadline = (struct loop_timer){.fire = on_deadline, .ctx = sup};
	loop_arm(&sup->loop, &commit->deadline, STEP_DEADLINE_MS);
	if (sup->running.fd < 0)
		commit_tell_accounts(sup);
	try_prepare(sup);
}

/* Return: NULL, and @candidate is loaded; or why not. */
static const char *load_candidate(struct policy_run *candidate)
{
	int err = snapshot_load(&candidate->snapshot, candidate->fd);

	if (err == -ERR_INTEGRITY)
		return "the compiled policy is not sealed or is damaged";
	return err < 0 ? "the compiled policy is not well-formed" : NULL;
}

void commit_begin(struct supervisor *sup, int snapshot_fd, const struct control_commit *asked)
{
	struct policy_run candidate = {.fd = snapshot_fd, .policy = asked->policy};
	const char *why = sup->commit.state != COMMIT_IDLE ? "another commit is being carried out"
							   : load_candidate(&candidate);

	if (why != NULL) {
		(void)close(snapshot_fd); /* refused, never written to */
		answer(sup, asked->request, false, why);
		return;
	}
	if (asked->emergency.is != 0 && emergency_of_change(sup, &asked->emergency) < 0) {
		run_close(&candidate);
		answer(sup, asked->request, false, "that it is an emergency cannot be listed");
		return;
	}
	start(sup, candidate, asked->request, false);
}

/* Return: 0 or an error with a reason in zones. */
static int lead_kernel(struct supervisor *sup, const struct policy_run *run,
		       int (*lead)(struct zones *, const struct layout *))
{
	struct layout layout;
	int err = layout_init(&layout, run->fd >= 0 ? &run->snapshot : NULL);

	if (err < 0) {
		(void)snprintf(sup->zones.reason, sizeof(sup->zones.reason),
			       "routes of the policy: %s", err_name(err));
		return err;
	}
	err = lead(&sup->zones, &layout);
	layout_fini(&layout);
	return err;
}

void commit_tell_accounts(struct supervisor *sup)
{
	struct child *accounts = child_find(sup, ROLE_ACCOUNTS, 0);
	const struct policy_run *run =
		sup->running.fd >= 0 ? &sup->running : &sup->commit.candidate;

	if (accounts && run->fd >= 0)
		child_send(accounts, CONTROL_POLICY, &run->policy, sizeof(run->policy), &run->fd,
			   1);
}

static void tell_holders(struct supervisor *sup, uint16_t type, uint64_t epoch, int fd)
{
	struct control_epoch body = {.epoch = epoch};

	for (size_t i = 0; i < HOLDER_COUNT; i++) {
		struct child *child = child_find(sup, holders[i], 0);

		if (child && child->state == CHILD_READY)
			child_send(child, type, &body, sizeof(body), &fd, fd >= 0 ? 1 : 0);
	}
}

static int reconverge(struct supervisor *sup)
{
	int err = lead_kernel(sup, &sup->running, zones_converge);

	if (err < 0)
		supervisor_event(sup, EVENT_ZONES_FAILED, EV_TEXT(REASON, sup->zones.reason));
	return err;
}

/* Nothing of the candidate is in force yet: remove what was made for it. */
static void give_up(struct supervisor *sup, const char *reason)
{
	struct commit *commit = &sup->commit;
	bool is_rollback = commit->is_rollback;
	uint64_t request = commit->request;
	char first[ZONES_REASON_BYTES];

	(void)snprintf(first, sizeof(first), "%s", is_rollback ? commit->reason : reason);
	loop_disarm(&sup->loop, &commit->deadline);
	if (commit->state == COMMIT_PREPARING)
		tell_holders(sup, CONTROL_ABORT, commit->candidate.epoch, -1);
	run_close(&commit->candidate);
	commit->state = COMMIT_IDLE;
	if (is_rollback) {
		/* The way back is barred too: no crossing stays. */
		supervisor_event(sup, EVENT_ROLLBACK_FAILED, EV_TEXT(REASON, reason));
		sup->zones.shut |= ZONES_SHUT_ROLLBACK;
	}
	(void)reconverge(sup); /* its failure is an event of its own */
	answer(sup, request, false, first);
}

int commit_reconverge(struct supervisor *sup)
{
	survey_soon(sup);
	/* Leading the kernel to the running policy removes what was made for the candidate. */
	if (sup->commit.state == COMMIT_PREPARING)
		give_up(sup, "a zone was isolated or restored, or the path shut or opened, "
			     "while it was prepared");
	return reconverge(sup);
}

/*
 * For netfilter, the sockets of zones that are new or stand at another index than in the running
 * policy.
 */
static int give_zone_sockets(struct supervisor *sup, const struct snapshot *snapshot)
{
	const struct policy_run *running = &sup->running;
	struct child *netfilter = child_find(sup, ROLE_NETFILTER, 0);

	for (uint32_t i = 0; i < snapshot->zone_count; i++) {
		struct zone *zone = zones_find(&sup->zones, snapshot->zones[i].name);

		if (running->fd >= 0 && i < running->snapshot.zone_count &&
		    strcmp(running->snapshot.zones[i].name, snapshot->zones[i].name) == 0)
			continue;
		for (size_t k = 0; k < outfit_zone_kind_count; k++) {
			int fd = zone ? sockets_of_zone(sup, zone, outfit_zone_kinds[k])
				      : -ERR_NOT_FOUND;

			if (fd < 0)
				return fd;
			child_give(netfilter,
				   &(struct control_give){.kind = outfit_zone_kinds[k], .index = i},
				   fd);
			(void)close(fd); /* netfilter has its own copy */
		}
	}
	return 0;
}

static bool holders_are_ready(struct supervisor *sup)
{
	for (size_t i = 0; i < HOLDER_COUNT; i++) {
		const struct child *child = child_find(sup, holders[i], 0);

		if (!child || child->state != CHILD_READY)
			return false;
	}
	return true;
}

static void wait_for_holders(struct supervisor *sup)
{
	sup->commit.waiting = 0;
	for (size_t i = 0; i < HOLDER_COUNT; i++)
		sup->commit.waiting |= 1U << holders[i];
	loop_arm(&sup->loop, &sup->commit.deadline, STEP_DEADLINE_MS);
}

/*
 * ADR 414: what the datapath would not carry out must not look as if it were in force. Return: what
 * that is, NULL: nothing.
 */
static const char *find_not_carried_out(const struct snapshot *s)
{
	for (uint32_t i = 0; i < s->crossing_count; i++) {
		if (s->crossings[i].queues > 1)
			return "queues: the arbiter of this version reads one queue of a zone";
	}
	return NULL;
}

static void try_prepare(struct supervisor *sup)
{
	struct commit *commit = &sup->commit;
	const char *lacking;

	if (commit->state != COMMIT_WAITING || !holders_are_ready(sup))
		return;
	lacking = find_not_carried_out(&commit->candidate.snapshot);
	if (lacking) {
		give_up(sup, lacking);
		return;
	}
	if (lead_kernel(sup, &commit->candidate, zones_prepare) < 0) {
		give_up(sup, sup->zones.reason);
		return;
	}
	if (give_zone_sockets(sup, &commit->candidate.snapshot) < 0) {
		give_up(sup, "a netfilter socket of a zone could not be made");
		return;
	}
	commit->state = COMMIT_PREPARING;
	wait_for_holders(sup);
	tell_holders(sup, CONTROL_PREPARE, commit->candidate.epoch, commit->candidate.fd);
}

static void apply(struct supervisor *sup)
{
	struct commit *commit = &sup->commit;

	commit->state = COMMIT_APPLYING;
	commit->previous = sup->running;
	sup->running = commit->candidate;
	commit->candidate = (struct policy_run){.fd = -1};
	wait_for_holders(sup);
	tell_holders(sup, CONTROL_APPLY, sup->running.epoch, -1);
}

static void say_ready(struct supervisor *sup)
{
	if (sup->said_ready)
		return;
	sup->said_ready = true;
	supervisor_event(sup, EVENT_GATEWAY_ENFORCES, EV_NUMBER(EPOCH, sup->running.epoch));
	puts("ready");
	(void)fflush(stdout); /* who closed it does not want to know */
	consoles_enforcing(sup);
}

static void give_syslog_sockets(struct supervisor *sup)
{
	struct child *audit = child_find(sup, ROLE_AUDIT, 0);

	for (uint32_t i = 0; i < sup->running.snapshot.syslog_count; i++) {
		int fd = sockets_syslog(sup, &sup->running.snapshot, i);

		if (fd < 0)
			continue; /* no route to it now; audit keeps the records */
		child_give(audit, &(struct control_give){.kind = GIVE_SYSLOG, .index = i}, fd);
		(void)close(fd); /* audit has its own copy */
	}
}

/*
 * The previous policy comes back as a commit of its own. Where there was none, there are no zones
 * again.
 */
static void take_back(struct supervisor *sup)
{
	struct commit *commit = &sup->commit;
	struct policy_run previous = commit->previous;

	(void)snprintf(commit->reason, sizeof(commit->reason), "%s", sup->zones.reason);
	commit->previous = (struct policy_run){.fd = -1};
	commit->state = COMMIT_IDLE;
	if (previous.fd >= 0) {
		start(sup, previous, commit->request, true);
		return;
	}
	sockets_close_all(sup);
	run_close(&sup->running);
	session_refit_all(sup);
	(void)reconverge(sup); /* its failure is an event of its own */
	answer(sup, commit->request, false, commit->reason);
}

static void finish(struct supervisor *sup)
{
	struct commit *commit = &sup->commit;
	int err;

	/* Every holder has this policy: what an earlier one left half done is over. */
	sup->zones.shut &= ~(unsigned)ZONES_SHUT_ROLLBACK;
	err = lead_kernel(sup, &sup->running, zones_converge);
	loop_disarm(&sup->loop, &commit->deadline);
	if (err == 0)
		err = sockets_listen(sup, &sup->running.snapshot);
	if (err < 0 && !commit->is_rollback) {
		take_back(sup);
		return;
	}
	if (err < 0) {
		supervisor_event(sup, EVENT_ROLLBACK_FAILED, EV_TEXT(REASON, sup->zones.reason));
		sup->zones.shut |= ZONES_SHUT_ROLLBACK;
		(void)reconverge(sup); /* its failure is an event of its own */
	}
	run_close(&commit->previous);
	commit->state = COMMIT_IDLE;
	connections_resize(sup, &sup->running.snapshot);
	session_refit_all(sup);
	scanning_begin(sup);
	reserve_begin(sup);
	give_syslog_sockets(sup);
	commit_tell_accounts(sup);
	time_follow(sup);
	usb_follow(sup);
	answer(sup, commit->request, !commit->is_rollback,
	       commit->is_rollback ? commit->reason : "");
	if (!commit->is_rollback)
		say_ready(sup);
}

void commit_prepared(struct supervisor *sup, enum role role, uint64_t epoch)
{
	struct commit *commit = &sup->commit;

	if (commit->state != COMMIT_PREPARING || epoch != commit->candidate.epoch)
		return; /* of an earlier attempt */
	commit->waiting &= ~(1U << role);
	if (!commit->waiting)
		apply(sup);
}

void commit_refused(struct supervisor *sup, enum role role, const struct control_refused *refused)
{
	struct commit *commit = &sup->commit;
	char reason[ZONES_REASON_BYTES];

	if (commit->state != COMMIT_PREPARING || refused->epoch != commit->candidate.epoch)
		return; /* of an earlier attempt */
	(void)snprintf(reason, sizeof(reason), "%s: %.100s", table_roles[role].program,
		       refused->reason);
	give_up(sup, reason);
}

static void holder_has_applied(struct supervisor *sup, enum role role)
{
	struct commit *commit = &sup->commit;

	if (commit->state != COMMIT_APPLYING || !commit->waiting)
		return;
	commit->waiting &= ~(1U << role);
	if (!commit->waiting)
		finish(sup);
}

void commit_applied(struct supervisor *sup, enum role role, uint64_t epoch)
{
	if (epoch == sup->running.epoch)
		holder_has_applied(sup, role);
}

void commit_child_ready(struct supervisor *sup, enum role role)
{
	try_prepare(sup);
	holder_has_applied(sup, role); /* it was started with the running policy */
}

void commit_child_died(struct supervisor *sup, enum role role)
{
	char reason[ZONES_REASON_BYTES];

	if (sup->commit.state != COMMIT_PREPARING || !table_roles[role].holds_policy)
		return;
	(void)snprintf(reason, sizeof(reason), "%s died while it prepared the policy",
		       table_roles[role].program);
	give_up(sup, reason);
}

/*
 * Who has not answered while applying is ended: it comes back with the running policy, and that
 * counts.
 */
static void kill_silent_holders(struct supervisor *sup)
{
	for (size_t i = 0; i < HOLDER_COUNT; i++) {
		struct child *child = child_find(sup, holders[i], 0);

		if ((sup->commit.waiting & (1U << holders[i])) && child)
			child_kill(child, "did not apply the policy in time");
	}
	loop_arm(&sup->loop, &sup->commit.deadline, STEP_DEADLINE_MS);
}

static void on_deadline(struct loop *loop, struct loop_timer *self)
{
	struct supervisor *sup = self->ctx;

	if (sup->commit.state == COMMIT_APPLYING)
		kill_silent_holders(sup);
	else if (sup->commit.state != COMMIT_IDLE)
		give_up(sup, sup->commit.state == COMMIT_WAITING
				     ? "netfilter, arbiter or audit is not ready"
				     : "preparing the policy took too long");
}

void commit_fini(struct supervisor *sup)
{
	loop_disarm(&sup->loop, &sup->commit.deadline);
	run_close(&sup->commit.candidate);
	run_close(&sup->commit.previous);
	run_close(&sup->running);
	sup->commit.state = COMMIT_IDLE;
}
