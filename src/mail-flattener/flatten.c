/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flattening: walks the part tree, decides what becomes of each part, and writes what was done at
 * the end. */
#include "mail-flattener/flatten.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "mail-flattener/outbound.h"
#include "mail-flattener/state.h"
#include "wire/mail/forward.h"

struct span flatten_decode(struct flatten *f, const struct mime_part *part)
{
	struct mime_decode_report report = {0};
	int err;

	if (part->encoding == MIME_ENCODING_NONE || part->encoding == MIME_ENCODING_UNKNOWN)
		return part->body;
	bytes_clear(&f->decoded);
	err = mime_decode((enum mime_encoding)part->encoding, part->body, &f->decoded, &report);
	f->count.malformed += (uint32_t)report.malformed;
	if (err == -ERR_NO_MEMORY)
		flatten_fail(f, err);
	else if (err < 0)
		f->count.limits++;
	return bytes_span(&f->decoded);
}

/* Is this the word of the part's Content-Disposition? */
static bool is_disposed(const struct mime_part *part, const char *wanted)
{
	struct mime_field field;
	char word[MIME_TYPE_BYTES];

	if (!mime_field_find(part->header, "Content-Disposition", &field))
		return false;
	mime_value_type(field.value, word);
	return strcmp(word, wanted) == 0;
}

/* The header of a nested message, as lines of text; what follows is indented. */
static void enter_message(struct flatten *f, uint32_t number)
{
	static const struct {
		const char *field;
		enum notice notice;
	} shown[] = {
		{"From", NOTICE_H_FROM}, {"To", NOTICE_H_TO},           {"Cc", NOTICE_H_CC},
		{"Date", NOTICE_H_DATE}, {"Subject", NOTICE_H_SUBJECT},
	};
	uint32_t child = f->tree.parts[number].first_child;
	struct bytes store;

	f->count.nested++;
	f->gap = true;
	flatten_say(f, NOTICE_MESSAGE_BEGIN, NULL, NULL);
	if (f->prefix_size + 2 <= PREFIX_BYTES) {
		memcpy(f->prefix + f->prefix_size, "| ", 3);
		f->prefix_size += 2;
	}
	bytes_init(&store, MIME_FIELD_BYTES_MAX * 8);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		const char *value =
			header_text(f, f->tree.parts[child].header, shown[i].field, &store);

		if (value[0] != '\0')
			flatten_say(f, shown[i].notice, value, NULL);
	}
	bytes_fini(&store);
	f->shown = true;
}

static void leave_part(void *ctx, uint32_t number)
{
	struct flatten *f = ctx;

	if (f->tree.parts[number].kind != MIME_MESSAGE)
		return;
	if (f->prefix_size >= 2)
		f->prefix_size -= 2;
	f->prefix[f->prefix_size] = '\0';
	f->gap = false;
	flatten_say(f, NOTICE_MESSAGE_END, NULL, NULL);
	f->gap = true;
}

/* Leaves that are shown, by type; what is not here is listed as an attachment. */
static const struct {
	const char *type;
	void (*show)(struct flatten *f, uint32_t number);
	bool also_attached; /* told even where it is called an attachment, as invitations and
			       reports often are */
} shown_types[] = {
	{"text/plain", text_show_plain, false},
	{"text/html", text_show_html, false},
	{"text/calendar", calendar_show, true},
	{"message/delivery-status", report_show_status, true},
	{"message/global-delivery-status", report_show_status, true},
	{"message/disposition-notification", report_show_status, true},
	{"text/rfc822-headers", report_show_header, true},
	/* Those that could not be opened. */
	{"message/rfc822", text_show_plain, false},
	{"message/global", text_show_plain, false},
	{"message/news", text_show_plain, false},
};

static bool is_winmail(const struct mime_part *part)
{
	return strcmp(part->type, "application/ms-tnef") == 0 ||
	       strcmp(part->type, "application/vnd.ms-tnef") == 0;
}

/* A text of a kind that is not known is read like a plain one (RFC 2046 4.1.4), unless it is a
 * file: it bears the name of one, and nothing says that it is to be read in place. */
static bool is_other_text(struct flatten *f, const struct mime_part *part)
{
	return strncmp(part->type, "text/", 5) == 0 && strcmp(part->type, "text/rtf") != 0 &&
	       (!attachment_is_named(f, part) ||
		(is_disposed(part, "inline") && !outbound_passes_text(f)));
}

