/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a typed line means: it is matched with the commands, run, explained and completed. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "console/command.h"

#define WORD_BYTES 64 /* of one word of a command, or of what describes its tail */
#define RUN        "run"

/* ---- matching: word by word, as short as is unique */

struct match {
	bool in[COMMANDS_MAX]; /* commands that begin with the words so far */
	size_t depth;          /* how many words those are */
	enum console_mode mode;
	const char *rest; /* what follows them */
};

/* Word @i of a command; false: it has no more. */
static bool command_word(char out[WORD_BYTES], const struct command *command, size_t i)
{
	const char *at = command->words;
	size_t size;

	while (i-- > 0) {
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	size = strcspn(at, " ");
	if (size == 0)
		return false;
	snprintf(out, WORD_BYTES, "%.*s", (int)size, at);
	return true;
}

static void match_begin(struct match *m, enum console_mode mode, const char *line)
{
	m->mode = mode;
	m->depth = 0;
	m->rest = line + strspn(line, " ");
	if (mode == MODE_CONFIGURE && strncmp(m->rest, RUN " ", sizeof(RUN)) == 0) {
		m->mode = MODE_OPERATIONAL;
		m->rest += sizeof(RUN);
		m->rest += strspn(m->rest, " ");
	}
	for (size_t i = 0; i < command_count; i++)
		m->in[i] = (commands[i].modes & m->mode) != 0;
}

/* The command that has exactly the words so far; NULL: none. */
static const struct command *match_whole(const struct match *m)
{
	char word[WORD_BYTES];

	for (size_t i = 0; i < command_count; i++) {
		if (m->in[i] && m->depth > 0 && !command_word(word, &commands[i], m->depth))
			return &commands[i];
	}
	return NULL;
}

/*
 * Narrow the match by one word, which may be shortened. Return: how many different words fit; only
 * with 1 (or where one fits to the letter) the match goes on.
 */
static size_t match_word(struct match *m, const char *typed, size_t size)
{
	char word[WORD_BYTES], chosen[WORD_BYTES] = "";
	struct match next = *m;
	size_t different = 0;

	for (size_t i = 0; i < command_count; i++) {
		next.in[i] = m->in[i] && command_word(word, &commands[i], m->depth) &&
			     strncmp(word, typed, size) == 0 &&
			     ((commands[i].modes & IN_FULL) == 0 || word[size] == '\0');
		if (!next.in[i] || strcmp(word, chosen) == 0)
			continue;
		if (word[size] == '\0')
			different = 0; /* to the letter: the only one that counts */
		if (different == 0 || chosen[size] != '\0') {
			different++;
			snprintf(chosen, sizeof(chosen), "%s", word);
		}
	}
	if (different != 1)
		return different;
	for (size_t i = 0; i < command_count; i++)
		next.in[i] = next.in[i] && command_word(word, &commands[i], m->depth) &&
			     strcmp(word, chosen) == 0;
	*m = next;
	m->depth++;
	m->rest += size;
	m->rest += strspn(m->rest, " ");
	return 1;
}

/* Follow the line as far as it names a command; *@fits tells about the word where it ended. */
static void match_line(struct match *m, enum console_mode mode, const char *line, bool last_is_open,
		       size_t *fits)
{
	match_begin(m, mode, line);
	*fits = 1;
	while (*m->rest != '\0') {
		size_t size = strcspn(m->rest, " ");

		if (last_is_open && m->rest[size] == '\0')
			return;
		*fits = match_word(m, m->rest, size);
		if (*fits != 1)
			return;
	}
}

/* ---- running */

static void refuse(struct console *c, const struct match *m, const char *line, const char *en,
		   const char *ja)
{
	char word[WORD_BYTES], last[WORD_BYTES] = "";
	bool first = true;

	screen_printf(c, "console:1:%u: %s '%.*s'; %s: ", (unsigned)(m->rest - line) + 1,
		      c->language == LANGUAGE_JA ? ja : en, (int)strcspn(m->rest, " "), m->rest,
		      c->language == LANGUAGE_JA ? "ここに書けるもの" : "allowed here");
	for (size_t i = 0; i < command_count; i++) {
		if (!m->in[i] || !command_word(word, &commands[i], m->depth) ||
		    strcmp(word, last) == 0)
			continue;
		screen_printf(c, "%s%s", first ? "" : ", ", word);
		first = false;
		snprintf(last, sizeof(last), "%s", word);
	}
	screen_print(c, span_of("\n"));
	console_prompt(c);
}

static void run(struct console *c, const struct command *command, const char *tail)
{
	if (command->tail == TAIL_NONE && tail[0] != '\0') {
		screen_printf(c, "console:1:%u: ", (unsigned)(tail - c->line.text) + 1);
		screen_say(c, "nothing may follow this command\n",
			   "このコマンドに続けて書けるものはありません\n");
		console_prompt(c);
		return;
	}
	command->run(c, tail, command->number);
}

static bool pipes_output(const char *line)
{
	static const char *const beginnings[] = {"sh",   "comp", RUN " ", "ev", "exp",
						 "tech", "sa",   "cap",   "mon"};

	line += strspn(line, " ");
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
		if (strncmp(line, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

void command_run(struct console *c)
{
	char *line = c->line.text;
	const struct command *command;
	struct match m;
	size_t fits, size = strlen(line);

	if (pipes_output(line) && layout_pipe_split(&c->pipe, line) != 0) {
		screen_say(c,
			   "unknown filter; allowed: | match WORD, | except WORD, | count, | "
			   "no-more, | usb NAME\n",
			   "使えるのは | match 語、| except 語、| count、| no-more、"
			   "| usb ファイル名 です\n");
		console_prompt(c);
		return;
	}
	for (size = strlen(line); size > 0 && line[size - 1] == ' ';)
		line[--size] = '\0';
	if (line[strspn(line, " ")] == '\0') {
		console_prompt(c);
		return;
	}
	match_line(&m, c->mode, line, false, &fits);
	command = match_whole(&m);
	if (fits > 1)
		refuse(c, &m, line, "ambiguous", "あいまいなコマンド");
	else if (command != NULL && (fits == 1 || command->tail != TAIL_NONE))
		run(c, command, m.rest);
	else
		refuse(c, &m, line, fits == 0 ? "unknown command" : "incomplete command",
		       fits == 0 ? "不明なコマンド" : "コマンドが途中です");
}

/* ---- '?' and Tab */

/* Each line "text\thelp"; a text in angle brackets describes and cannot be inserted. */
static void offer(struct bytes *out, const char *text, const char *help)
{
	(void)bytes_printf(out, "%s\t%s\n", text, help); /* short */
}

static void offer_tail(struct console *c, struct bytes *out, const struct command *command,
		       const char *typed)
{
	const char *list = command->choices;
	char word[WORD_BYTES];

	if (command->tail == TAIL_NUMBER || command->tail == TAIL_TEXT) {
		snprintf(word, sizeof(word), "<%s>", list);
		offer(out, word, command->help[c->language]);
	}
	while (command->tail == TAIL_WORDS && *(list += strspn(list, " ")) != '\0') {
		size_t size = strcspn(list, " ");

		snprintf(word, sizeof(word), "%.*s", (int)size, list);
		if (strncmp(word, typed, strlen(typed)) == 0)
			offer(out, word, command->help[c->language]);
		list += size;
	}
}

/* Next words of the commands that match, each once. */
static void offer_words(struct console *c, struct bytes *out, const struct match *m,
			const char *typed)
{
	char word[WORD_BYTES], more[WORD_BYTES], last[WORD_BYTES] = "";

	for (size_t i = 0; i < command_count; i++) {
		bool leaf;

		if (!m->in[i] || !command_word(word, &commands[i], m->depth) ||
		    strcmp(word, last) == 0 || strncmp(word, typed, strlen(typed)) != 0)
			continue;
		leaf = !command_word(more, &commands[i], m->depth + 1);
		offer(out, word, leaf ? commands[i].help[c->language] : "...");
		snprintf(last, sizeof(last), "%s", word);
	}
	if (m->depth == 0 && c->mode == MODE_CONFIGURE && m->mode == MODE_CONFIGURE &&
	    strncmp(RUN, typed, strlen(typed)) == 0)
		offer(out, RUN,
		      c->language == LANGUAGE_JA ? "通常モードのコマンド"
						 : "a command of the other mode");
}

/* What may stand at the cursor; asks config where it must: then @on_answer gets the same kind of
 * text later. */
static void offer_at_cursor(struct console *c, console_answer_fn *on_answer)
{
	char line[LINE_BYTES_MAX + 1];
	const struct command *command;
	struct bytes out;
	struct match m;
	size_t fits;

	snprintf(line, sizeof(line), "%.*s", (int)c->line.cursor, c->line.text);
	match_line(&m, c->mode, line, true, &fits);
	command = match_whole(&m);
	if (command != NULL && command->tail == TAIL_PATH && m.rest > line && m.rest[-1] == ' ') {
		console_ask(c, CONSOLE_COMPLETE, command->purpose, m.rest, -1, on_answer);
		return;
	}
	bytes_init(&out, CONSOLE_OUTPUT_BYTES);
	if (fits == 1 || command == NULL)
		offer_words(c, &out, &m, m.rest);
	if (command != NULL)
		offer_tail(c, &out, command, m.rest);
	if (command != NULL && *m.rest == '\0')
		offer(&out, "<Enter>", "");
	on_answer(c, CONSOLE_OK, bytes_span(&out));
	bytes_fini(&out);
}

/* The text of one offer, and what is behind it. */
static bool next_offer(struct span *rest, struct span *text, struct span *help)
{
	const uint8_t *end = rest->size > 0 ? memchr(rest->data, '\n', rest->size) : NULL;
	const uint8_t *tab =
		end != NULL ? memchr(rest->data, '\t', (size_t)(end - rest->data)) : NULL;

	if (tab == NULL)
		return false;
	*text = (struct span){rest->data, (size_t)(tab - rest->data)};
	*help = (struct span){tab + 1, (size_t)(end - tab) - 1};
	rest->size -= (size_t)(end + 1 - rest->data);
	rest->data = end + 1;
	return true;
}

static void back_to_line(struct console *c)
{
	line_redraw(&c->line);
	console_enter_state(c, STATE_PROMPT, 0);
}

static void list_offers(struct console *c, struct span offers)
{
	struct layout_table table;
	struct span text, help;
	struct bytes out;
	char cells[1024];

	layout_table_init(&table, CONSOLE_OUTPUT_BYTES, c->ambiguous_wide);
	bytes_init(&out, CONSOLE_OUTPUT_BYTES);
	while (next_offer(&offers, &text, &help)) {
		snprintf(cells, sizeof(cells), "  %.*s%c%.*s", (int)text.size,
			 (const char *)text.data, '\0', (int)help.size, (const char *)help.data);
		layout_table_add(&table, cells, 2, false);
	}
	if (layout_table_print(&out, &table) == 0)
		screen_print(c, bytes_span(&out));
	layout_table_fini(&table);
	bytes_fini(&out);
}

static void on_help(struct console *c, enum console_status status, struct span text)
{
	list_offers(c, text);
	back_to_line(c);
}

/* The word that the cursor stands behind. */
static size_t typed_size(const struct console *c)
{
	size_t at = c->line.cursor;

	while (at > 0 && c->line.text[at - 1] != ' ')
		at--;
	return c->line.cursor - at;
}

/* What all offers that can be inserted have in common; *@count is how many there are. */
static struct span common_beginning(struct span offers, size_t *count)
{
	struct span common = {NULL, 0}, text, help;

	*count = 0;
	while (next_offer(&offers, &text, &help)) {
		if (text.size > 0 && text.data[0] == '<')
			continue;
		if ((*count)++ == 0)
			common = text;
		if (text.size < common.size)
			common.size = text.size;
		while (common.size > 0 && memcmp(common.data, text.data, common.size) != 0)
			common.size--;
	}
	return common;
}

static void on_complete(struct console *c, enum console_status status, struct span text)
{
	size_t count, typed = typed_size(c);
	struct span common = common_beginning(text, &count);

	console_enter_state(c, STATE_PROMPT, 0);
	if (count > 0 && common.size > typed)
		line_insert(&c->line, (const char *)common.data + typed, common.size - typed);
	if (count == 1) {
		line_insert(&c->line, " ", 1);
	} else if (count == 0 || common.size <= typed) {
		line_leave(&c->line);
		list_offers(c, text);
		back_to_line(c);
	}
}

void command_help(struct console *c)
{
	line_leave(&c->line);
	offer_at_cursor(c, on_help);
}

void command_complete(struct console *c)
{
	offer_at_cursor(c, on_complete);
}

void command_list(struct console *c, struct bytes *out)
{
	for (size_t i = 0; i < command_count; i++) {
		const struct command *command = &commands[i];
		bool choices = command->choices != NULL;

		if ((command->modes & c->mode) != 0)
			(void)bytes_printf(out, "%-26s %-12s %s\n", command->words,
					   choices ? command->choices : "",
					   command->help[c->language]); /* a full text is shown as
									   far as it goes */
	}
}
