/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether what is on the disk is still what was saved (L3): all configurations that are kept, at
 * the start, each day and when somebody asks. Their files never change once they have their names,
 * so one whose checksum fits and that yet differs from what was read before was changed, too.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "config/asking.h"
#include "policy/print.h"

#define SOON_MS  1000U     /* behind a commit that is under way */
#define DAILY_MS 86400000U /* between two checks */

#define TOLD_BYTES 16384 /* of what is told to whoever asked: a line for each */

static const char written[] = "written again from what runs";
static const char unwritten[] = "could not be written again";
static const char left[] = "left as it is: do not roll back to it";

/* One that is not as it was saved. */
static void report(struct config *c, uint32_t number, const char *error, const char *done)
{
	struct config_check *k = &c->check;

	k->damaged++;
	if (k->asked)
		event_send(&c->process.events, EVENT_SAVED_DAMAGED, EV_NUMBER(COMMIT, number),
			   EV_TEXT(ERROR, error), EV_TEXT(DETAIL, done),
			   EV_PERSON(USER, k->person, k->console));
	else
		event_send(&c->process.events, EVENT_SAVED_DAMAGED, EV_NUMBER(COMMIT, number),
			   EV_TEXT(ERROR, error), EV_TEXT(DETAIL, done));
	if (k->asked)
		(void)bytes_printf(
			&k->told,
			k->language == LANGUAGE_JA
				? "設定 %u は保存時と異なります (%s)。%s\n"
				: "configuration %u is not as it was saved (%s): %s\n",
			number, error,
			k->language == LANGUAGE_EN ? done
			: done == written          ? "動作中の設定から書き直しました"
			: done == unwritten
				? "書き直せませんでした"
				: "そのままにしました。rollback に使わないでください"); /* seen
							 by whoever sends it */
}

/* What runs is whole in memory: without this the next start would begin with an older one. */
static const char *write_again(struct config *c)
{
	const struct store_entry *entry = &c->running_entry;

	if (store_stage(c->state_dir, entry, bytes_span(&c->running_text)) != 0 ||
	    store_publish(c->state_dir, entry->number) != 0)
		return unwritten;
	if (c->newest < entry->number)
		c->newest = entry->number;
	return written;
}

/* Whether a saved text still means what runs: both print the same. */
static bool is_running(const struct config *c, struct span text)
{
	struct problems problems;
	struct bytes printed;
	struct tree tree;
	bool same;

	problems_init(&problems);
	if (asking_parse(&tree, text, &problems) != 0)
		return false;
	bytes_init(&printed, CONFIG_TEXT_BYTES);
	same = print_tree(&printed, tree.root) == 0 &&
	       span_equal(bytes_span(&printed), bytes_span(&c->running_text));
	bytes_fini(&printed);
	tree_fini(&tree);
	return same;
}

/* All that a file says, its head too: who saved it, when and why is evidence. */
static void digest_of(const struct store_entry *e, struct span text, uint8_t digest[SHA256_BYTES])
{
	struct sha256 sum;

	sha256_init(&sum);
	sha256_update(&sum, &e->time_s, sizeof(e->time_s));
	sha256_update(&sum, &e->chosen, sizeof(e->chosen));
	/* each with its NUL, so that none runs into the next */
	sha256_update(&sum, e->origin, strlen(e->origin) + 1);
	sha256_update(&sum, e->comment, strlen(e->comment) + 1);
	sha256_update(&sum, e->by, strlen(e->by) + 1);
	sha256_update(&sum, text.data, text.size);
	sha256_final(&sum, digest);
}

/* Whether a file says what was read under this number before; it does from now on. */
static bool is_as_before(struct config *c, const struct store_entry *entry, struct span text)
{
	struct config_sight *sight = &c->sights[entry->number % STORE_KEPT];
	uint8_t digest[SHA256_BYTES];

	digest_of(entry, text, digest);
	if (sight->number == entry->number)
		return memcmp(sight->sha256, digest, sizeof(digest)) == 0;
	memcpy(sight->sha256, digest, sizeof(digest));
	sight->number = entry->number;
	return true;
}

void config_saved_note(struct config *c, uint32_t number)
{
	struct config_sight *sight = &c->sights[number % STORE_KEPT];
	struct store_entry entry;
	struct bytes text;

	bytes_init(&text, CONFIG_TEXT_BYTES);
	sight->number = 0; /* one of that number that was never saved is forgotten */
	if (store_read(c->state_dir, number, &entry, &text) == 0)
		(void)is_as_before(c, &entry, bytes_span(&text)); /* the first */
	bytes_fini(&text);
}

