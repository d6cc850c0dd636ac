/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which alarms stand. */
#include "audit/alarms.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"

#define CRITICAL   2U /* an event of this severity or worse is an alarm of its own */
#define OWN_HOURS  24U
#define TIME_BYTES 32

enum alarm_kind {
#define ALARM(id, name, field, hours, en, ja) ALARM_##id,
#define RAISE(alarm, event)
#define CLEAR(alarm, event)
#include "audit/alarms.def"
	ALARM_COUNT_
};

static const struct alarm_row {
	const char *name;
	enum event_key field;
	uint32_t hours;
	const char *remedy[2]; /* English, Japanese */
} rows[ALARM_COUNT_] = {
#define ALARM(id, name, field, hours, en, ja) [ALARM_##id] = {name, FIELD_##field, hours, {en, ja}},
#define RAISE(alarm, event)
#define CLEAR(alarm, event)
#include "audit/alarms.def"
};

static const struct alarm_rule {
	uint32_t event, kind;
	bool raises;
} rules[] = {
#define ALARM(id, name, field, hours, en, ja)
#define RAISE(alarm, event) {EVENT_##event, ALARM_##alarm, true},
#define CLEAR(alarm, event) {EVENT_##event, ALARM_##alarm, false},
#include "audit/alarms.def"
};

static const enum event_key second_fields[ALARM_COUNT_] = {
#define ALARM(id, name, field, hours, en, ja)
#define AND(alarm, field) [ALARM_##alarm] = FIELD_##field,
#define RAISE(alarm, event)
#define CLEAR(alarm, event)
#include "audit/alarms.def"
};

#define RULE_COUNT (sizeof(rules) / sizeof(rules[0]))

static struct alarm_row row_of(uint32_t kind)
{
	if (kind < ALARM_COUNT_)
		return rows[kind];
	return (struct alarm_row){.name = event_name(kind - ALARM_COUNT_),
				  .hours = OWN_HOURS,
				  .remedy = {"Look at the log (show log); save it and report it.",
					     "ログ (show log) を確認・保全し、報告してください。"}};
}

const char *alarm_name(uint32_t kind)
{
	return kind < ALARM_COUNT_ + EVENT_COUNT_ ? row_of(kind).name : NULL;
}

/* ---- the value of a field, fit for a terminal */

static void copy_text(char out[ALARM_ABOUT_BYTES], const char *text, size_t size)
{
	size_t used = 0;

	for (; used < size && used < ALARM_ABOUT_BYTES - 1; used++)
		out[used] = text[used] > ' ' && text[used] < 0x7f ? text[used] : '?';
	out[used] = '\0';
}

static void print_value(char out[ALARM_ABOUT_BYTES], const struct event_record *event,
			const struct event_field *field)
{
	const uint8_t *b = field->bytes;

	switch (field->kind) {
	case EVENT_KIND_TEXT:
		copy_text(out, event->text + field->text_at, field->text_bytes);
		return;
	case EVENT_KIND_IPV4:
	case EVENT_KIND_IPV6:
		(void)inet_ntop(field->kind == EVENT_KIND_IPV4 ? AF_INET : AF_INET6, b, out,
				ALARM_ABOUT_BYTES); /* family and size are right */
		return;
	case EVENT_KIND_MAC:
		(void)snprintf(out, ALARM_ABOUT_BYTES, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1],
			       b[2], b[3], b[4], b[5]);
		return;
	default:
		(void)snprintf(out, ALARM_ABOUT_BYTES, "%llu", (unsigned long long)field->number);
	}
}

/* Return: whether the event has it. */
static bool find_value(char out[ALARM_ABOUT_BYTES], const struct event_record *event,
		       enum event_key key)
{
	(void)snprintf(out, ALARM_ABOUT_BYTES, "-");
	for (uint32_t i = 0; key != FIELD_NONE_ && i < event->field_count; i++) {
		if (event->fields[i].key == key) {
			print_value(out, event, &event->fields[i]);
			return out[0] != '\0';
		}
	}
	return false;
}

