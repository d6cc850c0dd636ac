/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * audit: takes events from every process, writes the hash-chained log, sends it to syslog servers.
 *
 * Who may talk to it: the supervisor (control channel) and each process on an event channel of its
 * own, one way; the source of a record is the channel, never what the message says; and a
 * log-sender for each connection to a syslog server, which is told records and says how far they
 * came (ADR 811): no octet of a peer is read here. What it holds: the directories of the log and of
 * the device key. No privilege, no network of its own, no socket, no other file.
 *
 * Promises: an event of severity notice or worse is on the disk before audit does anything else;
 * all that was sent before a PING or PREPARE is on the disk before its answer, so that a change is
 * recorded before it takes effect.
 */
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "audit/alarms.h"
#include "audit/anchor.h"
#include "audit/answer.h"
#include "audit/certificate.h"
#include "audit/destinations.h"
#include "audit/evidence.h"
#include "audit/links.h"
#include "audit/receipts.h"
#include "audit/replayed.h"
#include "audit/retention.h"
#include "audit/seen.h"
#include "audit/store.h"
#include "audit/timeline.h"
#include "base/err.h"
#include "base/process.h"
#include "channel/control.h"
#include "channel/person.h"
#include "policy/snapshot.h"

#define HEARTBEAT_MS     60000U
#define SYNC_MS          1000U /* what is not urgent reaches the disk within this */
#define DESCRIPTORS      (LINKS_MAX + DESTINATIONS_MAX + 4)
#define NS_PER_S         1000000000
#define CONTROL_MESSAGES 16 /* of the supervisor in one round */

struct audit {
	struct process process;
	struct loop loop;
	struct pollfd polls[DESCRIPTORS];
	struct loop_fd *fds[DESCRIPTORS];
	struct loop_timer sync_timer, heartbeat_timer;
	struct record_form form;
	struct store store;
	struct links links;
	struct destinations destinations;
	struct answer answer;
	struct replayed replayed;
	struct receipts receipts;
	struct anchors anchors;
	struct alarms alarms;
	struct retention retention;
	struct certificate certificate;
	int state_fd, device_fd; /* directories */
	uint64_t prepared_epoch;
	uint32_t prepared_keep_s;
	bool disk_failing;
};

static struct audit audit = {.state_fd = -1, .device_fd = -1};

/* ---- writing */

static int64_t now_s(const struct audit *a)
{
	return clock_wall_ns(a->form.clock) / NS_PER_S;
}

static void write_event(void *ctx, const char *process, const struct event_record *event)
{
	struct audit *a = ctx;
	int err = store_append(&a->store, process, event);

	if (err < 0 && !a->disk_failing)
		fprintf(stderr, "audit: the log cannot be written: %s\n", err_name(err));
	a->disk_failing = err < 0;
	alarms_see(&a->alarms, event, now_s(a));
}

static void write_own_event(void *ctx, enum event_id id, const struct event_arg *args, size_t count)
{
	struct event_record event;

	(void)event_build(&event, id, args, count); /* our own arguments fit */
	write_event(ctx, "audit", &event);
}

#define own_event(a, id, ...)                                                                      \
	write_own_event((a), (id), (const struct event_arg[]){__VA_ARGS__},                        \
			sizeof((const struct event_arg[]){__VA_ARGS__}) /                          \
				sizeof(struct event_arg))

static void on_refused(void *ctx, const char *process, const char *why, enum event_id claimed)
{
	if (claimed == EVENT_NONE_)
		own_event(ctx, EVENT_EVENT_REFUSED, EV_TEXT(PROCESS, process),
			  EV_TEXT(REASON, why));
	else
		own_event(ctx, EVENT_EVENT_REFUSED, EV_TEXT(PROCESS, process),
			  EV_TEXT(REASON, "an event of another process"),
			  EV_TEXT(NAME, event_name(claimed)));
}

/* Return: 0 or -ERR_SYSTEM: something that was written may not be on the disk. */
static int sync_log(struct audit *a)
{
	int err = store_sync(&a->store);

	if (err < 0)
		fprintf(stderr, "audit: the log cannot be brought to the disk\n");
	else
		destinations_kick(&a->destinations);
	return err;
}

