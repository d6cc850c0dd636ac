/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An order to wipe the data device (`zeroise`, ADR 609): accounts says that who sits at a terminal
 * has just typed the password again, the console asks, and audit certifies what is going to be done
 * once its record has left for the syslog servers.
 */
#ifndef SEKISHO_CHANNEL_ZEROISE_H
#define SEKISHO_CHANNEL_ZEROISE_H

#include <stdint.h>

#define ZEROISE_SEND_MS           10000U /* for the record to leave; then it goes on without */
#define ZEROISE_ORDER_TEXT        520 /* bytes, with NUL, of what the supervisor says of an order */
#define ZEROISE_CERTIFICATE_BYTES 880 /* with NUL, of all, the signature included */

/* accounts -> S, CONTROL_CONFIRMED. */
struct control_confirmed {
	uint32_t console;
	uint32_t pid; /* of the console's process, as its link's GIVE said */
};

/* S -> audit, CONTROL_CERTIFY: what has been recorded is on the disk. */
struct control_certify {
	uint64_t number;               /* comes back */
	char text[ZEROISE_ORDER_TEXT]; /* lines of UTF-8, NUL-terminated */
};

/* audit -> S, CONTROL_CERTIFIED, at the latest ZEROISE_SEND_MS later. */
struct control_certified {
	uint64_t number;
	char text[ZEROISE_CERTIFICATE_BYTES]; /* the same with what audit knows, and signed */
};

#endif
