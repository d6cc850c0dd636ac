/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dates of header fields (RFC 5322 3.3 with its obsolete forms), read and written. */
#ifndef SEKISHO_WIRE_MIME_DATE_H
#define SEKISHO_WIRE_MIME_DATE_H

#include "base/buf.h"

#define MIME_DATE_BYTES 40 /* room for a written date with its NUL */

struct mime_date {
	int64_t seconds;        /* since 1970, UTC */
	int32_t offset_minutes; /* of the writer's clock, east positive; -1439..1439 */
};

/**
 * mime_date_parse - read a date
 * @value: unfolded; comments and the day's name are passed over
 * Return: 0, or -ERR_SYNTAX or -ERR_RANGE (years 1900 to 9999, each number within its range).
 */
int mime_date_parse(struct span value, struct mime_date *out);

/* Write "Sun, 22 Nov 2026 09:00:00 +0900". */
void mime_date_write(const struct mime_date *date, char out[MIME_DATE_BYTES]);

/* Days since 1970-01-01 of a date of the Gregorian calendar, and back; month and day from 1. */
int64_t mime_date_days(int64_t year, unsigned month, unsigned day);
void mime_date_civil(int64_t days, int64_t *year, unsigned *month, unsigned *day);

#endif
