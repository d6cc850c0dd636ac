/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bucket of a console's questions. */
#include "supervisor/query/asking.h"

#define COST  1000U /* of a question: a bucket gains its rate for each millisecond */
#define FULL  (ASKING_BURST * COST)
#define WHOLE (FULL / ASKING_A_SECOND) /* milliseconds that fill any bucket */

void asking_init(struct asking *a)
{
	*a = (struct asking){.level = FULL};
}

bool asking_take(struct asking *a, uint64_t now_ms)
{
	uint64_t passed_ms = a->filled_ms == 0 ? 0 : now_ms - a->filled_ms;
	uint32_t gain = (uint32_t)(passed_ms < WHOLE ? passed_ms : WHOLE) * ASKING_A_SECOND;

	a->level = gain < FULL - a->level ? a->level + gain : FULL;
	a->filled_ms = now_ms;
	if (a->level < COST)
		return false;
	a->level -= COST;
	return true;
}
