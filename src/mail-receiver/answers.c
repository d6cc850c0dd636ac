/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every reply that the receiver can give. */
#include "mail-receiver/answers.h"

#include <assert.h>
#include <stddef.h>

static const struct answer_row answers[ANSWER_COUNT_] = {
#define ANSWER(id, code, enhanced, text) [ANSWER_##id] = {code, enhanced, text},
#include "mail-receiver/answers.def"
#undef ANSWER
};

static const struct answer_row verdicts[MAIL_VERDICT_COUNT_] = {
#define MAIL_VERDICT(id, code, enhanced, text) [MAIL_VERDICT_##id] = {code, enhanced, text},
#include "channel/mail_verdicts.def"
#undef MAIL_VERDICT
};

const struct answer_row *answer_row(enum answer answer)
{
	assert(answer < ANSWER_COUNT_);
	return &answers[answer];
}

const struct answer_row *answer_for_verdict(uint32_t verdict)
{
	return &verdicts[verdict < MAIL_VERDICT_COUNT_ ? verdict : MAIL_VERDICT_INTERNAL_LATER];
}
