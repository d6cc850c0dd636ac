/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of an order to wipe the data device: a password that was typed again, under two-person a
 * second administrator who does the same, the record on the disk and on its way to the syslog
 * servers, the certificate, the order on the disk, all zones shut, a restart.
 */
#include "supervisor/zeroise/zeroise.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "channel/zeroise.h"
#include "policy/persons.h"
#include "supervisor/query/query.h"
#include "supervisor/supervisor.h"
#include "supervisor/zeroise/device.h"

#define MARGIN_MS   5000U /* behind what audit has promised */
#define FILE_BYTES  1024U /* of an order and its first line (channel/machine.h) */
#define CODE_BYTES  16U
#define TIME_BYTES  32U
#define NOBODY      "none"
#define UNRECORDED  "it could not be recorded in the log, and is not done"
#define UNCERTIFIED "no certificate of it could be made; nothing is done"
#define UNCONFIRMED "the password was not confirmed in time; nothing is done"
#define ENDING      "the end of the machine is under way"
#define NS_IN_S     1000000000

_Static_assert(sizeof("code \n") + MACHINE_WIPE_CODE_BYTES + ZEROISE_CERTIFICATE_BYTES <=
		       MACHINE_WIPE_ORDER_BYTES,
	       "an order has room for its certificate");

/* ---- answers */

/* Return: the console that waits for the answer, which is begun; NULL: it has gone. */
static struct child *begin_answer(struct supervisor *sup, struct answer *answer)
{
	const struct control_query *query = &sup->zeroise.query;
	struct child *console = child_find(sup, ROLE_CONSOLE, query->console);

	if (!console || strcmp(console->person, query->person) != 0)
		return NULL;
	answer_begin(answer, console, query);
	return console;
}

/* Nothing is done. @recorded: it stands in the log that it would be. */
static void refuse(struct supervisor *sup, const char *why, bool recorded)
{
	struct zeroise *z = &sup->zeroise;
	struct answer answer;

	loop_disarm(&sup->loop, &z->timer);
	z->state = ZEROISE_NONE;
	explicit_bzero(z->code, sizeof(z->code));
	if (recorded)
		supervisor_event(sup, EVENT_ZEROISE_NOT_DONE, EV_TEXT(REASON, why),
				 EV_PERSON(USER, z->query.person, z->query.console));
	if (begin_answer(sup, &answer))
		answer_error(&answer, why);
}

/* What it waits for does not come. */
static void refuse_waiting(struct supervisor *sup)
{
	static const char *const why[] = {[ZEROISE_UNCONFIRMED] = UNCONFIRMED,
					  [ZEROISE_RECORDING] = UNRECORDED,
					  [ZEROISE_CERTIFYING] = UNCERTIFIED};
	enum zeroise_state state = sup->zeroise.state;

	refuse(sup, why[state], state != ZEROISE_UNCONFIRMED);
}

static void on_late(struct loop *loop, struct loop_timer *self)
{
	refuse_waiting(self->ctx);
}

static void wait_for(struct supervisor *sup, enum zeroise_state state, uint64_t most_ms)
{
	struct zeroise *z = &sup->zeroise;

	z->state = state;
	z->timer.fire = on_late;
	z->timer.ctx = sup;
	loop_arm(&sup->loop, &z->timer, most_ms);
}

/* A sentence, which the console has in both languages, and lines below it. */
static void answer_done(struct answer *answer, const char *sentence, const char *text)
{
	answer_heading(answer, &sentence, 1);
	while (*text != '\0') {
		size_t size = strcspn(text, "\n");

		answer_cell(answer, "%.*s", (int)size, text);
		answer_send(answer, 0);
		text += size + (text[size] == '\n');
	}
	answer_send(answer, CONTROL_ROW_LAST);
}

/* ---- what is said of it */

static int64_t now_s(const struct supervisor *sup)
{
	return clock_wall_ns(sup->loop.clock) / NS_IN_S;
}

