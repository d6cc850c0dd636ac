/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The supervisor's events: to audit as a record, to stderr as a line. */
#include <arpa/inet.h>
#include <stdio.h>

#include "base/buf.h"
#include "supervisor/supervisor.h"

#define LINE_BYTES 1024

/*
 * Text may come from a child: nothing but printable ASCII and UTF-8 bytes reaches a terminal as it
 * is.
 */
static void write_text(struct writer *w, const uint8_t *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] < 0x20 || text[i] == 0x7f || text[i] == '"' || text[i] == '\\')
			writer_printf(w, "\\x%02x", text[i]);
		else
			writer_u8(w, text[i]);
	}
}

static void write_arg(struct writer *w, const struct event_arg *arg)
{
	char address[INET6_ADDRSTRLEN];
	const uint8_t *bytes = arg->data;

	writer_printf(w, " %s=", event_key_name(arg->key));
	switch (arg->kind) {
	case EVENT_KIND_NUMBER:
		writer_printf(w, "%llu", (unsigned long long)arg->number);
		break;
	case EVENT_KIND_TEXT:
		writer_text(w, "\"");
		write_text(w, bytes, arg->size);
		writer_text(w, "\"");
		break;
	case EVENT_KIND_IPV4:
	case EVENT_KIND_IPV6:
		writer_text(w, inet_ntop(arg->kind == EVENT_KIND_IPV6 ? AF_INET6 : AF_INET, bytes,
					 address, sizeof(address)));
		break;
	default:
		for (size_t i = 0; i < arg->size; i++)
			writer_printf(w, "%02x", bytes[i]);
	}
}

static void print_line(enum event_id id, const struct event_arg *args, size_t arg_count)
{
	char line[LINE_BYTES];
	struct writer w;

	writer_init(&w, line, sizeof(line));
	for (size_t i = 0; i < arg_count; i++)
		write_arg(&w, &args[i]);
	fprintf(stderr, "sekishod: %s%.*s\n", event_name(id), (int)w.size, line);
}

void supervisor_emit(struct supervisor *sup, enum event_id id, const struct event_arg *args,
		     size_t arg_count)
{
	event_emit(&sup->events, id, args, arg_count);
	print_line(id, args, arg_count);
}
