/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control channel: supervisor <-> each of its processes. Descriptor 3 of every process.
 * C -> S is from the child, S -> C to it. Fixed-size bodies; a size or state that the table does
 * not have ends the child.
 *
 * Life of a process: S->C any number of GIVE, then START, C->S READY; then, for those that hold
 * policy (netfilter, arbiter, audit): S->C GIVE of what is new, PREPARE, C->S PREPARED or REFUSED;
 * S->C APPLY, C->S APPLIED; or S->C ABORT. PING/PONG throughout. A GIVE may come at any later time
 * too: a link whose other end was restarted, a socket of a new zone.
 */
#ifndef SEKISHO_CHANNEL_CONTROL_H
#define SEKISHO_CHANNEL_CONTROL_H

#include <stdint.h>

#include "channel/give.h"
#include "channel/person.h"
#include "channel/query.h"
#include "channel/recovery.h"
#include "channel/replay.h"
#include "channel/usb.h"

/* Descriptors that every process finds open; 0..2 are /dev/null, /dev/null and the supervisor's
 * stderr. */
enum { FD_CONTROL = 3, FD_EVENTS = 4 };
/* stick: a memory stick's disk, where it is to copy a file. */
enum { FD_DISK = 6 };

enum role {
	ROLE_SUPERVISOR,
	ROLE_AUDIT,
	ROLE_CONFIG,
	ROLE_NETFILTER,
	ROLE_ARBITER,
	ROLE_CONSOLE,
	ROLE_MAIL_RECEIVER,
	ROLE_MAIL_FLATTENER,
	ROLE_MAIL_SENDER,
	ROLE_SCREEN_SOURCE,
	ROLE_SCREEN_VIEWER,
	ROLE_MAIL_SCANNER,
	ROLE_ACCOUNTS,
	ROLE_TIME_SOURCE,
	ROLE_STICK,
	ROLE_LOG_SENDER,
	ROLE_COUNT_
};

