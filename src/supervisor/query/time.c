/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `show time`: the clock, the RTC, what the time servers say. */
#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "supervisor/query/query.h"

#define NS_PER_S     1000000000LL
#define MINUTE_S     60
#define MOMENT_BYTES 48

#define HEADING(answer, ...)                                                                       \
	answer_heading((answer), (const char *const[]){__VA_ARGS__},                               \
		       sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* In the local time of the policy. */
static void moment_text(char out[MOMENT_BYTES], const struct supervisor *sup, int64_t at_s)
{
	const struct snapshot *s = &sup->running.snapshot;
	int32_t ahead_s = sup->running.fd >= 0 ? s->header->utc_offset_s : 0;
	time_t local_s = (time_t)(at_s + ahead_s);
	struct tm tm;
	size_t used = 0;

	if (gmtime_r(&local_s, &tm) != NULL)
		used = strftime(out, MOMENT_BYTES, "%Y-%m-%d %H:%M:%S", &tm);
	(void)snprintf(out + used, MOMENT_BYTES - used, " UTC%+03d:%02d",
		       ahead_s / (MINUTE_S * MINUTE_S), ahead_s / MINUTE_S % MINUTE_S);
}

static const char *state_of(const struct supervisor *sup)
{
	const struct time_watch *watch = &sup->time.watch;

	if (sup->time.servers.count == 0)
		return "no server";
	if (watch->lost)
		return "lost";
	if (!watch->synchronised)
		return "waiting";
	return watch->drifting ? "drifting" : "synchronised";
}

static void answer_clock(struct supervisor *sup, struct answer *answer)
{
	const struct control_time *report = time_report(sup);
	int64_t now_s = clock_wall_ns(&clock_system) / NS_PER_S, rtc_s;
	char moment[MOMENT_BYTES], offset[CLOCK_TEXT_BYTES];

	HEADING(answer, "time", "RTC", "set by", "state", "stratum", "offset", "drift");
	moment_text(moment, sup, now_s);
	answer_cell(answer, "%s", moment);
	if (clock_read_rtc(&sup->time, &rtc_s) == 0)
		answer_cell(answer, "%+lld s", (long long)(rtc_s - now_s));
	else
		answer_cell(answer, "-");
	answer_cell(answer, "%s", sup->options.sets_clock ? "gateway" : "host");
	answer_cell(answer, "%s", state_of(sup));
	if (report != NULL && report->synchronised) {
		clock_offset_text(offset, report->offset_ns);
		answer_cell(answer, "%u", report->stratum);
		answer_cell(answer, "%s", offset);
		answer_cell(answer, "%+.3f ppm", (double)report->frequency / CLOCK_PPM);
	} else {
		for (int i = 0; i < 3; i++)
			answer_cell(answer, "-");
	}
	answer_send(answer, 0);
}

static void answer_server(struct supervisor *sup, struct answer *answer, uint32_t i)
{
	static const char *const states[] = {
		[CLOCK_SERVER_SILENT] = "silent", [CLOCK_SERVER_UNFIT] = "unfit",
		[CLOCK_SERVER_FALSE] = "false",   [CLOCK_SERVER_UNSTEADY] = "unsteady",
		[CLOCK_SERVER_FIT] = "fit",       [CLOCK_SERVER_USED] = "used",
	};
	const struct control_time *report = time_report(sup);
	const struct snapshot_prefix *address = &sup->time.servers.rows[i].address;
	const struct clock_server *server = report != NULL ? &report->servers[i] : NULL;
	char text[INET6_ADDRSTRLEN], offset[CLOCK_TEXT_BYTES];

	(void)inet_ntop(address->family == 6 ? AF_INET6 : AF_INET, address->addr, text,
			sizeof(text)); /* the loader has checked the family */
	answer_cell(answer, "%s", text);
	answer_cell(answer, "%s", server != NULL ? states[server->state] : "-");
	if (server != NULL && server->heard_s != UINT32_MAX) {
		clock_offset_text(offset, server->offset_ns);
		answer_cell(answer, "%u", server->stratum);
		answer_cell(answer, "%03o", server->reach);
		answer_cell(answer, "%u s", server->heard_s);
		answer_cell(answer, "%s", offset);
	}
	answer_send(answer, 0);
}

void answer_time(struct supervisor *sup, struct answer *answer)
{
	answer_clock(sup, answer);
	if (sup->time.servers.count > 0)
		HEADING(answer, "server", "state", "stratum", "reach", "heard", "offset");
	for (uint32_t i = 0; i < sup->time.servers.count; i++)
		answer_server(sup, answer, i);
	answer_send(answer, CONTROL_ROW_LAST);
}
