/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mail that leaves: the decisions of a mail entry's outbound block. */
#include "mail-flattener/outbound.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "channel/control.h"
#include "wire/mail/forward.h"
#include "wire/mime/word.h"
#include "wire/text/fold.h"

/* One search for the labels of the policy. */
struct label_search {
	struct flatten *f;
	struct flatten_result *result;
	struct bytes raw, decoded, folded, label;
	struct html_report html; /* what looking for labels took, of all parts */
};

static void refuse(struct flatten_result *result, enum flatten_refusal refusal, const char *what,
		   const char *detail)
{
	if (result->reason != NULL)
		return; /* the first reason counts */
	(void)snprintf(result->detail, sizeof(result->detail), "%s%s", what, detail);
	for (size_t size = strlen(result->detail); !utf8_valid(span_of(result->detail));)
		result->detail[--size] = '\0'; /* a label may have been cut inside a character */
	result->reason = result->detail;
	result->refusal = refusal;
}

static const struct mail_policy *rules(const struct flatten *f)
{
	return f->policy->mail != NULL && f->policy->mail->entry->outbound ? f->policy->mail : NULL;
}

bool outbound_is(const struct flatten *f)
{
	return rules(f) != NULL;
}

bool outbound_passes_text(const struct flatten *f)
{
	return rules(f) != NULL && mail_policy_passes_text(rules(f));
}

bool outbound_passes_files(const struct flatten *f)
{
	return rules(f) != NULL && mail_policy_passes_files(rules(f));
}

/* ---- the author (M7) */

static void judge_author(struct flatten *f, const struct mail_policy *policy,
			 struct flatten_result *result)
{
	char address[MIME_ADDRESS_BYTES_MAX + 3];
	struct mime_mailbox mailbox;
	struct mime_field field;
	struct bytes list;
	unsigned listed = 0, others = 0;
	size_t at = 0;

	bytes_init(&list, MIME_FIELD_BYTES_MAX);
	if (mime_field_find(f->tree.parts[0].header, "From", &field))
		flatten_fail(f, mime_value_unfold(field.value, &list));
	while (mime_mailbox_next(bytes_span(&list), &at, &mailbox)) {
		char *sign =
			mime_mailbox_address(&mailbox, address) == 0 ? strrchr(address, '@') : NULL;

		if (sign != NULL &&
		    mail_policy_takes_sender(
			    policy, (struct span){(uint8_t *)address, (size_t)(sign - address)},
			    span_of(sign + 1)))
			listed++;
		else
			others++;
	}
	bytes_fini(&list);
	if (listed == 0 || others > 0)
		refuse(result, FLATTEN_REFUSAL_SENDER, "the author in From is not a listed sender",
		       "");
}

/* ---- labels (M5) */

/* Does the folded text hold a label? @bare: without the marks of layout, which the label then has
 * not either. */
static void search_folded(struct label_search *s, bool bare, const char *where)
{
	const struct mail_policy *policy = rules(s->f);
	const char *label;

	for (uint32_t i = 0; (label = mail_policy_label(policy, i)) != NULL; i++) {
		bytes_clear(&s->label);
		flatten_fail(s->f, text_fold(span_of(label), &s->label));
		if (s->label.size == 0)
			refuse(s->result, FLATTEN_REFUSAL_LABEL,
			       "a label without any letter: ", label);
		if (bare)
			text_fold_drop_layout(&s->label);
		if (s->label.size == 0 || s->folded.size == 0 ||
		    memmem(s->folded.data, s->folded.size, s->label.data, s->label.size) == NULL)
			continue;
		refuse(s->result, FLATTEN_REFUSAL_LABEL, where, label);
		return;
	}
}

static void search_text(struct label_search *s, struct span utf8, const char *where)
{
	if (s->result->reason != NULL)
		return;
	bytes_clear(&s->folded);
	flatten_fail(s->f, text_fold(utf8, &s->folded));
	search_folded(s, false, where);
	text_fold_drop_layout(&s->folded);
	search_folded(s, true, where);
}

/* All fields of a header, decoded: the subject, keywords, and what programs add by themselves. */
static void search_header(struct label_search *s, struct span header, const char *where)
{
	struct charset_report unused = {0};
	struct mime_field field;
	size_t at = 0;

	while (s->f->err == 0 && mime_field_next(header, &at, &field)) {
		bool subject = span_equal_nocase(field.name, span_of("Subject"));

		bytes_clear(&s->raw);
		bytes_clear(&s->decoded);
		flatten_fail(s->f, mime_value_unfold(field.value, &s->raw));
		flatten_fail(s->f, mime_text_decode(bytes_span(&s->raw), &s->decoded, &unused));
		search_text(s, bytes_span(&s->decoded), subject ? "label in the subject: " : where);
	}
}

static void search_name(struct label_search *s, struct span header, const char *name,
			const char *param)
{
	struct charset_report unused = {0};
	struct mime_field field;

	bytes_clear(&s->decoded);
	if (mime_field_find(header, name, &field) &&
	    mime_value_param(field.value, param, &s->decoded, &unused) == 0)
		search_text(s, bytes_span(&s->decoded), "label in a file name: ");
}

