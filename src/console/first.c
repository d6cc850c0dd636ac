/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first administrator: the one dialogue that a terminal offers while nobody can log in (ADR
 * 0316). The answers go to accounts all together, with the password behind them; what is broken off
 * before that is nothing.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "console/console.h"
#include "console/question.h"
#include "console/first.h"

#define ANSWER_MS 90000U /* longer than config takes over a commit */

static const char *const presets[] = {"three-tier", "two-tier-utility", "two-tier-association",
				      "village", "city-general"};
#define PRESET_COUNT (sizeof(presets) / sizeof(presets[0]))

static const char *shown_preset(const struct console *c)
{
	if (c->first.preset[0] != '\0')
		return c->first.preset;
	return c->language == LANGUAGE_JA ? "なし" : "none";
}

/* ---- questions */

/* Ask; Enter takes @given, which is shown in brackets where it is not empty. */
static void ask_line(struct console *c, const char *en, const char *ja, const char *given)
{
	char prompt[LINE_PROMPT_BYTES];
	const char *text = c->language == LANGUAGE_JA ? ja : en;

	if (given[0] != '\0')
		(void)snprintf(prompt, sizeof(prompt), "%s [%.200s]: ", text, given);
	else
		(void)snprintf(prompt, sizeof(prompt), "%s: ", text);
	console_enter_state(c, STATE_FIRST, 0);
	line_begin(&c->line, prompt);
}

static void ask_preset(struct console *c)
{
	screen_say(c, "Kind of policy:\n  0  none, or decided later\n",
		   "適用する規程の型:\n  0  なし、または後で決める\n");
	for (size_t i = 0; i < PRESET_COUNT; i++)
		screen_printf(c, "  %zu  %s\n", i + 1, presets[i]);
	ask_line(c, "number", "番号", c->first.preset[0] != '\0' ? c->first.preset : "0");
}

static void ask_sure(struct console *c)
{
	screen_say(c, "\nThis is what will be set up:\n", "\n次の内容で設定します:\n");
	screen_say(c, "  organization   ", "  団体名         ");
	screen_printf(c, "%s\n", c->first.organization);
	screen_say(c, "  host name      ", "  ホスト名       ");
	screen_printf(c, "%s\n", c->first.host);
	screen_say(c, "  policy         ", "  規程の型       ");
	screen_printf(c, "%s\n", shown_preset(c));
	screen_say(c, "  administrator  ", "  管理者         ");
	screen_printf(c, "%s\n", c->first.name);
	ask_line(c, "Is that right (yes, no)", "よろしいですか (yes, no)", "");
}

static void ask_step(struct console *c, enum first_step step)
{
	c->first_step = step;
	switch (step) {
	case FIRST_LANGUAGE:
		ask_line(c, "Language / 言語 (en, ja)", "Language / 言語 (en, ja)",
			 c->language == LANGUAGE_JA ? "ja" : "en");
		break;
	case FIRST_ORGANIZATION:
		ask_line(c, "Name of the organization, shown at power-on", "団体名 (起動時に表示)",
			 c->first.organization);
		break;
	case FIRST_HOST:
		ask_line(c, "Host name of this gateway", "本装置のホスト名", c->first.host);
		break;
	case FIRST_PRESET:
		ask_preset(c);
		break;
	case FIRST_NAME:
		ask_line(c, "User name of the first administrator", "最初の管理者の利用者名",
			 c->first.name);
		break;
	case FIRST_SURE:
		ask_sure(c);
		break;
	case FIRST_STEP_COUNT_:
		break;
	}
}

static void ask_password(struct console *c)
{
	screen_say(
		c,
		"\nA password of (by default) at least 12 characters of three kinds, or of 20; "
		"without names, runs and repetitions. It is not shown.\n",
		"\nパスワードは3種類以上の文字で12文字以上 (既定)、または20文字以上。名前、連続、"
		"繰り返しは不可。表示されません。\n");
	login_ask_first(c);
}

