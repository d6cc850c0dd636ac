/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The certificates, authorities and passwords that the running configuration names are looked at
 * behind each commit and each day: what ends soon is said, what was made here is made anew. What
 * nobody has approved in time ends.
 */
#include "config/proposal.h"

#define LOOK_MS 60000U /* how often the clock is looked at */
#define DAY_S   86400

static int64_t wall_s(const struct config *c)
{
	return clock_wall_ns(c->loop.clock) / 1000000000;
}

/* Behind a look, for so long: a clock that is set back or forward ends it as well. */
static bool is_over(const struct config *c)
{
	int64_t age_s = wall_s(c) - c->slots_looked_s;

	return age_s < 0 || age_s >= DAY_S;
}

static void on_timer(struct loop *loop, struct loop_timer *self)
{
	struct config *c = self->ctx;

	proposal_load_tidy(c);
	proposal_tidy(c);
	if (!c->commit.active && is_over(c))
		config_slots_look(c);
	else
		loop_arm(loop, self, LOOK_MS);
}

void config_slots_init(struct config *c)
{
	c->slots_timer = (struct loop_timer){.fire = on_timer, .ctx = c};
}

void config_slots_look_soon(struct config *c)
{
	c->slots_looked_s = INT64_MIN / 2;
}

void config_slots_look(struct config *c)
{
	struct keys_task task = {.dir = c->keys_dir,
				 .number = c->running_entry.number,
				 .now_s = wall_s(c),
				 .aim = KEYS_RENEW,
				 .events = &c->process.events};
	struct problems problems;
	struct tree tree;

	problems_init(&problems);
	if (asking_parse(&tree, bytes_span(&c->running_text), &problems) == 0) {
		task.root = tree.root;
		keys_provide(&task, &problems); /* what matters of it is recorded */
		tree_fini(&tree);
		c->slots_looked_s = task.now_s;
	}
	loop_arm(&c->loop, &c->slots_timer, LOOK_MS);
}
