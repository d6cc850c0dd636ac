/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zones and the paths between them as the kernel has them, put on record beside what the policy
 * asks for: behind every change of either, and once a day (ADR 810).
 */
#ifndef SEKISHO_SUPERVISOR_ZONES_SURVEY_H
#define SEKISHO_SUPERVISOR_ZONES_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "supervisor/zones/zones.h"

struct supervisor;

#define SURVEY_JOINING_MAX 16 /* of one zone to one other; more of them are counted only */

/* What joins two zones by what the kernel says, beside what the running policy asks for. */
enum survey_path {
	SURVEY_PATH_UNKNOWN,  /* the kernel does not say */
	SURVEY_PATH_NONE,     /* and none is asked for */
	SURVEY_PATH_CROSSING, /* the one that is asked for */
	SURVEY_PATH_MISSING,  /* a crossing is asked for and is not there */
	SURVEY_PATH_STRANGER  /* a device that no policy asks for */
};

struct survey_pair {
	enum survey_path path;
	bool configured, shut; /* the crossing; shut: by an isolation, or as all are */
	/* Devices with blanks between them: the first zone's that lead to the second, then those of
	 * the second whose other end is not among them. Cut where there are more. */
	char names[96];
};

/**
 * survey_pair_read - judge two zones by the devices of both
 *
 * A veth pair is named in both namespaces, a macvlan, ipvlan or VLAN only in the one that holds it.
 */
struct survey_pair survey_pair_read(struct supervisor *sup, struct zone *a, struct zone *b);

/* Something has changed, or may have: look in two seconds, when links have settled. Where a look is
 * due sooner, it stays, and one more follows it two seconds later. */
void survey_soon(struct supervisor *sup);

#endif
