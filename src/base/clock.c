/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's clocks, and one that moves only when told. */
#include "base/clock.h"

#include <time.h>

#define NS_PER_S 1000000000LL

static uint64_t system_mono_ns(void *ctx)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail with a valid clock and address */
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static int64_t system_wall_ns(void *ctx)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail with a valid clock and address */
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

const struct clock clock_system = {
	.mono_ns = system_mono_ns,
	.wall_ns = system_wall_ns,
};

static uint64_t simulated_mono_ns(void *ctx)
{
	const struct clock_simulated *state = ctx;

	return state->mono_ns;
}

static int64_t simulated_wall_ns(void *ctx)
{
	const struct clock_simulated *state = ctx;

	return state->wall_ns;
}

struct clock clock_simulate(struct clock_simulated *state)
{
	return (struct clock){
		.mono_ns = simulated_mono_ns,
		.wall_ns = simulated_wall_ns,
		.ctx = state,
	};
}