enum control_type {
	CONTROL_START = 1, /* S->C, struct control_start; descriptor: the running snapshot, if there
			      is one */
	CONTROL_READY,     /* C->S, no body */
	CONTROL_PREPARE,   /* S->C, struct control_epoch; descriptors: snapshot memfd, then
			      role-specific ones */
	CONTROL_PREPARED,  /* C->S, struct control_epoch */
	CONTROL_REFUSED,   /* C->S, struct control_refused */
	CONTROL_APPLY,     /* S->C, struct control_epoch */
	CONTROL_APPLIED,   /* C->S, struct control_epoch */
	CONTROL_ABORT,     /* S->C, struct control_epoch */
	CONTROL_PING,      /* S->C, struct control_ping */
	CONTROL_PONG,      /* C->S, struct control_ping, the same */
	CONTROL_STOP,      /* S->C: end in order; to a console with struct control_session_end where
			      the gateway goes on (person.h), otherwise no body */
	CONTROL_CONNECT,   /* C->S, struct control_connect: a session asks for a socket towards its
			      configured peer, audit for a log-sender with one towards a
			      syslog server */
	CONTROL_CONNECTED, /* S->C, struct control_connected; where error is 0 a connecting socket,
			      non-blocking; to audit the link to a log-sender */
	CONTROL_FLATTEN,   /* C->S from mail-receiver, struct control_flatten; descriptor: sealed
			      memfd with the message */
	CONTROL_MESSAGE, /* S->C to mail-sender, struct control_flatten; descriptor: read end of the
			    flattener's pipe */
	CONTROL_FLATTENED, /* C->S from mail-flattener and S->C on to mail-sender, struct
			      control_flattened */
	CONTROL_QUERY,     /* console -> S -> owner of the answer, struct control_query */
	CONTROL_GIVE,      /* S->C, struct control_give; one descriptor, the child's from then on */
	CONTROL_COMMIT,    /* config -> S, struct control_commit; descriptor: sealed snapshot memfd.
			      Answer: CONTROL_COMMITTED */
	CONTROL_COMMITTED, /* S -> config, struct control_committed */
	CONTROL_POLICY,    /* S -> accounts, struct control_policy: the policy that runs now, or the
			      first one, which is being tried; descriptor: snapshot memfd */
	CONTROL_PERSON,    /* accounts -> S, struct control_person (person.h) */
	CONTROL_ROW,       /* owner -> S -> console, struct control_row: one row of the answer,
			      CONTROL_ROW_LAST set on the last */
	CONTROL_WITHDRAW,  /* console -> S -> netfilter, arbiter, audit, and S -> them on a row that
			      nobody waits for, struct control_withdraw (query.h) */
	CONTROL_SCANNED,   /* C->S from mail-scanner and S->C on to mail-sender, struct
			      control_scanned */
	CONTROL_ALARM,     /* arbiter, netfilter -> S, struct control_alarm (stations.h) */
	CONTROL_TEST_MAIL, /* console -> S, struct control_test_mail; descriptor: sealed memfd with
			      the mail */
	CONTROL_TESTED,   /* S -> console, struct control_flattened; descriptors: the flattened mail
			     and its receipt, or none where there is no result */
	CONTROL_RECORD,   /* S -> audit, struct control_record: is all that was said so far on the
			     disk? Answer: CONTROL_RECORDED */
	CONTROL_RECORDED, /* audit -> S, struct control_recorded */
	CONTROL_SCREEN_LOGIN,   /* screen-viewer -> S, struct control_screen_login (admission.h) */
	CONTROL_SCREEN_ASK,     /* S -> accounts, struct control_screen_ask */
	CONTROL_SCREEN_VERDICT, /* accounts -> S -> screen-viewer, struct control_screen_verdict */
	CONTROL_SCREEN_END,     /* S -> screen-viewer, struct control_screen_end */
	CONTROL_CLOCK,          /* time-source -> S, struct control_clock (clock.h). Answer:
				   CONTROL_CLOCK_DONE */
	CONTROL_CLOCK_DONE,     /* S -> time-source, struct control_clock_done */
	CONTROL_TIME,           /* time-source -> S, struct control_time */
	CONTROL_SEVER,          /* S -> netfilter, struct control_sever: end the zone's flows.
				   Answer: CONTROL_SEVERED */
	CONTROL_SEVER_STATION,  /* S -> netfilter, struct control_sever_station (stations.h) */
	CONTROL_FIRST,          /* accounts -> S -> config, struct control_first (person.h) */
	CONTROL_FIRST_DONE,     /* config -> S -> accounts, struct control_first_done */
	CONTROL_SEVERED,        /* netfilter -> S, struct control_severed */
	CONTROL_SCREEN_WATCHED, /* S -> screen-viewer, struct control_screen_watched (admission.h)
				 */
	CONTROL_RECOVERY,       /* console <-> S <-> accounts, struct control_recovery */
	CONTROL_CONFIRMED,      /* accounts -> S, struct control_confirmed (zeroise.h) */
	CONTROL_CERTIFY,        /* S -> audit, struct control_certify. Answer: CONTROL_CERTIFIED */
	CONTROL_CERTIFIED,      /* audit -> S, struct control_certified */
	CONTROL_USB,        /* console -> S, struct control_usb (usb.h); a save has a descriptor:
			       sealed memfd. Answer: CONTROL_USB_DONE */
	CONTROL_USB_DONE,   /* S -> console, struct control_usb_done; a load that went well has a
			       descriptor: sealed memfd */
	CONTROL_STICK,      /* S -> stick, struct control_stick. Answer: CONTROL_STICK_DONE */
	CONTROL_STICK_DONE, /* stick -> S, struct control_stick_done */
	CONTROL_CANDIDATE,  /* replay.h, this and the three behind it */
	CONTROL_REPLAY,
	CONTROL_REPLAYED,
	CONTROL_REPLAY_NEXT,
};

#define CONTROL_ZONE_BYTES 24  /* as SNAPSHOT_NAME_BYTES */
#define CONTROL_PATH_BYTES 256 /* as MAIL_PATH_BYTES */

struct control_sever {
	uint32_t number; /* of the answer; 0: nobody waits for one */
	char zone[CONTROL_ZONE_BYTES];
};

/* Every table was read behind CONTROL_SEVER. */
struct control_severed {
	uint32_t number; /* as asked */
	uint32_t whole;  /* 0: some flows could not be read or ended */
};

/* What SMTP said of a message, as far as its flattener needs to know. */
struct control_envelope {
	uint32_t from_bytes;           /* 0: the null path */
	char from[CONTROL_PATH_BYTES]; /* the reverse path without brackets, not NUL-terminated */
};

