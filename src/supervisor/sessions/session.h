/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mail and screen sessions, as the supervisor keeps them. */
#ifndef SEKISHO_SUPERVISOR_SESSIONS_SESSION_H
#define SEKISHO_SUPERVISOR_SESSIONS_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/channel.h"
#include "base/loop.h"
#include "base/sha256.h"
#include "base/shared.h"
#include "channel/control.h"
#include "channel/stations.h"
#include "policy/snapshot.h"
#include "supervisor/sessions/admission.h"
#include "supervisor/sessions/rates.h"
#include "supervisor/sessions/recordings.h"
#include "supervisor/sessions/scanning.h"
#include "supervisor/sessions/shadows.h"

struct child;
struct listener;
struct supervisor;

/* One accepted connection and the two processes that serve it, joined by a channel of their own. */
struct session {
	bool used;
	uint32_t id;
	enum role near_role; /* ROLE_MAIL_RECEIVER or ROLE_SCREEN_VIEWER */
	char entry[SNAPSHOT_NAME_BYTES];
	char from[SNAPSHOT_NAME_BYTES], to[SNAPSHOT_NAME_BYTES];
	uint32_t index;      /* of the entry in the running snapshot */
	uint8_t peer_family; /* 4 or 6 */
	uint8_t peer_addr[16];
	uint16_t peer_port;
	bool browser; /* from a screen's port for browsers */
	bool crowded; /* at its start more than half of its entry's sessions were taken */
	uint64_t started_ms;
	uint8_t rules[SHA256_BYTES];        /* digest of what its processes must obey */
	uint64_t size_limit_bytes;          /* mail: of one message */
	struct snapshot_prefix targets[16]; /* next hops; the desktop, once somebody is admitted */
	uint32_t target_count;
	uint16_t target_port;
	uint32_t connect_count;
	uint32_t connected; /* the target of the newest connection, if there was one */
	struct child *near, *far, *flattener;
	int near_link_fd,
		far_link_fd; /* the two ends of their channel, until each has its own; -1 */
	int pixels_fds[SHARED_WAY_COUNT_]; /* screen: of their memory, likewise */
	int peer_fd;                       /* the accepted socket, until the near half has it; -1 */
	int message_fd, output_fd;         /* for the flattener that is being started; -1 */
	uint64_t message;                  /* that the flattener works on */
	struct control_envelope envelope;  /* of that message */
	struct scan scan;
	struct admission admission; /* screen: who looks */
	struct shadowing shadow;
	struct session_recording recording;
	int receipt_fd; /* that the flattener writes into; -1 */
	uint32_t message_count;
	struct loop_timer grace; /* the rest of a session whose one half has ended */
};

/* Refused connections of one listener. */
struct refusals {
	uint32_t untold;
	const char *why; /* the newest: fixed text */
	uint8_t family, addr[16];
	struct loop_timer timer; /* armed: one was told lately */
};

/* limits.c */
/* Whether there is room for one more session, or, of a browser, for one more that looks; for a
 * browser that wants to log in: as when a viewer connects. Return: NULL, or why not. */
const char *session_over_limit(struct supervisor *sup, struct session *session);
/* Whether the source, and all together, may bring one more of @kind now. Return: NULL, or why not.
 */
const char *session_over_rate(struct supervisor *sup, const struct session *session,
			      enum rate_kind kind);
/* Refuse a connection. @fd: taken; @why: fixed text. */
void session_refuse(struct listener *listener, const struct session *peer, int fd, const char *why);
/* The listener is closed: tell what was counted. */
void session_refusals_end(struct listener *listener);

/* sessions.c */
/* End the session where the running policy, or the hour, does not let it go on. Return: whether it
 * does. */
bool session_keep(struct supervisor *sup, struct session *session);
/* A browser was admitted: start its session's other half. Return: 0 or an error. */
int session_launch_far(struct session *session, struct supervisor *sup);
void session_accept(struct supervisor *sup, struct listener *listener);
void session_child_died(struct child *child);
void session_end(struct session *session, const char *why);
/* End the sessions of entries that are no longer in the running policy as they were. */
void session_refit_all(struct supervisor *sup);
/* Every session, as the zones are shut. */
void session_end_all(struct supervisor *sup);
void session_end_zone(struct supervisor *sup, const char *zone);
/* End those that come from an address of the station, or have one as their target. */
void session_end_station(struct supervisor *sup, const struct control_sever_station *station);
int session_handle_connect(struct channel *ch, void *ctx, const struct channel_message *message);
int session_handle_flatten(struct channel *ch, void *ctx, const struct channel_message *message);
int session_handle_flattened(struct channel *ch, void *ctx, const struct channel_message *message);

#endif
