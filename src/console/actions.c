/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands do. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sealed.h"
#include "console/console.h"
#include "policy/edit.h"

#define LOG_ROWS            50 /* shown where no number is given */
#define CONFIRM_MINUTES     10 /* the same */
#define CONFIRM_MINUTES_MAX 1440
#define COMMENT             "comment "

static void refuse(struct console *c, const char *en, const char *ja)
{
	screen_say(c, en, ja);
	console_prompt(c);
}

/* A decimal number of at most @most; false where it is none. */
static bool read_number(const char *tail, unsigned long most, unsigned long *out)
{
	char *end;

	if (tail[0] < '0' || tail[0] > '9')
		return false;
	*out = strtoul(tail, &end, 10);
	return *end == '\0' && *out <= most;
}

/* ---- both modes */

void action_query(struct console *c, const char *tail, unsigned number)
{
	console_query(c, (enum query_kind)number, tail, 0);
}

/* What is typed for people to read is not cut in silence. */
static bool refuse_too_long(struct console *c, const char *tail)
{
	if (strlen(tail) < CONTROL_ARGUMENT_BYTES)
		return false;
	refuse(c, "too long: at most 111 bytes\n", "長すぎます (111バイトまで)\n");
	return true;
}

void action_query_text(struct console *c, const char *tail, unsigned number)
{
	if (!refuse_too_long(c, tail))
		console_query(c, (enum query_kind)number, tail, 0);
}

/* config's part of an answer stands above what another process says. Return: whether that is asked;
 * else config's answer, a refusal, is the whole. */
static bool query_behind(struct console *c, enum console_status status, struct span text,
			 enum query_kind kind, const char *argument, uint32_t number)
{
	if (bytes_append(&c->preface, text.data, text.size) != 0 || status != CONSOLE_OK) {
		console_show_answer(c, status, text);
		return false;
	}
	console_query(c, kind, argument, number);
	return true;
}

static void on_pending(struct console *c, enum console_status status, struct span text)
{
	if (query_behind(c, status, text, QUERY_EMERGENCIES, "open", 0))
		c->when_empty = c->language == LANGUAGE_JA ? "保留中のものはありません\n"
							   : "nothing waits\n";
}

/* config knows of configurations, the supervisor of emergencies and of a wipe: one answer. */
void action_pending(struct console *c, const char *tail, unsigned number)
{
	console_ask(c, CONSOLE_PENDING, 0, NULL, -1, on_pending);
}

static void on_compliance(struct console *c, enum console_status status, struct span text)
{
	char argument[CONTROL_ARGUMENT_BYTES];

	/* A clause that config has found is shorter. */
	snprintf(argument, sizeof(argument), "%s %.8s", c->language == LANGUAGE_JA ? "ja" : "en",
		 c->request.line);
	(void)query_behind(c, status, text, QUERY_SEEN, argument, 0);
}

/* config knows what is configured for the clauses, audit what was seen. */
void action_compliance(struct console *c, const char *tail, unsigned number)
{
	console_ask(c, CONSOLE_COMPLIANCE, 0, tail, -1, on_compliance);
}

#define REPLAY_DAYS 7 /* where no number is given */

/* config has handed the candidate over, or what is proposed, and says which. */
static void on_replay(struct console *c, enum console_status status, struct span text)
{
	char argument[CONTROL_ARGUMENT_BYTES];

	snprintf(argument, sizeof(argument), "%s %" PRIu32,
		 c->language == LANGUAGE_JA ? "ja" : "en", c->request.number);
	(void)query_behind(c, status, text, QUERY_REPLAY, argument, c->request.serial);
}

