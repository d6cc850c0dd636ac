/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event client: fixed-size records on a one-way channel to the audit process. Emitting never
 * blocks. */
#ifndef SEKISHO_BASE_EVENT_H
#define SEKISHO_BASE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define EVENT_FIELDS_MAX 12 /* fields of one event */
/* All text values of one event together; what does not fit is cut, and marked as cut. */
#define EVENT_TEXT_BYTES 512

/* Every event of the product, from the one table. */
enum event_id {
	EVENT_NONE_ = 0,
#define EVENT(id, name, severity, requirement, en, ja) EVENT_##id,
#include "base/events.def"
#undef EVENT
	EVENT_COUNT_
};

/* Every field that an event may carry. */
enum event_key {
	FIELD_NONE_ = 0,
#define FIELD(id, name) FIELD_##id,
#include "base/fields.def"
#undef FIELD
	FIELD_COUNT_
};

enum event_kind {
	EVENT_KIND_NUMBER = 1,
	EVENT_KIND_TEXT,
	EVENT_KIND_IPV4,
	EVENT_KIND_IPV6,
	EVENT_KIND_MAC,
	EVENT_KIND_SHA256
};

struct event_field {
	uint16_t key;     /* enum event_key */
	uint8_t kind;     /* enum event_kind */
	uint8_t cut;      /* text was cut to fit */
	uint16_t text_at; /* EVENT_KIND_TEXT: offset and length in the record's text */
	uint16_t text_bytes;
	uint64_t number;
	uint8_t bytes[32]; /* addresses and hashes, network order, from the start */
};

/* The record as it travels: one channel message of this exact size. */
struct event_record {
	uint32_t id; /* enum event_id */
	uint32_t field_count;
	uint64_t mono_ns; /* when it was emitted */
	int64_t wall_ns;
	struct event_field fields[EVENT_FIELDS_MAX];
	char text[EVENT_TEXT_BYTES]; /* raw bytes; escaped by audit when written */
};

/* One argument of event_emit; made by the macros below. */
struct event_arg {
	enum event_key key;
	enum event_kind kind;
	uint64_t number;
	const void *data;
	size_t size;
};

#define EV_NUMBER(key, value)                                                                      \
	((struct event_arg){FIELD_##key, EVENT_KIND_NUMBER, (uint64_t)(value), NULL, 0})
#define EV_TEXT(key, text) event_arg_text(FIELD_##key, (text))
#define EV_SPAN(key, p, n) ((struct event_arg){FIELD_##key, EVENT_KIND_TEXT, 0, (p), (n)})
#define EV_IPV4(key, p)    ((struct event_arg){FIELD_##key, EVENT_KIND_IPV4, 0, (p), 4})
#define EV_IPV6(key, p)    ((struct event_arg){FIELD_##key, EVENT_KIND_IPV6, 0, (p), 16})
#define EV_MAC(key, p)     ((struct event_arg){FIELD_##key, EVENT_KIND_MAC, 0, (p), 6})
#define EV_SHA256(key, p)  ((struct event_arg){FIELD_##key, EVENT_KIND_SHA256, 0, (p), 32})

/*
 * Who did it, and at which console (C1, A6): two arguments. A console's number stands in no record
 * without the person; `make lint` holds every sender to it. @key: USER, or, where that is somebody
 * else whom it befalls, another one. @person: empty where no login is needed.
 */
#define EV_PERSON(key, person, console) EV_TEXT(key, person), EV_NUMBER(CONSOLE, console)

struct event_arg event_arg_text(enum event_key key, const char *text);

struct event_client {
	int fd; /* the channel to audit; -1: events go to stderr as text (offline tools, tests) */
	uint64_t lost; /* could not be queued; told by the next that can, as field "lost" */
};

void event_client_init(struct event_client *client, int fd);

/**
 * event_emit - send one event; never blocks, never fails for the caller
 * @args: up to EVENT_FIELDS_MAX; all data borrowed for the call
 */
void event_emit(struct event_client *client, enum event_id id, const struct event_arg *args,
		size_t arg_count);

/* event_send(client, EVENT_X, EV_TEXT(...), EV_NUMBER(...)) */
#define event_send(client, id, ...)                                                                \
	event_emit((client), (id), (const struct event_arg[]){{0}, ##__VA_ARGS__} + 1,             \
		   sizeof((const struct event_arg[]){{0}, ##__VA_ARGS__}) /                        \
				   sizeof(struct event_arg) -                                      \
			   1)

/**
 * event_build - the pure half of event_emit: fill a record
 * Return: 0, or -ERR_TOO_LONG where arguments were left out (the rest is in the record).
 */
int event_build(struct event_record *record, enum event_id id, const struct event_arg *args,
		size_t arg_count);

const char *event_name(enum event_id id);
/* The event of that name; EVENT_NONE_: there is none. */
enum event_id event_find(struct span name);
/* RFC 5424 severity, 0 (emergency) to 7 (debug). */
unsigned event_severity(enum event_id id);
const char *event_requirement(enum event_id id);
const char *event_meaning_en(enum event_id id);
const char *event_meaning_ja(enum event_id id);
const char *event_key_name(enum event_key key);
/* Whether the table names this role (enum role) among those that send the event. */
bool event_may_send(uint32_t role, enum event_id id);
/* The name of a role in records and documents: "mail-receiver"; "unknown" for no role. */
const char *event_source_name(uint32_t role);

#endif
