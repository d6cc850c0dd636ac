/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy while it is compiled: the snapshot's tables as they grow, with the statement that each
 * row came from. */
#ifndef SEKISHO_POLICY_DRAFT_H
#define SEKISHO_POLICY_DRAFT_H

#include "policy/problem.h"
#include "policy/snapshot.h"
#include "policy/tree.h"

struct draft_table {
	void *rows;
	const struct tree_node **origins;
	uint32_t count, capacity;
};

struct draft {
	struct tree *tree;
	struct problems *problems;
	struct draft_table tables[SECTION_TEXT];
	struct snapshot_range *service_ranges; /* by the index of a service's node */
	struct bytes text;
	uint32_t text_organization, text_host_name;
	int32_t utc_offset_s;
	bool no_memory; /* also set where a table is full: then @too_big too */
	bool too_big;
};

/* Row @i of a section, typed by the caller; and the statement that it came from. */
void *draft_row(const struct draft *d, enum snapshot_section section, uint32_t i);
const struct tree_node *draft_origin(const struct draft *d, enum snapshot_section section,
				     uint32_t i);
uint32_t draft_count(const struct draft *d, enum snapshot_section section);

/**
 * draft_add - append a zeroed row
 * Return: the row, valid until the next is added to the section; NULL (and d->no_memory) without
 * memory.
 */
void *draft_add(struct draft *d, enum snapshot_section section, const struct tree_node *origin);

/* Note an error at a statement; @first and @second as problems_add. */
void draft_refuse(struct draft *d, const struct tree_node *node, enum problem_id id,
		  const char *first, const char *second);

/* draft_lower.c: fill the tables from the tree, which draft_check_tree has found complete. */
void draft_lower(struct draft *d);

#define DRAFT_ROWS_MAX 1000000 /* of one section */

/* draft_check.c: statements that are missing, names that nothing has. Return: whether draft_lower
 * may run. */
bool draft_check_tree(struct draft *d);

/* Checks of meaning on the filled tables: zones and their networks; what crosses between them. */
void draft_check_zones(struct draft *d);
void draft_check_paths(struct draft *d);

#endif
