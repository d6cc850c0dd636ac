/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `replay`: the candidate goes from config to the arbiter, records go from audit to the arbiter,
 * and what is judged from there to the console. `test proposal` is the same with a question in the
 * place of records. Nothing of it is looked into here.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "supervisor/query/query.h"

static void forget_candidate(struct replay_candidate *candidate)
{
	if (candidate->fd >= 0)
		(void)close(candidate->fd); /* memory: nothing to be written back */
	candidate->fd = -1;
}

/* Return: NULL, or why the arbiter does not take it. */
static const char *begin(struct supervisor *sup, const struct answer *answer)
{
	const struct control_replay body = {.number = answer->console->asking.serial,
					    .console = answer->console->index,
					    .japanese =
						    strncmp(answer->query->argument, "ja", 2) == 0};
	struct child *arbiter = child_find(sup, ROLE_ARBITER, 0);

	if (!arbiter || arbiter->state != CHILD_READY)
		return "the process that knows is not running";
	if (channel_send(&arbiter->control, CONTROL_REPLAY, &body, sizeof(body),
			 &sup->replay_candidate.fd, 1) < 0)
		return "the process that knows is busy; ask again";
	return NULL;
}

static void begin_replay(struct supervisor *sup, struct answer *answer)
{
	const char *why;

	query_pass_on(sup, answer, ROLE_AUDIT, -1);
	if (answer->ended)
		return;
	why = begin(sup, answer);
	if (why != NULL) {
		answer_error(answer, why);
		answer->console->asking.serial = 0; /* audit hears of it at its next row */
	}
}

/* Both have come: what config has compiled, and the question. */
static void begin_answer(struct supervisor *sup, struct answer *answer)
{
	if (answer->query->kind == QUERY_TEST_CANDIDATE)
		query_pass_on(sup, answer, ROLE_ARBITER, sup->replay_candidate.fd);
	else
		begin_replay(sup, answer);
	forget_candidate(&sup->replay_candidate);
	sup->replay_candidate.asked.number = 0;
}

/* Config has sent the candidate before it answered the console; but its channel may be served
 * later than the console's. */
void answer_replay(struct supervisor *sup, struct answer *answer)
{
	struct replay_candidate *candidate = &sup->replay_candidate;

	if (replay_candidate_is_of(candidate, answer->query, answer->console->pid)) {
		begin_answer(sup, answer);
		return;
	}
	candidate->asked = *answer->query;
	candidate->asker = answer->console->pid;
	answer->ended = true; /* for now */
}

void replay_withdraw(struct supervisor *sup, const struct child *console)
{
	if (sup->replay_candidate.asked.console == console->index)
		sup->replay_candidate.asked.number = 0;
}

int replay_handle_candidate(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_candidate *body = message->body;
	struct supervisor *sup = ((struct child *)ctx)->sup;
	struct replay_candidate *candidate = &sup->replay_candidate;
	struct child *console = child_find(sup, ROLE_CONSOLE, body->console);
	struct control_query asked = candidate->asked;
	struct answer answer;

	forget_candidate(candidate);
	if (!console || console->person_role == ACCOUNT_ROLE_NONE)
		return 0;
	candidate->fd = message->fds[0];
	message->fds[0] = -1;
	candidate->console = body->console;
	candidate->request = body->request;
	candidate->owner = console->pid;
	if (asked.number == 0 || !replay_candidate_is_of(candidate, &asked, candidate->asker))
		return 0;
	answer_begin(&answer, console, &asked);
	begin_answer(sup, &answer);
	return 0;
}

/* The console that still waits for this answer; NULL: nobody does. */
static struct child *asker(struct supervisor *sup, uint32_t console, uint32_t number)
{
	struct child *found = child_find(sup, ROLE_CONSOLE, console);

	return found && found->person_role != ACCOUNT_ROLE_NONE && number != 0 &&
			       found->asking.serial == number
		       ? found
		       : NULL;
}

/*
 * From one of the two to the other, while somebody waits. Without room there is no answer: whoever
 * waits is told, and both forget it.
 */
static void relay(struct supervisor *sup, enum role role, uint32_t console_index, uint32_t number,
		  const struct channel_message *message)
{
	struct child *console = asker(sup, console_index, number);
	struct child *to = child_find(sup, role, 0);
	struct control_row row = {.flags = CONTROL_ROW_LAST | CONTROL_ROW_ERROR, .cell_count = 1};

	if (console && to && to->state == CHILD_READY &&
	    channel_send(&to->control, message->type, message->body, message->body_bytes,
			 message->fds, message->fd_count) == 0)
		return;
	query_tell_withdrawn(sup, number);
	if (!console)
		return;
	row.number = console->asking.number;
	snprintf(row.text, sizeof(row.text), "the process that knows is busy; ask again");
	console->asking.serial = 0;
	child_send(console, CONTROL_ROW, &row, sizeof(row), NULL, 0);
}

int replay_handle_records(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_replayed *body = message->body;

	relay(((struct child *)ctx)->sup, ROLE_ARBITER, body->console, body->number, message);
	return 0;
}

int replay_handle_next(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_replay *body = message->body;

	relay(((struct child *)ctx)->sup, ROLE_AUDIT, body->console, body->number, message);
	return 0;
}
