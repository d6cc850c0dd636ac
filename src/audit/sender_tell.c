/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the log says of a server under TLS: whom we reached, or why we did not. */
#include "audit/sender_private.h"

#include <string.h>

#include "tls/fault.h"

/* Told once for each reason in a row: a server that is wrong now is wrong at the next try, too. */
static void tell_failure(struct sender *s, const char *why)
{
	const struct event_arg args[] = {EV_TEXT(SERVER, s->name), EV_TEXT(NAME, s->peer),
					 EV_TEXT(REASON, why)};

	if (s->failure != NULL && strcmp(s->failure, why) == 0)
		return;
	s->failure = why;
	s->report.event(s->report.ctx, EVENT_SYSLOG_TLS_FAILED, args,
			sizeof(args) / sizeof(args[0]));
}

void sender_tell_blame(struct sender *s, uint32_t blame)
{
	if (blame == LOG_SENDER_UNFINISHED)
		tell_failure(s, "the handshake was not finished");
	else if (blame == LOG_SENDER_UNWANTED)
		tell_failure(s, "ended by the server behind the handshake");
	else
		tell_failure(s, tls_fault_text((enum tls_fault)blame)); /* any number has one */
}

void sender_tell_unverifiable(struct sender *s)
{
	tell_failure(s, "no authority is loaded to verify the server with");
}

void sender_tell_joined(struct sender *s, const struct log_sender_joined *joined)
{
	const struct event_arg args[] = {EV_TEXT(SERVER, s->name), EV_TEXT(NAME, s->peer),
					 EV_TEXT(VERSION, joined->version),
					 EV_TEXT(SUITE, joined->suite)};

	s->report.event(s->report.ctx, EVENT_SYSLOG_TLS, args, sizeof(args) / sizeof(args[0]));
}
