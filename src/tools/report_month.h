/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a log says about one month, in bounded memory however long the log is. */
#ifndef SEKISHO_TOOLS_REPORT_MONTH_H
#define SEKISHO_TOOLS_REPORT_MONTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/event.h"
#include "base/sha256.h"
#include "tools/log_walk.h"

#define MONTH_DAYS         31
#define MONTH_NOTES_MAX    200  /* kept of one kind; the rest is counted */
#define MONTH_PEOPLE_MAX   200  /* told apart; the rest is counted together */
#define MONTH_PERMITS_MAX  2048 /* as for people: permits with records of their own */
#define MONTH_READ_MAX     512  /* zones and pairs of zones whose live state is kept */
#define MONTH_TIME_BYTES   20   /* "2026-11-22T10:30:00" with NUL */
#define MONTH_NOTE_BYTES   320
#define MONTH_PERSON_BYTES 64
#define MONTH_SILENCE_S    150 /* a heartbeat comes each minute */

/* What is counted for each day. */
enum month_line {
	MONTH_DENIED, /* packets and flows, by the counts in the records */
	MONTH_MAILS,
	MONTH_MAILS_REFUSED,
	MONTH_SCREENS,
	MONTH_LOGINS,
	MONTH_LOGINS_REFUSED,
	MONTH_LINE_COUNT_
};

/* What is listed one by one. */
enum month_kind {
	MONTH_CHANGES,
	MONTH_INCIDENTS,
	MONTH_RESTARTS,
	MONTH_RECORDS, /* about the log itself */
	MONTH_KIND_COUNT_
};

struct month_note {
	char time[MONTH_TIME_BYTES]; /* as the record has it, local */
	const char *event;
	char fields[MONTH_NOTE_BYTES];
};

struct month_notes {
	struct month_note notes[MONTH_NOTES_MAX];
	size_t count;
	uint64_t more;
};

struct month_event {
	uint64_t records;
	uint64_t count; /* what the records say they stand for: at least one each */
	char first[MONTH_TIME_BYTES], last[MONTH_TIME_BYTES];
};

struct month_person {
	char name[MONTH_PERSON_BYTES]; /* as the record has it */
	uint64_t logins, refused, screens;
};

struct month_permit {
	char name[96];               /* "mynumber lgwan 10" */
	char last[MONTH_TIME_BYTES]; /* in the log up to the month's end */
	uint64_t flows;              /* in the month */
};

/* What the kernel had of a zone or a pair of zones, by the newest record up to the month's end. */
struct month_read {
	char zone[32], other[32]; /* @other is empty for a zone by itself */
	char time[MONTH_TIME_BYTES];
	char found[MONTH_NOTE_BYTES];      /* as the record has it */
	char difference[MONTH_NOTE_BYTES]; /* empty: as the policy asks for */
	char state[16];                    /* of a pair: "none", "open" or "shut" by the policy */
	uint64_t times, differed;          /* in the month */
};

/* A configuration that took effect. */
struct month_commit {
	uint64_t number;
	char time[MONTH_TIME_BYTES];
	char origin[MONTH_PERSON_BYTES];
	char comment[MONTH_NOTE_BYTES];
	uint8_t sha256[SHA256_BYTES]; /* of the compiled policy */
};

struct month {
	char name[8]; /* "2026-11" */
	struct month_event events[EVENT_COUNT_];
	char last_ever[EVENT_COUNT_][MONTH_TIME_BYTES]; /* up to the month's end; empty: never */
	uint64_t days[MONTH_DAYS][MONTH_LINE_COUNT_];
	struct month_notes notes[MONTH_KIND_COUNT_];
	struct month_person people[MONTH_PEOPLE_MAX];
	size_t person_count;
	struct month_person others;
	struct month_permit permits[MONTH_PERMITS_MAX];
	size_t permit_count;
	uint64_t permits_untold; /* records of permits that found no place */
	struct month_read reads[MONTH_READ_MAX];
	size_t read_count;
	uint64_t reads_untold; /* records that found no place */
	struct month_commit asked, running;
	bool has_commit;
	uint64_t records; /* of the month */
	uint64_t lost;    /* events that processes could not send */
	char log_first[MONTH_TIME_BYTES], first[MONTH_TIME_BYTES], last[MONTH_TIME_BYTES];
	int64_t last_s; /* the wall time of the record before, 0: none */
};

/**
 * month_init - begin with an empty month
 * @name: "YYYY-MM"
 * Return: 0, or -ERR_SYNTAX where it is no month.
 */
int month_init(struct month *m, const char *name);

/* A log_walk_fn; @ctx is the struct month. Records after the month are passed over. */
void month_see(void *ctx, uint64_t sequence, const struct syslog_view *view);

/* Days that the month has, 28 to 31. */
unsigned month_day_count(const struct month *m);

/* Days from @time (a record's) to the last record of the month; 0 where there is none. */
uint64_t month_days_since(const struct month *m, const char *time);

/* What the log says of a permit; NULL: nothing up to the month's end. */
const struct month_permit *month_permit_find(const struct month *m, const char *name);

/* @other: NULL for the zone by itself; a pair in either order. NULL: no record up to the month's
 * end. */
const struct month_read *month_read_find(const struct month *m, const char *zone,
					 const char *other);

#endif
