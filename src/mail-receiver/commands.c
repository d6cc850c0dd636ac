/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands: one table says which may come in which phase; a handler checks, and asks the
 * sender. */
#include "mail-receiver/receiver.h"

#include <inttypes.h>
#include <string.h>

#include "base/err.h"

#define IN(phase)  (1U << (phase))
#define FROM_READY (IN(PHASE_READY) | IN(PHASE_SENDER) | IN(PHASE_RECIPIENT))
#define ANY_PHASE  (IN(PHASE_CONNECTED) | FROM_READY)

struct event_arg receiver_peer_field(const struct receiver *r)
{
	return r->peer_family == 6 ? EV_IPV6(SOURCE, r->peer_addr) : EV_IPV4(SOURCE, r->peer_addr);
}

static void report(struct receiver *r, enum event_id event, const struct answer_row *answer)
{
	event_send(r->events, event, EV_NUMBER(SESSION, r->session), receiver_peer_field(r),
		   EV_NUMBER(CODE, answer->code), EV_TEXT(REASON, answer->text));
}

void receiver_report(struct receiver *r, enum event_id event, enum answer answer)
{
	report(r, event, answer_row(answer));
}

void receiver_greet(struct receiver *r)
{
	uint8_t text[256];
	struct writer w = {0};

	writer_init(&w, text, sizeof(text));
	writer_printf(&w, "%.200s ESMTP", r->policy->host_name);
	writer_u8(&w, '\0');
	receiver_reply_line(r, 220, ' ', (const char *)text);
}

void receiver_reset(struct receiver *r)
{
	struct mail_reset reset = {.transaction = r->transaction.number};

	if (r->phase == PHASE_CLOSING)
		return;
	if (r->phase == PHASE_SENDER || r->phase == PHASE_RECIPIENT || r->phase == PHASE_DATA)
		(void)receiver_tell(r, MAIL_LINK_RESET, &reset,
				    sizeof(reset)); /* a loss closes by itself */
	receiver_drop_message(r);
	if (r->phase != PHASE_CLOSING)
		receiver_set_phase(r, PHASE_READY);
}

/* Commands that bring no message are free only so often. Return: false where the session was
 * closed. */
static bool count_idle(struct receiver *r)
{
	if (++r->counts.idle_commands <= RECEIVER_IDLE_MAX)
		return true;
	receiver_close(r, ANSWER_TOO_MANY_COMMANDS);
	return false;
}

static bool open_hello(struct receiver *r, struct span argument)
{
	if (smtp_domain_check(argument, false, NULL) < 0) {
		receiver_refuse(r, ANSWER_SYNTAX);
		return false;
	}
	if (!count_idle(r))
		return false;
	receiver_reset(r);
	return r->phase != PHASE_CLOSING;
}

static void on_ehlo(struct receiver *r, struct span argument)
{
	static const char *const offers[] = {"PIPELINING", "8BITMIME", "SMTPUTF8",
					     "ENHANCEDSTATUSCODES"};
	uint8_t text[256];
	struct writer w = {0};

	if (!open_hello(r, argument))
		return;
	r->extended = true;
	writer_init(&w, text, sizeof(text));
	writer_printf(&w, "%.200s", r->policy->host_name);
	writer_u8(&w, '\0');
	receiver_reply_line(r, 250, '-', (const char *)text);
	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++)
		receiver_reply_line(r, 250, '-', offers[i]);
	if (receiver_offers_tls(r))
		receiver_reply_line(r, 250, '-', "STARTTLS");
	writer_init(&w, text, sizeof(text));
	writer_printf(&w, "SIZE %" PRIu64, r->policy->entry->size_limit_bytes);
	writer_u8(&w, '\0');
	receiver_reply_line(r, 250, ' ', (const char *)text);
}

static void on_helo(struct receiver *r, struct span argument)
{
	uint8_t text[256];
	struct writer w = {0};

	if (!open_hello(r, argument))
		return;
	r->extended = false;
	writer_init(&w, text, sizeof(text));
	writer_printf(&w, "%.200s", r->policy->host_name);
	writer_u8(&w, '\0');
	receiver_reply_line(r, 250, ' ', (const char *)text);
}

/* What the parser found wrong with an address, as a reply. */
static enum answer parse_answer(int err, enum answer address)
{
	switch (err) {
	case -ERR_UNSUPPORTED:
		return ANSWER_PARAMETER;
	case -ERR_RANGE:
		return ANSWER_SYNTAX;
	default:
		return address;
	}
}

