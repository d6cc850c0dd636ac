/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counting a month of the log. */
#include "tools/report_month.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define DAY_S 86400

/* ---- time, as the records have it: local, with its distance from UTC */

static bool read_digits(const char *text, size_t count, unsigned *out)
{
	*out = 0;
	for (size_t i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*out = *out * 10 + (unsigned)(text[i] - '0');
	}
	return true;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar: years that begin in March. */
static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
	int64_t y = (int64_t)year - (month <= 2);
	int64_t from_march = (month + 9) % 12;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * from_march + 2) / 5 + day - 1 - 719468;
}

/* Seconds of "YYYY-MM-DDTHH:MM:SS", taken as UTC. */
static bool read_time(const char *text, int64_t *out)
{
	unsigned year, month, day, hour, minute, second;

	if (strlen(text) < MONTH_TIME_BYTES - 1 || !read_digits(text, 4, &year) ||
	    !read_digits(text + 5, 2, &month) || !read_digits(text + 8, 2, &day) ||
	    !read_digits(text + 11, 2, &hour) || !read_digits(text + 14, 2, &minute) ||
	    !read_digits(text + 17, 2, &second))
		return false;
	*out = days_of(year, month, day) * DAY_S + (int64_t)hour * 3600 + minute * 60 + second;
	return true;
}

/* Seconds east of UTC by the end of a record's time: "+09:00", or "Z" (RFC 5424 6.2.3). */
static int64_t offset_of(struct span time)
{
	const char *end = (const char *)time.data + time.size;
	unsigned hours, minutes;
	int64_t offset_s;

	if (time.size < MONTH_TIME_BYTES + 5 || !read_digits(end - 5, 2, &hours) ||
	    !read_digits(end - 2, 2, &minutes))
		return 0;
	offset_s = (int64_t)hours * 3600 + minutes * 60;
	return end[-6] == '-' ? -offset_s : offset_s;
}

unsigned month_day_count(const struct month *m)
{
	unsigned year = 0, month = 0;

	(void)read_digits(m->name, 4, &year); /* month_init has looked at it, here and below */
	(void)read_digits(m->name + 5, 2, &month);
	return (unsigned)(days_of(year + month / 12, month % 12 + 1, 1) - days_of(year, month, 1));
}

uint64_t month_days_since(const struct month *m, const char *time)
{
	int64_t from, to;

	if (!read_time(time, &from) || !read_time(m->last, &to) || to < from)
		return 0;
	return (uint64_t)((to - from) / DAY_S);
}

int month_init(struct month *m, const char *name)
{
	unsigned year, month;

	memset(m, 0, sizeof(*m));
	if (strlen(name) != sizeof(m->name) - 1 || name[4] != '-' || !read_digits(name, 4, &year) ||
	    !read_digits(name + 5, 2, &month) || year < 1970 || month < 1 || month > 12)
		return -ERR_SYNTAX;
	snprintf(m->name, sizeof(m->name), "%s", name);
	return 0;
}

/* ---- the table of what is done with an event */

static const struct {
	enum event_id event;
	enum month_line line;
} counted[] = {
	{EVENT_FLOW_DENIED, MONTH_DENIED},
	{EVENT_FLOWS_DENIED, MONTH_DENIED},
	{EVENT_FLOW_NOT_CONFORMING, MONTH_DENIED},
	{EVENT_MAIL_DELIVERED, MONTH_MAILS},
	{EVENT_MAIL_REFUSED, MONTH_MAILS_REFUSED},
	{EVENT_MAIL_RELAY_DENIED, MONTH_MAILS_REFUSED},
	{EVENT_MAIL_TOO_BIG, MONTH_MAILS_REFUSED},
	{EVENT_MAIL_INFECTED, MONTH_MAILS_REFUSED},
	{EVENT_MAIL_CLASSIFIED, MONTH_MAILS_REFUSED},
	{EVENT_MAIL_FORWARDED, MONTH_MAILS_REFUSED},
	{EVENT_MAIL_ATTACHED, MONTH_MAILS_REFUSED},
	{EVENT_MAIL_SENDER_UNLISTED, MONTH_MAILS_REFUSED},
	{EVENT_SCREEN_STARTED, MONTH_SCREENS},
	{EVENT_LOGIN, MONTH_LOGINS},
	{EVENT_LOGIN_REFUSED, MONTH_LOGINS_REFUSED},
	{EVENT_SCREEN_LOGIN_REFUSED, MONTH_LOGINS_REFUSED},
};

