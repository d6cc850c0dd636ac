/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events to text: the only place that knows how a field of each kind is written. */
#include "audit/record.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "wire/log/chain.h"
#include "wire/log/syslog.h"

#define FACILITY_LOCAL0 16

void record_process_name(char name[RECORD_PROCESS_BYTES], uint32_t role, uint32_t session)
{
	const char *base = event_source_name(role);

	if (session != 0)
		(void)snprintf(name, RECORD_PROCESS_BYTES, "%s/%u", base, session);
	else
		(void)snprintf(name, RECORD_PROCESS_BYTES, "%s", base);
}

/* Texts follow each other, so that all together are no longer than their common area. */
static int check_field(const struct event_field *field, size_t *text_used)
{
	if (field->key == FIELD_NONE_ || field->key >= FIELD_COUNT_)
		return -ERR_PEER;
	if (field->kind < EVENT_KIND_NUMBER || field->kind > EVENT_KIND_SHA256)
		return -ERR_PEER;
	if (field->kind != EVENT_KIND_TEXT)
		return 0;
	if (field->text_at != *text_used || *text_used + field->text_bytes > EVENT_TEXT_BYTES)
		return -ERR_PEER;
	*text_used += field->text_bytes;
	return 0;
}

int record_check(const struct event_record *event)
{
	size_t text_used = 0;

	if (event->id == EVENT_NONE_ || event->id >= EVENT_COUNT_ ||
	    event->field_count > EVENT_FIELDS_MAX)
		return -ERR_PEER;
	for (uint32_t i = 0; i < event->field_count; i++) {
		if (check_field(&event->fields[i], &text_used) < 0)
			return -ERR_PEER;
	}
	return 0;
}

static void put_address(struct writer *w, const char *name, int family, const uint8_t *bytes)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(family, bytes, text, sizeof(text)) != NULL)
		syslog_put_param(w, name, span_of(text));
}

/* Octets in hex, with a separator between them where there is one. */
static void put_octets(struct writer *w, const char *name, const uint8_t *bytes, size_t count,
		       char separator)
{
	char text[2 * 32 + 32];
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		if (i > 0 && separator != '\0')
			text[used++] = separator;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%02x", bytes[i]);
	}
	syslog_put_param(w, name, (struct span){(const uint8_t *)text, used});
}

static void put_field(struct writer *w, const struct event_record *event,
		      const struct event_field *field)
{
	const char *name = event_key_name(field->key);

	switch ((enum event_kind)field->kind) {
	case EVENT_KIND_NUMBER:
		syslog_put_param_number(w, name, field->number);
		return;
	case EVENT_KIND_TEXT:
		syslog_put_param(w, name,
				 (struct span){(const uint8_t *)event->text + field->text_at,
					       field->text_bytes});
		return;
	case EVENT_KIND_IPV4:
		put_address(w, name, AF_INET, field->bytes);
		return;
	case EVENT_KIND_IPV6:
		put_address(w, name, AF_INET6, field->bytes);
		return;
	case EVENT_KIND_MAC:
		put_octets(w, name, field->bytes, 6, ':');
		return;
	case EVENT_KIND_SHA256:
		put_octets(w, name, field->bytes, 32, '\0');
		return;
	}
}

/* Which values did not fit into the event and end early; nothing where none did. */
static void put_cut(struct writer *w, const struct event_record *event)
{
	char names[256];
	size_t used = 0;

	for (uint32_t i = 0; i < event->field_count; i++) {
		const char *name = event_key_name(event->fields[i].key);
		size_t size = strlen(name);

		if (!event->fields[i].cut || used + size + 1 > sizeof(names))
			continue;
		if (used > 0)
			names[used++] = ',';
		memcpy(names + used, name, size);
		used += size;
	}
	if (used > 0)
		syslog_put_param(w, "cut", (struct span){(const uint8_t *)names, used});
}

int record_write(struct writer *w, const struct record_form *form, const char *process,
		 uint64_t sequence, const struct event_record *event)
{
	const struct syslog_header header = {
		.facility = FACILITY_LOCAL0,
		.severity = event_severity(event->id),
		.wall_ns = clock_wall_ns(form->clock),
		.utc_offset_s = form->utc_offset_s,
		.host = form->host,
		.app = "sekisho",
		.process = process,
		.message_id = event_name(event->id),
	};
	uint64_t mono_us = clock_mono_ns(form->clock) / 1000U;

	syslog_put_header(w, &header);
	syslog_put_element(w, LOG_CHAIN_ELEMENT);
	syslog_put_param_number(w, "seq", sequence);
	writer_printf(w, " mono=\"%llu.%06llu\"", (unsigned long long)(mono_us / 1000000U),
		      (unsigned long long)(mono_us % 1000000U));
	for (uint32_t i = 0; i < event->field_count; i++)
		put_field(w, event, &event->fields[i]);
	put_cut(w, event);
	syslog_end_element(w);
	syslog_put_text(w, event_meaning_en(event->id));
	return w->failed ? -ERR_TOO_LONG : 0;
}
