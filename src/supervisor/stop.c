/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ordered end: first nobody new, then the processes, the log's at last. */
#include <stddef.h>

#include "supervisor/supervisor.h"

#define STOP_WAIT_MS 2000U

static void end(struct supervisor *sup)
{
	loop_stop(&sup->loop, sup->exit_status);
}

static void on_stop_over(struct loop *loop, struct loop_timer *self)
{
	struct supervisor *sup = self->ctx;

	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		if (sup->audit_stops || !log_senders_is_of_log(&sup->children[i]))
			child_kill(&sup->children[i], NULL);
	}
	loop_arm(loop, self, STOP_WAIT_MS);
}

/* Behind the others' ends, so that what they say last is in the log: how a session ended. */
void supervisor_go_on_stopping(struct supervisor *sup)
{
	if (!sup->stopping || child_alive_count(sup, false) > 0)
		return;
	if (child_alive_count(sup, true) == 0) {
		end(sup);
	} else if (!sup->audit_stops) {
		sup->audit_stops = true;
		child_stop_all(sup, true);
		loop_arm(&sup->loop, &sup->stop_timer, STOP_WAIT_MS);
	}
}

/*
 * Listeners first: nobody new. Then the processes, the log's at last, and when that one is gone the
 * loop ends and zones are removed.
 */
void supervisor_stop(struct supervisor *sup, struct event_arg why)
{
	if (sup->stopping)
		return;
	supervisor_event(sup, EVENT_GATEWAY_STOPS, why);
	sup->stopping = true;
	recovery_stop(sup, "the gateway stops");
	zeroise_stop(sup);
	sockets_close_all(sup);
	consoles_close(sup);
	child_stop_all(sup, false);
	sup->stop_timer = (struct loop_timer){.fire = on_stop_over, .ctx = sup};
	loop_arm(&sup->loop, &sup->stop_timer, STOP_WAIT_MS);
	supervisor_go_on_stopping(sup);
}
