/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the supervisor accepts from its children: one table, by type and by role. */
#include "base/err.h"
#include "channel/admission.h"
#include "channel/clock.h"
#include "channel/person.h"
#include "channel/stations.h"
#include "channel/zeroise.h"
#include "supervisor/query/query.h"
#include "supervisor/supervisor.h"

#define FROM(role)  (1U << (role))
#define FROM_POLICY (FROM(ROLE_NETFILTER) | FROM(ROLE_ARBITER) | FROM(ROLE_AUDIT))
#define FROM_SESSION                                                                               \
	(FROM(ROLE_MAIL_RECEIVER) | FROM(ROLE_MAIL_SENDER) | FROM(ROLE_SCREEN_SOURCE) |            \
	 FROM(ROLE_SCREEN_VIEWER) | FROM(ROLE_MAIL_FLATTENER) | FROM(ROLE_MAIL_SCANNER))
#define FROM_ALL                                                                                   \
	(FROM_POLICY | FROM_SESSION | FROM(ROLE_CONFIG) | FROM(ROLE_CONSOLE) |                     \
	 FROM(ROLE_ACCOUNTS) | FROM(ROLE_TIME_SOURCE) | FROM(ROLE_LOG_SENDER))

static int handle_ready(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *child = ctx;
	struct supervisor *sup = child->sup;

	if (child->state != CHILD_STARTING)
		return -ERR_PEER; /* nobody has told it to begin */
	child->state = CHILD_READY;
	ch->state = child->role;
	if (table_roles[child->role].ping_ms)
		loop_arm(&sup->loop, &child->timer, table_roles[child->role].ping_ms);
	else
		loop_disarm(&sup->loop, &child->timer);
	if (!child->session && table_roles[child->role].restart != RESTART_NEVER) {
		supervisor_event(sup, EVENT_PROCESS_READY, EV_TEXT(PROCESS, child_name(child)),
				 EV_NUMBER(PID, child->pid));
		commit_child_ready(child);
	}
	if (child->role == ROLE_ACCOUNTS) {
		commit_tell_accounts(sup);
		outfit_accounts_ready(child);
	}
	return 0;
}

/* Any message counts as a sign of life; this one is nothing else. */
static int handle_pong(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return 0;
}

static int handle_commit(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *child = ctx;
	const struct control_commit *commit = message->body;
	int fd = message->fds[0];

	message->fds[0] = -1;
	commit_begin(child->sup, fd, commit);
	return 0;
}

static int handle_prepared(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *child = ctx;
	const struct control_epoch *epoch = message->body;

	commit_prepared(child, epoch->epoch);
	return 0;
}

static int handle_refused(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *child = ctx;
	struct control_refused refused = *(const struct control_refused *)message->body;

	refused.reason[sizeof(refused.reason) - 1] = '\0';
	commit_refused(child, &refused);
	return 0;
}

static int handle_applied(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *child = ctx;
	const struct control_epoch *epoch = message->body;

	commit_applied(child, epoch->epoch);
	return 0;
}

/* A session asks for its peer, audit for a syslog server that takes a stream. */
static int handle_connect(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *child = ctx;

	return child->role == ROLE_AUDIT ? log_senders_handle_connect(child, message->body)
					 : session_handle_connect(ch, ctx, message);
}

#define FIXED(body) sizeof(struct body), sizeof(struct body)

