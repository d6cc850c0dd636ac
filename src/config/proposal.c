/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes that two persons make (C1): one proposes the candidate with a reason, another one, who
 * has seen its difference and names its hash, has exactly these bytes committed (ADR 311).
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "config/proposal.h"
#include "policy/print.h"

#define NAME "proposed"
#define KIND "sekisho-proposal"

struct proposal {
	struct proposal_head head; /* its hash is of the text */
	char reason[STORE_COMMENT_BYTES];
	bool emergency; /* takes effect outside the change window too */
	bool runs;      /* its text is the running one */
	struct bytes text;
};

bool proposal_is_needed(const struct config *c)
{
	struct snapshot s;

	if (snapshot_view(&s, c->running_block.data, c->running_block.size) != 0)
		return true; /* what cannot be read does not free anybody */
	return s.login_count > 0 && s.logins[0].two_person != 0;
}

/* ---- on the disk */

static int write_proposal(const struct config *c, const struct proposal *p)
{
	struct bytes file;
	int err;

	bytes_init(&file, p->text.size + PROPOSAL_HEAD_BYTES);
	(void)proposal_head_put(&p->head, &file);
	(void)bytes_printf(&file, "reason %s\nemergency %d\n", p->reason, p->emergency);
	(void)bytes_append(&file, p->text.data, p->text.size); /* errors of all are in failed */
	err = file.failed        ? -ERR_NO_MEMORY
	      : c->state_dir < 0 ? -ERR_NOT_FOUND
				 : file_replace(c->state_dir, NAME, KIND, bytes_span(&file));
	bytes_fini(&file);
	return err;
}

static int parse_proposal(struct proposal *p, struct span rest)
{
	char emergency[2];

	if (proposal_head_take(&p->head, &rest) < 0 ||
	    file_take_line(&rest, "reason", p->reason, sizeof(p->reason)) < 0 ||
	    file_take_line(&rest, "emergency", emergency, sizeof(emergency)) < 0)
		return -ERR_INTEGRITY;
	p->emergency = emergency[0] == '1';
	return bytes_append(&p->text, rest.data, rest.size);
}

static void end_proposal(struct proposal *p)
{
	bytes_fini(&p->text);
}

/* Return: 0, and the caller ends it; -ERR_NOT_FOUND: none is there; -ERR_RANGE: it is whole, but
 * not current any more, and only its text is gone from @p; any other: none that counts. */
static int read_proposal(const struct config *c, struct proposal *p)
{
	struct bytes file;
	struct span content;
	int err;

	*p = (struct proposal){0};
	bytes_init(&p->text, CONFIG_TEXT_BYTES);
	bytes_init(&file, CONFIG_TEXT_BYTES + PROPOSAL_HEAD_BYTES);
	err = c->state_dir >= 0 ? file_read(c->state_dir, NAME, &file) : -ERR_NOT_FOUND;
	if (err == 0)
		err = file_check(bytes_span(&file), KIND, &content);
	if (err == 0)
		err = parse_proposal(p, content);
	if (err == 0) {
		proposal_head_hash(bytes_span(&p->text), p->head.hash);
		proposal_head_hash(content, p->head.whole);
		p->runs = span_equal(bytes_span(&p->text), bytes_span(&c->running_text));
	}
	if (err == 0 && proposal_head_lapse(c, &p->head) != NULL)
		err = -ERR_RANGE;
	bytes_fini(&file);
	if (err < 0)
		end_proposal(p);
	return err;
}

bool proposal_waits(const struct config *c)
{
	struct proposal p;

	if (read_proposal(c, &p) < 0)
		return false;
	end_proposal(&p);
	return true;
}

static void drop_proposal(const struct config *c)
{
	if (c->state_dir >= 0)
		(void)unlinkat(c->state_dir, NAME, 0); /* one that stays is not current */
}

/* Nobody has approved it: who had proposed what, and why it does not count any more. */
static void record_lapsed(struct config *c, const struct proposal *p, int err)
{
	bool whole = err == -ERR_RANGE;

	event_send(&c->process.events, EVENT_CHANGE_LAPSED,
		   EV_TEXT(REASON, whole ? proposal_head_lapse(c, &p->head) : "it is damaged"),
		   EV_TEXT(PROPOSER, whole ? p->head.author : ""),
		   EV_TEXT(COMMENT, whole ? p->reason : ""),
		   EV_TEXT(HASH, whole ? p->head.hash : ""));
}

void proposal_tidy(struct config *c)
{
	struct proposal p;
	int err;

	if (c->commit.active || c->commit.first)
		return; /* it may be what is being committed; or nothing runs yet */
	err = read_proposal(c, &p);
	if (err == 0) {
		end_proposal(&p);
	} else if (err != -ERR_NOT_FOUND && err != -ERR_NO_MEMORY) {
		/* One that runs was carried out, and something ended before it was removed. */
		if (!p.runs)
			record_lapsed(c, &p, err);
		drop_proposal(c);
	}
}

void proposal_committed(const struct config *c)
{
	if (c->commit.proposal)
		drop_proposal(c);
}

/* ---- requests */

