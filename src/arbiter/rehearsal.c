/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records in, lines of an answer out, both a little at a time. */
#include "arbiter/rehearsal.h"

#include <inttypes.h>
#include <string.h>

#include "arbiter/row.h"
#include "base/err.h"
#include "base/sealed.h"

#define TEXT_BYTES   (1U << 20)
#define ROWS_A_TURN  32U
#define ROW_PAUSE_MS 5U
#define LANGUAGES    2

static void judge_some(struct loop *loop, struct loop_timer *timer);
static void hand_out(struct loop *loop, struct loop_timer *timer);

void rehearsal_init(struct rehearsal *r, struct loop *loop, struct channel *control)
{
	*r = (struct rehearsal){.loop = loop, .control = control};
	r->timer.ctx = r;
	bytes_init(&r->part, REPLAY_PART_BYTES);
	bytes_init(&r->text, TEXT_BYTES);
}

static int send_text(const struct rehearsal *r, uint32_t flags, struct span text)
{
	struct row row;

	row_begin(&row, r->asked.number, r->asked.console);
	if (text.size > 0)
		row_cell(&row, "%.*s", (int)text.size, (const char *)text.data);
	return row_send(&row, r->control, flags);
}

void rehearsal_end(struct rehearsal *r, const char *why)
{
	if (r->asked.number == 0)
		return;
	loop_disarm(r->loop, &r->timer);
	if (why != NULL) /* a row that is lost can be asked for again */
		(void)send_text(r, CONTROL_ROW_LAST | CONTROL_ROW_ERROR, span_of(why));
	replay_fini(&r->replay);
	judge_fini(&r->policy);
	snapshot_unload(&r->snapshot);
	bytes_fini(&r->part);
	bytes_fini(&r->text);
	rehearsal_init(r, r->loop, r->control);
}

/* Return: NULL, or why it cannot be. */
static const char *load(struct rehearsal *r, const struct judge_policy *running, int candidate_fd,
			int64_t now_s)
{
	if (snapshot_load(&r->snapshot, candidate_fd) != 0)
		return "the candidate cannot be read";
	if (judge_init(&r->policy, &r->snapshot) != 0) {
		snapshot_unload(&r->snapshot);
		return "the candidate cannot be compiled: too many combinations, or no memory";
	}
	if (replay_init(&r->replay, running, &r->policy, now_s, REHEARSAL_KINDS_MAX) == 0)
		return NULL;
	judge_fini(&r->policy);
	snapshot_unload(&r->snapshot);
	return "out of memory";
}

void rehearsal_begin(struct rehearsal *r, const struct control_replay *asked,
		     const struct judge_policy *running, int candidate_fd, int64_t now_s)
{
	const char *why;

	rehearsal_end(r, "another console asks for a replay; ask again");
	r->asked = *asked;
	why = running != NULL ? load(r, running, candidate_fd, now_s) : "no policy is running";
	if (why == NULL)
		return;
	(void)send_text(r, CONTROL_ROW_LAST | CONTROL_ROW_ERROR, span_of(why)); /* as above */
	r->asked.number = 0;
}

int rehearsal_take(struct rehearsal *r, const struct control_replayed *told, int fd)
{
	int err;

	if (r->asked.number == 0 || told->number != r->asked.number)
		return 0;
	r->told = *told;
	r->told.since[sizeof(r->told.since) - 1] = '\0';
	bytes_clear(&r->part);
	r->part_at = 0;
	err = sealed_read(&r->part, fd);
	if (err == -ERR_NO_MEMORY) {
		rehearsal_end(r, "out of memory");
		return 0;
	}
	if (err != 0)
		return -ERR_PEER;
	r->timer.fire = judge_some;
	loop_arm(r->loop, &r->timer, 1);
	return 0;
}

/* ---- the answer */

/* In English and Japanese. */
static const char *const headings[REPLAY_KINDS_][LANGUAGES] = {
	[REPLAY_NOW_DENIED] = {"flows now denied", "拒否されるようになる通信"},
	[REPLAY_NOW_PERMITTED] = {"flows now permitted", "許可されるようになる通信"},
	[REPLAY_OTHER_PERMIT] = {"flows by another permit", "別の許可規則で通る通信"},
};

static int write_changes(struct rehearsal *r)
{
	const struct replay *replay = &r->replay;
	int told = -1, err = 0;

	for (size_t i = 0; i < replay->count && err == 0; i++) {
		enum replay_kind kind = replay_kind(&replay->changes[i]);

		if ((int)kind != told)
			err = bytes_printf(&r->text, "%s: %" PRIu64 "\n",
					   headings[kind][r->asked.japanese], replay->kinds[kind]);
		told = (int)kind;
		if (err == 0)
			err = bytes_append_text(&r->text, "  ");
		if (err == 0)
			err = replay_write_change(&replay->changes[i], &r->text);
		if (err == 0)
			err = bytes_append_u8(&r->text, '\n');
	}
	return err;
}

