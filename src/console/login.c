/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who sits here: the dialogue with accounts. Nothing is decided here: until accounts has told the
 * supervisor who it is, config and the others answer nothing.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "console/console.h"
#include "console/first.h"
#include "console/sure.h"

#define ANSWER_MS 60000U /* a slow machine takes seconds for one password */
#define ACTIVE_MS 10000U /* between two signs of life */
#define CTRL_C    0x03
#define CTRL_D    0x04
#define CTRL_U    0x15
#define ESCAPE    0x1b

static void send_request(struct console *c, enum account_kind kind)
{
	struct account_request *r = &c->account_request;
	int err = -ERR_CLOSED;

	r->serial = ++c->account_serial;
	r->kind = kind;
	r->language = c->language;
	if (c->account.fd >= 0)
		err = channel_send(&c->account, ACCOUNT_REQUEST, r, sizeof(*r), NULL, 0);
	explicit_bzero(r->secret, sizeof(r->secret));
	explicit_bzero(r->fresh, sizeof(r->fresh));
	if (err != 0) {
		console_await_end(c);
		return;
	}
	console_enter_state(c, STATE_LOGIN, ANSWER_MS);
}

/* ---- typing a name or a password */

static void ask(struct console *c, enum login_step step)
{
	static const struct {
		const char *en, *ja;
	} prompts[] = {
		[LOGIN_NAME] = {"login: ", "利用者名: "},
		[LOGIN_SECRET] = {"password: ", "パスワード: "},
		[LOGIN_CODE] = {"code (Enter: none): ", "コード (なければEnter): "},
		[LOGIN_PRESENT] = {"present password: ", "現在のパスワード: "},
		[LOGIN_FRESH] = {"new password: ", "新しいパスワード: "},
		[LOGIN_AGAIN] = {"the same again: ", "もう一度: "},
		[LOGIN_FIRST_CODE] = {"first code: ", "最初のコード: "},
		[LOGIN_RECOVERY] = {"whose password (user name): ", "復旧する管理者の利用者名: "},
		[LOGIN_NOTED] = {"Enter when you have written it down: ",
				 "控えたら Enter を押してください: "},
		[LOGIN_PHRASE] = {"passphrase: ", "パスフレーズ: "},
		[LOGIN_PHRASE_AGAIN] = {"the same again: ", "もう一度: "},
		[LOGIN_CONFIRM] = {"present password: ", "現在のパスワード: "},
	};

	c->login_step = step;
	c->entry_size = 0;
	c->entry_cut = false;
	explicit_bzero(c->entry, sizeof(c->entry));
	screen_say(c, prompts[step].en, prompts[step].ja);
	console_enter_state(c, STATE_ENTRY, 0);
}

static void begin_again(struct console *c)
{
	if (c->is_first)
		first_begin(c);
	else if (c->recovery.runs && c->login_step == LOGIN_RECOVERY)
		ask(c, LOGIN_RECOVERY);
	else if (c->account_role == ACCOUNT_ROLE_NONE)
		ask(c, c->login_from);
	else
		console_prompt(c);
}

void login_forget(struct console *c)
{
	export_forget(c);
	explicit_bzero(c->entry, sizeof(c->entry));
	explicit_bzero(c->account_request.secret, sizeof(c->account_request.secret));
	explicit_bzero(c->account_request.fresh, sizeof(c->account_request.fresh));
}

static void send_entry(struct console *c, enum account_kind kind)
{
	send_request(c, kind);
	login_forget(c);
}

void login_ask_phrase(struct console *c, bool twice, void (*on_phrase)(struct console *c))
{
	c->export.twice = twice;
	c->export.on_phrase = on_phrase;
	ask(c, LOGIN_PHRASE);
}

/* One that was cut would be another than its owner knows. */
static void take_phrase(struct console *c)
{
	if (c->entry_cut) {
		screen_say(c, "a passphrase has at most 131 bytes\n",
			   "パスフレーズは131バイト以下です\n");
		console_prompt(c);
		return;
	}
	if (c->login_step == LOGIN_PHRASE) {
		(void)snprintf(c->export.phrase, sizeof(c->export.phrase), "%s", c->entry);
		if (c->export.twice) {
			ask(c, LOGIN_PHRASE_AGAIN);
			return;
		}
	} else if (strcmp(c->export.phrase, c->entry) != 0) {
		screen_say(c, "the two differ\n", "2回の入力が一致しません\n");
		console_prompt(c);
		return;
	}
	explicit_bzero(c->entry, sizeof(c->entry));
	c->export.on_phrase(c);
}

/* One that is too long stays nobody's. */
static void take_name(struct console *c)
{
	struct account_request *r = &c->account_request;
	bool recovers = c->login_step == LOGIN_RECOVERY;

	if (c->entry_size == 0) {
		ask(c, c->login_step);
		return;
	}
	memset(r->name, 0, sizeof(r->name));
	if (c->entry_size < sizeof(r->name))
		memcpy(r->name, c->entry, c->entry_size);
	send_request(c, recovers ? ACCOUNT_RECOVER : ACCOUNT_PROMPTS);
}

