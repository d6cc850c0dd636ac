/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What consoles ask of the desk. */
#include "accounts/desk_private.h"

#include <stdio.h>
#include <string.h>

#include "accounts/keep.h"
#include "accounts/staff.h"
#include "base/err.h"

/* ---- requests */

void desk_refuse(struct account_answer *answer, enum language language, const char *en,
		 const char *ja)
{
	struct words w;

	answer->status = ACCOUNT_REFUSED;
	words_begin(&w, answer->text, sizeof(answer->text), language);
	words_say(&w, "%s\n", "%s\n", language == LANGUAGE_JA ? ja : en);
}

/* One administrator at a time (A5). Return: the console where one sits, or DESK_SEATS. */
static uint32_t find_administrator(const struct desk *d, uint32_t except)
{
	uint32_t i = 0;

	while (i < DESK_SEATS && (i == except || d->seats[i].state != SEAT_OPEN ||
				  d->seats[i].role != ACCOUNT_ADMINISTRATOR))
		i++;
	return i;
}

/* A3: what happened with this account before is shown to its person. */
static void welcome(const struct desk *d, const struct account *account, enum account_role role,
		    enum language language, struct account_answer *answer)
{
	int64_t age_s =
		role == ACCOUNT_ADMINISTRATOR ? d->rules.administrator_age_s : d->rules.age_s;
	struct words w;

	words_begin(&w, answer->text, sizeof(answer->text), language);
	words_say(&w, "%s, %s\n", "%s (%s)\n", account->name, words_role(role, language));
	words_say(&w, "last login ", "前回のログイン ");
	words_time(&w, account->last_login_s, d->utc_offset_s);
	words_say(&w, ", logout ", "、ログアウト ");
	words_time(&w, account->last_logout_s, d->utc_offset_s);
	words_say(&w, "\nfailed attempts since: %u", "\nその後の失敗 %u 回",
		  account->failures_since);
	if (account->failures_since > 0) {
		words_say(&w, ", the last ", "、最後は ");
		words_time(&w, account->last_failure_s, d->utc_offset_s);
	}
	words_say(&w, "\n", "\n");
	if (age_s > 0) {
		words_say(&w, "the password must be changed before ", "パスワードの変更期限 ");
		words_time(&w, account->set_s + age_s, d->utc_offset_s);
		words_say(&w, "\n", "\n");
	}
}

static bool is_kept_out(struct desk *d, uint32_t console, const struct account *account,
			enum account_role role, struct account_answer *answer)
{
	if (role != ACCOUNT_ADMINISTRATOR || find_administrator(d, console) == DESK_SEATS)
		return false;
	(void)desk_tell(d, EVENT_LOGIN_REFUSED, EV_PERSON(USER, account->name, console),
			EV_TEXT(REASON, "another administrator"));
	desk_refuse(answer, d->seats[console].language,
		    "another administrator is logged in; there is one at a time",
		    "別の管理者がログイン中です。管理者は同時に1人だけです");
	return true;
}

void desk_begin(struct desk *d, uint32_t console, struct account *account, enum account_role role,
		struct account_answer *answer)
{
	enum language language = d->seats[console].language;

	if (is_kept_out(d, console, account, role, answer))
		return;
	if (factor_is_missing(d, account)) {
		factor_demand(d, console, account, role, answer);
		return;
	}
	welcome(d, account, role, language, answer);
	account_begin(account, desk_now_s(d));
	if (desk_save(d, account) < 0 ||
	    !desk_tell(d, EVENT_LOGIN, EV_PERSON(USER, account->name, console),
		       EV_TEXT(ROLE, words_role(role, LANGUAGE_EN)))) {
		desk_refuse(answer, language, "the login cannot be recorded: nobody is let in",
			    "ログインを記録できないため受け付けません");
		return;
	}
	desk_seat_open(d, console, role, account->name, account->hands);
	desk_follow_doors(d, d->numbers.saved);
	answer->role = role;
}

static void ask_change(struct desk *d, uint32_t console, const struct account *account,
		       enum account_role role, enum account_verdict verdict,
		       struct account_answer *answer)
{
	struct seat *seat = &d->seats[console];
	struct words w;

	seat->state = SEAT_STALE;
	seat->role = role;
	seat->since_ms = clock_mono_ms(d->clock);
	(void)snprintf(seat->name, sizeof(seat->name), "%s", account->name);
	answer->status = ACCOUNT_STALE;
	answer->role = role;
	words_begin(&w, answer->text, sizeof(answer->text), seat->language);
	if (verdict == ACCOUNT_STALE_TEMPORARY)
		words_say(&w, "this password is temporary: choose a new one\n",
			  "仮のパスワードです。新しいパスワードを設定してください\n");
	else
		words_say(&w, "this password has been used long enough: choose a new one\n",
			  "パスワードの有効期限が過ぎました。新しいパスワードを設定してください\n");
}