static void ask(struct receiver *r, uint16_t type, struct span path, enum receiver_phase phase,
		bool follows)
{
	struct mail_path body = {.transaction = r->transaction.number,
				 .text_bytes = (uint32_t)path.size,
				 .utf8 = r->utf8,
				 .follows = follows};

	memcpy(body.text, path.data, path.size); /* at most SMTP_PATH_MAX: the parser's promise */
	if (receiver_tell(r, type, &body, sizeof(body)))
		receiver_set_phase(r, phase);
}

/* The flattener compares it with the author that the message names. */
static void begin_transaction(struct receiver *r, const struct smtp_path *from)
{
	struct control_envelope *envelope = &r->transaction.envelope;

	_Static_assert(SMTP_PATH_MAX <= sizeof(envelope->from), "a path fits the envelope");
	r->transaction = (struct receiver_transaction){.number = r->transaction.number + 1};
	envelope->from_bytes = (uint32_t)from->text.size;
	memcpy(envelope->from, from->text.data, from->text.size);
}

/* M7: who is not listed sends nothing out. */
static void refuse_sender(struct receiver *r)
{
	receiver_report(r, EVENT_MAIL_SENDER_UNLISTED, ANSWER_SENDER_UNLISTED);
	r->counts.refused++;
	receiver_refuse(r, ANSWER_SENDER_UNLISTED);
}

/* M6: mail for the listed domains only, and no detour hidden in the local part. */
static bool is_ours(const struct receiver *r, const struct smtp_path *path)
{
	if (smtp_path_reroutes(path) || path->literal)
		return false;
	return path->domain.size == 0 || mail_policy_takes_domain(r->policy, path->domain);
}

/* The recipient that a pipelining peer has sent behind MAIL already, where it is one to ask about.
 * Return: the octets of its line; 0: there is none. */
static size_t peek_recipient(const struct receiver *r, struct smtp_path *path)
{
	struct span in = {r->in + r->in_at, r->in_bytes - r->in_at};
	struct smtp_line command = {0};
	struct span line = {0};
	size_t taken = 0;

	if (smtp_line_next(in, SMTP_LINE_MAX, &line, &taken) < 0 ||
	    smtp_line_parse(line, &command) < 0 || command.verb != SMTP_RCPT ||
	    smtp_rcpt_parse(command.argument, r->utf8, path) < 0 || !is_ours(r, path))
		return 0;
	return taken;
}

static void ask_sender(struct receiver *r, const struct smtp_path *from)
{
	struct smtp_path to = {0};
	size_t taken = peek_recipient(r, &to);

	r->follows = taken > 0;
	ask(r, MAIL_LINK_FROM, from->text, PHASE_ASK_SENDER, r->follows);
	if (!r->follows || r->phase != PHASE_ASK_SENDER)
		return;
	ask(r, MAIL_LINK_TO, to.text, PHASE_ASK_SENDER, false);
	r->in_at += taken;
}

static void on_mail(struct receiver *r, struct span argument)
{
	struct smtp_mail mail = {0};
	int err = smtp_mail_parse(argument, &mail);

	_Static_assert(SMTP_PATH_MAX <= MAIL_PATH_BYTES, "a path fits the link's message");
	if (r->policy->tls_required && !receiver_is_secured(r)) {
		receiver_refuse(r, r->certificate_fd < 0 ? ANSWER_TLS_NOT_NOW : ANSWER_TLS_FIRST);
	} else if (err < 0) {
		receiver_refuse(r, parse_answer(err, ANSWER_SENDER_SYNTAX));
	} else if (mail.path.text.size > 0 && mail.path.domain.size == 0) {
		receiver_refuse(r, ANSWER_SENDER_SYNTAX);
	} else if (mail.has_size && mail.size_bytes > r->policy->entry->size_limit_bytes) {
		receiver_report(r, EVENT_MAIL_TOO_BIG, ANSWER_TOO_BIG);
		r->counts.refused++;
		receiver_refuse(r, ANSWER_TOO_BIG);
	} else if (!mail_policy_takes_sender(r->policy, mail.path.local, mail.path.domain)) {
		refuse_sender(r);
	} else if (r->counts.mails >= RECEIVER_MAILS_MAX) {
		receiver_close(r, ANSWER_TOO_MANY_MAILS);
	} else {
		begin_transaction(r, &mail.path);
		r->utf8 = mail.utf8;
		ask_sender(r, &mail.path);
	}
}

