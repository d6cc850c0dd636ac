/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hardware watchdog, fed from the main loop while all is well: when the supervisor hangs, or
 * what holds up the packet path stays down, it is not fed and the machine starts anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/err.h"
#include "supervisor/packet_shares.h"
#include "supervisor/supervisor.h"
#include "supervisor/watchdog.h"

#define FEED_MS   2000U
#define TIMEOUT_S 20
#define MISSED_MAX_MS                                                                              \
	60000U /* how long a process of the packet path may be down before that counts as unwell   \
		*/

/* The process of a role, or those of every share of the running policy. */
static bool all_ready(struct supervisor *sup, enum role role)
{
	bool shared = role == ROLE_NETFILTER || role == ROLE_ARBITER;
	uint32_t count = shared ? packet_shares_of(&sup->running) : 1, ready = 0;

	for (uint32_t share = 0; share < count; share++) {
		const struct child *child = child_find(sup, role, share);

		ready += child && child->state == CHILD_READY;
	}
	return ready == count;
}

/*
 * Down for a while is repaired by restarts; down for longer than that is a machine that needs a new
 * start.
 */
static bool is_well(struct supervisor *sup)
{
	static const enum role needed[] = {ROLE_AUDIT, ROLE_NETFILTER, ROLE_ARBITER, ROLE_CONFIG};
	uint64_t now_ms = clock_mono_ms(sup->loop.clock);

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (all_ready(sup, needed[i]))
			sup->last_ready_ms[needed[i]] = now_ms;
		else if (now_ms - sup->last_ready_ms[needed[i]] > MISSED_MAX_MS)
			return false;
	}
	return true;
}

static void feed(struct loop *loop, struct loop_timer *self)
{
	struct supervisor *sup = self->ctx;

	if (!is_well(sup)) {
		supervisor_event(sup, EVENT_WATCHDOG_STARVED);
		sup->recovery.starved = true;
		recovery_count_void(sup->state_fd);
	} else {
		if (write(sup->watchdog_fd, "", 1) < 0)
			supervisor_event(sup, EVENT_WATCHDOG_FAILED, EV_NUMBER(ERROR, errno));
		if (sup->recovery.starved)
			recovery_count_spare(sup->state_fd);
		sup->recovery.starved = false;
	}
	loop_arm(loop, self, FEED_MS);
}

int watchdog_open(struct supervisor *sup)
{
	int timeout_s = TIMEOUT_S, status = 0;
	uint64_t now_ms = clock_mono_ms(sup->loop.clock);

	if (!sup->options.watchdog_path)
		return 0;
	sup->watchdog_fd = open(sup->options.watchdog_path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
	if (sup->watchdog_fd < 0)
		return -ERR_SYSTEM;
	/* Not every driver can: then its own timeout holds. */
	(void)ioctl(sup->watchdog_fd, WDIOC_SETTIMEOUT, &timeout_s);
	sup->recovery.bitten = ioctl(sup->watchdog_fd, WDIOC_GETBOOTSTATUS, &status) == 0 &&
			       (status & WDIOF_CARDRESET) != 0;
	for (size_t i = 0; i < ROLE_COUNT_; i++)
		sup->last_ready_ms[i] = now_ms;
	sup->watchdog_timer = (struct loop_timer){.fire = feed, .ctx = sup};
	loop_arm(&sup->loop, &sup->watchdog_timer, 0);
	return 0;
}

bool watchdog_has_reset(const struct supervisor *sup)
{
	return sup->recovery.bitten;
}

/* An orderly end disarms it; any other end leaves it running. */
void watchdog_close(struct supervisor *sup)
{
	if (sup->watchdog_fd < 0)
		return;
	if (write(sup->watchdog_fd, "V", 1) < 0)
		supervisor_event(sup, EVENT_WATCHDOG_FAILED, EV_NUMBER(ERROR, errno));
	(void)close(sup->watchdog_fd); /* disarmed, or it will bite: both are meant */
	sup->watchdog_fd = -1;
}
