/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flattened message: read from the flattener's pipe, judged, and only then sent on. */
#include "mail-sender/sender.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

void message_drop(struct sender *s)
{
	struct incoming *in = &s->incoming;

	if (in->message == 0)
		return;
	loop_remove(s->loop, &in->pipe);
	if (in->pipe.fd >= 0)
		(void)close(in->pipe.fd); /* the flattener learns of it by SIGPIPE */
	flat_fini(&in->flat);
	*in = (struct incoming){.pipe = {.fd = -1}};
}

static void begin(struct sender *s, uint64_t message)
{
	size_t limit = (size_t)s->policy->entry->size_limit_bytes;
	bool texts = mail_policy_passes_text(s->policy);

	message_drop(s);
	s->incoming.message = message;
	s->incoming.pipe.fd = -1;
	flat_init(&s->incoming.flat, (texts ? FLAT_FILES_TIMES * limit : limit) + FLAT_EXTRA_BYTES);
	mail_verify_allow(&s->incoming.flat.verify, texts, mail_policy_passes_files(s->policy));
}

static void end_pipe(struct sender *s)
{
	loop_remove(s->loop, &s->incoming.pipe);
	s->incoming.pipe_ended = true;
}

/* A fault of the text ends the reading: what is left in the pipe is of no interest. */
static void pipe_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	struct sender *s = self->ctx;
	ssize_t n = read(self->fd, s->room, sizeof(s->room));

	(void)loop;
	(void)revents;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || flat_push(&s->incoming.flat, (struct span){s->room, (size_t)n}) < 0)
		end_pipe(s);
	dialogue_advance(s);
}

/*
 * Between DATA and its answer the message is the one that was verified. The receiver can make the
 * supervisor bring another at any time; one that does so then was broken into.
 */
static bool breaks_in(struct sender *s)
{
	if (s->hop.state < HOP_DATA || s->hop.state > HOP_DOT)
		return false;
	event_send(s->events, EVENT_CHANNEL_VIOLATION, EV_TEXT(PROCESS, "mail-receiver"),
		   EV_NUMBER(SESSION, s->session),
		   EV_TEXT(REASON, "a message while another is being sent"));
	return true;
}

int sender_on_message(struct sender *s, const struct control_flatten *message, int *pipe_fd)
{
	struct incoming *in = &s->incoming;
	int flags = fcntl(*pipe_fd, F_GETFL);

	if (flags < 0)
		return -ERR_SYSTEM;
	if (message->message == 0 || !(flags & O_NONBLOCK) || breaks_in(s))
		return -ERR_PEER;
	begin(s, message->message);
	in->pipe =
		(struct loop_fd){.fd = *pipe_fd, .events = POLLIN, .ready = pipe_ready, .ctx = s};
	*pipe_fd = -1;
	return loop_add(s->loop, &in->pipe);
}

int sender_on_flattened(struct sender *s, const struct control_flattened *result)
{
	struct incoming *in = &s->incoming;

	if (breaks_in(s))
		return -ERR_PEER;
	if (in->message != result->message) { /* there was not even a flattener */
		if (result->status == FLATTEN_DONE || result->message == 0)
			return 0;
		begin(s, result->message);
		in->pipe_ended = true;
	}
	in->result = *result;
	in->flattened = true;
	dialogue_advance(s);
	return 0;
}

int sender_on_scanned(struct sender *s, const struct control_scanned *scan)
{
	struct incoming *in = &s->incoming;

	if (breaks_in(s))
		return -ERR_PEER;
	if (in->message == 0 || in->message != scan->message || in->scanned)
		return 0; /* of a message that was dropped meanwhile */
	in->scan = *scan;
	in->scanned = true;
	dialogue_advance(s);
	return 0;
}

/* The text of a fixed field that another process filled. */
static struct event_arg text_field(enum event_key key, const char *text, size_t capacity)
{
	return (struct event_arg){key, EVENT_KIND_TEXT, 0, text, strnlen(text, capacity)};
}

void message_report(struct sender *s, enum event_id event, const char *reason)
{
	const struct control_flattened *result = &s->incoming.result;

	if (reason == NULL)
		event_send(s->events, event, EV_NUMBER(SESSION, s->session),
			   text_field(FIELD_RECEIPT, result->receipt, sizeof(result->receipt)),
			   EV_NUMBER(RECIPIENTS, s->recipient_count),
			   EV_NUMBER(BYTES, result->output_bytes),
			   EV_NUMBER(DROPPED, result->dropped_count),
			   EV_NUMBER(PASSED, mail_verify_files(&s->incoming.flat.verify)),
			   EV_SHA256(SHA256, result->sha256_input),
			   EV_SHA256(SHA256_RESULT, result->sha256_output));
	else
		event_send(s->events, event, EV_NUMBER(SESSION, s->session),
			   text_field(FIELD_RECEIPT, result->receipt, sizeof(result->receipt)),
			   EV_NUMBER(LINE, s->incoming.flat.verify.line), EV_TEXT(REASON, reason));
}

