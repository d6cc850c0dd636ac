/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One request of a console while it is served. */
#ifndef SEKISHO_CONFIG_ASKING_H
#define SEKISHO_CONFIG_ASKING_H

#include "config/config.h"

struct asking {
	struct config *c;
	struct config_link *link;              /* NULL: no console asks (first.c) */
	const struct console_request *request; /* NULL: the same */
	enum language language;
	int fd;            /* what came with it, -1: nothing */
	struct bytes text; /* the answer's */
};

/* Put a text into the answer. Return: @status. */
enum console_status asking_say(struct asking *a, enum console_status status, const char *en,
			       const char *ja);

#define STATUS_LATER ((enum console_status)99) /* the supervisor's answer will be the answer */

/* Put problems into the answer. Return: CONSOLE_FAILED where one is an error. */
enum console_status asking_problems(struct asking *a, const struct problems *problems,
				    const char *file);
enum console_status asking_no_memory(struct asking *a);
/* A commit is under way. */
enum console_status asking_busy(struct asking *a);
bool asking_is_editor(const struct asking *a);
/* A field of the request up to its end. */
struct span asking_text(const char *field, size_t field_bytes);
/* Return: 0, and @tree is the caller's to end; or the error, which is in @problems. */
int asking_parse(struct tree *tree, struct span text, struct problems *problems);
/* Make @text the candidate; on an error the old one stays. */
int config_replace_candidate(struct config *c, struct span text, struct problems *problems);
/* Both print the same. */
bool config_candidate_is_running(struct config *c);

/* "2026-11-22T10:30:00Z". */
void asking_format_time(char *out, size_t size, int64_t time_s);

/* requests.c */

/* Compile @root and hand it over for QUERY_REPLAY. Return: CONSOLE_OK, or what is wrong. */
enum console_status asking_replay(struct asking *a, const struct tree_node *root);

/* committing.c */

/* One line of printable text. */
void asking_comment(char out[STORE_COMMENT_BYTES], struct span typed);
/**
 * asking_check - print a configuration as `show` does, compile that, and look at the slots it
 * names; errors and warnings, which name lines of the printed text, go into the answer
 * @text, @block: initialised and empty; receive the printed and the compiled form
 * @make: for its commit: slots that are empty are filled
 * Return: CONSOLE_OK, or CONSOLE_FAILED where there is an error.
 */
enum console_status asking_check(struct asking *a, const struct tree_node *root, struct bytes *text,
				 struct bytes *block, bool make);
/* Compile and print into c->commit, which is empty. Return: CONSOLE_OK, or what is wrong. */
enum console_status asking_prepare_commit(struct asking *a, const struct tree_node *root);
/* Save and send c->commit. Return: STATUS_LATER, or what is wrong. */
enum console_status asking_start_commit(struct asking *a, const char *person, const char *comment);
enum console_status committing_commit(struct asking *a);
enum console_status committing_pending(struct asking *a);

/* proposal.c: changes that two persons make (C1). */

/* Whether the running configuration wants two persons for a change. */
bool proposal_is_needed(const struct config *c);
/* Whether a change waits for its second person. */
bool proposal_waits(const struct config *c);
/* Put the proposal that waits into the answer. Return: whether there is one. */
bool proposal_show(struct asking *a);
/* For whoever is going to approve it: hand it over for QUERY_REPLAY. */
enum console_status proposal_replay(struct asking *a);
enum console_status proposal_make(struct asking *a);
enum console_status proposal_approve(struct asking *a);
enum console_status proposal_withdraw(struct asking *a);

/* saved.c: check all saved configurations, for a person; damage is told and recorded. */
enum console_status saved_check(struct asking *a);

/* window.c: the hours in which changes may be made. */

/* Whether a change may be made now; otherwise the answer's text begins with when it may. */
bool window_is_open(struct asking *a);
/* A change outside of them is refused and recorded. Behind window_is_open, whose text it ends. */
enum console_status window_refuse(struct asking *a);

/* compliance.c: by the clauses of the policies; the request's line is one of them, or empty. */
enum console_status compliance_show(struct asking *a);

/* slots.c: certificates, keys, authorities, passwords. The request's line is the slot's name. Where
 * two persons make a change, what is loaded waits for the second one (ADR 322). */
enum console_status slots_load_certificate(struct asking *a);
enum console_status slots_load_authority(struct asking *a);
enum console_status slots_load_password(struct asking *a);
enum console_status slots_list(struct asking *a);
enum console_status slots_show(struct asking *a);

#endif
