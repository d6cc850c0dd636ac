/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Seats: who may sit at them, when a session begins and what ends it. */
#include "accounts/desk_private.h"

#include <stdio.h>
#include <string.h>

#include "accounts/keep.h"
#include "base/err.h"

/* ---- seats */

void desk_seat_open(struct desk *d, uint32_t console, enum account_role role, const char *name,
		    const char *hands)
{
	struct seat *seat = &d->seats[console];

	seat->state = SEAT_OPEN;
	seat->role = role;
	seat->warned = false;
	seat->since_ms = seat->active_ms = clock_mono_ms(d->clock);
	(void)snprintf(seat->name, sizeof(seat->name), "%s", name);
	(void)snprintf(seat->hands, sizeof(seat->hands), "%s", hands);
	d->owner.person(d->owner.ctx, console, role, seat->name, seat->hands);
}

/* Record the end of a person's session, whatever ended it. */
static void note_logout(struct desk *d, uint32_t console, const char *why)
{
	const struct seat *seat = &d->seats[console];
	struct account account;

	if (seat->state != SEAT_OPEN || seat->name[0] == '\0')
		return;
	(void)desk_tell(d, EVENT_LOGOUT, EV_PERSON(USER, seat->name, console),
			EV_TEXT(REASON, why)); /* the session ends all the same */
	account_init(&account, seat->name);
	if (keep_load(d->directory, &account) == 0) {
		account_end(&account, desk_now_s(d));
		(void)desk_save(d, &account); /* it is an event */
	}
	account_fini(&account);
}

void desk_seat_close(struct desk *d, uint32_t console, const char *why)
{
	struct seat *seat = &d->seats[console];
	bool was_open = seat->state == SEAT_OPEN;

	note_logout(d, console, why);
	explicit_bzero(&seat->offer, sizeof(seat->offer));
	*seat = (struct seat){.state = SEAT_CLOSED,
			      .terminal = seat->terminal,
			      .language = seat->language,
			      .since_ms = clock_mono_ms(d->clock)};
	if (was_open)
		d->owner.person(d->owner.ctx, console, ACCOUNT_ROLE_NONE, "", "");
}

void desk_seat_end(struct desk *d, uint32_t console, const char *why, const char *text)
{
	d->owner.notice(d->owner.ctx, console, true, text);
	desk_seat_close(d, console, why);
}

void desk_show_out(struct desk *d, uint32_t console, const char *why, const char *en,
		   const char *ja)
{
	char text[ACCOUNT_TEXT_BYTES];
	struct words w;

	words_begin(&w, text, sizeof(text), d->seats[console].language);
	words_say(&w, "%s\n", "%s\n", w.language == LANGUAGE_JA ? ja : en);
	desk_seat_end(d, console, why, text);
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
	d->doors_missing = keep_load_doors(directory, &d->doors) == -ERR_NOT_FOUND;
	d->latest_s = desk_now_s(d);
	d->first_number = clock_mono_ns(clock);
	d->first_console = DESK_SEATS;
	account_init(&d->first_account, "");
	if (desk_load_era(d) < 0)
		return -ERR_SYSTEM;
	return password_setting(d->nobody);
}

void desk_fini(struct desk *d)
{
	desk_first_forget(d);
}

void desk_sit(struct desk *d, uint32_t console, bool terminal)
{
	d->seats[console] = (struct seat){
		.state = SEAT_CLOSED, .terminal = terminal, .since_ms = clock_mono_ms(d->clock)};
	if (!desk_is_open(d))
		return;
	if (terminal)
		d->seats[console].state = SEAT_SETUP;
	else
		desk_seat_open(d, console, ACCOUNT_ADMINISTRATOR, "", "");
}

void desk_leave(struct desk *d, uint32_t console)
{
	if (d->first_console == console)
		desk_first_forget(d); /* its commit goes on, and nobody has the password */
	desk_seat_close(d, console, "its console ended");
	d->seats[console].state = SEAT_EMPTY;
}

void desk_stop(struct desk *d)
{
	for (uint32_t i = 0; i < DESK_SEATS; i++) {
		if (d->seats[i].state != SEAT_EMPTY)
			desk_seat_close(d, i, "the gateway stops");
	}
}

/* A seat that was open for nobody in particular stays so until its session ends. */
static bool may_stay(const struct desk *d, const struct seat *seat)
{
	return seat->name[0] == '\0' ||
	       desk_role_of(d, desk_find_person(d, seat->name)) == seat->role;
}

/* Who has just handed over to an administrator without a password yet stays to give one. */
static bool must_stay(const struct desk *d, const struct seat *seat)
{
	return seat->role == ACCOUNT_ADMINISTRATOR && !seat->handed_over &&
	       desk_hands_over(d, seat->name);
}

/* Whoever may log in, or must set up the first administrator, does not sit where that is asked for.
 */
static bool asks_in_vain(const struct desk *d, uint32_t console)
{
	enum seat_state state = d->seats[console].state;

	if (state == SEAT_CLOSED)
		return desk_is_open(d);
	return state == SEAT_SETUP && d->first_console != console && !desk_is_open(d);
}