static void refuse(struct sender *s, enum event_id event, const char *reason,
		   enum mail_verdict verdict)
{
	message_report(s, event, reason);
	sender_answer(s, verdict);
}

/* Why the flattener refused, as the peer is told; what it has no business to say is a failure. */
static enum mail_verdict refusal_verdict(uint32_t refusal)
{
	static const enum mail_verdict verdicts[FLATTEN_REFUSAL_COUNT_] = {
		[FLATTEN_REFUSAL_STRUCTURE] = MAIL_VERDICT_NOT_SANITISABLE,
		[FLATTEN_REFUSAL_FORWARDED] = MAIL_VERDICT_FORWARDED,
		[FLATTEN_REFUSAL_LABEL] = MAIL_VERDICT_CLASSIFIED,
		[FLATTEN_REFUSAL_ATTACHED] = MAIL_VERDICT_ATTACHED,
		[FLATTEN_REFUSAL_SENDER] = MAIL_VERDICT_SENDER_UNLISTED,
	};

	return refusal < FLATTEN_REFUSAL_COUNT_ ? verdicts[refusal] : MAIL_VERDICT_SANITISER_LATER;
}

static enum event_id refusal_event(uint32_t refusal)
{
	static const enum event_id events[FLATTEN_REFUSAL_COUNT_] = {
		[FLATTEN_REFUSAL_STRUCTURE] = EVENT_MAIL_NOT_FLATTENED,
		[FLATTEN_REFUSAL_FORWARDED] = EVENT_MAIL_FORWARDED,
		[FLATTEN_REFUSAL_LABEL] = EVENT_MAIL_CLASSIFIED,
		[FLATTEN_REFUSAL_ATTACHED] = EVENT_MAIL_ATTACHED,
		[FLATTEN_REFUSAL_SENDER] = EVENT_MAIL_SENDER_UNLISTED,
	};

	return refusal < FLATTEN_REFUSAL_COUNT_ ? events[refusal] : EVENT_MAIL_NOT_FLATTENED;
}

/* What the flattener says of itself where it did not finish; its reason is cut at its first NUL. */
static void refuse_unflattened(struct sender *s)
{
	struct control_flattened *result = &s->incoming.result;

	result->reason[sizeof(result->reason) - 1] = '\0';
	if (result->status == FLATTEN_REFUSED)
		refuse(s, refusal_event(result->refusal), result->reason,
		       refusal_verdict(result->refusal));
	else if (result->status == FLATTEN_OVER_RATE)
		refuse(s, EVENT_MAIL_RATE, result->reason, MAIL_VERDICT_OVER_RATE);
	else
		refuse(s, EVENT_MAIL_NOT_FLATTENED, result->reason, MAIL_VERDICT_SANITISER_LATER);
}

/* What the scanner said, where the entry has one. Return: whether the message may go on. */
static bool is_clean(struct sender *s)
{
	const struct control_scanned *scan = &s->incoming.scan;
	bool infected = scan->status == SCAN_INFECTED;

	if (s->policy->entry->scanner == SNAPSHOT_NONE || scan->status == SCAN_CLEAN)
		return true;
	event_send(s->events, infected ? EVENT_MAIL_INFECTED : EVENT_MAIL_NOT_SCANNED,
		   EV_NUMBER(SESSION, s->session),
		   text_field(FIELD_RECEIPT, s->incoming.result.receipt,
			      sizeof(s->incoming.result.receipt)),
		   infected ? text_field(FIELD_SIGNATURE, scan->signature, sizeof(scan->signature))
			    : text_field(FIELD_REASON, scan->reason, sizeof(scan->reason)));
	sender_answer(s, infected ? MAIL_VERDICT_INFECTED : MAIL_VERDICT_SCAN_LATER);
	return false;
}

static void start_data(struct sender *s)
{
	struct incoming *in = &s->incoming;

	if (s->hop.size_limit > 0 && in->flat.text.size > s->hop.size_limit) {
		sender_answer(s, MAIL_VERDICT_TOO_BIG);
		return;
	}
	loop_disarm(s->loop, &s->patience);
	flat_wire_init(&s->wire, &in->flat, !(s->hop.extensions & SMTP_HAS_8BITMIME));
	hop_command(s, HOP_DATA, "DATA", (struct span){0}, "");
}

void message_advance(struct sender *s)
{
	struct incoming *in = &s->incoming;

	if (in->message != s->message)
		return;
	if (in->flat.fault != NULL) {
		refuse(s, EVENT_MAIL_NOT_CONFORMING, in->flat.fault, MAIL_VERDICT_SANITISER_LATER);
		return;
	}
	if (!in->flattened)
		return;
	if (in->result.status != FLATTEN_DONE) {
		refuse_unflattened(s);
		return;
	}
	if (!in->pipe_ended || (s->policy->entry->scanner != SNAPSHOT_NONE && !in->scanned))
		return;
	if (!is_clean(s))
		return;
	if (flat_finish(&in->flat, in->result.output_bytes, in->result.sha256_output) < 0)
		refuse(s, EVENT_MAIL_NOT_CONFORMING, in->flat.fault, MAIL_VERDICT_SANITISER_LATER);
	else
		start_data(s);
}