void action_replay(struct console *c, const char *tail, unsigned number)
{
	static const char word[] = "days ";
	unsigned long days = REPLAY_DAYS;

	if (tail[0] != '\0' &&
	    (strncmp(tail, word, sizeof(word) - 1) != 0 ||
	     !read_number(tail + sizeof(word) - 1, REPLAY_DAYS_MAX, &days) || days == 0))
		refuse(c, "allowed: days 1 to 366\n", "書けるもの: days 1から366\n");
	else
		console_ask(c, (enum console_kind)number, (uint32_t)days, NULL, -1, on_replay);
}

static void on_test_proposal(struct console *c, enum console_status status, struct span text)
{
	char flow[CONTROL_ARGUMENT_BYTES];

	snprintf(flow, sizeof(flow), "%.*s", (int)sizeof(flow) - 1, c->request.line);
	(void)query_behind(c, status, text, QUERY_TEST_CANDIDATE, flow, c->request.serial);
}

void action_test_proposal(struct console *c, const char *tail, unsigned number)
{
	if (!refuse_too_long(c, tail))
		console_ask(c, CONSOLE_REPLAY_PROPOSAL, 0, tail, -1, on_test_proposal);
}

void action_query_log(struct console *c, const char *tail, unsigned number)
{
	unsigned long limit = LOG_ROWS;

	if (tail[0] != '\0' && !read_number(tail, 100000, &limit)) {
		refuse(c, "give how many records; allowed: 1 to 100000\n",
		       "件数を書いてください (1から100000)\n");
		return;
	}
	console_query(c, QUERY_LOG, "", (uint32_t)limit);
}

/* Lines of cells that tabs separate, as a table. */
static void show_lines(struct console *c, struct span text, const char *heading, size_t columns)
{
	struct layout_table table;
	struct bytes out;

	layout_table_init(&table, CONSOLE_OUTPUT_BYTES, c->ambiguous_wide);
	bytes_init(&out, CONSOLE_OUTPUT_BYTES);
	layout_table_add(&table, heading, columns, true);
	while (text.size > 0) {
		char row[1024];
		const uint8_t *end = memchr(text.data, '\n', text.size);
		size_t size = end != NULL ? (size_t)(end - text.data) : text.size, cells = 1;

		if (size < sizeof(row)) {
			memcpy(row, text.data, size);
			row[size] = '\0';
			for (size_t i = 0; i < size; i++) {
				if (row[i] == '\t') {
					row[i] = '\0';
					cells++;
				}
			}
			layout_table_add(&table, row, cells, false);
		}
		text.data += size + (end != NULL ? 1 : 0);
		text.size -= size + (end != NULL ? 1 : 0);
	}
	c->pipe.cut = layout_table_print(&out, &table) != 0; /* shown as far as it goes */
	layout_table_fini(&table);
	screen_show(c, bytes_span(&out));
	bytes_fini(&out);
}

void action_query_mail_log(struct console *c, const char *tail, unsigned number)
{
	console_query(c, QUERY_MAIL_LOG, tail, LOG_ROWS);
}

void action_query_alarms(struct console *c, const char *tail, unsigned number)
{
	console_query(c, QUERY_ALARMS, c->language == LANGUAGE_JA ? "ja" : "en", 0);
}

void action_timeline(struct console *c, const char *tail, unsigned number)
{
	char argument[CONTROL_ARGUMENT_BYTES];

	snprintf(argument, sizeof(argument), "%s%s%s", c->language == LANGUAGE_JA ? "ja" : "en",
		 tail[0] != '\0' ? " " : "", tail);
	console_query(c, QUERY_TIMELINE, argument, 0);
}

static void on_history(struct console *c, enum console_status status, struct span text)
{
	show_lines(c, text, "back\0number\0time\0from\0comment", 5);
}

static void on_slots(struct console *c, enum console_status status, struct span text)
{
	if (status == CONSOLE_OK)
		show_lines(c, text, "kind\0slot\0subject\0last day\0SHA-256\0state", 6);
	else
		console_show_answer(c, status, text);
}

