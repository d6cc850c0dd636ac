/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cap on bytes a second. What is sent is a debt; time pays it off; nobody saves ahead. So in any
 * time at most the cap's share of it is sent, and what the last piece exceeded it by.
 */
#ifndef SEKISHO_SCREEN_VIEWER_PACE_H
#define SEKISHO_SCREEN_VIEWER_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACE_KBIT_S_MAX 10000000

struct pace {
	uint32_t kbit_s; /* which is bits a millisecond; 0: no cap */
	uint64_t debt_bits;
	uint64_t paid_ms; /* monotonic: until then */
};

/* @kbit_s: at most PACE_KBIT_S_MAX; 0: no cap. Nothing is owed. */
void pace_init(struct pace *p, uint32_t kbit_s);

static inline bool pace_is_capped(const struct pace *p)
{
	return p->kbit_s > 0;
}

/* So much was sent. @now_ms: monotonic, never before an earlier one. */
void pace_spend(struct pace *p, size_t bytes, uint64_t now_ms);

/* Milliseconds until something may be sent; 0: now. */
uint64_t pace_wait_ms(const struct pace *p, uint64_t now_ms);

/* What the cap lets through in so many milliseconds; UINT64_MAX without one. */
uint64_t pace_bytes(const struct pace *p, uint64_t ms);

#endif
