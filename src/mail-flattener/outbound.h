/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mail that leaves: what must not is refused, and what names the inside is left out. */
#ifndef SEKISHO_MAIL_FLATTENER_OUTBOUND_H
#define SEKISHO_MAIL_FLATTENER_OUTBOUND_H

#include "mail-flattener/state.h"

/*
 * Where the policy has no rules for mail that leaves, nothing is refused and everything is kept.
 */

/* Whether it leaves. */
bool outbound_is(const struct flatten *f);

/* Whether files that are text may leave, and other files. */
bool outbound_passes_text(const struct flatten *f);
bool outbound_passes_files(const struct flatten *f);

/* Before anything is written: forwarding (M4), the author (M7), labels in header, text and names
 * (M5). A refusal is noted in @result. */
void outbound_judge(struct flatten *f, struct flatten_result *result);

/* When all is written: labels in what came out of containers and in files that go on, attachments
 * where none may leave. */
void outbound_judge_text(struct flatten *f, struct flatten_result *result);

/* Whether a message id, with its brackets, may be written: not one that names a host inside. @own:
 * the message's own, rather than one that it refers to. */
bool outbound_keeps_id(const struct flatten *f, struct span id, bool own);

#endif
