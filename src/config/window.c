/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hours in which changes may be made (C1, C2). Only what a person at a console brings about is
 * held to them: what returns unconfirmed, edges of the calendar and the commit at the start are
 * not.
 */
#include <stdio.h>
#include <time.h>

#include "config/asking.h"

/* "2026-11-23 18:00", in the local time of the configuration. */
static void format_minute(char *out, size_t size, int64_t time_s)
{
	time_t at = (time_t)time_s;
	struct tm tm;

	out[0] = '\0';
	if (gmtime_r(&at, &tm) != NULL)
		(void)strftime(out, size, "%Y-%m-%d %H:%M", &tm);
}

/* Say when it opens. */
static void tell_opening(struct asking *a, const struct snapshot_schedule *schedule, int64_t next_s)
{
	bool japanese = a->language == LANGUAGE_JA;
	char when[32];

	format_minute(when, sizeof(when), next_s + schedule->utc_offset_s);
	if (next_s == INT64_MAX)
		(void)bytes_printf(&a->text, "%s",
				   japanese ? "変更できる時間帯は400日以内にありません。"
					    : "the change window does not open within 400 days; ");
	else
		(void)bytes_printf(&a->text,
				   japanese ? "変更できる時間帯は %s からです。"
					    : "changes may be made from %s on; ",
				   when); /* short */
}

bool window_is_open(struct asking *a)
{
	int64_t now_s = clock_wall_ns(a->c->loop.clock) / 1000000000, next_s;
	const struct snapshot_schedule *schedule;
	struct snapshot s;

	if (snapshot_view(&s, a->c->running_block.data, a->c->running_block.size) != 0)
		return false; /* what cannot be read does not free anybody */
	if (s.login_count == 0 || s.logins[0].change_window == SNAPSHOT_NONE)
		return true;
	schedule = &s.schedules[s.logins[0].change_window];
	next_s = calendar_next_open(&s, schedule, now_s);
	if (next_s == now_s)
		return true;
	tell_opening(a, schedule, next_s);
	return false;
}

enum console_status window_refuse(struct asking *a)
{
	event_send(&a->c->process.events, EVENT_CHANGE_OUTSIDE_WINDOW,
		   EV_PERSON(USER, a->link->person, a->link->index));
	return asking_say(a, CONSOLE_REFUSED,
			  "in an emergency two administrators can: propose emergency \"reason\"\n",
			  "緊急の場合は管理者2名で行えます: propose emergency \"理由\"\n");
}