const char *desk_name_for_record(const struct desk *d, const char *name)
{
	return desk_is_known(d, name) ? name : "unknown";
}

/* Whoever is refused learns nothing but that (A3); the record has the reason. */
static bool deny(struct desk *d, uint32_t console, const char *name, const char *why,
		 struct account_answer *answer)
{
	(void)desk_tell(d, EVENT_LOGIN_REFUSED,
			EV_PERSON(USER, desk_name_for_record(d, name), console),
			EV_TEXT(REASON, why)); /* refused anyway */
	desk_refuse(answer, d->seats[console].language, "login incorrect", "ログインできません");
	return true;
}

/*
 * The account to try a password with. For a name without a usable one it is nobody's, whose file
 * is read, counted and saved like anybody's: no less work is done. Return: as keep_load, of @name.
 */
static int load_or_nobody(struct desk *d, struct account *account, const char *name)
{
	int err = -ERR_NOT_FOUND;

	account_init(account, name);
	if (desk_is_known(d, name))
		err = desk_load(d, account);
	if (err == 0)
		return 0;
	account_fini(account);
	account_init(account, "");
	(void)desk_load(d, account); /* the first time there is none */
	account->hash[0] = '\0';
	return err;
}

/* Count and save an attempt before anything follows from it. Return: NULL, or why it is denied. */
static const char *attempt(struct desk *d, struct account *account, enum account_role role,
			   const char *secret, const char *code, enum account_verdict *verdict)
{
	bool alone = desk_hands_over(d, account->name) ||
		     desk_is_alone(d, desk_find_person(d, account->name));
	bool matches =
		password_matches(secret, account->hash[0] != '\0' ? account->hash : d->nobody);

	*verdict = account_attempt(account, &d->rules, role, matches && role != ACCOUNT_ROLE_NONE,
				   code, alone, desk_now_s(d));
	if (desk_save(d, account) < 0)
		return "the attempt cannot be saved"; /* or the next one would not be counted */
	return *verdict >= ACCOUNT_DENY_PASSWORD ? account_verdict_text(*verdict) : NULL;
}

static bool serve_login(struct desk *d, uint32_t console, const struct account_request *request,
			struct account_answer *answer)
{
	enum account_role role = desk_role_of_name(d, request->name);
	enum account_verdict verdict;
	struct account account;
	const char *why;
	bool hold = false;
	int err;

	if (d->seats[console].state != SEAT_CLOSED) {
		desk_refuse(answer, d->seats[console].language, "not now", "今は行えません");
		return false;
	}
	err = load_or_nobody(d, &account, request->name);
	why = attempt(d, &account, role, request->secret, request->fresh, &verdict);
	if (role == ACCOUNT_ROLE_NONE)
		why = "no such account, or not now";
	else if (err < 0)
		why = err == -ERR_INTEGRITY ? "account damaged" : "no password yet";
	if (why != NULL)
		hold = deny(d, console, request->name, why, answer);
	else if (verdict == ACCOUNT_ADMIT)
		desk_begin(d, console, &account, role, answer);
	else if (!is_kept_out(d, console, &account, role, answer))
		ask_change(d, console, &account, role, verdict, answer);
	account_fini(&account);
	return hold;
}

static void refuse_unsaved(const struct desk *d, uint32_t console, struct account_answer *answer)
{
	desk_refuse(answer, d->seats[console].language,
		    "the new password cannot be saved; the old one stays",
		    "新しいパスワードを保存できません。元のパスワードのままです");
}

bool desk_choose_password(const struct desk *d, uint32_t console, struct account *account,
			  const char *fresh, const char *host, const char *organization,
			  struct account_answer *answer)
{
	const char *const names[] = {account->name, host, organization};
	enum language language = d->seats[console].language;
	enum password_defect defect =
		password_judge(fresh, d->rules.length_min, names, sizeof(names) / sizeof(names[0]));
	int err = defect == PASSWORD_FINE ? account_set(account, fresh, false, desk_now_s(d)) : 0;
	struct words w;

	if (err == -ERR_EXISTS)
		defect = PASSWORD_USED;
	if (defect != PASSWORD_FINE) {
		answer->status = ACCOUNT_STALE;
		words_begin(&w, answer->text, sizeof(answer->text), language);
		words_say(&w, "the new password cannot be used: %s\n",
			  "新しいパスワードは使用できません: %s\n",
			  password_defect_text(defect, language == LANGUAGE_JA));
		return false;
	}
	if (err < 0)
		refuse_unsaved(d, console, answer);
	return err == 0;
}

