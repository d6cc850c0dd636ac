/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One message shown to one scanner, and what that said. */
#ifndef SEKISHO_MAIL_SCANNER_SCAN_H
#define SEKISHO_MAIL_SCANNER_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "channel/control.h"
#include "policy/snapshot.h"
#include "wire/scan/clamd.h"
#include "wire/scan/icap.h"

#define SCAN_OUT_BYTES   (128U << 10) /* that wait to be written */
#define SCAN_CHUNK_BYTES (32U << 10)  /* of the message at a time */
#define SCAN_READ_BYTES  16384

struct scan;

/* How a kind of scanner is spoken to. */
struct scan_protocol {
	/* Append what is to be said next. Return: false where nothing is left to say. */
	bool (*fill)(struct scan *s, struct bytes *out);
	/* Take what the scanner said; scan_decide() when that settles it. */
	void (*take)(struct scan *s, struct span in);
};

struct scan {
	/* given by the caller, borrowed */
	const struct snapshot_scanner *scanner;
	const char *service;  /* ICAP: path */
	int32_t utc_offset_s; /* of the scanner's clock */
	bool probe;           /* @message is the gateway's own, to see how the scanner is */
	bool tests;           /* and holds the test file: it has to be found */
	struct span message;

	struct control_scanned result;
	bool decided;
	bool all_sent; /* the scanner has been given everything */

	size_t message_at; /* octets of the message that were queued */
	unsigned step;     /* of the protocol */
	bool versioned;    /* clamd: it has said its version */
	bool probe_clean;  /* clamd: a probe waits for that alone */
	size_t line_bytes; /* clamd: of a reply that is not complete */
	uint8_t line[CLAMD_REPLY_MAX + 1];
	struct icap_reply reply;
	size_t compared; /* ICAP: octets that came back as they were */
	bool differs;
};

extern const struct scan_protocol scan_with_clamd, scan_with_icap;

/* The verdict; the first one counts. @reason: of a failure, fixed text; NULL otherwise. */
void scan_decide(struct scan *s, enum scan_status status, const char *reason);

/* Copy text of the scanner as printable ASCII. @capacity: of @out, with NUL. */
void scan_copy_text(char *out, size_t capacity, struct span text);

/* sample.c: what a probe shows, static. */
struct span scan_sample_harmless(void);

/**
 * scan_sample_test - the EICAR test file as the last part of a message
 * @size: of the message, in octets; where that is too small for it, it is larger
 * @out: allocated; the process ends with it
 * Return: 0, -ERR_NO_MEMORY
 */
int scan_sample_test(size_t size, struct span *out);

/**
 * scan_exchange - talk with the scanner until it is decided
 * @fd: connecting or connected, non-blocking; borrowed
 * Always leaves s->decided set: what is not answered in scanner->timeout_ms, cut off, or said
 * before the whole message was given, is SCAN_FAILED.
 */
void scan_exchange(struct scan *s, const struct scan_protocol *protocol, int fd,
		   const struct clock *clock);

#endif
