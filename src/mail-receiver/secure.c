/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * STARTTLS as server (RFC 3207). What was known before counts for nothing behind it, and nothing
 * that came in plain text is ever read as if it had come under TLS.
 */
#include "base/err.h"
#include "mail-receiver/receiver.h"
#include "tls/pem.h"

bool receiver_is_secured(const struct receiver *r)
{
	return r->stream.tls != NULL && !r->stream.shaking;
}

bool receiver_offers_tls(const struct receiver *r)
{
	return r->policy->tls_offered && r->certificate_fd >= 0 && r->stream.tls == NULL;
}

static void report_fault(struct receiver *r, enum tls_fault fault)
{
	event_send(r->events, EVENT_MAIL_TLS_FAILED, EV_NUMBER(SESSION, r->session),
		   receiver_peer_field(r), EV_TEXT(REASON, tls_fault_text(fault)));
}

/* The key is in memory from here to the end of the session, and only where it is used. */
static bool prepare(struct receiver *r)
{
	struct tls_settings settings = {.side = TLS_SERVER};
	enum tls_fault fault = TLS_FAULT_IDENTITY;
	struct bytes pem;
	int err = -ERR_NO_MEMORY;

	bytes_init(&pem, TLS_PEM_BYTES_MAX);
	if (bytes_room(&pem, TLS_PEM_BYTES_MAX) != NULL)
		err = tls_pem_read(r->certificate_fd, &pem);
	if (err == 0) {
		settings.identity = bytes_span(&pem);
		err = stream_prepare_tls(&r->stream, &settings, &fault);
	}
	tls_wipe(&pem);
	if (err < 0)
		report_fault(r, fault);
	return err == 0;
}

/*
 * RFC 3207 4.2: a client waits for the answer before it says anything else. What stands behind the
 * command already would be carried over as if it were protected (CVE-2011-0411): the session ends.
 */
void receiver_start_tls(struct receiver *r)
{
	if (r->in_bytes > r->in_at) {
		receiver_report(r, EVENT_MAIL_TLS_INJECTED, ANSWER_EARLY);
		receiver_close(r, ANSWER_EARLY);
		return;
	}
	if (!prepare(r)) {
		receiver_refuse(r, ANSWER_TLS_NOT_NOW);
		return;
	}
	receiver_reply(r, answer_row(ANSWER_START_TLS));
	receiver_set_phase(r, PHASE_HANDSHAKE);
}

/* Everything that the peer has said so far is forgotten (RFC 3207 4.2). */
static void begin_anew(struct receiver *r)
{
	event_send(r->events, EVENT_MAIL_TLS, EV_NUMBER(SESSION, r->session),
		   receiver_peer_field(r), EV_TEXT(VERSION, tls_version(r->stream.tls)),
		   EV_TEXT(SUITE, tls_suite(r->stream.tls)));
	r->extended = false;
	r->in_at = 0;
	r->in_bytes = 0;
	receiver_set_phase(r, PHASE_CONNECTED);
}

bool receiver_shake(struct receiver *r)
{
	int err = stream_handshake(&r->stream);

	if (err == 0) {
		begin_anew(r);
	} else if (err != -ERR_AGAIN) {
		report_fault(r, tls_fault(r->stream.tls));
		receiver_end(r);
	}
	return !r->ended;
}
