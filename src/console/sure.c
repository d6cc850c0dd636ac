/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is not done before somebody has typed a word in full. */
#include "console/sure.h"

#include <stdio.h>
#include <string.h>

#include "console/console.h"
#include "console/question.h"

#define SURE_MS 60000U

static const struct sure {
	enum query_kind kind;
	const char *word; /* that has it done */
	const char *en, *ja;
} table[] = {
	{QUERY_REBOOT, "yes", "reboot? [yes/no] ", "再起動しますか? [yes/no] "},
	{QUERY_SHUTDOWN, "yes", "shut down? [yes/no] ", "停止しますか? [yes/no] "},
	{QUERY_ZEROISE, "zeroise",
	 "type zeroise in full, or no: ", "zeroise と省略せず入力 (中止は no): "},
};

static const struct sure *find(const struct console *c)
{
	const struct sure *at = table;

	while (at->kind != c->sure)
		at++; /* it was set from the table of commands: it is there */
	return at;
}

static void ask(struct console *c)
{
	const struct sure *sure = find(c);

	console_enter_state(c, STATE_SURE, SURE_MS);
	line_begin(&c->line, c->language == LANGUAGE_JA ? sure->ja : sure->en);
}

void action_power(struct console *c, const char *tail, unsigned number)
{
	c->sure = (enum query_kind)number;
	ask(c);
}

/* Whoever approves what another administrator has proposed has seen it by now. */
static void ask_zeroise(struct console *c)
{
	action_power(c, "", QUERY_ZEROISE);
}

void action_zeroise(struct console *c, const char *tail, unsigned number)
{
	if (strlen(tail) >= sizeof(c->zeroise_reason) || tail[0] == '\0') {
		screen_say(c, "give a reason of at most 111 bytes\n",
			   "理由を書いてください (111バイトまで)\n");
		console_prompt(c);
		return;
	}
	(void)snprintf(c->zeroise_reason, sizeof(c->zeroise_reason), "%s", tail);
	screen_say(c,
		   "All data of this gateway is destroyed: configurations, accounts, keys, log,\n"
		   "recordings, captures. Nothing brings it back. The firmware stays. All zones\n"
		   "are shut, the machine starts anew and prints a certificate here.\n",
		   "本装置の全データ (設定、アカウント、鍵、ログ、画面記録、パケット記録) "
		   "を消去します。\n"
		   "元に戻せません。ファームウェアは残ります。全ゾーンを遮断して再起動し、\n"
		   "この画面に証明書を表示します。\n");
	console_query(c, QUERY_WIPE_PROPOSED, "", 0);
	c->on_table = ask_zeroise;
}

void sure_confirmed(struct console *c)
{
	console_query(c, QUERY_ZEROISE, c->zeroise_reason, 0);
}

static void do_nothing(struct console *c)
{
	screen_say(c, "nothing is done\n", "何もしませんでした\n");
	console_prompt(c);
}

static void take(struct console *c)
{
	if (strcmp(c->line.text, find(c)->word) == 0) {
		if (c->sure == QUERY_ZEROISE)
			login_ask_confirmation(c);
		else
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