static void on_rcpt(struct receiver *r, struct span argument)
{
	struct smtp_path path = {0};
	int err = smtp_rcpt_parse(argument, r->utf8, &path);

	if (err < 0) {
		receiver_refuse(r, parse_answer(err, ANSWER_RECIPIENT_SYNTAX));
	} else if (!is_ours(r, &path)) {
		receiver_report(r, EVENT_MAIL_RELAY_DENIED, ANSWER_RELAY_DENIED);
		r->counts.recipients_refused++;
		receiver_refuse(r, ANSWER_RELAY_DENIED);
	} else if (r->transaction.recipient_count >= r->policy->entry->recipients_max) {
		receiver_reply(r, answer_row(ANSWER_TOO_MANY_RECIPIENTS));
		if (++r->transaction.refused_count >
		    r->policy->entry->recipients_max + RECEIVER_UNKNOWN_MAX)
			receiver_close(r, ANSWER_TOO_MANY_ERRORS);
	} else {
		r->resume = r->phase;
		ask(r, MAIL_LINK_TO, path.text, PHASE_ASK_RECIPIENT, false);
	}
}

static void on_data(struct receiver *r, struct span argument)
{
	if (argument.size > 0) {
		receiver_refuse(r, ANSWER_SYNTAX);
	} else if (r->phase == PHASE_SENDER) {
		receiver_refuse(r, ANSWER_NO_RECIPIENT);
	} else if (r->in_bytes > r->in_at) {
		receiver_report(r, EVENT_MAIL_LINE_END, ANSWER_EARLY);
		receiver_close(r, ANSWER_EARLY); /* RFC 2920 3.1: DATA is the last of a group */
	} else if (receiver_open_message(r) < 0) {
		receiver_reply(r, answer_row(ANSWER_NO_SPACE));
		receiver_reset(r);
	} else {
		receiver_set_phase(r, PHASE_DATA);
		loop_arm(r->loop, &r->data_total, RECEIVER_DATA_TOTAL_MS);
		receiver_reply(r, answer_row(ANSWER_SEND_DATA));
	}
}

static void on_rset(struct receiver *r, struct span argument)
{
	if (argument.size > 0) {
		receiver_refuse(r, ANSWER_SYNTAX);
	} else if (count_idle(r)) {
		if (r->phase != PHASE_CONNECTED)
			receiver_reset(r);
		if (r->phase != PHASE_CLOSING)
			receiver_reply(r, answer_row(ANSWER_OK));
	}
}

static void idle_reply(struct receiver *r, enum answer answer)
{
	if (count_idle(r))
		receiver_reply(r, answer_row(answer));
}

static void on_noop(struct receiver *r, struct span argument)
{
	(void)argument; /* RFC 5321 4.1.1.9: ignored */
	idle_reply(r, ANSWER_OK);
}

static void on_vrfy(struct receiver *r, struct span argument)
{
	(void)argument; /* RFC 5321 7.3: nobody learns here who exists */
	idle_reply(r, ANSWER_VERIFY);
}

static void on_help(struct receiver *r, struct span argument)
{
	(void)argument; /* one text for all */
	idle_reply(r, ANSWER_HELP);
}

static void on_starttls(struct receiver *r, struct span argument)
{
	if (argument.size > 0)
		receiver_refuse(r, ANSWER_SYNTAX);
	else if (receiver_is_secured(r) || !r->extended)
		receiver_refuse(r, ANSWER_SEQUENCE);
	else if (!r->policy->tls_offered)
		receiver_refuse(r, ANSWER_NOT_HERE);
	else if (!receiver_offers_tls(r))
		receiver_refuse(r, ANSWER_TLS_NOT_NOW);
	else
		receiver_start_tls(r);
}

static void on_quit(struct receiver *r, struct span argument)
{
	if (argument.size > 0)
		receiver_refuse(r, ANSWER_SYNTAX);
	else
		receiver_close(r, ANSWER_BYE);
}

