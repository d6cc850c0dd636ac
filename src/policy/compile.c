/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The compiler: checked tree -> draft -> one block. */
#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "policy/atoms.h"
#include "policy/draft.h"
#include "policy/parse.h"

#define ROWS_FIRST 64
#define ALIGN      8U

static const size_t row_bytes[SECTION_TEXT] = {
	[SECTION_ZONES] = sizeof(struct snapshot_zone),
	[SECTION_PREFIXES] = sizeof(struct snapshot_prefix),
	[SECTION_ROUTES] = sizeof(struct snapshot_route),
	[SECTION_STATIONS] = sizeof(struct snapshot_station),
	[SECTION_CROSSINGS] = sizeof(struct snapshot_crossing),
	[SECTION_PERMITS] = sizeof(struct snapshot_permit),
	[SECTION_SERVICES] = sizeof(struct snapshot_service),
	[SECTION_SCHEDULES] = sizeof(struct snapshot_schedule),
	[SECTION_MAILS] = sizeof(struct snapshot_mail),
	[SECTION_SCREENS] = sizeof(struct snapshot_screen),
	[SECTION_SYSLOGS] = sizeof(struct snapshot_syslog),
	[SECTION_BONDS] = sizeof(struct snapshot_bond),
	[SECTION_DEVICES] = sizeof(struct snapshot_device),
	[SECTION_CONFORMS] = sizeof(struct snapshot_conform),
	[SECTION_HOLIDAYS] = sizeof(struct snapshot_holiday),
	[SECTION_LIST_TEXTS] = sizeof(struct snapshot_text),
	[SECTION_LOGINS] = sizeof(struct snapshot_login),
	[SECTION_PERSONS] = sizeof(struct snapshot_person),
	[SECTION_SCANNERS] = sizeof(struct snapshot_scanner),
	[SECTION_DESKTOPS] = sizeof(struct snapshot_desktop),
	[SECTION_SCREEN_USERS] = sizeof(struct snapshot_screen_user),
	[SECTION_GROUP_LIMITS] = sizeof(struct snapshot_group_limit),
	[SECTION_TIME_SERVERS] = sizeof(struct snapshot_time_server),
};

void *draft_row(const struct draft *d, enum snapshot_section section, uint32_t i)
{
	return (char *)d->tables[section].rows + (size_t)i * row_bytes[section];
}

const struct tree_node *draft_origin(const struct draft *d, enum snapshot_section section,
				     uint32_t i)
{
	return d->tables[section].origins[i];
}

uint32_t draft_count(const struct draft *d, enum snapshot_section section)
{
	return d->tables[section].count;
}

static bool grow_table(struct draft_table *t, size_t row_size)
{
	uint32_t capacity = t->capacity == 0 ? ROWS_FIRST : t->capacity * 2;
	void *rows = realloc(t->rows, capacity * row_size);
	const struct tree_node **origins;

	if (rows == NULL)
		return false;
	t->rows = rows;
	origins = realloc(t->origins, capacity * sizeof(*origins));
	if (origins == NULL)
		return false;
	t->origins = origins;
	t->capacity = capacity;
	return true;
}

void *draft_add(struct draft *d, enum snapshot_section section, const struct tree_node *origin)
{
	struct draft_table *t = &d->tables[section];
	void *row;

	if (t->count >= DRAFT_ROWS_MAX)
		d->too_big = true;
	if (d->too_big || (t->count == t->capacity && !grow_table(t, row_bytes[section]))) {
		d->no_memory = true;
		return NULL;
	}
	t->origins[t->count] = origin;
	row = draft_row(d, section, t->count++);
	memset(row, 0, row_bytes[section]);
	return row;
}

void draft_refuse(struct draft *d, const struct tree_node *node, enum problem_id id,
		  const char *first, const char *second)
{
	problems_add(d->problems, node->at, id, node->row, 0, first, second);
}

static int draft_init(struct draft *d, struct tree *tree, struct problems *problems)
{
	*d = (struct draft){.tree = tree, .problems = problems};
	bytes_init(&d->text, SNAPSHOT_BYTES_MAX);
	return bytes_append_u8(&d->text, 0); /* offset 0: the empty text */
}

static void draft_fini(struct draft *d)
{
	for (unsigned i = 0; i < SECTION_TEXT; i++) {
		free(d->tables[i].rows);
		free(d->tables[i].origins);
	}
	free(d->service_ranges);
	free(d->group_ranges);
	bytes_fini(&d->text);
}

