/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Delivery and disposition notifications (RFC 3464, RFC 8098) in words, and the returned header. */
#include "mail-flattener/state.h"

#include <string.h>

/* Behind "rfc822;" and the like: the type of an address or code says nothing to a reader. */
static struct span without_type(struct span value)
{
	const uint8_t *semicolon = value.size > 0 ? memchr(value.data, ';', value.size) : NULL;
	size_t skip = semicolon != NULL ? (size_t)(semicolon - value.data) + 1 : 0;

	return span_trim((struct span){value.data + skip, value.size - skip});
}

/* A line with the reader's word for a value, and the value behind it. */
static void show_word(struct flatten *f, enum notice notice, const char *word, const char *value)
{
	struct bytes line;

	bytes_init(&line, MIME_FIELD_BYTES_MAX);
	flatten_fail(f, word != NULL ? bytes_printf(&line, "%s (%s)", word, value)
				     : bytes_append_text(&line, value));
	flatten_fail(f, bytes_append_u8(&line, '\0'));
	if (f->err == 0)
		flatten_say(f, notice, (const char *)line.data, NULL);
	bytes_fini(&line);
}

static void show_field(struct flatten *f, const struct mime_field *field, struct bytes *raw,
		       struct bytes *clean)
{
	static const struct {
		const char *name;
		enum notice notice;
		bool typed;
		const char *(*word)(const struct flatten *f, struct span value);
	} fields[] = {
		{"Final-Recipient", NOTICE_D_RECIPIENT, true, NULL},
		{"Action", NOTICE_D_ACTION, false, words_action},
		{"Status", NOTICE_D_STATUS, false, words_status},
		{"Diagnostic-Code", NOTICE_D_DIAGNOSTIC, true, NULL},
		{"Remote-MTA", NOTICE_D_REMOTE, true, NULL},
		{"Will-Retry-Until", NOTICE_D_RETRY, false, NULL},
		{"Disposition", NOTICE_D_DISPOSITION, false, words_disposition},
		{"Error", NOTICE_D_DIAGNOSTIC, false, NULL},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const char *text;

		if (!span_equal_nocase(field->name, span_of(fields[i].name)))
			continue;
		bytes_clear(raw);
		flatten_fail(f, mime_value_unfold(field->value, raw));
		text = flatten_clean(
			f, fields[i].typed ? without_type(bytes_span(raw)) : bytes_span(raw),
			FLATTEN_SUBJECT_BYTES, clean);
		show_word(f, fields[i].notice,
			  fields[i].word != NULL ? fields[i].word(f, span_of(text)) : NULL, text);
	}
}

void report_show_status(struct flatten *f, uint32_t number)
{
	struct bytes fields, raw, clean;
	struct mime_field field;
	size_t at = 0;
	struct span octets = flatten_decode(f, &f->tree.parts[number]);
	bool disposition =
		strcmp(f->tree.parts[number].type, "message/disposition-notification") == 0;

	bytes_init(&fields, octets.size + 1);
	bytes_init(&raw, MIME_FIELD_BYTES_MAX);
	bytes_init(&clean, MIME_FIELD_BYTES_MAX);
	flatten_fail(f, bytes_append(&fields, octets.data, octets.size));
	f->gap = true;
	flatten_say(f, disposition ? NOTICE_D_READ_TITLE : NOTICE_D_TITLE, NULL, NULL);
	/* Groups of fields, one for the message and one for each recipient, parted by empty lines.
	 */
	while (mime_field_next(bytes_span(&fields), &at, &field)) {
		if (span_equal_nocase(field.name, span_of("Final-Recipient")) && !disposition)
			f->gap = true;
		show_field(f, &field, &raw, &clean);
	}
	f->shown = true;
	bytes_fini(&fields);
	bytes_fini(&raw);
	bytes_fini(&clean);
}

void report_show_header(struct flatten *f, uint32_t number)
{
	static const struct {
		const char *field;
		enum notice notice;
	} shown[] = {
		{"From", NOTICE_H_FROM}, {"To", NOTICE_H_TO},           {"Cc", NOTICE_H_CC},
		{"Date", NOTICE_H_DATE}, {"Subject", NOTICE_H_SUBJECT},
	};
	struct span octets = flatten_decode(f, &f->tree.parts[number]);
	struct bytes store;

	bytes_init(&store, MIME_FIELD_BYTES_MAX * 8);
	f->gap = true;
	flatten_say(f, NOTICE_D_HEADERS, NULL, NULL);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		const char *value = header_text(f, octets, shown[i].field, &store);

		if (value[0] != '\0')
			flatten_say(f, shown[i].notice, value, NULL);
	}
	f->shown = true;
	bytes_fini(&store);
}
