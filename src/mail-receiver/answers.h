/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every reply that the receiver can give: fixed code, enhanced code and text (RFC 5321 4.2, RFC
 * 3463). */
#ifndef SEKISHO_MAIL_RECEIVER_ANSWERS_H
#define SEKISHO_MAIL_RECEIVER_ANSWERS_H

#include "channel/mail.h"

#define ANSWER_TEXT_BYTES 160 /* longest reply line with CRLF and NUL */

enum answer {
#define ANSWER(id, code, enhanced, text) ANSWER_##id,
#include "mail-receiver/answers.def"
#undef ANSWER
	ANSWER_COUNT_
};

struct answer_row {
	unsigned code;
	const char *enhanced; /* NULL: this reply has none (RFC 2034 4: greeting and EHLO) */
	const char *text;
};

const struct answer_row *answer_row(enum answer answer);

/* The reply for a verdict of the sender; one that is not in the table counts as INTERNAL_LATER. */
const struct answer_row *answer_for_verdict(uint32_t verdict);

#endif
