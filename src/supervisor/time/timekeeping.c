/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that asks the time servers, and what is told of its reports. */
#include "supervisor/time/timekeeping.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "supervisor/supervisor.h"

#define TICK_MS        1000
#define REPORT_LATE_MS 5000U /* a report comes each second */

static void servers_of(struct time_servers *out, const struct snapshot *s)
{
	*out = (struct time_servers){.count = s->time_server_count};
	if (out->count == 0)
		return;
	/* All stand in one zone. */
	memcpy(out->zone, s->zones[s->time_servers[0].zone].name, sizeof(out->zone));
	for (uint32_t i = 0; i < out->count; i++) {
		out->rows[i] = s->time_servers[i];
		out->rows[i].zone = 0; /* the index may change, the name counts */
	}
}

void time_outfit(struct child *source)
{
	struct supervisor *sup = source->sup;

	sup->time.refusals = 0;
	for (uint32_t i = 0; i < sup->running.snapshot.time_server_count; i++) {
		int fd = sockets_time_server(sup, &sup->running.snapshot, i);

		if (fd < 0)
			continue; /* no way to it now; the next policy may have one */
		child_give(source, &(struct control_give){.kind = GIVE_TIME_SERVER, .index = i},
			   fd);
		(void)close(fd); /* it has its own copy */
	}
}

static void start_source(struct supervisor *sup)
{
	struct child *source = child_add(sup, ROLE_TIME_SOURCE, 0, NULL, -1, false);

	if (source && child_launch(source) < 0)
		source->state = CHILD_FREE;
	if (!source || !child_is_alive(source))
		supervisor_event(sup, EVENT_PROCESS_KILLED, EV_TEXT(PROCESS, "time-source"),
				 EV_TEXT(REASON, "cannot be started"));
}

/* ---- what is told */

static void address_text(char out[INET6_ADDRSTRLEN], const struct snapshot_prefix *address)
{
	(void)inet_ntop(address->family == 6 ? AF_INET6 : AF_INET, address->addr, out,
			INET6_ADDRSTRLEN); /* the loader has checked the family */
}

static void tell_synchronised(struct supervisor *sup, const struct control_time *report)
{
	const struct clock_server *used = time_watch_used(report);
	char address[INET6_ADDRSTRLEN] = "", offset[CLOCK_TEXT_BYTES] = "";

	if (used != NULL) {
		address_text(address, &sup->time.servers.rows[used - report->servers].address);
		clock_offset_text(offset, used->offset_ns);
	}
	supervisor_event(sup, EVENT_TIME_SYNCHRONISED, EV_TEXT(SERVER, address),
			 EV_NUMBER(STRATUM, report->stratum), EV_TEXT(OFFSET, offset));
}

static void tell_drift(struct supervisor *sup, enum event_id event,
		       const struct control_time *report)
{
	const struct clock_server *heeded = time_watch_heeded(report);
	char offset[CLOCK_TEXT_BYTES], drift[CLOCK_TEXT_BYTES];

	clock_offset_text(offset, heeded != NULL ? heeded->offset_ns : report->offset_ns);
	(void)snprintf(drift, sizeof(drift), "%+.3f ppm", (double)report->frequency / CLOCK_PPM);
	supervisor_event(sup, event, EV_TEXT(OFFSET, offset), EV_TEXT(DRIFT, drift));
}

static void tell_false(struct supervisor *sup, const struct control_time *report, uint32_t servers)
{
	char address[INET6_ADDRSTRLEN], offset[CLOCK_TEXT_BYTES];

	for (uint32_t i = 0; i < report->server_count; i++) {
		if ((servers & 1U << i) == 0)
			continue;
		address_text(address, &sup->time.servers.rows[i].address);
		clock_offset_text(offset, report->servers[i].offset_ns);
		supervisor_event(sup, EVENT_TIME_SERVER_FALSE, EV_TEXT(SERVER, address),
				 EV_TEXT(OFFSET, offset));
	}
}

const struct control_time *time_report(const struct supervisor *sup)
{
	const struct timekeeping *time = &sup->time;
	bool late = clock_mono_ms(sup->loop.clock) - time->report_ms > REPORT_LATE_MS;

	return time->report_ms == 0 || late ? NULL : &time->report;
}

static void on_tick(struct loop *loop, struct loop_timer *self)
{
	struct supervisor *sup = self->ctx;
	const struct control_time *report = time_report(sup);
	uint64_t lost_after_ms = (uint64_t)sup->time.servers.rows[0].lost_after_s * 1000;
	uint32_t is_false;
	unsigned news = time_watch_look(&sup->time.watch, report, lost_after_ms,
					clock_mono_ms(loop->clock), &is_false);

	if (news & TIME_NEWS_SYNCHRONISED) {
		sup->time.settled = true;
		tell_synchronised(sup, report);
	}
	if (news & TIME_NEWS_DRIFTS)
		tell_drift(sup, EVENT_TIME_DRIFTS, report);
	if (news & TIME_NEWS_STEADY)
		tell_drift(sup, EVENT_TIME_STEADY, report);
	if (is_false != 0)
		tell_false(sup, report, is_false);
	if (news & TIME_NEWS_LOST)
		supervisor_event(sup, EVENT_TIME_LOST,
				 EV_NUMBER(AGE_S, sup->time.servers.rows[0].lost_after_s));
	loop_arm(loop, self, TICK_MS);
}

/* ---- the process */

void time_follow(struct supervisor *sup)
{
	struct timekeeping *time = &sup->time;
	struct child *source = child_find(sup, ROLE_TIME_SOURCE, 0);
	struct time_servers servers;

	servers_of(&servers, &sup->running.snapshot);
	if (memcmp(&servers, &time->servers, sizeof(servers)) == 0) {
		if (source)
			time_outfit(source); /* addresses and routes may be others now */
		else if (servers.count > 0)
			start_source(sup); /* it could not be started before */
		return;
	}
	time->servers = servers;
	time->report_ms = 0;
	time->settled = false;
	supervisor_event(sup, EVENT_TIME_CONFIGURED, EV_NUMBER(COUNT, servers.count));
	loop_disarm(&sup->loop, &time->tick);
	/* One that is dead comes back by itself. Both then ask these servers. */
	if (source && child_is_alive(source)) {
		source->dismissed = true;
		child_kill(source, NULL);
	} else if (!source && servers.count > 0) {
		start_source(sup);
	}
	if (servers.count == 0)
		return;
	time_watch_begin(&time->watch, clock_mono_ms(sup->loop.clock));
	time->tick = (struct loop_timer){.fire = on_tick, .ctx = sup};
	loop_arm(&sup->loop, &time->tick, TICK_MS);
}

static bool is_sound(const struct control_time *report, const struct time_servers *servers)
{
	if (report->server_count != servers->count || report->synchronised > 1)
		return false;
	for (uint32_t i = 0; i < report->server_count; i++) {
		if (report->servers[i].state >= CLOCK_SERVER_STATES_)
			return false;
	}
	return true;
}

int time_handle_report(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *source = ctx;
	struct supervisor *sup = source->sup;

	if (source->dismissed)
		return 0; /* of servers that are not asked any more */
	if (!is_sound(message->body, &sup->time.servers))
		return -ERR_PEER;
	sup->time.report = *(const struct control_time *)message->body;
	sup->time.report_ms = clock_mono_ms(sup->loop.clock);
	return 0;
}
