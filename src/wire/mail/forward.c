/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Marks that a mail was forwarded by a machine. */
#include "wire/mail/forward.h"

#include <string.h>

#include "wire/mime/field.h"

/* A field whose presence, or whose value's first word, is a mark. */
static const struct {
	const char *field;
	const char *word; /* lower case; NULL: the field alone says it */
	const char *mark;
} marks[] = {
	/* standards */
	{"Auto-Submitted", "auto-forwarded", "Auto-Submitted: auto-forwarded"},
	{"Autoforwarded", "true", "Autoforwarded: true"},
	{"Auto-Forwarded", "true", "Auto-Forwarded: true"},
	{"Resent-From", NULL, "Resent-From field"},
	{"Resent-Sender", NULL, "Resent-Sender field"},
	{"Resent-To", NULL, "Resent-To field"},
	{"Resent-Cc", NULL, "Resent-Cc field"},
	{"Resent-Bcc", NULL, "Resent-Bcc field"},
	{"Resent-Date", NULL, "Resent-Date field"},
	{"Resent-Message-ID", NULL, "Resent-Message-ID field"},
	/* delivered once already */
	{"Delivered-To", NULL, "Delivered-To field: delivered once already"},
	{"X-Original-To", NULL, "X-Original-To field: delivered once already"},
	{"X-Envelope-To", NULL, "X-Envelope-To field: delivered once already"},
	/* forwarding services and servers */
	{"X-Forwarded-To", NULL, "X-Forwarded-To field"},
	{"X-Forwarded-For", NULL, "X-Forwarded-For field"},
	{"X-Forwarded-By", NULL, "X-Forwarded-By field"},
	{"X-Forwarding-To", NULL, "X-Forwarding-To field"},
	{"X-MS-Exchange-Inbox-Rules-Loop", NULL, "X-MS-Exchange-Inbox-Rules-Loop field"},
	{"X-MS-Exchange-ForwardingLoop", NULL, "X-MS-Exchange-ForwardingLoop field"},
	{"X-MS-Exchange-Generated-Message-Source", "mailbox",
	 "X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent"},
	{"X-Sieve-Redirected-From", NULL, "X-Sieve-Redirected-From field"},
	{"X-Sieve", NULL, "X-Sieve field: delivered once already"},
	{"X-Redirected-By", NULL, "X-Redirected-By field"},
	{"X-Loop", NULL, "X-Loop field"},
	{"X-Loop-Detect", NULL, "X-Loop-Detect field"},
};

/* This gateway's own: what came in is on its way out again. */
static const char own_field[] = "Sekisho-Receipt";
static const char own_mark[] = "Sekisho-Receipt field: passed this gateway once already";
static const char hops_mark[] = "a loop: more than 30 Received fields";

/* How forwarders begin a reverse path that they rewrote (Sender Rewriting Scheme). */
static const char *const rewritten[] = {"srs0=", "srs0+", "srs0-", "srs1=", "srs1+", "srs1-"};

static bool begins_with_word(struct span value, const char *word)
{
	size_t size = strlen(word);

	value = span_trim(value);
	return value.size >= size &&
	       span_equal_nocase((struct span){value.data, size}, span_of(word));
}

static const char *mark_of_field(const struct mime_field *field)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (span_equal_nocase(field->name, span_of(marks[i].field)) &&
		    (marks[i].word == NULL || begins_with_word(field->value, marks[i].word)))
			return marks[i].mark;
	}
	return NULL;
}

static const char *mark_of_path(struct span path)
{
	static const char gmail[] = "+caf_=";

	for (size_t i = 0; i < sizeof(rewritten) / sizeof(rewritten[0]); i++) {
		if (begins_with_word(path, rewritten[i]))
			return "MAIL FROM rewritten by a forwarder (SRS)";
	}
	if (path.size > 0 && memmem(path.data, path.size, gmail, sizeof(gmail) - 1) != NULL)
		return "MAIL FROM rewritten by a forwarding service";
	return NULL;
}

const char *mail_forward_loop(struct span header, bool own)
{
	struct mime_field field;
	unsigned hops = 0;
	size_t at = 0;

	while (mime_field_next(header, &at, &field)) {
		if (own && span_equal_nocase(field.name, span_of(own_field)))
			return own_mark;
		hops += span_equal_nocase(field.name, span_of("Received"));
	}
	return hops > MAIL_HOPS_MAX ? hops_mark : NULL;
}

const char *mail_forward_mark(struct span header, struct span envelope_from)
{
	const char *mark = mark_of_path(envelope_from);
	struct mime_field field;
	size_t at = 0;

	while (mark == NULL && mime_field_next(header, &at, &field))
		mark = mark_of_field(&field);
	return mark != NULL ? mark : mail_forward_loop(header, true);
}
