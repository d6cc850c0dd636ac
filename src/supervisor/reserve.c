/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reserve of processes that wait for a session or message. */
#include "supervisor/reserve.h"

#include <sys/wait.h>

#include "supervisor/supervisor.h"

#define REFILL_MS      2U    /* behind the session that took one: that one goes first */
#define REFILL_LATE_MS 1000U /* where one died or could not be started */

static bool waits(const struct child *child, enum role role)
{
	return child->state == CHILD_RESERVE && child->role == role && !child->dismissed;
}

static uint32_t count(const struct supervisor *sup, enum role role)
{
	uint32_t found = 0;

	for (size_t i = 0; i < CHILDREN_MAX; i++)
		found += waits(&sup->children[i], role);
	return found;
}

/* Return: a role of which fewer wait than should, or ROLE_COUNT_. */
static enum role find_short(const struct supervisor *sup)
{
	for (enum role role = 0; role < ROLE_COUNT_; role++) {
		if (count(sup, role) < table_roles[role].in_reserve)
			return role;
	}
	return ROLE_COUNT_;
}

/* One at a time: what sessions do comes in between. */
static void on_refill(struct loop *loop, struct loop_timer *timer)
{
	struct supervisor *sup = timer->ctx;
	enum role role = find_short(sup);
	struct child *child;

	if (role == ROLE_COUNT_ || sup->stopping)
		return;
	child = child_add(sup, role, 0, NULL, -1, false);
	if (child && child_prepare(child) < 0) {
		child->state = CHILD_FREE;
		child = NULL;
	}
	loop_arm(loop, timer, child ? REFILL_MS : REFILL_LATE_MS);
}

static void dismiss(struct child *child)
{
	child->dismissed = true;
	child_kill(child, NULL);
}

void reserve_begin(struct supervisor *sup)
{
	loop_disarm(&sup->loop, &sup->reserve.timer);
	sup->reserve.timer = (struct loop_timer){.fire = on_refill, .ctx = sup};
	if (sup->running.snapshot.mail_count > 0) {
		loop_arm(&sup->loop, &sup->reserve.timer, REFILL_MS);
		return;
	}
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		if (sup->children[i].state == CHILD_RESERVE)
			dismiss(&sup->children[i]);
	}
}

/*
 * Somebody may have killed or stopped it while it waited: a session must not wait for that one. The
 * kernel knows; the process need not be asked.
 */
static bool is_fit(struct child *child)
{
	siginfo_t change = {0};

	if (waitid(P_PID, (id_t)child->pid, &change, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) < 0)
		return false;
	if (change.si_pid != 0 && change.si_code == CLD_STOPPED) {
		child_kill(child, "was stopped in reserve");
		child->dismissed = true;
	}
	return change.si_pid == 0; /* one that has died is reaped soon */
}

struct child *reserve_take(struct supervisor *sup, enum role role, struct session *session)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *child = &sup->children[i];

		if (!waits(child, role))
			continue;
		loop_arm(&sup->loop, &sup->reserve.timer, REFILL_MS);
		if (!is_fit(child))
			continue;
		child->session = session;
		child->index = session->index;
		child_begin(child);
		return child;
	}
	return NULL;
}

void reserve_child_died(struct child *child)
{
	struct supervisor *sup = child->sup;

	if (!child->dismissed && !sup->stopping)
		loop_arm(&sup->loop, &sup->reserve.timer, REFILL_LATE_MS);
}
