/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second factor (A9): shown once, in force from its first right code on, removed by somebody
 * else. Until the first code nothing of it is kept but at the seat.
 */
#include "accounts/desk_private.h"

#include <stdio.h>
#include <string.h>

#include "accounts/keep.h"
#include "base/err.h"
#include "policy/screen_users.h"

static void open_account(struct account *a, const char *name, bool screen)
{
	account_init(a, name);
	a->screen = screen;
}

static bool has_factor(const struct desk *d, const char *name)
{
	struct account account;
	bool has;

	open_account(&account, name, false);
	has = keep_load(d->directory, &account) == 0 && account.totp[0] != '\0';
	account_fini(&account);
	return has;
}

bool factor_is_asked(const struct desk *d)
{
	uint32_t i = 0;

	while (i < d->person_count && !has_factor(d, d->persons[i].name))
		i++;
	return i < d->person_count || (d->person_count > 0 && d->rules.totp_required) ||
	       desk_is_handing_over(d); /* of whom nothing is told */
}

bool factor_is_missing(const struct desk *d, const struct account *account)
{
	return (d->rules.totp_required || account->enrol) && account->totp[0] == '\0';
}

/* ---- enrolling */

/* A host name and a user's need no escapes in a URI. */
static void describe_offer(const struct desk *d, const struct seat *seat,
			   struct account_answer *answer)
{
	const struct seat_offer *offer = &seat->offer;
	struct words w;

	words_begin(&w, answer->text, sizeof(answer->text), seat->language);
	words_say(&w, "second factor of %s, for an authenticator app; it is shown once\n",
		  "%s の第2要素です。認証アプリに登録してください。表示は一度だけです\n",
		  offer->name);
	words_say(&w, "secret: %s\n", "秘密鍵: %s\n", offer->secret);
	words_say(&w, "otpauth://totp/%s:%s?secret=%s&issuer=%s\n",
		  "otpauth://totp/%s:%s?secret=%s&issuer=%s\n", d->host, offer->name, offer->secret,
		  d->host);
	words_say(&w, "it is in force when the app's first code has been entered\n",
		  "アプリに表示された最初のコードを入力すると有効になります\n");
}

static void show_offer(struct desk *d, uint32_t console, const char *name, bool screen,
		       struct account_answer *answer)
{
	struct seat *seat = &d->seats[console];

	seat->offer = (struct seat_offer){.screen = screen};
	(void)snprintf(seat->offer.name, sizeof(seat->offer.name), "%s", name);
	if (totp_secret(seat->offer.secret) < 0) {
		seat->offer = (struct seat_offer){0};
		desk_refuse(answer, seat->language, "there are no random numbers",
			    "乱数を生成できません");
		return;
	}
	answer->status = ACCOUNT_ENROL;
	describe_offer(d, seat, answer);
}

void factor_demand(struct desk *d, uint32_t console, const struct account *account,
		   enum account_role role, struct account_answer *answer)
{
	struct seat *seat = &d->seats[console];

	seat->state = SEAT_ENROL;
	seat->role = role;
	seat->since_ms = clock_mono_ms(d->clock);
	(void)snprintf(seat->name, sizeof(seat->name), "%s", account->name);
	show_offer(d, console, account->name, false, answer);
}

/* Whether there is such a user, with a password and without a second factor; or the answer says
 * what is wrong. */
static bool can_enrol(struct desk *d, uint32_t console, const char *name, bool screen,
		      struct account_answer *answer)
{
	enum language language = d->seats[console].language;
	struct account account;
	bool has;
	int err;

	open_account(&account, name, screen);
	err = keep_load(d->directory, &account);
	has = account.totp[0] != '\0';
	account_fini(&account);
	if (err < 0)
		desk_refuse(answer, language, "that user has no password yet",
			    "その利用者にはまだパスワードがありません");
	else if (has)
		desk_refuse(answer, language,
			    "that user has a second factor; another administrator removes it first",
			    "第2要素は登録済みです。先に別の管理者が削除してください");
	return err == 0 && !has;
}

static void tell(struct desk *d, uint32_t console, enum event_id event, const char *name,
		 bool screen)
{
	const struct seat *seat = &d->seats[console];

	(void)desk_tell(d, event, EV_TEXT(USER, name),
			EV_PERSON(NAME, seat->name[0] != '\0' ? seat->name : "nobody", console),
			EV_TEXT(DETAIL, screen ? "screen-user" : "login")); /* it is so by now */
}

/*
 * The first code was right. Somebody else may have been shown a secret meanwhile, and been faster.
 * Return: 0; -ERR_EXISTS, there is a second factor by now; or an error. Then nothing is changed.
 */