static void on_settled(void *ctx)
{
	struct audit *a = ctx;

	if (a->store.urgent)
		(void)sync_log(a); /* stays dirty: tried again by the timer */
}

static void on_sync(struct loop *loop, struct loop_timer *timer)
{
	struct audit *a = timer->ctx;

	(void)sync_log(a); /* tried again in a second */
	alarms_expire(&a->alarms, now_s(a));
	(void)alarms_keep(&a->alarms, a->state_fd); /* and this */
	loop_arm(loop, timer, SYNC_MS);
}

static void on_heartbeat(struct loop *loop, struct loop_timer *timer)
{
	struct audit *a = timer->ctx;

	own_event(a, EVENT_HEARTBEAT, EV_NUMBER(UPTIME_S, clock_mono_ms(a->loop.clock) / 1000U),
		  EV_NUMBER(RECORDS, a->store.chain.next_sequence - 1),
		  EV_NUMBER(UNWRITTEN, a->store.unwritten_total));
	loop_arm(loop, timer, HEARTBEAT_MS);
}

/* ---- receipts */

static void take_receipt(struct audit *a, uint32_t session, int fd)
{
	struct receipt_stored stored;
	int err = receipts_store(&a->receipts, fd, &stored);

	(void)close(fd); /* read */
	if (err < 0)
		own_event(a, EVENT_RECEIPT_LOST, EV_NUMBER(SESSION, session),
			  EV_TEXT(REASON, err_name(err)));
	else
		own_event(a, EVENT_RECEIPT_STORED, EV_NUMBER(SESSION, session),
			  EV_TEXT(RECEIPT, stored.id), EV_NUMBER(BYTES, stored.size_bytes),
			  EV_SHA256(SHA256, stored.sha256));
	on_settled(a);
}

/* ---- the supervisor */

static int keep_directory(int *kept, int fd)
{
	if (*kept >= 0)
		return -ERR_PEER;
	*kept = fd;
	return 0;
}

static int on_give(void *ctx, const struct control_give *give, int fd)
{
	struct audit *a = ctx;

	switch (give->kind) {
	case GIVE_LINK:
		/* A full table is told to the source by its closed channel, and to the auditor by
		 * the record. */
		if (links_add(&a->links, give->role, give->session, fd) < 0)
			fprintf(stderr, "audit: no room for another event channel\n");
		return 0;
	case GIVE_SYSLOG:
		return destinations_give(&a->destinations, give->index, fd);
	case GIVE_RECEIPT:
		take_receipt(a, give->session, fd);
		return 0;
	case GIVE_STATE:
		return keep_directory(give->index == GIVE_STATE_KEYS ? &a->device_fd : &a->state_fd,
				      fd);
	default:
		return -ERR_PEER;
	}
}

static int handle_give(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return process_keep(on_give, ctx, message);
}

static int refuse(struct audit *a, uint64_t epoch, const char *reason)
{
	struct control_refused refused = {.epoch = epoch};

	(void)snprintf(refused.reason, sizeof(refused.reason), "%s", reason);
	return channel_send(&a->process.control, CONTROL_REFUSED, &refused, sizeof(refused), NULL,
			    0);
}

/* Note what a policy wants of the log; nothing changes yet. Return: as destinations_prepare. */
static int note_policy(struct audit *a, const struct snapshot *snapshot)
{
	a->prepared_keep_s = snapshot->header->retention_s;
	return destinations_prepare(&a->destinations, snapshot);
}

/* A policy that cannot be recorded does not take effect. */
static int handle_prepare(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct audit *a = ctx;
	const struct control_epoch *epoch = message->body;
	struct snapshot snapshot;
	int err = snapshot_load(&snapshot, message->fds[0]);

	if (err < 0)
		return refuse(a, epoch->epoch, "audit cannot read the policy");
	err = note_policy(a, &snapshot);
	snapshot_unload(&snapshot);
	if (err < 0)
		return refuse(a, epoch->epoch, "audit has no room for so many syslog servers");
	links_drain(&a->links);
	if (a->disk_failing || sync_log(a) < 0)
		return refuse(a, epoch->epoch, "the audit log cannot be written");
	a->prepared_epoch = epoch->epoch;
	return channel_send(ch, CONTROL_PREPARED, epoch, sizeof(*epoch), NULL, 0);
}