/* Return: whether @text, of ZEROISE_ORDER_TEXT bytes, has room for all. */
static bool describe(struct supervisor *sup, char *text)
{
	const struct zeroise *z = &sup->zeroise;
	bool by_one = strcmp(z->author.name, z->query.person) == 0;
	uint8_t hash[SHA256_BYTES];
	struct data_device device;
	char when[TIME_BYTES] = "";
	time_t now = now_s(sup);
	struct writer out;
	struct tm parts;

	if (data_device_look(sup->state_fd, &device) < 0)
		return false;
	if (gmtime_r(&now, &parts) != NULL)
		(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &parts); /* it fits */
	sha256_of(z->code, strlen(z->code), hash);
	writer_init(&out, text, ZEROISE_ORDER_TEXT - 1);
	writer_printf(&out, "ordered %s\nperson %s\napprover %s\nreason %s\ndevice %s %s\nbytes ",
		      when, z->author.name, by_one ? NOBODY : z->query.person, z->reason,
		      device.name, device.serial[0] != '\0' ? device.serial : NOBODY);
	writer_printf(&out, "%llu\nmethod " MACHINE_WIPE_METHOD "\ncompletion-sha256 ",
		      (unsigned long long)device.size_bytes);
	for (size_t i = 0; i < sizeof(hash); i++)
		writer_printf(&out, "%02x", hash[i]);
	writer_text(&out, "\n");
	text[out.size] = '\0';
	return !out.failed;
}

/* What stands only at the end of the wipe, and whose hash is signed before. */
static int make_code(char code[MACHINE_WIPE_CODE_BYTES])
{
	uint8_t random[CODE_BYTES];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -ERR_SYSTEM;
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(code + 2 * i, 3, "%02x", random[i]);
	explicit_bzero(random, sizeof(random));
	return 0;
}

/* ---- who may */

static bool takes_two(const struct supervisor *sup)
{
	const struct snapshot *policy = &sup->running.snapshot;

	return sup->running.fd < 0 ||
	       (policy->login_count > 0 && policy->logins[0].two_person != 0);
}

static void propose(struct supervisor *sup, const struct child *console)
{
	static const char *const headings[] = {
		"proposed: another administrator has 30 minutes to log in here and do the same"};
	struct zeroise *z = &sup->zeroise;
	struct answer answer;

	z->state = ZEROISE_NONE;
	z->proposed_ms = clock_mono_ms(sup->loop.clock);
	z->proposal++;
	supervisor_event(sup, EVENT_ZEROISE_PROPOSED, EV_TEXT(REASON, z->reason),
			 EV_PERSON(USER, console->person, console->index));
	if (begin_answer(sup, &answer))
		answer_done(&answer, headings[0], "");
}

/* By what is in force now: who has been dismissed meanwhile proposes nothing. */
static bool is_administrator(const struct supervisor *sup, const char *name)
{
	const struct snapshot *policy = &sup->running.snapshot;
	int64_t at_s = now_s(sup);

	for (size_t i = 0; i < policy->person_count; i++) {
		const struct snapshot_person *person = &policy->persons[i];

		if (strcmp(person->name, name) == 0)
			return !person->suspended && at_s < person->expires_s &&
			       (person->role == SNAPSHOT_ROLE_ADMINISTRATOR ||
				at_s < person->administrator_until_s);
	}
	return false;
}

static bool is_proposed(const struct supervisor *sup)
{
	const struct zeroise *z = &sup->zeroise;

	return z->proposed_ms != 0 &&
	       clock_mono_ms(sup->loop.clock) - z->proposed_ms < ZEROISE_PROPOSAL_MS &&
	       is_administrator(sup, z->author.name);
}

/* Whether what counts now is what the console of who asks has just been shown. */
static bool is_as_shown(const struct supervisor *sup, const struct child *console)
{
	return console->wipe_shown == sup->zeroise.proposal;
}

bool zeroise_show_proposed(struct supervisor *sup, struct answer *answer)
{
	static const char *const headings[] = {"wipe of all data proposed by", "why", "until"};
	const struct zeroise *z = &sup->zeroise;
	uint64_t age_ms = clock_mono_ms(sup->loop.clock) - z->proposed_ms;

	if (!takes_two(sup) || !is_proposed(sup))
		return false;
	answer_heading(answer, headings, sizeof(headings) / sizeof(headings[0]));
	answer_cell(answer, "%s", z->author.name);
	answer_cell(answer, "%s", z->reason);
	answer_when(answer, now_s(sup) + (int64_t)((ZEROISE_PROPOSAL_MS - age_ms) / 1000), "");
	answer_send(answer, 0);
	return true;
}

void answer_wipe_proposed(struct supervisor *sup, struct answer *answer)
{
	bool shown = zeroise_show_proposed(sup, answer);

	answer_send(answer, CONTROL_ROW_LAST);
	answer->console->wipe_shown = shown ? sup->zeroise.proposal : 0;
}

