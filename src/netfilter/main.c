/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netfilter: holds the kernel's packet filter of every zone. Loads rulesets, carries packets
 * between the queues and the arbiter, keeps flows alive only while arbiter and supervisor are.
 * Talks to the supervisor (control), the arbiter (packets) and audit (events). Holds CAP_NET_ADMIN
 * and two netlink sockets of each zone, and so never looks into a packet.
 */
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "netfilter/netfilter.h"

#define REPORT_WAIT_MS 1000 /* for room to tell the supervisor how a commit stands */

static struct netfilter netfilter;

uint64_t netfilter_now_ms(void)
{
	return clock_mono_ms(&clock_system);
}

int64_t netfilter_wall_s(void)
{
	return clock_wall_ns(&clock_system) / 1000000000;
}

int64_t netfilter_wall_us(void)
{
	return clock_wall_ns(&clock_system) / 1000;
}

static int keep(int *slot, int fd)
{
	if (*slot >= 0)
		(void)close(*slot); /* given twice: the later one counts */
	*slot = fd;
	return 0;
}

static const enum give_kind given_kinds[GIVEN_COUNT_] = {
	[GIVEN_NETLINK] = GIVE_NETLINK,
	[GIVEN_QUEUE] = GIVE_QUEUE,
	[GIVEN_WHOLE] = GIVE_WHOLE,
	[GIVEN_TRACK] = GIVE_TRACK,
	[GIVEN_CAPTURE] = GIVE_CAPTURE,
	[GIVEN_ALTERED] = GIVE_ALTERED,
	[GIVEN_QUEUE_COUNTS] = GIVE_QUEUE_COUNTS,
	[GIVEN_FLOWS] = GIVE_FLOWS,
	[GIVEN_SEVER] = GIVE_SEVER,
};

static int take_given(void *ctx, const struct control_give *give, int fd)
{
	struct netfilter *nf = ctx;

	if (give->kind == GIVE_LINK && give->role == ROLE_ARBITER) {
		relay_take_link(nf, fd);
		return 0;
	}
	if (give->kind == GIVE_LINK && give->role == ROLE_NETFILTER) {
		if (give->index != 0)
			return shares_take_link(nf, give->index, fd);
		share_take_link(nf, fd);
		return 0;
	}
	if (give->kind == GIVE_STATIONS) {
		int err = zones_shut_stations(nf, fd);

		if (err == 0)
			(void)close(fd); /* read */
		return err;
	}
	if (give->kind == GIVE_COUNTERS) {
		if (hits_open(&nf->track.hits, fd) != 0)
			event_send(&nf->process.events, EVENT_COUNTERS_MISSING,
				   EV_TEXT(REASON, "the file cannot be mapped"));
		track_begin(&nf->track);
		(void)close(fd); /* mapped, or of no use */
		return 0;
	}
	if (give->kind == GIVE_CAPTURE_FILE)
		return keep(&nf->capture.given_fd, fd);
	if (give->index >= SNAPSHOT_ZONES_MAX)
		return -ERR_PEER;
	for (unsigned i = 0; i < GIVEN_COUNT_; i++) {
		if (given_kinds[i] == give->kind)
			return keep(&nf->given[i][give->index], fd);
	}
	return -ERR_PEER;
}

static int handle_give(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return process_keep(take_given, ctx, message);
}

static int handle_prepare(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_epoch *body = message->body;
	struct control_refused refused = {.epoch = body->epoch};

	if (body->epoch == 0)
		return -ERR_PEER;
	if (zones_prepare(ctx, message->fds[0], body->epoch, refused.reason,
			  sizeof(refused.reason)) != 0)
		return channel_send_wait(ch, CONTROL_REFUSED, &refused, sizeof(refused), NULL, 0,
					 REPORT_WAIT_MS);
	return channel_send_wait(ch, CONTROL_PREPARED, body, sizeof(*body), NULL, 0,
				 REPORT_WAIT_MS);
}

static int handle_apply(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_epoch *body = message->body;
	struct netfilter *nf = ctx;

	if (nf->next.epoch != body->epoch || body->epoch == 0)
		return -ERR_PEER;
	nf->supervisor_ms = netfilter_now_ms(); /* a sign of life like any other */
	zones_apply(nf);
	return channel_send_wait(ch, CONTROL_APPLIED, body, sizeof(*body), NULL, 0, REPORT_WAIT_MS);
}

/* A share keeps what it has prepared until the first process tells it to turn. */
static int handle_apply_share(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_epoch *body = message->body;
	const struct netfilter *nf = ctx;

	if (body->epoch == 0 || (nf->next.epoch != body->epoch && nf->running.epoch != body->epoch))
		return -ERR_PEER;
	return channel_send_wait(ch, CONTROL_APPLIED, body, sizeof(*body), NULL, 0, REPORT_WAIT_MS);
}