static void apply(struct audit *a, uint64_t epoch)
{
	destinations_apply(&a->destinations, &a->form);
	retention_set(&a->retention, a->prepared_keep_s);
	own_event(a, EVENT_SYSLOG_CONFIGURED, EV_NUMBER(COUNT, a->destinations.running.count),
		  EV_NUMBER(EPOCH, epoch));
	on_settled(a);
}

static int handle_apply(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct audit *a = ctx;
	const struct control_epoch *epoch = message->body;

	if (epoch->epoch != a->prepared_epoch)
		return -ERR_PEER;
	apply(a, epoch->epoch);
	return channel_send(ch, CONTROL_APPLIED, epoch, sizeof(*epoch), NULL, 0);
}

static int handle_abort(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct audit *a = ctx;

	a->prepared_epoch = 0; /* what was noted is overwritten by the next PREPARE */
	return 0;
}

static int handle_ping(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct audit *a = ctx;

	links_drain(&a->links);
	on_settled(a);
	return channel_send(ch, CONTROL_PONG, message->body, message->body_bytes, NULL, 0);
}

/* Something waits for its record: it goes on only when that is on the disk. */
static int handle_record(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct audit *a = ctx;
	struct control_recorded body = {
		.number = ((const struct control_record *)message->body)->number};

	links_drain(&a->links);
	body.ok = !a->disk_failing && sync_log(a) == 0;
	return channel_send(ch, CONTROL_RECORDED, &body, sizeof(body), NULL, 0);
}

static int handle_certify(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct audit *a = ctx;

	certificate_begin(&a->certificate, message->body);
	return 0;
}

static int handle_connected(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct audit *a = ctx;
	const struct control_connected *answer = message->body;
	int fd = message->fd_count > 0 ? message->fds[0] : -1;

	if (fd >= 0)
		message->fds[0] = -1;
	destinations_connected(&a->destinations, answer->target, fd, answer->error);
	return 0;
}

/* A supervisor that does not take the question does not answer: the sender asks again. */
static void ask_connection(void *ctx, uint32_t index)
{
	struct audit *a = ctx;
	const struct control_connect body = {.target = index};

	(void)channel_send(&a->process.control, CONTROL_CONNECT, &body, sizeof(body), NULL, 0);
}

static const char *print_device_key(void *ctx, const struct control_query *query, struct bytes *out)
{
	const struct audit *a = ctx;

	return anchors_print(&a->anchors, out) < 0 ? "the key cannot be shown" : NULL;
}

static const char *print_alarms(void *ctx, const struct control_query *query, struct bytes *out)
{
	const struct audit *a = ctx;
	bool japanese = strcmp(query->argument, "ja") == 0;
	bool public = query->kind == QUERY_PUBLIC_ALARMS;

	return alarms_print(&a->alarms, japanese, public, out) < 0 ? "the alarms cannot be shown"
								   : NULL;
}

static int handle_query(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct audit *a = ctx;
	const struct control_query *query = message->body;

	switch (query->kind) {
	case QUERY_LOG:
	case QUERY_MAIL_LOG:
	case QUERY_PROCESS_LOG:
	case QUERY_FOLLOW:
	case QUERY_RECEIPT:
		answer_query(&a->answer, query);
		return 0;
	case QUERY_ALARMS:
	case QUERY_PUBLIC_ALARMS:
		alarms_expire(&a->alarms, now_s(a));
		answer_text(&a->answer, query, print_alarms, a);
		return 0;
	case QUERY_TIMELINE:
		answer_log_text(&a->answer, query, timeline_print, &a->store);
		return 0;
	case QUERY_SEEN:
		answer_log_text(&a->answer, query, seen_print, &a->store);
		return 0;
	case QUERY_REPLAY:
		(void)replayed_query(&a->replayed, query); /* a refusal can be asked for again */
		return 0;
	case QUERY_LOG_FILES:
		anchors_write(&a->anchors);
		on_settled(a);
		answer_text(&a->answer, query, evidence_print_log, &a->store);
		return 0;
	case QUERY_SIGN:
	case QUERY_SIGN_SUPPORT:
		answer_text(&a->answer, query, evidence_sign, &a->anchors);
		on_settled(a);
		return 0;
	case QUERY_DEVICE_KEY:
		answer_text(&a->answer, query, print_device_key, a);
		return 0;
	default:
		return -ERR_PEER;
	}
}