static void take_author(struct supervisor *sup, const struct child *console)
{
	struct zeroise *z = &sup->zeroise;
	const char *typed = z->query.argument;

	(void)snprintf(z->author.name, sizeof(z->author.name), "%s", console->person);
	(void)snprintf(z->author.hands, sizeof(z->author.hands), "%s", console->hands);
	utf8_one_line(z->reason, sizeof(z->reason),
		      (struct span){(const uint8_t *)typed, strlen(typed)});
}

/* ---- the way */

static void ask_for_record(struct supervisor *sup)
{
	struct zeroise *z = &sup->zeroise;
	struct child *audit = child_find(sup, ROLE_AUDIT, 0);
	struct control_record body = {.number = ++sup->record_serial};

	if (!child_is_alive(audit)) {
		refuse(sup, UNRECORDED, false);
		return;
	}
	supervisor_event(sup, EVENT_ZEROISE_ORDERED, EV_TEXT(REASON, z->reason),
			 EV_TEXT(NAME, z->author.name),
			 EV_PERSON(USER, z->query.person, z->query.console));
	z->number = body.number;
	wait_for(sup, ZEROISE_RECORDING, MARGIN_MS);
	child_send(audit, CONTROL_RECORD, &body, sizeof(body), NULL, 0);
}

/* The password was right. */
static void go_on(struct supervisor *sup, struct child *console)
{
	struct zeroise *z = &sup->zeroise;

	loop_disarm(&sup->loop, &z->timer);
	z->confirmed_pid = 0;
	if (!takes_two(sup)) {
		z->proposed_ms = 0; /* what another one proposed is over */
		take_author(sup, console);
		ask_for_record(sup);
	} else if (!is_proposed(sup) || strcmp(z->author.name, console->person) == 0) {
		take_author(sup, console);
		propose(sup, console);
	} else if (persons_may_be_one(z->author.name, z->author.hands, console->person,
				      console->hands)) {
		refuse(sup,
		       "whoever proposed it may have had your password: it takes another "
		       "person",
		       false);
	} else if (!is_as_shown(sup, console)) {
		refuse(sup, "another wipe has been proposed meanwhile: look at it", false);
	} else {
		ask_for_record(sup);
	}
}

static bool is_confirmed(const struct supervisor *sup, const struct child *console)
{
	const struct zeroise *z = &sup->zeroise;

	return z->confirmed_pid != 0 && z->confirmed_pid == (uint32_t)console->pid &&
	       strcmp(z->confirmed_person, console->person) == 0 &&
	       clock_mono_ms(sup->loop.clock) - z->confirmed_ms < ZEROISE_CONFIRM_MS;
}

static const char *why_not(const struct supervisor *sup, const struct answer *answer)
{
	struct data_device device;

	if (!sup->options.own_disk)
		return "this machine is not the gateway's own: wipe its disk by its own means";
	if (!answer->console->is_tty || answer->console->person[0] == '\0')
		return "only at the serial console, by somebody who has logged in";
	if (data_device_look(sup->state_fd, &device) < 0)
		return "this machine keeps nothing on a disk: switch it off";
	if (zeroise_is_under_way(sup) || sup->stopping || sup->power.record != 0)
		return ENDING;
	return answer->query->argument[0] == '\0' ? "give a reason" : NULL;
}

void answer_zeroise(struct supervisor *sup, struct answer *answer)
{
	const char *why = why_not(sup, answer);

	if (why != NULL) {
		answer_error(answer, why);
		return;
	}
	sup->zeroise.query = *answer->query;
	if (is_confirmed(sup, answer->console))
		go_on(sup, answer->console);
	else
		wait_for(sup, ZEROISE_UNCONFIRMED, ZEROISE_CONFIRM_MS);
}

int zeroise_handle_confirmed(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_confirmed *said = message->body;
	struct supervisor *sup = ((struct child *)ctx)->sup;
	struct zeroise *z = &sup->zeroise;
	struct child *console = child_find(sup, ROLE_CONSOLE, said->console);

	if (!console || (uint32_t)console->pid != said->pid)
		return 0; /* of a console that has ended */
	z->confirmed_pid = said->pid;
	z->confirmed_ms = clock_mono_ms(sup->loop.clock);
	(void)snprintf(z->confirmed_person, sizeof(z->confirmed_person), "%s", console->person);
	if (z->state == ZEROISE_UNCONFIRMED && z->query.console == console->index &&
	    strcmp(z->query.person, console->person) == 0)
		go_on(sup, console);
	return 0;
}

