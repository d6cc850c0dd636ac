/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a console ends. It ends by itself, or is told to; in either case the person at the terminal
 * reads why, as long as the terminal takes anything.
 */
#include "console/ending.h"

#include "base/err.h"
#include "channel/person.h"
#include "console/console.h"

#define PATIENCE_MS 10000U /* without a byte that the terminal takes */
#define TOLD_MS     800U   /* of the second after which the supervisor kills whom it has told */
#define STEP_MS     50U    /* a serial line calls only when it has sent nearly all */
#define AWAIT_MS    2000U

static void set_end(struct console *c, uint64_t ms)
{
	c->ending.by_ms = clock_mono_ms(c->loop.clock) + ms;
	c->ending.written = c->output_at;
	console_enter_state(c, STATE_END, STEP_MS);
}

void console_end(struct console *c)
{
	if (c->state != STATE_END)
		set_end(c, PATIENCE_MS);
}

void console_leave(struct console *c)
{
	c->ending.left = true;
	console_end(c);
}

void console_end_saying(struct console *c, const char *en, const char *ja)
{
	bool ends = c->state == STATE_END;

	if (c->ending.is_told)
		return;
	c->ending.is_told = true;
	(void)screen_flush(c); /* a terminal that has gone is seen when the loop goes on */
	screen_drop(c);
	if (!ends) {
		screen_print(c, span_of("\n"));
		screen_say(c, en, ja);
	}
	set_end(c, TOLD_MS);
}

void console_end_as_told(struct console *c, uint32_t why)
{
	switch ((enum session_end)why) {
	case SESSION_END_GATEWAY:
		console_end_saying(c, "the gateway stops: this session ends\n",
				   "本装置が停止するため、このセッションを終了します\n");
		break;
	case SESSION_END_ACCOUNTS:
		console_end_saying(
			c, "accounts has failed: this console begins anew\n",
			"アカウント管理プロセスの異常のため、このコンソールを開始し直します\n");
		break;
	case SESSION_END_UNRECORDED:
		console_end_saying(c, "the login cannot be recorded: nobody is let in\n",
				   "ログインを記録できないため受け付けません\n");
		break;
	case SESSION_END_PERSON:
		console_end_saying(c, "this session is over\n", "このセッションは終了しました\n");
		break;
	}
}

void console_await_end(struct console *c)
{
	if (c->state != STATE_END)
		console_enter_state(c, STATE_LOST, AWAIT_MS);
}

/* accounts records the session's end with its reason. */
static void log_out(struct console *c)
{
	const struct account_request r = {.kind = ACCOUNT_LOGOUT, .language = c->language};

	if (c->ending.left && c->account.fd >= 0) /* or it records that the console ended */
		(void)channel_send(&c->account, ACCOUNT_REQUEST, &r, sizeof(r), NULL, 0);
}

void console_go_on_ending(struct console *c)
{
	uint64_t now_ms = clock_mono_ms(c->loop.clock);

	if (!c->ending.is_told && c->output_at != c->ending.written)
		set_end(c, PATIENCE_MS);
	if (!screen_is_drained(c) && now_ms < c->ending.by_ms) {
		loop_arm(&c->loop, &c->timer, STEP_MS);
		return;
	}
	log_out(c);
	screen_close(c);
	loop_stop(&c->loop, 0);
}