static int handle_replay_next(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct audit *a = ctx;

	replayed_next(&a->replayed, ((const struct control_replay *)message->body)->number);
	return 0;
}

static int handle_withdraw(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct audit *a = ctx;

	replayed_withdraw(&a->replayed, ((const struct control_withdraw *)message->body)->number);
	return 0;
}

static int handle_stop(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct audit *a = ctx;

	links_drain(&a->links);
	anchors_write(&a->anchors);
	loop_stop(&a->loop, 0);
	return 0;
}

static const struct channel_rule control_rules[] = {
	{CONTROL_GIVE, 1, 1, CHANNEL_EXACTLY(control_give), handle_give, "give"},
	{CONTROL_PREPARE, 1, 1, CHANNEL_EXACTLY(control_epoch), handle_prepare, "prepare"},
	{CONTROL_APPLY, 0, 0, CHANNEL_EXACTLY(control_epoch), handle_apply, "apply"},
	{CONTROL_ABORT, 0, 0, CHANNEL_EXACTLY(control_epoch), handle_abort, "abort"},
	{CONTROL_PING, 0, 0, CHANNEL_EXACTLY(control_ping), handle_ping, "ping"},
	{CONTROL_RECORD, 0, 0, CHANNEL_EXACTLY(control_record), handle_record, "record"},
	{CONTROL_CERTIFY, 0, 0, CHANNEL_EXACTLY(control_certify), handle_certify, "certify"},
	{CONTROL_CONNECTED, 0, 1, CHANNEL_EXACTLY(control_connected), handle_connected,
	 "connected"},
	{CONTROL_QUERY, 0, 0, CHANNEL_EXACTLY(control_query), handle_query, "query"},
	{CONTROL_REPLAY_NEXT, 0, 0, CHANNEL_EXACTLY(control_replay), handle_replay_next,
	 "replay next"},
	{CONTROL_WITHDRAW, 0, 0, CHANNEL_EXACTLY(control_withdraw), handle_withdraw, "withdraw"},
	{CONTROL_STOP, 0, 0, 0, 0, CHANNEL_ANY_STATE, handle_stop, "stop"},
};

/* Without the supervisor there is nothing to record for: what has been said is written. */
static void on_lost(void *ctx)
{
	struct audit *a = ctx;

	links_drain(&a->links);
}

/* ---- life */

static void report_recovery(struct audit *a, const struct store_recovery *found)
{
	if (found->torn_bytes > 0)
		own_event(a, EVENT_LOG_TORN, EV_NUMBER(BYTES, found->torn_bytes));
	if (found->broken)
		own_event(a, EVENT_LOG_BROKEN, EV_TEXT(REASON, found->why));
	own_event(a, EVENT_LOG_OPENED, EV_NUMBER(RECORDS, a->store.chain.next_sequence - 1),
		  EV_NUMBER(BYTES, a->store.total_bytes));
	on_settled(a);
}

static int open_log(struct audit *a)
{
	struct store_recovery found;
	int err;

	if (a->state_fd < 0) {
		fprintf(stderr, "audit: no directory for the log was given\n");
		return -ERR_NOT_FOUND;
	}
	err = alarms_load(&a->alarms, a->state_fd);
	if (err < 0)
		fprintf(stderr, "audit: the alarms of before cannot be read: %s\n", err_name(err));
	err = store_open(&a->store, a->state_fd, &a->form, 0, 0, &found);
	if (err < 0)
		fprintf(stderr, "audit: the log cannot be opened: %s\n", err_name(err));
	else
		report_recovery(a, &found);
	if (err == 0) {
		anchors_start(&a->anchors, &a->loop, &a->store, a->device_fd);
		retention_start(&a->retention, &a->loop);
		on_settled(a);
	}
	if (err == 0 && receipts_open(&a->receipts, a->state_fd, 0, 0) < 0)
		fprintf(stderr, "audit: receipts of earlier mails cannot be listed\n");
	return err;
}