/* A part that claims to be text, in whatever form it comes, also where it is not shown. */
static void search_leaf(struct label_search *s, uint32_t number)
{
	struct flatten *f = s->f;
	const struct mime_part *part = &f->tree.parts[number];
	struct html_policy policy = {f->policy->english, false};
	struct span text;

	if (strncmp(part->type, "text/", 5) != 0 || text_is_binary(f, number))
		return;
	text = text_of_part(f, number);
	search_text(s, text, "label in the text: ");
	if (strcmp(part->type, "text/html") != 0)
		return;
	bytes_clear(&f->rendered);
	if (html_to_text(text, &policy, &f->rendered, &f->hidden, &s->html) == -ERR_NO_MEMORY)
		flatten_fail(f, -ERR_NO_MEMORY);
	search_text(s, bytes_span(&f->rendered), "label in the HTML: ");
	search_text(s, bytes_span(&f->hidden), "label in hidden text: ");
	bytes_clear(&f->rendered);
	flatten_fail(f, html_words(text, &f->rendered)); /* never longer than the part */
	search_text(s, bytes_span(&f->rendered), "label in the HTML: ");
	f->rendered.failed = f->hidden.failed =
		false; /* too long for a whole look: shown cut, too */
	bytes_clear(&f->hidden);
}

static void search_begin(struct label_search *s, struct flatten *f, struct flatten_result *result)
{
	*s = (struct label_search){.f = f, .result = result};
	bytes_init(&s->raw, MIME_FIELD_BYTES_MAX);
	bytes_init(&s->decoded, MIME_FIELD_BYTES_MAX * 8);
	bytes_init(&s->folded, 2 * ((size_t)FLATTEN_PART_BYTES + f->message.size));
	bytes_init(&s->label, 4096);
}

static void search_end(struct label_search *s)
{
	bytes_fini(&s->raw);
	bytes_fini(&s->decoded);
	bytes_fini(&s->folded);
	bytes_fini(&s->label);
}

static void judge_labels(struct flatten *f, struct flatten_result *result)
{
	struct counters counted = f->count; /* what is read here is read, and counted, again */
	struct label_search s;

	search_begin(&s, f, result);
	for (uint32_t i = 0; i < f->tree.count && result->reason == NULL && f->err == 0; i++) {
		const struct mime_part *part = &f->tree.parts[i];

		search_header(&s, part->header, "label in the header: ");
		search_name(&s, part->header, "Content-Disposition", "filename");
		search_name(&s, part->header, "Content-Type", "name");
		if (part->kind == MIME_LEAF)
			search_leaf(&s, i);
	}
	search_end(&s);
	f->count = counted;
}

/* ---- the whole */

void outbound_judge(struct flatten *f, struct flatten_result *result)
{
	const struct mail_policy *policy = rules(f);
	struct span header;
	const char *mark;

	/* What could not be read has no parts either. */
	if (policy == NULL || result->reason != NULL || f->err < 0)
		return;
	header = f->tree.parts[0].header;
	/* What goes in circles does not leave, whatever may be forwarded. */
	mark = policy->entry->forwarded == FORWARDED_REFUSE
		       ? mail_forward_mark(header, f->policy->envelope_from)
		       : mail_forward_loop(header, true);
	if (mark != NULL)
		refuse(result, FLATTEN_REFUSAL_FORWARDED, mark, "");
	judge_author(f, policy, result);
	if (mail_policy_label(policy, 0) != NULL)
		judge_labels(f, result);
}

void outbound_judge_text(struct flatten *f, struct flatten_result *result)
{
	const struct mail_policy *policy = rules(f);
	struct label_search s;

	if (policy == NULL || f->err < 0)
		return;
	if (policy->entry->attachments == ATTACHMENTS_REFUSE && f->count.attachments > 0)
		refuse(result, FLATTEN_REFUSAL_ATTACHED, "the message has attachments", "");
	if (mail_policy_label(policy, 0) == NULL)
		return;
	search_begin(&s, f, result);
	search_header(&s, (struct span){f->out->data, f->body_begin}, "label in the new header: ");
	search_text(&s, (struct span){f->out->data + f->body_begin, f->out->size - f->body_begin},
		    "label in the flattened text: ");
	search_text(&s, bytes_span(&f->files_text), "label in an attached file: ");
	search_end(&s);
}

/* ---- names of the inside */

static bool ends_with(struct span s, const char *end)
{
	size_t size = strlen(end);

	return s.size >= size &&
	       span_equal_nocase((struct span){s.data + s.size - size, size}, span_of(end));
}

/* Names that only the inside knows (RFC 6762, RFC 8375, RFC 9476 and common practice). */
static bool is_private(struct span domain)
{
	static const char *const ends[] = {".local", ".internal",  ".lan",  ".localdomain",
					   ".intra", ".home.arpa", ".corp", ".private",
					   ".alt",   ".localhost"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (ends_with(domain, ends[i]))
			return true;
	}
	return memchr(domain.data, '.', domain.size) == NULL || domain.data[0] == '[';
}

/* Is @domain a host below a domain that may send? */
static bool is_host_inside(const struct mail_policy *policy, struct span domain)
{
	const uint8_t *dot = memchr(domain.data, '.', domain.size);

	while (dot != NULL) {
		struct span parent = {dot + 1, domain.size - (size_t)(dot + 1 - domain.data)};

		if (mail_policy_knows_domain(policy, parent))
			return true;
		domain = parent;
		dot = domain.size > 0 ? memchr(domain.data, '.', domain.size) : NULL;
	}
	return false;
}

bool outbound_keeps_id(const struct flatten *f, struct span id, bool own)
{
	const struct mail_policy *policy = rules(f);
	const uint8_t *at;
	struct span domain;

	if (policy == NULL)
		return true;
	at = memrchr(id.data, '@', id.size);
	if (at == NULL)
		return false;
	domain = (struct span){at + 1, id.size - (size_t)(at + 1 - id.data) - 1};
	if (domain.size == 0)
		return false;
	if (mail_policy_knows_domain(policy, domain))
		return true;
	return !own && !is_private(domain) && !is_host_inside(policy, domain);
}
