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
#include "supervisor/packet_shares.h"
#include "supervisor/supervisor.h"
#include "supervisor/zones/survey.h"

#define STEP_DEADLINE_MS 15000U

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
	packet_shares_begin(sup, packet_shares_of(&commit->candidate));
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

struct telling {
	struct control_epoch body;
	uint16_t type;
	int fd;
};

static void tell_holder(void *ctx, struct child *child, uint32_t bit)
{
	const struct telling *t = ctx;

	if (child && child->state == CHILD_READY)
		child_send(child, t->type, &t->body, sizeof(t->body), &t->fd, t->fd >= 0 ? 1 : 0);
}

/* Those of the policy that a commit is about. */
static void tell_holders(struct supervisor *sup, uint16_t type, const struct policy_run *run,
			 int fd)
{
	struct telling t = {.body = {.epoch = run->epoch}, .type = type, .fd = fd};

	packet_shares_each_holder(sup, packet_shares_of(run), tell_holder, &t);
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
		tell_holders(sup, CONTROL_ABORT, &commit->candidate, -1);
	run_close(&commit->candidate);
	commit->state = COMMIT_IDLE;
	packet_shares_end(sup, packet_shares_of(&sup->running));
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

static int give_sockets(struct supervisor *sup, struct child *netfilter, struct zone *zone,
			uint32_t index)
{
	for (size_t k = 0; k < outfit_zone_kind_count; k++) {
		uint32_t kind = outfit_zone_kinds[k];

		if (!outfit_is_for(netfilter, kind))
			continue;
		int fd = zone ? sockets_of_zone(sup, zone, kind) : -ERR_NOT_FOUND;

		if (fd < 0)
			return fd;
		child_give(netfilter, &(struct control_give){.kind = kind, .index = index}, fd);
		(void)close(fd); /* netfilter has its own copy */
	}
	return 0;
}

/*
 * For netfilter, and for that of each share, the sockets of zones that are new or stand at another
 * index than in the running policy.
 */
static int give_zone_sockets(struct supervisor *sup, const struct snapshot *snapshot)
{
	const struct policy_run *running = &sup->running;
	uint32_t shares = snapshot_queues(snapshot);
	int err = 0;

	for (uint32_t i = 0; i < snapshot->zone_count; i++) {
		struct zone *zone = zones_find(&sup->zones, snapshot->zones[i].name);

		if (running->fd >= 0 && i < running->snapshot.zone_count &&
		    strcmp(running->snapshot.zones[i].name, snapshot->zones[i].name) == 0)
			continue;
		for (uint32_t share = 0; share < shares && err == 0; share++)
			err = give_sockets(sup, child_find(sup, ROLE_NETFILTER, share), zone, i);
	}
	return err;
}

static void is_ready(void *ctx, struct child *child, uint32_t bit)
{
	bool *ready = ctx;

	*ready = *ready && child && child->state == CHILD_READY;
}

static bool holders_are_ready(struct supervisor *sup)
{
	bool ready = true;

	packet_shares_each_holder(sup, packet_shares_of(&sup->commit.candidate), is_ready, &ready);
	return ready;
}

static void wait_for_holder(void *ctx, struct child *child, uint32_t bit)
{
	uint32_t *waiting = ctx;

	*waiting |= bit;
}

static void wait_for_holders(struct supervisor *sup, const struct policy_run *run)
{
	sup->commit.waiting = 0;
	packet_shares_each_holder(sup, packet_shares_of(run), wait_for_holder,
				  &sup->commit.waiting);
	loop_arm(&sup->loop, &sup->commit.deadline, STEP_DEADLINE_MS);
}

static void try_prepare(struct supervisor *sup)
{
	struct commit *commit = &sup->commit;

	if (commit->state != COMMIT_WAITING || !holders_are_ready(sup))
		return;
	if (lead_kernel(sup, &commit->candidate, zones_prepare) < 0) {
		give_up(sup, sup->zones.reason);
		return;
	}
	if (give_zone_sockets(sup, &commit->candidate.snapshot) < 0) {
		give_up(sup, "a netfilter socket of a zone could not be made");
		return;
	}
	commit->state = COMMIT_PREPARING;
	wait_for_holders(sup, &commit->candidate);
	tell_holders(sup, CONTROL_PREPARE, &commit->candidate, commit->candidate.fd);
}

static void apply(struct supervisor *sup)
{
	struct commit *commit = &sup->commit;

	commit->state = COMMIT_APPLYING;
	commit->previous = sup->running;
	sup->running = commit->candidate;
	commit->candidate = (struct policy_run){.fd = -1};
	wait_for_holders(sup, &sup->running);
	tell_holders(sup, CONTROL_APPLY, &sup->running, -1);
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
		/* Of more shares than now, none knows the zones that the candidate has made. */
		packet_shares_end(sup, packet_shares_of(&sup->running));
		start(sup, previous, commit->request, true);
		return;
	}
	sockets_close_all(sup);
	run_close(&sup->running);
	packet_shares_end(sup, 1);
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
	packet_shares_end(sup, packet_shares_of(&sup->running));
	connections_resize(sup, &sup->running.snapshot);
	session_refit_all(sup);
	scanning_begin(sup);
	reserve_begin(sup);
	log_senders_give(sup, child_find(sup, ROLE_AUDIT, 0));
	commit_tell_accounts(sup);
	time_follow(sup);
	usb_follow(sup);
	answer(sup, commit->request, !commit->is_rollback,
	       commit->is_rollback ? commit->reason : "");
	if (!commit->is_rollback)
		say_ready(sup);
}

