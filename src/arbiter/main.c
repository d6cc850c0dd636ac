/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arbiter: decides whether the first packet of a flow, and after a change of policy any packet of
 * it, may cross. Talks to the supervisor (control), netfilter (packets in, verdicts out) and audit
 * (events out). Holds no capability, no file and no socket but these; reads packet headers that
 * strangers wrote, and so is trusted with nothing else.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "arbiter/decide.h"
#include "arbiter/rehearsal.h"
#include "arbiter/show.h"
#include "arbiter/trial.h"
#include "base/channel.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/process.h"
#include "base/sealed.h"
#include "channel/control.h"
#include "channel/packet.h"
#include "channel/stations.h"

#define LOOP_FDS         4
#define TICK_MS          100
#define USE_MS           1000 /* for netfilter to say how much of a limit is in use */
#define MESSAGES_A_ROUND 16
#define REPORT_WAIT_MS   1000 /* for room to tell the supervisor how a commit stands */

/* A policy in one of the two slots: the running one, and one that is prepared or was running
 * before. */
struct slot {
	uint64_t epoch; /* 0: empty */
	struct snapshot snapshot;
	struct judge_policy policy;
};

static struct arbiter {
	struct process process;
	struct loop loop;
	struct pollfd polls[LOOP_FDS];
	struct loop_fd *fds[LOOP_FDS];
	struct loop_fd link_fd;
	struct loop_timer tick;
	struct channel link; /* to netfilter; fd -1: none */
	struct slot slots[2];
	unsigned running; /* slot */
	struct decider decider;
	struct trial trial;
	struct rehearsal rehearsal;
	uint64_t trial_ms;                 /* when it began to wait for netfilter */
	struct packet_verdicts verdicts;   /* of the batch that is being judged */
	uint8_t whole[PACKET_WHOLE_BYTES]; /* that packet */
	uint32_t whole_bytes;
} arbiter;

static uint64_t now_ms(void)
{
	return clock_mono_ms(&clock_system);
}

static int64_t wall_s(void)
{
	return clock_wall_ns(&clock_system) / 1000000000;
}

/* Return: 0, or an error of the control channel. */
static int finish_trial(const struct packet_use *use)
{
	if (arbiter.trial.snapshot == NULL)
		return 0;
	return trial_finish(&arbiter.process.control, &arbiter.trial, use);
}

static void slot_clear(struct slot *slot)
{
	if (slot->epoch == 0)
		return;
	if (arbiter.trial.snapshot == &slot->snapshot)
		(void)finish_trial(NULL); /* its policy goes; a row that is lost can be asked for */
	awaited_forget(&arbiter.decider.awaited, &slot->policy);
	judge_fini(&slot->policy);
	snapshot_unload(&slot->snapshot);
	slot->epoch = 0;
}

static int slot_load(struct slot *slot, int snapshot_fd, uint64_t epoch)
{
	int err;

	slot_clear(slot);
	err = snapshot_load(&slot->snapshot, snapshot_fd);
	if (err != 0)
		return err;
	err = judge_init(&slot->policy, &slot->snapshot);
	if (err != 0) {
		snapshot_unload(&slot->snapshot);
		return err;
	}
	slot->epoch = epoch;
	/* Without it, flows that have shown something have to begin anew at the next change. */
	(void)heritage_add_policy(&arbiter.decider.heritage, &slot->snapshot, epoch);
	return 0;
}

static const struct slot *slot_of(uint64_t epoch)
{
	for (unsigned i = 0; i < 2; i++) {
		if (epoch != 0 && arbiter.slots[i].epoch == epoch)
			return &arbiter.slots[i];
	}
	return NULL;
}

static bool batch_is_sound(const struct packet_batch *batch, size_t bytes)
{
	if (batch->count == 0 || batch->count > PACKET_BATCH_MAX || batch->generation == 0 ||
	    batch->generation > UINT16_MAX || batch->purpose > PACKET_FOR_FLOWS)
		return false;
	if (bytes != offsetof(struct packet_batch, items) + batch->count * sizeof(batch->items[0]))
		return false;
	for (uint32_t i = 0; i < batch->count; i++) {
		if (batch->items[i].captured_bytes > PACKET_COPY_BYTES)
			return false;
	}
	return true;
}