void zeroise_recorded(struct supervisor *sup, const struct control_recorded *recorded)
{
	struct zeroise *z = &sup->zeroise;
	struct control_certify body = {.number = recorded->number};

	if (z->state != ZEROISE_RECORDING || recorded->number != z->number)
		return;
	if (!recorded->ok || make_code(z->code) < 0 || !describe(sup, body.text)) {
		refuse(sup, recorded->ok ? UNCERTIFIED : UNRECORDED, true);
		return;
	}
	wait_for(sup, ZEROISE_CERTIFYING, ZEROISE_SEND_MS + MARGIN_MS);
	child_send(child_find(sup, ROLE_AUDIT, 0), CONTROL_CERTIFY, &body, sizeof(body), NULL, 0);
}

void zeroise_stop(struct supervisor *sup)
{
	enum zeroise_state state = sup->zeroise.state;

	if (state != ZEROISE_NONE && state != ZEROISE_LEFT)
		refuse(sup, ENDING, state != ZEROISE_UNCONFIRMED);
}

bool zeroise_is_under_way(const struct supervisor *sup)
{
	return sup->zeroise.state != ZEROISE_NONE;
}

void zeroise_unrecorded(struct supervisor *sup)
{
	if (sup->zeroise.state == ZEROISE_RECORDING || sup->zeroise.state == ZEROISE_CERTIFYING)
		refuse_waiting(sup);
}

void zeroise_withdraw(struct supervisor *sup, const struct child *console, uint32_t number)
{
	const struct zeroise *z = &sup->zeroise;

	if (z->state != ZEROISE_NONE && z->state != ZEROISE_LEFT &&
	    z->query.console == console->index && z->query.number == number)
		refuse(sup, "withdrawn", z->state != ZEROISE_UNCONFIRMED);
}

/* Whether an order stands in the directory, whole. */
static bool is_left(const struct supervisor *sup)
{
	struct span content;
	struct bytes order;
	bool left;

	bytes_init(&order, FILE_BYTES);
	left = file_read(sup->state_fd, MACHINE_WIPE_ORDER, &order) == 0 &&
	       file_check(bytes_span(&order), MACHINE_WIPE_KIND, &content) == 0;
	bytes_fini(&order);
	return left;
}

/*
 * From here on each start of the machine carries it out. An order that stands there while the disk
 * does not say whether it keeps it is given, too: a start may find it, and the log must not say
 * before that it is not done. Return: 0 or an error of file_replace: then there is none.
 */
static int leave_order(struct supervisor *sup, const char *certificate)
{
	struct bytes order;
	int err;

	bytes_init(&order, MACHINE_WIPE_ORDER_BYTES);
	err = bytes_printf(&order, "code %s\n%s", sup->zeroise.code, certificate);
	if (err == 0)
		err = file_replace(sup->state_fd, MACHINE_WIPE_ORDER, MACHINE_WIPE_KIND,
				   bytes_span(&order));
	bytes_fini(&order);
	return err < 0 && is_left(sup) ? 0 : err;
}

/* What fails here ends with the processes and their namespaces, a moment later. */
static void shut(struct supervisor *sup)
{
	sup->zones.shut |= ZONES_SHUT_ZEROISE;
	sockets_close_all(sup);
	session_end_all(sup);
	(void)commit_reconverge(sup); /* its failure is an event of its own */
}

int zeroise_handle_certified(struct channel *ch, void *ctx, const struct channel_message *message)
{
	static const char *const headings[] = {
		"all zones are shut; the machine starts anew and is wiped"};
	const struct control_certified *said = message->body;
	struct supervisor *sup = ((struct child *)ctx)->sup;
	struct zeroise *z = &sup->zeroise;
	struct answer answer;

	if (memchr(said->text, '\0', sizeof(said->text)) == NULL)
		return -ERR_PEER;
	if (z->state != ZEROISE_CERTIFYING || said->number != z->number)
		return 0; /* it came too late */
	if (leave_order(sup, said->text) < 0) {
		refuse(sup, "the order cannot be written to the disk; nothing is done", true);
		return 0;
	}
	loop_disarm(&sup->loop, &z->timer);
	z->state = ZEROISE_LEFT;
	explicit_bzero(z->code, sizeof(z->code));
	shut(sup);
	if (begin_answer(sup, &answer))
		answer_done(&answer, headings[0], said->text);
	sup->exit_status = MACHINE_REBOOT;
	supervisor_stop(sup, EV_TEXT(REASON, "zeroise"));
	return 0;
}
