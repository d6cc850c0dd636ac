/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one mail entry of the running policy says, as both halves of a mail session need it. */
#ifndef SEKISHO_POLICY_MAIL_POLICY_H
#define SEKISHO_POLICY_MAIL_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "policy/snapshot.h"

struct mail_policy {
	const struct snapshot *snapshot; /* borrowed */
	const struct snapshot_mail *entry;
	const char *host_name; /* for banner and EHLO; a view into the snapshot */
	bool tls_offered;      /* STARTTLS to the peer */
	bool tls_required;     /* no mail of the peer without it */
	bool hop_tls;          /* not a word to the next hop without verified TLS */
	const char *hop_name;  /* that the next hop's certificate must carry */
};

/**
 * mail_policy_open - find the entry of a session
 * @snapshot: borrowed as long as @out is used
 * @index:    of the entry, from CONTROL_START
 * Return: 0 or -ERR_RANGE.
 */
int mail_policy_open(struct mail_policy *out, const struct snapshot *snapshot, uint32_t index);

/**
 * mail_policy_takes_domain - is this one of the entry's recipient domains (M6)
 * @domain: compared without case, whole; an entry without domains takes none, or any where it is
 *          for mail that leaves
 */
bool mail_policy_takes_domain(const struct mail_policy *policy, struct span domain);

/**
 * mail_policy_takes_sender - may this address send by this entry (M7)
 * @local, @domain: of the reverse path or the author, without quotes; compared without case. Both
 *         empty: the null path
 * Return: true always where the entry is not for mail that leaves.
 */
bool mail_policy_takes_sender(const struct mail_policy *policy, struct span local,
			      struct span domain);

/* Whether this is the domain of a listed sender, or of a listed sender's address. */
bool mail_policy_knows_domain(const struct mail_policy *policy, struct span domain);

/* Whether files leave behind a clean scan: those that are text, and others, too. Never where no
 * scanner is named. */
bool mail_policy_passes_text(const struct mail_policy *policy);
bool mail_policy_passes_files(const struct mail_policy *policy);

/* The label @i that refuses mail (M5), UTF-8; NULL past the last. A view into the snapshot. */
const char *mail_policy_label(const struct mail_policy *policy, uint32_t i);

#endif
