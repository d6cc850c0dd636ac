/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first administrator (A5, A7). First the name is noted: from here on no password counts that
 * it may have from an earlier life, until the doors are closed. Then comes the commit that names
 * the person, which is config's; the password is in memory meanwhile, and is saved when that commit
 * is done; then the doors are closed. So a password is on the disk for nobody but an administrator,
 * and whatever breaks off before the doors are closed leads to the dialogue again.
 */
#include <stdio.h>
#include <string.h>

#include "accounts/desk_private.h"
#include "base/err.h"
#include "policy/value.h"

static bool is_name(const char *name)
{
	const struct value_form form = {.type = TYPE_NAME};
	struct value value;

	return value_parse(&value, &form, span_of(name)) == 0 &&
	       strlen(value.text) < ACCOUNT_NAME_BYTES && strcmp(value.text, name) == 0;
}

void desk_first_forget(struct desk *d)
{
	d->first_console = DESK_SEATS;
	account_fini(&d->first_account);
	account_init(&d->first_account, "");
}

/*
 * Set the password, in memory. One that is the account's already is left as it is: the power failed
 * behind its saving, or the person had it when logins were last in use, and its age counts on (A1).
 * A temporary one may be over by now, and is no password of the person's choice.
 */
static bool choose_password(struct desk *d, uint32_t console, const struct account_first *first,
			    struct account_answer *answer)
{
	struct account *account = &d->first_account;
	int err;

	account_init(account, first->name);
	err = desk_load(d, account);
	if (err == -ERR_SYSTEM) {
		desk_refuse(answer, d->seats[console].language, "the account cannot be read",
			    "アカウントを読み込めません");
		return false;
	}
	/* Of a damaged one nothing is left to keep. */
	return (err == 0 && account->hash[0] != '\0' && !account->temporary &&
		password_matches(first->secret, account->hash)) ||
	       desk_choose_password(d, console, account, first->secret, first->host,
				    first->organization, answer);
}

/* What an earlier life of the name left behind would keep its person out, for good. */
static bool begin_anew(struct account *account)
{
	bool had_factor = account->totp[0] != '\0';

	explicit_bzero(account->totp, sizeof(account->totp));
	account->totp_used = 0;
	account->enrol = false;
	account->hands[0] = '\0';
	account->failures = account->locks = 0;
	account->locked_until_s = 0;
	return had_factor;
}

static bool await(struct desk *d, uint32_t console, const char *name, struct account_answer *answer)
{
	if (desk_await_first(d, name) == 0)
		return true;
	desk_refuse(answer, d->seats[console].language, "this cannot be saved: nothing was changed",
		    "保存できないため、何も変更していません");
	return false;
}

static bool hand_over(struct desk *d, uint32_t console, const struct account_first *first)
{
	struct control_first body = {.number = ++d->first_number,
				     .console = console,
				     .language = d->seats[console].language};

	memcpy(body.name, first->name, sizeof(body.name));
	memcpy(body.host, first->host, sizeof(body.host));
	memcpy(body.organization, first->organization, sizeof(body.organization));
	memcpy(body.preset, first->preset, sizeof(body.preset));
	return desk_tell(d, EVENT_FIRST_ADMINISTRATOR, EV_PERSON(USER, first->name, console)) &&
	       d->owner.first(d->owner.ctx, &body);
}

bool desk_first(struct desk *d, uint32_t console, const struct account_first *first,
		struct account_answer *answer)
{
	struct seat *seat = &d->seats[console];

	memset(answer, 0, sizeof(*answer));
	seat->language = first->language == LANGUAGE_JA ? LANGUAGE_JA : LANGUAGE_EN;
	desk_watch_clock(d);
	if (seat->state != SEAT_SETUP || d->first_console != DESK_SEATS || !desk_is_open(d)) {
		desk_refuse(answer, seat->language, "not now", "今は行えません");
		return false;
	}
	if (!is_name(first->name)) {
		desk_refuse(answer, seat->language,
			    "a user's name: small letters, digits and '-', at most 23",
			    "利用者名に使えるのは英小文字、数字、'-' で、23文字までです");
		return false;
	}
	if (!choose_password(d, console, first, answer) ||
	    !await(d, console, first->name, answer)) {
		desk_first_forget(d);
		return false;
	}
	if (!hand_over(d, console, first)) {
		desk_first_forget(d);
		desk_refuse(answer, seat->language, "this cannot be recorded: nothing was changed",
			    "記録できないため、何も変更していません");
		return false;
	}
	d->first_console = console;
	return true;
}

/* Return: whether it is saved; else the answer says why not. */
static bool save_first(struct desk *d, uint32_t console, struct account_answer *answer)
{
	struct account *account = &d->first_account;
	bool had_factor = begin_anew(account);

	if (!desk_is_open(d)) {
		desk_refuse(answer, d->seats[console].language,
			    "there is another administrator by now: log in",
			    "別の管理者が設定されました。ログインしてください");
		return false;
	}
	if (!desk_save_password(d, console, account, answer))
		return false;
	if (had_factor)
		(void)desk_tell(d, EVENT_TOTP_REMOVED, EV_TEXT(USER, account->name),
				EV_PERSON(NAME, account->name, console),
				EV_TEXT(DETAIL, "login")); /* it is so by now */
	if (desk_close_doors(d) < 0) {
		desk_refuse(answer, d->seats[console].language,
			    "this cannot be saved: type it once more",
			    "保存できません。もう一度入力してください");
		return false;
	}
	return true;
}

uint32_t desk_first_done(struct desk *d, const struct control_first_done *done,
			 struct account_answer *answer)
{
	uint32_t console = d->first_console;

	memset(answer, 0, sizeof(*answer));
	if (console == DESK_SEATS || done->number != d->first_number)
		return DESK_SEATS;
	answer->status = done->ok != 0 ? ACCOUNT_OK : ACCOUNT_REFUSED;
	(void)snprintf(answer->text, sizeof(answer->text), "%s", done->text);
	if (done->ok != 0 && save_first(d, console, answer))
		desk_seat_close(d, console, "the first administrator is set up");
	(void)snprintf(answer->host, sizeof(answer->host), "%s", d->host);
	(void)snprintf(answer->organization, sizeof(answer->organization), "%s", d->organization);
	desk_first_forget(d);
	return console;
}
