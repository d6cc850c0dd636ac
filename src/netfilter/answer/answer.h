/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of answers to the console; shared by the files that answer. */
#ifndef SEKISHO_NETFILTER_ANSWER_ANSWER_H
#define SEKISHO_NETFILTER_ANSWER_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel/query.h"

#define ANSWER_WORDS_MAX 16
#define ANSWER_WORD_MAX  64

struct flow;
struct listing;
struct listing_kind;
struct netfilter;
struct snapshot_permit;

/* An answer under way: the row that is being filled. */
struct answer {
	struct netfilter *nf;
	const struct control_query *query;
	struct control_row row;
	size_t used;
	uint32_t left; /* rows that may still be sent */
	int err;
};

/* Words of a query's argument. */
struct answer_words {
	size_t count;
	char words[ANSWER_WORDS_MAX][ANSWER_WORD_MAX];
};

void answer_init(struct answer *a, struct netfilter *nf, const struct control_query *query);
/* Empty its row. */
void answer_begin(struct answer *a);
void answer_cell(struct answer *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void answer_send(struct answer *a, uint32_t flags);
/* One row that says what is wrong; the last. */
void answer_refuse(struct answer *a, const char *reason);

/* Split at blanks. Return: 0 or -ERR_TOO_LONG. */
int answer_split(struct answer_words *words, const char *text);
/* A decimal number of at most @most. */
bool answer_number(const char *word, uint64_t most, uint64_t *out);

/* talkers.c: a flow that the question is about, added up by the address that it names ... */
void talkers_take(struct listing *l, const struct flow *flow, const struct snapshot_permit *permit);
/* ... and behind the last flow the next row, most bytes first. */
void talkers_show(struct listing *l);

/* flows.c */
extern const struct listing_kind answer_flows, answer_clear;

/* permits.c; of crossings: behind the supervisor's rows about the devices, what passed by
 * the permits of each direction. */
extern const struct listing_kind answer_permits, answer_crossings;

/* rules.c; answer_rules_watch is nobody's question (ADR 814) */
extern const struct listing_kind answer_rules, answer_rules_watch;

#endif
