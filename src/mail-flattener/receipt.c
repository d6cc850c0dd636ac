/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The receipt: one JSON object (RFC 8259) about what came, what went on, and what did not and why.
 */
#include "mail-flattener/state.h"

#include <inttypes.h>
#include <stdio.h>

enum { RECEIPT_DROPS_MAX = 2000 }; /* that are described one by one */

static void put_json(struct flatten *f, struct bytes *to, const char *text)
{
	flatten_fail(f, bytes_append_u8(to, '"'));
	for (; *text != '\0'; text++) {
		uint8_t c = (uint8_t)*text;

		if (c < 0x20)
			flatten_fail(f, bytes_printf(to, "\\u%04x", c));
		else if (c == '"' || c == '\\')
			flatten_fail(f, bytes_printf(to, "\\%c", c));
		else
			flatten_fail(f, bytes_append_u8(to, c));
	}
	flatten_fail(f, bytes_append_u8(to, '"'));
}

static void put_sha256(struct flatten *f, struct bytes *to, const uint8_t *digest)
{
	flatten_fail(f, bytes_append_u8(to, '"'));
	for (size_t i = 0; i < SHA256_BYTES; i++)
		flatten_fail(f, bytes_printf(to, "%02x", digest[i]));
	flatten_fail(f, bytes_append_u8(to, '"'));
}

static void put_key(struct flatten *f, struct bytes *to, const char *key, const char *value)
{
	flatten_fail(f, bytes_printf(to, ",\"%s\":", key));
	put_json(f, to, value);
}

void receipt_drop(struct flatten *f, uint32_t part, const char *name, const char *declared,
		  const char *kind, uint64_t bytes, const uint8_t *sha256, bool encrypted)
{
	struct bytes *to = &f->json_drops;

	if (f->count.attachments > RECEIPT_DROPS_MAX)
		return; /* the counter tells how many there were */
	flatten_fail(f, bytes_printf(to, "%s{\"part\":%u,\"reason\":\"attachment\"",
				     to->size > 0 ? "," : "", part));
	put_key(f, to, "name", name);
	put_key(f, to, "declared", declared);
	put_key(f, to, "kind", kind);
	flatten_fail(f, bytes_printf(to, ",\"bytes\":%" PRIu64 ",\"encrypted\":%s", bytes,
				     encrypted ? "true" : "false"));
	if (sha256 != NULL) {
		flatten_fail(f, bytes_append_text(to, ",\"sha256\":"));
		put_sha256(f, to, sha256);
	}
	flatten_fail(f, bytes_append_u8(to, '}'));
}

void receipt_pass(struct flatten *f, const struct described *d, const char *kind,
		  const char *written_name, struct span written, const uint8_t *sha256)
{
	struct bytes *to = &f->json_passes;
	uint8_t original[SHA256_BYTES];

	sha256_of(d->octets.data, d->octets.size, original);
	flatten_fail(f, bytes_printf(to, "%s{\"part\":%u", to->size > 0 ? "," : "", d->part));
	put_key(f, to, "name", d->name);
	put_key(f, to, "written_name", written_name);
	put_key(f, to, "declared", d->declared);
	put_key(f, to, "kind", kind);
	flatten_fail(f, bytes_printf(to, ",\"bytes\":%zu,\"sha256\":", d->octets.size));
	put_sha256(f, to, original);
	flatten_fail(f,
		     bytes_printf(to, ",\"written_bytes\":%zu,\"written_sha256\":", written.size));
	put_sha256(f, to, sha256);
	flatten_fail(f, bytes_append_u8(to, '}'));
}