/* Ask the supervisor to shut a station out. */
static void isolate(const struct decide_question *q, const uint8_t mac[6], const char *kind)
{
	const struct slot *first = &arbiter.slots[0];
	struct control_alarm alarm = {.zone = q->zone};

	alarm.epoch = q->policy == &first->policy ? first->epoch : arbiter.slots[1].epoch;
	memcpy(alarm.mac, mac, sizeof(alarm.mac));
	snprintf(alarm.kind, sizeof(alarm.kind), "%s", kind);
	/* Without room it stays an event, and the next alarm tries again. */
	(void)channel_send(&arbiter.process.control, CONTROL_ALARM, &alarm, sizeof(alarm), NULL, 0);
}

static struct decide_question question_of(const struct slot *slot, uint32_t generation,
					  uint32_t zone)
{
	heritage_add_generation(&arbiter.decider.heritage, (uint16_t)generation, slot->epoch);
	return (struct decide_question){
		.policy = &slot->policy,
		.generation = generation,
		.zone = zone,
		.now_s = wall_s(),
		.now_ms = now_ms(),
	};
}

static void judge_batch(const struct slot *slot, const struct packet_batch *batch,
			struct packet_verdicts *out)
{
	struct decide_question q = question_of(slot, batch->generation, batch->zone);

	q.purpose = batch->purpose;
	for (uint32_t i = 0; i < batch->count; i++) {
		q.item = &batch->items[i];
		q.data = (struct span){q.item->data, q.item->captured_bytes};
		out->items[i].mark = decide_packet(&arbiter.decider, &q);
	}
}

static int send_verdicts(struct channel *ch)
{
	const struct packet_verdicts *out = &arbiter.verdicts;
	int err = channel_send(ch, PACKET_VERDICTS, out,
			       offsetof(struct packet_verdicts, items) +
				       out->count * sizeof(out->items[0]),
			       NULL, 0);

	/* No room: netfilter does not read, and drops these packets itself when their time is up.
	 */
	return err == -ERR_AGAIN ? 0 : err;
}

static int handle_batch(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct packet_batch *batch = message->body;
	struct packet_verdicts *out = &arbiter.verdicts;

	if (!batch_is_sound(batch, message->body_bytes))
		return -ERR_PEER;
	const struct slot *slot = slot_of(batch->epoch);

	*out = (struct packet_verdicts){.generation = batch->generation,
					.zone = batch->zone,
					.count = batch->count,
					.purpose = batch->purpose};
	for (uint32_t i = 0; i < batch->count; i++)
		out->items[i].id = batch->items[i].id;
	if (slot != NULL && batch->zone < slot->snapshot.zone_count)
		judge_batch(slot, batch, out);
	return send_verdicts(ch);
}

static bool part_is_sound(const struct packet_part *part)
{
	return part->generation != 0 && part->generation <= UINT16_MAX && part->bytes > 0 &&
	       part->bytes <= PACKET_PART_BYTES && part->captured_bytes <= PACKET_WHOLE_BYTES &&
	       part->at < part->captured_bytes && part->bytes <= part->captured_bytes - part->at &&
	       part->item.captured_bytes <= PACKET_COPY_BYTES;
}

/* Parts come in order; with the last one the packet is judged. A first part begins anew. */
static int handle_part(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct packet_part *part = message->body;
	const struct slot *slot = slot_of(part->epoch);
	struct packet_verdicts *out = &arbiter.verdicts;

	if (!part_is_sound(part) || (part->at != 0 && part->at != arbiter.whole_bytes))
		return -ERR_PEER;
	memcpy(arbiter.whole + part->at, part->data, part->bytes);
	arbiter.whole_bytes = part->at + part->bytes;
	if (arbiter.whole_bytes < part->captured_bytes)
		return 0;
	*out = (struct packet_verdicts){.generation = part->generation,
					.zone = part->zone,
					.count = 1,
					.purpose = PACKET_FOR_WHOLE};
	out->items[0].id = part->item.id;
	if (slot != NULL && part->zone < slot->snapshot.zone_count) {
		struct decide_question q = question_of(slot, part->generation, part->zone);

		q.purpose = PACKET_FOR_WHOLE;
		q.item = &part->item;
		q.data = (struct span){arbiter.whole, part->captured_bytes};
		out->items[0].mark = decide_packet(&arbiter.decider, &q);
	}
	return send_verdicts(ch);
}

