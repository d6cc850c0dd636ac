/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets are divided into shares, each with a queue of every zone and an arbiter of its own (ADR
 * 414). The first process has the first share, and all that is one for the gateway: rules,
 * generations, leases, limits. Further processes each have another share and nothing but it.
 */
#ifndef SEKISHO_NETFILTER_SHARES_H
#define SEKISHO_NETFILTER_SHARES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/channel.h"
#include "base/loop.h"
#include "channel/share.h"
#include "policy/snapshot_base.h"

struct netfilter;
struct zone;

/* What the first process knows of another one. */
struct share {
	struct netfilter *nf;
	uint32_t number; /* 1..SNAPSHOT_QUEUES_MAX - 1 */
	struct channel link;
	struct loop_fd link_fd;
	uint16_t turned;   /* the generation that it judges by; 0: none */
	uint64_t alive_ms; /* when its arbiter has last answered */
};

struct shares {
	struct share rows[SNAPSHOT_QUEUES_MAX]; /* by number; the first is not used */
	uint64_t beat_ms;
	bool dropped; /* some that were there; they may still give proofs of the generation before
		       */
};

/* What one that serves a share knows of the first process. */
struct first {
	struct channel link; /* fd -1: none, and nothing is judged */
	struct loop_fd link_fd;
	uint64_t heard_ms;
};

/* ---- in the first process: shares.c */

void shares_init(struct netfilter *nf);
/* A channel to share @number, which is new or has been started anew; taken. -ERR_PEER: there can be
 * no such share. */
int shares_take_link(struct netfilter *nf, uint32_t number, int fd);
/**
 * shares_turn - have every share of the running policy judge by it, and by the running generation
 * Return: whether all that are there have said that nothing is out any more by another one. Who has
 * not may still give proofs of the generation before.
 */
bool shares_turn(struct netfilter *nf);
/* Of shares that the running policy has not got, nothing is heard any more. */
void shares_drop(struct netfilter *nf);
/* Once a beat, and during long work: say that this process lives. */
void shares_beat(struct netfilter *nf);
/* What the shares ask, without waiting. */
void shares_serve(struct netfilter *nf);
/* Whether every share of the running policy judges by it, and its arbiter answers. */
bool shares_answer(const struct netfilter *nf);

/* ---- in a process that serves a share: share.c */

/* The channel to the first process; taken. */
void share_take_link(struct netfilter *nf, int fd);
/* Whether the first process says by what to judge, and lives. */
bool share_may_judge(const struct netfilter *nf);
/* Read what waits on the link to the first process, a round of it at most. */
void share_hear(struct netfilter *nf);
/* The arbiter has answered: the lease of all flows depends on it. */
void share_tell_alive(struct netfilter *nf);
/**
 * share_asks - verdicts of which some begin flows that are limited go to the first process first
 * Return: whether they do: what becomes of them is decided when it has answered.
 */
bool share_asks(struct zone *zone, const struct packet_verdicts *v);

#endif