/*
 * What an alarm is about; of two fields "one/other". Return: how many bytes of it the event tells:
 * all with the NUL, of two fields perhaps only those up to the slash, or 0.
 */
static size_t find_about(char out[ALARM_ABOUT_BYTES], const struct event_record *event,
			 uint32_t kind)
{
	char first[ALARM_ABOUT_BYTES], second[ALARM_ABOUT_BYTES];
	bool has = find_value(first, event, rows[kind].field);

	if (second_fields[kind] == FIELD_NONE_) {
		memcpy(out, first, sizeof(first));
		return has ? strlen(out) + 1 : 0;
	}
	bool has_second = find_value(second, event, second_fields[kind]);

	(void)snprintf(out, ALARM_ABOUT_BYTES, "%.31s/%.31s", first, second);
	if (!has)
		return 0;
	return has_second ? strlen(out) + 1 : strcspn(out, "/") + 1;
}

/* ---- raising and ending */

static void take_out(struct alarms *a, size_t at)
{
	a->count--;
	memmove(&a->standing[at], &a->standing[at + 1], (a->count - at) * sizeof(a->standing[0]));
	a->changed = true;
}

static struct alarm *find(struct alarms *a, uint32_t kind, const char *about)
{
	for (size_t i = 0; i < a->count; i++) {
		if (a->standing[i].kind == kind && strcmp(a->standing[i].about, about) == 0)
			return &a->standing[i];
	}
	return NULL;
}

/* Those that only an event ends are kept as long as there are others. */
static void make_room(struct alarms *a)
{
	size_t out = 0;

	for (size_t i = 1; i < a->count; i++) {
		bool passes = row_of(a->standing[i].kind).hours > 0;
		bool out_passes = row_of(a->standing[out].kind).hours > 0;

		if (passes != out_passes ? passes : a->standing[i].last_s < a->standing[out].last_s)
			out = i;
	}
	take_out(a, out);
}

static void raise_alarm(struct alarms *a, uint32_t kind, const char *about, int64_t now_s)
{
	struct alarm *alarm = find(a, kind, about);

	if (alarm == NULL) {
		if (a->count == ALARMS_MAX)
			make_room(a);
		alarm = &a->standing[a->count++];
		*alarm = (struct alarm){.kind = kind, .since_s = now_s};
		(void)snprintf(alarm->about, sizeof(alarm->about), "%s", about);
	}
	alarm->last_s = now_s;
	alarm->count += alarm->count < UINT32_MAX;
	a->changed = true;
}

/* All of the kind that are about something that begins with these bytes. */
static void clear_alarms(struct alarms *a, uint32_t kind, const char *about, size_t bytes)
{
	for (size_t i = a->count; i > 0; i--) {
		const struct alarm *alarm = &a->standing[i - 1];

		if (alarm->kind == kind && strncmp(alarm->about, about, bytes) == 0)
			take_out(a, i - 1);
	}
}

static void follow_rule(struct alarms *a, const struct alarm_rule *rule,
			const struct event_record *event, int64_t now_s)
{
	char about[ALARM_ABOUT_BYTES];
	size_t told = find_about(about, event, rule->kind);

	if (rule->raises)
		raise_alarm(a, rule->kind, about, now_s);
	else
		clear_alarms(a, rule->kind, about, told);
}

static uint64_t number_of(const struct event_record *event, enum event_key key)
{
	for (uint32_t i = 0; i < event->field_count; i++) {
		if (event->fields[i].key == key && event->fields[i].kind == EVENT_KIND_NUMBER)
			return event->fields[i].number;
	}
	return 0;
}

/* What serves one session or terminal is often ended on purpose; only a crash of it counts. */
static bool counts_as_death(const struct event_record *event, const char *process)
{
	uint64_t signo = number_of(event, FIELD_SIGNAL);
	bool of_session = number_of(event, FIELD_SESSION) != 0 ||
			  strcmp(process, event_source_name(ROLE_CONSOLE)) == 0;

	return !of_session || (signo != 0 && signo != SIGKILL && signo != SIGTERM);
}

