/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event client: builds fixed-size records from the one table and hands them to audit without
 * ever waiting. */
#include "base/event.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/channel.h"
#include "base/err.h"
#include "channel/control.h"

struct event_row {
	const char *name;
	const char *requirement;
	const char *en;
	const char *ja;
	unsigned severity;
};

static const struct event_row rows[EVENT_COUNT_] = {
#define EVENT(id, name, severity, requirement, en, ja)                                             \
	[EVENT_##id] = {name, requirement, en, ja, severity},
#include "base/events.def"
#undef EVENT
};

static const char *const key_names[FIELD_COUNT_] = {
#define FIELD(id, name) [FIELD_##id] = name,
#include "base/fields.def"
#undef FIELD
};

/* The table once more, in its order: a row without an event changes who sends those behind it. */
static const struct {
	uint32_t id, roles;
} order[] = {
#define BY(role)                                       (UINT32_C(1) << ROLE_##role)
#define BY_ANY                                         UINT32_MAX
#define EVENT_FROM(roles)                              {EVENT_NONE_, roles},
#define EVENT(id, name, severity, requirement, en, ja) {EVENT_##id, 0},
#include "base/events.def"
#undef EVENT
};

_Static_assert(ROLE_COUNT_ <= 32, "a role is a bit");

static const char *const source_names[ROLE_COUNT_] = {
	[ROLE_SUPERVISOR] = "supervisor",
	[ROLE_AUDIT] = "audit",
	[ROLE_CONFIG] = "config",
	[ROLE_NETFILTER] = "netfilter",
	[ROLE_ARBITER] = "arbiter",
	[ROLE_CONSOLE] = "console",
	[ROLE_MAIL_RECEIVER] = "mail-receiver",
	[ROLE_MAIL_FLATTENER] = "mail-flattener",
	[ROLE_MAIL_SENDER] = "mail-sender",
	[ROLE_SCREEN_SOURCE] = "screen-source",
	[ROLE_SCREEN_VIEWER] = "screen-viewer",
	[ROLE_MAIL_SCANNER] = "mail-scanner",
	[ROLE_ACCOUNTS] = "accounts",
	[ROLE_TIME_SOURCE] = "time-source",
	[ROLE_STICK] = "stick",
	[ROLE_LOG_SENDER] = "log-sender",
};

static const struct event_row *row_of(enum event_id id)
{
	static const struct event_row unknown = {"unknown", "", "", "", 3};

	return (unsigned)id < EVENT_COUNT_ && rows[id].name != NULL ? &rows[id] : &unknown;
}

const char *event_name(enum event_id id)
{
	return row_of(id)->name;
}

enum event_id event_find(struct span name)
{
	for (enum event_id id = EVENT_NONE_ + 1; id < EVENT_COUNT_; id++) {
		if (span_equal(name, span_of(event_name(id))))
			return id;
	}
	return EVENT_NONE_;
}

unsigned event_severity(enum event_id id)
{
	return row_of(id)->severity;
}

const char *event_requirement(enum event_id id)
{
	return row_of(id)->requirement;
}

const char *event_meaning_en(enum event_id id)
{
	return row_of(id)->en;
}

const char *event_meaning_ja(enum event_id id)
{
	return row_of(id)->ja;
}

bool event_may_send(uint32_t role, enum event_id id)
{
	uint32_t roles = 0;

	if (role >= ROLE_COUNT_ || id == EVENT_NONE_)
		return false;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (order[i].id == EVENT_NONE_)
			roles = order[i].roles;
		else if (order[i].id == (uint32_t)id)
			return (roles >> role & 1U) != 0;
	}
	return false;
}

const char *event_source_name(uint32_t role)
{
	return role < ROLE_COUNT_ && source_names[role] != NULL ? source_names[role] : "unknown";
}

const char *event_key_name(enum event_key key)
{
	return (unsigned)key < FIELD_COUNT_ && key_names[key] != NULL ? key_names[key] : "unknown";
}

struct event_arg event_arg_text(enum event_key key, const char *text)
{
	return (struct event_arg){key, EVENT_KIND_TEXT, 0, text, text != NULL ? strlen(text) : 0};
}

static uint64_t time_ns(clockid_t which)
{
	struct timespec t = {0};

	(void)clock_gettime(which, &t); /* cannot fail for these clocks */
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* Text goes to the record's common area; a value that does not fit is cut there, and says so. */
static void put_text(struct event_record *record, struct event_field *field,
		     const struct event_arg *arg, size_t *used)
{
	size_t room = sizeof(record->text) - *used;
	size_t size = arg->size < room ? arg->size : room;

	field->text_at = (uint16_t)*used;
	field->text_bytes = (uint16_t)size;
	field->cut = size < arg->size;
	if (size > 0)
		memcpy(record->text + *used, arg->data, size);
	*used += size;
}

int event_build(struct event_record *record, enum event_id id, const struct event_arg *args,
		size_t arg_count)
{
	size_t count = arg_count < EVENT_FIELDS_MAX ? arg_count : EVENT_FIELDS_MAX;
	size_t used = 0;

	memset(record, 0, sizeof(*record));
	record->id = (uint32_t)id;
	record->field_count = (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		struct event_field *field = &record->fields[i];

		field->key = (uint16_t)args[i].key;
		field->kind = (uint8_t)args[i].kind;
		field->number = args[i].number;
		if (args[i].kind == EVENT_KIND_TEXT)
			put_text(record, field, &args[i], &used);
		else if (args[i].data != NULL && args[i].size <= sizeof(field->bytes))
			memcpy(field->bytes, args[i].data, args[i].size);
	}
	return count == arg_count ? 0 : -ERR_TOO_LONG;
}

void event_client_init(struct event_client *client, int fd)
{
	*client = (struct event_client){.fd = fd};
}

/* Without an audit process (offline tools, unit tests) an event is a line on stderr: its name
 * alone, never its input. */
static void print_event(enum event_id id)
{
	fprintf(stderr, "event %s\n", event_name(id));
}

/* The count of events that found no room rides on the next one with a free field. */
static bool tell_lost(struct event_record *record, uint64_t lost)
{
	if (record->field_count == EVENT_FIELDS_MAX)
		return false;
	record->fields[record->field_count++] =
		(struct event_field){.key = FIELD_LOST, .kind = EVENT_KIND_NUMBER, .number = lost};
	return true;
}

void event_emit(struct event_client *client, enum event_id id, const struct event_arg *args,
		size_t arg_count)
{
	struct event_record record;
	struct channel channel = {.fd = client->fd};
	bool told;

	(void)event_build(&record, id, args,
			  arg_count); /* what is too long is cut, the event still goes out */
	if (client->fd < 0) {
		print_event(id);
		return;
	}
	record.mono_ns = time_ns(CLOCK_MONOTONIC);
	record.wall_ns = (int64_t)time_ns(CLOCK_REALTIME);
	told = client->lost > 0 && tell_lost(&record, client->lost);
	if (channel_send(&channel, (uint16_t)id, &record, sizeof(record), NULL, 0) < 0)
		client->lost++;
	else if (told)
		client->lost = 0;
}
