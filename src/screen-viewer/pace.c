/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A cap on bytes a second, as a debt in bits. */
#include "screen-viewer/pace.h"

void pace_init(struct pace *p, uint32_t kbit_s)
{
	*p = (struct pace){.kbit_s = kbit_s};
}

static uint64_t debt_at(const struct pace *p, uint64_t now_ms)
{
	uint64_t elapsed_ms = now_ms - p->paid_ms;

	/* Not by a product, which a long silence would overflow. */
	if (elapsed_ms > p->debt_bits / p->kbit_s)
		return 0;
	return p->debt_bits - elapsed_ms * p->kbit_s;
}

void pace_spend(struct pace *p, size_t bytes, uint64_t now_ms)
{
	if (!pace_is_capped(p))
		return;
	p->debt_bits = debt_at(p, now_ms) + bytes * UINT64_C(8);
	p->paid_ms = now_ms;
}

uint64_t pace_wait_ms(const struct pace *p, uint64_t now_ms)
{
	if (!pace_is_capped(p))
		return 0;
	return (debt_at(p, now_ms) + p->kbit_s - 1) / p->kbit_s;
}

uint64_t pace_bytes(const struct pace *p, uint64_t ms)
{
	return pace_is_capped(p) ? p->kbit_s * ms / 8 : UINT64_MAX;
}
