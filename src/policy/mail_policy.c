/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one mail entry of the running policy says. */
#include "policy/mail_policy.h"

#include "base/err.h"

int mail_policy_open(struct mail_policy *out, const struct snapshot *snapshot, uint32_t index)
{
	if (index >= snapshot->mail_count)
		return -ERR_RANGE;
	out->snapshot = snapshot;
	out->entry = &snapshot->mails[index];
	out->host_name = snapshot_text_at(snapshot, out->entry->text_host_name);
	return 0;
}

bool mail_policy_takes_domain(const struct mail_policy *policy, struct span domain)
{
	const struct snapshot_range *domains = &policy->entry->domains;

	for (uint32_t i = 0; i < domains->count; i++) {
		uint32_t at = policy->snapshot->list_texts[domains->first + i].at;

		if (span_equal_nocase(domain, span_of(snapshot_text_at(policy->snapshot, at))))
			return true;
	}
	return false;
}