static const struct {
	enum event_id event;
	enum month_kind kind;
} noted[] = {
	{EVENT_COMMIT_REQUESTED, MONTH_CHANGES},
	{EVENT_COMMIT_REFUSED, MONTH_CHANGES},
	{EVENT_COMMIT_CONFIRMED, MONTH_CHANGES},
	{EVENT_COMMIT_RETURNS, MONTH_CHANGES},
	{EVENT_CHANGE_PROPOSED, MONTH_CHANGES},
	{EVENT_LOAD_PROPOSED, MONTH_CHANGES},
	{EVENT_LOAD_DROPPED, MONTH_CHANGES},
	{EVENT_CHANGE_APPROVED, MONTH_CHANGES},
	{EVENT_CHANGE_NOT_APPROVED, MONTH_CHANGES},
	{EVENT_CHANGE_LAPSED, MONTH_CHANGES},
	{EVENT_CHANGE_WITHDRAWN, MONTH_CHANGES},
	{EVENT_CERTIFICATE_LOADED, MONTH_CHANGES},
	{EVENT_PASSWORD_LOADED, MONTH_CHANGES},
	{EVENT_PASSWORD_RESET, MONTH_CHANGES},
	{EVENT_ZONE_ISOLATED, MONTH_INCIDENTS},
	{EVENT_ZONE_RESTORED, MONTH_INCIDENTS},
	{EVENT_STATION_ISOLATED, MONTH_INCIDENTS},
	{EVENT_STATION_NOT_ISOLATED, MONTH_INCIDENTS},
	{EVENT_STATION_RESTORED, MONTH_INCIDENTS},
	{EVENT_FLOWS_CLEARED, MONTH_INCIDENTS},
	{EVENT_SCREEN_CLEARED, MONTH_INCIDENTS},
	{EVENT_CAPTURE_STARTED, MONTH_INCIDENTS},
	{EVENT_EMERGENCY_OPENED, MONTH_INCIDENTS},
	{EVENT_RECOVERY_BEGINS, MONTH_INCIDENTS},
	{EVENT_RECOVERY_GIVES, MONTH_INCIDENTS},
	{EVENT_RECOVERY_ENDS, MONTH_INCIDENTS},
	{EVENT_EMERGENCY_ACKNOWLEDGED, MONTH_INCIDENTS},
	{EVENT_ZONE_DIFFERS, MONTH_INCIDENTS},
	{EVENT_PATH_DIFFERS, MONTH_INCIDENTS},
	{EVENT_RULES_DIFFER, MONTH_INCIDENTS},
	{EVENT_SCAN_DETECTED, MONTH_INCIDENTS},
	{EVENT_FLOOD_DETECTED, MONTH_INCIDENTS},
	{EVENT_ZONE_FLOODED, MONTH_INCIDENTS},
	{EVENT_ADDRESS_CLAIMED, MONTH_INCIDENTS},
	{EVENT_MAIL_INFECTED, MONTH_INCIDENTS},
	{EVENT_GATEWAY_STARTS, MONTH_RESTARTS},
	{EVENT_GATEWAY_STOPS, MONTH_RESTARTS},
	{EVENT_PROCESS_DIED, MONTH_RESTARTS},
	{EVENT_PROCESS_KILLED, MONTH_RESTARTS},
	{EVENT_RESTART_STORM, MONTH_RESTARTS},
	{EVENT_PATH_OPENED, MONTH_RESTARTS},
	{EVENT_LOG_TORN, MONTH_RECORDS},
	{EVENT_LOG_BROKEN, MONTH_RECORDS},
	{EVENT_LOG_UNWRITTEN, MONTH_RECORDS},
	{EVENT_LOG_RETENTION, MONTH_RECORDS},
	{EVENT_DEVICE_KEY_MADE, MONTH_RECORDS},
	{EVENT_DEVICE_KEY_MISSING, MONTH_RECORDS},
	{EVENT_SYSLOG_AWAY, MONTH_RECORDS},
	{EVENT_SYSLOG_BACK, MONTH_RECORDS},
	{EVENT_SYSLOG_FORCED_OUT, MONTH_RECORDS},
	{EVENT_EVENT_REFUSED, MONTH_RECORDS},
};

