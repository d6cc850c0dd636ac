/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy of a mail entry, out of a configuration snapshot. */
#ifndef SEKISHO_MAIL_FLATTENER_POLICY_H
#define SEKISHO_MAIL_FLATTENER_POLICY_H

#include "mail-flattener/flatten.h"
#include "policy/snapshot.h"

/**
 * flatten_policy_read - language, links, what is refused, host name and clock of a mail entry
 * @policy: these fields are set, the others kept; its texts are views into @snapshot
 * @rules: filled, and referred to by @policy
 * @entry: index in the snapshot's mails
 * Return: 0, or -ERR_RANGE for an entry that is not there.
 */
int flatten_policy_read(struct flatten_policy *policy, struct mail_policy *rules,
			const struct snapshot *snapshot, uint32_t entry);

#endif
