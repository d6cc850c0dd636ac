/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alarms: what stands, since when, and what to do (Z12). They follow from the events that are
 * written to the log and from nothing else, by the table alarms.def, and are kept beside the log.
 */
#ifndef SEKISHO_AUDIT_ALARMS_H
#define SEKISHO_AUDIT_ALARMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/event.h"
#include "channel/control.h"

#define ALARMS_MAX        128 /* that stand at a time; the one not raised for longest gives way */
#define ALARM_ABOUT_BYTES 64

/* A process that dies so often within so long is said to be unsteady. */
#define ALARM_DEATHS          10U
#define ALARM_DEATHS_WITHIN_S (6 * 3600)

struct alarm {
	uint32_t kind;                 /* index of the table, or behind it an event of its own */
	char about[ALARM_ABOUT_BYTES]; /* printable ASCII; "-": nothing in particular */
	int64_t since_s, last_s;       /* since 1970 */
	uint32_t count;                /* how often it was raised */
};

struct alarms {
	struct alarm standing[ALARMS_MAX]; /* oldest first */
	size_t count;
	int64_t deaths_s[ROLE_COUNT_][ALARM_DEATHS]; /* the newest last; 0: none */
	bool changed;                                /* since it was kept */
	/* Writes a record: process-unsteady. */
	void (*event)(void *ctx, enum event_id id, const struct event_arg *args, size_t count);
	void *ctx;
};

/**
 * alarms_see - follow an event
 * @event: checked
 * @now_s: since 1970. A clock that is set back makes an alarm stand longer, never shorter.
 */
void alarms_see(struct alarms *a, const struct event_record *event, int64_t now_s);

/* End what was not raised again for its hours. */
void alarms_expire(struct alarms *a, int64_t now_s);

/**
 * alarms_print - for people: what stands, since when, what to do
 * @public: leave out what it is about where that may name a person or come from a peer
 * Return: 0 or an error of @out.
 */
int alarms_print(const struct alarms *a, bool japanese, bool public, struct bytes *out);

/**
 * alarms_keep - bring what stands to the disk, where it changed
 * @directory: borrowed
 * Return: 0; an error of file_replace: tried again by the next call.
 */
int alarms_keep(struct alarms *a, int directory);

/* What alarms_keep wrote; lines that this version does not know are passed over. Return: 0 (also
 * for none); -ERR_INTEGRITY; -ERR_SYSTEM. */
int alarms_load(struct alarms *a, int directory);

/* A name of the table, by its place. Return: NULL behind the last. */
const char *alarm_name(uint32_t kind);

#endif
