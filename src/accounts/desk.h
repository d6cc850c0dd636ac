/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The desk: who sits at which console, for how long, and who may sit down. Everything that a person
 * is admitted to or refused is recorded and saved before it is told.
 *
 * While no administrator has a password (as it leaves the factory) a terminal serves nothing but
 * the dialogue that sets the first one, and a local socket, which only root can open, is open for
 * nobody in particular; from the first one on, each new session needs a login (ADR 0305, ADR 0316).
 */
#ifndef SEKISHO_ACCOUNTS_DESK_H
#define SEKISHO_ACCOUNTS_DESK_H

#include "accounts/keep.h"
#include "base/clock.h"
#include "base/event.h"
#include "channel/person.h"
#include "channel/recovery.h"
#include "policy/schema.h"
#include "policy/snapshot.h"

#define DESK_SEATS     8     /* consoles */
#define DESK_WARNING_S 60    /* before the limit of a session */
#define DESK_LOGIN_S   120   /* to log in, or to choose a new password */
#define DESK_NAMES     3     /* wrong ones at a recovery end it */
#define DESK_DELAY_MS  2000U /* a refusal is told at a multiple of it, see desk_hold_ms */

enum seat_state {
	SEAT_EMPTY,    /* no console */
	SEAT_CLOSED,   /* nobody is logged in */
	SEAT_SETUP,    /* the first administrator must be set up */
	SEAT_RECOVERY, /* a lost password is recovered; nothing else is served (ADR 318) */
	SEAT_STALE,    /* the password must be changed first */
	SEAT_ENROL,    /* the password was right; a second factor must be enrolled first */
	SEAT_OPEN,
};

/* A second factor that was shown at a seat and has not given its first code. */
struct seat_offer {
	char name[ACCOUNT_NAME_BYTES];
	bool screen; /* a screen user's */
	char secret[TOTP_SECRET_BYTES];
};

struct seat {
	enum seat_state state;
	enum account_role role;        /* STALE, ENROL, OPEN */
	char name[ACCOUNT_NAME_BYTES]; /* empty: nobody in particular */
	char hands[ACCOUNT_HANDS_BYTES];
	uint64_t since_ms, active_ms; /* monotonic */
	bool warned;
	bool idle_warned; /* since the last key */
	bool terminal;    /* a serial line, not a local socket */
	bool handed_over; /* has given an administrator a password: need not stay for it */
	struct seat_offer offer;
	enum language language;
	bool asks;            /* RECOVERY: the supervisor, whether @name may have a password */
	bool given;           /* RECOVERY: the one password */
	unsigned wrong_names; /* RECOVERY: that were typed */
};

/* The ends of a person's days that were seen over: the clock cannot bring them back. */
struct desk_latch {
	int64_t expired_s, stood_in_s;
};

/* What the desk has of its surroundings. */
struct desk_owner {
	/* Return: false where the event found no room. */
	bool (*event)(void *ctx, enum event_id id, const struct event_arg *args, size_t count);
	/* Somebody sits at a console now, or (ACCOUNT_ROLE_NONE) nobody any more. */
	void (*person)(void *ctx, uint32_t console, enum account_role role, const char *name,
		       const char *hands);
	/* A line for the person; @end: the session is over. */
	void (*notice)(void *ctx, uint32_t console, bool end, const char *text);
	/* The first administrator is to be recorded and committed: desk_first_done follows. Return:
	 * false where it cannot be said. */
	bool (*first)(void *ctx, const struct control_first *first);
	/* Of a recovery: may a password be given? and what came of it. Return: false where it
	 * cannot be said. */
	bool (*recovery)(void *ctx, const struct control_recovery *said);
	/* Who sits at a console has typed the password once more. Return: the same. */
	bool (*confirmed)(void *ctx, uint32_t console);
	void *ctx;
};

struct desk {
	const struct clock *clock;
	int directory; /* of the accounts, borrowed */
	struct desk_owner owner;
	struct account_rules rules;
	char nobody[PASSWORD_SETTING_BYTES]; /* what the password of an unknown name is tried with
					      */
	struct snapshot_person persons[SNAPSHOT_PERSONS_MAX];
	struct desk_latch latches[SNAPSHOT_PERSONS_MAX]; /* of the same person */
	uint32_t person_count;
	const struct snapshot *policy; /* for screens (staff.h), borrowed; NULL: none yet */
	bool two_person; /* some changes take two persons: who issues a password is kept (ADR 0311)
			  */
	bool recovery_off;             /* the running policy says so */
	bool has_policy;               /* before it nobody is let in */
	struct control_policy numbers; /* of the running policy */
	struct keep_doors doors;
	bool doors_missing; /* there were none on the disk: lost, or never written */
	bool doors_unsaved; /* they hold in memory; saved as soon as they can be */
	int64_t latest_s;   /* the latest wall time since accounts began, or was set back to */
	struct keep_era era;
	bool era_unsaved;             /* it holds in memory; saved as soon as it can be */
	uint64_t first_number;        /* of the last first administrator that was handed over: never
					 one of an accounts that ran before */
	uint32_t first_console;       /* who waits for it; DESK_SEATS: nobody */
	struct account first_account; /* while somebody waits: saved when its commit is done */
	int32_t utc_offset_s;
	enum language language; /* in which consoles greet */
	char host[ACCOUNT_BANNER_BYTES], organization[ACCOUNT_BANNER_BYTES];
	struct seat seats[DESK_SEATS];
};