static void review_seats(struct desk *d)
{
	for (uint32_t i = 0; i < DESK_SEATS; i++) {
		const struct seat *seat = &d->seats[i];

		if (asks_in_vain(d, i))
			desk_show_out(d, i, "the accounts were changed",
				      "the accounts were changed: this console begins anew",
				      "アカウントが変更されたため、このコンソールを開始し直します");
		else if (seat->state >= SEAT_STALE && !may_stay(d, seat) && !must_stay(d, seat))
			desk_show_out(d, i, "the account was changed",
				      "your account was changed: this session ends",
				      "アカウントが変更されたため、このセッションを終了します");
	}
}

/* The first policy is known: who waits may sit down. */
static void begin(struct desk *d)
{
	for (uint32_t i = 0; i < DESK_SEATS; i++) {
		if (d->seats[i].state == SEAT_CLOSED)
			desk_sit(d, i, d->seats[i].terminal);
	}
}

void desk_policy(struct desk *d, const struct snapshot *snapshot,
		 const struct control_policy *numbers)
{
	bool is_first = !d->has_policy;
	bool has_opened = desk_has_opened(d, numbers);

	d->has_policy = true;
	d->numbers = *numbers;
	d->person_count = snapshot->person_count;
	if (snapshot->person_count > 0)
		memcpy(d->persons, snapshot->persons,
		       snapshot->person_count * sizeof(d->persons[0]));
	desk_load_latches(d);
	(void)desk_latch_ends(d); /* the doors are looked at below */
	if (is_first)
		desk_begin_doors(d);
	if (has_opened && snapshot->person_count > 0 && desk_nobody_can(d))
		desk_stay_open(d);
	else
		desk_follow_policy(d);
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
			.totp_required = l->totp_required != 0,
		};
	}
	d->two_person =
		snapshot->login_count > 0 && (snapshot->logins->two_person != 0 ||
					      snapshot->logins->change_window != SNAPSHOT_NONE);
	d->utc_offset_s = snapshot->header->utc_offset_s;
	d->recovery_off = snapshot->header->recovery_off != 0;
	d->language = (enum language)snapshot->header->language;
	(void)snprintf(d->host, sizeof(d->host), "%s",
		       snapshot_text_at(snapshot, snapshot->header->text_host_name));
	(void)snprintf(d->organization, sizeof(d->organization), "%s",
		       snapshot_text_at(snapshot, snapshot->header->text_organization));
	if (is_first)
		begin(d);
	else
		review_seats(d);
}

/* ---- time */

/* A minute before the session ends because no key is pressed, or a quarter of a short limit. */
static void warn_idle(struct desk *d, uint32_t console, uint64_t idle_ms)
{
	uint64_t limit_ms = d->rules.idle_s * 1000ULL, before_ms = DESK_WARNING_S * 1000U;
	struct seat *seat = &d->seats[console];
	char text[120];

	if (before_ms > limit_ms / 4)
		before_ms = limit_ms / 4;
	if (seat->idle_warned || idle_ms + before_ms < limit_ms)
		return;
	seat->idle_warned = true;
	(void)snprintf(text, sizeof(text),
		       seat->language == LANGUAGE_JA
			       ? "\n無操作のため、あと%u秒でこのセッションを終了します\n"
			       : "\nno key was pressed: this session ends in %u s\n",
		       (unsigned)((limit_ms - idle_ms + 999) / 1000)); /* it fits */
	d->owner.notice(d->owner.ctx, console, false, text);
}

static void tick_seat(struct desk *d, uint32_t console, uint64_t now_ms)
{
	struct seat *seat = &d->seats[console];
	uint64_t limit_ms = d->rules.session_s * 1000ULL;

	if (seat->state != SEAT_OPEN) {
		if ((seat->state == SEAT_STALE || seat->state == SEAT_ENROL) &&
		    now_ms - seat->since_ms >= DESK_LOGIN_S * 1000U)
			desk_show_out(d, console, "the login was not completed",
				      "the login was not completed in time",
				      "ログインが時間内に完了しませんでした");
		return;
	}
	if (seat->name[0] == '\0')
		return; /* nobody could log in again */
	if (now_ms - seat->active_ms >= d->rules.idle_s * 1000ULL) {
		desk_show_out(d, console, "idle",
			      "no key was pressed for too long: this session ends",
			      "無操作のため、このセッションを終了します");
	} else if (now_ms - seat->since_ms >= limit_ms) {
		desk_show_out(d, console, "session limit",
			      "the session limit is reached: this session ends",
			      "接続時間の上限に達したため、このセッションを終了します");
	} else if (!seat->warned && now_ms - seat->since_ms + DESK_WARNING_S * 1000U >= limit_ms) {
		seat->warned = true;
		d->owner.notice(d->owner.ctx, console, false,
				seat->language == LANGUAGE_JA
					? "\nあと1分で接続時間の上限に達します\n"
					: "\nthis session ends in one minute\n");
	} else {
		warn_idle(d, console, now_ms - seat->active_ms);
	}
}

void desk_tick(struct desk *d)
{
	uint64_t now_ms = clock_mono_ms(d->clock);

	desk_watch_clock(d);
	desk_keep_doors(d);
	if (desk_latch_ends(d))
		desk_follow_doors(d, d->doors.saved); /* who is over hands over no more */
	review_seats(d);                              /* a person's last day may be over */
	for (uint32_t i = 0; i < DESK_SEATS; i++)
		tick_seat(d, i, now_ms);
}

void desk_active(struct desk *d, uint32_t console)
{
	d->seats[console].active_ms = clock_mono_ms(d->clock);
	d->seats[console].idle_warned = false;
}
