/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The course of a recovery: key, record, shut zones, accounts, a name, its record, a password, the
 * end. Whatever fails on the way ends it or changes nothing, and the zones are opened again only
 * when accounts and the console have been told.
 */
#include "supervisor/recovery/recovery.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "channel/account.h"
#include "supervisor/supervisor.h"
#include "supervisor/watchdog.h"

static const char why_start[] = "the machine has started by itself";
static const char why_again[] = "the supervisor was started again";
static const char why_off[] = "the configuration forbids it";
static const char why_no_policy[] = "no policy is in force";
static const char why_disk[] = "the state directory cannot be written";
static const char why_record[] = "the log cannot be written";
static const char why_list[] = "its emergency cannot be listed";
static const char why_zones[] = "the zones cannot be shut";
static const char why_accounts[] = "accounts does not serve it";
static const char why_opened[] = "no administrator is configured: the first one can be set up";
static const char why_unsaved[] = "the password cannot be saved";
static const char why_over[] = "its time was over";
static const char why_given[] = "a password was given";
static const char why_given_over[] = "a password was given, and its time was over";
static const char why_late[] = "the key came too late";

static struct child *its_console(struct supervisor *sup)
{
	struct child *console = child_find(sup, ROLE_CONSOLE, 0);

	return console && (uint32_t)console->pid == sup->recovery.pid ? console : NULL;
}

static void tell_console(struct supervisor *sup, enum recovery_step step, const char *text)
{
	struct control_recovery body = {.step = step};
	struct child *console = its_console(sup);

	(void)snprintf(body.text, sizeof(body.text), "%s", text);
	if (console)
		child_send(console, CONTROL_RECOVERY, &body, sizeof(body), NULL, 0);
}

static void tell_accounts(struct supervisor *sup, enum recovery_step step, const char *text)
{
	struct control_recovery body = {.step = step, .console = 0};
	struct child *accounts = child_find(sup, ROLE_ACCOUNTS, 0);

	(void)snprintf(body.text, sizeof(body.text), "%s", text);
	if (child_is_alive(accounts))
		child_send(accounts, CONTROL_RECOVERY, &body, sizeof(body), NULL, 0);
}

/* Nothing has begun: the console goes on to the login. */
static void refuse(struct supervisor *sup, const char *why)
{
	supervisor_event(sup, EVENT_RECOVERY_REFUSED, EV_TEXT(REASON, why));
	sup->recovery.state = RECOVERY_ASLEEP;
	sup->recovery.record = 0;
	loop_disarm(&sup->loop, &sup->recovery.timer);
	tell_console(sup, RECOVERY_REFUSED, why);
}

/* ---- zones */

static int shut(struct supervisor *sup)
{
	sup->zones.shut |= ZONES_SHUT_RECOVERY;
	sockets_close_all(sup);
	session_end_all(sup);
	return commit_reconverge(sup); /* its failure is an event of its own */
}

static int lead_back(struct supervisor *sup)
{
	int err = commit_reconverge(sup); /* its failure is an event of its own */

	/* A commit that is being applied opens the sockets when it is done; one that waits may come
	 * to nothing. */
	if (err < 0 || sup->running.fd < 0 || sup->commit.state == COMMIT_APPLYING)
		return err;
	err = sockets_listen(sup, &sup->running.snapshot);
	if (err < 0)
		supervisor_event(sup, EVENT_ZONES_FAILED, EV_TEXT(REASON, sup->zones.reason));
	return err;
}

/* What fails leaves a zone without its wire or a service without its socket: it is tried again. */
static void open_again(struct supervisor *sup)
{
	struct recovery *r = &sup->recovery;

	if (sup->stopping)
		return; /* nothing comes up on the way down */
	if (!(sup->zones.shut & ZONES_SHUT_RECOVERY) && !r->reopens)
		return;
	sup->zones.shut &= ~(unsigned)ZONES_SHUT_RECOVERY;
	r->reopens = lead_back(sup) < 0;
	if (r->reopens)
		loop_arm(&sup->loop, &r->timer, RECOVERY_REOPEN_MS);
}

/* ---- the end */

/* Nothing came of what was asked for: the emergency names nobody again. */
static void take_back(struct supervisor *sup)
{
	struct recovery *r = &sup->recovery;

	(void)emergency_recovers(sup, r->emergency, NULL); /* or it names too many */
	r->record = 0;
	r->may_give = false;
	explicit_bzero(r->name, sizeof(r->name));
}

/*
 * Whoever may be given a password is named, also where accounts has not said yet that it is saved:
 * it does not go back.
 */
static void end(struct supervisor *sup, const char *outcome)
{
	struct recovery *r = &sup->recovery;
	bool opens = r->may_give && r->name[0] == '\0';

	if (r->state == RECOVERY_NAMING)
		take_back(sup);
	r->state = RECOVERY_ASLEEP;
	loop_disarm(&sup->loop, &r->timer);
	if (opens)
		outcome = why_opened;
	supervisor_event(sup, EVENT_RECOVERY_ENDS, EV_TEXT(USER, r->name),
			 EV_TEXT(REASON, outcome));
	tell_accounts(sup, RECOVERY_OVER, "");
	tell_console(sup, r->seated || opens ? RECOVERY_OVER : RECOVERY_REFUSED, outcome);
	open_again(sup);
	explicit_bzero(r->name, sizeof(r->name));
}

