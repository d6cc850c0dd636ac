/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zones and the paths between them as the kernel has them, put on record beside what the policy
 * asks for: behind every change of either, and once a day (ADR 810).
 */
#ifndef SEKISHO_SUPERVISOR_SURVEY_H
#define SEKISHO_SUPERVISOR_SURVEY_H

#include <stdint.h>

#include "base/loop.h"
#include "supervisor/zones.h"

struct supervisor;

/* Devices of one zone whose other end is in another, by what the kernel says. */
struct survey_joining {
	int32_t other_id; /* the other zone's namespace, as this one numbers it; -1: it has no
			     number */
	char names[96];   /* with blanks between them; cut where there are more */
	uint32_t count;
};

/* Return: 0 or -ERR_SYSTEM: the kernel does not say. */
int survey_find_joining(struct zone *zone, const struct zone *other,
			struct survey_joining *joining);

/* Something has changed, or may have: look in two seconds, when links have settled. */
void survey_soon(struct supervisor *sup);

#endif