static int handle_link_ping(struct channel *ch, void *ctx, const struct channel_message *message)
{
	int err = channel_send(ch, PACKET_PONG, message->body, message->body_bytes, NULL, 0);

	return err == -ERR_AGAIN ? 0 : err;
}

static int handle_admissions(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct packet_admissions *told = message->body;

	if (told->count == 0 || told->count > PACKET_BATCH_MAX ||
	    (told->purpose != PACKET_FOR_PACKETS && told->purpose != PACKET_FOR_WHOLE) ||
	    message->body_bytes != offsetof(struct packet_admissions, items) +
					   told->count * sizeof(told->items[0]))
		return -ERR_PEER;
	for (uint32_t i = 0; i < told->count; i++) {
		if (told->items[i].admission >= PACKET_ADMISSION_COUNT_)
			return -ERR_PEER;
		decide_admission(&arbiter.decider, told->zone, (enum packet_purpose)told->purpose,
				 told->items[i].id, (enum packet_admission)told->items[i].admission,
				 now_ms());
	}
	return 0;
}

static int handle_generation(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct packet_generation *told = message->body;

	if (told->generation == 0 || told->generation > UINT16_MAX)
		return -ERR_PEER;
	heritage_add_generation(&arbiter.decider.heritage, (uint16_t)told->generation, told->epoch);
	return 0;
}

static int handle_use(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct packet_use *use = message->body;

	if (trial_needs_use(&arbiter.trial) && use->permit == arbiter.trial.verdict.permit)
		(void)finish_trial(use); /* a row that is lost can be asked for again */
	return 0;
}

static int handle_show(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct packet_show *shown = message->body;
	const struct slot *slot = slot_of(shown->epoch);

	return show_packet(&arbiter.process.control, slot != NULL ? &slot->policy : NULL, shown);
}

static const struct channel_rule link_rules[] = {
	{PACKET_BATCH, 0, 0, offsetof(struct packet_batch, items) + sizeof(struct packet_item),
	 sizeof(struct packet_batch), CHANNEL_ANY_STATE, handle_batch, "batch"},
	{PACKET_PART, 0, 0, CHANNEL_EXACTLY(packet_part), handle_part, "part"},
	{PACKET_ADMISSIONS, 0, 0,
	 offsetof(struct packet_admissions, items) + sizeof(struct packet_admission_item),
	 sizeof(struct packet_admissions), CHANNEL_ANY_STATE, handle_admissions, "admissions"},
	{PACKET_PING, 0, 0, CHANNEL_EXACTLY(packet_ping), handle_link_ping, "ping"},
	{PACKET_USE, 0, 0, CHANNEL_EXACTLY(packet_use), handle_use, "use"},
	{PACKET_SHOW, 0, 0, CHANNEL_EXACTLY(packet_show), handle_show, "show"},
	{PACKET_GENERATION, 0, 0, CHANNEL_EXACTLY(packet_generation), handle_generation,
	 "generation"},
};

static void close_link(void)
{
	loop_remove(&arbiter.loop, &arbiter.link_fd);
	channel_fini(&arbiter.link);
	for (unsigned i = 0; i < 2; i++) /* its numbers begin anew */
		awaited_forget(&arbiter.decider.awaited, &arbiter.slots[i].policy);
}

static void link_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	const char *why = NULL;
	int got = channel_serve(&arbiter.link, MESSAGES_A_ROUND, &why);

	if (got == -ERR_PEER)
		event_send(&arbiter.process.events, EVENT_CHANNEL_VIOLATION,
			   EV_TEXT(PROCESS, "netfilter"), EV_TEXT(REASON, why ? why : "handler"));
	if (got < 0)
		close_link(); /* the supervisor brings a new one when netfilter is back */
	if (got < 0 && got != -ERR_CLOSED)
		loop_stop(loop, 1); /* netfilter is still there: a new link comes with a new life */
}

