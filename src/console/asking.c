/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to config (over the link) and to the others (through the supervisor), and their
 * answers. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/sealed.h"
#include "console/console.h"
#include "console/recording.h"
#include "console/wording.h"

#define ANSWER_MS    70000U /* config gives up on a commit before */
#define ROWS_MS      10000U
#define CAPTURE_MS   75000U /* its rows come when it ends */
#define ZEROISE_MS   45000U /* its record is sent first: ZEROISE_SEND_MS, and what waits for it */
#define SEND_WAIT_MS 1000
#define ROWS_BYTES   (32U << 20)

void console_ask(struct console *c, enum console_kind kind, uint32_t number, const char *line,
		 int fd, console_answer_fn *on_answer)
{
	struct console_request *r = &c->request;
	int err = -ERR_CLOSED;

	memset(r, 0, sizeof(*r));
	r->serial = ++c->serial;
	r->kind = kind;
	r->number = number;
	r->language = c->language;
	snprintf(r->path, sizeof(r->path), "%s", c->path);
	if (line != NULL)
		snprintf(r->line, sizeof(r->line), "%s", line);
	if (c->link.fd >= 0)
		err = channel_send_wait(&c->link, CONSOLE_REQUEST, r, sizeof(*r), &fd,
					fd >= 0 ? 1 : 0, SEND_WAIT_MS);
	if (err != 0) {
		screen_say(c, "config does not answer; please try again\n",
			   "設定プロセスが応答しません。もう一度実行してください\n");
		console_prompt(c);
		return;
	}
	c->on_answer = on_answer;
	console_enter_state(c, STATE_ASKED, ANSWER_MS);
}

static int take_answer(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct console_answer *answer = message->body;
	struct console *c = ctx;
	struct bytes text;

	if ((answer->text_bytes > 0) != (message->fd_count == 1))
		return -ERR_PEER;
	if (c->state != STATE_ASKED || answer->serial != c->serial)
		return 0; /* Ctrl-C was pressed meanwhile */
	bytes_init(&text, CONSOLE_OUTPUT_BYTES);
	if (message->fd_count == 1 && sealed_read(&text, message->fds[0]) != 0) {
		bytes_clear(&text);
		c->pipe.cut = true;
	}
	c->changed = (answer->flags & CONSOLE_CHANGED) != 0;
	c->on_answer(c, (enum console_status)answer->status, bytes_span(&text));
	bytes_fini(&text);
	return 0;
}

const struct channel_rule console_link_rules[] = {
	{CONSOLE_ANSWER, 0, 1, sizeof(struct console_answer), sizeof(struct console_answer),
	 CHANNEL_ANY_STATE, take_answer, "answer"},
};
const size_t console_link_rule_count = sizeof(console_link_rules) / sizeof(console_link_rules[0]);

void console_show_answer(struct console *c, enum console_status status, struct span text)
{
	if (status == CONSOLE_OK) {
		screen_show(c, text);
		return;
	}
	screen_print(c, text);
	c->pipe = (struct layout_pipe){0};
	console_prompt(c);
}

void console_query(struct console *c, enum query_kind kind, const char *argument, uint32_t limit)
{
	struct control_query query = {.number = ++c->query, .kind = kind, .limit = limit};

	recording_drop(c);
	c->when_empty = NULL;
	c->on_table = NULL;
	snprintf(query.argument, sizeof(query.argument), "%s", argument);
	layout_table_fini(&c->table);
	layout_table_init(&c->table, ROWS_BYTES, c->ambiguous_wide);
	if (channel_send_wait(&c->process.control, CONTROL_QUERY, &query, sizeof(query), NULL, 0,
			      SEND_WAIT_MS) != 0) {
		screen_say(c, "the supervisor does not answer\n", "監視プロセスが応答しません\n");
		console_prompt(c);
		return;
	}
	console_enter_state(c, STATE_ROWS,
			    kind == QUERY_CAPTURE   ? CAPTURE_MS
			    : kind == QUERY_ZEROISE ? ZEROISE_MS
						    : ROWS_MS);
}