static void take_entry(struct console *c)
{
	struct account_request *r = &c->account_request;

	screen_print(c, span_of("\n"));
	switch (c->login_step) {
	case LOGIN_NAME:
	case LOGIN_RECOVERY:
		take_name(c);
		return;
	case LOGIN_NOTED:
		recovery_leave(c);
		return;
	case LOGIN_SECRET:
		(void)snprintf(r->secret, sizeof(r->secret), "%s", c->entry);
		if (c->login_codes)
			ask(c, LOGIN_CODE);
		else
			send_entry(c, ACCOUNT_LOGIN);
		return;
	case LOGIN_CODE:
		(void)snprintf(r->fresh, sizeof(r->fresh), "%s", c->entry);
		send_entry(c, ACCOUNT_LOGIN);
		return;
	case LOGIN_FIRST_CODE:
		(void)snprintf(r->secret, sizeof(r->secret), "%s", c->entry);
		send_entry(c, ACCOUNT_FIRST_CODE);
		return;
	case LOGIN_CONFIRM:
		(void)snprintf(r->secret, sizeof(r->secret), "%s", c->entry);
		send_entry(c, ACCOUNT_CONFIRM);
		return;
	case LOGIN_PRESENT:
		(void)snprintf(r->secret, sizeof(r->secret), "%s", c->entry);
		ask(c, LOGIN_FRESH);
		return;
	case LOGIN_FRESH:
		(void)snprintf(r->fresh, sizeof(r->fresh), "%s", c->entry);
		ask(c, LOGIN_AGAIN);
		return;
	case LOGIN_AGAIN:
		if (strcmp(r->fresh, c->entry) == 0) {
			if (c->is_first)
				first_send(c, r->fresh);
			else
				send_entry(c, ACCOUNT_CHANGE);
			return;
		}
		login_forget(c);
		screen_say(c, "the two differ\n", "2回の入力が一致しません\n");
		begin_again(c);
		return;
	case LOGIN_PHRASE:
	case LOGIN_PHRASE_AGAIN:
		take_phrase(c);
		return;
	}
}

/* Passwords are never shown (A8); of names what can be printed. */
void login_key(struct console *c, uint8_t byte)
{
	bool is_hidden = c->login_step != LOGIN_NAME && c->login_step != LOGIN_RECOVERY;

	switch (byte) {
	case '\n':
		if (c->line.after_return) {
			c->line.after_return = false;
			return;
		}
		take_entry(c);
		break;
	case '\r':
		c->line.after_return = true;
		take_entry(c);
		return;
	case CTRL_C:
	case CTRL_D:
		screen_print(c, span_of("\n"));
		login_forget(c);
		if (c->recovery.runs)
			recovery_leave(c);
		else
			begin_again(c);
		break;
	case CTRL_U:
		ask(c, c->login_step);
		break;
	case 0x08:
	case 0x7f:
		if (c->entry_size > 0)
			c->entry[--c->entry_size] = '\0';
		if (c->entry_size > 0 && !is_hidden)
			screen_print(c, span_of("\b \b"));
		break;
	default:
		if (byte == ESCAPE || byte < 0x20)
			break;
		if (c->entry_size + 1 >= sizeof(c->entry)) {
			c->entry_cut = true;
			break;
		}
		c->entry[c->entry_size++] = (char)byte;
		c->entry[c->entry_size] = '\0';
		if (!is_hidden && byte < 0x7f)
			screen_print(c, (struct span){&byte, 1});
		break;
	}
	c->line.after_return = false;
}

/* ---- answers */

/* The configured one, which may have changed while the last prompt stood. */
static void take_language(struct console *c, const struct account_answer *answer)
{
	c->language = answer->language == LANGUAGE_JA ? LANGUAGE_JA : LANGUAGE_EN;
}

static void on_greeting(struct console *c, const struct account_answer *answer)
{
	take_language(c, answer);
	(void)snprintf(c->host, sizeof(c->host), "%s", answer->host);
	(void)snprintf(c->organization, sizeof(c->organization), "%s", answer->organization);
	if ((console_is_power_on(c) || c->recovery.hears) && !c->greeted) {
		c->greeted = true;
		screen_banner(c);
		return;
	}
	c->greeted = true;
	login_greet(c);
}

void login_greet(struct console *c)
{
	screen_printf(c, "Sekisho  %s\n", c->organization);
	if (c->ending.failed_before)
		screen_say(c,
			   "The console before this one failed: its session is over (show log says "
			   "more).\n",
			   "直前のコンソールは異常終了し、そのセッションは終了しました (show log "
			   "に記録)。\n");
	c->ending.failed_before = false;
	if (c->is_first) {
		first_begin(c);
		return;
	}
	if (c->account_role != ACCOUNT_ROLE_NONE) {
		console_begin(c);
		return;
	}
	screen_say(c, "Use by authorised persons only; everything done here is recorded.\n",
		   "権限のある者だけが使用できます。操作はすべて記録されます。\n");
	ask(c, LOGIN_NAME);
}

