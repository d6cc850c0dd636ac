/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A commit: the text is staged on disk, the compiled block goes to the supervisor, and only its
 * "yes" gives the text its name. A power cut in between leaves the old configuration, a cut behind
 * it the new one.
 */
#include "config/proposal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sealed.h"

#define WARNED_BYTES   65536 /* of messages that stand before an answer */
#define SEND_WAIT_MS   2000
#define ANSWER_MS      60000U /* more than the supervisor's own deadlines together */
#define FIRST_AGAIN_MS 5000U  /* a port may appear late */

void config_commit_init(struct config_commit *commit)
{
	*commit = (struct config_commit){.link = CONFIG_NOBODY};
	bytes_init(&commit->text, CONFIG_TEXT_BYTES);
	bytes_init(&commit->block, SNAPSHOT_BYTES_MAX);
	bytes_init(&commit->warned, WARNED_BYTES);
}

void config_commit_fini(struct config_commit *commit)
{
	bytes_fini(&commit->text);
	bytes_fini(&commit->block);
	bytes_fini(&commit->warned);
	config_commit_init(commit);
}

int config_commit_send(struct config *c)
{
	struct control_commit body = {
		.request = ++c->requests,
		.policy = {.chosen = c->commit.chosen ? c->commit.entry.number : 0,
			   .saved = c->newest,
			   .untouched = c->untouched},
		.emergency = c->commit.emergency,
	};
	int fd = -1;
	int err = sealed_make("policy", bytes_span(&c->commit.block), &fd);

	if (err != 0)
		return err;
	/* Recorded before it takes effect. */
	event_send(&c->process.events, EVENT_COMMIT_REQUESTED,
		   EV_NUMBER(COMMIT, c->commit.entry.number), EV_TEXT(NAME, c->commit.entry.origin),
		   EV_TEXT(COMMENT, c->commit.entry.comment),
		   EV_SHA256(SHA256,
			     ((const struct snapshot_header *)(const void *)c->commit.block.data)
				     ->sha256));
	body.emergency.number = c->commit.entry.number;
	if (c->commit.chosen)
		(void)snprintf(body.policy.by, sizeof(body.policy.by), "%s", c->commit.entry.by);
	c->commit.active = true;
	c->commit.request = body.request;
	c->commit.sent_s = clock_wall_ns(&clock_system) / 1000000000;
	err = channel_send_wait(&c->process.control, CONTROL_COMMIT, &body, sizeof(body), &fd, 1,
				SEND_WAIT_MS);
	close(fd);
	if (err != 0)
		c->commit.active = false;
	else
		loop_arm(&c->loop, &c->commit_timer, ANSWER_MS);
	return err;
}

static void tell(struct config *c, enum console_status status, const char *text)
{
	struct config_link *link;

	if (c->commit.first_administrator != 0)
		config_first_tell(c, c->commit.first_administrator, status == CONSOLE_OK,
				  span_of(text));
	if (c->commit.link == CONFIG_NOBODY)
		return;
	link = &c->links[c->commit.link];
	(void)bytes_append_text(&c->commit.warned, text);
	if (link->used)
		(void)config_answer(c, link, c->commit.serial, status,
				    c->commit.warned.failed
					    ? span_of(text)
					    : bytes_span(&c->commit.warned)); /* a console that has
									gone needs no answer */
}

/* What was staged gets its name. Running and saved differ where that fails, which is said loudly.
 */
static bool publish(struct config *c)
{
	if (c->commit.staged && store_publish(c->state_dir, c->commit.entry.number) == 0) {
		c->newest = c->commit.entry.number;
		config_saved_note(c, c->newest);
		c->untouched = c->untouched && !c->commit.chosen;
		return true;
	}
	if ((c->commit.first || c->commit.edge) && !c->commit.staged)
		return true;
	event_send(&c->process.events, EVENT_CONFIG_UNSAVED,
		   EV_NUMBER(COMMIT, c->commit.entry.number));
	return false;
}

/* A newer configuration confirms the one before it; where that cannot be noted, it must at least
 * not be taken back by itself. */