void console_withdraw(struct console *c)
{
	const struct control_withdraw withdraw = {.number = c->query};

	/* Without room the answer comes, and nobody looks at it. */
	if (c->state == STATE_ROWS)
		(void)channel_send(&c->process.control, CONTROL_WITHDRAW, &withdraw,
				   sizeof(withdraw), NULL, 0);
}

/* All cells end inside the row's text. */
static bool row_is_sound(const struct control_row *row)
{
	size_t at = 0;

	if (row->cell_count > CONTROL_ROW_CELLS)
		return false;
	for (uint32_t i = 0; i < row->cell_count; i++) {
		at += strnlen(row->text + at, sizeof(row->text) - at);
		if (at++ >= sizeof(row->text))
			return false;
	}
	return true;
}

static void add_heading(struct console *c, const struct control_row *row)
{
	char text[2 * sizeof(row->text)];
	const char *cell = row->text;
	size_t used = 0;

	for (uint32_t i = 0; i < row->cell_count; i++) {
		const char *shown = wording_heading(cell, c->language);
		size_t size = strlen(shown) + 1;

		if (size > sizeof(text) - used)
			return;
		memcpy(text + used, shown, size);
		used += size;
		cell += strlen(cell) + 1;
	}
	layout_table_add(&c->table, text, row->cell_count, true);
}

static void show_table(struct console *c)
{
	struct bytes text;

	bytes_init(&text, 2 * CONSOLE_OUTPUT_BYTES);
	(void)bytes_append(&text, c->preface.data, c->preface.size); /* as below */
	/* A full text is shown as far as it goes. */
	c->pipe.cut = layout_table_print(&text, &c->table) != 0 || c->preface.failed;
	layout_table_fini(&c->table);
	if (text.size == 0 && c->when_empty != NULL)
		(void)bytes_append_text(&text, c->when_empty); /* short */
	if (c->on_table != NULL) {
		screen_print(c, bytes_span(&text));
		c->on_table(c);
	} else {
		screen_show(c, bytes_span(&text));
	}
	bytes_fini(&text);
}

void console_refuse(struct console *c, const struct control_row *row)
{
	screen_print(c, bytes_span(&c->preface));
	screen_printf(c, "%s\n",
		      row->cell_count > 0 ? wording_refusal(row->text, c->language) : "?");
	layout_table_fini(&c->table);
	console_prompt(c);
}

void console_await_row(struct console *c)
{
	console_enter_state(c, STATE_ROWS, ROWS_MS);
}

int console_take_row(struct console *c, const struct control_row *row)
{
	if (!row_is_sound(row))
		return -ERR_PEER;
	if (c->state != STATE_ROWS || row->number != c->query)
		return 0; /* of a question that Ctrl-C took back */
	if (c->evidence != NULL) {
		evidence_take_row(c, row);
		return 0;
	}
	if (c->follow.on) {
		follow_take_row(c, row);
		return 0;
	}
	if ((row->flags & CONTROL_ROW_ERROR) != 0) {
		console_refuse(c, row);
		return 0;
	}
	if ((row->flags & CONTROL_ROW_HEADING) != 0)
		add_heading(c, row);
	else if (row->cell_count > 0 && c->table.continues)
		layout_table_continue(&c->table, row->text);
	else if (row->cell_count > 0)
		layout_table_add(&c->table, row->text, row->cell_count, false);
	if (row->cell_count > 0)
		c->table.continues = (row->flags & CONTROL_ROW_CONTINUES) != 0;
	if ((row->flags & CONTROL_ROW_LAST) != 0 && c->recording_fd >= 0)
		recording_show(c);
	else if ((row->flags & CONTROL_ROW_LAST) != 0)
		show_table(c);
	else
		console_await_row(c);
	return 0;
}
