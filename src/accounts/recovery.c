/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recovery of a lost password by whoever stands at the terminal (ADR 318): one temporary password,
 * once, for one administrator in full right of the running policy. Whether it may be, and when it
 * is over, is the supervisor's to say, which is asked before anything is saved; here nothing is
 * committed, and nothing else is served.
 */
#include <stdio.h>
#include <string.h>

#include "accounts/desk_private.h"
#include "base/err.h"

/* No deputy, nobody suspended or over: who could not log in is not let in this way either. */
static const struct snapshot_person *find_administrator(const struct desk *d, const char *name)
{
	const struct snapshot_person *person = desk_find_person(d, name);

	return person != NULL && person->role == SNAPSHOT_ROLE_ADMINISTRATOR &&
			       desk_role_of(d, person) == ACCOUNT_ADMINISTRATOR
		       ? person
		       : NULL;
}

static bool has_administrators(const struct desk *d)
{
	uint32_t i = 0;

	while (i < d->person_count && d->persons[i].role != SNAPSHOT_ROLE_ADMINISTRATOR)
		i++;
	return i < d->person_count;
}

enum recovery_step desk_recovery_begin(struct desk *d, uint32_t console)
{
	struct seat *seat = &d->seats[console];

	desk_watch_clock(d);
	if (!d->has_policy || d->recovery_off || !seat->terminal || seat->state != SEAT_CLOSED)
		return RECOVERY_REFUSED;
	seat->asks = !has_administrators(d); /* then the doors are all there is to open */
	seat->given = false;
	seat->wrong_names = 0;
	if (seat->asks)
		return RECOVERY_GIVING;
	seat->state = SEAT_RECOVERY;
	return RECOVERY_READY;
}

bool desk_recovery_asks(const struct desk *d, uint32_t console)
{
	return d->seats[console].state == SEAT_RECOVERY && d->seats[console].asks;
}

static bool tell(struct desk *d, uint32_t console, enum recovery_step step, const char *name)
{
	struct control_recovery body = {.step = step, .console = console};

	(void)snprintf(body.name, sizeof(body.name), "%s", name);
	return d->owner.recovery(d->owner.ctx, &body);
}

static bool refuse_name(struct desk *d, uint32_t console, const char *name,
			struct account_answer *answer)
{
	struct seat *seat = &d->seats[console];

	(void)desk_tell(d, EVENT_LOGIN_REFUSED,
			EV_PERSON(USER, desk_name_for_record(d, name), console),
			EV_TEXT(REASON, "recovery: not an administrator")); /* refused anyway */
	desk_refuse(answer, seat->language, "no administrator of this name can log in",
		    "その名前でログインできる管理者はいません");
	if (++seat->wrong_names == DESK_NAMES)
		(void)tell(d, console, RECOVERY_WRONG, ""); /* or its time ends it */
	return true;
}

bool desk_recover(struct desk *d, uint32_t console, const struct account_request *request,
		  struct account_answer *answer)
{
	const struct snapshot_person *person = find_administrator(d, request->name);
	struct seat *seat = &d->seats[console];

	if (seat->state != SEAT_RECOVERY || seat->asks || seat->given ||
	    seat->wrong_names >= DESK_NAMES) {
		desk_refuse(answer, seat->language, "not now", "今は行えません");
		return false;
	}
	if (person == NULL)
		return refuse_name(d, console, request->name, answer);
	(void)snprintf(seat->name, sizeof(seat->name), "%s", person->name);
	seat->asks = tell(d, console, RECOVERY_GIVING, person->name);
	if (!seat->asks)
		desk_refuse(answer, seat->language, "the supervisor does not answer",
			    "監視プロセスが応答しません");
	return false;
}

/* ---- what the supervisor says */

static void show(const struct desk *d, uint32_t console, const char *name, const char *fresh,
		 struct account_answer *answer)
{
	struct words w;

	answer->status = ACCOUNT_OK;
	words_begin(&w, answer->text, sizeof(answer->text), d->seats[console].language);
	words_say(&w,
		  "temporary password of %s: %s\nit is shown once, holds %d days and must be "
		  "changed at the first login\n",
		  "%s の仮パスワード: "
		  "%s\n表示は一度だけです。有効期間は%d日、最初のログインで変更が必要です\n",
		  name, fresh, ACCOUNT_TEMPORARY_S / 86400);
}

static void say_reset(const struct desk *d, uint32_t console, const char *name, bool lost_factor)
{
	(void)desk_tell(d, EVENT_PASSWORD_RESET, EV_TEXT(USER, name),
			EV_PERSON(NAME, "recovery", console)); /* recovery-gives is on the disk */
	if (lost_factor)
		(void)desk_tell(d, EVENT_TOTP_REMOVED, EV_TEXT(USER, name),
				EV_PERSON(NAME, "recovery", console),
				EV_TEXT(DETAIL, "login")); /* it is gone by now */
}

/* Saved, told, and only then shown. */
static void give(struct desk *d, uint32_t console, struct account_answer *answer)
{
	struct seat *seat = &d->seats[console];
	const struct snapshot_person *person = find_administrator(d, seat->name);
	char fresh[PASSWORD_TEMPORARY_BYTES] = "";
	int lost = person != NULL ? desk_reset_password(d, NULL, person, fresh) : -ERR_NOT_FOUND;

	if (lost < 0) {
		(void)tell(d, console, RECOVERY_REFUSED, ""); /* or its time ends it */
		desk_refuse(answer, seat->language, "the password cannot be saved",
			    "パスワードを保存できません");
		return;
	}
	seat->given = true;
	desk_end_stale(d, person->name);
	say_reset(d, console, person->name, lost > 0);
	(void)tell(d, console, RECOVERY_GIVEN, ""); /* it is noted that this may be so */
	show(d, console, person->name, fresh, answer);
	explicit_bzero(fresh, sizeof(fresh));
}

static void open_doors(struct desk *d, uint32_t console)
{
	bool opened = !has_administrators(d) && desk_open_doors(d) == 0;

	(void)tell(d, console, opened ? RECOVERY_GIVEN : RECOVERY_REFUSED, ""); /* as in give */
}

static void refuse(const struct seat *seat, const struct control_recovery *said,
		   struct account_answer *answer)
{
	if (said->step == RECOVERY_OVER)
		desk_refuse(answer, seat->language, "the recovery is over: nothing was changed",
			    "復旧は終了しました。何も変更していません");
	else
		desk_refuse(answer, seat->language, "this cannot be recorded: nothing was changed",
			    "記録できないため、何も変更していません");
}

bool desk_recovery_go_on(struct desk *d, const struct control_recovery *said,
			 struct account_answer *answer)
{
	uint32_t console = said->console;
	struct seat *seat = &d->seats[console];
	bool asked = seat->asks, waits = desk_recovery_asks(d, console);

	memset(answer, 0, sizeof(*answer));
	seat->asks = false;
	if (said->step == RECOVERY_GIVE && waits)
		give(d, console, answer);
	else if (said->step == RECOVERY_GIVE && asked)
		open_doors(d, console);
	else if (said->step == RECOVERY_GIVE)
		(void)tell(d, console, RECOVERY_REFUSED, ""); /* whoever asked has gone */
	else if (waits)
		refuse(seat, said, answer);
	if (said->step == RECOVERY_OVER && seat->state == SEAT_RECOVERY)
		desk_seat_close(d, console, "the recovery is over");
	return waits;
}
