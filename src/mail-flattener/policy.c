/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a compiled configuration says about flattening. */
#include "mail-flattener/policy.h"

#include "base/err.h"

int flatten_policy_read(struct flatten_policy *policy, struct mail_policy *rules,
			const struct snapshot *snapshot, uint32_t entry)
{
	const struct snapshot_mail *mail;

	if (entry >= snapshot->mail_count)
		return -ERR_RANGE;
	mail = &snapshot->mails[entry];
	policy->english = mail->language != 0;
	policy->defang = policy->defang || (mail->options & SNAPSHOT_MAIL_DEFANG) != 0;
	policy->refuse_ambiguous =
		policy->refuse_ambiguous || (mail->options & SNAPSHOT_MAIL_REFUSE_AMBIGUOUS) != 0;
	policy->host_name = snapshot_text_at(snapshot, mail->text_host_name);
	if (policy->host_name[0] == '\0')
		policy->host_name = snapshot_text_at(snapshot, snapshot->header->text_host_name);
	if (policy->host_name[0] == '\0')
		policy->host_name = "sekisho";
	policy->offset_minutes = snapshot->header->utc_offset_s / 60;
	policy->mail = rules;
	return mail_policy_open(rules, snapshot, entry);
}
