/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is worth telling in the reports of time-source. */
#include "supervisor/time/watch.h"

#include <stddef.h>

void time_watch_begin(struct time_watch *watch, uint64_t now_ms)
{
	*watch = (struct time_watch){.believed_ms = now_ms};
}

static const struct clock_server *find_in_state(const struct control_time *state,
						enum clock_server_state wanted)
{
	for (uint32_t i = 0; i < state->server_count; i++) {
		if (state->servers[i].state == wanted)
			return &state->servers[i];
	}
	return NULL;
}

const struct clock_server *time_watch_used(const struct control_time *state)
{
	return find_in_state(state, CLOCK_SERVER_USED);
}

const struct clock_server *time_watch_heeded(const struct control_time *state)
{
	const struct clock_server *used = time_watch_used(state);

	return used != NULL ? used : find_in_state(state, CLOCK_SERVER_UNSTEADY);
}

static bool is_beyond(int64_t value, int64_t limit)
{
	return value > limit || value < -limit;
}

/* What is left to correct, or what the server says where that is not believed. */
static bool is_off_by(const struct control_time *state, int64_t limit_ns)
{
	const struct clock_server *heeded = time_watch_heeded(state);

	return is_beyond(state->offset_ns, limit_ns) ||
	       (heeded != NULL && is_beyond(heeded->offset_ns, limit_ns));
}

static unsigned look_at_updates(struct time_watch *watch, const struct control_time *state,
				uint64_t now_ms)
{
	/* A new life of time-source counts from its own beginning. */
	bool believed =
		state->synchronised && state->updates > 0 && state->updates != watch->updates;

	watch->updates = state->updates;
	if (!believed)
		return 0;
	watch->believed_ms = now_ms;
	if (watch->synchronised)
		return 0;
	watch->synchronised = true;
	watch->lost = false;
	return TIME_NEWS_SYNCHRONISED;
}

static unsigned look_at_drift(struct time_watch *watch, const struct control_time *state)
{
	bool too_fast = is_beyond(state->frequency, TIME_WATCH_PPM * (int64_t)CLOCK_PPM);

	if (!watch->drifting && (too_fast || is_off_by(state, TIME_WATCH_DRIFTS_NS))) {
		watch->drifting = true;
		return TIME_NEWS_DRIFTS;
	}
	if (watch->drifting && !too_fast && !is_off_by(state, TIME_WATCH_STEADY_NS)) {
		watch->drifting = false;
		return TIME_NEWS_STEADY;
	}
	return 0;
}

static uint32_t look_at_servers(struct time_watch *watch, const struct control_time *state)
{
	uint32_t is_false = 0, became;

	for (uint32_t i = 0; i < state->server_count; i++) {
		if (state->servers[i].state == CLOCK_SERVER_FALSE)
			is_false |= 1U << i;
	}
	became = is_false & ~watch->false_servers;
	/* One that falls silent has not been found true. */
	for (uint32_t i = 0; i < state->server_count; i++) {
		if (state->servers[i].state >= CLOCK_SERVER_FIT)
			watch->false_servers &= ~(1U << i);
	}
	watch->false_servers |= is_false;
	return became;
}

unsigned time_watch_look(struct time_watch *watch, const struct control_time *state,
			 uint64_t lost_after_ms, uint64_t now_ms, uint32_t *false_servers)
{
	unsigned news = 0;

	*false_servers = 0;
	if (state != NULL)
		news |= look_at_updates(watch, state, now_ms);
	/* Before that nobody knows who is right. */
	if (state != NULL && watch->synchronised) {
		news |= look_at_drift(watch, state);
		*false_servers = look_at_servers(watch, state);
	}
	if (!watch->lost && now_ms - watch->believed_ms >= lost_after_ms) {
		watch->lost = true;
		watch->synchronised = false;
		news |= TIME_NEWS_LOST;
	}
	return news;
}
