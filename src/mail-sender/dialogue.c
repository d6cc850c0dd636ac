/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said to the next hop: a table of states gives the handler of each reply. */
#include "mail-sender/sender.h"

static bool is_class(const struct smtp_reply *reply, unsigned class)
{
	return reply->code / 100U == class;
}

static struct span path_of(const struct mail_path *path)
{
	return (struct span){(const uint8_t *)path->text, path->text_bytes};
}

static struct span asked_path(const struct sender *s)
{
	return path_of(&s->asked);
}

/* ---- questions ---- */

static bool is_ascii(struct span text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] >= 0x80)
			return false;
	}
	return true;
}

/*
 * RFC 6531 3.4, 3.5: an address that is not ASCII goes only where that is understood. The message
 * itself is never of that kind: its header is written anew, in ASCII.
 */
static bool passes(const struct sender *s, struct span path)
{
	return (s->hop.extensions & SMTP_HAS_SMTPUTF8) || is_ascii(path);
}

/* The parameters of MAIL, with the bracket before them. */
static const char *mail_parameters(const struct sender *s)
{
	static const char *const forms[2][2] = {{">", "> SMTPUTF8"},
						{"> BODY=8BITMIME", "> BODY=8BITMIME SMTPUTF8"}};
	bool eight = s->hop.extensions & SMTP_HAS_8BITMIME;
	bool utf8 = s->asked.utf8 && (s->hop.extensions & SMTP_HAS_SMTPUTF8);

	return forms[eight][utf8];
}

/* RFC 2920 3.1: MAIL and RCPT go out together where that is understood, and the peer had both. */
static void ask_from(struct sender *s)
{
	struct span second = path_of(&s->second);

	if (!passes(s, asked_path(s))) {
		sender_answer(s, MAIL_VERDICT_SENDER_NOT_ASCII);
		return;
	}
	s->hop.paired =
		s->follows && (s->hop.extensions & SMTP_HAS_PIPELINING) && passes(s, second);
	hop_prepare(s, "MAIL FROM:<", asked_path(s), mail_parameters(s));
	if (s->hop.paired)
		hop_prepare(s, "RCPT TO:<", second, ">");
	hop_send(s, HOP_MAIL);
}

static void ask_to(struct sender *s)
{
	if (passes(s, asked_path(s)))
		hop_command(s, HOP_RCPT, "RCPT TO:<", asked_path(s), ">");
	else
		sender_answer(s, MAIL_VERDICT_RECIPIENT_NOT_ASCII);
}

/* Return: whether the question stays open. */
static bool advance_without_connection(struct sender *s)
{
	if (s->question == ASK_FROM) {
		hop_open(s, 0);
		return true;
	}
	if (s->question != ASK_NONE)
		sender_answer(s, MAIL_VERDICT_NEXT_HOP_LOST);
	return false;
}

static void advance_idle(struct sender *s)
{
	if (s->question == ASK_FROM && s->hop.open)
		hop_command(s, HOP_RSET, "RSET", (struct span){0}, "");
	else if (s->question == ASK_FROM)
		ask_from(s);
	else if (s->question == ASK_TO)
		ask_to(s);
	else if (s->question == ASK_MESSAGE)
		message_advance(s);
	else if (s->ending)
		hop_command(s, HOP_QUIT, "QUIT", (struct span){0}, "");
}

void dialogue_advance(struct sender *s)
{
	if (s->hop.state == HOP_NONE) {
		if (!advance_without_connection(s) && s->ending)
			sender_end(s);
	} else if (s->hop.state == HOP_IDLE) {
		advance_idle(s);
	}
}

/* ---- replies ---- */

/* Not a next hop to work with: the next one, or 451 for now. */
static void fail_setup(struct sender *s, const struct smtp_reply *reply)
{
	hop_lose(s, is_class(reply, 4) ? "does not take mail now" : "does not take mail");
}

static void on_greeting(struct sender *s, const struct smtp_reply *reply)
{
	if (is_class(reply, 2))
		hop_command(s, HOP_EHLO, "EHLO ", span_of(s->policy->host_name), "");
	else
		fail_setup(s, reply);
}

static void on_ehlo(struct sender *s, const struct smtp_reply *reply)
{
	if (is_class(reply, 2)) {
		s->hop.extensions = reply->extensions;
		s->hop.size_limit = reply->size_limit;
		if (secure_is_due(s))
			secure_begin(s);
		else
			hop_set_state(s, HOP_IDLE);
	} else if (is_class(reply, 5) && !s->policy->hop_tls) {
		hop_command(s, HOP_HELO, "HELO ", span_of(s->policy->host_name), "");
	} else {
		fail_setup(s, reply);
	}
}

static void on_helo(struct sender *s, const struct smtp_reply *reply)
{
	s->hop.extensions = 0;
	s->hop.size_limit = 0;
	if (is_class(reply, 2))
		hop_set_state(s, HOP_IDLE);
	else
		fail_setup(s, reply);
}

/* 421 says that the connection is over, whatever was asked (RFC 5321 3.8). */
static void close_on_421(struct sender *s, const struct smtp_reply *reply)
{
	if (reply->code == 421) {
		s->lost = s->hop.open;
		hop_close(s);
	}
}

static void on_mail(struct sender *s, const struct smtp_reply *reply)
{
	bool paired = s->hop.paired;

	s->hop.used = true;
	s->hop.paired = false;
	/* Whatever it says to a RCPT behind a refused MAIL: RSET comes before the next one. */
	s->hop.open = paired || is_class(reply, 2);
	hop_set_state(s, !paired ? HOP_IDLE : is_class(reply, 2) ? HOP_RCPT : HOP_STRAY);
	close_on_421(s, reply);
	sender_answer(s, verdict_of_reply(VERDICT_SENDER, reply));
}