static int write_sums(struct rehearsal *r)
{
	const struct replay *p = &r->replay;

	return bytes_printf(&r->text,
			    r->asked.japanese
				    ? "%s以降に記録された通信 %" PRIu64 "件: 変化なし %" PRIu64
				      "、拒否に変わる %" PRIu64 "、許可に変わる %" PRIu64
				      "、別の許可規則 %" PRIu64 "\n"
				    : "since %s, %" PRIu64 " flows: %" PRIu64 " as before, %" PRIu64
				      " now denied, %" PRIu64 " now permitted, %" PRIu64
				      " by another permit\n",
			    r->told.since[0] != '\0' ? r->told.since : "-", p->total, p->same,
			    p->kinds[REPLAY_NOW_DENIED], p->kinds[REPLAY_NOW_PERMITTED],
			    p->kinds[REPLAY_OTHER_PERMIT]);
}

/* What the sums do not say. */
static int write_limits(struct rehearsal *r)
{
	bool japanese = r->asked.japanese != 0;
	int err = 0;

	if (r->replay.unlisted > 0)
		err = bytes_printf(
			&r->text,
			japanese ? "種類が多いため合計のみに含めた通信: %" PRIu64 "件\n"
				 : "in the sums only, as there are too many kinds: %" PRIu64
				   " flows\n",
			r->replay.unlisted);
	if (err == 0 && r->passed_over > 0)
		err = bytes_printf(
			&r->text,
			japanese ? "内容や数により拒否された、又は通信を特定できない記録: %" PRIu64
				   "件 (対象外)\n"
				 : "passed over, as denied for what they carried or how many there "
				   "were, or as no whole flow: %" PRIu64 " records\n",
			r->passed_over);
	if (err == 0 && r->told.cut != 0)
		err = bytes_append_text(
			&r->text,
			japanese ? "記録が多いため、期間内のこれより古い記録は読んでいないか、"
				   "既に消えています\n"
				 : "older records of these days were not read: there are too "
				   "many, or they have gone\n");
	if (err == 0)
		err = bytes_append_text(
			&r->text,
			japanese ? "再現の対象外: log のない許可による通信、先頭データの条件 "
				   "(conform)、limit\n"
				 : "not replayed: flows by permits without log, what first bytes "
				   "must show (conform), limits\n");
	return err;
}

static void answer(struct rehearsal *r)
{
	int err;

	replay_sort(&r->replay);
	err = write_changes(r);
	if (err == 0)
		err = write_sums(r);
	if (err == 0)
		err = write_limits(r);
	if (err != 0) {
		rehearsal_end(r, "out of memory");
		return;
	}
	r->timer.fire = hand_out;
	loop_arm(r->loop, &r->timer, 1);
}

static struct span next_line(const struct bytes *text, size_t at)
{
	const uint8_t *from = text->data + at;
	const uint8_t *lf = memchr(from, '\n', text->size - at);

	return (struct span){from, lf != NULL ? (size_t)(lf - from) : text->size - at};
}

/* Return: as channel_send. */
static int send_line(struct rehearsal *r)
{
	struct span line = next_line(&r->text, r->text_at);
	int err = send_text(r, 0, line);

	if (err == 0)
		r->text_at += line.size + 1;
	return err;
}

static void hand_out(struct loop *loop, struct loop_timer *timer)
{
	struct rehearsal *r = timer->ctx;
	int err = 0;

	for (unsigned i = 0; err == 0 && i < ROWS_A_TURN && r->text_at < r->text.size; i++)
		err = send_line(r);
	if (err == 0 && r->text_at >= r->text.size) {
		err = send_text(r, CONTROL_ROW_LAST, (struct span){NULL, 0});
		if (err == 0)
			rehearsal_end(r, NULL);
	}
	if (r->asked.number != 0)
		loop_arm(loop, timer, ROW_PAUSE_MS);
}

/* ---- judging */

/* What is no flow that headers and time decide is counted, and passed over. */
static void judge_line(struct rehearsal *r, struct span line)
{
	struct flow_line flow;

	if (flow_line_read(&flow, line) != 0 || replay_take(&r->replay, &flow) != 0)
		r->passed_over++;
}

/* A part is judged: the answer, or the next part. */
static void end_part(struct rehearsal *r)
{
	/* Signs of life: who has gone meanwhile is told of by the answer to one. */
	(void)send_text(r, 0, (struct span){NULL, 0}); /* without room rows are on their way */
	if (channel_send(r->control, CONTROL_REPLAY_NEXT, &r->asked, sizeof(r->asked), NULL, 0) !=
	    0) {
		loop_arm(r->loop, &r->timer, ROW_PAUSE_MS); /* judge_some comes here again */
		return;
	}
	if (r->told.last != 0)
		answer(r);
}

static void judge_some(struct loop *loop, struct loop_timer *timer)
{
	struct rehearsal *r = timer->ctx;

	for (unsigned i = 0; i < REHEARSAL_TURN && r->part_at < r->part.size; i++) {
		struct span line = next_line(&r->part, r->part_at);

		judge_line(r, line);
		r->part_at += line.size + 1;
	}
	if (r->part_at < r->part.size)
		loop_arm(loop, timer, REHEARSAL_PAUSE_MS);
	else
		end_part(r);
}
