/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The session's life: the receiver's questions, their answers, the end. */
#include "mail-sender/sender.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "wire/smtp/command.h"

#define IN(state) (1U << (state))

void sender_end(struct sender *s)
{
	s->ended = true;
	loop_stop(s->loop, 0);
}

/* What the link may carry behind the answer to each question. */
static enum link_state state_behind(enum question question, enum mail_verdict verdict)
{
	if (question == ASK_TO || (question == ASK_FROM && verdict == MAIL_VERDICT_OK))
		return LINK_OPEN;
	return LINK_FREE;
}

/* The recipient that came with the sender is the next question, where the sender was accepted. */
static void take_second(struct sender *s, enum mail_verdict verdict)
{
	s->follows = false;
	if (verdict != MAIL_VERDICT_OK)
		return;
	s->asked = s->second;
	s->question = ASK_TO;
	s->link.state = LINK_ASKED;
	loop_arm(s->loop, &s->patience, SENDER_OPEN_MS);
}

void sender_answer(struct sender *s, enum mail_verdict verdict)
{
	struct mail_answer answer = {.transaction = s->transaction, .verdict = verdict};
	enum question question = s->question;

	if (question == ASK_NONE)
		return;
	s->question = ASK_NONE;
	s->link.state = state_behind(question, verdict);
	loop_disarm(s->loop, &s->patience);
	if (question == ASK_MESSAGE)
		message_drop(s);
	if (!s->ending &&
	    channel_send(&s->link, MAIL_LINK_ANSWER, &answer, sizeof(answer), NULL, 0) < 0)
		sender_stop(s);
	else if (question == ASK_FROM && s->follows)
		take_second(s, verdict);
}

/* The receiver has gone. What the next hop has in full is its own to decide; everything else is
 * dropped. */
void sender_stop(struct sender *s)
{
	enum hop_state state = s->hop.state;

	if (s->ending)
		return;
	s->ending = true;
	loop_remove(s->loop, &s->link_fd);
	if (state != HOP_DOT) {
		s->question = ASK_NONE;
		message_drop(s);
		if (state != HOP_IDLE && state != HOP_RSET && state != HOP_QUIT)
			hop_close(s);
	}
	dialogue_advance(s);
}

static void patience_fire(struct loop *loop, struct loop_timer *timer)
{
	struct sender *s = timer->ctx;

	(void)loop;
	if (s->question == ASK_MESSAGE) {
		message_report(s, EVENT_MAIL_NOT_FLATTENED, "not flattened in time");
		sender_answer(s, MAIL_VERDICT_SANITISER_LATER);
	} else {
		hop_close(s);
		sender_answer(s, MAIL_VERDICT_NEXT_HOP_DOWN);
	}
}

static void ask(struct sender *s, enum question question, uint32_t patience_ms)
{
	s->question = question;
	s->link.state = LINK_ASKED;
	loop_arm(s->loop, &s->patience, patience_ms);
	dialogue_advance(s);
}

/* ---- the link: the receiver reads hostile bytes, so everything is checked anew ---- */

static int parse_path(const struct mail_path *body, struct smtp_path *path)
{
	struct span text = {(const uint8_t *)body->text, body->text_bytes};

	if (body->text_bytes > SMTP_PATH_MAX || smtp_path_parse(text, body->utf8 != 0, path) < 0)
		return -ERR_PEER;
	return 0;
}

static int handle_from(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct sender *s = ctx;
	const struct mail_path *body = message->body;
	struct smtp_path path = {0};

	(void)ch;
	if (parse_path(body, &path) < 0 || (path.text.size > 0 && path.domain.size == 0))
		return -ERR_PEER;
	s->asked = *body;
	s->transaction = body->transaction;
	s->recipient_count = 0;
	s->lost = false;
	message_drop(s);
	s->follows = false;
	s->question = ASK_FROM;
	if (!mail_policy_takes_sender(s->policy, path.local, path.domain)) {
		sender_answer(s, MAIL_VERDICT_SENDER_UNLISTED);
	} else if (body->follows != 0) {
		s->question = ASK_NONE; /* until the other one is here */
		s->link.state = LINK_MORE;
	} else {
		ask(s, ASK_FROM, SENDER_OPEN_MS);
	}
	return 0;
}

/* M6 again, on this side: a receiver that was broken into cannot make a relay of us. */
static bool is_ours(const struct sender *s, const struct smtp_path *path)
{
	if (path->literal || smtp_path_reroutes(path))
		return false;
	return path->domain.size == 0 || mail_policy_takes_domain(s->policy, path->domain);
}