static void on_rcpt(struct sender *s, const struct smtp_reply *reply)
{
	hop_set_state(s, HOP_IDLE);
	close_on_421(s, reply);
	if (is_class(reply, 2))
		s->recipient_count++;
	sender_answer(s, verdict_of_reply(VERDICT_RECIPIENT, reply));
}

/* Nobody waits for this one any more. */
static void on_stray(struct sender *s, const struct smtp_reply *reply)
{
	hop_set_state(s, HOP_IDLE);
	close_on_421(s, reply);
}

static void on_data(struct sender *s, const struct smtp_reply *reply)
{
	if (is_class(reply, 3)) {
		hop_send_message(s);
		return;
	}
	if (is_class(reply, 2)) {
		hop_lose(s, "not a reply to DATA");
		return;
	}
	hop_set_state(s, HOP_IDLE);
	close_on_421(s, reply);
	sender_answer(s, verdict_of_reply(VERDICT_MESSAGE, reply));
}

/* A reply while the message is being written can only be bad news; the message is not ended for it.
 */
static void on_body(struct sender *s, const struct smtp_reply *reply)
{
	enum mail_verdict verdict = verdict_of_reply(VERDICT_MESSAGE, reply);

	hop_close(s);
	s->lost = true;
	sender_answer(s, verdict == MAIL_VERDICT_OK ? MAIL_VERDICT_NEXT_HOP_LOST : verdict);
}

static void on_dot(struct sender *s, const struct smtp_reply *reply)
{
	enum mail_verdict verdict = verdict_of_reply(VERDICT_MESSAGE, reply);

	s->hop.open = false;
	hop_set_state(s, HOP_IDLE);
	close_on_421(s, reply);
	if (verdict == MAIL_VERDICT_OK)
		message_report(s, EVENT_MAIL_DELIVERED, NULL);
	sender_answer(s, verdict);
}

static void on_rset(struct sender *s, const struct smtp_reply *reply)
{
	s->hop.open = false;
	if (is_class(reply, 2))
		hop_set_state(s, HOP_IDLE);
	else
		hop_lose(s, "RSET refused");
}

static void on_quit(struct sender *s, const struct smtp_reply *reply)
{
	(void)reply; /* whatever it says, this was all */
	stream_end(&s->hop.stream);
	hop_close(s);
}

/* Nobody asked: 421 before the next hop closes, or nonsense. */
static void on_nothing(struct sender *s, const struct smtp_reply *reply)
{
	hop_lose(s, reply->code == 421 ? "closed by the next hop" : "a reply to nothing");
}

static void (*const on_reply[HOP_STATE_COUNT_])(struct sender *s,
						const struct smtp_reply *reply) = {
	[HOP_NONE] = on_nothing,
	[HOP_ASKED] = on_nothing,
	[HOP_CONNECTING] = on_nothing,
	[HOP_GREETING] = on_greeting,
	[HOP_EHLO] = on_ehlo,
	[HOP_HELO] = on_helo,
	[HOP_STARTTLS] = secure_on_reply,
	[HOP_HANDSHAKE] = on_nothing,
	[HOP_IDLE] = on_nothing,
	[HOP_MAIL] = on_mail,
	[HOP_RCPT] = on_rcpt,
	[HOP_STRAY] = on_stray,
	[HOP_DATA] = on_data,
	[HOP_BODY] = on_body,
	[HOP_DOT] = on_dot,
	[HOP_RSET] = on_rset,
	[HOP_QUIT] = on_quit,
};

void dialogue_on_reply(struct sender *s, const struct smtp_reply *reply)
{
	on_reply[s->hop.state](s, reply);
	dialogue_advance(s);
}

/* ---- losses ---- */

static bool is_setup(enum hop_state state)
{
	return state >= HOP_ASKED && state <= HOP_HELO;
}

static void report_loss(struct sender *s, const struct hop_loss *loss)
{
	enum event_id event =
		is_setup(loss->state) ? EVENT_MAIL_NEXT_HOP_DOWN : EVENT_MAIL_NEXT_HOP_FAULT;

	event_send(s->events, event, EV_NUMBER(SESSION, s->session),
		   EV_NUMBER(NEXT_HOP, s->hop.target + 1), EV_TEXT(REASON, loss->why));
}

/* Next hops close a connection that they have not heard from for a while: then MAIL is worth a
 * second try. */
static bool is_stale(const struct hop_loss *loss)
{
	return loss->state == HOP_IDLE || (loss->state == HOP_MAIL && loss->used);
}

void dialogue_on_loss(struct sender *s, const struct hop_loss *loss)
{
	uint32_t next = s->hop.target + 1;

	if (!is_stale(loss) && loss->state != HOP_QUIT)
		report_loss(s, loss);
	s->lost = loss->open;
	if (is_setup(loss->state) && s->question == ASK_FROM &&
	    next < s->policy->entry->next_hops.count) {
		hop_open(s, next);
		return;
	}
	if (is_setup(loss->state) && s->question != ASK_NONE)
		sender_answer(s, MAIL_VERDICT_NEXT_HOP_DOWN);
	else if (!is_stale(loss) && s->question != ASK_NONE)
		sender_answer(s, MAIL_VERDICT_NEXT_HOP_LOST);
	dialogue_advance(s);
}
