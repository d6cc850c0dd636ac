/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * STARTTLS as client (RFC 3207, RFC 8314): where the configuration wants it, a next hop that does
 * not offer it, or cannot be verified, gets not a word of any mail. The peer hears 451 and keeps
 * it.
 */
#include "base/err.h"
#include "mail-sender/sender.h"
#include "tls/pem.h"

bool secure_is_due(const struct sender *s)
{
	return s->policy->hop_tls && s->hop.stream.tls == NULL;
}

static void fail(struct sender *s, enum event_id event, const char *why)
{
	event_send(s->events, event, EV_NUMBER(SESSION, s->session),
		   EV_NUMBER(NEXT_HOP, s->hop.target + 1), EV_TEXT(NAME, s->policy->hop_name),
		   EV_TEXT(REASON, why));
	hop_lose(s, why);
}

static bool prepare(struct sender *s, enum tls_fault *fault)
{
	struct tls_settings settings = {.side = TLS_CLIENT, .peer_name = s->policy->hop_name};
	struct bytes pem;
	int err = 0;

	*fault = TLS_FAULT_AUTHORITY;
	bytes_init(&pem, TLS_PEM_BYTES_MAX);
	err = s->authority_fd >= 0 ? tls_pem_read(s->authority_fd, &pem) : -ERR_NOT_FOUND;
	if (err == 0) {
		settings.authorities = bytes_span(&pem);
		err = stream_prepare_tls(&s->hop.stream, &settings, fault);
	}
	bytes_fini(&pem);
	return err == 0;
}

void secure_begin(struct sender *s)
{
	enum tls_fault fault = TLS_FAULT_NONE;

	if (!(s->hop.extensions & SMTP_HAS_STARTTLS))
		fail(s, EVENT_MAIL_TLS_FAILED, "offers no TLS");
	else if (!prepare(s, &fault))
		fail(s, EVENT_MAIL_TLS_FAILED, tls_fault_text(fault));
	else
		hop_command(s, HOP_STARTTLS, "STARTTLS", (struct span){0}, "");
}

/*
 * What stands behind the answer came before any verification, and would be taken for the verified
 * server's own words (response injection).
 */
void secure_on_reply(struct sender *s, const struct smtp_reply *reply)
{
	if (s->hop.in_bytes > 0) {
		fail(s, EVENT_MAIL_TLS_INJECTED, "plain text behind the answer to STARTTLS");
	} else if (reply->code != 220) {
		fail(s, EVENT_MAIL_TLS_FAILED, "refuses TLS");
	} else {
		hop_set_state(s, HOP_HANDSHAKE);
		secure_shake(s);
	}
}

/* Everything that the next hop has said so far is forgotten (RFC 3207 4.2). */
static void begin_anew(struct sender *s)
{
	struct hop *hop = &s->hop;

	event_send(s->events, EVENT_MAIL_TLS, EV_NUMBER(SESSION, s->session),
		   EV_NUMBER(NEXT_HOP, hop->target + 1), EV_TEXT(NAME, s->policy->hop_name),
		   EV_TEXT(VERSION, tls_version(hop->stream.tls)),
		   EV_TEXT(SUITE, tls_suite(hop->stream.tls)));
	hop->extensions = 0;
	hop->size_limit = 0;
	smtp_reply_init(&hop->reply);
	hop_command(s, HOP_EHLO, "EHLO ", span_of(s->policy->host_name), "");
}

void secure_shake(struct sender *s)
{
	int err = stream_handshake(&s->hop.stream);

	if (err == 0)
		begin_anew(s);
	else if (err == -ERR_AGAIN)
		hop_watch(s);
	else
		fail(s, EVENT_MAIL_TLS_FAILED, tls_fault_text(tls_fault(s->hop.stream.tls)));
}