static int append_section(struct bytes *block, const void *rows, size_t size)
{
	static const uint8_t zeros[ALIGN];
	int err = bytes_append(block, rows, size);

	return err != 0 ? err : bytes_append(block, zeros, (ALIGN - block->size % ALIGN) % ALIGN);
}

/* The header goes in first, for its place, and again once the rest is known. */
static int emit_block(const struct draft *d, struct bytes *block)
{
	struct snapshot_header h = {.magic = SNAPSHOT_MAGIC,
				    .version = SNAPSHOT_VERSION,
				    .header_bytes = sizeof(h),
				    .text_organization = d->text_organization,
				    .text_host_name = d->text_host_name,
				    .utc_offset_s = d->utc_offset_s,
				    .connections_max = d->connections_max,
				    .watch_s = d->watch_s,
				    .recovery_off = d->recovery_off,
				    .language = d->language,
				    .usb = d->usb,
				    .retention_s = d->retention_s};
	int err = bytes_append(block, &h, sizeof(h));

	for (unsigned i = 0; err == 0 && i < SECTION_COUNT_; i++) {
		bool text = i == SECTION_TEXT;
		const void *rows = text ? d->text.data : d->tables[i].rows;

		h.sections[i].offset = (uint32_t)block->size;
		h.sections[i].count = text ? (uint32_t)d->text.size : d->tables[i].count;
		err = append_section(block, rows, h.sections[i].count * (text ? 1 : row_bytes[i]));
	}
	if (err != 0)
		return err;
	h.size_bytes = block->size;
	memcpy(block->data, &h, sizeof(h));
	snapshot_digest(h.sha256, block->data, block->size);
	memcpy(block->data, &h, sizeof(h));
	return 0;
}

static void refuse_size(struct draft *d)
{
	char most[16];

	snprintf(most, sizeof(most), "%u", SNAPSHOT_BYTES_MAX);
	draft_refuse(d, d->tree->root, PROBLEM_SNAPSHOT_TOO_BIG, most, NULL);
}

/* One atom more, until there are too many. */
static int count_atom(void *ctx, const struct policy_atom *atom)
{
	uint32_t *count = ctx;

	return ++*count > POLICY_ATOMS_MAX;
}

static void check_combinations(struct draft *d, const struct snapshot *s)
{
	uint32_t count = 0;
	char most[16];

	snprintf(most, sizeof(most), "%u", POLICY_ATOMS_MAX);
	if (policy_atoms(s, count_atom, &count) != 0)
		draft_refuse(d, d->tree->root, PROBLEM_TOO_MANY_COMBINATIONS, most, NULL);
}

/* The loader has the last word: what it would refuse is not handed out. */
static void compile_draft(struct draft *d, struct bytes *block)
{
	struct snapshot view;

	if (!draft_check_tree(d))
		return;
	draft_lower(d);
	if (!d->no_memory) {
		draft_check_zones(d);
		draft_check_paths(d);
	}
	if (d->problems->error_count > 0)
		return;
	if (d->too_big || (!d->no_memory && emit_block(d, block) == -ERR_TOO_LONG))
		refuse_size(d);
	else if (d->no_memory || block->failed)
		draft_refuse(d, d->tree->root, PROBLEM_NO_MEMORY, NULL, NULL);
	else if (snapshot_view(&view, block->data, block->size) != 0)
		draft_refuse(d, d->tree->root, PROBLEM_NOT_SOUND, NULL, NULL);
	else
		check_combinations(d, &view);
}

static int compile(struct tree *tree, const int64_t *now_s, struct bytes *block,
		   struct problems *problems)
{
	struct draft d;

	if (draft_init(&d, tree, problems) == 0)
		compile_draft(&d, block);
	else
		draft_refuse(&d, tree->root, PROBLEM_NO_MEMORY, NULL, NULL);
	if (now_s != NULL && problems->error_count == 0) {
		d.now_s = *now_s;
		draft_advise(&d);
	}
	draft_fini(&d);
	return problems->error_count > 0 ? -ERR_DENIED : 0;
}

int policy_compile(struct tree *tree, struct bytes *block, struct problems *problems)
{
	return compile(tree, NULL, block, problems);
}

int policy_check(struct tree *tree, int64_t now_s, struct bytes *block, struct problems *problems)
{
	return compile(tree, &now_s, block, problems);
}

int policy_compile_text(struct span text, struct bytes *block, struct problems *problems)
{
	struct tree tree;
	int err = tree_init(&tree);

	if (err != 0)
		return err;
	err = parse_text(&tree, text, PARSE_WHOLE, problems);
	if (err == 0)
		err = policy_compile(&tree, block, problems);
	tree_fini(&tree);
	return err;
}