static int enrol(struct desk *d, struct account *account, const struct seat_offer *offer,
		 int64_t step)
{
	int err = keep_load(d->directory, account);

	if (err < 0)
		return err;
	if (account->totp[0] != '\0')
		return -ERR_EXISTS;
	(void)snprintf(account->totp, sizeof(account->totp), "%s", offer->secret);
	account->totp_used = step;
	account->enrol = false;
	return desk_save(d, account);
}

static void take_first_code(struct desk *d, uint32_t console, const char *code,
			    struct account_answer *answer)
{
	struct seat *seat = &d->seats[console];
	struct account account;
	int64_t step = totp_match(seat->offer.secret, code, desk_now_s(d), 0);

	if (seat->offer.name[0] == '\0') {
		desk_refuse(answer, seat->language, "not now", "今は行えません");
		return;
	}
	if (step == 0) {
		desk_refuse(answer, seat->language,
			    "that is not the code; look at the app's and this device's clock",
			    "コードが違います。アプリと本装置の時刻を確認してください");
		answer->status = ACCOUNT_ENROL;
		return;
	}
	open_account(&account, seat->offer.name, seat->offer.screen);
	if (enrol(d, &account, &seat->offer, step) < 0) {
		desk_refuse(answer, seat->language, "the second factor cannot be saved",
			    "第2要素を保存できません");
	} else {
		tell(d, console, EVENT_TOTP_ENROLLED, account.name, account.screen);
		if (seat->state == SEAT_ENROL)
			desk_begin(d, console, &account, seat->role, answer);
		else
			(void)snprintf(answer->text, sizeof(answer->text), "%s",
				       seat->language == LANGUAGE_JA
					       ? "第2要素が有効になりました\n"
					       : "the second factor is in force\n");
	}
	account_fini(&account);
	explicit_bzero(&seat->offer, sizeof(seat->offer));
	if (seat->state == SEAT_ENROL)
		desk_seat_end(d, console, "not admitted", answer->text);
}

/* ---- removing */

static void remove_factor(struct desk *d, uint32_t console, const char *name, bool screen,
			  struct account_answer *answer)
{
	const struct seat *seat = &d->seats[console];
	struct account account;

	open_account(&account, name, screen);
	if (keep_load(d->directory, &account) < 0 || account.totp[0] == '\0') {
		desk_refuse(answer, seat->language, "that user has no second factor",
			    "その利用者に第2要素は登録されていません");
	} else if (!screen && strcmp(seat->name, name) == 0) {
		desk_refuse(answer, seat->language, "another administrator must remove yours",
			    "自分の第2要素は別の管理者が削除してください");
	} else {
		explicit_bzero(account.totp, sizeof(account.totp));
		if (desk_save(d, &account) < 0) {
			desk_refuse(answer, seat->language, "the account cannot be saved",
				    "アカウントを保存できません");
		} else {
			tell(d, console, EVENT_TOTP_REMOVED, name, screen);
			(void)snprintf(answer->text, sizeof(answer->text), "%s",
				       seat->language == LANGUAGE_JA
					       ? "第2要素を削除しました\n"
					       : "the second factor is removed\n");
		}
	}
	account_fini(&account);
}

/* ---- requests */

static bool is_known(const struct desk *d, const char *name, bool screen)
{
	return screen ? d->policy != NULL && screen_user_find(d->policy, name) != NULL
		      : desk_find_person(d, name) != NULL;
}

/* Administrators for everybody; everybody else may enrol a second factor of their own. */
static bool may_request(const struct seat *seat, const struct account_request *request)
{
	if (seat->state != SEAT_OPEN)
		return false;
	return seat->role == ACCOUNT_ADMINISTRATOR ||
	       (request->kind == ACCOUNT_TOTP && strcmp(seat->name, request->name) == 0);
}

void factor_request(struct desk *d, uint32_t console, const struct account_request *request,
		    struct account_answer *answer)
{
	const struct seat *seat = &d->seats[console];
	bool screen =
		request->kind == ACCOUNT_SCREEN_TOTP || request->kind == ACCOUNT_SCREEN_TOTP_REMOVE;
	bool removes =
		request->kind == ACCOUNT_TOTP_REMOVE || request->kind == ACCOUNT_SCREEN_TOTP_REMOVE;

	if (request->kind == ACCOUNT_FIRST_CODE) {
		take_first_code(d, console, request->secret, answer);
		return;
	}
	if (!may_request(seat, request))
		return;
	if (!is_known(d, request->name, screen))
		desk_refuse(answer, seat->language, "no such user in the running configuration",
			    "適用中の設定にその利用者がありません");
	else if (removes)
		remove_factor(d, console, request->name, screen, answer);
	else if (can_enrol(d, console, request->name, screen, answer))
		show_offer(d, console, request->name, screen, answer);
}
