/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walking the schema table. */
#include "policy/schema.h"

#include "policy/snapshot.h"

#define BLOCK    SCHEMA_BLOCK
#define ENTRY    SCHEMA_ENTRY
#define LEAF     SCHEMA_LEAF
#define LIST     SCHEMA_LIST
#define FLAG     SCHEMA_FLAG
#define REQUIRED SCHEMA_REQUIRED
#define ORDERED  SCHEMA_ORDERED
#define PRIVATE  SCHEMA_PRIVATE

static const struct schema_row rows[ROW_COUNT_] = {
	[ROW_ROOT] = {.name = "", .kind = SCHEMA_BLOCK},
#define ROW(id, d, n, k, f, fall, requirement_ids, en, ja, ...)                                    \
	[ROW_##id] = {.depth = (d),                                                                \
		      .name = (n),                                                                 \
		      .kind = (k),                                                                 \
		      .flags = (f),                                                                \
		      .fallback = (fall),                                                          \
		      .requirement = (requirement_ids),                                            \
		      .help = {en, ja},                                                            \
		      .args = {__VA_ARGS__}},
#include "policy/schema.def"
#undef ROW
};

const struct schema_row *schema_row(enum schema_id id)
{
	return &rows[id];
}

/* The first row from @id on that is exactly @depth deep, before one that is less deep. */
static enum schema_id next_at_depth(enum schema_id id, unsigned depth)
{
	for (; id < ROW_COUNT_ && rows[id].depth >= depth; id++) {
		if (rows[id].depth == depth)
			return id;
	}
	return ROW_COUNT_;
}

enum schema_id schema_first_child(enum schema_id parent)
{
	return next_at_depth(parent + 1, rows[parent].depth + 1);
}

enum schema_id schema_next_sibling(enum schema_id id)
{
	return next_at_depth(id + 1, rows[id].depth);
}

enum schema_id schema_find_child(enum schema_id parent, struct span name)
{
	enum schema_id id = schema_first_child(parent);

	while (id < ROW_COUNT_ && !span_equal(span_of(rows[id].name), name))
		id = schema_next_sibling(id);
	return id;
}

unsigned schema_arg_count(enum schema_id id)
{
	unsigned count = 0;

	while (count < SCHEMA_ARGS_MAX && rows[id].args[count].type != TYPE_NONE)
		count++;
	return count;
}