void action_slots(struct console *c, const char *tail, unsigned number)
{
	if (tail[0] == '\0')
		console_ask(c, CONSOLE_SLOTS, 0, NULL, -1, on_slots);
	else
		console_ask(c, CONSOLE_SLOT, 0, tail, -1, console_show_answer);
}

void action_history(struct console *c, const char *tail, unsigned number)
{
	console_ask(c, CONSOLE_HISTORY, 0, NULL, -1, on_history);
}

void action_version(struct console *c, const char *tail, unsigned number)
{
	struct bytes out;

	bytes_init(&out, CONSOLE_OUTPUT_BYTES);
	(void)bytes_printf(&out, "Sekisho %s\npolicy format %u\n", SEKISHO_VERSION,
			   SNAPSHOT_VERSION); /* short */
	screen_show(c, bytes_span(&out));
	bytes_fini(&out);
}

void action_help(struct console *c, const char *tail, unsigned number)
{
	struct bytes out;

	bytes_init(&out, CONSOLE_OUTPUT_BYTES);
	command_list(c, &out);
	screen_show(c, bytes_span(&out));
	bytes_fini(&out);
}

void action_language(struct console *c, const char *tail, unsigned number)
{
	if (strcmp(tail, "ja") == 0)
		c->language = LANGUAGE_JA;
	else if (strcmp(tail, "en") == 0)
		c->language = LANGUAGE_EN;
	else
		screen_say(c, "allowed: ja, en\n", "書けるもの: ja, en\n");
	console_prompt(c);
}

void action_length(struct console *c, const char *tail, unsigned number)
{
	unsigned long rows;

	if (!read_number(tail, 500, &rows) || rows == 1) {
		refuse(c, "allowed: 0, or 2 to 500\n", "書けるもの: 0、2から500\n");
		return;
	}
	c->rows = (unsigned)rows;
	console_prompt(c);
}

void action_width(struct console *c, const char *tail, unsigned number)
{
	unsigned long columns;

	if (!read_number(tail, 500, &columns) || columns < 20) {
		refuse(c, "allowed: 20 to 500\n", "書けるもの: 20から500\n");
		return;
	}
	c->columns = (unsigned)columns;
	c->line.columns = c->columns;
	console_prompt(c);
}

void action_ambiguous(struct console *c, const char *tail, unsigned number)
{
	if (strcmp(tail, "1") != 0 && strcmp(tail, "2") != 0) {
		refuse(c, "allowed: 1, 2\n", "書けるもの: 1, 2\n");
		return;
	}
	c->ambiguous_wide = tail[0] == '2';
	c->line.ambiguous_wide = c->ambiguous_wide;
	console_prompt(c);
}

/* ---- the running configuration */

void action_configuration(struct console *c, const char *tail, unsigned number)
{
	console_ask(c, CONSOLE_SHOW, CONSOLE_SHOW_RUNNING, tail, -1, console_show_answer);
}

static void on_configure(struct console *c, enum console_status status, struct span text)
{
	if (status == CONSOLE_OK)
		c->mode = MODE_CONFIGURE;
	c->path[0] = '\0';
	console_show_answer(c, status, text);
}

void action_configure(struct console *c, const char *tail, unsigned number)
{
	console_ask(c, CONSOLE_ENTER, 0, NULL, -1, on_configure);
}

static void on_leave(struct console *c, enum console_status status, struct span text)
{
	if (status == CONSOLE_OK)
		c->mode = MODE_OPERATIONAL;
	console_show_answer(c, status, text);
}

void action_exit(struct console *c, const char *tail, unsigned number)
{
	if (c->mode == MODE_OPERATIONAL) {
		console_leave(c);
		return;
	}
	if (c->path[0] != '\0') {
		c->path[0] = '\0';
		console_prompt(c);
		return;
	}
	console_ask(c, CONSOLE_LEAVE, 0, NULL, -1, on_leave);
}

/* ---- the candidate */

