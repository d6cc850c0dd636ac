/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Schedules, holidays, last days, and the edges between them. */
#include "policy/calendar.h"

#include <stddef.h>

#define DAY_SECONDS   86400
#define DAY_MINUTES   1440
#define DAY_BYTES     (DAY_MINUTES / 8)
#define WEEK_DAYS     7
#define EPOCH_WEEKDAY 3 /* 1 January 1970 was a Thursday; Monday is 0 */

/* A moment in local time. */
struct local {
	int32_t day;     /* since 1970-01-01 */
	uint32_t minute; /* of the day */
};

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

static struct local local_time(int64_t now_s, int32_t utc_offset_s)
{
	int64_t local_s = now_s + utc_offset_s, day = floor_div(local_s, DAY_SECONDS);

	return (struct local){(int32_t)day, (uint32_t)((local_s - day * DAY_SECONDS) / 60)};
}

static bool is_holiday(const struct snapshot *s, int32_t day)
{
	uint32_t low = 0, high = s->holiday_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (s->holidays[middle].day < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->holiday_count && s->holidays[low].day == day;
}

/* Whether windows that begin on that day count. */
static bool day_counts(const struct snapshot *s, const struct snapshot_schedule *schedule,
		       int32_t day)
{
	if (schedule->holidays == HOLIDAYS_KEEP)
		return true;
	return is_holiday(s, day) == (schedule->holidays == HOLIDAYS_ONLY);
}

static bool bit_is_set(const uint8_t *bits, struct local at)
{
	int64_t weekday = at.day + EPOCH_WEEKDAY;
	int64_t bit =
		(weekday - floor_div(weekday, WEEK_DAYS) * WEEK_DAYS) * DAY_MINUTES + at.minute;

	return bits[bit / 8] >> (bit % 8) & 1;
}

static bool open_at(const struct snapshot *s, const struct snapshot_schedule *schedule,
		    struct local at)
{
	return (bit_is_set(schedule->minutes, at) && day_counts(s, schedule, at.day)) ||
	       (bit_is_set(schedule->over, at) && day_counts(s, schedule, at.day - 1));
}

bool calendar_open(const struct snapshot *s, const struct snapshot_schedule *schedule,
		   int64_t now_s)
{
	return open_at(s, schedule, local_time(now_s, schedule->utc_offset_s));
}

/* One day of a schedule, eight minutes a byte. */
struct day_view {
	const uint8_t *minutes, *over; /* NULL: do not count */
};

static struct day_view view_day(const struct snapshot *s, const struct snapshot_schedule *schedule,
				int64_t day)
{
	int64_t weekday = day + EPOCH_WEEKDAY;
	size_t at = (size_t)((weekday - floor_div(weekday, WEEK_DAYS) * WEEK_DAYS) * DAY_BYTES);

	return (struct day_view){
		day_counts(s, schedule, (int32_t)day) ? schedule->minutes + at : NULL,
		day_counts(s, schedule, (int32_t)day - 1) ? schedule->over + at : NULL};
}

/* The minutes of byte @i that are not as @open says. */
static uint8_t differing(const struct day_view *view, size_t i, bool open)
{
	uint8_t bits = view->minutes != NULL ? view->minutes[i] : 0;

	if (view->over != NULL)
		bits |= view->over[i];
	return open ? (uint8_t)~bits : bits;
}

/* The first minute from @minute on, counted from 1970 in local time, that is not as @open says;
 * @end where there is none before it. */
static int64_t next_change(const struct snapshot *s, const struct snapshot_schedule *schedule,
			   int64_t minute, int64_t end, bool open)
{
	uint8_t mask = (uint8_t)(0xffU << ((minute - floor_div(minute, 8) * 8)));

	for (int64_t day = floor_div(minute, DAY_MINUTES); day * DAY_MINUTES < end; day++) {
		struct day_view view = view_day(s, schedule, day);
		int64_t begin = minute - day * DAY_MINUTES;

		for (int64_t i = begin > 0 ? begin / 8 : 0; i < DAY_BYTES; i++) {
			uint8_t bits = differing(&view, (size_t)i, open) & mask;

			mask = 0xff;
			if (bits != 0)
				return day * DAY_MINUTES + i * 8 + __builtin_ctz(bits);
		}
	}
	return end;
}

/* The minute behind the last one before @minute that is not as @open says; @begin where there is
 * none after it. */
static int64_t last_change(const struct snapshot *s, const struct snapshot_schedule *schedule,
			   int64_t minute, int64_t begin, bool open)
{
	uint8_t mask = (uint8_t)~(0xffU << (minute - floor_div(minute, 8) * 8));
	int64_t day = floor_div(minute, DAY_MINUTES);
	int64_t i = (minute - day * DAY_MINUTES) / 8;

	for (; (day + 1) * DAY_MINUTES > begin; day--, i = DAY_BYTES - 1) {
		struct day_view view = view_day(s, schedule, day);

		for (; i >= 0; i--) {
			uint8_t bits = differing(&view, (size_t)i, open) & mask;

			mask = 0xff;
			if (bits != 0)
				return day * DAY_MINUTES + i * 8 + 32 - __builtin_clz(bits);
		}
	}
	return begin;
}

int64_t calendar_next_open(const struct snapshot *s, const struct snapshot_schedule *schedule,
			   int64_t now_s)
{
	int64_t minute = floor_div(now_s + schedule->utc_offset_s, 60), end, found;

	if (calendar_open(s, schedule, now_s))
		return now_s;
	end = minute + CALENDAR_HORIZON_S / 60;
	found = next_change(s, schedule, minute, end, false);
	return found < end ? found * 60 - schedule->utc_offset_s : INT64_MAX;
}

static void narrow(struct calendar_span *span, int64_t first_s, int64_t end_s)
{
	if (first_s > span->first_s)
		span->first_s = first_s;
	if (end_s < span->end_s)
		span->end_s = end_s;
}

static void narrow_by_schedule(struct calendar_span *span, const struct snapshot *s,
			       const struct snapshot_schedule *schedule, int64_t now_s)
{
	int64_t offset_s = schedule->utc_offset_s;
	int64_t minute = floor_div(now_s + offset_s, 60);
	bool open = calendar_open(s, schedule, now_s);
	int64_t first =
		last_change(s, schedule, minute, floor_div(span->first_s + offset_s, 60), open);
	int64_t end =
		next_change(s, schedule, minute, floor_div(span->end_s + offset_s, 60) + 1, open);

	narrow(span, first * 60 - offset_s, end * 60 - offset_s);
}

static bool is_used(const struct snapshot *s, uint32_t schedule)
{
	for (uint32_t i = 0; i < s->permit_count; i++) {
		if (s->permits[i].schedule == schedule)
			return true;
	}
	return false;
}

struct calendar_span calendar_span_at(const struct snapshot *s, int64_t now_s)
{
	struct calendar_span span = {now_s - CALENDAR_HORIZON_S, now_s + CALENDAR_HORIZON_S};

	for (uint32_t i = 0; i < s->permit_count; i++) {
		int64_t expires_s = s->permits[i].expires_s;

		if (expires_s <= now_s)
			narrow(&span, expires_s, span.end_s);
		else
			narrow(&span, span.first_s, expires_s);
	}
	for (uint32_t i = 0; i < s->schedule_count; i++) {
		if (is_used(s, i))
			narrow_by_schedule(&span, s, &s->schedules[i], now_s);
	}
	return span;
}

bool calendar_matters(const struct snapshot *s)
{
	for (uint32_t i = 0; i < s->permit_count; i++) {
		if (s->permits[i].schedule != SNAPSHOT_NONE || s->permits[i].expires_s != INT64_MAX)
			return true;
	}
	return false;
}
