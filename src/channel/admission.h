/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may see a screen: screen-viewer -> supervisor -> accounts, and the judgement back. One login
 * a session. The viewer says only what was typed; which session, which entry and from where it
 * comes is the supervisor's to say. Whoever passes one of these on overwrites it (channel_wipe).
 */
#ifndef SEKISHO_CHANNEL_ADMISSION_H
#define SEKISHO_CHANNEL_ADMISSION_H

#include <stdint.h>

#include "channel/account.h"

/* CONTROL_SCREEN_LOGIN, screen-viewer -> S. */
struct control_screen_login {
	uint8_t certificate[32]; /* SHA-256 of the viewer's certificate; zero: none was asked for */
	char name[ACCOUNT_NAME_BYTES];     /* NUL-terminated; empty: none that could be one */
	char secret[ACCOUNT_SECRET_BYTES]; /* NUL-terminated */
};

/* CONTROL_SCREEN_ASK, S -> accounts. */
struct control_screen_ask {
	uint32_t session;
	uint8_t peer_family; /* 4 or 6 */
	uint8_t pad[3];
	uint8_t peer_addr[16];
	char entry[ACCOUNT_NAME_BYTES]; /* of the running policy */
	char name[ACCOUNT_NAME_BYTES];
	char secret[ACCOUNT_SECRET_BYTES];
};

/* CONTROL_SCREEN_VERDICT, accounts -> S, and S -> screen-viewer. */
struct control_screen_verdict {
	uint32_t session;
	uint32_t admitted; /* 1: in; 0: refused, and not for the viewer to know why */
};

/* CONTROL_SCREEN_END, S -> screen-viewer: end in order, for this reason. */
struct control_screen_end {
	uint32_t reason; /* enum screen_end */
};

/* CONTROL_SCREEN_WATCHED, S -> screen-viewer: auditors begin or cease to look on. */
struct control_screen_watched {
	uint32_t count; /* that look on now */
};

#endif
