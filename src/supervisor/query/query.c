/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What consoles ask: passed on to the process that knows, or answered here from live state.
 * `separation` is read from the kernel for each answer, so that it shows what is, not what was
 * asked for.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "channel/account.h"
#include "supervisor/captures.h"
#include "supervisor/power.h"
#include "supervisor/query/query.h"

#define TIME_BYTES 32

void answer_begin(struct answer *answer, struct child *console, const struct control_query *query)
{
	*answer = (struct answer){.console = console,
				  .row = {.number = query->number, .console = query->console}};
	answer->query = query;
}

void answer_cell(struct answer *answer, const char *format, ...)
{
	struct control_row *row = &answer->row;
	size_t left = sizeof(row->text) - answer->used;
	va_list args;
	int length;

	if (row->cell_count == CONTROL_ROW_CELLS || left == 0)
		return;
	va_start(args, format);
	length = vsnprintf(row->text + answer->used, left, format, args);
	va_end(args);
	if (length < 0)
		return;
	answer->used += (size_t)length < left ? (size_t)length + 1 : left;
	row->cell_count++;
}

void answer_send(struct answer *answer, uint32_t flags)
{
	answer->row.flags = flags;
	answer->ended = flags & CONTROL_ROW_LAST;
	child_send(answer->console, CONTROL_ROW, &answer->row, sizeof(answer->row), NULL, 0);
	memset(answer->row.text, 0, sizeof(answer->row.text));
	answer->row.cell_count = 0;
	answer->used = 0;
}

void answer_heading(struct answer *answer, const char *const *cells, size_t count)
{
	for (size_t i = 0; i < count; i++)
		answer_cell(answer, "%s", cells[i]);
	answer_send(answer, CONTROL_ROW_HEADING);
}

void answer_error(struct answer *answer, const char *reason)
{
	answer_cell(answer, "%s", reason);
	answer_send(answer, CONTROL_ROW_ERROR | CONTROL_ROW_LAST);
}

void answer_when(struct answer *answer, int64_t time_s, const char *behind)
{
	time_t when = (time_t)time_s;
	char text[TIME_BYTES] = "";
	struct tm parts;

	if (time_s != 0 && gmtime_r(&when, &parts) != NULL)
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts); /* it fits */
	answer_cell(answer, "%s%s", text, behind);
}

const char *answer_name(const struct answer *answer, char name[CONTROL_ARGUMENT_BYTES])
{
	const char *argument = answer->query->argument;
	size_t size = strcspn(argument, " ");

	memcpy(name, argument, size);
	name[size] = '\0';
	return argument + size;
}

void answer_session(struct answer *answer, const struct session *session)
{
	char peer[INET6_ADDRSTRLEN];

	(void)inet_ntop(session->peer_family == 6 ? AF_INET6 : AF_INET, session->peer_addr, peer,
			sizeof(peer)); /* the family and the size are right */
	answer_cell(answer, "%u", session->id);
	answer_cell(answer, "%s", session->entry);
	answer_cell(answer, "%s", session->from);
	answer_cell(answer, "%s", session->to);
	answer_cell(answer, session->peer_family == 6 ? "[%s]:%u" : "%s:%u", peer,
		    session->peer_port);
}

#define HEADING(answer, ...)                                                                       \
	answer_heading((answer), (const char *const[]){__VA_ARGS__},                               \
		       sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static const char *state_name(enum child_state state)
{
	static const char *const names[] = {"free", "starting", "ready", "down", "reserve"};

	return names[state];
}

static void answer_processes(struct supervisor *sup, struct answer *answer)
{
	uint64_t now_ms = clock_mono_ms(sup->loop.clock);

	HEADING(answer, "process", "pid", "state", "up", "deaths", "session");
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		const struct child *child = &sup->children[i];

		if (child->state == CHILD_FREE)
			continue;
		answer_cell(answer, "%s", child_name(child));
		answer_cell(answer, "%d", (int)child->pid);
		answer_cell(answer, "%s", state_name(child->state));
		answer_cell(answer, "%lu s",
			    child->pid ? (unsigned long)(now_ms - child->started_ms) / 1000 : 0UL);
		answer_cell(answer, "%u", child->deaths);
		answer_cell(answer, "%u", child->session ? child->session->id : 0);
		answer_send(answer, 0);
	}
	answer_send(answer, CONTROL_ROW_LAST);
}

