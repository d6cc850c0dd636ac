/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first administrator, whom accounts has met at a terminal: one commit on top of what runs. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "config/asking.h"
#include "policy/edit.h"

#define TYPED   "console" /* the file name of what was typed */
#define WORDS   6         /* of the longest statement */
#define WAIT_MS 2000

void config_first_tell(struct config *c, uint64_t number, bool ok, struct span text)
{
	struct control_first_done body = {.number = number, .ok = ok};

	(void)snprintf(body.text, sizeof(body.text), "%.*s", (int)text.size,
		       (const char *)text.data);
	if (channel_send_wait(&c->process.control, CONTROL_FIRST_DONE, &body, sizeof(body), NULL, 0,
			      WAIT_MS) != 0)
		fprintf(stderr, "config: the end of the first commit cannot be told\n");
}

/* Words are taken as they are, whatever stands in them. Return: 0 or -ERR_TOO_LONG. */
static int take_words(struct edit_words *statement, const char *const words[WORDS])
{
	*statement = (struct edit_words){.ends_in_blank = true};
	for (; statement->count < WORDS && words[statement->count] != NULL; statement->count++) {
		struct word *word = &statement->words[statement->count];

		word->size = strlen(words[statement->count]);
		if (word->size >= sizeof(word->text))
			return -ERR_TOO_LONG;
		memcpy(word->text, words[statement->count], word->size + 1);
	}
	return 0;
}

static int set(struct tree *tree, const char *const words[WORDS], struct problems *problems)
{
	struct edit_words statement;
	int err = take_words(&statement, words);

	return err == 0 ? edit_set(tree, &statement, problems) : err;
}

/* What the name had before (a last day, a suspension) would keep its person out. */
static void remove_user(struct tree *tree, const char *name)
{
	const char *const words[WORDS] = {"login", "user", name};
	struct edit_words statement;
	struct problems none;

	problems_init(&none);
	if (take_words(&statement, words) == 0)
		(void)edit_delete(tree, &statement, &none); /* mostly there is none */
}

static int write_statements(struct tree *tree, const struct control_first *first,
			    struct problems *problems)
{
	const char *const statements[][WORDS] = {
		{"system", "organization", first->organization},
		{"system", "host-name", first->host},
		{"system", "language", first->language == LANGUAGE_JA ? "ja" : "en"},
		{"login", "user", first->name, "role", "administrator"},
		{"system", "preset", first->preset},
	};
	size_t count = sizeof(statements) / sizeof(statements[0]);
	int err = 0;

	if (first->preset[0] == '\0')
		count--;
	remove_user(tree, first->name);
	for (size_t i = 0; err == 0 && i < count; i++)
		err = set(tree, statements[i], problems);
	return err;
}

/* Return: CONSOLE_OK, and c->commit holds it; or what is wrong, in a->text. */
static enum console_status prepare(struct asking *a, const struct control_first *first)
{
	enum console_status status;
	struct problems problems;
	struct tree tree;

	problems_init(&problems);
	if (asking_parse(&tree, bytes_span(&a->c->running_text), &problems) != 0)
		return asking_no_memory(a);
	if (write_statements(&tree, first, &problems) == 0)
		status = asking_prepare_commit(a, tree.root);
	else
		status = asking_problems(a, &problems, TYPED);
	tree_fini(&tree);
	return status;
}

static enum console_status begin(struct asking *a, const struct control_first *first)
{
	enum console_status status;

	if (a->c->commit.active)
		return asking_busy(a);
	loop_disarm(&a->c->loop, &a->c->commit_timer); /* of a first commit that is tried again */
	config_commit_fini(&a->c->commit);
	status = prepare(a, first);
	if (status != CONSOLE_OK)
		return status;
	a->c->commit.first_administrator = first->number;
	return asking_start_commit(a, first->name, "first administrator");
}

int config_handle_first(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct config *c = ctx;
	struct control_first first;
	struct asking a = {.c = c, .fd = -1};

	memcpy(&first, message->body, sizeof(first));
	first.name[sizeof(first.name) - 1] = '\0';
	first.host[sizeof(first.host) - 1] = '\0';
	first.organization[sizeof(first.organization) - 1] = '\0';
	first.preset[sizeof(first.preset) - 1] = '\0';
	a.language = first.language == LANGUAGE_JA ? LANGUAGE_JA : LANGUAGE_EN;
	bytes_init(&a.text, CONFIG_TEXT_BYTES);
	if (begin(&a, &first) != STATUS_LATER) {
		if (!c->commit.active)
			config_commit_fini(&c->commit);
		config_first_tell(c, first.number, false, bytes_span(&a.text));
	}
	bytes_fini(&a.text);
	return 0;
}