/* Errors name columns of the line as it was typed: put blanks where the command's words stood. */
void action_change(struct console *c, const char *tail, unsigned number)
{
	char line[CONSOLE_LINE_BYTES];
	size_t before = (size_t)(tail - c->line.text);

	snprintf(line, sizeof(line), "%*s%s", (int)before, "", tail);
	console_ask(c, (enum console_kind)number, 0, line, -1, console_show_answer);
}

/* The canonical form of a path below where we stand; false after a message. */
static bool locate(struct console *c, const char *path, const char *below, struct bytes *out)
{
	struct problems problems;
	struct edit_words words, more;
	struct bytes message;
	bool found;

	problems_init(&problems);
	found = edit_split(&words, span_of(path), &problems) == 0 &&
		edit_split(&more, span_of(below), &problems) == 0 &&
		edit_join(&words, &more) == 0 && edit_locate(out, &words, &problems) == 0 &&
		out->size < sizeof(c->path);
	if (found)
		return true;
	bytes_init(&message, CONSOLE_OUTPUT_BYTES);
	(void)problems_print(&message, &problems, "console",
			     c->language); /* shown as far as it goes */
	screen_print(c, bytes_span(&message));
	bytes_fini(&message);
	return false;
}

void action_edit(struct console *c, const char *tail, unsigned number)
{
	struct bytes path;

	bytes_init(&path, CONSOLE_LINE_BYTES);
	if (tail[0] == '\0')
		screen_say(c, "give a block or entry to go to\n", "移動先を書いてください\n");
	else if (locate(c, c->path, tail, &path))
		snprintf(c->path, sizeof(c->path), "%.*s", (int)path.size, (const char *)path.data);
	bytes_fini(&path);
	console_prompt(c);
}

/* Words are taken off the end until what is left is a block again. */
void action_up(struct console *c, const char *tail, unsigned number)
{
	struct problems problems;
	struct edit_words words;
	struct bytes path;
	bool found = c->path[0] == '\0';

	while (!found) {
		char *last = strrchr(c->path, ' ');

		if (last == NULL)
			last = c->path;
		*last = '\0';
		bytes_init(&path, CONSOLE_LINE_BYTES);
		problems_init(&problems);
		found = edit_split(&words, span_of(c->path), &problems) == 0 &&
			edit_locate(&path, &words, &problems) == 0;
		bytes_fini(&path);
	}
	console_prompt(c);
}

void action_top(struct console *c, const char *tail, unsigned number)
{
	c->path[0] = '\0';
	console_prompt(c);
}

void action_show(struct console *c, const char *tail, unsigned number)
{
	char line[CONSOLE_LINE_BYTES];

	snprintf(line, sizeof(line), "%*s%s", (int)(tail - c->line.text), "", tail);
	console_ask(c, CONSOLE_SHOW, 0, line, -1, console_show_answer);
}

void action_simple(struct console *c, const char *tail, unsigned number)
{
	console_ask(c, (enum console_kind)number, 0, NULL, -1, console_show_answer);
}

static void with_number(struct console *c, enum console_kind kind, const char *tail, bool optional)
{
	unsigned long back = 0;

	if (!(optional && tail[0] == '\0') && !read_number(tail, 49, &back)) {
		refuse(c, "give which saved configuration; allowed: 0 to 49\n",
		       "保存された設定の番号を書いてください (0から49)\n");
		return;
	}
	console_ask(c, kind, (uint32_t)back, NULL, -1, console_show_answer);
}

void action_compare(struct console *c, const char *tail, unsigned number)
{
	with_number(c, CONSOLE_COMPARE, tail, true);
}

void action_rollback(struct console *c, const char *tail, unsigned number)
{
	with_number(c, CONSOLE_ROLLBACK, tail, false);
}

/* A comment may stand in quotes. */
/* A text with or without its quotes. */
static void unquote(char out[CONSOLE_LINE_BYTES], const char *tail)
{
	size_t size;

	snprintf(out, CONSOLE_LINE_BYTES, "%s", tail[0] == '"' ? tail + 1 : tail);
	size = strlen(out);
	if (tail[0] == '"' && size > 0 && out[size - 1] == '"')
		out[size - 1] = '\0';
}