static void answer_mail(struct supervisor *sup, struct answer *answer)
{
	uint64_t now_ms = clock_mono_ms(sup->loop.clock);

	HEADING(answer, "session", "entry", "from", "to", "peer", "up", "messages");
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		const struct session *session = &sup->sessions[i];

		if (!session->used || session->near_role != ROLE_MAIL_RECEIVER)
			continue;
		answer_session(answer, session);
		answer_cell(answer, "%lu s", (unsigned long)(now_ms - session->started_ms) / 1000);
		answer_cell(answer, "%u", session->message_count);
		answer_send(answer, 0);
	}
	answer_send(answer, CONTROL_ROW_LAST);
}

/* Who answers what: a function here, another process, or both, one after the other. */
static const struct {
	enum role owner;
	void (*answer)(struct supervisor *sup, struct answer *answer);
} owners[] = {
	[QUERY_SEPARATION] = {ROLE_SUPERVISOR, answer_separation},
	[QUERY_ZONES] = {ROLE_SUPERVISOR, answer_zones},
	[QUERY_FLOWS] = {ROLE_NETFILTER, NULL},
	[QUERY_CROSSINGS] = {ROLE_NETFILTER, answer_crossings},
	[QUERY_MAIL] = {ROLE_SUPERVISOR, answer_mail},
	[QUERY_SCREEN] = {ROLE_SUPERVISOR, answer_screen},
	[QUERY_LOG] = {ROLE_AUDIT, NULL},
	[QUERY_PROCESSES] = {ROLE_SUPERVISOR, answer_processes},
	[QUERY_ISOLATE] = {ROLE_SUPERVISOR, answer_isolate},
	[QUERY_RESTORE] = {ROLE_SUPERVISOR, answer_restore},
	[QUERY_CAPTURE] = {ROLE_NETFILTER, answer_capture},
	[QUERY_PERMITS] = {ROLE_NETFILTER, NULL},
	[QUERY_CLEAR_FLOW] = {ROLE_NETFILTER, NULL},
	[QUERY_ISOLATE_STATION] = {ROLE_SUPERVISOR, answer_isolate_station},
	[QUERY_RESTORE_STATION] = {ROLE_SUPERVISOR, answer_restore_station},
	[QUERY_ISOLATED] = {ROLE_SUPERVISOR, answer_isolated},
	[QUERY_TEST_FLOW] = {ROLE_ARBITER, NULL},
	[QUERY_MAIL_LOG] = {ROLE_AUDIT, NULL},
	[QUERY_RECEIPT] = {ROLE_AUDIT, NULL},
	[QUERY_DEVICE_KEY] = {ROLE_AUDIT, NULL},
	[QUERY_CLEAR_SCREEN] = {ROLE_SUPERVISOR, answer_clear_screen},
	[QUERY_LOG_FILES] = {ROLE_AUDIT, NULL},
	[QUERY_SIGN] = {ROLE_AUDIT, NULL},
	[QUERY_SIGN_SUPPORT] = {ROLE_AUDIT, NULL},
	[QUERY_PROCESS_LOG] = {ROLE_AUDIT, NULL},
	[QUERY_PUBLIC_ALARMS] = {ROLE_AUDIT, NULL},
	[QUERY_ALARMS] = {ROLE_AUDIT, NULL},
	[QUERY_TIME] = {ROLE_SUPERVISOR, answer_time},
	[QUERY_CAPTURES] = {ROLE_SUPERVISOR, answer_captures},
	[QUERY_SAVE_CAPTURE] = {ROLE_NETFILTER, answer_save_capture},
	[QUERY_CLEAR_CAPTURE] = {ROLE_SUPERVISOR, answer_clear_capture},
	[QUERY_RECORDINGS] = {ROLE_SUPERVISOR, answer_recordings},
	[QUERY_RECORDING] = {ROLE_SUPERVISOR, answer_save_recording},
	[QUERY_SHADOW_SCREEN] = {ROLE_SUPERVISOR, answer_shadow_screen},
	[QUERY_EMERGENCIES] = {ROLE_SUPERVISOR, answer_emergencies},
	[QUERY_ACKNOWLEDGE] = {ROLE_SUPERVISOR, answer_acknowledge},
	[QUERY_TIMELINE] = {ROLE_AUDIT, NULL},
	[QUERY_SEEN] = {ROLE_AUDIT, NULL},
	[QUERY_WATCH] = {ROLE_SUPERVISOR, answer_watch},
	[QUERY_CLEAR_WATCH] = {ROLE_SUPERVISOR, answer_clear_watch},
	[QUERY_RULES] = {ROLE_NETFILTER, NULL},
	[QUERY_LINKS] = {ROLE_SUPERVISOR, answer_links},
	[QUERY_ISOLATE_ALL] = {ROLE_SUPERVISOR, answer_isolate_all},
	[QUERY_RESTORE_ALL] = {ROLE_SUPERVISOR, answer_restore_all},
	[QUERY_REBOOT] = {ROLE_SUPERVISOR, answer_power},
	[QUERY_SHUTDOWN] = {ROLE_SUPERVISOR, answer_power},
	[QUERY_ZEROISE] = {ROLE_SUPERVISOR, answer_zeroise},
	[QUERY_WIPE_PROPOSED] = {ROLE_SUPERVISOR, answer_wipe_proposed},
	[QUERY_FOLLOW] = {ROLE_AUDIT, NULL},
	[QUERY_USB] = {ROLE_SUPERVISOR, answer_usb},
	[QUERY_TEST_CANDIDATE] = {ROLE_SUPERVISOR, answer_replay},
	[QUERY_REPLAY] = {ROLE_SUPERVISOR, answer_replay},
};

