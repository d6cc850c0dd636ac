/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RFC 5425: what a stream under TLS does beyond one in plain text. The server must show a
 * certificate of a loaded authority for its configured name or address; there is no way around it.
 */
#include "audit/sender_private.h"

#include <string.h>

#include "tls/pem.h"

/* Told once for each reason in a row: a server that is wrong now is wrong at the next try, too. */
static void tell_failure(struct sender *s, const char *why)
{
	const struct event_arg args[] = {EV_TEXT(SERVER, s->name), EV_TEXT(NAME, s->stream.peer),
					 EV_TEXT(REASON, why)};

	if (s->stream.failure != NULL && strcmp(s->stream.failure, why) == 0)
		return;
	s->stream.failure = why;
	s->report.event(s->report.ctx, EVENT_SYSLOG_TLS_FAILED, args,
			sizeof(args) / sizeof(args[0]));
}

/* All of a file; nothing without one. Return: as tls_pem_read. */
static int read_pem(int fd, struct bytes *pem)
{
	return fd >= 0 ? tls_pem_read(fd, pem) : 0;
}

bool sender_tls_prepare(struct sender *s, const struct sender_connection *connection)
{
	struct tls_settings settings = {.side = TLS_CLIENT, .peer_name = s->stream.peer};
	enum tls_fault fault = TLS_FAULT_AUTHORITY;
	struct bytes authorities, identity;
	int err;

	bytes_init(&authorities, TLS_PEM_BYTES_MAX);
	bytes_init(&identity, TLS_PEM_BYTES_MAX);
	err = read_pem(connection->authority_fd, &authorities);
	if (err == 0) {
		fault = TLS_FAULT_IDENTITY;
		err = read_pem(connection->identity_fd, &identity);
	}
	if (err == 0) {
		settings.authorities = bytes_span(&authorities);
		settings.identity = bytes_span(&identity);
		err = stream_prepare_tls(&s->stream.link, &settings, &fault);
	}
	tls_wipe(&identity);
	bytes_fini(&authorities);
	if (err < 0)
		tell_failure(s, tls_fault_text(fault));
	return err == 0;
}

void sender_tls_unverifiable(struct sender *s)
{
	tell_failure(s, "no authority is loaded to verify the server with");
}

void sender_tls_settled(struct sender *s)
{
	const struct tls *tls = s->stream.link.tls;
	const struct event_arg args[] = {EV_TEXT(SERVER, s->name), EV_TEXT(NAME, s->stream.peer),
					 EV_TEXT(VERSION, tls_version(tls)),
					 EV_TEXT(SUITE, tls_suite(tls))};

	s->report.event(s->report.ctx, EVENT_SYSLOG_TLS, args, sizeof(args) / sizeof(args[0]));
}

void sender_tls_blame(struct sender *s)
{
	const struct sender_stream *t = &s->stream;
	enum tls_fault fault = t->link.tls != NULL ? tls_fault(t->link.tls) : TLS_FAULT_NONE;
	bool trying = s->state == SENDER_TRYING;

	if (fault != TLS_FAULT_NONE && (fault != TLS_FAULT_CUT || trying))
		tell_failure(s, tls_fault_text(fault));
	else if (trying && t->phase == SENDER_SHAKING)
		tell_failure(s, "the handshake was not finished");
	else if (trying && t->phase == SENDER_SETTLING)
		tell_failure(s, "ended by the server behind the handshake");
}
