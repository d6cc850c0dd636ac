/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is not done before somebody has typed "yes". */
#include <string.h>

#include "console/console.h"
#include "console/question.h"

#define SURE_MS 60000U

static void ask(struct console *c)
{
	bool japanese = c->language == LANGUAGE_JA;

	console_enter_state(c, STATE_SURE, SURE_MS);
	if (c->sure == QUERY_REBOOT)
		line_begin(&c->line, japanese ? "再起動しますか? [yes/no] " : "reboot? [yes/no] ");
	else
		line_begin(&c->line, japanese ? "停止しますか? [yes/no] " : "shut down? [yes/no] ");
}

void action_power(struct console *c, const char *tail, unsigned number)
{
	c->sure = (enum query_kind)number;
	ask(c);
}

static void do_nothing(struct console *c)
{
	screen_say(c, "nothing is done\n", "何もしませんでした\n");
	console_prompt(c);
}

static void take(struct console *c)
{
	if (strcmp(c->line.text, "yes") == 0) {
		console_query(c, c->sure, "", 0);
	} else if (strcmp(c->line.text, "no") == 0) {
		do_nothing(c);
	} else {
		ask(c);
	}
}

void sure_key(struct console *c, uint8_t byte)
{
	question_key(c, byte, take, do_nothing);
}
