/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `isolate zone|all` and `restore zone|all` (Z11, ADR 421). A zone is shut at once. It is opened
 * when netfilter has said that none of its old connections is left to go on: where that cannot be
 * had, or nobody waits for the answer any more, it stays shut.
 */
#include <stdio.h>
#include <string.h>

#include "supervisor/isolation/isolation.h"
#include "supervisor/query/query.h"

#define SIGN_MS   1000U /* between two signs of life to who waits */
#define SIGNS_MAX 60U   /* then netfilter has had time enough */

/* Return: whether netfilter has been told; by CONTROL_SEVERED it says when it is done. */
static bool sever_flows(struct supervisor *sup, const struct zone *zone, uint32_t number)
{
	struct child *netfilter = child_find(sup, ROLE_NETFILTER, 0);
	struct control_sever body = {.number = number};

	if (!netfilter || netfilter->state != CHILD_READY)
		return false;
	(void)snprintf(body.zone, sizeof(body.zone), "%s", zone->name);
	child_send(netfilter, CONTROL_SEVER, &body, sizeof(body), NULL, 0);
	return true;
}

/* Recorded, and its sessions end; commit_reconverge is to follow. */
static void mark_zone(struct supervisor *sup, const struct answer *answer, struct zone *zone,
		      bool isolated)
{
	if (zone->isolated != isolated) {
		supervisor_event(sup, isolated ? EVENT_ZONE_ISOLATED : EVENT_ZONE_RESTORED,
				 EV_TEXT(ZONE, zone->name),
				 EV_PERSON(USER, answer->console->person, answer->console->index));
		zone->isolated = isolated;
		if (isolated)
			session_end_zone(sup, zone->name);
	}
}

/*
 * Isolation: the zone's port goes down, its crossings, flows and sessions end; the configuration
 * stays as it is. Return: of commit_reconverge.
 */
static int lead_zone(struct supervisor *sup, const struct answer *answer, struct zone *zone,
		     bool isolated)
{
	mark_zone(sup, answer, zone, isolated);
	return commit_reconverge(sup);
}

/* ---- restoring, in two steps: old connections end; then the zone is connected */

/*
 * Kept first: what would be shut again at the next start is not opened.
 * @flags: of the row that says so: CONTROL_ROW_LAST, or 0 where others follow. Where it failed, the
 * answer has ended.
 */
static void connect_zone(struct supervisor *sup, struct answer *answer, const char *name,
			 uint32_t flags)
{
	struct zone *zone = zones_find(&sup->zones, name);
	char why[WATCHED_WHY_BYTES];

	if (!zone) {
		answer_error(answer, "no such zone");
		return;
	}
	isolation_why(sup->isolation_fd, name, why, sizeof(why));
	if (isolation_keep(sup->isolation_fd, name, NULL) < 0) {
		answer_error(answer, "the state directory cannot be written");
		return;
	}
	if (zone->isolated)
		watch_begin(sup, name, NULL, why, answer->console->person);
	if (lead_zone(sup, answer, zone, false) < 0) {
		answer_error(answer, sup->zones.reason);
		return;
	}
	answer_cell(answer, "%s", name);
	answer_cell(answer, "restored");
	answer_send(answer, flags);
}

/* Return: the console that waits for it, and @answer is begun; NULL: it has gone, or asks something
 * else now. */
static struct child *begin_answer(struct answer *answer, struct control_query *query,
				  const struct restore *restore)
{
	struct child *console = child_find(restore->sup, ROLE_CONSOLE, restore->console);

	if (!console || console->asking.serial != restore->serial)
		return NULL;
	*query = (struct control_query){.number = console->asking.number, .kind = QUERY_RESTORE};
	(void)snprintf(query->argument, sizeof(query->argument), "%s", restore->zone);
	answer_begin(answer, console, query);
	return console;
}

static void end_restore(struct restore *restore)
{
	loop_disarm(&restore->sup->loop, &restore->signs);
	restore->serial = 0;
}