bool desk_save_password(struct desk *d, uint32_t console, const struct account *account,
			struct account_answer *answer)
{
	if (keep_save(d->directory, account) < 0) {
		refuse_unsaved(d, console, answer);
		return false;
	}
	(void)desk_tell(d, EVENT_PASSWORD_CHANGED,
			EV_PERSON(USER, account->name, console)); /* it is changed by now */
	desk_follow_doors(d, d->numbers.saved);
	return true;
}

/* As serve_change wants it: a password that cannot be used is a refusal like any other. */
static bool change_password(struct desk *d, uint32_t console, struct account *account,
			    const char *fresh, struct account_answer *answer)
{
	if (!desk_choose_password(d, console, account, fresh, d->host, d->organization, answer)) {
		answer->status = ACCOUNT_REFUSED;
		return false;
	}
	return desk_save_password(d, console, account, answer);
}

/* Guesses in a session count like those before one, and end it where they lock the account. */
static bool deny_guess(struct desk *d, uint32_t console, const struct account *account,
		       const char *why, struct account_answer *answer)
{
	(void)desk_tell(d, EVENT_LOGIN_REFUSED, EV_PERSON(USER, account->name, console),
			EV_TEXT(REASON, why)); /* refused anyway */
	desk_refuse(answer, d->seats[console].language, "the present password is wrong",
		    "現在のパスワードが違います");
	if (account->locked_until_s > desk_now_s(d))
		desk_seat_end(d, console, "wrong present passwords", answer->text);
	return true;
}

/* Whoever had to choose a new password first may come in now, or must go. */
static void begin_stale(struct desk *d, uint32_t console, struct account *account,
			struct account_answer *answer)
{
	desk_begin(d, console, account, d->seats[console].role, answer);
	if (d->seats[console].state == SEAT_STALE)
		desk_seat_end(d, console, "not admitted", answer->text);
}

static bool serve_change(struct desk *d, uint32_t console, const struct account_request *request,
			 struct account_answer *answer)
{
	struct seat *seat = &d->seats[console];
	bool was_open = seat->state == SEAT_OPEN, hold = false;
	enum account_verdict verdict;
	struct account account;
	const char *why = NULL;

	if ((seat->state != SEAT_STALE && !was_open) || seat->name[0] == '\0') {
		desk_refuse(answer, seat->language, "log in first", "先にログインしてください");
		return false;
	}
	account_init(&account, seat->name);
	if (desk_load(d, &account) < 0) {
		desk_refuse(answer, seat->language, "the account cannot be read",
			    "アカウントを読み込めません");
		account_fini(&account);
		return false;
	}
	if (was_open)
		why = attempt(d, &account, seat->role, request->secret, NULL, &verdict);
	if (why != NULL)
		hold = deny_guess(d, console, &account,
				  verdict == ACCOUNT_DENY_PASSWORD ? "wrong present password" : why,
				  answer);
	else if (change_password(d, console, &account, request->fresh, answer) && !was_open)
		begin_stale(d, console, &account, answer);
	account_fini(&account);
	answer->role = seat->state == SEAT_OPEN ? seat->role : ACCOUNT_ROLE_NONE;
	return hold;
}

/* What cannot be undone takes the password once more, of whoever sits at a terminal. */
static bool serve_confirm(struct desk *d, uint32_t console, const struct account_request *request,
			  struct account_answer *answer)
{
	const struct seat *seat = &d->seats[console];
	enum account_verdict verdict;
	struct account account;
	const char *why;
	bool hold = false;

	if (seat->state != SEAT_OPEN || !seat->terminal || seat->name[0] == '\0') {
		desk_refuse(answer, seat->language, "only at the serial console, behind a login",
			    "シリアルコンソールでログインした者だけが実行できます");
		return false;
	}
	account_init(&account, seat->name);
	why = desk_load(d, &account) < 0
		      ? "account damaged"
		      : attempt(d, &account, seat->role, request->secret, NULL, &verdict);
	if (why != NULL)
		hold = deny_guess(d, console, &account, why, answer);
	else if (!d->owner.confirmed(d->owner.ctx, console))
		desk_refuse(answer, seat->language, "it cannot be confirmed now",
			    "今は確認できません");
	account_fini(&account);
	return hold;
}

