/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the first configuration comes from: the newest whole saved one, else the file given, else
 * none: deny all. */
#include "config/config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "config/keys.h"
#include "policy/parse.h"
#include "policy/print.h"

#define NUMBERS_MAX (2 * STORE_KEPT)

static void fill_slots(struct config *c, const struct tree_node *root, struct problems *problems)
{
	struct keys_task task = {.dir = c->keys_dir,
				 .root = root,
				 .number = c->newest,
				 .now_s = clock_wall_ns(&clock_system) / 1000000000,
				 .aim = KEYS_FILL,
				 .events = &c->process.events};

	keys_provide(&task, problems);
}

/* Parse, compile and print @text into c->commit. Return: 0 or the error; problems are in @problems.
 */
static int prepare_text(struct config *c, struct span text, struct problems *problems)
{
	struct tree tree;
	int err = tree_init(&tree);

	if (err != 0)
		return err;
	bytes_clear(&c->commit.text);
	bytes_clear(&c->commit.block);
	err = parse_text(&tree, text, PARSE_WHOLE, problems);
	if (err == 0)
		err = policy_compile(&tree, &c->commit.block, problems);
	if (err == 0)
		err = print_tree(&c->commit.text, tree.root);
	/* What is missing shuts its path, and is an event once this runs; the rest goes on. */
	if (err == 0)
		fill_slots(c, tree.root, problems);
	tree_fini(&tree);
	return err;
}

static void report_problems(struct config *c, const struct problems *problems, const char *file)
{
	struct bytes out;

	bytes_init(&out, CONFIG_TEXT_BYTES);
	if (problems_print(&out, problems, file, LANGUAGE_EN) == 0 && out.size > 0)
		fprintf(stderr, "%.*s", (int)out.size, (const char *)out.data);
	bytes_fini(&out);
}

/* One saved configuration; whatever is wrong with it is an event, and the next older one is tried.
 */
static int load_saved(struct config *c, uint32_t number)
{
	struct problems problems;
	struct bytes text;
	int err;

	bytes_init(&text, CONFIG_TEXT_BYTES);
	problems_init(&problems);
	err = store_read(c->state_dir, number, &c->commit.entry, &text);
	if (err == 0)
		err = prepare_text(c, bytes_span(&text), &problems);
	bytes_fini(&text);
	if (err == 0)
		return 0;
	report_problems(c, &problems, "saved");
	event_send(&c->process.events, EVENT_CONFIG_DAMAGED, EV_NUMBER(COMMIT, number),
		   EV_TEXT(ERROR, err_name(err)));
	fprintf(stderr, "config: saved configuration %u: %s\n", number, err_name(err));
	return err;
}

/* The newest whole one of at most @limit. Return: 0; -ERR_NOT_FOUND where none was ever saved;
 * -ERR_INTEGRITY where none is whole. */
static int load_newest(struct config *c, uint32_t limit)
{
	uint32_t numbers[NUMBERS_MAX];
	int count = c->state_dir >= 0 ? store_list(c->state_dir, numbers, NUMBERS_MAX) : 0;

	if (count < 0)
		return -ERR_INTEGRITY;
	if (count > 0)
		c->newest = numbers[0];
	for (int i = 0; i < count; i++) {
		if (numbers[i] <= limit && load_saved(c, numbers[i]) == 0)
			return 0;
	}
	return count == 0 ? -ERR_NOT_FOUND : -ERR_INTEGRITY;
}

static int read_given(struct config *c, struct bytes *text)
{
	uint8_t chunk[4096];
	ssize_t n;

	while ((n = read(c->file, chunk, sizeof(chunk))) > 0) {
		if (bytes_append(text, chunk, (size_t)n) != 0)
			return -ERR_TOO_LONG;
	}
	return n < 0 ? -ERR_SYSTEM : 0;
}

/* The file of --config becomes the first saved configuration, once the supervisor has accepted it.
 */
