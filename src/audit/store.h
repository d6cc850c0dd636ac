/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The local log: a directory of segments, each a text file named by the sequence number of its
 * first record. Appending is the only change; whole oldest segments go when the log is larger than
 * its limit, and a record says so first.
 */
#ifndef SEKISHO_AUDIT_STORE_H
#define SEKISHO_AUDIT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/record.h"
#include "base/buf.h"
#include "base/event.h"
#include "wire/log/chain.h"

#define STORE_SEGMENTS_MAX  2048
#define STORE_SEGMENT_BYTES (1U << 20) /* a segment is closed before it grows past this */
#define STORE_LINE_MAX      LOG_CHAIN_LINE_MAX
#define STORE_TORN_MAX                                                                             \
	(64U << 10) /* of a torn tail, what is kept aside; its length and hash tell the rest */

struct store_segment {
	uint64_t first_sequence;
	uint64_t size_bytes;
	int64_t begun_s; /* time of its first record, since 1970; 0: it does not say */
};

/* What opening found. */
struct store_recovery {
	uint64_t records;    /* in the segment that the log goes on from; 0: a new log */
	uint64_t torn_bytes; /* an incomplete end, cut off and set aside in a file NUMBER.torn */
	bool broken; /* records that do not fit the chain: left as they are, the log goes on behind
			them */
	const char *why; /* broken: what is wrong, fixed text */
};

struct store {
	int directory; /* borrowed */
	int fd;        /* of the newest segment */
	const struct record_form *form;
	struct log_chain chain;
	struct store_segment segments[STORE_SEGMENTS_MAX]; /* oldest first */
	size_t segment_count;
	uint64_t total_bytes;
	uint64_t limit_bytes;
	uint64_t segment_bytes;
	uint64_t durable;   /* records before this number are on the disk */
	bool dirty;         /* something is not on the disk yet */
	bool urgent;        /* and it is a security event */
	bool spoilt;        /* the newest segment ends in half a line */
	uint64_t unwritten; /* records that the disk refused, since the last that it took */
	uint64_t unwritten_total;
	uint64_t removed; /* records that were let go, since it was opened */
};

/**
 * store_open - recover the log in a directory, or begin one
 * @directory:   borrowed as long as the store is used
 * @limit_bytes: of all segments together, at least two of @segment_bytes; 0: half of the file
 * system, within 4 MiB..1 GiB
 * @segment_bytes: 0: STORE_SEGMENT_BYTES
 * Return: 0; -ERR_SYSTEM; -ERR_NO_SPACE (no room for even the first record). The torn end of the
 * last segment is cut off; nothing else is changed.
 */
int store_open(struct store *s, int directory, const struct record_form *form, uint64_t limit_bytes,
	       uint64_t segment_bytes, struct store_recovery *found);
void store_close(struct store *s);

/**
 * store_append - number, seal and write one record
 * @process: source; see record_write
 * @event:   checked
 * Return: 0; -ERR_NO_SPACE or -ERR_SYSTEM where the disk refuses it, -ERR_TOO_LONG where it does
 * not fit a line: it is counted, and the next record that is taken follows one (log-unwritten) with
 * the count.
 */
int store_append(struct store *s, const char *process, const struct event_record *event);

/* Bring everything to the disk. Return: 0 or -ERR_SYSTEM (still dirty). */
int store_sync(struct store *s);

/**
 * store_walk_newest - call @each for every line of the newest @files files, oldest first
 * Return: 0; -ERR_SYSTEM where a file cannot be opened; or the first of @each that is not 0.
 */
int store_walk_newest(const struct store *s, size_t files, int (*each)(void *ctx, struct span line),
		      void *ctx);

/* A place in the log, for reading forward record by record. */
struct store_cursor {
	uint64_t sequence; /* of the record that is due */
	uint64_t segment;  /* first sequence of the open segment, 0: none */
	uint64_t offset;
	int fd;
};

void store_cursor_init(struct store_cursor *c);
void store_cursor_fini(struct store_cursor *c);

/**
 * store_cursor_seek - stand before the record @sequence, or before the oldest that is still there
 * Return: how many records from @sequence on are no longer there (0: none).
 */
uint64_t store_cursor_seek(const struct store *s, struct store_cursor *c, uint64_t sequence);

/**
 * store_cursor_peek - the record that is due, without taking it
 * @buffer: STORE_LINE_MAX + 1 bytes; @line points into it
 * Return: 0; -ERR_AGAIN at the end of the log; -ERR_NOT_FOUND where the segment has gone: seek
 * again; -ERR_SYSTEM.
 */
int store_cursor_peek(const struct store *s, struct store_cursor *c, uint8_t *buffer,
		      struct span *line);

/* Take the record @line that peek has given. */
void store_cursor_take(struct store_cursor *c, struct span line);

#endif
