/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logins to screens. */
#include "accounts/staff.h"

#include <stdio.h>
#include <string.h>

#include "accounts/desk_private.h"
#include "accounts/keep.h"
#include "base/err.h"
#include "policy/screen_users.h"

static void open_account(struct account *a, const char *name)
{
	account_init(a, name);
	a->screen = true;
}

static const struct snapshot_screen *find_screen(const struct snapshot *policy, const char *entry)
{
	for (uint32_t i = 0; i < policy->screen_count; i++) {
		if (strcmp(policy->screens[i].name, entry) == 0)
			return &policy->screens[i];
	}
	return NULL;
}

/* ---- logins ---- */

/* Return: false where the record found no room. */
static bool record(struct desk *d, const struct control_screen_ask *ask, const char *user,
		   enum event_id event, const char *why)
{
	const struct event_arg args[] = {
		EV_NUMBER(SESSION, ask->session),
		EV_TEXT(NAME, ask->entry),
		EV_TEXT(USER, user),
		ask->peer_family == 6 ? EV_IPV6(SOURCE, ask->peer_addr)
				      : EV_IPV4(SOURCE, ask->peer_addr),
		EV_TEXT(REASON, why),
	};
	size_t count = sizeof(args) / sizeof(args[0]);

	return d->owner.event(d->owner.ctx, event, args,
			      event == EVENT_SCREEN_LOGIN ? count - 1 : count);
}

/* A wrong password counts even where the person would not be let in anyway. Return: NULL, or why he
 * is not. */
static const char *attempt(struct desk *d, struct account *account, bool matches, const char *code)
{
	enum account_verdict verdict = account_attempt(account, &d->rules, ACCOUNT_ROLE_NONE,
						       matches, code, false, desk_now_s(d));

	if (verdict != ACCOUNT_ADMIT)
		return account_verdict_text(verdict);
	/* A viewer has no way to enrol one: account screen-totp NAME does. */
	return factor_is_missing(d, account) ? "no second factor yet" : NULL;
}

static const char *judge_known(struct desk *d, const struct snapshot_screen *screen,
			       const struct snapshot_screen_user *user, struct account *account,
			       bool matches, const char *code)
{
	enum screen_user_refusal refusal =
		screen_user_judge(d->policy, screen, user, desk_now_s(d));
	const char *why = attempt(d, account, matches, code);

	if (why == NULL && refusal != SCREEN_USER_FINE)
		why = screen_user_refusal_text(refusal);
	if (why == NULL)
		account_begin(account, desk_now_s(d));
	if (desk_save(d, account) < 0 && why == NULL)
		return "the attempt cannot be saved"; /* or the next one would not be counted */
	return why;
}

/*
 * RFB has one field for what a person knows: where the user has a second factor, its code follows
 * the password.
 * @password: gets what is before the code. Return: the code, within @secret.
 */
static const char *split_secret(const struct account *account, const char *secret,
				char password[ACCOUNT_SECRET_BYTES])
{
	size_t size = strlen(secret);
	size_t code = account->totp[0] == '\0' ? 0 : size < TOTP_DIGITS ? size : TOTP_DIGITS;

	(void)snprintf(password, ACCOUNT_SECRET_BYTES, "%.*s", (int)(size - code), secret);
	return secret + size - code;
}

/* The same work for whoever comes: one look for a file, one hash of the password. */
static const char *judge(struct desk *d, const struct snapshot_screen *screen,
			 const struct snapshot_screen_user *user,
			 const struct control_screen_ask *ask)
{
	char password[ACCOUNT_SECRET_BYTES];
	struct account account;
	const char *why, *code;
	bool matches;
	int err;

	open_account(&account, user != NULL ? ask->name : "");
	err = desk_load(d, &account);
	code = split_secret(&account, ask->secret, password);
	matches = password_matches(password, account.hash[0] != '\0' ? account.hash : d->nobody);
	if (screen == NULL)
		why = "no such screen";
	else if (user == NULL)
		why = screen_user_refusal_text(SCREEN_USER_UNKNOWN);
	else if (err == -ERR_INTEGRITY)
		why = "account damaged";
	else if (err < 0)
		why = "no password yet";
	else
		why = judge_known(d, screen, user, &account, matches, code);
	explicit_bzero(password, sizeof(password));
	account_fini(&account);
	return why;
}

