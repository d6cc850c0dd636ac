/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions: their beginnings and ends. */
#include "accounts/desk.h"

#include <stdio.h>
#include <string.h>

#include "accounts/keep.h"
#include "base/err.h"

/* ---- persons */

static int64_t now_s(const struct desk *d)
{
	return clock_wall_ns(d->clock) / 1000000000;
}

static const struct snapshot_person *find_person(const struct desk *d, const char *name)
{
	for (uint32_t i = 0; i < d->person_count; i++) {
		if (strcmp(d->persons[i].name, name) == 0)
			return &d->persons[i];
	}
	return NULL;
}

/* What a person may be today; ACCOUNT_ROLE_NONE: may not log in. */
static enum account_role role_of(const struct desk *d, const struct snapshot_person *person)
{
	static const enum account_role roles[SNAPSHOT_ROLE_COUNT_] = {
		[SNAPSHOT_ROLE_ADMINISTRATOR] = ACCOUNT_ADMINISTRATOR,
		[SNAPSHOT_ROLE_OPERATOR] = ACCOUNT_OPERATOR,
		[SNAPSHOT_ROLE_AUDITOR] = ACCOUNT_AUDITOR,
	};

	if (person == NULL || person->suspended || now_s(d) >= person->expires_s)
		return ACCOUNT_ROLE_NONE;
	return now_s(d) < person->administrator_until_s ? ACCOUNT_ADMINISTRATOR
							: roles[person->role];
}

/* Whether no administrator of the running policy has a password. A damaged account counts as one
 * that has. */
static bool nobody_can(const struct desk *d)
{
	for (uint32_t i = 0; i < d->person_count; i++) {
		struct account account;
		bool has_none;
		int err;

		if (d->persons[i].role != SNAPSHOT_ROLE_ADMINISTRATOR)
			continue;
		account_init(&account, d->persons[i].name);
		err = keep_load(d->directory, &account);
		has_none = err == -ERR_NOT_FOUND || (err == 0 && account.hash[0] == '\0');
		account_fini(&account);
		if (!has_none)
			return false;
	}
	return true;
}

/* A configuration or an account that was lost must not open what was closed. */
static bool is_open(const struct desk *d)
{
	return d->has_policy && !d->closed && nobody_can(d);
}

/* ---- events */

#define tell(d, id, ...)                                                                           \
	(d)->owner.event((d)->owner.ctx, (id), (const struct event_arg[]){__VA_ARGS__},            \
			 sizeof((const struct event_arg[]){__VA_ARGS__}) /                         \
				 sizeof(struct event_arg))

/* A name that somebody typed is recorded only where it is one of ours: it may be a password. */
static const char *name_for_record(const struct desk *d, const char *name)
{
	return find_person(d, name) != NULL ? name : "unknown";
}

static void save(struct desk *d, const struct account *account)
{
	if (keep_save(d->directory, account) < 0)
		tell(d, EVENT_ACCOUNT_UNSAVED, EV_TEXT(USER, account->name));
}

/* ---- seats */

static void seat_open(struct desk *d, uint32_t console, enum account_role role, const char *name)
{
	struct seat *seat = &d->seats[console];

	seat->state = SEAT_OPEN;
	seat->role = role;
	seat->warned = false;
	seat->since_ms = seat->active_ms = clock_mono_ms(d->clock);
	(void)snprintf(seat->name, sizeof(seat->name), "%s", name);
	d->owner.person(d->owner.ctx, console, role, seat->name);
}

/* Record the end of a person's session, whatever ended it. */
static void note_logout(struct desk *d, uint32_t console, const char *why)
{
	const struct seat *seat = &d->seats[console];
	struct account account;

	if (seat->state != SEAT_OPEN || seat->name[0] == '\0')
		return;
	tell(d, EVENT_LOGOUT, EV_TEXT(USER, seat->name), EV_NUMBER(CONSOLE, console),
	     EV_TEXT(REASON, why));
	account_init(&account, seat->name);
	if (keep_load(d->directory, &account) == 0) {
		account_end(&account, now_s(d));
		save(d, &account);
	}
	account_fini(&account);
}

