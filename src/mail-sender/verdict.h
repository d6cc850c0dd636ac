/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a reply of the next hop to the fixed verdict that may go back to the peer's side. Pure. */
#ifndef SEKISHO_MAIL_SENDER_VERDICT_H
#define SEKISHO_MAIL_SENDER_VERDICT_H

#include "channel/mail.h"
#include "wire/smtp/reply.h"

/* What the next hop was asked. */
enum verdict_stage {
	VERDICT_SENDER = 1 << 0,
	VERDICT_RECIPIENT = 1 << 1,
	VERDICT_MESSAGE = 1 << 2
};

/**
 * verdict_of_reply - map a complete reply
 * A 4xx always becomes a temporary verdict and a 5xx a permanent one; a 2xx is OK. A 3xx, which
 * none of the stages ends with, is a temporary one: the next hop is not in its senses.
 */
enum mail_verdict verdict_of_reply(enum verdict_stage stage, const struct smtp_reply *reply);

#endif