static int handle_abort(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_epoch *body = message->body;
	struct netfilter *nf = ctx;

	if (nf->next.epoch == body->epoch)
		zones_abort(nf);
	return 0;
}

static int handle_ping(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct netfilter *nf = ctx;

	nf->supervisor_ms = netfilter_now_ms();
	return process_pong(ch, ctx, message);
}

static int handle_query(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return answer_query(ctx, message->body);
}

static int handle_withdraw(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_withdraw *body = message->body;
	struct netfilter *nf = ctx;

	listing_withdraw(&nf->listing, body->number);
	capture_withdraw(&nf->capture, body->number);
	return 0;
}

static int handle_sever(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct netfilter *nf = ctx;
	struct control_sever body;

	memcpy(&body, message->body, sizeof(body));
	body.zone[sizeof(body.zone) - 1] = '\0';
	sever_zone(&nf->sever, body.zone, body.number);
	return 0;
}

static int handle_sever_station(struct channel *ch, void *ctx,
				const struct channel_message *message)
{
	struct netfilter *nf = ctx;
	struct control_sever_station body;

	memcpy(&body, message->body, sizeof(body));
	if (body.count > STATION_ADDRESSES_MAX)
		return -ERR_PEER;
	body.name[sizeof(body.name) - 1] = '\0';
	sever_station(&nf->sever, &body);
	return 0;
}

static int handle_stop(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct netfilter *nf = ctx;

	loop_stop(&nf->loop, 0);
	return 0;
}

static const struct channel_rule control_rules[] = {
	{CONTROL_GIVE, 1, 1, CHANNEL_EXACTLY(control_give), handle_give, "give"},
	{CONTROL_PREPARE, 1, 1, CHANNEL_EXACTLY(control_epoch), handle_prepare, "prepare"},
	{CONTROL_APPLY, 0, 0, CHANNEL_EXACTLY(control_epoch), handle_apply, "apply"},
	{CONTROL_ABORT, 0, 0, CHANNEL_EXACTLY(control_epoch), handle_abort, "abort"},
	{CONTROL_PING, 0, 0, CHANNEL_EXACTLY(control_ping), handle_ping, "ping"},
	{CONTROL_QUERY, 0, 0, CHANNEL_EXACTLY(control_query), handle_query, "query"},
	{CONTROL_WITHDRAW, 0, 0, CHANNEL_EXACTLY(control_withdraw), handle_withdraw, "withdraw"},
	{CONTROL_SEVER, 0, 0, CHANNEL_EXACTLY(control_sever), handle_sever, "sever"},
	{CONTROL_SEVER_STATION, 0, 0, CHANNEL_EXACTLY(control_sever_station), handle_sever_station,
	 "sever-station"},
	{CONTROL_STOP, 0, 0, 0, 0, CHANNEL_ANY_STATE, handle_stop, "stop"},
};

/* Of a share: all questions and orders are the first process's. */
static const struct channel_rule share_rules[] = {
	{CONTROL_GIVE, 1, 1, CHANNEL_EXACTLY(control_give), handle_give, "give"},
	{CONTROL_PREPARE, 1, 1, CHANNEL_EXACTLY(control_epoch), handle_prepare, "prepare"},
	{CONTROL_APPLY, 0, 0, CHANNEL_EXACTLY(control_epoch), handle_apply_share, "apply"},
	{CONTROL_ABORT, 0, 0, CHANNEL_EXACTLY(control_epoch), handle_abort, "abort"},
	{CONTROL_PING, 0, 0, CHANNEL_EXACTLY(control_ping), handle_ping, "ping"},
	{CONTROL_STOP, 0, 0, 0, 0, CHANNEL_ANY_STATE, handle_stop, "stop"},
};

/* Without room it stays an event, and a flood that goes on asks again. */
static void isolate(void *ctx, uint32_t zone, const uint8_t mac[6], const char *kind)
{
	struct netfilter *nf = ctx;
	struct control_alarm alarm = {.zone = zone, .epoch = nf->running.epoch};

	memcpy(alarm.mac, mac, sizeof(alarm.mac));
	snprintf(alarm.kind, sizeof(alarm.kind), "%s", kind);
	(void)channel_send(&nf->process.control, CONTROL_ALARM, &alarm, sizeof(alarm), NULL, 0);
}

/* The elements of one set are on their way. */
struct floods_reading {
	struct floods *floods;
	struct floods_look look;
	enum ruleset_flood kind;
};

static void take_flood(void *ctx, struct span key, uint64_t expires_ms)
{
	const struct floods_reading *reading = ctx;

	if (key.size == 6)
		floods_note(reading->floods, &reading->look, reading->kind, key.data, expires_ms);
}