static void seat_close(struct desk *d, uint32_t console, const char *why)
{
	struct seat *seat = &d->seats[console];
	bool was_open = seat->state == SEAT_OPEN;

	note_logout(d, console, why);
	*seat = (struct seat){.state = SEAT_CLOSED,
			      .language = seat->language,
			      .since_ms = clock_mono_ms(d->clock)};
	if (was_open)
		d->owner.person(d->owner.ctx, console, ACCOUNT_ROLE_NONE, "");
}

/* The session ends, and the person reads why. */
static void show_out(struct desk *d, uint32_t console, const char *why, const char *en,
		     const char *ja)
{
	char text[ACCOUNT_TEXT_BYTES];
	struct words w;

	words_begin(&w, text, sizeof(text), d->seats[console].language);
	words_say(&w, "%s\n", "%s\n", w.language == LANGUAGE_JA ? ja : en);
	d->owner.notice(d->owner.ctx, console, true, text);
	seat_close(d, console, why);
}

int desk_init(struct desk *d, const struct clock *clock, int directory, struct desk_owner owner)
{
	memset(d, 0, sizeof(*d));
	d->clock = clock;
	d->directory = directory;
	d->owner = owner;
	d->rules = (struct account_rules){
		.length_min = 12, .attempts = 3, .lock_s = 600, .idle_s = 300, .session_s = 1800};
	(void)snprintf(d->host, sizeof(d->host), "sekisho");
	d->closed = keep_is_closed(directory);
	return password_setting(d->nobody);
}

void desk_sit(struct desk *d, uint32_t console)
{
	d->seats[console] =
		(struct seat){.state = SEAT_CLOSED, .since_ms = clock_mono_ms(d->clock)};
	if (is_open(d))
		seat_open(d, console, ACCOUNT_ADMINISTRATOR, "");
}

void desk_leave(struct desk *d, uint32_t console)
{
	seat_close(d, console, "its console ended");
	d->seats[console].state = SEAT_EMPTY;
}

/* A seat that was open for nobody in particular stays so until its session ends. */
static bool may_stay(const struct desk *d, const struct seat *seat)
{
	return seat->name[0] == '\0' || role_of(d, find_person(d, seat->name)) == seat->role;
}

/* Who has just handed over to an administrator without a password yet stays to give one. */
static bool must_stay(const struct desk *d, const struct seat *seat)
{
	return seat->state == SEAT_OPEN && seat->role == ACCOUNT_ADMINISTRATOR &&
	       d->person_count > 0 && nobody_can(d);
}

static void review_seats(struct desk *d)
{
	for (uint32_t i = 0; i < DESK_SEATS; i++) {
		const struct seat *seat = &d->seats[i];

		if (seat->state >= SEAT_STALE && !may_stay(d, seat) && !must_stay(d, seat))
			show_out(d, i, "the account was changed",
				 "your account was changed: this session ends",
				 "アカウントが変更されたため、このセッションを終了します");
	}
}

void desk_policy(struct desk *d, const struct snapshot *snapshot)
{
	bool is_first = !d->has_policy;

	/* A commit that takes all persons away opens the consoles; a start without them does not.
	 */
	if (d->person_count > 0 && snapshot->person_count == 0 && d->closed)
		d->closed = keep_close(d->directory, false) != 0;
	d->has_policy = true;
	d->person_count = snapshot->person_count;
	if (snapshot->person_count > 0)
		memcpy(d->persons, snapshot->persons,
		       snapshot->person_count * sizeof(d->persons[0]));
	if (snapshot->login_count > 0) {
		const struct snapshot_login *l = snapshot->logins;

		d->rules = (struct account_rules){
			.age_s = l->age_s,
			.administrator_age_s = l->administrator_age_s,
			.logins_max = l->logins_max,
			.length_min = l->length_min,
			.attempts = l->attempts,
			.lock_s = l->lock_s,
			.idle_s = l->idle_s,
			.session_s = l->session_s,
		};
	}
	d->utc_offset_s = snapshot->header->utc_offset_s;
	(void)snprintf(d->host, sizeof(d->host), "%s",
		       snapshot_text_at(snapshot, snapshot->header->text_host_name));
	(void)snprintf(d->organization, sizeof(d->organization), "%s",
		       snapshot_text_at(snapshot, snapshot->header->text_organization));
	review_seats(d);
	for (uint32_t i = 0; is_first && i < DESK_SEATS; i++) {
		if (d->seats[i].state == SEAT_CLOSED)
			desk_sit(d, i);
	}
}

/* ---- time */

