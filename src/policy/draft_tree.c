/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lowering reads from the tree: values of statements with their defaults, names, texts. */
#include "policy/draft.h"

#include <string.h>

#define DAY_SECONDS 86400

bool draft_leaf(struct value *out, const struct tree_node *parent, enum schema_id row)
{
	const struct tree_node *node = tree_first(parent, row);
	const char *text = node != NULL ? tree_value(node, 0) : schema_row(row)->fallback;

	/* What the tree holds, and what the schema gives as default, parses: a unit test goes
	 * through all defaults. */
	return text != NULL && value_parse(out, &schema_row(row)->args[0], span_of(text)) == 0;
}

uint64_t draft_leaf_number(const struct tree_node *parent, enum schema_id row)
{
	struct value v;

	return draft_leaf(&v, parent, row) ? v.number : 0;
}

struct value draft_value(const struct tree_node *node, unsigned arg)
{
	struct value v;

	(void)value_parse(&v, &schema_row(node->row)->args[arg],
			  span_of(tree_value(node, arg))); /* canonical text parses */
	return v;
}

static const struct tree_node *find_entry(const struct draft *d, const struct tree_node *parent,
					  enum schema_id row, const char *name)
{
	struct tree_values key = {1, (uint32_t)strlen(name) + 1, name};

	return tree_find(d->tree, parent, row, &key);
}

const struct tree_node *draft_entry_node(const struct draft *d, enum schema_id row,
					 const char *name)
{
	return find_entry(d, d->tree->root, row, name);
}

const struct tree_node *draft_group_node(const struct draft *d, const char *name)
{
	const struct tree_node *group = draft_entry_node(d, ROW_ADDRESS_GROUP, name);

	return group != NULL ? group : draft_entry_node(d, ROW_STATION_GROUP, name);
}

const struct tree_node *draft_station_node(const struct draft *d, const char *zone, const char *mac)
{
	const struct tree_node *node = draft_entry_node(d, ROW_ZONE, zone);

	return node != NULL ? find_entry(d, node, ROW_ZONE_STATION, mac) : NULL;
}

uint32_t draft_entry(const struct draft *d, enum schema_id row, const char *name)
{
	const struct tree_node *entry = draft_entry_node(d, row, name);

	return entry != NULL ? entry->index : SNAPSHOT_NONE;
}

uint32_t draft_leaf_seconds(const struct tree_node *parent, enum schema_id row)
{
	return (uint32_t)((draft_leaf_number(parent, row) + 999) / 1000);
}

int64_t draft_leaf_day_end(const struct draft *d, const struct tree_node *parent,
			   enum schema_id row, int64_t otherwise)
{
	struct value date;

	if (!draft_leaf(&date, parent, row))
		return otherwise;
	return ((int64_t)date.number + 1) * DAY_SECONDS - d->utc_offset_s;
}

uint32_t draft_leaf_zone(const struct draft *d, const struct tree_node *parent, enum schema_id row)
{
	const struct tree_node *node = tree_first(parent, row);

	return node != NULL ? draft_entry(d, ROW_ZONE, tree_value(node, 0)) : SNAPSHOT_NONE;
}

void draft_copy_name(char *field, size_t field_bytes, const char *name)
{
	/* Names fit their fields: their form says so. */
	memcpy(field, name, strnlen(name, field_bytes - 1)); /* the row was zeroed */
}

uint32_t draft_add_text(struct draft *d, const char *text)
{
	size_t at = d->text.size;

	if (text == NULL || text[0] == '\0')
		return 0;
	if (bytes_append(&d->text, text, strlen(text) + 1) != 0)
		d->no_memory = true;
	return d->no_memory ? 0 : (uint32_t)at;
}

uint32_t draft_add_leaf_text(struct draft *d, const struct tree_node *parent, enum schema_id row)
{
	struct value v;

	return draft_leaf(&v, parent, row) ? draft_add_text(d, v.text) : 0;
}

struct snapshot_range draft_add_prefixes(struct draft *d, const struct tree_node *parent,
					 enum schema_id row)
{
	struct snapshot_range range = {draft_count(d, SECTION_PREFIXES), 0};

	for (const struct tree_node *n = tree_first(parent, row); n != NULL; n = tree_next(n)) {
		struct snapshot_prefix *p = draft_add(d, SECTION_PREFIXES, n);

		if (p == NULL)
			break;
		*p = draft_value(n, 0).prefix;
		range.count++;
	}
	return range;
}

struct snapshot_range draft_add_list(struct draft *d, const struct tree_node *parent,
				     enum schema_id row)
{
	struct snapshot_range range = {draft_count(d, SECTION_LIST_TEXTS), 0};

	for (const struct tree_node *n = tree_first(parent, row); n != NULL; n = tree_next(n)) {
		struct snapshot_text *t = draft_add(d, SECTION_LIST_TEXTS, n);

		if (t == NULL)
			break;
		t->at = draft_add_text(d, tree_value(n, 0));
		range.count++;
	}
	return range;
}