/* ---- fields */

/* As much as fits, never half a character of UTF-8. */
static void copy_text(char *out, size_t size, struct span text)
{
	size_t count = text.size < size ? text.size : size - 1;

	while (count < text.size && count > 0 && (text.data[count] & 0xc0) == 0x80)
		count--;
	if (count > 0)
		memcpy(out, text.data, count);
	out[count] = '\0';
}

/* Empty where the record has none. */
static void copy_param(char *out, size_t size, const struct syslog_view *view, const char *name)
{
	struct span value = {NULL, 0};

	if (syslog_param(view, name, &value) < 0)
		value.size = 0;
	copy_text(out, size, value);
}

/* What a record tells beside its number and monotonic time. */
static void copy_fields(char out[MONTH_NOTE_BYTES], const struct syslog_view *view)
{
	struct span mono;
	const uint8_t *end = view->data.data + view->data.size - 1; /* the bracket */

	out[0] = '\0';
	if (syslog_param(view, "mono", &mono) < 0)
		return;
	mono.data += mono.size + 1; /* behind the quote */
	mono.size = (size_t)(end - mono.data);
	copy_text(out, MONTH_NOTE_BYTES, span_trim(mono));
}

static void add_note(struct month *m, enum month_kind kind, const char *time, const char *event,
		     const char *fields)
{
	struct month_notes *notes = &m->notes[kind];
	struct month_note *note;

	if (notes->count == MONTH_NOTES_MAX) {
		notes->more++;
		return;
	}
	note = &notes->notes[notes->count++];
	snprintf(note->time, sizeof(note->time), "%s", time);
	note->event = event;
	snprintf(note->fields, sizeof(note->fields), "%s", fields);
}

/* ---- what goes on past the month's begin */

static bool same_policy(const struct month_commit *a, const struct month_commit *b)
{
	return memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0;
}

/* A start and a calendar's edge commit the same policy again: it runs since its first commit. */
static void see_commit(struct month *m, enum event_id event, const char *time,
		       const struct syslog_view *view)
{
	struct span hash;

	if (event == EVENT_COMMIT_REQUESTED) {
		m->asked = (struct month_commit){0};
		snprintf(m->asked.time, sizeof(m->asked.time), "%s", time);
		copy_param(m->asked.origin, sizeof(m->asked.origin), view, "name");
		copy_param(m->asked.comment, sizeof(m->asked.comment), view, "comment");
		(void)syslog_param_number(view, "commit", &m->asked.number); /* 0: none stated */
		if (syslog_param(view, "sha256", &hash) == 0)
			(void)log_anchor_hex(hash, m->asked.sha256,
					     sizeof(m->asked.sha256)); /* zeros: unknown */
	} else if (event == EVENT_COMMIT_DONE && m->asked.time[0] != '\0') {
		if (!m->has_commit || !same_policy(&m->asked, &m->running))
			m->running = m->asked;
		m->has_commit = true;
	}
}