/* Deaths that are too far apart for a restart storm, and yet too many. */
static void count_death(struct alarms *a, const char *process, int64_t now_s)
{
	for (uint32_t role = 0; role < ROLE_COUNT_; role++) {
		int64_t *deaths_s = a->deaths_s[role];

		if (strcmp(event_source_name(role), process) != 0)
			continue;
		memmove(deaths_s, deaths_s + 1, (ALARM_DEATHS - 1) * sizeof(*deaths_s));
		deaths_s[ALARM_DEATHS - 1] = now_s;
		a->changed = true;
		if (deaths_s[0] == 0 || now_s - deaths_s[0] > ALARM_DEATHS_WITHIN_S)
			return;
		memset(deaths_s, 0, ALARM_DEATHS * sizeof(*deaths_s));
		a->event(a->ctx, EVENT_PROCESS_UNSTEADY,
			 (const struct event_arg[]){EV_TEXT(PROCESS, process),
						    EV_NUMBER(COUNT, ALARM_DEATHS)},
			 2);
		return;
	}
}

void alarms_see(struct alarms *a, const struct event_record *event, int64_t now_s)
{
	char process[ALARM_ABOUT_BYTES];
	bool named = false;

	for (size_t i = 0; i < RULE_COUNT; i++) {
		if (rules[i].event != event->id)
			continue;
		follow_rule(a, &rules[i], event, now_s);
		named = true;
	}
	if (!named && event_severity(event->id) <= CRITICAL)
		raise_alarm(a, ALARM_COUNT_ + event->id, "-", now_s);
	if (event->id == EVENT_PROCESS_DIED && find_value(process, event, FIELD_PROCESS) &&
	    counts_as_death(event, process))
		count_death(a, process, now_s);
}

void alarms_expire(struct alarms *a, int64_t now_s)
{
	for (size_t i = a->count; i > 0; i--) {
		const struct alarm *alarm = &a->standing[i - 1];
		int64_t stays_s = (int64_t)row_of(alarm->kind).hours * 3600;

		if (stays_s > 0 && now_s - alarm->last_s > stays_s)
			take_out(a, i - 1);
	}
}

/* ---- for people */

static void print_time(char text[TIME_BYTES], int64_t time_s)
{
	time_t when = (time_t)time_s;
	struct tm parts;

	if (gmtime_r(&when, &parts) == NULL ||
	    strftime(text, TIME_BYTES, "%Y-%m-%d %H:%M:%SZ", &parts) == 0)
		(void)snprintf(text, TIME_BYTES, "?");
}

/* What the gateway's own configuration and programs are called. */
static bool is_public(enum event_key field)
{
	return field == FIELD_NONE_ || field == FIELD_PROCESS || field == FIELD_ZONE ||
	       field == FIELD_FROM_ZONE || field == FIELD_TO_ZONE || field == FIELD_SERVER;
}

static int print_alarm(const struct alarm *alarm, bool japanese, bool public, struct bytes *out)
{
	struct alarm_row row = row_of(alarm->kind);
	char since[TIME_BYTES], last[TIME_BYTES];

	print_time(since, alarm->since_s);
	print_time(last, alarm->last_s);
	return bytes_printf(out,
			    japanese ? "%s  %s  %s\n    %u回、最終 %s\n    %s\n"
				     : "%s  %s  %s\n    %u times, last %s\n    %s\n",
			    since, row.name,
			    !public || is_public(row.field) ? alarm->about : "(removed)",
			    alarm->count, last, row.remedy[japanese]);
}

int alarms_print(const struct alarms *a, bool japanese, bool public, struct bytes *out)
{
	int err = 0;

	if (a->count == 0)
		return bytes_append_text(out, japanese ? "警報はありません\n" : "no alarms\n");
	for (size_t i = 0; err == 0 && i < a->count; i++)
		err = print_alarm(&a->standing[i], japanese, public, out);
	return err;
}