void receipt_charset(struct flatten *f, uint32_t part, struct span label,
		     const struct charset_choice *choice, const struct charset_report *report)
{
	struct bytes *to = &f->json_charsets, clean;

	bytes_init(&clean, MIME_FIELD_BYTES_MAX);
	flatten_fail(f, bytes_printf(to, "%s{\"part\":%u", to->size > 0 ? "," : "", part));
	put_key(f, to, "label", flatten_clean(f, label, 80, &clean));
	put_key(f, to, "used", charset_name(choice->charset));
	flatten_fail(f, bytes_printf(to,
				     ",\"guessed\":%s,\"undecodable\":%" PRIu64
				     ",\"gaiji\":%" PRIu64 "}",
				     choice->guessed ? "true" : "false", report->undecodable_bytes,
				     report->gaiji));
	bytes_fini(&clean);
}

/* What was odd about a part, in words. */
static void put_conditions(struct flatten *f, struct bytes *to, uint32_t flags)
{
	const char *code;
	size_t at = 0;

	if (flags == 0)
		return;
	flatten_fail(f, bytes_append_text(to, ",\"conditions\":["));
	for (bool first = true; (code = ambiguity_code(flags, &at)) != NULL; first = false)
		flatten_fail(f, bytes_printf(to, "%s\"%s\"", first ? "" : ",", code));
	flatten_fail(f, bytes_append_u8(to, ']'));
}

static void put_parts(struct flatten *f, struct bytes *to)
{
	static const char *const fates[] = {"container", "text", "other-form", "dropped", "passed"};
	struct bytes clean;

	bytes_init(&clean, MIME_FIELD_BYTES_MAX);
	for (uint32_t i = 0; i < f->tree.count; i++) {
		const struct mime_part *part = &f->tree.parts[i];

		flatten_fail(f, bytes_printf(to, "%s{\"part\":%u,\"depth\":%u,\"bytes\":%zu",
					     i > 0 ? "," : "", i, part->depth, part->body.size));
		if (part->parent != MIME_NONE)
			flatten_fail(f, bytes_printf(to, ",\"parent\":%u", part->parent));
		put_key(f, to, "type",
			flatten_clean(f, span_of(part->type), MIME_TYPE_BYTES, &clean));
		put_key(f, to, "fate", f->fates != NULL ? fates[f->fates[i]] : "refused");
		put_conditions(f, to, part->flags);
		if (part->aside_bytes != 0)
			flatten_fail(f, bytes_printf(to, ",\"aside_bytes\":%" PRIu64,
						     part->aside_bytes));
		flatten_fail(f, bytes_append_u8(to, '}'));
	}
	bytes_fini(&clean);
}

static void put_counters(struct flatten *f, struct bytes *to)
{
	const struct {
		const char *name;
		uint64_t value;
	} counters[] = {
		{"attachments", f->count.attachments},
		{"passed", f->count.passed},
		{"encrypted", f->count.encrypted},
		{"programs", f->count.programs},
		{"html_parts", f->count.html_parts},
		{"nested_messages", f->count.nested},
		{"winmail", f->count.winmail},
		{"charsets_guessed", f->count.guesses},
		{"undecodable_bytes", f->charset.undecodable_bytes + f->clean.malformed},
		{"gaiji", f->charset.gaiji + f->clean.gaiji},
		{"control_characters", f->clean.controls},
		{"invisible_removed", f->clean.invisible},
		{"direction_marks_removed", f->clean.bidi},
		{"lines_wrapped", f->clean.wrapped},
		{"links", f->html.links},
		{"misleading_links", f->html.misleading_links},
		{"dropped_links", f->html.dropped_links},
		{"images", f->html.images},
		{"active_content", f->html.active},
		{"hidden_bytes", f->html.hidden_bytes},
		{"signatures", f->count.signatures},
		{"encrypted_texts", f->count.sealed},
		{"other_forms", f->count.other_forms},
		{"alternatives_differ", f->count.differing},
		{"encoding_errors", f->count.malformed},
		{"ambiguities", f->count.ambiguities},
		{"imitations", f->count.imitations},
		{"aside", f->count.aside_bytes},
		{"dated", f->count.dated},
		{"limits", f->count.limits},
	};

	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		flatten_fail(f, bytes_printf(to, "%s\"%s\":%" PRIu64, i > 0 ? "," : "",
					     counters[i].name, counters[i].value));
}

