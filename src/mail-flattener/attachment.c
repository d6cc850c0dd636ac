/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attachments: dropped, and described so that the reader can ask for them by another way. */
#include "mail-flattener/state.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

/* A parameter of a field of the part as UTF-8 in @out; empty where there is none. */
static struct span part_param(struct flatten *f, const struct mime_part *part,
			      const char *field_name, const char *name, struct bytes *out)
{
	struct mime_field field;

	bytes_clear(out);
	if (mime_field_find(part->header, field_name, &field) &&
	    mime_value_param(field.value, name, out, &f->charset) == -ERR_NO_MEMORY)
		flatten_fail(f, -ERR_NO_MEMORY);
	return bytes_span(out);
}

bool attachment_is_named(struct flatten *f, const struct mime_part *part)
{
	struct bytes name;
	bool named;

	bytes_init(&name, MIME_FIELD_BYTES_MAX * 8);
	named = part_param(f, part, "Content-Disposition", "filename", &name).size > 0 ||
		part_param(f, part, "Content-Type", "name", &name).size > 0;
	bytes_fini(&name);
	return named;
}

void attachment_hex(const uint8_t *digest, char out[2 * SHA256_BYTES + 1])
{
	for (size_t i = 0; i < SHA256_BYTES; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* What its names and content warn of, and why it does not go on. */
static void put_warnings(struct flatten *f, const struct described *d, const struct kind *kind,
			 enum notice why)
{
	if (kind->runs || kind_name_runs(d->name) || kind_name_runs(d->other))
		flatten_say_into(f, &f->list, NOTICE_A_RUNS, NULL, NULL);
	if (d->turned)
		flatten_say_into(f, &f->list, NOTICE_A_TURNED, NULL, NULL);
	if (why != NOTICE_COUNT_)
		flatten_say_into(f, &f->list, why, NULL, NULL);
}

/* The lines of the list for one attachment. *@encrypted is set where its entries are. */
static void put_lines(struct flatten *f, const struct described *d, const struct kind *kind,
		      const char *hex, enum notice why, bool *encrypted)
{
	flatten_say_into(f, &f->list, NOTICE_A_NAME, number_of(f->count.attachments, false).text,
			 d->name[0] != '\0' ? d->name
					    : notice_text(NOTICE_A_NO_NAME, f->policy->english));
	if (d->other[0] != '\0')
		flatten_say_into(f, &f->list, NOTICE_A_OTHER_NAME, d->other, NULL);
	flatten_say_into(f, &f->list, NOTICE_A_TYPE, d->declared, NULL);
	if (kind->name[0] != '\0')
		flatten_say_into(f, &f->list, NOTICE_A_KIND, kind->name, NULL);
	put_warnings(f, d, kind, why);
	flatten_say_into(f, &f->list, NOTICE_A_SIZE, number_of(d->size, true).text, NULL);
	if (hex[0] != '\0')
		flatten_say_into(f, &f->list, NOTICE_A_HASH, hex, NULL);
	else
		flatten_say_into(f, &f->list, d->unread, d->declared, NULL);
	if (d->octets.size >= 4 && memcmp(d->octets.data, "PK\3\4", 4) == 0)
		*encrypted = zip_list(f, d->octets) || *encrypted;
	else if (*encrypted)
		flatten_say_into(f, &f->list, NOTICE_A_ENCRYPTED, NULL, NULL);
}

/* List the file among those that go on or those that are removed. */
static void describe(struct flatten *f, const struct described *d)
{
	uint8_t digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1] = "";
	struct kind kind = {"", false, false};
	enum notice why = NOTICE_COUNT_;
	bool encrypted;

	if (d->looked_into) {
		kind = kind_of(d->octets);
		sha256_of(d->octets.data, d->octets.size, digest);
		attachment_hex(digest, hex);
	}
	if (files_take(f, d, &kind, &why))
		return;
	f->count.attachments++;
	encrypted = kind.encrypted;
	if (f->listed < FLATTEN_LISTED_MAX && f->list.size < FLATTEN_LIST_BYTES) {
		f->listed++;
		put_lines(f, d, &kind, hex, why, &encrypted);
	}
	f->count.encrypted += encrypted;
	f->count.programs += kind.runs || kind_name_runs(d->name) || kind_name_runs(d->other);
	receipt_drop(f, d->part, d->name, d->declared, kind.name, d->size,
		     hex[0] != '\0' ? digest : NULL, encrypted);
}

void attachment_list_octets(struct flatten *f, uint32_t number, struct span name,
			    const char *declared, struct span octets)
{
	struct described d = {.part = number,
			      .other = "",
			      .declared = declared,
			      .octets = octets,
			      .looked_into = true,
			      .size = octets.size};
	struct bytes clean;

	bytes_init(&clean, MIME_FIELD_BYTES_MAX);
	d.name = flatten_clean(f, name, FLATTEN_NAME_BYTES, &clean);
	describe(f, &d);
	bytes_fini(&clean);
}

void attachment_list_unread(struct flatten *f, uint32_t number, struct span name,
			    const char *declared, uint64_t bytes)
{
	struct described d = {.part = number,
			      .other = "",
			      .declared = declared,
			      .octets = span_of(""),
			      .size = bytes,
			      .unread = NOTICE_A_UNREAD};
	struct bytes clean;

	bytes_init(&clean, MIME_FIELD_BYTES_MAX);
	d.name = flatten_clean(f, name, FLATTEN_NAME_BYTES, &clean);
	describe(f, &d);
	bytes_fini(&clean);
}

void attachment_list(struct flatten *f, uint32_t number)
{
	const struct mime_part *part = &f->tree.parts[number];
	struct described d = {
		.part = number, .is_part = true, .other = "", .unread = NOTICE_A_TOO_LARGE};
	struct bytes raw, name, other, type;
	uint64_t bidi;

	bytes_init(&raw, MIME_FIELD_BYTES_MAX * 8);
	bytes_init(&name, MIME_FIELD_BYTES_MAX);
	bytes_init(&other, MIME_FIELD_BYTES_MAX);
	bytes_init(&type, MIME_FIELD_BYTES_MAX);
	bidi = f->clean.bidi;
	d.name = flatten_clean(f, part_param(f, part, "Content-Disposition", "filename", &raw),
			       FLATTEN_NAME_BYTES, &name);
	d.other = flatten_clean(f, part_param(f, part, "Content-Type", "name", &raw),
				FLATTEN_NAME_BYTES, &other);
	d.turned = f->clean.bidi > bidi;
	if (d.name[0] == '\0') {
		d.name = d.other;
		d.other = "";
	}
	if (strcmp(d.name, d.other) == 0)
		d.other = "";
	d.declared = flatten_clean(f, span_of(part->type), MIME_TYPE_BYTES, &type);
	d.octets = flatten_decode(f, part);
	d.looked_into = !f->decoded.failed;
	f->decoded.failed = false;
	d.size = d.looked_into ? d.octets.size : part->body.size;
	describe(f, &d);
	bytes_fini(&raw);
	bytes_fini(&name);
	bytes_fini(&other);
	bytes_fini(&type);
}