void desk_end_stale(struct desk *d, const char *name)
{
	for (uint32_t i = 0; i < DESK_SEATS; i++) {
		const struct seat *seat = &d->seats[i];

		if ((seat->state == SEAT_STALE || seat->state == SEAT_ENROL) &&
		    strcmp(seat->name, name) == 0)
			desk_show_out(d, i, "the password was reset",
				      "the password was reset: log in with the new one",
				      "パスワードが再発行されました。ログインし直してください");
	}
}

/*
 * Whoever issues a password can be the person until that one has chosen another, and nobody can
 * tell afterwards. While a change takes two persons the account keeps whose hands it went through,
 * with all that theirs went through; a list that is too long is everybody's.
 */
static void note_hands(const struct desk *d, const struct seat *seat, struct account *account)
{
	if (seat == NULL) {
		if (d->two_person)
			(void)snprintf(account->hands, sizeof(account->hands), "*");
		return;
	}
	if (!d->two_person || seat->name[0] == '\0' || strcmp(seat->name, account->name) == 0)
		return;
	if (snprintf(account->hands, sizeof(account->hands), "%s %s", seat->name, seat->hands) >=
	    (int)sizeof(account->hands))
		(void)snprintf(account->hands, sizeof(account->hands), "*");
}

/* Whoever has lost the password may have lost that, too, and shows a new one first. */
static bool lose_factor(struct account *account)
{
	bool had_factor = account->totp[0] != '\0';

	account->enrol |= had_factor;
	explicit_bzero(account->totp, sizeof(account->totp));
	account->totp_used = 0;
	return had_factor;
}

int desk_reset_password(struct desk *d, const struct seat *by, const struct snapshot_person *person,
			char fresh[PASSWORD_TEMPORARY_BYTES])
{
	struct account account;
	bool lost = false;
	int err;

	account_init(&account, person->name);
	err = desk_load(d, &account);
	if (err == -ERR_NOT_FOUND || err == -ERR_INTEGRITY)
		err = 0; /* a damaged one is replaced, with its list of earlier passwords */
	if (err == 0 && person->role == SNAPSHOT_ROLE_ADMINISTRATOR)
		err = desk_close_doors(d);
	if (err == 0)
		err = password_temporary(fresh);
	if (err == 0)
		err = account_set(&account, fresh, true, desk_now_s(d));
	if (err == 0)
		note_hands(d, by, &account);
	if (err == 0 && by == NULL)
		lost = lose_factor(&account);
	if (err == 0)
		err = keep_save(d->directory, &account);
	account_fini(&account);
	return err == 0 ? lost : err;
}

/* A temporary password for a person of the running configuration (A2). */
static void serve_reset(struct desk *d, uint32_t console, const struct account_request *request,
			struct account_answer *answer)
{
	const struct snapshot_person *person = desk_find_person(d, request->name);
	struct seat *seat = &d->seats[console];
	char fresh[PASSWORD_TEMPORARY_BYTES] = "";
	struct words w;

	if (person == NULL) {
		desk_refuse(
			answer, seat->language,
			"no such user in the running configuration: set login user NAME, commit",
			"適用中の設定にその利用者がありません。set login user 名前 と commit "
			"を先に行ってください");
		return;
	}
	if (desk_reset_password(d, seat, person, fresh) < 0) {
		desk_refuse(answer, seat->language, "the password cannot be saved",
			    "パスワードを保存できません");
		return;
	}
	seat->handed_over |= person->role == SNAPSHOT_ROLE_ADMINISTRATOR;
	desk_end_stale(d, person->name);
	(void)desk_tell(d, EVENT_PASSWORD_RESET, EV_TEXT(USER, person->name),
			EV_PERSON(NAME, seat->name[0] != '\0' ? seat->name : "nobody",
				  console)); /* it is reset by now */
	words_begin(&w, answer->text, sizeof(answer->text), seat->language);
	words_say(&w,
		  "temporary password of %s: %s\nit is shown once, holds %d days and must "
		  "be changed at the first login\n",
		  "%s の仮パスワード: "
		  "%s\n表示は一度だけです。有効期間は%d日、最初のログインで変更が必要です\n",
		  person->name, fresh, ACCOUNT_TEMPORARY_S / 86400);
	explicit_bzero(fresh, sizeof(fresh));
}