/*
 * To the process that knows. A console can ask much, but whoever does not take its question is not
 * ended for that: only the supervisor's own messages are owed an answer.
 */
void query_pass_on(struct supervisor *sup, struct answer *answer, enum role role, int fd)
{
	struct child *owner = child_find(sup, role, 0);
	struct asking *asking = &answer->console->asking;
	struct control_query query = *answer->query;

	/* By a number of our own: an answer that comes late is never another person's. */
	asking->number = query.number;
	query.number = asking->serial = ++sup->query_serial;
	if (!owner || owner->state != CHILD_READY)
		answer_error(answer, "the process that knows is not running");
	else if (channel_send(&owner->control, CONTROL_QUERY, &query, sizeof(query), &fd,
			      fd >= 0 ? 1 : 0) < 0)
		answer_error(answer, "the process that knows is busy; ask again");
}

int query_handle(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *console = ctx;
	struct supervisor *sup = console->sup;
	struct control_query query = *(const struct control_query *)message->body;
	struct answer answer;

	query.argument[sizeof(query.argument) - 1] = '\0';
	query.console = console->index;
	query.person_role = console->person_role;
	snprintf(query.person, sizeof(query.person), "%s", console->person);
	answer_begin(&answer, console, &query);
	if (query.kind >= sizeof(owners) / sizeof(owners[0]) || query.kind == 0)
		return -ERR_PEER;
	if (!person_may(console, query.kind)) {
		answer_error(&answer, "your role does not allow this");
		return 0;
	}
	if (!asking_take(&console->asking, clock_mono_ms(sup->loop.clock))) {
		answer_error(&answer, "too many questions; ask again in a second");
		return 0;
	}
	if (owners[query.kind].answer)
		owners[query.kind].answer(sup, &answer);
	if (owners[query.kind].owner != ROLE_SUPERVISOR && !answer.ended)
		query_pass_on(sup, &answer, owners[query.kind].owner, -1);
	return 0;
}

void query_tell_withdrawn(struct supervisor *sup, uint32_t serial)
{
	static const enum role owners_of_work[] = {ROLE_NETFILTER, ROLE_ARBITER, ROLE_AUDIT};
	const struct control_withdraw withdraw = {.number = serial};

	for (size_t i = 0; i < sizeof(owners_of_work) / sizeof(owners_of_work[0]); i++) {
		struct child *owner = child_find(sup, owners_of_work[i], 0);

		/* Without room it is told with the next row of the answer. */
		if (owner && owner->state == CHILD_READY)
			(void)channel_send(&owner->control, CONTROL_WITHDRAW, &withdraw,
					   sizeof(withdraw), NULL, 0);
	}
}

int query_handle_withdraw(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_withdraw *body = message->body;
	struct child *console = ctx;
	struct asking *asking = &console->asking;

	if (body->number == asking->number && asking->serial != 0) {
		query_tell_withdrawn(console->sup, asking->serial);
		asking->serial = 0;
	}
	replay_withdraw(console->sup, console);
	power_withdraw(console->sup, console, body->number);
	zeroise_withdraw(console->sup, console, body->number);
	return 0;
}

int query_handle_row(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *owner = ctx, *console;
	struct control_row row = *(const struct control_row *)message->body;

	console = child_find(owner->sup, ROLE_CONSOLE, row.console);
	if (!console || console->person_role == ACCOUNT_ROLE_NONE ||
	    row.number != console->asking.serial) {
		/* Who asked has gone, or asks something else now. */
		if ((row.flags & CONTROL_ROW_LAST) == 0)
			query_tell_withdrawn(owner->sup, row.number);
		return 0;
	}
	row.number = console->asking.number;
	child_send(console, CONTROL_ROW, &row, sizeof(row), NULL, 0);
	return 0;
}
