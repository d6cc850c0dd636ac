/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one mail entry of the running policy says. */
#include "policy/mail_policy.h"

#include <string.h>

#include "base/err.h"
#include "wire/punycode.h"

#define DOMAIN_BYTES_MAX 1024 /* with every label of the longest domain spelt out */

int mail_policy_open(struct mail_policy *out, const struct snapshot *snapshot, uint32_t index)
{
	if (index >= snapshot->mail_count)
		return -ERR_RANGE;
	out->snapshot = snapshot;
	out->entry = &snapshot->mails[index];
	out->host_name = snapshot_text_at(snapshot, out->entry->text_host_name);
	out->tls_offered = out->entry->tls_slot[0] != '\0';
	out->tls_required = out->entry->tls_required != 0;
	out->hop_tls = out->entry->authority_slot[0] != '\0';
	out->hop_name = snapshot_text_at(snapshot, out->entry->text_hop_name);
	return 0;
}

static bool is_listed(const struct mail_policy *policy, struct span domain)
{
	const struct snapshot_range *domains = &policy->entry->domains;

	for (uint32_t i = 0; i < domains->count; i++) {
		uint32_t at = policy->snapshot->list_texts[domains->first + i].at;

		if (span_equal_nocase(domain, span_of(snapshot_text_at(policy->snapshot, at))))
			return true;
	}
	return false;
}

static bool is_ascii(struct span text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] >= 0x80)
			return false;
	}
	return true;
}

bool mail_policy_takes_domain(const struct mail_policy *policy, struct span domain)
{
	struct bytes ascii;
	bool listed = false;

	if (policy->entry->outbound && policy->entry->domains.count == 0)
		return true; /* who may send is what counts there */
	if (is_ascii(domain))
		return is_listed(policy, domain);
	/* The configuration has A-labels (RFC 5890 2.3.2.1). */
	bytes_init(&ascii, DOMAIN_BYTES_MAX);
	if (punycode_text_to_host(domain, &ascii) == 0)
		listed = is_listed(policy, bytes_span(&ascii));
	bytes_fini(&ascii);
	return listed;
}

bool mail_policy_takes_sender(const struct mail_policy *policy, struct span local,
			      struct span domain)
{
	const struct snapshot_range *senders = &policy->entry->senders;

	if (!policy->entry->outbound)
		return true;
	if (domain.size == 0)
		return policy->entry->null_sender != 0;
	for (uint32_t i = 0; i < senders->count; i++) {
		uint32_t at = policy->snapshot->list_texts[senders->first + i].at;
		const char *text = snapshot_text_at(policy->snapshot, at);
		const char *sign = strchr(text, '@');
		struct span own = span_of(sign != NULL ? sign + 1 : text);
		struct span mailbox = {(const uint8_t *)text,
				       sign != NULL ? (size_t)(sign - text) : 0};

		if (span_equal_nocase(domain, own) &&
		    (sign == NULL || span_equal_nocase(local, mailbox)))
			return true;
	}
	return false;
}

bool mail_policy_knows_domain(const struct mail_policy *policy, struct span domain)
{
	const struct snapshot_range *senders = &policy->entry->senders;

	for (uint32_t i = 0; i < senders->count; i++) {
		uint32_t at = policy->snapshot->list_texts[senders->first + i].at;
		const char *text = snapshot_text_at(policy->snapshot, at);
		const char *sign = strchr(text, '@');

		if (span_equal_nocase(domain, span_of(sign != NULL ? sign + 1 : text)))
			return true;
	}
	return false;
}

const char *mail_policy_label(const struct mail_policy *policy, uint32_t i)
{
	const struct snapshot_range *labels = &policy->entry->labels;

	if (i >= labels->count)
		return NULL;
	return snapshot_text_at(policy->snapshot,
				policy->snapshot->list_texts[labels->first + i].at);
}

bool mail_policy_passes_text(const struct mail_policy *policy)
{
	const struct snapshot_mail *m = policy->entry;

	return m->outbound != 0 && m->attachments >= ATTACHMENTS_PASS_TEXT &&
	       m->scanner != SNAPSHOT_NONE;
}

bool mail_policy_passes_files(const struct mail_policy *policy)
{
	return mail_policy_passes_text(policy) &&
	       policy->entry->attachments == ATTACHMENTS_PASS_FILES;
}