bool staff_judge(struct desk *d, const struct control_screen_ask *ask)
{
	const struct snapshot_screen_user *user = NULL;
	const char *why;

	desk_watch_clock(d);
	if (d->policy == NULL) {
		(void)record(d, ask, "unknown", EVENT_SCREEN_LOGIN_REFUSED, "no policy yet");
		return false;
	}
	user = screen_user_find(d->policy, ask->name);
	why = judge(d, find_screen(d->policy, ask->entry), user, ask);
	/* A name that somebody typed is recorded only where it is one of ours: it may be a
	 * password.
	 */
	if (why == NULL)
		return record(d, ask, user->name, EVENT_SCREEN_LOGIN, ""); /* or nobody gets in */
	(void)record(d, ask, user != NULL ? user->name : "unknown", EVENT_SCREEN_LOGIN_REFUSED,
		     why);
	return false;
}

/* ---- passwords ---- */

static int renew(struct desk *d, const char *name, char fresh[PASSWORD_TEMPORARY_BYTES])
{
	struct account account;
	int err;

	open_account(&account, name);
	err = desk_load(d, &account);
	if (err == -ERR_NOT_FOUND || err == -ERR_INTEGRITY)
		err = 0; /* a damaged one is replaced, with its list of earlier passwords */
	if (err == 0)
		err = password_temporary(fresh);
	if (err == 0)
		err = account_set(&account, fresh, false, desk_now_s(d));
	if (err == 0)
		err = keep_save(d->directory, &account);
	account_fini(&account);
	return err;
}

/*
 * RFB has no way to choose a password: the gateway makes one of 80 random bits, which holds as long
 * as the rules let any password hold.
 */
void staff_reset(struct desk *d, uint32_t console, const char *name, struct account_answer *answer)
{
	const struct seat *seat = &d->seats[console];
	const struct event_arg args[] = {
		EV_TEXT(USER, name),
		EV_PERSON(NAME, seat->name[0] != '\0' ? seat->name : "nobody", console),
		EV_TEXT(DETAIL, "screen-user"),
	};
	char fresh[PASSWORD_TEMPORARY_BYTES] = "";
	const struct snapshot *policy = d->policy;
	struct words w;

	words_begin(&w, answer->text, sizeof(answer->text), seat->language);
	if (policy == NULL || screen_user_find(policy, name) == NULL) {
		answer->status = ACCOUNT_REFUSED;
		words_say(&w,
			  "no such screen-user in the running configuration: set screen-user %s "
			  "group GROUP, commit\n",
			  "適用中の設定にその利用者がありません。set screen-user %s group "
			  "グループ名 と commit を先に行ってください\n",
			  name);
	} else if (renew(d, name, fresh) < 0) {
		answer->status = ACCOUNT_REFUSED;
		words_say(&w, "the password cannot be saved\n", "パスワードを保存できません\n");
	} else {
		(void)d->owner.event(d->owner.ctx, EVENT_PASSWORD_RESET, args,
				     sizeof(args) / sizeof(args[0]));
		words_say(&w, "screen password of %s: %s\nit is shown once\n",
			  "%s の画面転送パスワード: %s\n表示は一度だけです\n", name, fresh);
	}
	explicit_bzero(fresh, sizeof(fresh));
}

static void describe(const struct desk *d, const struct snapshot_screen_user *user, struct words *w)
{
	struct account account;
	int err;

	open_account(&account, user->name);
	err = keep_load(d->directory, &account);
	words_say(w, "%-23s %s, last login ", "%-23s %s, last login ", user->name,
		  user->suspended                          ? "suspended"
		  : desk_now_s(d) >= user->expires_s       ? "expired"
		  : err == -ERR_INTEGRITY                  ? "damaged"
		  : err < 0 || account.hash[0] == '\0'     ? "no password"
		  : account.locked_until_s > desk_now_s(d) ? "locked"
							   : "password set");
	words_time(w, account.last_login_s, d->utc_offset_s);
	words_say(w, "%s", "%s", account.totp[0] != '\0' ? ", second factor" : "");
	words_say(w, ", failed since %u\n", ", failed since %u\n", account.failures_since);
	account_fini(&account);
}

void staff_show(struct desk *d, uint32_t console, struct account_answer *answer)
{
	const struct snapshot *policy = d->policy;
	struct words w;

	words_begin(&w, answer->text, sizeof(answer->text), d->seats[console].language);
	for (uint32_t i = 0; policy != NULL && i < policy->screen_user_count; i++)
		describe(d, &policy->screen_users[i], &w);
	if (policy == NULL || policy->screen_user_count == 0)
		words_say(&w, "no screen users are configured\n",
			  "画面転送の利用者が設定されていません\n");
}
