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
#define DAILY_MS 86400000U /* between two checks that nobody asked for */

struct check {
	struct config *c;
	struct bytes *told;     /* what is found, for whoever asked; NULL: nobody */
	enum language language; /* of @told */
	uint32_t count, damaged;
};

static const char written[] = "written again from what runs";
static const char unwritten[] = "could not be written again";
static const char left[] = "left as it is: do not roll back to it";

/* One that is not as it was saved. */
static void report(struct check *k, uint32_t number, const char *error, const char *done)
{
	k->damaged++;
	event_send(&k->c->process.events, EVENT_SAVED_DAMAGED, EV_NUMBER(COMMIT, number),
		   EV_TEXT(ERROR, error), EV_TEXT(DETAIL, done));
	if (k->told != NULL)
		(void)bytes_printf(
			k->told,
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

/* Whether a text is the one that was read under this number before; it is from now on. */
static bool is_as_before(struct config *c, uint32_t number, struct span text)
{
	struct config_sight *sight = &c->sights[number % STORE_KEPT];
	uint8_t digest[SHA256_BYTES];
	bool same;

	sha256_of(text.data, text.size, digest);
	same = sight->number != number || memcmp(sight->sha256, digest, sizeof(digest)) == 0;
	if (sight->number != number)
		memcpy(sight->sha256, digest, sizeof(digest));
	sight->number = number;
	return same;
}

static void check_one(struct check *k, uint32_t number)
{
	struct config *c = k->c;
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
	else if (!is_as_before(c, number, bytes_span(&text)))
		error = "changed since it was read";
	bytes_fini(&text);
	k->count++;
	if (error != NULL)
		report(k, number, error, runs ? write_again(c) : left);
}

/* All that should be there: the newest ones without a gap. Return: 0 or -ERR_SYSTEM. */
static int check_all(struct check *k)
{
	struct config *c = k->c;
	uint32_t newest = c->newest, listed;
	int count = store_list(c->state_dir, &listed, 1);

	if (count < 0)
		return count;
	if (count > 0 && listed > newest)
		newest = listed;
	if (c->running_entry.number > newest)
		newest = c->running_entry.number;
	for (uint32_t number = newest; number > 0 && newest - number < STORE_KEPT; number--)
		check_one(k, number);
	return 0;
}

static void note(struct config *c, const struct check *k, const char *why,
		 const struct config_link *asked)
{
	c->saved_whole = k->damaged == 0;
	if (!c->saved_whole)
		return;
	if (asked != NULL)
		event_send(&c->process.events, EVENT_CONFIG_CHECKED, EV_TEXT(REASON, why),
			   EV_NUMBER(COUNT, k->count),
			   EV_PERSON(USER, asked->person, asked->index));
	else
		event_send(&c->process.events, EVENT_CONFIG_CHECKED, EV_TEXT(REASON, why),
			   EV_NUMBER(COUNT, k->count));
}

static void on_timer(struct loop *loop, struct loop_timer *self)
{
	struct config *c = self->ctx;
	struct check k = {.c = c};

	if (c->commit.active) {
		loop_arm(loop, self, SOON_MS);
		return;
	}
	if (check_all(&k) != 0)
		report(&k, 0, err_name(-ERR_SYSTEM), left);
	note(c, &k, c->saved_begun ? "daily" : "start", NULL);
	c->saved_begun = true;
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
	struct check k = {.c = a->c, .told = &a->text, .language = a->language};

	if (a->c->state_dir < 0)
		return asking_say(a, CONSOLE_FAILED, "nothing is saved here\n",
				  "保存先がありません\n");
	if (a->c->commit.active)
		return asking_say(a, CONSOLE_FAILED, "another commit is under way\n",
				  "別の適用処理が進行中です\n");
	if (check_all(&k) != 0)
		return asking_say(a, CONSOLE_FAILED, "the saved configurations cannot be read\n",
				  "保存された設定を読み取れません\n");
	note(a->c, &k, "command", a->link);
	(void)bytes_printf(&a->text,
			   a->language == LANGUAGE_JA ? "保存された設定 %u件、異常 %u件\n"
						      : "%u saved configurations, %u damaged\n",
			   k.count, k.damaged); /* short */
	return k.damaged > 0 ? CONSOLE_FAILED : CONSOLE_OK;
}