struct control_start {
	uint32_t role;    /* enum role, so that a mix-up is noticed */
	uint32_t session; /* id of the mail or screen session, 0 for others */
	uint32_t index;   /* which mail or screen entry of the snapshot, console number */
	uint32_t zone;    /* zone index in the snapshot of the process's own side */
	uint64_t epoch;   /* of the running snapshot, 0: none */
	struct control_policy policy; /* of the running snapshot */
	uint8_t peer_family;          /* sessions: 4 or 6; 0: none */
	uint8_t crowded; /* sessions: so many are there that nobody is held up for his errors */
	uint16_t peer_port;
	uint8_t peer_addr[16];            /* network order, IPv4 in the first four */
	struct control_envelope envelope; /* mail-flattener: of its message */
	uint64_t test_bytes; /* mail-scanner without a session: of the message that it makes, with
				the test file; 0: a harmless one */
};

struct control_commit {
	uint64_t request; /* config's own number, comes back */
	struct control_policy policy;
	struct control_emergency emergency;
};

struct control_committed {
	uint64_t request;
	uint64_t epoch;   /* of the now running policy */
	uint32_t ok;      /* 0: nothing was changed, @reason says why */
	char reason[124]; /* NUL-terminated UTF-8 */
};

struct control_epoch {
	uint64_t epoch; /* counts commits from 1; the packet mark carries its low 16 bits */
};

struct control_refused {
	uint64_t epoch;
	char reason[120]; /* NUL-terminated UTF-8 */
};

struct control_ping {
	uint64_t number;
};

struct control_connect {
	uint32_t target; /* index of the next hop or desktop among those of the session's entry; of
			    the syslog server in the running policy */
};

struct control_connected {
	uint32_t target;
	int32_t error; /* 0, or an errno value: no descriptor then (ENOKEY: no authorities) */
};

struct control_flatten {
	uint64_t message; /* id of the message, unique while the appliance runs */
	uint64_t size_bytes;
	struct control_envelope envelope;
	uint32_t pad;
};

enum flatten_status {
	FLATTEN_DONE = 0,
	FLATTEN_REFUSED = 3,
	FLATTEN_FAILED = 4,   /* crash, limit or time */
	FLATTEN_OVER_RATE = 5 /* the source, or all, have brought too many in a minute */
};

/* Why a message was refused: decides which reply the peer gets. */
enum flatten_refusal {
	FLATTEN_REFUSAL_STRUCTURE, /* it cannot be flattened */
	FLATTEN_REFUSAL_FORWARDED, /* M4: forwarded automatically */
	FLATTEN_REFUSAL_LABEL,     /* M5: classified by a label */
	FLATTEN_REFUSAL_ATTACHED,  /* it has attachments, and none may leave */
	FLATTEN_REFUSAL_SENDER,    /* M7: its author is not listed */
	FLATTEN_REFUSAL_COUNT_
};

struct control_flattened {
	uint64_t message;
	uint32_t status;        /* enum flatten_status */
	uint32_t dropped_count; /* attachments and parts removed */
	uint64_t input_bytes;
	uint64_t output_bytes; /* what went into the pipe; the sender ends DATA only when it has
				  read exactly this many */
	uint8_t sha256_input[32];
	uint8_t sha256_output[32];
	char receipt[24]; /* receipt id, NUL-terminated */
	char reason[120]; /* of a refusal, NUL-terminated, fixed text */
	uint32_t refusal; /* enum flatten_refusal */
	uint32_t pad;
};

enum scan_status { /* 0 is none of them: what nobody wrote is no verdict */
		   SCAN_CLEAN = 4,
		   SCAN_INFECTED = 5,
		   SCAN_FAILED = 6 /* not scanned, for whatever reason: @reason */
};

struct control_test_mail {
	char entry[24]; /* mail entry of the running policy, NUL-terminated; empty: the first */
};

struct control_scanned {
	uint64_t message;     /* 0: nothing was scanned, the scanner was asked for its state */
	uint32_t status;      /* enum scan_status */
	uint32_t known;       /* 1: @signatures_s is known */
	int64_t signatures_s; /* when the signatures were made, seconds since 1970 */
	char signature[96];   /* what was found, NUL-terminated printable ASCII */
	char reason[96];      /* of a failure, NUL-terminated, fixed text */
	char version[64];     /* of engine and signatures, NUL-terminated printable ASCII */
};

#endif