static int take_watched(int fd)
{
	struct bytes rows;
	int err;

	bytes_init(&rows, WATCHED_MAX * sizeof(struct watched));
	err = sealed_read(&rows, fd);
	if (err == 0)
		err = watched_take(&arbiter.decider.watched, bytes_span(&rows));
	bytes_fini(&rows);
	if (err != 0)
		return -ERR_PEER;
	(void)close(fd); /* read */
	return 0;
}

static int take_link(void *ctx, const struct control_give *give, int fd)
{
	if (give->kind == GIVE_WATCHED)
		return take_watched(fd);
	if (give->kind != GIVE_LINK || give->role != ROLE_NETFILTER)
		return -ERR_PEER;
	if (arbiter.link.fd >= 0)
		close_link();
	channel_init(&arbiter.link, fd, link_rules, sizeof(link_rules) / sizeof(link_rules[0]),
		     NULL);
	arbiter.link_fd = (struct loop_fd){.fd = fd, .events = POLLIN, .ready = link_ready};
	return loop_add(&arbiter.loop, &arbiter.link_fd);
}

static int handle_give(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return process_keep(take_link, ctx, message);
}

static int refuse(struct channel *ch, uint64_t epoch, int err)
{
	struct control_refused refused = {.epoch = epoch};

	snprintf(refused.reason, sizeof(refused.reason),
		 "arbiter: the policy cannot be compiled: %s", err_name(err));
	return channel_send_wait(ch, CONTROL_REFUSED, &refused, sizeof(refused), NULL, 0,
				 REPORT_WAIT_MS);
}

static int handle_prepare(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_epoch *body = message->body;
	struct slot *slot = &arbiter.slots[1 - arbiter.running];

	if (body->epoch == 0)
		return -ERR_PEER;
	/* It compares with a policy that goes, and has memory that this one may need. */
	rehearsal_end(&arbiter.rehearsal, "another policy is being committed; ask again");
	int err = slot_load(slot, message->fds[0], body->epoch);

	if (err != 0)
		return refuse(ch, body->epoch, err);
	return channel_send_wait(ch, CONTROL_PREPARED, body, sizeof(*body), NULL, 0,
				 REPORT_WAIT_MS);
}

/*
 * The policy before stays in the other slot: netfilter may still ask by its epoch, until it has
 * applied too. Which of the two answers is decided by the epoch in each batch, never by the order
 * in which the two processes apply.
 */
static int handle_apply(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_epoch *body = message->body;

	if (arbiter.slots[1 - arbiter.running].epoch != body->epoch)
		return -ERR_PEER;
	arbiter.running = 1 - arbiter.running;
	denials_set_shares(&arbiter.decider.denials,
			   snapshot_queues(&arbiter.slots[arbiter.running].snapshot));
	return channel_send_wait(ch, CONTROL_APPLIED, body, sizeof(*body), NULL, 0, REPORT_WAIT_MS);
}

static int handle_abort(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_epoch *body = message->body;
	struct slot *slot = &arbiter.slots[1 - arbiter.running];

	if (slot->epoch == body->epoch)
		slot_clear(slot);
	return 0;
}

/* Return: 0, or an error of the control channel. */
static int begin_trial(struct channel *ch, const struct control_query *query)
{
	const struct slot *slot = &arbiter.slots[arbiter.running];
	int err = finish_trial(NULL); /* another console's, which has waited */

	if (err == 0)
		err = trial_begin(ch, &arbiter.trial, slot->epoch != 0 ? &slot->policy : NULL,
				  query, wall_s());
	if (err != 0 || !trial_needs_use(&arbiter.trial))
		return err != 0 ? err : finish_trial(NULL);
	const struct packet_use use = {.epoch = slot->epoch,
				       .permit = arbiter.trial.verdict.permit};

	arbiter.trial_ms = now_ms();
	/* Without room on the link the answer goes without it. */
	(void)channel_send(&arbiter.link, PACKET_USE_ASKED, &use, sizeof(use), NULL, 0);
	return 0;
}

static int handle_query(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_query *query = message->body;

	bool of_candidate = query->kind == QUERY_TEST_CANDIDATE;

	if ((!of_candidate && query->kind != QUERY_TEST_FLOW) ||
	    message->fd_count != (of_candidate ? 1 : 0))
		return -ERR_PEER;
	int err = of_candidate ? trial_of_candidate(ch, query, message->fds[0], wall_s())
			       : begin_trial(ch, query);

	return err == -ERR_AGAIN ? 0 : err; /* a row that is lost can be asked for again */
}