void recovery_stop(struct supervisor *sup, const char *why)
{
	struct recovery *r = &sup->recovery;

	if (r->state == RECOVERY_ARMED)
		r->state = RECOVERY_ASLEEP;
	else if (r->state == RECOVERY_RECORDING)
		refuse(sup, why);
	else if (r->state != RECOVERY_ASLEEP)
		end(sup, why);
}

static void on_timer(struct loop *loop, struct loop_timer *self)
{
	struct supervisor *sup = self->ctx;

	if (sup->recovery.reopens)
		open_again(sup);
	else
		recovery_stop(sup, sup->recovery.may_give ? why_given_over : why_over);
}

void recovery_child_died(struct supervisor *sup, const struct child *child)
{
	if (child->role == ROLE_CONSOLE && sup->recovery.offered && !its_console(sup))
		recovery_stop(sup, "its console ended");
	else if (child->role == ROLE_ACCOUNTS && sup->recovery.state >= RECOVERY_ASKING)
		recovery_stop(sup, "accounts ended");
}

/* ---- the beginning */

void recovery_begin(struct supervisor *sup)
{
	struct recovery *r = &sup->recovery;

	r->timer = (struct loop_timer){.fire = on_timer, .ctx = sup};
	/* The one before may have left the mark: it goes when the watchdog is fed. */
	r->starved = sup->options.start == START_AGAIN;
	if (recovery_count_take(sup->state_fd, &r->counted) < 0) {
		supervisor_event(sup, EVENT_RECOVERY_REFUSED, EV_TEXT(REASON, why_disk));
		return;
	}
	if (sup->options.start == START_BY_HAND && !watchdog_has_reset(sup)) {
		r->state = RECOVERY_ARMED;
		loop_arm(&sup->loop, &r->timer, RECOVERY_KEY_MS);
	}
	if (r->state != RECOVERY_ARMED &&
	    r->counted) /* one that was counted in this very start, too: it begins anew */
		supervisor_event(sup, EVENT_RECOVERY_REFUSED,
				 EV_TEXT(REASON, sup->options.start == START_AGAIN ? why_again
										   : why_start));
}

bool recovery_offers(struct supervisor *sup, const struct child *console)
{
	struct recovery *r = &sup->recovery;

	if (r->state != RECOVERY_ARMED || r->offered || console->index != 0 || !console->is_tty)
		return false;
	r->offered = true;
	r->pid = (uint32_t)console->pid;
	return true;
}

/* Is what was said so far on the disk? Return: false where audit cannot be asked. */
static bool ask_audit(struct supervisor *sup)
{
	struct child *audit = child_find(sup, ROLE_AUDIT, 0);
	struct control_record body = {.number = ++sup->record_serial};

	if (!child_is_alive(audit))
		return false;
	sup->recovery.record = body.number;
	child_send(audit, CONTROL_RECORD, &body, sizeof(body), NULL, 0);
	return true;
}

/* The record is on the disk before anything else (L1). */
static void ask_to_begin(struct supervisor *sup)
{
	sup->recovery.state = RECOVERY_RECORDING;
	supervisor_event(sup, EVENT_RECOVERY_BEGINS, EV_PERSON(USER, "", 0));
	if (!ask_audit(sup))
		refuse(sup, why_record);
}

static void take_key(struct supervisor *sup)
{
	struct recovery *r = &sup->recovery;

	if (r->state != RECOVERY_ARMED) {
		tell_console(sup, RECOVERY_REFUSED, why_late);
		return;
	}
	loop_disarm(&sup->loop, &r->timer);
	if (sup->running.fd < 0) {
		refuse(sup, why_no_policy);
	} else if (sup->running.snapshot.header->recovery_off != 0) {
		refuse(sup, why_off);
	} else if (r->counted) {
		ask_to_begin(sup);
	} else if (recovery_count_leave(sup->state_fd) < 0) {
		refuse(sup, why_disk);
	} else {
		r->state = RECOVERY_ASLEEP;
		supervisor_event(sup, EVENT_RECOVERY_KEY, EV_PERSON(USER, "", 0));
		tell_console(sup, RECOVERY_COUNTED, "");
	}
}

static void begin(struct supervisor *sup)
{
	struct recovery *r = &sup->recovery;

	r->state = RECOVERY_ASKING;
	r->emergency = emergency_of_recovery(sup);
	if (r->emergency == 0) {
		end(sup, why_list);
		return;
	}
	r->until_ms = clock_mono_ms(sup->loop.clock) + RECOVERY_LIMIT_MS;
	loop_arm(&sup->loop, &r->timer, RECOVERY_LIMIT_MS);
	if (shut(sup) < 0)
		end(sup, why_zones);
	else if (!child_is_alive(child_find(sup, ROLE_ACCOUNTS, 0)))
		end(sup, why_accounts);
	else
		tell_accounts(sup, RECOVERY_BEGIN, "");
}

/* ---- a password */

