/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What consoles ask about commits: that one be made, confirmed, and what waits. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "config/proposal.h"
#include "policy/print.h"

#define CANDIDATE "candidate" /* the file name of the candidate as `show` prints it */

/* The certificates and authorities that a configuration names. */
static void look_at_slots(struct asking *a, const struct tree_node *root, bool make,
			  struct problems *problems)
{
	struct keys_task task = {.dir = a->c->keys_dir,
				 .root = root,
				 .number = a->c->newest + 1,
				 .now_s = clock_wall_ns(&clock_system) / 1000000000,
				 .aim = make ? KEYS_FILL : KEYS_LOOK,
				 .events = &a->c->process.events};

	keys_provide(&task, problems);
}

/* One line of printable text. */
void asking_comment(char out[STORE_COMMENT_BYTES], struct span typed)
{
	utf8_one_line(out, STORE_COMMENT_BYTES, typed);
}

enum console_status asking_check(struct asking *a, const struct tree_node *root, struct bytes *text,
				 struct bytes *block, bool make)
{
	struct problems problems;
	struct tree printed;

	problems_init(&problems);
	if (print_tree(text, root) != 0)
		return asking_no_memory(a);
	if (asking_parse(&printed, bytes_span(text), &problems) == 0) {
		if (policy_check(&printed, clock_wall_ns(&clock_system) / 1000000000, block,
				 &problems) == 0)
			look_at_slots(a, printed.root, make, &problems);
		tree_fini(&printed);
	}
	return asking_problems(a, &problems, CANDIDATE);
}

enum console_status asking_prepare_commit(struct asking *a, const struct tree_node *root)
{
	struct config_commit *commit = &a->c->commit;

	return asking_check(a, root, &commit->text, &commit->block, true);
}

enum console_status asking_start_commit(struct asking *a, const char *person, const char *comment)
{
	struct config_commit *commit = &a->c->commit;
	const struct console_request *r = a->request;
	uint32_t minutes = r != NULL && r->kind == CONSOLE_COMMIT ? r->number : 0;

	commit->chosen = true;
	commit->entry = (struct store_entry){.number = a->c->newest + 1, .chosen = true};
	commit->entry.time_s = clock_wall_ns(&clock_system) / 1000000000;
	snprintf(commit->entry.origin, sizeof(commit->entry.origin), "%s", person);
	snprintf(commit->entry.by, sizeof(commit->entry.by), "%s", person);
	snprintf(commit->entry.comment, sizeof(commit->entry.comment), "%s", comment);
	if (minutes > 0 && config_unconfirmed_note(a->c, commit->entry.number, minutes) < 0)
		return asking_say(
			a, CONSOLE_FAILED,
			"refused, nothing was changed: that it returns cannot be saved\n",
			"元の設定に戻す予定を保存できないため適用しません。何も変更していません\n");
	commit->confirm_minutes = minutes;
	if (r != NULL) {
		commit->link = (uint32_t)(a->link - a->c->links);
		commit->serial = r->serial;
	}
	commit->language = a->language;
	commit->staged = a->c->state_dir >= 0 && store_stage(a->c->state_dir, &commit->entry,
							     bytes_span(&commit->text)) == 0;
	if (!commit->staged)
		return asking_say(
			a, CONSOLE_FAILED,
			"refused, nothing was changed: the configuration cannot be saved\n",
			"保存できないため適用しません。何も変更していません\n");
	if (config_commit_send(a->c) != 0)
		return asking_say(
			a, CONSOLE_FAILED,
			"refused, nothing was changed: the supervisor cannot be reached\n",
			"監視プロセスに届かないため適用しません。何も変更していません\n");
	/* The answer comes later, and what was warned of stands before it. */
	(void)bytes_append(&commit->warned, a->text.data, a->text.size); /* else told by `check` */
	return STATUS_LATER;
}

static enum console_status start(struct asking *a)
{
	char comment[STORE_COMMENT_BYTES], person[STORE_ORIGIN_BYTES];

	asking_comment(comment, asking_text(a->request->line, CONSOLE_LINE_BYTES));
	if (a->link->person[0] != '\0')
		snprintf(person, sizeof(person), "%s", a->link->person);
	else
		snprintf(person, sizeof(person), "console %u", a->link->index);
	return asking_start_commit(a, person, comment);
}

/* Without a change there is at most something to confirm. */
static enum console_status confirm(struct asking *a)
{
	if (a->c->unconfirmed.number == 0 || a->request->number > 0)
		return asking_say(a, CONSOLE_OK, "nothing to commit\n", "変更はありません\n");
	if (config_unconfirmed_confirm(a->c, a->link->person) < 0)
		return asking_say(a, CONSOLE_FAILED, "that it stays cannot be saved\n",
				  "確定を保存できません\n");
	return asking_say(a, CONSOLE_OK, "confirmed: it stays\n", "確定しました\n");
}

enum console_status committing_commit(struct asking *a)
{
	enum console_status status;

	if (a->request->number > CONFIG_CONFIRM_MINUTES_MAX)
		return asking_say(a, CONSOLE_FAILED, "allowed: 1 to 1440 minutes\n",
				  "書けるもの: 1から1440 (分)\n");

	if (a->c->commit.active)
		return asking_busy(a);
	if (config_candidate_is_running(a->c) && !a->c->commit.first)
		return confirm(a);
	if (proposal_is_needed(a->c))
		return asking_say(
			a, CONSOLE_REFUSED,
			"two persons are needed: propose \"reason\", and another one "
			"approves\n",
			"2名での確認が必要です。propose \"理由\" で提案し、別の管理者が approve "
			"してください\n");
	if (!window_is_open(a))
		return window_refuse(a);
	loop_disarm(&a->c->loop, &a->c->commit_timer); /* of a first commit that is tried again */
	config_commit_fini(&a->c->commit);
	status = asking_prepare_commit(a, a->c->candidate.root);
	if (status == CONSOLE_OK)
		status = start(a);
	if (status != STATUS_LATER && a->c->commit.confirm_minutes > 0)
		config_unconfirmed_settle(a->c, false);
	if (status != STATUS_LATER)
		config_commit_fini(&a->c->commit);
	return status;
}

/* ---- what waits */

enum console_status committing_pending(struct asking *a)
{
	const struct config *c = a->c;
	long long rest_s = (long long)config_unconfirmed_rest_s(c);

	if (!proposal_show(a))
		(void)proposal_load_show(a); /* there is at most one of both kinds */
	if (c->unconfirmed.number == 0)
		return CONSOLE_OK;
	(void)bytes_printf(
		&a->text,
		a->language == LANGUAGE_JA
			? "設定 %u (%s) は未確定です。commit しなければ %lld分%02lld秒後に"
			  "設定 %u に戻ります\n"
			: "configuration %u by %s is not confirmed: without `commit`, in %lld "
			  "min %02lld s configuration %u is back\n",
		c->unconfirmed.number, c->running_entry.origin, rest_s / 60, rest_s % 60,
		c->unconfirmed.back); /* short */
	return CONSOLE_OK;
}