static void give_up(struct restore *restore, const char *reason)
{
	struct control_query query;
	struct answer answer;

	if (begin_answer(&answer, &query, restore))
		answer_error(&answer, reason);
	end_restore(restore);
}

/* @zone: NULL: any. One of all zones is given up for any. */
static void give_up_restores(struct supervisor *sup, const char *zone, const char *reason)
{
	for (size_t i = 0; i < CONSOLES_MAX; i++) {
		struct restore *restore = &sup->restores[i];

		if (restore->serial != 0 &&
		    (zone == NULL || restore->all || strcmp(restore->zone, zone) == 0))
			give_up(restore, reason);
	}
}

void restore_netfilter_died(struct supervisor *sup)
{
	give_up_restores(sup, NULL,
			 "netfilter has died before the old connections were ended; the zone stays "
			 "isolated: restore it again");
}

static void send_sign(struct loop *loop, struct loop_timer *self)
{
	struct restore *restore = self->ctx;
	struct control_query query;
	struct answer answer;

	if (restore->signs_sent == SIGNS_MAX) {
		give_up(restore, "the old connections were not ended in time; the zone stays "
				 "isolated: restore it again");
		return;
	}
	restore->signs_sent++;
	loop_arm(loop, self, SIGN_MS);
	if (begin_answer(&answer, &query, restore))
		answer_send(&answer, 0);
}

static struct restore *free_restore(struct supervisor *sup)
{
	for (size_t i = 0; i < CONSOLES_MAX; i++) {
		if (sup->restores[i].serial == 0)
			return &sup->restores[i];
	}
	return NULL;
}

static void begin_restore(struct supervisor *sup, struct answer *answer, const struct zone *zone,
			  bool all)
{
	struct restore *restore = free_restore(sup);
	struct asking *asking = &answer->console->asking;

	if (!restore) {
		answer_error(answer, "too many zones are being restored; try again in a moment");
		return;
	}
	if (!sever_flows(sup, zone, sup->query_serial + 1)) {
		answer_error(answer, "netfilter, which ends the old connections, does not run; the "
				     "zone stays isolated: try again in a moment");
		return;
	}
	asking->number = answer->query->number;
	asking->serial = ++sup->query_serial;
	*restore = (struct restore){.sup = sup,
				    .serial = asking->serial,
				    .console = answer->console->index,
				    .all = all,
				    .signs = {.fire = send_sign, .ctx = restore}};
	(void)snprintf(restore->zone, sizeof(restore->zone), "%s", zone->name);
	loop_arm(&sup->loop, &restore->signs, SIGN_MS);
}

static const struct zone *first_isolated(const struct supervisor *sup)
{
	for (size_t i = 0; i < sizeof(sup->zones.zones) / sizeof(sup->zones.zones[0]); i++) {
		if (sup->zones.zones[i].used && sup->zones.zones[i].isolated)
			return &sup->zones.zones[i];
	}
	return NULL;
}

/* Of all zones: the one under way is connected, the next one's old connections are to end. */
static void go_on(struct restore *restore, struct answer *answer)
{
	struct supervisor *sup = restore->sup;
	const struct zone *next;

	connect_zone(sup, answer, restore->zone, 0);
	next = first_isolated(sup);
	if (answer->ended)
		return;
	if (!next) {
		answer_send(answer, CONTROL_ROW_LAST);
	} else if (!sever_flows(sup, next, restore->serial)) {
		answer_error(answer, "netfilter, which ends the old connections, does not run; the "
				     "other zones stay isolated: try again in a moment");
	} else {
		(void)snprintf(restore->zone, sizeof(restore->zone), "%s", next->name);
		restore->signs_sent = 0;
	}
}

static void finish_zone(struct restore *restore, struct answer *answer)
{
	if (restore->all)
		go_on(restore, answer);
	else
		connect_zone(restore->sup, answer, restore->zone, CONTROL_ROW_LAST);
	if (answer->ended)
		end_restore(restore);
}

