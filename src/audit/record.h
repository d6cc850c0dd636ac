/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From an event as it came over a channel to the text of a log record. */
#ifndef SEKISHO_AUDIT_RECORD_H
#define SEKISHO_AUDIT_RECORD_H

#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/event.h"

#define RECORD_PROCESS_BYTES 48 /* name of a source process, with NUL */

/* What all records of one appliance share. */
struct record_form {
	const struct clock
		*clock; /* a record is stamped by audit's clock, never by the emitter's */
	int32_t utc_offset_s;
	char host[64]; /* NUL-terminated */
};

/**
 * record_check - whether a record from another process keeps to its form: known event, fields,
 * kinds, texts in bounds
 * Return: 0 or -ERR_PEER.
 */
int record_check(const struct event_record *event);

/**
 * record_write - write the record's text, up to where its seal goes
 * @process:  the source, from the channel that the event came on
 * @sequence: the number that the chain gives it
 * @event:    checked
 * Return: 0, or -ERR_TOO_LONG where @w is too small.
 */
int record_write(struct writer *w, const struct record_form *form, const char *process,
		 uint64_t sequence, const struct event_record *event);

/* The name of a source: "arbiter", "mail-receiver/12" (session). @role: enum role. */
void record_process_name(char name[RECORD_PROCESS_BYTES], uint32_t role, uint32_t session);

#endif