static void visit_leaf(struct flatten *f, uint32_t number)
{
	const struct mime_part *part = &f->tree.parts[number];
	bool attached = is_disposed(part, "attachment") || text_is_binary(f, number);

	f->fates[number] = FATE_TEXT;
	if (is_winmail(part) && winmail_show(f, number))
		return;
	if (!attached && strncmp(part->type, "multipart/", 10) == 0) {
		text_show_plain(f, number);
		return;
	}
	for (size_t i = 0; i < sizeof(shown_types) / sizeof(shown_types[0]); i++) {
		if (strcmp(part->type, shown_types[i].type) == 0 &&
		    (!attached || shown_types[i].also_attached)) {
			shown_types[i].show(f, number);
			return;
		}
	}
	if (!attached && is_other_text(f, part)) {
		if (strncmp(kind_of(flatten_decode(f, part)).name, "HTML", 4) == 0)
			text_show_html(f, number);
		else
			text_show_plain(f, number);
		return;
	}
	f->fates[number] = FATE_DROPPED;
	if (part->flags & MIME_SEALED || strcmp(part->type, "application/pgp-encrypted") == 0) {
		f->gap = true;
		flatten_say(f, NOTICE_S_ENCRYPTED, NULL, NULL);
		f->count.sealed++;
		f->shown = true;
	}
	attachment_list(f, number);
}

static void enter_signed(struct flatten *f)
{
	f->count.signatures++;
	f->gap = true;
	flatten_say(f, NOTICE_S_SIGNED, NULL, NULL);
}

/* What becomes of a part. Return: whether to go into its children. */
static bool visit(struct flatten *f, uint32_t number)
{
	const struct mime_part *part = &f->tree.parts[number];

	ambiguity_state(f, part);
	switch (part->kind) {
	case MIME_MESSAGE:
		enter_message(f, number);
		return true;
	case MIME_SIGNED:
		enter_signed(f);
		return true;
	case MIME_MULTIPART:
		if (part->aside_words)
			f->count.aside_bytes += part->aside_bytes;
		if (strcmp(part->type, "multipart/alternative") == 0)
			alternative_choose(f, number);
		else if (strcmp(part->type, "multipart/signed") == 0)
			enter_signed(f);
		return true;
	default:
		break;
	}
	if (f->fates[number] == FATE_OTHER_FORM)
		f->count.other_forms++;
	else
		visit_leaf(f, number);
	return false;
}

static void walk(struct flatten *f)
{
	for (uint32_t at = 0; at != MIME_NONE && f->err == 0;)
		at = mime_tree_next(&f->tree, at, visit(f, at), leave_part, f);
}

/* Never an empty mail: say what there was instead of a text. */
static void state_emptiness(struct flatten *f)
{
	if (f->shown)
		return;
	f->gap = true;
	if (f->html.images > 0)
		flatten_say(f, NOTICE_IMAGE_ONLY, NULL, NULL);
	else
		flatten_say(f,
			    f->count.attachments > 0 || f->count.passed > 0 ? NOTICE_ATTACHMENT_ONLY
									    : NOTICE_EMPTY,
			    NULL, NULL);
}

/* Is there a letter in what was hidden? Mailers fill preview lines with blanks of many kinds. */
static bool has_hidden(const struct flatten *f)
{
	struct span s = bytes_span(&f->hidden);
	uint32_t c;

	for (size_t at = 0, length; at < s.size; at += length > 0 ? length : 1) {
		length = utf8_decode((struct span){s.data + at, s.size - at}, &c);
		if (length > 0 && c > ' ' && c != 0xA0 && c != 0xAD && c != 0x34F && c != 0x3000 &&
		    c != 0xFEFF && !(c >= 0x2000 && c <= 0x200F))
			return true;
	}
	return false;
}

static void put_hidden(struct flatten *f)
{
	if (!has_hidden(f))
		return;
	f->gap = true;
	flatten_say(f, NOTICE_HIDDEN, NULL, NULL);
	flatten_show(f, span_trim(bytes_span(&f->hidden)));
}

static void put_attachments(struct flatten *f)
{
	if (f->count.attachments == 0)
		return;
	if (f->count.attachments > f->listed)
		flatten_say_into(f, &f->list, NOTICE_A_MORE,
				 number_of(f->count.attachments - f->listed, false).text, NULL);
	f->gap = true;
	flatten_say(f, NOTICE_ATTACHMENTS, number_of(f->count.attachments, false).text, NULL);
	flatten_show_own(f, bytes_span(&f->list));
}

static void put_files(struct flatten *f)
{
	if (f->count.passed == 0)
		return;
	f->gap = true;
	flatten_say(f, NOTICE_FILES, number_of(f->count.passed, false).text, NULL);
	flatten_show_own(f, bytes_span(&f->files_list));
}