const struct channel_rule control_rules[] = {
	{CONTROL_READY, 0, 0, 0, 0, 1U << CONTROL_STATE_STARTING, handle_ready, "ready"},
	{CONTROL_PONG, 0, 0, FIXED(control_ping), FROM_ALL, handle_pong, "pong"},
	{CONTROL_COMMIT, 1, 1, FIXED(control_commit), FROM(ROLE_CONFIG), handle_commit, "commit"},
	{CONTROL_PREPARED, 0, 0, FIXED(control_epoch), FROM_POLICY, handle_prepared, "prepared"},
	{CONTROL_REFUSED, 0, 0, FIXED(control_refused), FROM_POLICY, handle_refused, "refused"},
	{CONTROL_APPLIED, 0, 0, FIXED(control_epoch), FROM_POLICY, handle_applied, "applied"},
	{CONTROL_ALARM, 0, 0, FIXED(control_alarm), FROM(ROLE_ARBITER) | FROM(ROLE_NETFILTER),
	 stations_handle_alarm, "alarm"},
	{CONTROL_CONNECT, 0, 0, FIXED(control_connect),
	 FROM(ROLE_MAIL_SENDER) | FROM(ROLE_SCREEN_SOURCE) | FROM(ROLE_AUDIT), handle_connect,
	 "connect"},
	{CONTROL_FLATTEN, 1, 1, FIXED(control_flatten), FROM(ROLE_MAIL_RECEIVER),
	 session_handle_flatten, "flatten"},
	{CONTROL_FLATTENED, 0, 0, FIXED(control_flattened), FROM(ROLE_MAIL_FLATTENER),
	 session_handle_flattened, "flattened"},
	{CONTROL_TEST_MAIL, 1, 1, FIXED(control_test_mail), FROM(ROLE_CONSOLE), trial_handle_test,
	 "test mail"},
	{CONTROL_USB, 0, 1, FIXED(control_usb), FROM(ROLE_CONSOLE), usb_handle_ask, "usb"},
	{CONTROL_STICK_DONE, 0, 0, FIXED(control_stick_done), FROM(ROLE_STICK), usb_handle_done,
	 "stick done"},
	{CONTROL_SCANNED, 0, 0, FIXED(control_scanned), FROM(ROLE_MAIL_SCANNER),
	 scanning_handle_scanned, "scanned"},
	{CONTROL_PERSON, 0, 0, FIXED(control_person), FROM(ROLE_ACCOUNTS), console_handle_person,
	 "person"},
	{CONTROL_FIRST, 0, 0, FIXED(control_first), FROM(ROLE_ACCOUNTS), first_handle, "first"},
	{CONTROL_FIRST_DONE, 0, 0, FIXED(control_first_done), FROM(ROLE_CONFIG), first_handle_done,
	 "first done"},
	{CONTROL_RECOVERY, 0, 0, FIXED(control_recovery), FROM(ROLE_CONSOLE) | FROM(ROLE_ACCOUNTS),
	 recovery_handle, "recovery"},
	{CONTROL_CONFIRMED, 0, 0, FIXED(control_confirmed), FROM(ROLE_ACCOUNTS),
	 zeroise_handle_confirmed, "confirmed"},
	{CONTROL_CERTIFIED, 0, 0, FIXED(control_certified), FROM(ROLE_AUDIT),
	 zeroise_handle_certified, "certified"},
	{CONTROL_SCREEN_LOGIN, 0, 0, FIXED(control_screen_login), FROM(ROLE_SCREEN_VIEWER),
	 admission_handle_login, "screen login"},
	{CONTROL_SCREEN_VERDICT, 0, 0, FIXED(control_screen_verdict), FROM(ROLE_ACCOUNTS),
	 admission_handle_verdict, "screen verdict"},
	{CONTROL_RECORDED, 0, 0, FIXED(control_recorded), FROM(ROLE_AUDIT), persons_handle_recorded,
	 "recorded"},
	{CONTROL_CLOCK, 0, 0, FIXED(control_clock), FROM(ROLE_TIME_SOURCE), clock_handle_change,
	 "clock"},
	{CONTROL_TIME, 0, 0, FIXED(control_time), FROM(ROLE_TIME_SOURCE), time_handle_report,
	 "time"},
	{CONTROL_SEVERED, 0, 0, FIXED(control_severed), FROM(ROLE_NETFILTER),
	 restore_handle_severed, "severed"},
	{CONTROL_QUERY, 0, 0, FIXED(control_query), FROM(ROLE_CONSOLE), query_handle, "query"},
	{CONTROL_CANDIDATE, 1, 1, FIXED(control_candidate), FROM(ROLE_CONFIG),
	 replay_handle_candidate, "candidate"},
	{CONTROL_REPLAYED, 1, 1, FIXED(control_replayed), FROM(ROLE_AUDIT), replay_handle_records,
	 "replayed"},
	{CONTROL_REPLAY_NEXT, 0, 0, FIXED(control_replay), FROM(ROLE_ARBITER), replay_handle_next,
	 "replay next"},
	{CONTROL_WITHDRAW, 0, 0, FIXED(control_withdraw), FROM(ROLE_CONSOLE), query_handle_withdraw,
	 "withdraw"},
	{CONTROL_ROW, 0, 0, FIXED(control_row),
	 FROM(ROLE_NETFILTER) | FROM(ROLE_AUDIT) | FROM(ROLE_ARBITER), query_handle_row, "row"},
};
const size_t control_rule_count = sizeof(control_rules) / sizeof(control_rules[0]);
