/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all proposals have (C1, ADR 311): who, when, on top of which configuration; who may approve.
 */
#ifndef SEKISHO_CONFIG_PROPOSAL_H
#define SEKISHO_CONFIG_PROPOSAL_H

#include "config/asking.h"
#include "config/keys.h"

#define PROPOSAL_HEAD_BYTES 1024 /* of a head on the disk, with what a kind of proposal adds */
#define PROPOSAL_HASH_LEAST 8    /* digits of the hash that an approval names */

struct proposal_head {
	uint32_t base;  /* number of the configuration that ran */
	int64_t time_s; /* wall clock */
	char author[ACCOUNT_NAME_BYTES];
	char hands[ACCOUNT_HANDS_BYTES]; /* of the author */
	char hash[SHA256_HEX_BYTES];     /* of what is proposed; not on the disk */
	char whole[SHA256_HEX_BYTES];    /* of all that is on the disk, with this head */
};

/* The asker proposes, now. */
void proposal_head_begin(const struct asking *a, struct proposal_head *head);

/* Append as lines. Return: 0 or the error of @file. */
int proposal_head_put(const struct proposal_head *head, struct bytes *file);
/* Read what proposal_head_put wrote; @rest is moved behind it. Return: 0 or -ERR_INTEGRITY. */
int proposal_head_take(struct proposal_head *head, struct span *rest);

void proposal_head_hash(struct span proposed, char hash[SHA256_HEX_BYTES]);

/* Why it is not worth approving any more; NULL: what it was compared with runs, and its time is not
 * over. */
const char *proposal_head_lapse(const struct config *c, const struct proposal_head *head);
/* Hours that are left, rounded down. */
long long proposal_head_rest_h(const struct config *c, const struct proposal_head *head);

/**
 * proposal_head_judge - may the asker approve it: another person, who was shown it in this session
 * and names its hash in the request's line
 * Return: CONSOLE_OK, or what was answered; that it may be the author is recorded.
 */
enum console_status proposal_head_judge(struct asking *a, const struct proposal_head *head);

/* The answer's text has all of it: the asker may approve it in this session, unless that is cut. */
void proposal_head_shown(struct asking *a, const struct proposal_head *head);
/* Record that the asker approves it: before it takes effect. */
void proposal_head_approved(struct asking *a, const struct proposal_head *head);
/* Record that the asker has withdrawn it, and answer so. */
enum console_status proposal_head_withdrawn(struct asking *a, const struct proposal_head *head);
/* Answer that none waits. */
enum console_status proposal_head_none(struct asking *a);

/* proposal.c */

/* Record and remove a proposed change that does not count any more. Nothing during a commit. */
void proposal_tidy(struct config *c);
/* The commit under way is accepted: a proposal that it carries out is over, and never lapses. */
void proposal_committed(const struct config *c);

/* proposal_load.c: what is to be loaded into a slot waits for its second person (ADR 322). */

/* What goes into a slot: a secret. */
struct slots_content {
	enum keys_kind kind;
	char slot[SNAPSHOT_NAME_BYTES];
	struct span content; /* as keys_check leaves it; borrowed */
};

/* Keep what was typed until another person approves it. */
enum console_status proposal_load_make(struct asking *a, const struct slots_content *what);
/* slots.c: it takes effect. @proposer: the other person; empty: there is none. */
enum console_status slots_put(struct asking *a, const struct slots_content *what,
			      const char *proposer);
/* Whether one waits. */
bool proposal_load_waits(const struct config *c);
/* Put the one that waits into the answer. Return: whether there is one. */
bool proposal_load_show(struct asking *a);
/* Behind proposal_load_waits. */
enum console_status proposal_load_approve(struct asking *a);
enum console_status proposal_load_withdraw(struct asking *a);
/* Wipe one that does not count any more, which is recorded, and what a crash has left half written.
 */
void proposal_load_tidy(struct config *c);

#endif