void action_commit(struct console *c, const char *tail, unsigned number)
{
	char comment[CONSOLE_LINE_BYTES];

	unquote(comment, tail);
	console_ask(c, CONSOLE_COMMIT, 0, comment, -1, console_show_answer);
}

void action_with_text(struct console *c, const char *tail, unsigned number)
{
	char text[CONSOLE_LINE_BYTES];

	unquote(text, tail);
	console_ask(c, (enum console_kind)number, 0, text, -1, console_show_answer);
}

/* [minutes] [comment "text"] */
void action_commit_confirmed(struct console *c, const char *tail, unsigned number)
{
	char comment[CONSOLE_LINE_BYTES] = "";
	size_t digits = strspn(tail, "0123456789");
	unsigned long minutes = digits > 0 ? strtoul(tail, NULL, 10) : CONFIRM_MINUTES;
	const char *rest = tail + digits + strspn(tail + digits, " ");

	if (strncmp(rest, COMMENT, sizeof(COMMENT) - 1) == 0) {
		unquote(comment, rest + sizeof(COMMENT) - 1);
		rest += strlen(rest);
	}
	if (rest[0] != '\0' || minutes == 0 || minutes > CONFIRM_MINUTES_MAX) {
		refuse(c, "allowed: 1 to 1440 minutes, then comment \"text\"\n",
		       "書けるもの: 1から1440 (分)、comment \"理由\"\n");
		return;
	}
	console_ask(c, CONSOLE_COMMIT, (uint32_t)minutes, comment, -1, console_show_answer);
}

/* ---- pasting */

static void begin_load(struct console *c, const char *tail, unsigned number)
{
	c->load_kind = (enum console_kind)number;
	c->load_use = number == CONSOLE_KIND_COUNT_ ? LOAD_TRIAL : LOAD_CONFIG;
	snprintf(c->load_slot, sizeof(c->load_slot), "%s", tail);
	bytes_clear(&c->load);
	console_enter_state(c, STATE_LOAD, 0);
}

void action_load(struct console *c, const char *tail, unsigned number)
{
	screen_say(c, "paste the text, end with Ctrl-D on a line of its own (Ctrl-C: give up)\n",
		   "テキストを貼り付け、最後に Ctrl-D を押してください (Ctrl-C: 中止)\n");
	begin_load(c, tail, number);
}

void action_load_password(struct console *c, const char *tail, unsigned number)
{
	screen_say(c, "password, then Enter (Ctrl-C: give up): ",
		   "パスワードを入力し Enter を押してください (Ctrl-C: 中止): ");
	begin_load(c, tail, number);
}

static void tell_size(struct console *c)
{
	size_t lines = 0;

	for (size_t i = 0; i < c->load.size; i++)
		lines += c->load.data[i] == '\n';
	screen_printf(c, "\n%zu lines, %zu bytes\n", lines, c->load.size);
}

void action_loaded(struct console *c)
{
	int fd = -1;

	if (c->load_kind == CONSOLE_LOAD_PASSWORD) /* not even how long it is */
		screen_print(c, span_of("\n"));
	else
		tell_size(c);
	if (c->load_use == LOAD_EXPORT && !c->load.failed) {
		export_loaded(c);
		return;
	}
	if (c->load.failed || sealed_make("load", bytes_span(&c->load), &fd) != 0) {
		refuse(c, "the text is too long; nothing was loaded\n",
		       "長すぎるため読み込みませんでした\n");
	} else if (c->load_use == LOAD_TRIAL) {
		close(fd);
		trial_loaded(c);
	} else {
		console_ask(c, c->load_kind, 0, c->load_slot, fd, console_show_answer);
		close(fd);
	}
	console_forget_load(c);
}