void commit_prepared(struct child *child, uint64_t epoch)
{
	struct commit *commit = &child->sup->commit;

	if (commit->state != COMMIT_PREPARING || epoch != commit->candidate.epoch)
		return; /* of an earlier attempt */
	commit->waiting &= ~packet_shares_bit(child);
	if (!commit->waiting)
		apply(child->sup);
}

void commit_refused(struct child *child, const struct control_refused *refused)
{
	struct commit *commit = &child->sup->commit;
	char reason[ZONES_REASON_BYTES];

	if (commit->state != COMMIT_PREPARING || refused->epoch != commit->candidate.epoch)
		return; /* of an earlier attempt */
	(void)snprintf(reason, sizeof(reason), "%s: %.100s", child_name(child), refused->reason);
	give_up(child->sup, reason);
}

static void holder_has_applied(struct child *child)
{
	struct commit *commit = &child->sup->commit;

	if (commit->state != COMMIT_APPLYING || !commit->waiting)
		return;
	commit->waiting &= ~packet_shares_bit(child);
	if (!commit->waiting)
		finish(child->sup);
}

void commit_applied(struct child *child, uint64_t epoch)
{
	if (epoch == child->sup->running.epoch)
		holder_has_applied(child);
}

void commit_child_ready(struct child *child)
{
	try_prepare(child->sup);
	holder_has_applied(child); /* it was started with the running policy */
}

void commit_child_died(struct child *child)
{
	struct supervisor *sup = child->sup;
	char reason[ZONES_REASON_BYTES];

	if (sup->commit.state != COMMIT_PREPARING || !table_roles[child->role].holds_policy ||
	    child->index >= packet_shares_of(&sup->commit.candidate))
		return;
	(void)snprintf(reason, sizeof(reason), "%s died while it prepared the policy",
		       child_name(child));
	give_up(sup, reason);
}

static void kill_silent(void *ctx, struct child *child, uint32_t bit)
{
	const uint32_t *waiting = ctx;

	if ((*waiting & bit) && child)
		child_kill(child, "did not apply the policy in time");
}

/*
 * Who has not answered while applying is ended: it comes back with the running policy, and that
 * counts.
 */
static void kill_silent_holders(struct supervisor *sup)
{
	packet_shares_each_holder(sup, packet_shares_of(&sup->running), kill_silent,
				  &sup->commit.waiting);
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
