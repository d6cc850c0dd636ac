/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is odd about the sender and the header, said at the top of the text. */
#include "mail-flattener/state.h"

#include <string.h>

#include "base/err.h"
#include "wire/mime/word.h"
#include "wire/punycode.h"

struct sender {
	struct bytes value; /* of the field being looked at, unfolded */
	struct bytes decoded;
	struct bytes clean;
	char from[MIME_ADDRESS_BYTES_MAX + 3]; /* "" where it cannot be read */
};

static const char *domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at != NULL ? at + 1 : "";
}

static bool same_nocase(const char *a, const char *b)
{
	return span_equal_nocase(span_of(a), span_of(b));
}

/* One domain is the other, or below it. */
static bool same_site(const char *a, const char *b)
{
	size_t x = strlen(a), y = strlen(b);

	if (x == y || x == 0 || y == 0)
		return same_nocase(a, b);
	if (x < y)
		return same_site(b, a);
	return a[x - y - 1] == '.' && strchr(b, '.') != NULL && same_nocase(a + x - y, b);
}

static struct span field_value(struct flatten *f, struct sender *s, const char *name)
{
	struct mime_field field;

	bytes_clear(&s->value);
	if (mime_field_find(f->tree.parts[0].header, name, &field))
		flatten_fail(f, mime_value_unfold(field.value, &s->value));
	return bytes_span(&s->value);
}

/* A warning with a raw value of the message in it. */
static void warn(struct flatten *f, struct sender *s, enum notice notice, struct span raw)
{
	bytes_clear(&s->decoded);
	flatten_fail(f, mime_text_decode(raw, &s->decoded, &f->charset));
	flatten_say(f, notice,
		    flatten_clean(f, bytes_span(&s->decoded), FLATTEN_NAME_BYTES, &s->clean), NULL);
}

/* A display name that holds an address, other than the one it stands for. */
static void check_name(struct flatten *f, struct sender *s, const struct mime_mailbox *mailbox)
{
	const char *clean, *at;
	char token[MIME_ADDRESS_BYTES_MAX];
	size_t begin, end;

	bytes_clear(&s->decoded);
	flatten_fail(f, mime_mailbox_name(mailbox, &s->decoded, &f->charset));
	clean = flatten_clean(f, bytes_span(&s->decoded), FLATTEN_NAME_BYTES, &s->clean);
	at = strchr(clean, '@');
	if (at == NULL)
		at = strstr(clean, "\uFF20"); /* the full-width sign reads the same */
	if (at == NULL)
		return;
	for (begin = (size_t)(at - clean); begin > 0 && strchr(" <(\"'", clean[begin - 1]) == NULL;)
		begin--;
	end = (size_t)(at - clean) + strcspn(at, " >)\"'");
	if (end - begin >= sizeof(token) || at[1] == '\0')
		return;
	memcpy(token, clean + begin, end - begin);
	token[end - begin] = '\0';
	if (!same_nocase(token, s->from))
		flatten_say(f, NOTICE_W_NAME_ADDRESS, clean, NULL);
}

/* A domain in punycode, beside the letters that it stands for. */
static void check_domain(struct flatten *f, struct sender *s)
{
	const char *domain = domain_of(s->from);

	if (strncmp(domain, "xn--", 4) != 0 && strstr(domain, ".xn--") == NULL)
		return;
	bytes_clear(&s->decoded);
	if (punycode_host_to_text(span_of(domain), &s->decoded) == -ERR_NO_MEMORY)
		flatten_fail(f, -ERR_NO_MEMORY);
	flatten_say(f, NOTICE_W_PUNYCODE, domain,
		    flatten_clean(f, bytes_span(&s->decoded), FLATTEN_NAME_BYTES, &s->clean));
}

static void check_from(struct flatten *f, struct sender *s)
{
	struct span list = field_value(f, s, "From");
	struct mime_mailbox mailbox, further;
	size_t at = 0;

	if (!mime_mailbox_next(list, &at, &mailbox)) {
		flatten_say(f, NOTICE_W_NO_FROM, NULL, NULL);
		return;
	}
	if (mime_mailbox_address(&mailbox, s->from) < 0) {
		s->from[0] = '\0';
		warn(f, s, NOTICE_W_BAD_FROM, list);
	}
	check_name(f, s, &mailbox);
	if (mime_mailbox_next(list, &at, &further))
		warn(f, s, NOTICE_W_MANY_FROM, list);
	check_domain(f, s);
}

static void check_reply_to(struct flatten *f, struct sender *s)
{
	struct span list = field_value(f, s, "Reply-To");
	char address[MIME_ADDRESS_BYTES_MAX + 3];
	struct mime_mailbox mailbox;
	size_t at = 0;

	while (mime_mailbox_next(list, &at, &mailbox)) {
		if (mime_mailbox_address(&mailbox, address) < 0)
			warn(f, s, NOTICE_W_RECIPIENTS, mailbox.address);
		else if (s->from[0] != '\0' && !same_site(domain_of(address), domain_of(s->from)))
			flatten_say(f, NOTICE_W_REPLY_TO, address, NULL);
		else
			continue;
		return; /* one warning is enough */
	}
}

/* The envelope's sender: as SMTP gave it, else as an earlier delivery wrote it down. */
static void check_envelope(struct flatten *f, struct sender *s)
{
	char address[MIME_ADDRESS_BYTES_MAX + 3];
	struct span path = f->policy->envelope_from;
	struct mime_mailbox mailbox;
	size_t at = 0;

	if (path.size == 0)
		path = field_value(f, s, "Return-Path");
	if (s->from[0] == '\0' || !mime_mailbox_next(path, &at, &mailbox) ||
	    mime_mailbox_address(&mailbox, address) < 0)
		return;
	if (!same_site(domain_of(address), domain_of(s->from)))
		flatten_say(f, NOTICE_W_ENVELOPE, address, NULL);
}

/* Recipients that could not be written into the header are told here. */
static void check_recipients(struct flatten *f, struct sender *s, const char *name)
{
	char address[MIME_ADDRESS_BYTES_MAX + 3];
	struct span list = field_value(f, s, name);
	struct mime_mailbox mailbox;
	unsigned good = 0, bad = 0;
	size_t at = 0;

	while (mime_mailbox_next(list, &at, &mailbox)) {
		if (mime_mailbox_address(&mailbox, address) == 0)
			good++;
		else if (bad++ < 3 && memchr(list.data, '@', list.size) != NULL)
			warn(f, s, NOTICE_W_RECIPIENTS,
			     mailbox.address.size > 0 ? mailbox.address : mailbox.name);
	}
	if (good > FLATTEN_MAILBOXES_MAX)
		flatten_say(f, NOTICE_W_RECIPIENTS_CUT, name, NULL);
}

void sender_check(struct flatten *f)
{
	struct sender s = {.from = ""};

	bytes_init(&s.value, MIME_FIELD_BYTES_MAX);
	bytes_init(&s.decoded, MIME_FIELD_BYTES_MAX * 8);
	bytes_init(&s.clean, MIME_FIELD_BYTES_MAX);
	check_from(f, &s);
	check_reply_to(f, &s);
	check_envelope(f, &s);
	check_recipients(f, &s, "To");
	check_recipients(f, &s, "Cc");
	ambiguity_state_header(f);
	bytes_fini(&s.value);
	bytes_fini(&s.decoded);
	bytes_fini(&s.clean);
}
