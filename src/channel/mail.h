/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The link of a mail session: mail-receiver (source zone, reads the peer) <-> mail-sender
 * (destination zone). R -> S asks, S -> R answers each question once, with a number and nothing
 * else: no byte of the next hop comes back.
 *
 *   FROM     opens a transaction        -> ANSWER
 *   TO       adds a recipient           -> ANSWER
 *   MESSAGE  the message of that id is being flattened; send it on -> ANSWER
 *   RESET    forgets the transaction    (no answer)
 *   END      the session is over; a message whose final dot is not sent yet is not sent (no answer)
 *
 * After a question the receiver waits; until the answer it may send END only, and behind a FROM
 * that says so one TO, so that both can go to the next hop together (RFC 2920). The end of the link
 * counts as END, and for the receiver as a temporary failure.
 */
#ifndef SEKISHO_CHANNEL_MAIL_H
#define SEKISHO_CHANNEL_MAIL_H

#include <stdint.h>

#define MAIL_PATH_BYTES 256 /* SMTP_PATH_MAX and a NUL, rounded up */

enum mail_type {
	MAIL_LINK_FROM = 1, /* R->S, struct mail_path */
	MAIL_LINK_TO,       /* R->S, struct mail_path */
	MAIL_LINK_MESSAGE,  /* R->S, struct mail_message */
	MAIL_LINK_RESET,    /* R->S, struct mail_reset */
	MAIL_LINK_END,      /* R->S, no body */
	MAIL_LINK_ANSWER,   /* S->R, struct mail_answer */
};

enum mail_verdict {
#define MAIL_VERDICT(id, code, enhanced, text) MAIL_VERDICT_##id,
#include "channel/mail_verdicts.def"
#undef MAIL_VERDICT
	MAIL_VERDICT_COUNT_
};

struct mail_path {
	uint32_t transaction;       /* counts from 1 in each session */
	uint32_t text_bytes;        /* 0: the null path */
	uint32_t utf8;              /* the peer asked for SMTPUTF8 */
	uint32_t follows;           /* FROM: a TO comes at once; each has its own answer, in turn */
	char text[MAIL_PATH_BYTES]; /* address without brackets; the sender parses it again */
};

struct mail_message {
	uint32_t transaction;
	uint32_t recipient_count;
	uint64_t message; /* as in CONTROL_FLATTEN */
};

struct mail_reset {
	uint32_t transaction;
	uint32_t pad;
};

struct mail_answer {
	uint32_t transaction; /* an answer to an older one is ignored */
	uint32_t verdict;     /* enum mail_verdict */
};

#endif