/* One thing that was done, behind a comma where others come before. */
static void put_done(struct flatten *f, struct bytes *done, enum notice notice, uint64_t count)
{
	if (count == 0)
		return;
	if (done->size > 0)
		flatten_fail(f, bytes_append(done, ", ", 2));
	flatten_say_into(f, done, notice, number_of(count, false).text, NULL);
	if (done->size > 0)
		done->size--; /* the line end */
}

/* The last block. */
static void put_summary(struct flatten *f)
{
	struct bytes done;

	bytes_init(&done, MIME_FIELD_BYTES_MAX);
	put_done(f, &done, NOTICE_DONE_HTML, f->count.html_parts);
	put_done(f, &done, NOTICE_DONE_OTHER_FORMS, f->count.other_forms);
	put_done(f, &done, NOTICE_DONE_ATTACHMENTS, f->count.attachments);
	put_done(f, &done, NOTICE_DONE_FILES, f->count.passed);
	put_done(f, &done, NOTICE_DONE_IMAGES, f->html.images);
	put_done(f, &done, NOTICE_DONE_ACTIVE, f->html.active);
	put_done(f, &done, NOTICE_DONE_LINKS, f->html.dropped_links);
	put_done(f, &done, NOTICE_DONE_MISLEADING, f->html.misleading_links);
	put_done(f, &done, NOTICE_DONE_SPELLED, f->html.spelled_links);
	put_done(f, &done, NOTICE_DONE_DEFANGED, f->html.defanged_links);
	put_done(f, &done, NOTICE_DONE_HIDDEN, has_hidden(f));
	put_done(f, &done, NOTICE_DONE_NESTED, f->count.nested);
	put_done(f, &done, NOTICE_DONE_WINMAIL, f->count.winmail);
	put_done(f, &done, NOTICE_DONE_GUESSED, f->count.guesses);
	put_done(f, &done, NOTICE_DONE_UNDECODABLE,
		 f->charset.undecodable_bytes + f->clean.malformed);
	put_done(f, &done, NOTICE_DONE_GAIJI, f->charset.gaiji + f->clean.gaiji);
	put_done(f, &done, NOTICE_DONE_INVISIBLE, f->clean.invisible);
	put_done(f, &done, NOTICE_DONE_BIDI, f->clean.bidi);
	put_done(f, &done, NOTICE_DONE_CONTROLS, f->clean.controls);
	put_done(f, &done, NOTICE_DONE_SEALED, f->count.sealed);
	put_done(f, &done, NOTICE_DONE_SIGNATURES, f->count.signatures);
	put_done(f, &done, NOTICE_DONE_AMBIGUOUS, f->count.ambiguities);
	put_done(f, &done, NOTICE_DONE_IMITATIONS, f->count.imitations);
	put_done(f, &done, NOTICE_DONE_ASIDE, f->count.aside_bytes);
	put_done(f, &done, NOTICE_DONE_DATED, f->count.dated);
	put_done(f, &done, NOTICE_DONE_LIMITS, f->count.limits);
	if (done.size == 0)
		flatten_fail(f, bytes_append_text(&done, notice_text(NOTICE_DONE_NOTHING,
								     f->policy->english)));
	flatten_fail(f, bytes_append_u8(&done, '\0'));
	f->gap = true;
	flatten_show_own(f, span_of("----------------------------------------"));
	if (f->err == 0)
		flatten_say(f, NOTICE_DONE, (const char *)done.data, NULL);
	flatten_say(f, NOTICE_RECEIPT, f->receipt, f->policy->host_name);
	bytes_fini(&done);
}

static void write_message(struct flatten *f)
{
	header_write(f);
	f->body_begin = f->out->size;
	sender_check(f);
	f->gap = true;
	walk(f);
	f->prefix_size = 0;
	state_emptiness(f);
	f->cut = false; /* what follows is small, and must be told */
	put_hidden(f);
	put_files(f);
	put_attachments(f);
	put_summary(f);
}

static void state_init(struct flatten *f)
{
	bytes_init(&f->decoded, FLATTEN_PART_BYTES);
	bytes_init(&f->text, FLATTEN_PART_BYTES);
	bytes_init(&f->rendered, FLATTEN_PART_BYTES);
	bytes_init(&f->marked, f->message.size + FLATTEN_OUTPUT_BYTES + FLATTEN_TRAILER_BYTES);
	bytes_init(&f->hidden, HTML_HIDDEN_BYTES + 8);
	bytes_init(&f->list, FLATTEN_TRAILER_BYTES / 2);
	bytes_init(&f->json_drops, FLATTEN_PART_BYTES / 8);
	bytes_init(&f->json_charsets, FLATTEN_PART_BYTES / 8);
	bytes_init(&f->json_passes, FLATTEN_PART_BYTES / 8);
	bytes_init(&f->files, FLATTEN_FILES_BYTES(f->message.size));
	bytes_init(&f->files_list, FLATTEN_TRAILER_BYTES / 8);
	bytes_init(&f->files_text, FLATTEN_FILES_BYTES(f->message.size));
	f->out->limit = FLATTEN_OUTPUT_BYTES + f->message.size;
	if (outbound_passes_text(f)) /* its base64 is longer by a third */
		f->out->limit = FLATTEN_OUTPUT_BYTES / 2 + f->message.size;
}