static void tick_seat(struct desk *d, uint32_t console, uint64_t now_ms)
{
	struct seat *seat = &d->seats[console];
	uint64_t limit_ms = d->rules.session_s * 1000ULL;

	if (seat->state != SEAT_OPEN) {
		if (seat->state == SEAT_STALE && now_ms - seat->since_ms >= DESK_LOGIN_S * 1000U)
			show_out(d, console, "no new password was chosen",
				 "no new password was chosen in time",
				 "新しいパスワードが時間内に設定されませんでした");
		return;
	}
	if (seat->name[0] == '\0')
		return; /* nobody could log in again */
	if (now_ms - seat->active_ms >= d->rules.idle_s * 1000ULL) {
		show_out(d, console, "idle", "no key was pressed for too long: this session ends",
			 "無操作のため、このセッションを終了します");
	} else if (now_ms - seat->since_ms >= limit_ms) {
		show_out(d, console, "session limit",
			 "the session limit is reached: this session ends",
			 "接続時間の上限に達したため、このセッションを終了します");
	} else if (!seat->warned && now_ms - seat->since_ms + DESK_WARNING_S * 1000U >= limit_ms) {
		seat->warned = true;
		d->owner.notice(d->owner.ctx, console, false,
				seat->language == LANGUAGE_JA
					? "\nあと1分で接続時間の上限に達します\n"
					: "\nthis session ends in one minute\n");
	}
}

void desk_tick(struct desk *d)
{
	uint64_t now_ms = clock_mono_ms(d->clock);

	review_seats(d); /* a person's last day may be over */
	for (uint32_t i = 0; i < DESK_SEATS; i++)
		tick_seat(d, i, now_ms);
}

void desk_active(struct desk *d, uint32_t console)
{
	d->seats[console].active_ms = clock_mono_ms(d->clock);
}

/* ---- requests */

