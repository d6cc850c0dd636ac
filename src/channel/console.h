/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The link console <-> config: one request at a time, one answer to each. Whatever is longer than a
 * line travels as a sealed memfd (base/sealed.h): pasted configurations to config, everything that
 * is shown from it.
 *
 * States on config's side: a link is OPEN; CONFIGURE_ENTER makes it EDITING, which one link at a
 * time can be; from there CONFIGURE_LEAVE leads back. What changes the candidate is allowed in
 * EDITING only, and answered with CONSOLE_REFUSED in OPEN.
 */
#ifndef SEKISHO_CHANNEL_CONSOLE_H
#define SEKISHO_CHANNEL_CONSOLE_H

#include <stdint.h>

#define CONSOLE_PATH_BYTES 512 /* where `edit` stands, as words, with NUL */
/* number of CONSOLE_LOAD_REPLACE: the text came out of an export under a passphrase */
#define CONSOLE_LOAD_IMPORTED 1
#define CONSOLE_SHOW_RUNNING                                                                       \
	1 /* number of CONSOLE_SHOW: the running configuration, path not looked at */
#define CONSOLE_LINE_BYTES 4096 /* of one typed line, with NUL */

enum console_type {
	CONSOLE_REQUEST =
		1, /* console -> config, struct console_request; CONSOLE_LOAD with one descriptor */
	CONSOLE_ANSWER, /* config -> console, struct console_answer; one descriptor where text_bytes
			   > 0 */
};

enum console_kind {
	/* What the prompt and the banner need; the answer's text is two lines: host name, owner. */
	CONSOLE_HELLO = 1,
	/* Take the candidate (a copy of the running configuration), and give it back: refused while
	   it differs. */
	CONSOLE_ENTER,
	CONSOLE_LEAVE,
	/* Make the candidate a copy of the running configuration again. */
	CONSOLE_DISCARD,
	/* line: a statement to write or to delete. */
	CONSOLE_SET,
	CONSOLE_DELETE,
	/* What stands below path and line; @number 0: in the candidate, or CONSOLE_SHOW_RUNNING. */
	CONSOLE_SHOW,
	/* Candidate (outside EDITING: running) against saved configuration @number back; 0: the
	   running one. */
	CONSOLE_COMPARE,
	/* Would a commit be accepted? */
	CONSOLE_CHECK,
	/* Have the candidate compiled for QUERY_REPLAY; refused where CONSOLE_CHECK finds errors.
	 */
	CONSOLE_REPLAY,
	/* ... and the change that waits for its second person; the text says which it is. */
	CONSOLE_REPLAY_PROPOSAL,
	/* line: comment, may be empty. @number: minutes after which it returns by itself; 0: for
	   good, and what waits to be confirmed is. */
	CONSOLE_COMMIT,
	/* Make the candidate the saved configuration @number back. */
	CONSOLE_ROLLBACK,
	/* Descriptor: text that becomes the candidate, or is put on top of it. */
	CONSOLE_LOAD_REPLACE,
	CONSOLE_LOAD_MERGE,
	/* Path and line up to the cursor; @number is enum edit_purpose; the text is
	   edit_complete's. */
	CONSOLE_COMPLETE,
	/* Saved configurations, newest first: back, number, time, origin, comment, separated by
	   tabs. */
	CONSOLE_HISTORY,
	/* The text is the compiled candidate (outside EDITING: the running policy). */
	CONSOLE_SNAPSHOT,
	/* Descriptor: PEM for the slot that the line names: a certificate chain with its key, or
	   authorities. */
	CONSOLE_LOAD_CERTIFICATE,
	CONSOLE_LOAD_AUTHORITY,
	/* All slots: kind, name, subject, last day, SHA-256, state, separated by tabs. */
	CONSOLE_SLOTS,
	/* The certificates of the slot that the line names, as PEM; never its key. */
	CONSOLE_SLOT,
	/* What waits: a commit to be confirmed, a change to be approved; nothing: no text. */
	CONSOLE_PENDING,
	/* line: the reason for which another person is asked to approve the candidate. */
	CONSOLE_PROPOSE,
	/* The same, and that it take effect outside the change window too. */
	CONSOLE_PROPOSE_EMERGENCY,
	/* line: the first digits of the hash of the proposal that waits. */
	CONSOLE_APPROVE,
	CONSOLE_WITHDRAW,
	/* What the running configuration does about the clauses of the policies; line: one of
	   them, empty: all. */
	CONSOLE_COMPLIANCE,
	/* The candidate becomes the configuration to begin with of the preset that line names; the
	   text tells what to change in it. */
	CONSOLE_LOAD_PRESET,
	/* The running configuration without the values of private statements (print_public). */
	CONSOLE_SHOW_PUBLIC,
	/* The running configuration, for an export; recorded with the person. */
	CONSOLE_EXPORT,
	/* Descriptor: a password for the slot that the line names, which is shown to nobody. */
	CONSOLE_LOAD_PASSWORD,
	/* Check all saved configurations; damage is recorded, and the running one saved again. */
	CONSOLE_CHECK_SAVED,
	CONSOLE_KIND_COUNT_
};

struct console_request {
	uint32_t serial; /* the asker's own, comes back */
	uint32_t kind;   /* enum console_kind */
	uint32_t number;
	uint32_t language; /* enum language, for messages */
	char path[CONSOLE_PATH_BYTES];
	char line[CONSOLE_LINE_BYTES];
};

enum console_status {
	CONSOLE_OK,
	CONSOLE_FAILED,  /* the text says why, with file:line:column where there is one */
	CONSOLE_REFUSED, /* not allowed in this state, or another console is editing */
};

enum console_flags {
	CONSOLE_CHANGED = 1 /* the candidate differs from the running configuration */
};

struct console_answer {
	uint32_t serial;
	uint32_t status; /* enum console_status */
	uint32_t flags;  /* enum console_flags */
	uint32_t pad;
	uint64_t text_bytes; /* of the descriptor that comes with it; 0: none comes */
};

#endif