void first_begin(struct console *c)
{
	login_forget(c);
	explicit_bzero(c->first.secret, sizeof(c->first.secret));
	if (c->first.host[0] == '\0')
		(void)snprintf(c->first.host, sizeof(c->first.host), "%s", c->host);
	if (c->first.organization[0] == '\0')
		(void)snprintf(c->first.organization, sizeof(c->first.organization), "%s",
			       c->organization);
	screen_say(c,
		   "\nThis gateway has no administrator yet. Nothing else can be done here before\n"
		   "one is set up; Ctrl-C begins again.\n",
		   "\n本装置にはまだ管理者がいません。管理者を設定するまで他の操作はできません。\n"
		   "Ctrl-C で最初からやり直せます。\n");
	ask_step(c, FIRST_LANGUAGE);
}

/* ---- answers */

/* Take what was typed, or keep what was offered. Return: whether there is something now. */
static bool take_text(struct console *c, char *field, size_t field_bytes)
{
	if (c->line.size >= field_bytes) {
		screen_say(c, "too long\n", "長すぎます\n");
		return false;
	}
	if (c->line.size > 0)
		memcpy(field, c->line.text, c->line.size + 1);
	return field[0] != '\0';
}

static bool take_language(struct console *c)
{
	if (strcmp(c->line.text, "ja") == 0)
		c->language = LANGUAGE_JA;
	else if (strcmp(c->line.text, "en") == 0)
		c->language = LANGUAGE_EN;
	else
		return c->line.size == 0;
	return true;
}

static bool take_preset(struct console *c)
{
	size_t number = (size_t)(c->line.text[0] - '0');

	if (c->line.size == 0)
		return true;
	if (c->line.size != 1 || c->line.text[0] < '0' || number > PRESET_COUNT)
		return false;
	(void)snprintf(c->first.preset, sizeof(c->first.preset), "%s",
		       number > 0 ? presets[number - 1] : "");
	return true;
}

/* Return: whether the answer will do; otherwise the same is asked again. */
static bool take_answer(struct console *c)
{
	struct account_first *first = &c->first;

	switch (c->first_step) {
	case FIRST_LANGUAGE:
		return take_language(c);
	case FIRST_ORGANIZATION:
		return take_text(c, first->organization, sizeof(first->organization));
	case FIRST_HOST:
		return take_text(c, first->host, sizeof(first->host));
	case FIRST_PRESET:
		return take_preset(c);
	case FIRST_NAME:
		return take_text(c, first->name, sizeof(first->name));
	case FIRST_SURE:
	case FIRST_STEP_COUNT_:
		break;
	}
	return false;
}

static void take_line(struct console *c)
{
	if (c->first_step == FIRST_SURE && strcmp(c->line.text, "yes") == 0)
		ask_password(c);
	else if (c->first_step == FIRST_SURE && strcmp(c->line.text, "no") == 0)
		first_begin(c);
	else
		ask_step(c, take_answer(c) ? c->first_step + 1 : c->first_step);
}

void first_key(struct console *c, uint8_t byte)
{
	question_key(c, byte, take_line, first_begin);
}

/* ---- accounts */

void first_send(struct console *c, const char *password)
{
	int err = -ERR_CLOSED;

	(void)snprintf(c->first.secret, sizeof(c->first.secret), "%s", password);
	login_forget(c);
	c->first.serial = ++c->account_serial;
	c->first.language = c->language;
	if (c->account.fd >= 0)
		err = channel_send(&c->account, ACCOUNT_FIRST, &c->first, sizeof(c->first), NULL,
				   0);
	explicit_bzero(c->first.secret, sizeof(c->first.secret));
	if (err != 0) {
		console_await_end(c);
		return;
	}
	console_enter_state(c, STATE_LOGIN, ANSWER_MS);
}

void first_answered(struct console *c, const struct account_answer *answer)
{
	screen_print(c, span_of(answer->text));
	if (answer->status == ACCOUNT_STALE) {
		ask_password(c);
		return;
	}
	if (answer->status != ACCOUNT_OK) {
		first_begin(c);
		return;
	}
	c->is_first = false;
	(void)snprintf(c->host, sizeof(c->host), "%s", answer->host);
	(void)snprintf(c->organization, sizeof(c->organization), "%s", answer->organization);
	screen_say(c, "The first administrator is set up. Log in.\n\n",
		   "最初の管理者を設定しました。ログインしてください。\n\n");
	login_greet(c);
}