static void refuse(struct account_answer *answer, enum language language, const char *en,
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

/* The password was right and may be used: the session begins, if it may. */
static void begin(struct desk *d, uint32_t console, struct account *account, enum account_role role,
		  struct account_answer *answer)
{
	uint32_t other = find_administrator(d, console);
	enum language language = d->seats[console].language;

	if (role == ACCOUNT_ADMINISTRATOR && other < DESK_SEATS) {
		tell(d, EVENT_LOGIN_REFUSED, EV_TEXT(USER, account->name),
		     EV_NUMBER(CONSOLE, console), EV_TEXT(REASON, "another administrator"));
		refuse(answer, language,
		       "another administrator is logged in; there is one at a time",
		       "別の管理者がログイン中です。管理者は同時に1人だけです");
		return;
	}
	welcome(d, account, role, language, answer);
	account_begin(account, now_s(d));
	save(d, account);
	tell(d, EVENT_LOGIN, EV_TEXT(USER, account->name), EV_NUMBER(CONSOLE, console),
	     EV_TEXT(ROLE, words_role(role, LANGUAGE_EN)));
	seat_open(d, console, role, account->name);
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

/* Whoever is refused learns nothing but that (A3); the record has the reason. */
static uint64_t deny(struct desk *d, uint32_t console, const char *name, const char *why,
		     struct account_answer *answer)
{
	tell(d, EVENT_LOGIN_REFUSED, EV_TEXT(USER, name_for_record(d, name)),
	     EV_NUMBER(CONSOLE, console), EV_TEXT(REASON, why));
	refuse(answer, d->seats[console].language, "login incorrect", "ログインできません");
	return DESK_DELAY_MS;
}

static uint64_t serve_login(struct desk *d, uint32_t console, const struct account_request *request,
			    struct account_answer *answer)
{
	enum account_role role = role_of(d, find_person(d, request->name));
	enum account_verdict verdict;
	struct account account;
	uint64_t delay_ms = 0;
	bool matches;
	int err;

	if (d->seats[console].state != SEAT_CLOSED) {
		refuse(answer, d->seats[console].language, "not now", "今は行えません");
		return 0;
	}
	account_init(&account, request->name);
	err = find_person(d, request->name) != NULL ? keep_load(d->directory, &account)
						    : -ERR_NOT_FOUND;
	/* An unknown name takes as long as a known one. */
	matches = password_matches(request->secret,
				   account.hash[0] != '\0' ? account.hash : d->nobody);
	if (err < 0 || role == ACCOUNT_ROLE_NONE) {
		delay_ms = deny(d, console, request->name,
				err == -ERR_INTEGRITY       ? "account damaged"
				: role == ACCOUNT_ROLE_NONE ? "no such account, or not now"
							    : "no password yet",
				answer);
	} else {
		verdict = account_attempt(&account, &d->rules, role, matches, now_s(d));
		save(d, &account);
		if (verdict >= ACCOUNT_DENY_PASSWORD)
			delay_ms = deny(d, console, account.name, account_verdict_text(verdict),
					answer);
		else if (verdict == ACCOUNT_ADMIT)
			begin(d, console, &account, role, answer);
		else
			ask_change(d, console, &account, role, verdict, answer);
	}
	account_fini(&account);
	return delay_ms;
}

/* Judge and set; the answer says what is wrong. Return: whether it was set. */
static bool set_password(struct desk *d, uint32_t console, struct account *account,
			 const char *fresh, struct account_answer *answer)
{
	const char *const names[] = {account->name, d->host, d->organization};
	enum language language = d->seats[console].language;
	enum password_defect defect =
		password_judge(fresh, d->rules.length_min, names, sizeof(names) / sizeof(names[0]));
	int err = defect == PASSWORD_FINE ? account_set(account, fresh, false, now_s(d)) : 0;
	struct words w;

	if (err == -ERR_EXISTS)
		defect = PASSWORD_USED;
	if (defect != PASSWORD_FINE) {
		answer->status = ACCOUNT_REFUSED;
		words_begin(&w, answer->text, sizeof(answer->text), language);
		words_say(&w, "the new password cannot be used: %s\n",
			  "新しいパスワードは使用できません: %s\n",
			  password_defect_text(defect, language == LANGUAGE_JA));
		return false;
	}
	if (err == 0)
		err = keep_save(d->directory, account);
	if (err < 0) {
		refuse(answer, language, "the new password cannot be saved; the old one stays",
		       "新しいパスワードを保存できません。元のパスワードのままです");
		return false;
	}
	tell(d, EVENT_PASSWORD_CHANGED, EV_TEXT(USER, account->name), EV_NUMBER(CONSOLE, console));
	return true;
}

static uint64_t serve_change(struct desk *d, uint32_t console,
			     const struct account_request *request, struct account_answer *answer)
{
	struct seat *seat = &d->seats[console];
	struct account account;
	uint64_t delay_ms = 0;

	if (seat->state < SEAT_STALE || seat->name[0] == '\0') {
		refuse(answer, seat->language, "log in first", "先にログインしてください");
		return 0;
	}
	account_init(&account, seat->name);
	if (keep_load(d->directory, &account) < 0) {
		refuse(answer, seat->language, "the account cannot be read",
		       "アカウントを読み込めません");
	} else if (seat->state == SEAT_OPEN && !password_matches(request->secret, account.hash)) {
		(void)account_attempt(&account, &d->rules, seat->role, false, now_s(d));
		save(d, &account);
		tell(d, EVENT_LOGIN_REFUSED, EV_TEXT(USER, account.name),
		     EV_NUMBER(CONSOLE, console), EV_TEXT(REASON, "wrong present password"));
		refuse(answer, seat->language, "the present password is wrong",
		       "現在のパスワードが違います");
		delay_ms = DESK_DELAY_MS;
	} else if (set_password(d, console, &account, request->fresh, answer) &&
		   seat->state == SEAT_STALE) {
		begin(d, console, &account, seat->role, answer);
	}
	account_fini(&account);
	answer->role = seat->state == SEAT_OPEN ? seat->role : ACCOUNT_ROLE_NONE;
	return delay_ms;
}

/* From the first administrator's password on each session needs a login, whatever is lost later. */
static int close_doors(struct desk *d)
{
	int err = d->closed ? 0 : keep_close(d->directory, true);

	d->closed |= err == 0;
	return err;
}

/* A temporary password for a person of the running configuration (A2). */
static void serve_reset(struct desk *d, uint32_t console, const struct account_request *request,
			struct account_answer *answer)
{
	const struct seat *seat = &d->seats[console];
	char fresh[PASSWORD_TEMPORARY_BYTES] = "";
	struct account account;
	struct words w;
	int err;

	if (find_person(d, request->name) == NULL) {
		refuse(answer, seat->language,
		       "no such user in the running configuration: set login user NAME, commit",
		       "適用中の設定にその利用者がありません。set login user 名前 と commit "
		       "を先に行ってください");
		return;
	}
	account_init(&account, request->name);
	err = keep_load(d->directory, &account);
	if (err == -ERR_NOT_FOUND || err == -ERR_INTEGRITY)
		err = 0; /* a damaged one is replaced, with its list of earlier passwords */
	if (err == 0 && find_person(d, request->name)->role == SNAPSHOT_ROLE_ADMINISTRATOR)
		err = close_doors(d);
	if (err == 0)
		err = password_temporary(fresh);
	if (err == 0)
		err = account_set(&account, fresh, true, now_s(d));
	if (err == 0)
		err = keep_save(d->directory, &account);
	account_fini(&account);
	if (err < 0) {
		refuse(answer, seat->language, "the password cannot be saved",
		       "パスワードを保存できません");
	} else {
		tell(d, EVENT_PASSWORD_RESET, EV_TEXT(USER, request->name),
		     EV_TEXT(NAME, seat->name[0] != '\0' ? seat->name : "nobody"),
		     EV_NUMBER(CONSOLE, console));
		words_begin(&w, answer->text, sizeof(answer->text), seat->language);
		words_say(
			&w,
			"temporary password of %s: %s\nit is shown once, holds %d days and must "
			"be changed at the first login\n",
			"%s の仮パスワード: "
			"%s\n表示は一度だけです。有効期間は%d日、最初のログインで変更が必要です\n",
			request->name, fresh, ACCOUNT_TEMPORARY_S / 86400);
	}
	explicit_bzero(fresh, sizeof(fresh));
}

static void describe(const struct desk *d, const struct snapshot_person *person, struct words *w)
{
	enum account_role role = role_of(d, person);
	struct account account;
	int err;

	account_init(&account, person->name);
	err = keep_load(d->directory, &account);
	words_say(w, "%-16s %-14s ", "%-16s %-14s ", person->name,
		  role != ACCOUNT_ROLE_NONE ? words_role(role, LANGUAGE_EN) : "not-now");
	words_say(w, "%s, last login ", "%s, last login ",
		  err == -ERR_INTEGRITY                ? "damaged"
		  : err < 0 || account.hash[0] == '\0' ? "no password"
		  : account.locked_until_s > now_s(d)  ? "locked"
		  : account.temporary                  ? "temporary password"
						       : "password set");
	words_time(w, account.last_login_s, d->utc_offset_s);
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

static void hello(const struct desk *d, const struct seat *seat, struct account_answer *answer)
{
	answer->open = seat->state == SEAT_OPEN;
	answer->role = seat->state == SEAT_OPEN ? seat->role : ACCOUNT_ROLE_NONE;
	(void)snprintf(answer->host, sizeof(answer->host), "%s", d->host);
	(void)snprintf(answer->organization, sizeof(answer->organization), "%s", d->organization);
}

static bool is_administrator(const struct seat *seat)
{
	return seat->state == SEAT_OPEN && seat->role == ACCOUNT_ADMINISTRATOR;
}

uint64_t desk_request(struct desk *d, uint32_t console, const struct account_request *request,
		      struct account_answer *answer)
{
	struct seat *seat = &d->seats[console];

	memset(answer, 0, sizeof(*answer));
	seat->language = request->language == LANGUAGE_JA ? LANGUAGE_JA : LANGUAGE_EN;
	desk_active(d, console);
	switch ((enum account_kind)request->kind) {
	case ACCOUNT_HELLO:
		hello(d, seat, answer);
		return 0;
	case ACCOUNT_LOGIN:
		return serve_login(d, console, request, answer);
	case ACCOUNT_CHANGE:
		return serve_change(d, console, request, answer);
	case ACCOUNT_LOGOUT:
		seat_close(d, console, "the person logged out");
		return 0;
	case ACCOUNT_RESET:
		if (is_administrator(seat))
			serve_reset(d, console, request, answer);
		break;
	case ACCOUNT_SHOW:
		if (seat->state == SEAT_OPEN && seat->role != ACCOUNT_OPERATOR)
			serve_show(d, seat, answer);
		break;
	case ACCOUNT_ACTIVE:
	case ACCOUNT_KIND_COUNT_:
		return 0;
	}
	if (answer->text[0] == '\0')
		refuse(answer, seat->language, "your role does not allow this",
		       "この役割では実行できません");
	return 0;
}
