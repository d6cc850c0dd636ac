/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The session's life: bytes in and out, deadlines, the link to the sender, the end. */
#include "mail-receiver/receiver.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

/* How long a phase may last, and what is said where it lasts longer. */
static const struct {
	uint32_t deadline_ms;
	enum answer late;
} phases[PHASE_COUNT_] = {
	[PHASE_CONNECTED] = {RECEIVER_COMMAND_MS, ANSWER_IDLE},
	[PHASE_READY] = {RECEIVER_COMMAND_MS, ANSWER_IDLE},
	[PHASE_SENDER] = {RECEIVER_COMMAND_MS, ANSWER_IDLE},
	[PHASE_RECIPIENT] = {RECEIVER_COMMAND_MS, ANSWER_IDLE},
	[PHASE_ASK_SENDER] = {RECEIVER_ASK_MS, ANSWER_TRY_LATER},
	[PHASE_ASK_RECIPIENT] = {RECEIVER_ASK_MS, ANSWER_TRY_LATER},
	[PHASE_DATA] = {RECEIVER_DATA_MS, ANSWER_IDLE},
	[PHASE_DELIVER] = {RECEIVER_DELIVER_MS, ANSWER_TRY_LATER},
	[PHASE_HANDSHAKE] = {RECEIVER_HANDSHAKE_MS, ANSWER_IDLE},
	[PHASE_CLOSING] = {RECEIVER_LINGER_MS, ANSWER_BYE},
};

void receiver_end(struct receiver *r)
{
	r->ended = true;
	loop_stop(r->loop, 0);
}

void receiver_set_phase(struct receiver *r, enum receiver_phase phase)
{
	r->phase = phase;
	loop_arm(r->loop, &r->deadline, phases[phase].deadline_ms);
	if (phase != PHASE_DATA)
		loop_disarm(r->loop, &r->data_total);
}

bool receiver_is_asking(const struct receiver *r)
{
	return r->phase == PHASE_ASK_SENDER || r->phase == PHASE_ASK_RECIPIENT ||
	       r->phase == PHASE_DELIVER;
}

/* Replies are short and the peer reads them before we take more commands: what does not fit is our
 * own bug. */
static void queue(struct receiver *r, const char *text, size_t size)
{
	if (size > RECEIVER_OUT_BYTES - r->out_bytes) {
		receiver_end(r);
		return;
	}
	memcpy(r->out + r->out_bytes, text, size);
	r->out_bytes += size;
}

void receiver_reply_line(struct receiver *r, unsigned code, char mark, const char *text)
{
	uint8_t line[ANSWER_TEXT_BYTES + 256];
	struct writer w = {0};

	writer_init(&w, line, sizeof(line));
	writer_printf(&w, "%03u%c%s\r\n", code, mark, text);
	queue(r, (const char *)line, w.size);
}

void receiver_reply(struct receiver *r, const struct answer_row *answer)
{
	uint8_t text[ANSWER_TEXT_BYTES];
	struct writer w = {0};

	writer_init(&w, text, sizeof(text));
	if (answer->enhanced != NULL)
		writer_printf(&w, "%s ", answer->enhanced);
	writer_text(&w, answer->text);
	writer_u8(&w, '\0');
	receiver_reply_line(r, answer->code, ' ', (const char *)text);
}

void receiver_close(struct receiver *r, enum answer answer)
{
	if (r->phase == PHASE_CLOSING)
		return;
	if (r->phase == PHASE_HANDSHAKE) { /* there is no way to say anything */
		receiver_end(r);
		return;
	}
	if (r->phase == PHASE_DELIVER)
		r->counts.deferred++;
	receiver_drop_message(r);
	loop_disarm(r->loop, &r->tarpit);
	receiver_set_phase(r, PHASE_CLOSING);
	receiver_reply(r, answer_row(answer));
	if (!r->link_lost)
		(void)channel_send(&r->link, MAIL_LINK_END, NULL, 0, NULL,
				   0); /* closing it says the same */
}

void receiver_refuse(struct receiver *r, enum answer answer)
{
	r->counts.errors++;
	/* At most half of the sessions can be held up: the rest are for those who behave. */
	if (r->counts.errors >= (r->crowded ? RECEIVER_ERRORS_FREE : RECEIVER_ERRORS_MAX)) {
		receiver_close(r, ANSWER_TOO_MANY_ERRORS);
		return;
	}
	receiver_reply(r, answer_row(answer));
	if (r->counts.errors > RECEIVER_ERRORS_FREE)
		loop_arm(r->loop, &r->tarpit,
			 (uint64_t)RECEIVER_TARPIT_MS * (r->counts.errors - RECEIVER_ERRORS_FREE));
}