static int handle_replay(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct slot *slot = &arbiter.slots[arbiter.running];
	struct control_replay asked = *(const struct control_replay *)message->body;

	if (asked.number == 0 || asked.japanese > 1)
		return -ERR_PEER;
	rehearsal_begin(&arbiter.rehearsal, &asked, slot->epoch != 0 ? &slot->policy : NULL,
			message->fds[0], wall_s());
	return 0;
}

static int handle_replayed(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return rehearsal_take(&arbiter.rehearsal, message->body, message->fds[0]);
}

static int handle_withdraw(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_withdraw *body = message->body;

	if (body->number == arbiter.rehearsal.asked.number)
		rehearsal_end(&arbiter.rehearsal, NULL);
	return 0;
}

static int handle_stop(struct channel *ch, void *ctx, const struct channel_message *message)
{
	loop_stop(&arbiter.loop, 0);
	return 0;
}

static const struct channel_rule control_rules[] = {
	{CONTROL_GIVE, 1, 1, CHANNEL_EXACTLY(control_give), handle_give, "give"},
	{CONTROL_PREPARE, 1, 1, CHANNEL_EXACTLY(control_epoch), handle_prepare, "prepare"},
	{CONTROL_APPLY, 0, 0, CHANNEL_EXACTLY(control_epoch), handle_apply, "apply"},
	{CONTROL_ABORT, 0, 0, CHANNEL_EXACTLY(control_epoch), handle_abort, "abort"},
	{CONTROL_PING, 0, 0, CHANNEL_EXACTLY(control_ping), process_pong, "ping"},
	{CONTROL_QUERY, 0, 1, CHANNEL_EXACTLY(control_query), handle_query, "query"},
	{CONTROL_REPLAY, 1, 1, CHANNEL_EXACTLY(control_replay), handle_replay, "replay"},
	{CONTROL_REPLAYED, 1, 1, CHANNEL_EXACTLY(control_replayed), handle_replayed, "replayed"},
	{CONTROL_WITHDRAW, 0, 0, CHANNEL_EXACTLY(control_withdraw), handle_withdraw, "withdraw"},
	{CONTROL_STOP, 0, 0, 0, 0, CHANNEL_ANY_STATE, handle_stop, "stop"},
};

static void tick(struct loop *loop, struct loop_timer *self)
{
	decide_tick(&arbiter.decider,
		    arbiter.slots[arbiter.running].epoch != 0
			    ? &arbiter.slots[arbiter.running].snapshot
			    : NULL,
		    now_ms());
	if (now_ms() - arbiter.trial_ms > USE_MS)
		(void)finish_trial(NULL); /* a row that is lost can be asked for again */
	loop_arm(loop, self, TICK_MS);
}

static const struct sandbox_profile profile = {.name = "arbiter"};

int main(void)
{
	struct control_start start;
	int snapshot_fd = -1;

	arbiter.link.fd = -1;
	arbiter.tick.fire = tick;
	loop_init(&arbiter.loop, &clock_system, arbiter.polls, arbiter.fds, LOOP_FDS);
	decide_init(&arbiter.decider, &arbiter.process.events, now_ms());
	arbiter.decider.isolate = isolate;
	rehearsal_init(&arbiter.rehearsal, &arbiter.loop, &arbiter.process.control);
	if (process_begin(&arbiter.process, &profile, take_link, NULL, &start, &snapshot_fd) != 0 ||
	    start.role != ROLE_ARBITER)
		return 1;
	if (snapshot_fd >= 0) {
		if (slot_load(&arbiter.slots[0], snapshot_fd, start.epoch) != 0)
			return 1;
		(void)close(snapshot_fd); /* mapped */
		denials_set_shares(&arbiter.decider.denials,
				   snapshot_queues(&arbiter.slots[0].snapshot));
	}
	if (process_serve(&arbiter.process, &arbiter.loop, control_rules,
			  sizeof(control_rules) / sizeof(control_rules[0]), NULL, NULL) != 0 ||
	    process_ready(&arbiter.process) != 0)
		return 1;
	loop_arm(&arbiter.loop, &arbiter.tick, TICK_MS);
	return loop_run(&arbiter.loop);
}
