/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console's `monitor log`: what was recorded since a place in the log. */
#ifndef SEKISHO_AUDIT_FOLLOW_H
#define SEKISHO_AUDIT_FOLLOW_H

#include "audit/answer.h"

#define FOLLOW_ROWS_MAX   20U         /* the newest of them are given, the others counted */
#define FOLLOW_BYTES_MAX  (1U << 20)  /* read for one question; the next goes on there */
#define FOLLOW_PLACE_FORM "%llu:%llu" /* first number of the segment, bytes from its start */

/**
 * follow_search - fill @a->places, ->end and ->left_out for @a->query
 * Its argument is a place, as an answer before has given it, and behind a blank a text that records
 * must contain; an empty one has no records and the log's end for a place. A segment that is gone
 * meanwhile is as if it had been read; a place that is none is taken for the log's end.
 */
void follow_search(struct answer *a);

#endif