/* The policy that runs already when audit is started again. */
static int adopt_running(struct audit *a, const struct control_start *start, int snapshot_fd)
{
	struct snapshot snapshot;
	int err;

	if (snapshot_fd < 0)
		return 0;
	err = snapshot_load(&snapshot, snapshot_fd);
	(void)close(snapshot_fd); /* mapped, or of no use */
	if (err < 0)
		return err;
	err = note_policy(a, &snapshot);
	snapshot_unload(&snapshot);
	if (err == 0)
		apply(a, start->epoch);
	return err;
}

static const int extra_syscalls[] = {
	SYS_openat,       SYS_unlinkat, SYS_getdents64, SYS_ftruncate, SYS_fsync,
	SYS_fdatasync,    SYS_fstatfs,  SYS_renameat2, /* a receipt gets its name when it is whole
							*/
	SYS_memfd_create,                              /* records that are handed to be judged */
#ifdef SYS_renameat
	SYS_renameat,
#endif
};

static const struct sandbox_profile profile = {
	.name = "audit",
	.syscalls = extra_syscalls,
	.syscall_count = sizeof(extra_syscalls) / sizeof(extra_syscalls[0]),
	.keeps_files = true,
};

static void init(struct audit *a)
{
	const struct links_sink sink = {write_event, on_refused, on_settled, a};
	const struct destinations_owner owner = {write_own_event, ask_connection, a};

	a->form = (struct record_form){.clock = &clock_system, .host = "sekisho"};
	loop_init(&a->loop, &clock_system, a->polls, a->fds, DESCRIPTORS);
	links_init(&a->links, &a->loop, &sink);
	destinations_init(&a->destinations, &a->loop, &a->store, owner);
	a->alarms = (struct alarms){.event = write_own_event, .ctx = a};
	a->anchors = (struct anchors){.event = write_own_event, .ctx = a};
	a->retention = (struct retention){.store = &a->store, .event = write_own_event, .ctx = a};
	a->certificate = (struct certificate){.loop = &a->loop,
					      .control = &a->process.control,
					      .store = &a->store,
					      .form = &a->form,
					      .destinations = &a->destinations,
					      .key = &a->anchors.key};
	answer_init(&a->answer, &a->loop, &a->process.control, &a->store, &a->receipts);
	replayed_init(&a->replayed, &a->loop, &a->process.control, &a->store);
	a->sync_timer = (struct loop_timer){.fire = on_sync, .ctx = a};
	a->heartbeat_timer = (struct loop_timer){.fire = on_heartbeat, .ctx = a};
}

static int start(struct audit *a)
{
	struct control_start begin;
	int snapshot_fd = -1;
	int err = process_begin(&a->process, &profile, on_give, a, &begin, &snapshot_fd);

	if (err == 0)
		err = open_log(a);
	if (err == 0)
		err = adopt_running(a, &begin, snapshot_fd);
	if (err < 0)
		return err;
	err = process_serve(&a->process, &a->loop, control_rules,
			    sizeof(control_rules) / sizeof(control_rules[0]), on_lost, a);
	if (err < 0)
		return err;
	loop_arm(&a->loop, &a->sync_timer, SYNC_MS);
	loop_arm(&a->loop, &a->heartbeat_timer, HEARTBEAT_MS);
	return process_ready(&a->process);
}

int main(void)
{
	int status, err;

	init(&audit);
	err = start(&audit);
	if (err < 0) {
		fprintf(stderr, "audit: cannot start: %s\n", err_name(err));
		return 1;
	}
	status = loop_run(&audit.loop);
	anchors_fini(&audit.anchors);
	destinations_fini(&audit.destinations);
	store_close(&audit.store);
	return status < 0 ? 1 : status;
}