int restore_handle_severed(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_severed *body = message->body;
	struct supervisor *sup = ((struct child *)ctx)->sup;
	struct control_query query;
	struct answer answer;

	for (size_t i = 0; i < CONSOLES_MAX; i++) {
		struct restore *restore = &sup->restores[i];

		if (body->number == 0 || restore->serial != body->number)
			continue;
		if (body->whole == 0) {
			give_up(restore, "not all old connections could be ended; the zone stays "
					 "isolated: restore it again");
			return 0;
		}
		if (begin_answer(&answer, &query, restore))
			finish_zone(restore, &answer);
		else
			end_restore(restore);
		return 0;
	}
	return 0; /* it was given up */
}

void answer_restore(struct supervisor *sup, struct answer *answer)
{
	char name[CONTROL_ARGUMENT_BYTES];
	const struct zone *zone;

	(void)answer_name(answer, name); /* what stands behind it is nothing here */
	zone = zones_find(&sup->zones, name);
	if (zone && zone->isolated)
		begin_restore(sup, answer, zone, false);
	else
		connect_zone(sup, answer, name, CONTROL_ROW_LAST);
}

void answer_restore_all(struct supervisor *sup, struct answer *answer)
{
	const struct zone *zone = first_isolated(sup);

	if (zone)
		begin_restore(sup, answer, zone, true);
	else
		answer_error(answer, "no zone is isolated");
}

/* ---- isolating */

/* Shut first: a disk that stalls or takes nothing holds up what is written of it, and no more. */
void answer_isolate(struct supervisor *sup, struct answer *answer)
{
	char name[CONTROL_ARGUMENT_BYTES];
	const char *why = answer_name(answer, name);
	struct zone *zone = zones_find(&sup->zones, name);
	bool was_isolated, led, kept;

	if (!zone) {
		answer_error(answer, "no such zone");
		return;
	}
	give_up_restores(sup, name, "it was isolated again meanwhile; it stays isolated");
	was_isolated = zone->isolated;
	led = lead_zone(sup, answer, zone, true) == 0;
	/* Behind it: nothing new comes to be meanwhile. Who does not run now has it to do before
	 * the zone is restored. */
	(void)sever_flows(sup, zone, 0);
	kept = isolation_keep(sup->isolation_fd, name, ISOLATED_BY_OPERATOR) == 0;
	if (!was_isolated)
		emergency_by_console(sup, answer->console, "zone", name, why);
	if (!led) {
		answer_error(answer, sup->zones.reason);
	} else if (!kept) {
		answer_error(answer, ISOLATED_UNKEPT);
	} else {
		answer_cell(answer, "%s", name);
		answer_cell(answer, "isolated");
		answer_send(answer, CONTROL_ROW_LAST);
	}
}

/* Every zone is shut before anything is written, as one is. */
void answer_isolate_all(struct supervisor *sup, struct answer *answer)
{
	static const size_t count = sizeof(sup->zones.zones) / sizeof(sup->zones.zones[0]);
	bool some = false, led, kept = true;

	give_up_restores(sup, NULL, "all zones were isolated meanwhile; they stay isolated");
	for (size_t i = 0; i < count; i++) {
		struct zone *zone = &sup->zones.zones[i];

		some |= zone->used && !zone->isolated;
		if (zone->used)
			mark_zone(sup, answer, zone, true);
	}
	led = commit_reconverge(sup) == 0;
	for (size_t i = 0; i < count; i++) {
		const struct zone *zone = &sup->zones.zones[i];

		if (!zone->used)
			continue;
		(void)sever_flows(sup, zone, 0); /* as for one */
		kept &= isolation_keep(sup->isolation_fd, zone->name, ISOLATED_BY_OPERATOR) == 0;
	}
	if (some)
		emergency_by_console(sup, answer->console, "all", "zones", answer->query->argument);
	if (!led) {
		answer_error(answer, sup->zones.reason);
	} else if (!kept) {
		answer_error(answer, ISOLATED_UNKEPT);
	} else {
		answer_cell(answer, "all zones");
		answer_cell(answer, "isolated");
		answer_send(answer, CONTROL_ROW_LAST);
	}
}