static void see_permit(struct month *m, const char *time, bool in_month,
		       const struct syslog_view *view)
{
	char from[32], to[32], number[16], name[96];
	struct month_permit *permit = NULL;

	copy_param(from, sizeof(from), view, "from");
	copy_param(to, sizeof(to), view, "to");
	copy_param(number, sizeof(number), view, "permit");
	snprintf(name, sizeof(name), "%s %s %s", from, to, number);
	for (size_t i = 0; i < m->permit_count && permit == NULL; i++) {
		if (strcmp(m->permits[i].name, name) == 0)
			permit = &m->permits[i];
	}
	if (permit == NULL && m->permit_count == MONTH_PERMITS_MAX) {
		m->permits_untold++;
		return;
	}
	if (permit == NULL) {
		permit = &m->permits[m->permit_count++];
		snprintf(permit->name, sizeof(permit->name), "%s", name);
	}
	snprintf(permit->last, sizeof(permit->last), "%s", time);
	permit->flows += in_month;
}

const struct month_permit *month_permit_find(const struct month *m, const char *name)
{
	for (size_t i = 0; i < m->permit_count; i++) {
		if (strcmp(m->permits[i].name, name) == 0)
			return &m->permits[i];
	}
	return NULL;
}

/* ---- the kernel's state, read back (ADR 810) */

static bool is_pair(const struct month_read *r, const char *zone, const char *other)
{
	return (strcmp(r->zone, zone) == 0 && strcmp(r->other, other) == 0) ||
	       (other[0] != '\0' && strcmp(r->zone, other) == 0 && strcmp(r->other, zone) == 0);
}

static size_t find_read(const struct month *m, const char *zone, const char *other)
{
	size_t i = 0;

	while (i < m->read_count && !is_pair(&m->reads[i], zone, other))
		i++;
	return i;
}

const struct month_read *month_read_find(const struct month *m, const char *zone, const char *other)
{
	size_t i = find_read(m, zone, other != NULL ? other : "");

	return i < m->read_count ? &m->reads[i] : NULL;
}

static void see_read(struct month *m, enum event_id event, const char *time, bool in_month,
		     const struct syslog_view *view)
{
	bool is_zone = event == EVENT_ZONE_READ || event == EVENT_ZONE_DIFFERS;
	bool differs = event == EVENT_ZONE_DIFFERS || event == EVENT_PATH_DIFFERS;
	char zone[32], other[32] = "";
	struct month_read *read;
	size_t place;

	if (!is_zone && event != EVENT_PATH_READ && event != EVENT_PATH_DIFFERS)
		return;
	copy_param(zone, sizeof(zone), view, is_zone ? "zone" : "from");
	if (!is_zone)
		copy_param(other, sizeof(other), view, "to");
	place = find_read(m, zone, other);
	if (place == MONTH_READ_MAX) {
		m->reads_untold++;
		return;
	}
	read = &m->reads[place];
	if (place == m->read_count) {
		m->read_count++;
		snprintf(read->zone, sizeof(read->zone), "%s", zone);
		snprintf(read->other, sizeof(read->other), "%s", other);
	}
	snprintf(read->time, sizeof(read->time), "%s", time);
	copy_param(read->found, sizeof(read->found), view, "detail");
	copy_param(read->difference, sizeof(read->difference), view, "reason");
	copy_param(read->state, sizeof(read->state), view, "name");
	if (differs && read->difference[0] == '\0')
		snprintf(read->difference, sizeof(read->difference), "%s", event_name(event));
	read->times += in_month;
	read->differed += in_month && differs;
}

/* ---- the month itself */

static void see_person(struct month *m, enum event_id event, const struct syslog_view *view)
{
	struct month_person *person = NULL;
	char name[MONTH_PERSON_BYTES];

	copy_param(name, sizeof(name), view, "user");
	for (size_t i = 0; i < m->person_count && person == NULL; i++) {
		if (strcmp(m->people[i].name, name) == 0)
			person = &m->people[i];
	}
	if (person == NULL && m->person_count < MONTH_PEOPLE_MAX) {
		person = &m->people[m->person_count++];
		snprintf(person->name, sizeof(person->name), "%s", name);
	}
	if (person == NULL)
		person = &m->others;
	person->logins += event == EVENT_LOGIN;
	person->screens += event == EVENT_SCREEN_LOGIN;
	person->refused += event == EVENT_LOGIN_REFUSED || event == EVENT_SCREEN_LOGIN_REFUSED;
}