/* Whom SMTP named as the sender: for the auditor alone. */
static void put_envelope(struct flatten *f, struct bytes *to)
{
	struct bytes clean;

	if (f->policy->envelope_from.size == 0)
		return;
	bytes_init(&clean, MIME_FIELD_BYTES_MAX);
	put_key(f, to, "envelope_from",
		flatten_clean(f, f->policy->envelope_from, MIME_ADDRESS_BYTES_MAX, &clean));
	bytes_fini(&clean);
}

/* Parts that are left out because another says the same, among the drops. */
static void put_other_forms(struct flatten *f)
{
	struct bytes *to = &f->json_drops, clean;

	bytes_init(&clean, MIME_FIELD_BYTES_MAX);
	for (uint32_t i = 0; i < f->tree.count; i++) {
		if (f->fates[i] != FATE_OTHER_FORM)
			continue;
		flatten_fail(f, bytes_printf(to, "%s{\"part\":%u,\"reason\":\"other-form\"",
					     to->size > 0 ? "," : "", i));
		put_key(f, to, "declared",
			flatten_clean(f, span_of(f->tree.parts[i].type), MIME_TYPE_BYTES, &clean));
		flatten_fail(f, bytes_printf(to, ",\"bytes\":%zu}", f->tree.parts[i].body.size));
	}
	bytes_fini(&clean);
}

int receipt_write(struct flatten *f, const struct flatten_result *result, struct bytes *receipt)
{
	flatten_fail(f, bytes_append_text(receipt, "{\"receipt\":"));
	put_json(f, receipt, f->receipt);
	put_key(f, receipt, "version", FLATTEN_VERSION);
	put_key(f, receipt, "program", SEKISHO_VERSION);
	put_key(f, receipt, "status", result->reason == NULL ? "flattened" : "refused");
	if (result->reason != NULL)
		put_key(f, receipt, "reason", result->reason);
	put_envelope(f, receipt);
	flatten_fail(f, bytes_printf(receipt,
				     ",\"input\":{\"bytes\":%zu,\"sha256\":", f->message.size));
	put_sha256(f, receipt, result->sha256_input);
	flatten_fail(f, bytes_append_u8(receipt, '}'));
	if (result->reason == NULL) {
		flatten_fail(f, bytes_printf(receipt, ",\"output\":{\"bytes\":%zu,\"sha256\":",
					     f->out->size));
		put_sha256(f, receipt, result->sha256_output);
		flatten_fail(f, bytes_append_text(receipt, "},\"drops\":["));
		put_other_forms(f);
		flatten_fail(f, bytes_append(receipt, f->json_drops.data, f->json_drops.size));
		flatten_fail(f, bytes_append_text(receipt, "],\"passes\":["));
		flatten_fail(f, bytes_append(receipt, f->json_passes.data, f->json_passes.size));
		flatten_fail(f, bytes_append_text(receipt, "],\"charsets\":["));
		flatten_fail(f,
			     bytes_append(receipt, f->json_charsets.data, f->json_charsets.size));
		flatten_fail(f, bytes_append_text(receipt, "],\"counters\":{"));
		put_counters(f, receipt);
		flatten_fail(f, bytes_append_u8(receipt, '}'));
	}
	flatten_fail(f, bytes_append_text(receipt, ",\"parts\":["));
	put_parts(f, receipt);
	flatten_fail(f, bytes_printf(receipt,
				     "],\"policy\":{\"language\":\"%s\",\"defang\":%s,"
				     "\"ambiguous\":\"%s\"}}\n",
				     f->policy->english ? "en" : "ja",
				     f->policy->defang ? "true" : "false",
				     f->policy->refuse_ambiguous ? "refuse" : "show"));
	return f->err;
}
