/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy while it is compiled: the snapshot's tables as they grow, with the statement that each
 * row came from. */
#ifndef SEKISHO_POLICY_DRAFT_H
#define SEKISHO_POLICY_DRAFT_H

#include "policy/presets.h"
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
	struct snapshot_range *group_ranges;   /* in prefixes, by the index of a group's node */
	struct bytes text;
	uint32_t text_organization, text_host_name;
	int32_t utc_offset_s;
	uint32_t connections_max, watch_s, usb, retention_s;
	bool recovery_off;
	uint32_t language; /* of consoles: 0 English, 1 Japanese */
	bool no_memory;    /* also set where a table is full: then @too_big too */
	int64_t now_s;     /* when what is unwise is looked for: seconds since 1970 */
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

/* draft_tree.c: what lowering reads from the tree. */

/* The value of the leaf @row below @parent, or its default; false where there is neither. */
bool draft_leaf(struct value *out, const struct tree_node *parent, enum schema_id row);
/* Its number; 0 where there is neither. */
uint64_t draft_leaf_number(const struct tree_node *parent, enum schema_id row);
/* A duration in seconds; a part of one counts as one. */
uint32_t draft_leaf_seconds(const struct tree_node *parent, enum schema_id row);
/* The first second behind the day that the leaf names, in local time; @otherwise without it. */
int64_t draft_leaf_day_end(const struct draft *d, const struct tree_node *parent,
			   enum schema_id row, int64_t otherwise);
/* The index of the zone that the leaf names, SNAPSHOT_NONE where it is not written. */
uint32_t draft_leaf_zone(const struct draft *d, const struct tree_node *parent, enum schema_id row);
/* Argument @arg of a statement. */
struct value draft_value(const struct tree_node *node, unsigned arg);
/* The top-level entry @row of that name, NULL: none; and the index of its node. */
const struct tree_node *draft_entry_node(const struct draft *d, enum schema_id row,
					 const char *name);
uint32_t draft_entry(const struct draft *d, enum schema_id row, const char *name);
/* The address-group or station-group of that name, NULL: none. */
const struct tree_node *draft_group_node(const struct draft *d, const char *name);
/* The statement of a zone that lists the station, NULL: none. */
const struct tree_node *draft_station_node(const struct draft *d, const char *zone,
					   const char *mac);
/* Into a zeroed field of a row. */
void draft_copy_name(char *field, size_t field_bytes, const char *name);
/* Offset of a text in the text section; 0 for none. */
uint32_t draft_add_text(struct draft *d, const char *text);
uint32_t draft_add_leaf_text(struct draft *d, const struct tree_node *parent, enum schema_id row);
/* One row of prefixes, or of list texts, for each statement @row below @parent. */
struct snapshot_range draft_add_prefixes(struct draft *d, const struct tree_node *parent,
					 enum schema_id row);
struct snapshot_range draft_add_list(struct draft *d, const struct tree_node *parent,
				     enum schema_id row);

/* draft_ports.c, draft_objects.c: rows of what permits and paths refer to. */
void draft_lower_ports(struct draft *d);
void draft_lower_objects(struct draft *d);

/* draft_login.c: the rules of the accounts and their persons; the check that somebody remains. */
void draft_lower_login(struct draft *d);
void draft_check_login(struct draft *d, const struct tree_node *login);

/* draft_presets.c: a finding of the table, told as the preset's level says; and all of them that
 * the tree alone shows. */
void draft_find(struct draft *d, const struct tree_node *node, enum preset_rule rule,
		const char *first, const char *second);
void draft_check_presets(struct draft *d);

/* draft_screens.c: screens with their desktops, the persons who may look, and what
 * groups of them may have together. */
void draft_lower_screen(struct draft *d, const struct tree_node *node);
void draft_lower_screen_user(struct draft *d, const struct tree_node *node);
void draft_lower_group_limit(struct draft *d, const struct tree_node *node);
void draft_check_screen_security(struct draft *d, uint32_t i);
void draft_check_screen_pair(struct draft *d, uint32_t i);
void draft_check_screen_user(struct draft *d, uint32_t i);
void draft_check_group_limit(struct draft *d, uint32_t i);

/* draft_syslog.c: the syslog servers, and what those under TLS need. */
void draft_lower_syslog(struct draft *d, const struct tree_node *syslog);
void draft_check_syslog_security(struct draft *d, uint32_t i);

/* draft_lower.c: fill the tables from the tree, which draft_check_tree has found complete. */
void draft_lower(struct draft *d);

#define DRAFT_ROWS_MAX 1000000 /* of one section */

/* draft_check.c: statements that are missing, names that nothing has. Return: whether draft_lower
 * may run. */
bool draft_check_tree(struct draft *d);

/* draft_services.c: conformance of services, and that a permit's services do not contradict each
 * other. */
void draft_check_service(struct draft *d, const struct tree_node *service);
void draft_check_overlap(struct draft *d, uint32_t permit);

/* Checks of meaning on the filled tables: zones and their networks; what crosses between them. */
void draft_check_zones(struct draft *d);
void draft_check_paths(struct draft *d);

/* draft_advise.c: warnings of what is allowed and yet unwise, on the filled tables of a sound
 * policy; DRAFT_USED then stands in the index of each entry that another statement names. */
#define DRAFT_USED UINT32_MAX
void draft_advise(struct draft *d);
/* draft_hidden.c: permits that an earlier one of their crossing hides. Bounded in time. */
void draft_advise_hidden(struct draft *d);

/* Where the zone's hosts stand: the networks of the gateway's addresses, or its own. */
struct snapshot_range draft_link_networks(const struct snapshot_zone *z);
/* Whether all of @p lies there, and of a transparent crossing's two sides nearer to this zone. */
bool draft_is_on_link(const struct draft *d, uint32_t zone, const struct snapshot_prefix *p);

#endif
