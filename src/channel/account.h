/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The link console <-> accounts: who sits at the terminal. One request at a time, one answer to
 * each; a notice may come at any time.
 *
 * States on the side of accounts: a link is CLOSED (nobody), STALE (the password was right and must
 * be changed before anything else), ENROL (a second factor must be enrolled first) or OPEN. LOGIN
 * leads from CLOSED to one of the others, CHANGE from STALE to ENROL or OPEN, FIRST_CODE from ENROL
 * to OPEN, LOGOUT and the end of the link to CLOSED. What a state does not allow is answered with
 * ACCOUNT_REFUSED. While no administrator has a password yet, the link of a terminal is SETUP,
 * where only ACCOUNT_FIRST is served, until that one has one; that of a local socket is OPEN for
 * nobody in particular (ADR 0316). While a recovery is under way the link of its terminal is
 * RECOVERY, where only ACCOUNT_RECOVER is served (ADR 318).
 */
#ifndef SEKISHO_CHANNEL_ACCOUNT_H
#define SEKISHO_CHANNEL_ACCOUNT_H

#include <stdint.h>

#define ACCOUNT_NAME_BYTES   24  /* of a user's name, with NUL: SNAPSHOT_NAME_BYTES */
#define ACCOUNT_HANDS_BYTES  128 /* of names with blanks between, with NUL */
#define ACCOUNT_SECRET_BYTES 132 /* of a password, with NUL: 128 octets of UTF-8 */
#define ACCOUNT_TEXT_BYTES   1536
#define ACCOUNT_BANNER_BYTES 256
#define ACCOUNT_PRESET_BYTES 24

enum account_type {
	ACCOUNT_REQUEST = 1, /* console -> accounts, struct account_request */
	ACCOUNT_ANSWER,      /* accounts -> console, struct account_answer */
	ACCOUNT_NOTICE,      /* accounts -> console, struct account_notice: a line for the person */
	ACCOUNT_FIRST,       /* console -> accounts, struct account_first. Answer: ACCOUNT_ANSWER */
};

enum account_kind {
	ACCOUNT_HELLO = 1, /* what the login prompt needs */
	ACCOUNT_PROMPTS,   /* what is asked for besides the password, whoever comes */
	ACCOUNT_LOGIN,     /* name, secret; fresh: the code of the second factor, may be empty */
	ACCOUNT_CHANGE,    /* secret: the present one (not in STALE), fresh: the new one */
	ACCOUNT_LOGOUT,
	ACCOUNT_ACTIVE,       /* a key was pressed; no answer */
	ACCOUNT_RESET,        /* name: gets a temporary password, which the answer's text shows */
	ACCOUNT_SHOW,         /* the accounts, one line each */
	ACCOUNT_SCREEN_RESET, /* name: a screen user, gets a password, which the answer's text shows
			       */
	ACCOUNT_SCREEN_SHOW,  /* the screen users, one line each */
	ACCOUNT_TOTP,         /* name: gets a second factor: the text shows its secret once */
	ACCOUNT_TOTP_REMOVE,  /* name: loses it */
	ACCOUNT_SCREEN_TOTP,  /* the same for a screen user */
	ACCOUNT_SCREEN_TOTP_REMOVE,
	ACCOUNT_RECOVER,    /* name: an administrator, gets a temporary password, which the answer's
			       text shows; only while a recovery is under way (ADR 318) */
	ACCOUNT_FIRST_CODE, /* secret: a code of the second factor that was shown last */
	ACCOUNT_SEATS,      /* who is at which console, one line each */
	ACCOUNT_CONFIRM,    /* secret: the present password once more; then CONTROL_CONFIRMED */
	ACCOUNT_KIND_COUNT_
};

struct account_request {
	uint32_t serial;   /* the asker's own, comes back */
	uint32_t kind;     /* enum account_kind */
	uint32_t language; /* enum language, of the answer's text and of notices */
	char name[ACCOUNT_NAME_BYTES];
	char secret[ACCOUNT_SECRET_BYTES];
	char fresh[ACCOUNT_SECRET_BYTES];
};

/* The first administrator, and what the gateway is called; all NUL-terminated. */
struct account_first {
	uint32_t serial;   /* as that of a request */
	uint32_t language; /* enum language, of the answer, and of consoles from now on */
	char name[ACCOUNT_NAME_BYTES];
	char secret[ACCOUNT_SECRET_BYTES];
	char host[ACCOUNT_BANNER_BYTES], organization[ACCOUNT_BANNER_BYTES];
	char preset[ACCOUNT_PRESET_BYTES]; /* empty: none */
};

enum account_status {
	ACCOUNT_OK,      /* done; after LOGIN and CHANGE the link is OPEN, after FIRST CLOSED */
	ACCOUNT_STALE,   /* LOGIN: the password must be changed now; FIRST: another one must be
			    chosen; the text says why */
	ACCOUNT_REFUSED, /* the text says why, as far as it may */
	ACCOUNT_ENROL,   /* FIRST_CODE must follow: a secret is shown, or the code was wrong */
	ACCOUNT_STATUS_COUNT_
};

enum account_role {
	ACCOUNT_ROLE_NONE, /* nobody is logged in */
	ACCOUNT_ADMINISTRATOR,
	ACCOUNT_OPERATOR,
	ACCOUNT_AUDITOR,
	ACCOUNT_ROLE_COUNT_
};

struct account_answer {
	uint32_t serial;
	uint32_t status;   /* enum account_status */
	uint32_t role;     /* enum account_role, of the person at this link */
	uint32_t open;     /* 1: no login is needed */
	uint32_t codes;    /* PROMPTS: 1: ask for a code */
	uint32_t setup;    /* 1: the first administrator must be set up before anything else */
	uint32_t language; /* HELLO, PROMPTS: enum language, in which the console greets */
	char host[ACCOUNT_BANNER_BYTES], organization[ACCOUNT_BANNER_BYTES];
	char text[ACCOUNT_TEXT_BYTES]; /* lines, printable UTF-8, NUL-terminated */
};

struct account_notice {
	uint32_t end; /* 1: the session is over, the console ends */
	uint32_t pad;
	char text[ACCOUNT_TEXT_BYTES];
};

#endif