static void look_for_floods(struct netfilter *nf, struct zone *zone)
{
	struct floods_reading reading = {
		.floods = &zone->floods,
		.look = {.snapshot = &nf->running.snapshot,
			 .zone = zone->index,
			 .events = &nf->process.events,
			 .shut = nf->shut,
			 .shut_count = nf->shut_count,
			 .isolate = isolate,
			 .ctx = nf,
			 .now_ms = netfilter_now_ms()},
	};

	if (!floods_begin_look(&zone->floods, &reading.look))
		return;
	for (unsigned kind = 0; kind < RULESET_FLOOD_COUNT; kind++) {
		reading.kind = kind;
		/* A failure delays an alarm: the next look tries again. */
		(void)watch_each(zone->netlink_fd, NFPROTO_INET, ruleset_floods[kind], take_flood,
				 &reading);
	}
	floods_end_look(&zone->floods, &reading.look, zone->watch.unjudged);
	zone->watch.unjudged = 0;
}

static void look(struct loop *loop, struct loop_timer *self)
{
	struct netfilter *nf = self->ctx;

	loop_arm(loop, self, NETFILTER_WATCH_MS);
	for (uint32_t i = 0; i < nf->running.snapshot.zone_count; i++) {
		struct zone *zone = nf->running.zones[i];

		if (!zone->has_rules)
			continue;
		watch_look(&zone->watch, &nf->process.events, zone->name, zone->netlink_fd,
			   zone->queue_counts_fd, netfilter_now_ms());
		look_for_floods(nf, zone);
	}
}

static void prepare_state(struct netfilter *nf)
{
	nf->link.fd = -1;
	nf->capture.given_fd = nf->capture.file_fd = -1;
	nf->beat = (struct loop_timer){.fire = beat_fire, .ctx = nf};
	nf->look = (struct loop_timer){.fire = look, .ctx = nf};
	memset(nf->given, -1, sizeof(nf->given));
	nf->first.link.fd = nf->first.link_fd.fd = -1;
	shares_init(nf);
	listing_init(&nf->listing, nf);
	rules_watch_init(nf);
	sever_init(&nf->sever, nf);
	track_begin(&nf->track);
	loop_init(&nf->loop, &clock_system, nf->polls, nf->fds, NETFILTER_FDS);
}

/* Started into a policy that runs already: the zones get its rules before we say that we are ready.
 */
static int resume(struct netfilter *nf, int snapshot_fd, uint64_t epoch)
{
	char reason[120] = "";

	nf->resuming = true;
	if (zones_prepare(nf, snapshot_fd, epoch, reason, sizeof(reason)) != 0) {
		event_send(&nf->process.events, EVENT_RULES_REFUSED, EV_NUMBER(EPOCH, epoch),
			   EV_TEXT(REASON, reason));
		return -ERR_SYSTEM;
	}
	if (nf->share == 0)
		zones_apply(nf);
	else
		zones_take_next(nf); /* and judges by it when it is told to */
	nf->resuming = false;
	(void)close(snapshot_fd); /* mapped */
	return 0;
}

static const int more_calls[] = {SYS_getsockname, SYS_recvmmsg, SYS_setsockopt};
static const struct sandbox_profile profile = {
	.name = "netfilter",
	.syscalls = more_calls,
	.syscall_count = sizeof(more_calls) / sizeof(more_calls[0]),
};

static int serve_control(struct netfilter *nf)
{
	const struct channel_rule *rules = nf->share == 0 ? control_rules : share_rules;
	size_t count = nf->share == 0 ? sizeof(control_rules) / sizeof(control_rules[0])
				      : sizeof(share_rules) / sizeof(share_rules[0]);

	return process_serve(&nf->process, &nf->loop, rules, count, NULL, nf);
}

int main(void)
{
	struct netfilter *nf = &netfilter;
	struct control_start start;
	int snapshot_fd = -1;

	prepare_state(nf);
	if (process_begin(&nf->process, &profile, take_given, nf, &start, &snapshot_fd) != 0 ||
	    start.role != ROLE_NETFILTER || start.index >= SNAPSHOT_QUEUES_MAX)
		return 1;
	nf->share = start.index;
	nf->supervisor_ms = netfilter_now_ms();
	if (snapshot_fd >= 0 && resume(nf, snapshot_fd, start.epoch) != 0)
		return 1;
	if (serve_control(nf) != 0 || process_ready(&nf->process) != 0)
		return 1;
	loop_arm(&nf->loop, &nf->beat, NETFILTER_BEAT_MS);
	loop_arm(&nf->loop, &nf->look, NETFILTER_WATCH_MS);
	return loop_run(&nf->loop);
}