/* Is it right as it stands? What is made for its commit is made then. */
static enum console_status check(struct asking *a, const struct tree_node *root)
{
	enum console_status status;
	struct bytes block;

	bytes_init(&block, SNAPSHOT_BYTES_MAX);
	status = asking_check(a, root, &a->c->commit.text, &block, false);
	bytes_fini(&block);
	return status;
}

static enum console_status keep(struct asking *a, struct proposal *p)
{
	struct problems problems;

	proposal_head_begin(a, &p->head);
	if (bytes_append(&p->text, a->c->commit.text.data, a->c->commit.text.size) != 0)
		return asking_no_memory(a);
	proposal_head_hash(bytes_span(&p->text), p->head.hash);
	if (write_proposal(a->c, p) < 0)
		return asking_say(a, CONSOLE_FAILED, "the proposal cannot be saved\n",
				  "提案を保存できません\n");
	event_send(&a->c->process.events, EVENT_CHANGE_PROPOSED,
		   EV_PERSON(USER, p->head.author, a->link->index), EV_TEXT(COMMENT, p->reason),
		   EV_TEXT(HASH, p->head.hash));
	problems_init(&problems);
	(void)config_replace_candidate(a->c, bytes_span(&a->c->running_text),
				       &problems); /* it parsed before */
	(void)bytes_printf(
		&a->text,
		a->language == LANGUAGE_JA
			? "提案しました。別の管理者が show pending で確認し、approve %.*s "
			  "で承認します\n"
			: "proposed: another administrator looks at `show pending`, then "
			  "`approve %.*s`\n",
		PROPOSAL_HASH_LEAST, p->head.hash); /* short */
	return CONSOLE_OK;
}

enum console_status proposal_make(struct asking *a)
{
	enum console_status status;
	struct proposal p;

	bool emergency = a->request->kind == CONSOLE_PROPOSE_EMERGENCY;

	if (!emergency && !proposal_is_needed(a->c))
		return asking_say(a, CONSOLE_REFUSED, "nobody else is needed: commit\n",
				  "承認は不要です。commit してください\n");
	if (a->link->person[0] == '\0')
		return asking_say(a, CONSOLE_REFUSED, "log in first\n",
				  "先にログインしてください\n");
	if (a->c->commit.active || a->c->commit.first)
		return asking_busy(a);
	if (config_candidate_is_running(a->c))
		return asking_say(a, CONSOLE_FAILED, "there is no change\n", "変更はありません\n");
	proposal_tidy(a->c); /* an old one is recorded, not only replaced */
	if (proposal_waits(a->c) || proposal_load_waits(a->c))
		return asking_say(a, CONSOLE_FAILED, "a proposal waits: show pending\n",
				  "提案が保留中です。show pending で確認してください\n");
	p = (struct proposal){.emergency = emergency};
	bytes_init(&p.text, CONFIG_TEXT_BYTES);
	asking_comment(p.reason, asking_text(a->request->line, CONSOLE_LINE_BYTES));
	config_commit_fini(&a->c->commit);
	status = p.reason[0] == '\0'
			 ? asking_say(a, CONSOLE_FAILED, "give a reason: propose \"...\"\n",
				      "理由を書いてください: propose \"...\"\n")
			 : check(a, a->c->candidate.root);
	if (status == CONSOLE_OK)
		status = keep(a, &p);
	config_commit_fini(&a->c->commit);
	end_proposal(&p);
	return status;
}

/* What its author was warned of: whoever approves answers for it as well (C1). */
static void show_warnings(struct asking *a, const struct tree_node *root)
{
	struct bytes text, block;

	bytes_init(&text, CONFIG_TEXT_BYTES);
	bytes_init(&block, SNAPSHOT_BYTES_MAX);
	(void)asking_check(a, root, &text, &block, false); /* an error stands in the answer, too */
	bytes_fini(&block);
	bytes_fini(&text);
}

/* What would change, as it would now, and what is unwise about it. Return: 0 or an error. */
static int show_difference(struct asking *a, const struct proposal *p)
{
	struct problems problems;
	struct tree old, new;
	int err;

	problems_init(&problems);
	err = asking_parse(&old, bytes_span(&a->c->running_text), &problems);
	if (err != 0)
		return err;
	err = asking_parse(&new, bytes_span(&p->text), &problems);
	if (err == 0) {
		err = print_difference(&a->text, &old, &new);
		show_warnings(a, new.root);
		tree_fini(&new);
	}
	tree_fini(&old);
	return err;
}

bool proposal_show(struct asking *a)
{
	struct proposal p;

	if (read_proposal(a->c, &p) < 0)
		return false;
	(void)bytes_printf(
		&a->text,
		a->language == LANGUAGE_JA
			? "%s の提案%s: %s\nSHA-256 %s\n残り %lld時間。approve %.*s で承認\n"
			: "proposed by %s%s: %s\nSHA-256 %s\n%lld hours are left; `approve "
			  "%.*s` commits it\n",
		p.head.author,
		!p.emergency                 ? ""
		: a->language == LANGUAGE_JA ? " (緊急)"
					     : " (emergency)",
		p.reason, p.head.hash, proposal_head_rest_h(a->c, &p.head), PROPOSAL_HASH_LEAST,
		p.head.hash); /* short */
	if (show_difference(a, &p) == 0)
		proposal_head_shown(a, &p.head);
	end_proposal(&p);
	return true;
}