static int handle_to(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct sender *s = ctx;
	const struct mail_path *body = message->body;
	struct smtp_path path = {0};

	if (parse_path(body, &path) < 0 || path.text.size == 0 ||
	    body->transaction != s->transaction)
		return -ERR_PEER;
	if (ch->state == LINK_MORE) {
		if (!is_ours(s, &path))
			return -ERR_PEER;
		s->second = *body;
		s->follows = true;
		ask(s, ASK_FROM, SENDER_OPEN_MS);
		return 0;
	}
	s->asked = *body;
	s->question = ASK_TO;
	if (!is_ours(s, &path) || s->recipient_count >= s->policy->entry->recipients_max)
		sender_answer(s, MAIL_VERDICT_RELAY_DENIED);
	else
		ask(s, ASK_TO, SENDER_OPEN_MS);
	return 0;
}

static int handle_message(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct sender *s = ctx;
	const struct mail_message *body = message->body;

	(void)ch;
	if (body->transaction != s->transaction || body->message == 0 || s->recipient_count == 0)
		return -ERR_PEER;
	s->message = body->message;
	ask(s, ASK_MESSAGE, SENDER_FLATTEN_MS);
	return 0;
}

static int handle_reset(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct sender *s = ctx;

	(void)message;
	ch->state = LINK_FREE;
	message_drop(s);
	return 0; /* the next hop hears of it before the next MAIL */
}

static int handle_end(struct channel *ch, void *ctx, const struct channel_message *message)
{
	(void)ch;
	(void)message;
	sender_stop(ctx);
	return 0;
}

static const struct channel_rule link_rules[] = {
	{MAIL_LINK_FROM, 0, 0, sizeof(struct mail_path), sizeof(struct mail_path), IN(LINK_FREE),
	 handle_from, "from"},
	{MAIL_LINK_TO, 0, 0, sizeof(struct mail_path), sizeof(struct mail_path),
	 IN(LINK_OPEN) | IN(LINK_MORE), handle_to, "to"},
	{MAIL_LINK_MESSAGE, 0, 0, sizeof(struct mail_message), sizeof(struct mail_message),
	 IN(LINK_OPEN), handle_message, "message"},
	{MAIL_LINK_RESET, 0, 0, sizeof(struct mail_reset), sizeof(struct mail_reset),
	 IN(LINK_FREE) | IN(LINK_OPEN), handle_reset, "reset"},
	{MAIL_LINK_END, 0, 0, 0, 0, CHANNEL_ANY_STATE, handle_end, "end"},
};

static void link_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	struct sender *s = self->ctx;
	const char *why = NULL;
	int got = channel_serve(&s->link, 1, &why);

	(void)loop;
	(void)revents;
	if (got == -ERR_PEER)
		event_send(s->events, EVENT_CHANNEL_VIOLATION, EV_TEXT(PROCESS, "mail-receiver"),
			   EV_NUMBER(SESSION, s->session),
			   EV_TEXT(REASON, why != NULL ? why : "link"));
	if (got < 0)
		sender_stop(s);
}

/* ---- begin and end ---- */

int sender_start(struct sender *s, int link_fd)
{
	channel_init(&s->link, link_fd, link_rules, sizeof(link_rules) / sizeof(link_rules[0]), s);
	s->link.state = LINK_FREE;
	s->link_fd =
		(struct loop_fd){.fd = link_fd, .events = POLLIN, .ready = link_ready, .ctx = s};
	s->patience = (struct loop_timer){.fire = patience_fire, .ctx = s};
	s->hop.fd.fd = -1;
	stream_init(&s->hop.stream, -1);
	s->incoming.pipe.fd = -1;
	bytes_init(&s->hop.out, HOP_OUT_BYTES);
	return loop_add(s->loop, &s->link_fd);
}

void sender_fini(struct sender *s)
{
	loop_remove(s->loop, &s->link_fd);
	loop_disarm(s->loop, &s->patience);
	message_drop(s);
	hop_close(s);
	loop_disarm(s->loop, &s->hop.deadline);
	bytes_fini(&s->hop.out);
	if (s->authority_fd >= 0)
		(void)close(s->authority_fd); /* was only read */
	channel_fini(&s->link);
}

int sender_on_connected(struct sender *s, const struct control_connected *connected, int *fd)
{
	return hop_connected(s, connected, fd);
}
