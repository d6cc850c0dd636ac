/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Edges of the calendar: where a schedule, a holiday, a permit's last day or a step of the clock
 * changes what the running configuration permits, it is committed again. The epoch that this
 * brings makes every flow be judged anew, so that what is over is cut.
 */
#include <stdio.h>

#include "base/err.h"
#include "config/config.h"

#define LOOK_MS  1000U /* how often the clock is looked at */
#define AGAIN_MS 5000U /* after a commit that could not be sent or was refused */

static int64_t wall_ms(void)
{
	return clock_wall_ns(&clock_system) / 1000000;
}

static bool view_block(struct snapshot *s, const struct bytes *block)
{
	return block->size > 0 && snapshot_view(s, block->data, block->size) == 0;
}

/* At the edge itself, or earlier to see whether the clock was set. */
static void arm(struct config *c)
{
	int64_t left_ms = c->edge_span.end_s * 1000 - wall_ms();

	loop_arm(&c->loop, &c->edge_timer,
		 left_ms > 0 && left_ms < LOOK_MS ? (uint64_t)left_ms : LOOK_MS);
}

/* The running configuration as a commit of its own; nothing of it is saved again. */
static int commit_again(struct config *c)
{
	struct config_commit *commit = &c->commit;
	int err;

	config_commit_fini(commit);
	commit->edge = true;
	commit->entry = c->running_entry;
	commit->chosen = c->running_chosen;
	snprintf(commit->entry.origin, sizeof(commit->entry.origin), "calendar");
	err = bytes_append(&commit->text, c->running_text.data, c->running_text.size);
	if (err == 0)
		err = bytes_append(&commit->block, c->running_block.data, c->running_block.size);
	if (err == 0)
		err = config_commit_send(c);
	if (err != 0)
		config_commit_fini(commit);
	return err;
}

static void on_edge_timer(struct loop *loop, struct loop_timer *self)
{
	struct config *c = self->ctx;
	int64_t now_s = wall_ms() / 1000;
	int err;

	if (calendar_span_holds(&c->edge_span, now_s) || c->commit.active) {
		arm(c);
		return;
	}
	event_send(&c->process.events, EVENT_CALENDAR_EDGE,
		   EV_NUMBER(COMMIT, c->running_entry.number));
	err = commit_again(c);
	if (err != 0)
		fprintf(stderr, "config: a calendar's edge cannot be committed: %s\n",
			err_name(err));
	loop_arm(loop, self, AGAIN_MS); /* unless an accepted commit arms it anew before */
}

void config_edge_init(struct config *c)
{
	c->edge_timer = (struct loop_timer){.fire = on_edge_timer, .ctx = c};
}

void config_edge_watch(struct config *c, int64_t sent_s)
{
	struct snapshot s;

	loop_disarm(&c->loop, &c->edge_timer);
	if (!view_block(&s, &c->running_block) || !calendar_matters(&s))
		return;
	c->edge_span = calendar_span_at(&s, sent_s);
	arm(c);
}

bool config_edge_matters(const struct bytes *block)
{
	struct snapshot s;

	return view_block(&s, block) && calendar_matters(&s);
}
