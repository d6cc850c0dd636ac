/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The head of a proposal, on the disk and in memory, and who may approve it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "config/proposal.h"
#include "policy/persons.h"

#define LIFE_S (7 * 86400)

static int64_t wall_s(const struct config *c)
{
	return clock_wall_ns(c->loop.clock) / 1000000000;
}

void proposal_head_begin(const struct asking *a, struct proposal_head *head)
{
	head->base = a->c->running_entry.number;
	head->time_s = wall_s(a->c);
	snprintf(head->author, sizeof(head->author), "%s", a->link->person);
	snprintf(head->hands, sizeof(head->hands), "%s", a->link->hands);
}

int proposal_head_put(const struct proposal_head *head, struct bytes *file)
{
	return bytes_printf(file, "base %" PRIu32 "\ntime %" PRId64 "\nauthor %s\nhands %s\n",
			    head->base, head->time_s, head->author, head->hands);
}

int proposal_head_take(struct proposal_head *head, struct span *rest)
{
	char base[16], time[24];

	if (file_take_line(rest, "base", base, sizeof(base)) < 0 ||
	    file_take_line(rest, "time", time, sizeof(time)) < 0 ||
	    file_take_line(rest, "author", head->author, sizeof(head->author)) < 0 ||
	    file_take_line(rest, "hands", head->hands, sizeof(head->hands)) < 0 ||
	    sscanf(base, "%" SCNu32, &head->base) != 1 ||
	    sscanf(time, "%" SCNd64, &head->time_s) != 1)
		return -ERR_INTEGRITY;
	return 0;
}

void proposal_head_hash(struct span proposed, char hash[SHA256_HEX_BYTES])
{
	uint8_t digest[SHA256_BYTES];

	sha256_of(proposed.data, proposed.size, digest);
	sha256_hex(digest, hash);
}

const char *proposal_head_lapse(const struct config *c, const struct proposal_head *head)
{
	int64_t age_s = wall_s(c) - head->time_s;

	if (head->base != c->running_entry.number)
		return "another configuration runs";
	if (age_s < 0)
		return "the clock was set back";
	return age_s >= LIFE_S ? "its time is over" : NULL;
}

long long proposal_head_rest_h(const struct config *c, const struct proposal_head *head)
{
	return (head->time_s + LIFE_S - wall_s(c)) / 3600;
}

enum console_status proposal_head_none(struct asking *a)
{
	return asking_say(a, CONSOLE_FAILED, "no proposal waits\n", "保留中の提案はありません\n");
}

void proposal_head_shown(struct asking *a, const struct proposal_head *head)
{
	if (!a->text.failed)
		memcpy(a->link->shown, head->whole, sizeof(a->link->shown));
}

static void record(struct asking *a, const struct proposal_head *head, enum event_id id)
{
	event_send(&a->c->process.events, id, EV_PERSON(USER, a->link->person, a->link->index),
		   EV_TEXT(NAME, head->author), EV_TEXT(HASH, head->hash));
}

void proposal_head_approved(struct asking *a, const struct proposal_head *head)
{
	record(a, head, EVENT_CHANGE_APPROVED);
}

enum console_status proposal_head_withdrawn(struct asking *a, const struct proposal_head *head)
{
	record(a, head, EVENT_CHANGE_WITHDRAWN);
	return asking_say(a, CONSOLE_OK, "withdrawn\n", "提案を取り下げました\n");
}

static bool names_hash(const struct proposal_head *head, struct span typed)
{
	typed = span_trim(typed);
	return typed.size >= PROPOSAL_HASH_LEAST && typed.size < SHA256_HEX_BYTES &&
	       memcmp(head->hash, typed.data, typed.size) == 0;
}

enum console_status proposal_head_judge(struct asking *a, const struct proposal_head *head)
{
	if (a->link->person[0] == '\0' ||
	    persons_may_be_one(head->author, head->hands, a->link->person, a->link->hands)) {
		event_send(&a->c->process.events, EVENT_CHANGE_NOT_APPROVED,
			   EV_PERSON(USER, a->link->person, a->link->index),
			   EV_TEXT(NAME, head->author));
		return asking_say(
			a, CONSOLE_REFUSED,
			"another person must approve it, whose password its author did not issue\n",
			"提案者とは別の人 (提案者がパスワードを発行していない人) "
			"の承認が必要です\n");
	}
	/* The digits may have been noted from another one that had the same, or the same text on
	 * top of another configuration, by somebody else or for another reason. */
	if (memcmp(a->link->shown, head->whole, sizeof(head->whole)) != 0)
		return asking_say(a, CONSOLE_FAILED,
				  "look at it in this session first: show pending\n",
				  "このセッションで show pending により内容を確認してください\n");
	if (!names_hash(head, asking_text(a->request->line, CONSOLE_LINE_BYTES)))
		return asking_say(a, CONSOLE_FAILED,
				  "name the first 8 digits of its SHA-256: show pending\n",
				  "show pending のSHA-256の先頭8桁以上を書いてください\n");
	return CONSOLE_OK;
}
