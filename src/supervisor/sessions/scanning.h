/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virus scans: each message is shown to the scanner of its entry, and the scanners are watched. */
#ifndef SEKISHO_SUPERVISOR_SESSIONS_SCANNING_H
#define SEKISHO_SUPERVISOR_SESSIONS_SCANNING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/channel.h"
#include "base/loop.h"
#include "channel/control.h"
#include "policy/snapshot.h"

#define SCANNER_SERVICE_BYTES 72 /* of an ICAP service's path, with NUL */

struct supervisor;
struct session;
struct child;

/* The scan of the message that a session brings. */
struct scan {
	char name[SNAPSHOT_NAME_BYTES]; /* of the entry's scanner; "": messages are not scanned */
	struct child *child;
	bool pending; /* the sender waits for the verdict */
	bool held;    /* which is below, until the scanner's test has ended */
	struct control_scanned verdict;
	uint64_t message;
	int message_fd, socket_fd; /* for the scanner that is being started; -1 */
};

/* What is known of a scanner; kept by its name while the gateway runs. */
struct scanner_state {
	char name[SNAPSHOT_NAME_BYTES];  /* "": free */
	bool down, stale;                /* as was told */
	struct snapshot_scanner written; /* by the running policy; its text as service below */
	char service[SCANNER_SERVICE_BYTES];
	bool testing;       /* the probe that is under way shows the test file, which */
	bool proven;        /* was found when it was last shown */
	bool unfit;         /* was not found: nothing passes by its word */
	uint32_t failures;  /* how often in a row it could not be scanned, by one that works */
	uint64_t tested_ms; /* when it was last shown, or 0 */
	uint32_t told_count;
	uint64_t window_ms;  /* since when told_count counts */
	char version[64];    /* as it last said */
	uint64_t version_ms; /* when it began to say so */
};

/* When the scanners are asked how they are. */
struct scanner_watch {
	struct loop_timer timer;
	bool soon; /* because a scan has failed */
};

/* The running policy has changed: watch the scanners that it names. */
void scanning_begin(struct supervisor *sup);
/* Start the scan of a session's message, where its entry has a scanner. @message_fd: borrowed. */
void scanning_start(struct session *session, int message_fd);
/* End the scan of a message that is over. */
void scanning_abandon(struct session *session);
/* The scanner of a session has died. */
void scanning_child_died(struct session *session);
/* Forget what was kept for a scanner of this session. */
void scanning_release(struct session *session);
/* Note the name of the scanner that an entry has. */
void scanning_fill(struct scan *scan, const struct snapshot *s, const struct snapshot_mail *mail);
/* A socket that connects to scanner @index of the running policy, or an error. */
int scanning_connect(struct supervisor *sup, uint32_t index);
int scanning_handle_scanned(struct channel *ch, void *ctx, const struct channel_message *message);
/* How large the message is that a probe shows, with the test file in it; 0: a harmless one. */
uint64_t scanning_test_bytes(const struct child *probe);
/* A probe has died without a word. */
void scanning_probe_died(struct child *child);

#endif