/* Return: 0 or -ERR_SYSTEM (no random numbers). */
int desk_init(struct desk *d, const struct clock *clock, int directory, struct desk_owner owner);

/* Forget a first administrator that is waited for. */
void desk_fini(struct desk *d);

/* From now on these rules and persons; who may no longer sit there is shown out at once (A7).
 * @numbers: what config says of it. */
void desk_policy(struct desk *d, const struct snapshot *snapshot,
		 const struct control_policy *numbers);

/* A console begins or ends. @console below DESK_SEATS. */
void desk_sit(struct desk *d, uint32_t console, bool terminal);
void desk_leave(struct desk *d, uint32_t console);
/* The gateway stops: every session ends, and is recorded. */
void desk_stop(struct desk *d);

/**
 * desk_request - serve one request of a console
 * @request: its texts end within their fields; wiped by the caller
 * @answer:  filled in, but for the serial
 * Return: whether it is a refusal that is to be held back: desk_hold_ms.
 */
bool desk_request(struct desk *d, uint32_t console, const struct account_request *request,
		  struct account_answer *answer);

/**
 * desk_hold_ms - how long a refusal is held back still
 * @spent_ms: since the request came
 * Whether a name is known shows in how long it takes to refuse it: so refusals are told at fixed
 * moments only, the multiples of DESK_DELAY_MS behind the request.
 * Return: 1..DESK_DELAY_MS.
 */
uint64_t desk_hold_ms(uint64_t spent_ms);

/**
 * desk_first - the first administrator was typed in at a terminal
 * @first:  its texts end within their fields; wiped by the caller
 * @answer: filled in unless the answer comes later, but for the serial
 * The password is judged; the record and the commit of the person are asked for. Nothing is saved
 * before that commit is done.
 * Return: whether the answer comes later: desk_first_done.
 */
bool desk_first(struct desk *d, uint32_t console, const struct account_first *first,
		struct account_answer *answer);

/**
 * desk_first_done - what became of the commit: the password is saved if it was done, else forgotten
 * @answer: filled in, but for the serial, where somebody waits for it
 * Return: the console that waits, or DESK_SEATS.
 */
uint32_t desk_first_done(struct desk *d, const struct control_first_done *done,
			 struct account_answer *answer);

/**
 * desk_recovery_begin - the supervisor has recorded a recovery at @console, and shut the zones
 * Nothing is committed here, ever.
 * Return: RECOVERY_READY: the seat asks for a name; RECOVERY_GIVING: the running policy names no
 * administrator, and the doors may be opened for the dialogue of the first one, if the supervisor
 * says so; RECOVERY_REFUSED: the seat is as it was.
 */
enum recovery_step desk_recovery_begin(struct desk *d, uint32_t console);

/**
 * desk_recovery_go_on - what the supervisor says later: GIVE, REFUSED or OVER
 * Only GIVE changes an account, or opens the doors; the supervisor is told what came of it. OVER
 * closes the seat.
 * @answer: set where true is returned: what the person who typed the name reads
 * Return: whether somebody waits for @answer.
 */
bool desk_recovery_go_on(struct desk *d, const struct control_recovery *said,
			 struct account_answer *answer);
/* Whether a name was typed at @console and nothing is said of it yet. */
bool desk_recovery_asks(const struct desk *d, uint32_t console);

/* A key was pressed at a console. */
void desk_active(struct desk *d, uint32_t console);

/* Once a second: warnings and ends of sessions. */
void desk_tick(struct desk *d);

/* words.c: texts for persons */

struct words {
	struct writer writer;
	enum language language;
};

/* Begin a text of at most @size octets with its NUL. */
void words_begin(struct words *w, char *out, size_t size, enum language language);
/* Append in the reader's language; both formats take the same arguments. */
void words_say(struct words *w, const char *en, const char *ja, ...);
/* Append a time in local time; "-" for never. */
void words_time(struct words *w, int64_t time_s, int32_t utc_offset_s);
const char *words_role(enum account_role role, enum language language);

#endif