static void confirm_older(struct config *c)
{
	if (config_unconfirmed_confirm(c, c->commit.entry.origin) < 0)
		config_unconfirmed_returned(c, false);
}

/* What waits to be confirmed begins to wait, has returned, or is confirmed by what comes behind. */
static void settle_unconfirmed(struct config *c, bool saved)
{
	const struct config_commit *commit = &c->commit;

	if (commit->confirm_minutes > 0)
		config_unconfirmed_settle(c, true);
	else if (commit->returns)
		config_unconfirmed_returned(c, saved);
	else if (saved && !commit->first && !commit->edge)
		confirm_older(c);
}

/* The answer to whoever waits. */
static void tell_accepted(struct config *c, bool saved)
{
	const struct config_commit *commit = &c->commit;
	bool japanese = commit->language == LANGUAGE_JA;
	char text[240];
	int size = snprintf(
		text, sizeof(text),
		japanese ? "適用しました: 設定 %u%s\n" : "committed: configuration %u%s\n",
		commit->entry.number,
		saved      ? ""
		: japanese ? " (保存に失敗しました。再起動すると以前の設定に戻ります)"
			   : " (but it could not be saved: a restart brings the old one back)");

	if (commit->confirm_minutes > 0)
		snprintf(
			text + size, sizeof(text) - (size_t)size,
			japanese
				? "%u分以内に commit で確定しなければ元の設定に戻ります\n"
				: "unless `commit` confirms it, the one before is back in %u min\n",
			commit->confirm_minutes);
	tell(c, saved ? CONSOLE_OK : CONSOLE_FAILED, text);
}

static void settle_accepted(struct config *c, uint64_t epoch)
{
	bool saved = publish(c);
	struct bytes old_text = c->running_text, old_block = c->running_block;

	proposal_committed(
		c); /* it is saved: nothing is lost where this machine stops in between */
	c->running_text = c->commit.text;
	c->running_block = c->commit.block;
	if (!c->commit.edge) /* whose it is does not change with the time */
		c->running_entry = c->commit.entry;
	c->running_chosen = c->commit.chosen;
	bytes_fini(&old_text);
	bytes_fini(&old_block);
	bytes_init(&c->commit.text, CONFIG_TEXT_BYTES);
	bytes_init(&c->commit.block, SNAPSHOT_BYTES_MAX);
	config_edge_watch(c, c->commit.sent_s);
	event_send(&c->process.events, EVENT_COMMIT_DONE, EV_NUMBER(COMMIT, c->commit.entry.number),
		   EV_NUMBER(EPOCH, epoch));
	settle_unconfirmed(c, saved);
	config_slots_look(c);
	tell_accepted(c, saved);
}

static void settle_refused(struct config *c, const char *reason)
{
	bool japanese = c->commit.language == LANGUAGE_JA;
	char text[256];

	if (c->commit.confirm_minutes > 0)
		config_unconfirmed_settle(c, false);
	event_send(&c->process.events, EVENT_COMMIT_REFUSED,
		   EV_NUMBER(COMMIT, c->commit.entry.number), EV_TEXT(REASON, reason));
	snprintf(text, sizeof(text),
		 japanese ? "適用できませんでした。何も変更していません: %s\n"
			  : "refused, nothing was changed: %s\n",
		 reason);
	tell(c, CONSOLE_FAILED, text);
}

void config_commit_settle(struct config *c, const struct control_committed *answer)
{
	char reason[sizeof(answer->reason) + 1] = {0};

	if (!c->commit.active || answer->request != c->commit.request)
		return;
	loop_disarm(&c->loop, &c->commit_timer);
	c->commit.active = false;
	if (answer->ok != 0) {
		settle_accepted(c, answer->epoch);
	} else {
		memcpy(reason, answer->reason, sizeof(answer->reason));
		settle_refused(c, reason);
	}
	if (answer->ok == 0 && c->commit.first)
		loop_arm(&c->loop, &c->commit_timer, FIRST_AGAIN_MS);
	else
		config_commit_fini(&c->commit);
}