static enum console_status replay(struct asking *a, const struct proposal *p)
{
	struct problems problems;
	enum console_status status;
	struct tree tree;

	problems_init(&problems);
	if (asking_parse(&tree, bytes_span(&p->text), &problems) != 0)
		return asking_problems(a, &problems, "proposal");
	status = asking_replay(a, tree.root);
	tree_fini(&tree);
	if (status == CONSOLE_OK)
		(void)bytes_printf(&a->text,
				   a->language == LANGUAGE_JA ? "%s の提案、SHA-256 %s\n"
							      : "proposed by %s, SHA-256 %s\n",
				   p->head.author, p->head.hash); /* short */
	return status;
}

enum console_status proposal_replay(struct asking *a)
{
	enum console_status status;
	struct proposal p;

	if (read_proposal(a->c, &p) < 0)
		return proposal_head_none(a);
	status = replay(a, &p);
	end_proposal(&p);
	return status;
}

/* Somebody who is neither of the two acknowledges it afterwards: the supervisor lists it. */
static void tell_emergency(struct asking *a, const struct proposal *p)
{
	struct control_emergency *emergency = &a->c->commit.emergency;

	event_send(&a->c->process.events, EVENT_CHANGE_EMERGENCY,
		   EV_PERSON(USER, a->link->person, a->link->index), EV_TEXT(NAME, p->head.author),
		   EV_TEXT(COMMENT, p->reason), EV_TEXT(HASH, p->head.hash));
	emergency->is = 1;
	(void)snprintf(emergency->author.name, sizeof(emergency->author.name), "%s",
		       p->head.author);
	(void)snprintf(emergency->author.hands, sizeof(emergency->author.hands), "%s",
		       p->head.hands);
	(void)snprintf(emergency->approver.name, sizeof(emergency->approver.name), "%s",
		       a->link->person);
	(void)snprintf(emergency->approver.hands, sizeof(emergency->approver.hands), "%s",
		       a->link->hands);
	utf8_one_line(emergency->reason, sizeof(emergency->reason), span_of(p->reason));
}

/* The proposal begins to take effect: recorded before it does. */
static enum console_status start(struct asking *a, const struct proposal *p, bool outside)
{
	char comment[STORE_COMMENT_BYTES];

	proposal_head_approved(a, &p->head);
	a->c->commit.proposal = true;
	if (outside)
		tell_emergency(a, p);
	snprintf(comment, sizeof(comment), "(%sapproved by %s) %.*s", outside ? "emergency, " : "",
		 a->link->person, STORE_COMMENT_BYTES - 80, p->reason);
	return asking_start_commit(a, p->head.author, comment);
}

static enum console_status commit_proposal(struct asking *a, const struct proposal *p, bool outside)
{
	struct problems problems;
	enum console_status status;
	struct tree tree;

	problems_init(&problems);
	config_commit_fini(&a->c->commit);
	if (asking_parse(&tree, bytes_span(&p->text), &problems) != 0)
		return asking_problems(a, &problems, "proposal");
	status = asking_prepare_commit(a, tree.root);
	tree_fini(&tree);
	if (status == CONSOLE_OK &&
	    !span_equal(bytes_span(&a->c->commit.text), bytes_span(&p->text)))
		status = asking_say(a, CONSOLE_FAILED, "the proposal is damaged\n",
				    "提案が破損しています\n");
	if (status == CONSOLE_OK)
		status = start(a, p, outside);
	if (status != STATUS_LATER)
		config_commit_fini(&a->c->commit);
	return status;
}

/* In its hours, or as an emergency in any. */
static enum console_status commit_in_time(struct asking *a, const struct proposal *p)
{
	bool open = window_is_open(a);

	if (!open && !p->emergency)
		return window_refuse(a);
	bytes_clear(&a->text);
	return commit_proposal(a, p, !open);
}

enum console_status proposal_approve(struct asking *a)
{
	enum console_status status;
	struct proposal p;

	if (a->c->commit.active || a->c->commit.first)
		return asking_busy(a);
	if (proposal_load_waits(a->c))
		return proposal_load_approve(a);
	if (read_proposal(a->c, &p) < 0)
		return proposal_head_none(a);
	status = proposal_head_judge(a, &p.head);
	if (status == CONSOLE_OK)
		status = commit_in_time(a, &p);
	end_proposal(&p);
	return status;
}

enum console_status proposal_withdraw(struct asking *a)
{
	enum console_status status;
	struct proposal p;

	if (a->c->commit.active)
		return asking_busy(a);
	if (proposal_load_waits(a->c))
		return proposal_load_withdraw(a);
	if (read_proposal(a->c, &p) < 0)
		return proposal_head_none(a);
	status = proposal_head_withdrawn(a, &p.head);
	drop_proposal(a->c);
	end_proposal(&p);
	return status;
}
