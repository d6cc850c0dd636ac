/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a reply of the next hop to a verdict: one table, first match. */
#include "mail-sender/verdict.h"

#include <stdbool.h>
#include <stddef.h>

#define ANY 0 /* of a code */
#define NO_CARE                                                                                    \
	999 /* of a subject or detail; with NO_CARE for both, the reply need not have an enhanced  \
	       code */
#define EVERY (VERDICT_SENDER | VERDICT_RECIPIENT | VERDICT_MESSAGE)

struct rule {
	unsigned stages;
	unsigned class; /* first digit of the code */
	unsigned code;
	unsigned subject, detail;
	enum mail_verdict verdict;
};

/* Ends with one row for each stage and class, so that a class is never left. RFC 5321 4.2.3, RFC
 * 3463 3. */
static const struct rule rules[] = {
	{EVERY, 2, ANY, NO_CARE, NO_CARE, MAIL_VERDICT_OK},
	{EVERY, 3, ANY, NO_CARE, NO_CARE, MAIL_VERDICT_NEXT_HOP_LOST},
	{EVERY, 4, 421, NO_CARE, NO_CARE, MAIL_VERDICT_NEXT_HOP_BUSY},

	{VERDICT_SENDER, 4, 452, NO_CARE, NO_CARE, MAIL_VERDICT_SPACE_LATER},
	{VERDICT_SENDER, 4, ANY, NO_CARE, NO_CARE, MAIL_VERDICT_SENDER_LATER},
	{VERDICT_RECIPIENT, 4, ANY, 2, 2, MAIL_VERDICT_MAILBOX_FULL_LATER},
	{VERDICT_RECIPIENT, 4, ANY, 3, 1, MAIL_VERDICT_SPACE_LATER},
	{VERDICT_RECIPIENT, 4, 452, NO_CARE, NO_CARE, MAIL_VERDICT_RECIPIENTS_LATER},
	{VERDICT_RECIPIENT, 4, ANY, NO_CARE, NO_CARE, MAIL_VERDICT_RECIPIENT_LATER},
	{VERDICT_MESSAGE, 4, 452, NO_CARE, NO_CARE, MAIL_VERDICT_SPACE_LATER},
	{VERDICT_MESSAGE, 4, ANY, NO_CARE, NO_CARE, MAIL_VERDICT_MESSAGE_LATER},

	{VERDICT_SENDER, 5, ANY, 3, 4, MAIL_VERDICT_TOO_BIG},
	{VERDICT_SENDER, 5, 552, NO_CARE, NO_CARE, MAIL_VERDICT_TOO_BIG},
	{VERDICT_SENDER, 5, ANY, 1, 7, MAIL_VERDICT_SENDER_INVALID},
	{VERDICT_SENDER, 5, ANY, 1, 8, MAIL_VERDICT_SENDER_INVALID},
	{VERDICT_SENDER, 5, 501, NO_CARE, NO_CARE, MAIL_VERDICT_SENDER_INVALID},
	{VERDICT_SENDER, 5, 553, NO_CARE, NO_CARE, MAIL_VERDICT_SENDER_INVALID},
	{VERDICT_SENDER, 5, ANY, NO_CARE, NO_CARE, MAIL_VERDICT_SENDER_REFUSED},
	{VERDICT_RECIPIENT, 5, ANY, 2, 1, MAIL_VERDICT_RECIPIENT_DISABLED},
	{VERDICT_RECIPIENT, 5, ANY, 2, 2, MAIL_VERDICT_MAILBOX_FULL},
	{VERDICT_RECIPIENT, 5, ANY, 1, NO_CARE, MAIL_VERDICT_RECIPIENT_UNKNOWN},
	{VERDICT_RECIPIENT, 5, ANY, 7, NO_CARE, MAIL_VERDICT_RECIPIENT_REFUSED},
	{VERDICT_RECIPIENT, 5, 552, NO_CARE, NO_CARE, MAIL_VERDICT_MAILBOX_FULL},
	{VERDICT_RECIPIENT, 5, 550, NO_CARE, NO_CARE, MAIL_VERDICT_RECIPIENT_UNKNOWN},
	{VERDICT_RECIPIENT, 5, ANY, NO_CARE, NO_CARE, MAIL_VERDICT_RECIPIENT_REFUSED},
	{VERDICT_MESSAGE, 5, ANY, 2, 2, MAIL_VERDICT_MAILBOX_FULL},
	{VERDICT_MESSAGE, 5, 552, NO_CARE, NO_CARE, MAIL_VERDICT_TOO_BIG},
	{VERDICT_MESSAGE, 5, ANY, NO_CARE, NO_CARE, MAIL_VERDICT_MESSAGE_REFUSED},
};

static bool matches(const struct rule *rule, unsigned stage, const struct smtp_reply *reply)
{
	if (!(rule->stages & stage) || rule->class != reply->code / 100U)
		return false;
	if (rule->code != ANY && rule->code != reply->code)
		return false;
	if (rule->subject == NO_CARE)
		return true;
	return reply->class == rule->class && reply->subject == rule->subject &&
	       (rule->detail == NO_CARE || rule->detail == reply->detail);
}

enum mail_verdict verdict_of_reply(enum verdict_stage stage, const struct smtp_reply *reply)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (matches(&rules[i], stage, reply))
			return rules[i].verdict;
	}
	return MAIL_VERDICT_NEXT_HOP_LOST;
}