void receiver_lose_link(struct receiver *r)
{
	if (r->link_lost)
		return;
	r->link_lost = true;
	loop_remove(r->loop, &r->link_fd);
	receiver_close(r, receiver_is_asking(r) ? ANSWER_TRY_LATER : ANSWER_LINK_LOST);
}

bool receiver_tell(struct receiver *r, uint16_t type, const void *body, size_t body_bytes)
{
	if (!r->link_lost && channel_send(&r->link, type, body, body_bytes, NULL, 0) < 0)
		receiver_lose_link(r);
	return !r->link_lost;
}

/* ---- the peer's socket ---- */

static bool may_read(const struct receiver *r)
{
	return !receiver_is_asking(r) && r->phase != PHASE_HANDSHAKE && !loop_armed(&r->tarpit) &&
	       r->in_bytes < RECEIVER_IN_BYTES && r->out_bytes <= RECEIVER_OUT_BYTES / 2;
}

/* Write what waits, unless the peer is being slowed down. Return: 0, -ERR_CLOSED. */
static int flush(struct receiver *r)
{
	size_t done = 0;

	if (loop_armed(&r->tarpit))
		return 0;
	while (done < r->out_bytes) {
		ssize_t n = stream_write(&r->stream, r->out + done, r->out_bytes - done);

		if (n == -ERR_CLOSED)
			return -ERR_CLOSED;
		if (n < 0)
			break;
		done += (size_t)n;
	}
	memmove(r->out, r->out + done, r->out_bytes - done);
	r->out_bytes -= done;
	return 0;
}

/* Take one line or a run of data. Return: whether there may be more to do. */
static bool take_step(struct receiver *r)
{
	struct span in = {r->in + r->in_at, r->in_bytes - r->in_at};
	struct span line = {0};
	size_t taken = 0;
	int err = 0;

	if (in.size == 0 || receiver_is_asking(r) || r->phase >= PHASE_HANDSHAKE ||
	    loop_armed(&r->tarpit) || r->out_bytes > RECEIVER_OUT_BYTES / 2)
		return false;
	if (r->phase == PHASE_DATA) {
		loop_arm(r->loop, &r->deadline, phases[PHASE_DATA].deadline_ms);
		r->in_at += receiver_take_data(r, in);
		return true;
	}
	err = smtp_line_next(in, SMTP_LINE_MAX + SMTP_MAIL_EXTRA, &line, &taken);
	if (err == -ERR_TRUNCATED)
		return false;
	r->in_at += taken;
	if (err == 0) {
		loop_arm(r->loop, &r->deadline, phases[r->phase].deadline_ms);
		receiver_command(r, line);
	} else {
		receiver_bad_line(r, err);
	}
	return true;
}

/* Once the last reply is out, wait for the peer to close: closing first could take the reply from
 * it (RST). */
static void linger(struct receiver *r)
{
	r->in_bytes = 0;
	r->in_at = 0;
	if (r->out_bytes == 0 && !r->half_closed) {
		r->half_closed = true;
		stream_end(&r->stream);
	}
}

/* Work on what is there. */
static void work(struct receiver *r)
{
	while (!r->ended && take_step(r))
		;
	if (r->ended)
		return;
	if (flush(r) < 0) {
		receiver_end(r);
		return;
	}
	if (r->phase == PHASE_HANDSHAKE && r->out_bytes == 0 && !receiver_shake(r))
		return;
	if (r->phase == PHASE_CLOSING)
		linger(r);
	memmove(r->in, r->in + r->in_at, r->in_bytes - r->in_at);
	r->in_bytes -= r->in_at;
	r->in_at = 0;
	r->peer_fd.events =
		stream_events(&r->stream, may_read(r), r->out_bytes > 0 && !loop_armed(&r->tarpit));
}

/* Return: false where the session ended. */
static bool read_peer(struct receiver *r)
{
	ssize_t n = stream_read(&r->stream, r->in + r->in_bytes, RECEIVER_IN_BYTES - r->in_bytes);

	if (n > 0)
		r->in_bytes += (size_t)n;
	if (n > 0 || n == -ERR_AGAIN)
		return true;
	receiver_end(r);
	return false;
}

/* poll(2) does not tell of what TLS has decrypted already. */
static void advance(struct receiver *r)
{
	work(r);
	while (!r->ended && may_read(r) && stream_pending(&r->stream) > 0) {
		if (!read_peer(r))
			return;
		work(r);
	}
}

static void peer_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	struct receiver *r = self->ctx;

	(void)loop;
	if (may_read(r)) {
		if (!read_peer(r))
			return;
	} else if (r->phase != PHASE_HANDSHAKE && (revents & (POLLHUP | POLLERR))) {
		receiver_end(r);
		return;
	}
	advance(r);
}