static void state_fini(struct flatten *f)
{
	bytes_fini(&f->decoded);
	bytes_fini(&f->text);
	bytes_fini(&f->rendered);
	bytes_fini(&f->marked);
	bytes_fini(&f->hidden);
	bytes_fini(&f->list);
	bytes_fini(&f->json_drops);
	bytes_fini(&f->json_charsets);
	bytes_fini(&f->json_passes);
	bytes_fini(&f->files);
	bytes_fini(&f->files_list);
	bytes_fini(&f->files_text);
	mime_tree_fini(&f->tree);
	free(f->fates);
}

/* The receipt's id is the beginning of the message's hash: the same message has the same id
 * wherever it is flattened. */
static void name_receipt(struct flatten *f, struct flatten_result *result)
{
	sha256_of(f->message.data, f->message.size, result->sha256_input);
	for (size_t i = 0; i < FLATTEN_ID_BYTES / 2; i++)
		(void)snprintf(f->receipt + 2 * i, 3, "%02x", result->sha256_input[i]);
	memcpy(result->receipt, f->receipt, sizeof(result->receipt));
}

/* Reads the structure. Return: the structural reason for which the message is not flattened; NULL
 * where there is none. */
static const char *refusal_of(struct flatten *f)
{
	const char *loop = NULL;

	if (span_trim(f->message).size == 0)
		return "the message is empty";
	flatten_fail(f, mime_tree_parse(&f->tree, f->message, FLATTEN_PART_BYTES / 4));
	if (f->err == 0 && !outbound_is(f)) /* of what leaves it is judged with the rest */
		loop = mail_forward_loop(f->tree.parts[0].header, false);
	if (loop != NULL)
		return loop;
	return f->err == 0 && f->policy->refuse_ambiguous ? ambiguity_refusal(f) : NULL;
}

static void write_judged(struct flatten *f, struct flatten_result *result)
{
	f->fates = calloc(f->tree.count, 1);
	if (f->fates == NULL) {
		flatten_fail(f, -ERR_NO_MEMORY);
		return;
	}
	f->files_stay = f->files_stay || (outbound_passes_text(f) && !certain_message(f));
	write_message(f);
	outbound_judge_text(f, result);
	if (f->err == 0 && result->reason == NULL && f->count.passed > 0 &&
	    files_are_unambiguous(f))
		files_assemble(f);
}

/* One that turns out to be ambiguous after a file was let go is flattened again without any file:
 * the order of the parts shall not matter. */
static int flatten_once(struct span message, const struct flatten_policy *policy, bool files_stay,
			struct bytes *out, struct bytes *receipt, struct flatten_result *result)
{
	struct flatten f = {.policy = policy,
			    .message = message,
			    .out = out,
			    .differing_html = MIME_NONE,
			    .files_stay = files_stay};
	int err;

	*result = (struct flatten_result){0};
	state_init(&f);
	name_receipt(&f, result);
	result->reason = refusal_of(&f);
	if (f.err == 0)
		outbound_judge(&f, result);
	if (f.err == 0 && result->reason == NULL)
		write_judged(&f, result);
	if (f.err == 0 && result->reason == NULL && f.count.passed > 0 &&
	    !files_are_unambiguous(&f)) {
		state_fini(&f);
		bytes_clear(out);
		return flatten_once(message, policy, true, out, receipt, result);
	}
	result->dropped_count = f.count.attachments;
	result->passed_count = f.count.passed;
	if (result->reason != NULL)
		bytes_clear(out);
	else
		sha256_of(out->data, out->size, result->sha256_output);
	if (f.err == 0)
		(void)receipt_write(&f, result, receipt); /* its failure is in f.err */
	err = f.err == 0 && result->reason != NULL ? -ERR_DENIED : f.err;
	state_fini(&f);
	return err;
}

int flatten_message(struct span message, const struct flatten_policy *policy, struct bytes *out,
		    struct bytes *receipt, struct flatten_result *result)
{
	return flatten_once(message, policy, false, out, receipt, result);
}