/* What is a list goes through `|` and the pages; what may be a secret is shown as it is. */
static bool is_list(uint32_t kind)
{
	return kind == ACCOUNT_SHOW || kind == ACCOUNT_SCREEN_SHOW || kind == ACCOUNT_SEATS;
}

static int take_answer(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct console *c = ctx;
	struct account_answer answer;
	bool was_in = c->account_role != ACCOUNT_ROLE_NONE;

	memcpy(&answer, message->body, sizeof(answer));
	answer.text[sizeof(answer.text) - 1] = '\0';
	answer.host[sizeof(answer.host) - 1] = '\0';
	answer.organization[sizeof(answer.organization) - 1] = '\0';
	channel_wipe(message);
	if (c->state != STATE_LOGIN || answer.serial != c->account_serial) {
		explicit_bzero(answer.text, sizeof(answer.text));
		return 0; /* Ctrl-C was pressed meanwhile */
	}
	if (c->is_first) {
		first_answered(c, &answer);
		explicit_bzero(answer.text, sizeof(answer.text));
		return 0;
	}
	if (c->account_request.kind == ACCOUNT_HELLO) {
		c->account_role = answer.open ? answer.role : ACCOUNT_ROLE_NONE;
		c->is_first = answer.setup != 0;
		on_greeting(c, &answer);
		return 0;
	}
	if (c->account_request.kind == ACCOUNT_PROMPTS) {
		take_language(c, &answer);
		c->login_codes = answer.codes != 0;
		ask(c, LOGIN_SECRET);
		return 0;
	}
	if (answer.status == ACCOUNT_OK && is_list(c->account_request.kind)) {
		screen_show(c, span_of(answer.text));
		return 0;
	}
	screen_print(c, span_of(answer.text));
	explicit_bzero(answer.text, sizeof(answer.text));
	if (c->recovery.runs && answer.status == ACCOUNT_OK) {
		ask(c, LOGIN_NOTED);
		return 0;
	}
	if (answer.status == ACCOUNT_STALE) {
		c->login_from = LOGIN_FRESH;
	} else if (answer.status == ACCOUNT_ENROL) {
		if (!was_in)
			c->login_from = LOGIN_FIRST_CODE;
		ask(c, LOGIN_FIRST_CODE);
		return 0;
	} else if (answer.status == ACCOUNT_OK && !was_in) {
		c->account_role = answer.role;
		console_begin(c);
		return 0;
	} else if (answer.status == ACCOUNT_OK && c->account_request.kind == ACCOUNT_CONFIRM) {
		sure_confirmed(c);
		return 0;
	} else if (answer.status == ACCOUNT_OK && c->account_request.kind == ACCOUNT_CHANGE) {
		screen_say(c, "the password is changed\n", "パスワードを変更しました\n");
	}
	begin_again(c);
	return 0;
}

static int take_notice(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct console *c = ctx;
	struct account_notice notice;

	memcpy(&notice, message->body, sizeof(notice));
	notice.text[sizeof(notice.text) - 1] = '\0';
	if (notice.end)
		console_end_saying(c, notice.text, notice.text);
	else if (c->state != STATE_END)
		screen_print(c, span_of(notice.text));
	return 0;
}

const struct channel_rule console_account_rules[] = {
	{ACCOUNT_ANSWER, 0, 0, sizeof(struct account_answer), sizeof(struct account_answer),
	 CHANNEL_ANY_STATE, take_answer, "answer"},
	{ACCOUNT_NOTICE, 0, 0, sizeof(struct account_notice), sizeof(struct account_notice),
	 CHANNEL_ANY_STATE, take_notice, "notice"},
};
const size_t console_account_rule_count =
	sizeof(console_account_rules) / sizeof(console_account_rules[0]);

/* ---- what others call */

void login_ask_first(struct console *c)
{
	ask(c, LOGIN_FRESH);
}

void login_ask_confirmation(struct console *c)
{
	ask(c, LOGIN_CONFIRM);
}

void login_ask_recovery(struct console *c)
{
	ask(c, LOGIN_RECOVERY);
}

void login_begin(struct console *c)
{
	send_request(c, ACCOUNT_HELLO);
}

void login_active(struct console *c)
{
	uint64_t now_ms = clock_mono_ms(c->loop.clock);
	const struct account_request r = {.kind = ACCOUNT_ACTIVE, .language = c->language};

	if (c->account_role == ACCOUNT_ROLE_NONE || now_ms - c->active_ms < ACTIVE_MS)
		return;
	c->active_ms = now_ms;
	(void)channel_send(&c->account, ACCOUNT_REQUEST, &r, sizeof(r), NULL, 0); /* the next may */
}

void action_password(struct console *c, const char *tail, unsigned number)
{
	ask(c, LOGIN_PRESENT);
}

void action_account(struct console *c, const char *tail, unsigned number)
{
	(void)snprintf(c->account_request.name, sizeof(c->account_request.name), "%s", tail);
	send_request(c, (enum account_kind)number);
}