/* No password: the person may type a name once more. Of the doors there is no second time. */
static void deny(struct supervisor *sup, const char *why)
{
	struct recovery *r = &sup->recovery;
	bool knows = r->state == RECOVERY_GIVING_OUT; /* accounts: it said so */

	supervisor_event(sup, EVENT_RECOVERY_REFUSED, EV_TEXT(USER, r->name), EV_TEXT(REASON, why));
	take_back(sup);
	if (!r->seated) {
		r->state = RECOVERY_ASKING;
		end(sup, why);
		return;
	}
	r->state = RECOVERY_RUNNING;
	if (!knows)
		tell_accounts(sup, RECOVERY_REFUSED, why);
}

/* It is listed and on the disk whose password it is before there is one (L1). */
static void take_name(struct supervisor *sup, const char *name)
{
	struct recovery *r = &sup->recovery;

	if (clock_mono_ms(sup->loop.clock) + RECOVERY_LAST_MS > r->until_ms) {
		end(sup, why_over); /* it would be saved, and could not be read any more */
		return;
	}
	r->state = RECOVERY_NAMING;
	(void)snprintf(r->name, sizeof(r->name), "%s", name);
	if (emergency_recovers(sup, r->emergency, name) < 0) {
		deny(sup, why_list);
		return;
	}
	supervisor_event(sup, EVENT_RECOVERY_GIVES, EV_PERSON(USER, name, 0));
	if (!ask_audit(sup))
		deny(sup, why_record);
}

static void allow(struct supervisor *sup)
{
	sup->recovery.state = RECOVERY_GIVING_OUT;
	sup->recovery.may_give = true;
	tell_accounts(sup, RECOVERY_GIVE, "");
}

void recovery_recorded(struct supervisor *sup, const struct control_recorded *answer)
{
	struct recovery *r = &sup->recovery;

	if (r->record == 0 || r->record != answer->number)
		return;
	if (answer->ok == 0) {
		recovery_unrecorded(sup);
		return;
	}
	r->record = 0;
	if (r->state == RECOVERY_RECORDING)
		begin(sup);
	else if (r->state == RECOVERY_NAMING)
		allow(sup);
}

void recovery_unrecorded(struct supervisor *sup)
{
	if (sup->recovery.record == 0)
		return;
	sup->recovery.record = 0;
	if (sup->recovery.state == RECOVERY_RECORDING)
		refuse(sup, why_record);
	else if (sup->recovery.state == RECOVERY_NAMING)
		deny(sup, why_record);
}

/* ---- what accounts and the console say */

/* Behind BEGIN. */
static void take_seat(struct supervisor *sup, const struct control_recovery *said)
{
	struct recovery *r = &sup->recovery;

	if (said->step == RECOVERY_READY) {
		r->state = RECOVERY_RUNNING;
		r->seated = true;
		tell_console(sup, RECOVERY_BEGIN, "");
	} else if (said->step == RECOVERY_GIVING && said->name[0] == '\0') {
		take_name(sup, "");
	} else {
		end(sup, why_accounts);
	}
}

static void take_outcome(struct supervisor *sup, const struct control_recovery *said)
{
	if (said->step != RECOVERY_GIVEN)
		deny(sup, why_unsaved);
	else if (!sup->recovery.seated)
		end(sup, why_opened);
	else
		sup->recovery.state = RECOVERY_RUNNING;
}

/* What comes when it is over has crossed OVER, and nothing comes of it. */
static void take_from_accounts(struct supervisor *sup, const struct control_recovery *said)
{
	struct recovery *r = &sup->recovery;

	if (r->state == RECOVERY_ASKING)
		take_seat(sup, said);
	else if (r->state == RECOVERY_GIVING_OUT)
		take_outcome(sup, said);
	else if (r->state == RECOVERY_RUNNING && said->step == RECOVERY_WRONG)
		end(sup, "too many names were no administrator's");
	else if (r->state == RECOVERY_RUNNING && said->step == RECOVERY_GIVING && !r->may_give &&
		 said->name[0] != '\0')
		take_name(sup, said->name);
}

static void take_from_console(struct child *console, const struct control_recovery *said)
{
	struct supervisor *sup = console->sup;

	if (said->step == RECOVERY_KEY)
		take_key(sup);
	else if (sup->recovery.state >= RECOVERY_RUNNING && sup->recovery.seated)
		end(sup, sup->recovery.may_give ? why_given : "it was left");
}

int recovery_handle(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_recovery *said = message->body;
	struct child *child = ctx;
	struct supervisor *sup = child->sup;

	if (memchr(said->name, '\0', sizeof(said->name)) == NULL)
		return -ERR_PEER;
	if (child->role == ROLE_ACCOUNTS) {
		take_from_accounts(sup, said);
		return 0;
	}
	if (!sup->recovery.offered || (uint32_t)child->pid != sup->recovery.pid ||
	    child->person_role != ACCOUNT_ROLE_NONE || child->waiting.number != 0 ||
	    (said->step != RECOVERY_KEY && said->step != RECOVERY_LEFT))
		return -ERR_PEER;
	take_from_console(child, said);
	return 0;
}