static void describe(const struct desk *d, const struct snapshot_person *person, struct words *w)
{
	enum account_role role = desk_role_of(d, person);
	struct account account;
	int err;

	account_init(&account, person->name);
	err = keep_load(d->directory, &account);
	words_say(w, "%-16s %-14s ", "%-16s %-14s ", person->name,
		  role != ACCOUNT_ROLE_NONE ? words_role(role, LANGUAGE_EN) : "not-now");
	words_say(w, "%s, last login ", "%s, last login ",
		  err == -ERR_INTEGRITY                    ? "damaged"
		  : err < 0 || account.hash[0] == '\0'     ? "no password"
		  : account.locked_until_s > desk_now_s(d) ? "locked"
		  : account.temporary                      ? "temporary password"
							   : "password set");
	words_time(w, account.last_login_s, d->utc_offset_s);
	words_say(w, "%s", "%s", account.totp[0] != '\0' ? ", second factor" : "");
	words_say(w, ", failed since %u\n", ", failed since %u\n", account.failures_since);
	account_fini(&account);
}

static void serve_show(const struct desk *d, const struct seat *seat, struct account_answer *answer)
{
	struct words w;

	words_begin(&w, answer->text, sizeof(answer->text), seat->language);
	for (uint32_t i = 0; i < d->person_count; i++)
		describe(d, &d->persons[i], &w);
	if (d->person_count == 0)
		words_say(
			&w, "no users are configured: whoever stands at a console may do all\n",
			"利用者が設定されていません。コンソールの前にいる人は誰でも操作できます\n");
}

/* Until the person chooses another, seat and console speak the configured language. */
static void speak_configured(const struct desk *d, struct seat *seat, struct account_answer *answer)
{
	seat->language = d->language;
	answer->language = d->language;
}

static void hello(const struct desk *d, struct seat *seat, struct account_answer *answer)
{
	speak_configured(d, seat, answer);
	answer->open = seat->state == SEAT_OPEN;
	answer->role = seat->state == SEAT_OPEN ? seat->role : ACCOUNT_ROLE_NONE;
	answer->setup = seat->state == SEAT_SETUP;
	(void)snprintf(answer->host, sizeof(answer->host), "%s", d->host);
	(void)snprintf(answer->organization, sizeof(answer->organization), "%s", d->organization);
}

static bool is_administrator(const struct seat *seat)
{
	return seat->state == SEAT_OPEN && seat->role == ACCOUNT_ADMINISTRATOR;
}

uint64_t desk_hold_ms(uint64_t spent_ms)
{
	return DESK_DELAY_MS - spent_ms % DESK_DELAY_MS;
}

bool desk_request(struct desk *d, uint32_t console, const struct account_request *request,
		  struct account_answer *answer)
{
	struct seat *seat = &d->seats[console];

	memset(answer, 0, sizeof(*answer));
	seat->language = request->language == LANGUAGE_JA ? LANGUAGE_JA : LANGUAGE_EN;
	desk_active(d, console);
	desk_watch_clock(d);
	switch ((enum account_kind)request->kind) {
	case ACCOUNT_HELLO:
		hello(d, seat, answer);
		return false;
	case ACCOUNT_PROMPTS:
		speak_configured(d, seat, answer);
		answer->codes = factor_is_asked(d);
		return false;
	case ACCOUNT_LOGIN:
		return serve_login(d, console, request, answer);
	case ACCOUNT_CHANGE:
		return serve_change(d, console, request, answer);
	case ACCOUNT_CONFIRM:
		return serve_confirm(d, console, request, answer);
	case ACCOUNT_LOGOUT:
		desk_seat_close(d, console, "the person logged out");
		return false;
	case ACCOUNT_RECOVER:
		return desk_recover(d, console, request, answer);
	case ACCOUNT_RESET:
		if (is_administrator(seat))
			serve_reset(d, console, request, answer);
		break;
	case ACCOUNT_SHOW:
		if (seat->state == SEAT_OPEN && seat->role != ACCOUNT_OPERATOR)
			serve_show(d, seat, answer);
		break;
	case ACCOUNT_SEATS:
		if (seat->state == SEAT_OPEN)
			desk_show_seats(d, console, answer);
		break;
	case ACCOUNT_SCREEN_RESET:
		if (is_administrator(seat))
			staff_reset(d, console, request->name, answer);
		break;
	case ACCOUNT_SCREEN_SHOW:
		if (seat->state == SEAT_OPEN && seat->role != ACCOUNT_OPERATOR)
			staff_show(d, console, answer);
		break;
	case ACCOUNT_TOTP:
	case ACCOUNT_TOTP_REMOVE:
	case ACCOUNT_SCREEN_TOTP:
	case ACCOUNT_SCREEN_TOTP_REMOVE:
	case ACCOUNT_FIRST_CODE:
		factor_request(d, console, request, answer);
		break;
	case ACCOUNT_ACTIVE:
	case ACCOUNT_KIND_COUNT_:
		return false;
	}
	if (answer->text[0] == '\0')
		desk_refuse(answer, seat->language, "your role does not allow this",
			    "この役割では実行できません");
	return false;
}