static void check_one(struct config *c, uint32_t number)
{
	bool runs = number == c->running_entry.number;
	struct store_entry entry;
	const char *error = NULL;
	struct bytes text;
	int err;

	bytes_init(&text, CONFIG_TEXT_BYTES);
	err = store_read(c->state_dir, number, &entry, &text);
	if (err != 0)
		error = err_name(err);
	else if (runs && !is_running(c, bytes_span(&text)))
		error = "not what runs";
	else if (!is_as_before(c, &entry, bytes_span(&text)))
		error = "changed since it was read";
	bytes_fini(&text);
	c->check.count++;
	if (error != NULL)
		report(c, number, error, runs ? write_again(c) : left);
}

/* What should be there: the newest ones without a gap. */
static uint32_t newest_of(const struct config *c)
{
	uint32_t newest = c->newest, listed;

	if (store_list(c->state_dir, &listed, 1) == 1 && listed > newest)
		newest = listed;
	return c->running_entry.number > newest ? c->running_entry.number : newest;
}

static void answer(struct config *c)
{
	struct config_check *k = &c->check;
	struct config_link *link = &c->links[k->link];

	(void)bytes_printf(&k->told,
			   k->language == LANGUAGE_JA ? "保存された設定 %u件、異常 %u件\n"
						      : "%u saved configurations, %u damaged\n",
			   k->count, k->damaged); /* short */
	if (k->link != CONFIG_NOBODY && link->used)
		(void)config_answer(c, link, k->serial,
				    k->damaged > 0 ? CONSOLE_FAILED : CONSOLE_OK,
				    bytes_span(&k->told)); /* a console that has gone needs none */
}

static void finish(struct config *c)
{
	struct config_check *k = &c->check;

	c->saved_whole = k->damaged == 0;
	if (c->saved_whole && k->asked)
		event_send(&c->process.events, EVENT_CONFIG_CHECKED, EV_TEXT(REASON, "command"),
			   EV_NUMBER(COUNT, k->count), EV_PERSON(USER, k->person, k->console));
	else if (c->saved_whole)
		event_send(&c->process.events, EVENT_CONFIG_CHECKED,
			   EV_TEXT(REASON, c->saved_begun ? "daily" : "start"),
			   EV_NUMBER(COUNT, k->count));
	if (k->asked)
		answer(c);
	else
		c->saved_begun = true;
	bytes_fini(&k->told);
	*k = (struct config_check){0};
}

/* The next file of a check, or the first of one. Only one: whoever asks in between is answered, and
 * the supervisor's pings are, however slow the disk is. */
static void on_timer(struct loop *loop, struct loop_timer *self)
{
	struct config *c = self->ctx;
	struct config_check *k = &c->check;

	if (c->commit.active) {
		loop_arm(loop, self, SOON_MS);
		return;
	}
	if (!k->active) {
		*k = (struct config_check){.active = true, .next = newest_of(c)};
		bytes_init(&k->told, TOLD_BYTES);
	}
	if (k->next > 0 && (k->next > c->newest || c->newest - k->next < STORE_KEPT)) {
		check_one(c, k->next--);
		loop_arm(loop, self, 0);
		return;
	}
	finish(c);
	loop_arm(loop, self, DAILY_MS);
}

void config_saved_init(struct config *c)
{
	c->saved_timer = (struct loop_timer){.fire = on_timer, .ctx = c};
}

void config_saved_begin(struct config *c)
{
	if (c->state_dir >= 0)
		loop_arm(&c->loop, &c->saved_timer, 0);
}

enum console_status saved_check(struct asking *a)
{
	struct config_check *k = &a->c->check;

	if (a->c->state_dir < 0)
		return asking_say(a, CONSOLE_FAILED, "nothing is saved here\n",
				  "保存先がありません\n");
	if (a->c->commit.active)
		return asking_say(a, CONSOLE_FAILED, "another commit is under way\n",
				  "別の適用処理が進行中です\n");
	if (k->active)
		return asking_say(a, CONSOLE_FAILED, "another check is under way\n",
				  "別の検査が進行中です\n");
	*k = (struct config_check){.active = true,
				   .asked = true,
				   .next = newest_of(a->c),
				   .link = (uint32_t)(a->link - a->c->links),
				   .serial = a->request->serial,
				   .language = a->language,
				   .console = a->link->index};
	(void)snprintf(k->person, sizeof(k->person), "%s", a->link->person);
	bytes_init(&k->told, TOLD_BYTES);
	loop_arm(&a->c->loop, &a->c->saved_timer, 0);
	return STATUS_LATER;
}
