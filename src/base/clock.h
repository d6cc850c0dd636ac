/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Monotonic and wall time behind one pointer, so that timeouts are tested in simulated time. */
#ifndef SEKISHO_BASE_CLOCK_H
#define SEKISHO_BASE_CLOCK_H

#include <stdint.h>

struct clock {
	uint64_t (*mono_ns)(void *ctx); /* CLOCK_MONOTONIC, nanoseconds */
	int64_t (*wall_ns)(void *ctx);  /* CLOCK_REALTIME, nanoseconds since 1970 */
	void *ctx;
};

/* The kernel's clocks; no state. */
extern const struct clock clock_system;

static inline uint64_t clock_mono_ns(const struct clock *c)
{
	return c->mono_ns(c->ctx);
}

static inline uint64_t clock_mono_ms(const struct clock *c)
{
	return c->mono_ns(c->ctx) / 1000000U;
}

static inline int64_t clock_wall_ns(const struct clock *c)
{
	return c->wall_ns(c->ctx);
}

/* A clock that only moves when told; set the fields directly. */
struct clock_simulated {
	uint64_t mono_ns;
	int64_t wall_ns;
};

struct clock clock_simulate(struct clock_simulated *state);

#endif
