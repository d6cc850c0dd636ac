/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much a console may ask: a bucket of questions, so that none can keep those who answer busy.
 */
#ifndef SEKISHO_SUPERVISOR_QUERY_ASKING_H
#define SEKISHO_SUPERVISOR_QUERY_ASKING_H

#include <stdbool.h>
#include <stdint.h>

#define ASKING_BURST    64U /* questions at once, */
#define ASKING_A_SECOND 20U /* and on and on */

struct asking {
	uint32_t serial, number; /* of the last question passed on: ours, the console's own */
	uint32_t level;          /* in thousandths of a question */
	uint64_t filled_ms;      /* 0: full */
};

/* A console begins anew: its bucket is full, and no answer is awaited. */
void asking_init(struct asking *a);

/**
 * asking_take - count one question, where there is room for it
 * @now_ms: monotonic, not 0
 * Return: whether it may be answered.
 */
bool asking_take(struct asking *a, uint64_t now_ms);

#endif
