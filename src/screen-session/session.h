/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One half of a screen session: its settings from the policy, what it dropped, how it begins and
 * ends in the log. */
#ifndef SEKISHO_SCREEN_SESSION_SESSION_H
#define SEKISHO_SCREEN_SESSION_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/process.h"
#include "channel/control.h"
#include "channel/screen.h"
#include "policy/snapshot.h"
#include "wire/rfb/frame.h"

#define SESSION_FRAME_RATE_DEFAULT 30 /* updates a second where the policy names none */
#define SESSION_FRAME_RATE_MAX     1000
#define SESSION_LINK_BYTES_LAST    (1 << 20) /* more than any link holds; the kernel caps it */
#define SESSION_GATEWAY_BYTES      64        /* of longer names, the beginning */
#define SESSION_HANDSHAKE_MS       15000     /* for each peer to get through its handshake */

/* Things that peers send and the gateway does not pass on. */
#define SESSION_DROPS(X)                                                                           \
	X(CUT_TEXT, "cut-text")                                                                    \
	X(BELL, "bell")                                                                            \
	X(COLOUR_MAP, "colour-map")                                                                \
	X(KEY_NOT_ALLOWED, "key-not-allowed")                                                      \
	X(KEY_RATE, "key-rate")                                                                    \
	X(RESIZE_REQUEST, "resize-request")                                                        \
	X(SHADOW_KEY, "key-of-a-shadow")

enum session_drop {
#define X(id, name) SESSION_DROP_##id,
	SESSION_DROPS(X)
#undef X
		SESSION_DROP_COUNT_
};

#define SESSION_HOST_BYTES 256 /* of a host name, with NUL */
#define SESSION_USER_BYTES 256 /* of the gateway's name at a desktop, with NUL */

struct session {
	struct process *process; /* borrowed */
	const char *side;        /* "viewer" or "desktop": whom this half faces */
	uint32_t id;
	char name[SNAPSHOT_NAME_BYTES];    /* of the screen entry */
	char zone[SNAPSHOT_NAME_BYTES];    /* that this half faces */
	enum snapshot_encodings encodings; /* asked of the desktop */
	char user[SNAPSHOT_NAME_BYTES];    /* who was admitted; empty: nobody in particular, or this
					      half does not know */
	uint32_t security;                 /* enum screen_security */
	bool client_certificates;          /* of viewers, are asked for */
	enum snapshot_watermark watermark;
	char gateway[SESSION_GATEWAY_BYTES]; /* its name, for the watermark */
	int32_t utc_offset_s;                /* of the time there */
	enum desktop_security desktop_security;
	char desktop_name[SESSION_HOST_BYTES]; /* of the desktop's certificate; empty: its address
						*/
	char desktop_user[SESSION_USER_BYTES]; /* x509-plain: who the gateway is there */
	uint64_t frame_period_ms;
	uint32_t bandwidth_kbit_s;     /* 0: no limit */
	uint64_t record_bytes_max;     /* of its recording; 0: it is not recorded */
	enum snapshot_on_full on_full; /* then: what follows where that fails */
	bool watchable;                /* auditors may look on */
	bool notice_live;              /* and its user is to see when they do */
	uint64_t idle_ms;              /* 0: no limit */
	uint64_t limit_ms;             /* 0: no limit */
	uint64_t began_ms;
	enum screen_end end; /* SCREEN_END_NONE_ while it goes on */
	const char *detail;  /* of the end: fixed text or NULL */
	int32_t code;        /* of the end: message type or encoding */
	struct {
		uint64_t count;
		uint64_t bytes;
	} drops[SESSION_DROP_COUNT_];
};

/**
 * session_load - take the settings of this session's entry from the running policy
 * @process: for events; borrowed as long as the session
 * @side: fixed text
 * @start: as process_begin gave it
 * @snapshot_fd: taken: it is closed
 * Return: 0; -ERR_NOT_FOUND without a policy or without the entry; -ERR_TOO_LONG; errors of
 * snapshot_load.
 */
int session_load(struct session *s, struct process *process, const char *side,
		 const struct control_start *start, int snapshot_fd);

/* Milliseconds from tick to tick, so that a second has at most @rate; 0: the default rate. */
uint64_t session_frame_period_ms(uint32_t rate);

/**
 * session_frame - a frame without a size yet, with memory for the largest
 * @f: set up; its memory stays for the life of the process, zeroed, touched only as far as the
 * desktop is large
 * Return: 0 or -ERR_SYSTEM. To be called before the sandbox is locked.
 */
int session_frame(struct frame *f);

/* Count a thing that was not passed on; the first of each kind is an event at once, the others in
 * session_close. */
void session_drop(struct session *s, enum session_drop what, uint64_t bytes);

/* The event of a peer whose connection is under TLS now. @certificate: its hash; NULL: it has shown
 * none. */
void session_tell_tls(struct session *s, const char *version, const char *suite,
		      const uint8_t certificate[32]);
/* ... of one that could not be protected as required. @reason: fixed text */
void session_tell_no_tls(struct session *s, const char *reason);

/**
 * session_end - note why the session ends; only the first reason stands
 * @detail: fixed text or NULL
 * @code: what it was about: a message type, an encoding; 0 where there is none
 */
void session_end(struct session *s, enum screen_end why, const char *detail, int32_t code);

/* Make room on the link to the other half for one more record, the reason of the end, however full
 * it is. Once: the next call gains nothing. */
void session_widen(int link_fd);

/* The events of an ended session: what was dropped, and the end with reason, duration and @bytes
 * that came from the peer, @count_in of its @counted (keys, updates). */
void session_close(struct session *s, uint64_t bytes, uint64_t keys, uint64_t updates);

/* The session's age in milliseconds. */
uint64_t session_age_ms(const struct session *s);

#endif