static const struct {
	void (*handle)(struct receiver *r, struct span argument); /* NULL: known, and not offered */
	unsigned phases;
} commands[SMTP_VERB_COUNT_] = {
	[SMTP_EHLO] = {on_ehlo, ANY_PHASE},
	[SMTP_HELO] = {on_helo, ANY_PHASE},
	[SMTP_MAIL] = {on_mail, IN(PHASE_READY)},
	[SMTP_RCPT] = {on_rcpt, IN(PHASE_SENDER) | IN(PHASE_RECIPIENT)},
	[SMTP_DATA] = {on_data, IN(PHASE_SENDER) | IN(PHASE_RECIPIENT)},
	[SMTP_RSET] = {on_rset, ANY_PHASE},
	[SMTP_NOOP] = {on_noop, ANY_PHASE},
	[SMTP_VRFY] = {on_vrfy, ANY_PHASE},
	[SMTP_HELP] = {on_help, ANY_PHASE},
	[SMTP_QUIT] = {on_quit, ANY_PHASE},
	[SMTP_STARTTLS] = {on_starttls, IN(PHASE_READY)},
};

void receiver_command(struct receiver *r, struct span line)
{
	struct smtp_line command = {0};
	int err = smtp_line_parse(line, &command);

	if (err < 0)
		receiver_refuse(r, err == -ERR_TOO_LONG ? ANSWER_COMMAND_TOO_LONG : ANSWER_UNKNOWN);
	else if (command.verb == SMTP_UNKNOWN)
		receiver_refuse(r, ANSWER_UNKNOWN);
	else if (commands[command.verb].handle == NULL)
		receiver_refuse(r, ANSWER_NOT_HERE);
	else if (!(commands[command.verb].phases & IN(r->phase)))
		receiver_refuse(r, ANSWER_SEQUENCE);
	else
		commands[command.verb].handle(r, command.argument);
}

/* No line end that we know: nothing behind it can be trusted to be a command. */
void receiver_bad_line(struct receiver *r, int err)
{
	enum answer answer = err == -ERR_TOO_LONG ? ANSWER_LINE_TOO_LONG : ANSWER_LINE_END;

	receiver_report(r, EVENT_MAIL_LINE_END, answer);
	receiver_close(r, answer);
}

/* ---- what the sender says ---- */

static void on_recipient_answer(struct receiver *r, const struct answer_row *row)
{
	if (row->code == 250) {
		r->transaction.recipient_count++;
		receiver_set_phase(r, PHASE_RECIPIENT);
		receiver_reply(r, answer_row(ANSWER_RECIPIENT_OK));
		return;
	}
	receiver_set_phase(r, r->resume);
	report(r, row->code >= 500 ? EVENT_MAIL_REFUSED : EVENT_MAIL_DEFERRED, row);
	receiver_reply(r, row);
	if (++r->counts.recipients_refused > RECEIVER_UNKNOWN_MAX)
		receiver_close(r, ANSWER_TOO_MANY_ERRORS);
}

/* What was asked about together with the sender: its answer comes next, or it has lost its ground.
 */
static void on_sender_answer(struct receiver *r, const struct answer_row *row)
{
	bool follows = r->follows;

	r->follows = false;
	if (row->code == 250) {
		receiver_set_phase(r, follows ? PHASE_ASK_RECIPIENT : PHASE_SENDER);
		r->resume = PHASE_SENDER;
		receiver_reply(r, answer_row(ANSWER_SENDER_OK));
		return;
	}
	receiver_set_phase(r, PHASE_READY);
	report(r, row->code >= 500 ? EVENT_MAIL_REFUSED : EVENT_MAIL_DEFERRED, row);
	receiver_reply(r, row);
	if (follows)
		receiver_reply(r, answer_row(ANSWER_SEQUENCE));
}

static void on_message_answer(struct receiver *r, const struct answer_row *row)
{
	receiver_drop_message(r); /* where it was refused before a flattener had it */
	receiver_set_phase(r, PHASE_READY);
	r->counts.idle_commands = 0;
	r->counts.mails++;
	if (row->code == 250) {
		r->counts.delivered++;
		receiver_reply(r, answer_row(ANSWER_DELIVERED));
		return;
	}
	if (row->code >= 500)
		r->counts.refused++;
	else
		r->counts.deferred++;
	report(r, row->code >= 500 ? EVENT_MAIL_REFUSED : EVENT_MAIL_DEFERRED, row);
	receiver_reply(r, row);
}

void receiver_on_answer(struct receiver *r, uint32_t verdict)
{
	const struct answer_row *row = answer_for_verdict(verdict);

	if (r->phase == PHASE_DELIVER) {
		on_message_answer(r, row);
	} else if (r->phase == PHASE_ASK_RECIPIENT) {
		on_recipient_answer(r, row);
	} else {
		on_sender_answer(r, row);
	}
}
