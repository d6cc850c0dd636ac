/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recovery at the terminal (ADR 318): the key at the banner, then a name, then the password is
 * read. Whether any of it is served is for the supervisor and accounts to say.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "base/err.h"
#include "console/console.h"
#include "console/wording.h"

#define KEY 'R'

static void send_step(struct console *c, enum recovery_step step)
{
	const struct control_recovery body = {.step = step};

	if (channel_send(&c->process.control, CONTROL_RECOVERY, &body, sizeof(body), NULL, 0) != 0)
		console_end(c);
}

/* What a line makes of itself when the power comes, or Enter: nothing that is read. */
static bool is_noise(uint8_t byte)
{
	return byte < ' ' || byte >= 0x7f;
}

/* A person presses the key, perhaps again and again; a device that says RING or READY does not. */
static bool is_key(const struct console *c)
{
	bool pressed = false;

	for (size_t i = c->recovery.burst_at; i < c->recovery.burst_end; i++) {
		uint8_t byte = c->input.data[i];

		if (byte != KEY && !is_noise(byte))
			return false;
		pressed |= byte == KEY;
	}
	return pressed;
}

/* The burst is whole. What is none of the key is what was typed ahead. */
static void on_pause(struct loop *loop, struct loop_timer *self)
{
	struct console *c = self->ctx;
	int more = 0;

	if (ioctl(c->tty, FIONREAD, &more) == 0 && more > 0)
		return; /* this process was late: it is read first */
	if (c->state != STATE_BANNER || !is_key(c)) {
		c->recovery.burst_at = c->recovery.burst_end;
		return;
	}
	c->input.size = c->recovery.burst_end = c->recovery.burst_at;
	if (c->recovery.asked)
		return; /* one key a start */
	c->recovery.asked = true;
	console_enter_state(c, STATE_RECOVERY, 0);
	send_step(c, RECOVERY_KEY);
}

/* What was typed ahead was no name: keys that were pressed again and again. */
static void drop_input(struct console *c)
{
	if (c->input.size > 0)
		explicit_bzero(c->input.data, c->input.size);
	c->input_at = c->recovery.burst_at = c->recovery.burst_end = c->input.size;
}

void recovery_listen(struct console *c)
{
	if (!c->recovery.hears || c->is_first || c->account_role != ACCOUNT_ROLE_NONE ||
	    c->input.size == c->recovery.burst_end)
		return;
	c->recovery.burst_end = c->input.size;
	c->recovery.pause.fire = on_pause;
	c->recovery.pause.ctx = c;
	loop_arm(&c->loop, &c->recovery.pause, RECOVERY_PAUSE_MS);
}

bool recovery_may_be_key(const struct console *c)
{
	return loop_armed(&c->recovery.pause) && is_key(c);
}

void recovery_leave(struct console *c)
{
	console_enter_state(c, STATE_RECOVERY, 0);
	send_step(c, RECOVERY_LEFT);
}

/* Whoever stands here may not read the configured language, or at a terminal without UTF-8. */
static void say_both(struct console *c, const char *en, const char *ja)
{
	screen_print(c, span_of(en));
	screen_print(c, span_of(ja));
}

static void say_reason(struct console *c, const char *en, const char *ja, const char *text)
{
	screen_printf(c, "\n%s: %s\n%s: %s\n", en, wording_refusal(text, LANGUAGE_EN), ja,
		      wording_refusal(text, LANGUAGE_JA));
}

static void begin(struct console *c)
{
	drop_input(c);
	c->recovery.runs = true;
	c->language = LANGUAGE_EN; /* what is asked can be read at any terminal */
	say_both(c,
		 "\nRecovery of a lost password. All zones are shut until it ends, at the latest "
		 "in\n15 minutes; it is recorded, and has to be acknowledged afterwards. Ctrl-C: "
		 "leave.\n",
		 "\nパスワードの復旧を行います。終了まで (最長15分) 全ゾーンを遮断します。\n"
		 "記録され、事後確認が必要です。Ctrl-C で中止します。\n");
	login_ask_recovery(c);
}

int recovery_take(struct console *c, const struct control_recovery *said)
{
	char text[RECOVERY_TEXT_BYTES];

	memcpy(text, said->text, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	if (said->step == RECOVERY_OVER) {
		/* With the password, if any, also where the terminal can be scrolled back. */
		screen_print(c, span_of("\033[H\033[2J\033[3J"));
		say_reason(c, "the recovery is over", "復旧を終了しました", text);
		console_end(c);
		return 0;
	}
	if (c->state == STATE_END || c->state == STATE_LOST)
		return 0;
	if (c->state != STATE_RECOVERY)
		return -ERR_PEER;
	if (said->step == RECOVERY_BEGIN) {
		begin(c);
		return 0;
	}
	if (said->step == RECOVERY_COUNTED)
		say_both(c,
			 "\nThe key was counted. For a recovery switch the power off and on, and "
			 "press\nR here once more. A start without it begins anew.\n",
			 "\nキーを受け付けました。復旧するには電源を切って入れ直し、この画面で\n"
			 "もう一度 R を押してください。押さずに起動すると最初からになります。\n");
	else
		say_reason(c, "no recovery", "復旧は行いません", text);
	screen_stand(c);
	return 0;
}