static int load_given(struct config *c)
{
	struct problems problems;
	struct bytes text;
	int err;

	if (c->file < 0)
		return -ERR_NOT_FOUND;
	bytes_init(&text, PARSE_TEXT_BYTES_MAX + 1);
	problems_init(&problems);
	err = read_given(c, &text);
	if (err == 0)
		err = prepare_text(c, bytes_span(&text), &problems);
	bytes_fini(&text);
	report_problems(c, &problems, "config");
	if (err != 0) {
		event_send(&c->process.events, EVENT_CONFIG_REFUSED, EV_TEXT(ERROR, err_name(err)),
			   EV_NUMBER(COUNT, problems.error_count));
		return err;
	}
	c->commit.entry = (struct store_entry){.number = c->newest + 1, .origin = "file"};
	c->commit.entry.time_s = clock_wall_ns(&clock_system) / 1000000000;
	c->commit.staged = c->state_dir >= 0 && store_stage(c->state_dir, &c->commit.entry,
							    bytes_span(&c->commit.text)) == 0;
	return 0;
}

static int load_nothing(struct config *c)
{
	struct problems problems;

	problems_init(&problems);
	c->commit.entry = (struct store_entry){.origin = "factory"};
	return prepare_text(c, span_of(""), &problems);
}

int config_load_return(struct config *c, uint32_t back)
{
	struct store_entry *entry = &c->commit.entry;
	char by[sizeof(entry->by)];
	int err = back > 0 ? load_newest(c, back) : -ERR_NOT_FOUND;

	c->commit.chosen = back == 0 || (err == 0 && entry->number == back);
	if (err != 0) {
		back = 0;
		err = load_nothing(c);
	}
	if (err != 0)
		return err;
	memcpy(by, entry->by, sizeof(by));
	*entry = (struct store_entry){
		.number = c->newest + 1, .origin = "return", .chosen = c->commit.chosen};
	if (entry->chosen)
		memcpy(entry->by, by, sizeof(by)); /* whose configuration it is again */
	entry->time_s = clock_wall_ns(&clock_system) / 1000000000;
	snprintf(entry->comment, sizeof(entry->comment),
		 "configuration %u was not confirmed: back to %u", c->unconfirmed.number, back);
	c->commit.staged = store_stage(c->state_dir, entry, bytes_span(&c->commit.text)) == 0;
	c->commit.returns = true;
	c->commit.link = CONFIG_NOBODY;
	event_send(&c->process.events, EVENT_COMMIT_RETURNS,
		   EV_NUMBER(COMMIT, c->unconfirmed.number), EV_NUMBER(LAST, back));
	return 0;
}

/* What is on the disk, or the file given, or nothing. Return: as config_load. */
static int load_any(struct config *c)
{
	const char *source = "saved";
	int err = load_newest(c, UINT32_MAX);

	c->commit.chosen =
		err == 0 && c->commit.entry.number == c->newest && c->commit.entry.chosen;
	c->untouched =
		err == -ERR_NOT_FOUND || (err == 0 && c->newest == 1 && !c->commit.entry.chosen);
	if (err == -ERR_NOT_FOUND) {
		source = "file";
		err = load_given(c);
	}
	if (err != 0) {
		source = "deny-all";
		err = load_nothing(c);
	}
	if (err == 0)
		event_send(&c->process.events, EVENT_CONFIG_LOADED, EV_TEXT(REASON, source),
			   EV_NUMBER(COMMIT, c->commit.entry.number));
	return err;
}

int config_load(struct config *c)
{
	int err = load_any(c);

	if (err == 0 && config_unconfirmed_load(c, c->newest)) {
		config_commit_fini(&c->commit);
		err = config_load_return(c, c->unconfirmed.back);
	}
	if (err != 0)
		return err;
	c->commit.first = true;
	c->commit.link = CONFIG_NOBODY;
	if (bytes_append(&c->running_text, c->commit.text.data, c->commit.text.size) != 0 ||
	    bytes_append(&c->running_block, c->commit.block.data, c->commit.block.size) != 0)
		return -ERR_NO_MEMORY;
	return 0;
}