/* ---- the link ---- */

static int handle_answer(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct receiver *r = ctx;
	const struct mail_answer *answer = message->body;

	(void)ch;
	if (!receiver_is_asking(r) || answer->transaction != r->transaction.number)
		return 0; /* to a question that we have given up */
	receiver_on_answer(r, answer->verdict);
	if (r->stopping)
		receiver_close(r, ANSWER_STOPPING);
	return 0;
}

static const struct channel_rule link_rules[] = {
	{MAIL_LINK_ANSWER, 0, 0, sizeof(struct mail_answer), sizeof(struct mail_answer),
	 CHANNEL_ANY_STATE, handle_answer, "answer"},
};

static void link_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	struct receiver *r = self->ctx;

	(void)loop;
	(void)revents;
	if (channel_serve(&r->link, 4, NULL) < 0)
		receiver_lose_link(r);
	if (!r->ended)
		advance(r);
}

/* ---- time ---- */

static void deadline_fire(struct loop *loop, struct loop_timer *timer)
{
	struct receiver *r = timer->ctx;

	(void)loop;
	if (r->phase == PHASE_CLOSING) {
		receiver_end(r);
		return;
	}
	receiver_close(r, phases[r->phase].late);
	advance(r);
}

static void tarpit_fire(struct loop *loop, struct loop_timer *timer)
{
	(void)loop;
	advance(timer->ctx);
}

static void retry_fire(struct loop *loop, struct loop_timer *timer)
{
	(void)loop;
	receiver_hand_over(timer->ctx);
	advance(timer->ctx);
}

/* ---- begin and end ---- */

static void greet(struct receiver *r)
{
	char early = 0;

	receiver_set_phase(r, PHASE_CONNECTED);
	if (recv(r->peer_fd.fd, &early, 1, MSG_PEEK | MSG_DONTWAIT) > 0) {
		receiver_close(
			r, ANSWER_EARLY); /* RFC 5321 4.3.1: no client speaks before the greeting */
		return;
	}
	receiver_greet(r);
}

int receiver_start(struct receiver *r, int peer_fd, int link_fd)
{
	int err = 0;

	r->message_fd = -1;
	r->started_ms = clock_mono_ms(r->loop->clock);
	r->deadline = (struct loop_timer){.fire = deadline_fire, .ctx = r};
	r->data_total = (struct loop_timer){.fire = deadline_fire, .ctx = r};
	r->tarpit = (struct loop_timer){.fire = tarpit_fire, .ctx = r};
	r->retry = (struct loop_timer){.fire = retry_fire, .ctx = r};
	r->peer_fd =
		(struct loop_fd){.fd = peer_fd, .events = POLLIN, .ready = peer_ready, .ctx = r};
	r->link_fd =
		(struct loop_fd){.fd = link_fd, .events = POLLIN, .ready = link_ready, .ctx = r};
	stream_init(&r->stream, peer_fd);
	channel_init(&r->link, link_fd, link_rules, sizeof(link_rules) / sizeof(link_rules[0]), r);
	err = loop_add(r->loop, &r->peer_fd);
	if (err == 0)
		err = loop_add(r->loop, &r->link_fd);
	if (err < 0)
		return err;
	greet(r);
	advance(r);
	return 0;
}

void receiver_stop(struct receiver *r)
{
	if (receiver_is_asking(r)) {
		r->stopping = true;
		return;
	}
	receiver_close(r, ANSWER_STOPPING);
	advance(r);
}

void receiver_fini(struct receiver *r)
{
	loop_remove(r->loop, &r->peer_fd);
	loop_remove(r->loop, &r->link_fd);
	loop_disarm(r->loop, &r->deadline);
	loop_disarm(r->loop, &r->data_total);
	loop_disarm(r->loop, &r->tarpit);
	receiver_drop_message(r);
	channel_fini(&r->link);
	stream_fini(&r->stream);
	if (r->certificate_fd >= 0)
		(void)close(r->certificate_fd); /* was only read */
	(void)close(r->peer_fd.fd);             /* the peer has all that it will get */
	event_send(r->events, EVENT_MAIL_SESSION, EV_NUMBER(SESSION, r->session),
		   receiver_peer_field(r), EV_NUMBER(DELIVERED, r->counts.delivered),
		   EV_NUMBER(DEFERRED, r->counts.deferred), EV_NUMBER(REFUSED, r->counts.refused),
		   EV_NUMBER(RECIPIENTS_REFUSED, r->counts.recipients_refused),
		   EV_NUMBER(BYTES, r->counts.bytes),
		   EV_NUMBER(DURATION_MS, clock_mono_ms(r->loop->clock) - r->started_ms));
}
