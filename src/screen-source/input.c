/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys in: every record of the viewer's half is checked here again, before anything of it is
 * written to the desktop.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "screen-source/source.h"
#include "wire/rfb/keys.h"

static void send_key(struct source *s, uint32_t keysym, bool down)
{
	struct writer w = desktop_writer(s);

	rfb_client_key(&w, keysym, down);
	desktop_written(s, &w);
}

static void send_pointer(struct source *s)
{
	struct writer w = desktop_writer(s);

	s->pointer_due = false;
	rfb_client_pointer(&w, s->pointer_x, s->pointer_y, s->buttons);
	desktop_written(s, &w);
}

/* The place of a pressed key, or pressed_count. */
static unsigned pressed_at(const struct source *s, uint32_t keysym)
{
	unsigned i = 0;

	while (i < s->pressed_count && s->pressed[i] != keysym)
		i++;
	return i;
}

/*
 * The place of the key that a viewer lets go by a name that no pressed key has, or pressed_count.
 * Viewers that name a key by what is held at that moment (TightVNC) press A or ISO_Left_Tab and,
 * where Shift was let go first, release a or Tab: the key that was pressed first is let go, so that
 * each press has its release. At worst, after a press that was dropped, a key is let go early. Of
 * letters and modifiers the two names of one key are known; a modifier is let go by nothing else.
 */
static unsigned renamed_at(const struct source *s, uint32_t keysym)
{
	unsigned i = pressed_at(s, rfb_key_other_name(keysym));

	if (i < s->pressed_count || rfb_key_modifies(keysym))
		return i;
	i = 0;
	while (i < s->pressed_count && rfb_key_modifies(s->pressed[i]))
		i++;
	return i;
}

/* Nothing where @at is pressed_count. */
static void let_go(struct source *s, unsigned at)
{
	if (at == s->pressed_count)
		return;
	send_key(s, s->pressed[at], false);
	s->pressed_count--;
	memmove(s->pressed + at, s->pressed + at + 1,
		(s->pressed_count - at) * sizeof(s->pressed[0]));
}

/* Nothing is let go where the press was dropped, or came before the session. */
static void release(struct source *s, uint32_t keysym)
{
	unsigned at = pressed_at(s, keysym);

	let_go(s, at < s->pressed_count ? at : renamed_at(s, keysym));
}

static void press(struct source *s, uint32_t keysym)
{
	bool held = pressed_at(s, keysym) < s->pressed_count;

	if (!held && s->pressed_count == SOURCE_PRESSED_MAX) {
		session_drop(&s->session, SESSION_DROP_KEY_RATE, 0);
		return;
	}
	if (!source_bucket_take(&s->presses, SOURCE_KEYS_PER_S, SOURCE_KEYS_BURST)) {
		session_drop(&s->session, SESSION_DROP_KEY_RATE, 0);
		return;
	}
	/* A key that repeats by its other name will be released once, by one of the two. */
	let_go(s, pressed_at(s, rfb_key_other_name(keysym)));
	if (!held)
		s->pressed[s->pressed_count++] = keysym;
	s->keys++;
	send_key(s, keysym, true);
}

static void take_key(struct source *s, const struct screen_input *input)
{
	if (s->pointer_due) /* a key goes to the window that the pointer is over */
		send_pointer(s);
	if (input->flags)
		press(s, input->value);
	else
		release(s, input->value);
}

static uint16_t clamp(uint16_t at, uint16_t size)
{
	return at < size ? at : (uint16_t)(size - 1);
}

/* Movements with the same buttons replace each other until the turn is over. */
static void take_pointer(struct source *s, const struct screen_input *input)
{
	if (s->pointer_due && input->flags != s->buttons)
		send_pointer(s);
	s->pointer_x = clamp(input->x, s->frame.width);
	s->pointer_y = clamp(input->y, s->frame.height);
	s->buttons = input->flags;
	s->pointer_due = true;
}

/* An acknowledgement counts only forwards and only what was sent. */
static void take_ack(struct source *s, const struct screen_input *input)
{
	if (input->value - s->update_taken > s->update_sent - s->update_taken) {
		source_end(s, SCREEN_END_RECORD, "ack", 0);
		return;
	}
	s->update_taken = input->value;
}

static void take(struct source *s, const struct screen_input *input)
{
	switch (input->kind) {
	case SCREEN_START:
		if (s->phase == SOURCE_WAITING)
			desktop_connect(s);
		else
			source_end(s, SCREEN_END_RECORD, "second-start", 0);
		break;
	case SCREEN_ACK:
		take_ack(s, input);
		break;
	case SCREEN_KEY:
		take_key(s, input);
		break;
	case SCREEN_POINTER:
		take_pointer(s, input);
		break;
	default: /* SCREEN_INPUT_ENDED, by screen_input_check */
		source_end(s,
			   input->value == SCREEN_END_NONE_ ? SCREEN_END_OTHER_HALF
							    : (enum screen_end)input->value,
			   NULL, 0);
		break;
	}
}

/* 0, or a negative error where there is nothing (more) to take. */
static int receive(struct source *s, struct screen_input *input)
{
	uint8_t excess;
	struct iovec parts[2] = {{input, sizeof(*input)}, {&excess, 1}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	ssize_t n = recvmsg(s->link.fd, &message, MSG_DONTWAIT);

	if (n < 0 && errno == ECONNRESET) /* it left tiles unread; what it said comes behind that */
		n = recvmsg(s->link.fd, &message, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -ERR_AGAIN;
	if (n <= 0) {
		source_end(s, SCREEN_END_OTHER_HALF, NULL, 0);
		return -ERR_CLOSED;
	}
	/* MSG_CTRUNC: a descriptor was sent along; the kernel has closed it. */
	if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
	    !screen_input_check(input, (size_t)n, rfb_key_allowed, s->phase == SOURCE_RUNNING)) {
		source_end(s, SCREEN_END_RECORD, "input", input->kind);
		return -ERR_PEER;
	}
	return 0;
}

void input_serve(struct source *s)
{
	struct screen_input input = {0};
	unsigned left = SOURCE_INPUT_MAX;

	while (left-- > 0 && s->session.end == SCREEN_END_NONE_ && desktop_has_room(s) &&
	       receive(s, &input) == 0)
		take(s, &input);
	if (s->session.end == SCREEN_END_NONE_ && s->pointer_due && desktop_has_room(s))
		send_pointer(s);
	if (desktop_has_room(s))
		s->link.events |= POLLIN;
	else
		s->link.events &= (short)~POLLIN;
}

void input_last(struct source *s)
{
	struct screen_input input = {0};

	while (s->session.end == SCREEN_END_NONE_ && receive(s, &input) == 0) {
		if (input.kind == SCREEN_INPUT_ENDED)
			take(s, &input);
	}
	source_end(s, SCREEN_END_OTHER_HALF, NULL, 0); /* unless a reason was found */
}

void input_release(struct source *s)
{
	struct writer w = desktop_writer(s);

	while (s->pressed_count > 0)
		rfb_client_key(&w, s->pressed[--s->pressed_count], false);
	if (s->buttons != 0)
		rfb_client_pointer(&w, s->pointer_x, s->pointer_y, 0);
	if (!w.failed)
		s->out_bytes = w.size;
	desktop_flush(s);
}