static void count_event(struct month *m, enum event_id event, const char *time,
			const struct syslog_view *view)
{
	struct month_event *e = &m->events[event];
	unsigned day;
	uint64_t count = 1, lost;

	if (syslog_param_number(view, "count", &count) < 0 || count == 0)
		count = 1;
	if (syslog_param_number(view, "lost", &lost) == 0)
		m->lost += lost;
	if (e->records++ == 0)
		snprintf(e->first, sizeof(e->first), "%s", time);
	snprintf(e->last, sizeof(e->last), "%s", time);
	e->count += count;
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
		if (counted[i].event == event && read_digits(time + 8, 2, &day) && day >= 1 &&
		    day <= MONTH_DAYS)
			m->days[day - 1][counted[i].line] += count;
	}
}

static void note_event(struct month *m, enum event_id event, const char *time,
		       const struct syslog_view *view)
{
	char fields[MONTH_NOTE_BYTES];

	for (size_t i = 0; i < sizeof(noted) / sizeof(noted[0]); i++) {
		if (noted[i].event != event)
			continue;
		copy_fields(fields, view);
		add_note(m, noted[i].kind, time, event_name(event), fields);
	}
}

/* With a heartbeat each minute, silence is a time in which nobody recorded. */
static void see_silence(struct month *m, const char *time, int64_t offset_s, bool in_month)
{
	char words[MONTH_NOTE_BYTES];
	int64_t now_s;

	if (!read_time(time, &now_s))
		return;
	now_s -= offset_s;
	if (in_month && m->last_s > 0 && now_s - m->last_s > MONTH_SILENCE_S) {
		snprintf(words, sizeof(words), "%lld s", (long long)(now_s - m->last_s));
		add_note(m, MONTH_RECORDS, time, "silence", words);
	} else if (in_month && now_s < m->last_s) {
		snprintf(words, sizeof(words), "-%lld s", (long long)(m->last_s - now_s));
		add_note(m, MONTH_RECORDS, time, "clock-set-back", words);
	}
	m->last_s = now_s;
}

void month_see(void *ctx, uint64_t sequence, const struct syslog_view *view)
{
	struct month *m = ctx;
	char time[MONTH_TIME_BYTES];
	enum event_id event = event_find(view->message_id);
	int place;

	(void)sequence; /* the walk has checked it */
	snprintf(time, sizeof(time), "%.*s", (int)view->time.size, (const char *)view->time.data);
	if (m->log_first[0] == '\0')
		snprintf(m->log_first, sizeof(m->log_first), "%s", time);
	place = strncmp(time, m->name, strlen(m->name));
	if (place > 0)
		return;
	if (event != EVENT_NONE_)
		snprintf(m->last_ever[event], sizeof(m->last_ever[event]), "%s", time);
	see_commit(m, event, time, view);
	if (event == EVENT_FLOW_PERMITTED)
		see_permit(m, time, place == 0, view);
	see_read(m, event, time, place == 0, view);
	see_silence(m, time, offset_of(view->time), place == 0);
	if (place < 0)
		return;
	if (m->records++ == 0)
		snprintf(m->first, sizeof(m->first), "%s", time);
	snprintf(m->last, sizeof(m->last), "%s", time);
	count_event(m, event, time, view);
	note_event(m, event, time, view);
	if (event == EVENT_LOGIN || event == EVENT_LOGIN_REFUSED || event == EVENT_SCREEN_LOGIN ||
	    event == EVENT_SCREEN_LOGIN_REFUSED)
		see_person(m, event, view);
}
