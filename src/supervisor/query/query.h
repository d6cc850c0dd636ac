/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building the rows of an answer. */
#ifndef SEKISHO_SUPERVISOR_QUERY_QUERY_H
#define SEKISHO_SUPERVISOR_QUERY_QUERY_H

#include "supervisor/supervisor.h"

struct answer {
	struct child *console;
	const struct control_query *query;
	struct control_row row;
	size_t used; /* bytes of the row's text */
	bool ended;  /* its last row was sent */
};

void answer_begin(struct answer *answer, struct child *console, const struct control_query *query);
/* Add a cell to the row that is being built; what does not fit is cut. */
void answer_cell(struct answer *answer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Send the row and begin the next one. */
void answer_send(struct answer *answer, uint32_t flags);
void answer_heading(struct answer *answer, const char *const *cells, size_t count);
/* The answer is that there is none. */
void answer_error(struct answer *answer, const char *reason);

/* A cell with a time since 1970 (empty for 0), and what stands behind it. */
void answer_when(struct answer *answer, int64_t time_s, const char *behind);

/* The first word of the question's argument. Return: what stands behind it. */
const char *answer_name(const struct answer *answer, char name[CONTROL_ARGUMENT_BYTES]);

/* From consoles: questions, and that no answer is awaited any more; from those who know: rows of
 * answers. */
int query_handle(struct channel *ch, void *ctx, const struct channel_message *message);
int query_handle_withdraw(struct channel *ch, void *ctx, const struct channel_message *message);
int query_handle_row(struct channel *ch, void *ctx, const struct channel_message *message);

/**
 * query_pass_on - have another process answer, under a number of our own: struct asking
 * @fd: goes with the question, borrowed; -1: nothing
 * Whoever asked is told where it cannot; then the answer has ended.
 */
void query_pass_on(struct supervisor *sup, struct answer *answer, enum role role, int fd);

/* Nobody waits any more for the answer of this number: those whose answers cost more than their
 * rows end it. */
void query_tell_withdrawn(struct supervisor *sup, uint32_t serial);

/* replay.c: recorded flows against the candidate (channel/replay.h), and a flow that is made up */
void answer_replay(struct supervisor *sup, struct answer *answer);
/* The console does not wait any more. */
void replay_withdraw(struct supervisor *sup, const struct child *console);
/* From config, from audit, from the arbiter. */
int replay_handle_candidate(struct channel *ch, void *ctx, const struct channel_message *message);
int replay_handle_records(struct channel *ch, void *ctx, const struct channel_message *message);
int replay_handle_next(struct channel *ch, void *ctx, const struct channel_message *message);

/* isolate.c */
void answer_isolate(struct supervisor *sup, struct answer *answer);
void answer_restore(struct supervisor *sup, struct answer *answer);
/* The same for every zone at once, and for one isolated zone after the other. */
void answer_isolate_all(struct supervisor *sup, struct answer *answer);
void answer_restore_all(struct supervisor *sup, struct answer *answer);
/* From netfilter: the connections of a zone that is to be restored are ended. */
int restore_handle_severed(struct channel *ch, void *ctx, const struct channel_message *message);

/* zones.c: from the kernel's live state. */
void answer_separation(struct supervisor *sup, struct answer *answer);
void answer_zones(struct supervisor *sup, struct answer *answer);
void answer_crossings(struct supervisor *sup, struct answer *answer);

/* The cells that every session has: number, entry, zones, peer. */
void answer_session(struct answer *answer, const struct session *session);

/* links.c: from the kernel's live state. */
void answer_links(struct supervisor *sup, struct answer *answer);

/* usb.c */
void answer_usb(struct supervisor *sup, struct answer *answer);

/* screens.c */
void answer_screen(struct supervisor *sup, struct answer *answer);
void answer_shadow_screen(struct supervisor *sup, struct answer *answer);
void answer_clear_screen(struct supervisor *sup, struct answer *answer);

/* emergencies.c */
void answer_emergencies(struct supervisor *sup, struct answer *answer);
void answer_acknowledge(struct supervisor *sup, struct answer *answer);

/* time.c */
void answer_time(struct supervisor *sup, struct answer *answer);

/* stations.c */
void answer_isolate_station(struct supervisor *sup, struct answer *answer);
void answer_restore_station(struct supervisor *sup, struct answer *answer);
void answer_isolated(struct supervisor *sup, struct answer *answer);

#endif
