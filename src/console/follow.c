/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `monitor log`: audit is asked once a second what was recorded since, and not before the terminal
 * has taken the last answer. It gives the newest few and how many it left out, so that neither a
 * flood of records nor a slow line holds anybody up: Ctrl-C forgets what was not taken. Keys that
 * are not pressed end the session as at the prompt (A4).
 */
#include <stdio.h>
#include <string.h>

#include "console/console.h"

#define PAUSE_MS     1000U
#define REFUSALS_MAX 10U /* one after the other: another console reads the log, audit starts */

static void ask(struct console *c)
{
	char argument[CONTROL_ARGUMENT_BYTES];

	/* Both fit. */
	(void)snprintf(argument, sizeof(argument), "%s %s", c->follow.place, c->follow.text);
	console_query(c, QUERY_FOLLOW, c->follow.place[0] != '\0' ? argument : "", 0);
}

void action_follow(struct console *c, const char *tail, unsigned number)
{
	if (strlen(tail) >= sizeof(c->follow.text)) {
		screen_say(c, "too long: at most 63 bytes\n", "長すぎます (63バイトまで)\n");
		console_prompt(c);
		return;
	}
	if (c->pipe.usb[0] != '\0') {
		screen_say(c, "what has no end does not go onto a memory stick; see show log\n",
			   "終わりのない表示はUSBメモリに保存できません (show logを使用)\n");
		console_prompt(c);
		return;
	}
	c->follow = (struct follow){.on = true};
	(void)snprintf(c->follow.text, sizeof(c->follow.text), "%s", tail);
	ask(c);
}

void follow_go_on(struct console *c)
{
	if (screen_is_drained(c))
		ask(c);
	else
		console_enter_state(c, STATE_FOLLOW, PAUSE_MS);
}

void follow_end(struct console *c)
{
	c->follow.on = false;
}

static void show(struct console *c, const struct control_row *row)
{
	struct bytes line, shown;
	const char *cell = row->text;

	bytes_init(&line, 2 * sizeof(row->text));
	bytes_init(&shown, 2 * sizeof(row->text));
	for (uint32_t i = 0; i < row->cell_count; i++) {
		(void)bytes_printf(&line, "%s%s", i > 0 ? "  " : "", cell); /* it fits */
		cell += strlen(cell) + 1;
	}
	(void)bytes_append_u8(&line, '\n');                         /* the same */
	(void)layout_pipe_run(&shown, &c->pipe, bytes_span(&line)); /* no longer than it was */
	screen_print(c, bytes_span(&shown));
	bytes_fini(&shown);
	bytes_fini(&line);
}

/* The last row: where the next question goes on, and what was left out. */
static void take_end(struct console *c, const struct control_row *row)
{
	const char *left_out = row->text + strlen(row->text) + 1;

	if (c->follow.place[0] == '\0') /* what is recorded from here on will be shown */
		screen_say(c, "new records, until Ctrl-C:\n", "新しい記録 (Ctrl-Cで終了):\n");
	if (row->cell_count == 2) {
		(void)snprintf(c->follow.place, sizeof(c->follow.place), "%.47s", row->text);
		if (strcmp(left_out, "0") != 0) {
			screen_say(c, "... left out: ", "... 省略: ");
			screen_printf(c, "%s\n", left_out);
		}
	}
	console_enter_state(c, STATE_FOLLOW, PAUSE_MS);
}

void follow_take_row(struct console *c, const struct control_row *row)
{
	if ((row->flags & CONTROL_ROW_ERROR) != 0 && ++c->follow.refusals < REFUSALS_MAX) {
		console_enter_state(c, STATE_FOLLOW, PAUSE_MS);
		return;
	}
	if ((row->flags & CONTROL_ROW_ERROR) != 0) {
		follow_end(c);
		console_refuse(c, row);
		return;
	}
	c->follow.refusals = 0;
	if ((row->flags & CONTROL_ROW_LAST) != 0) {
		take_end(c, row);
		return;
	}
	show(c, row);
	console_await_row(c);
}
