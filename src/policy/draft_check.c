/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first checks of meaning, on the tree: nothing missing, nothing too many, every name defined.
 */
#include "policy/draft.h"

#include <stdio.h>
#include <string.h>

static const struct {
	enum schema_id row;
	uint32_t most;
	bool in_parent; /* counted in each parent, not in all */
} limits[] = {
	{ROW_ZONE, SNAPSHOT_ZONES_MAX, false},
	{ROW_PERMIT, SNAPSHOT_PERMITS_MAX, false},
	{ROW_ZONE_STATION, SNAPSHOT_STATIONS_MAX, false},
	{ROW_MAIL_NEXT_HOP, SNAPSHOT_NEXT_HOPS_MAX, true},
	{ROW_ZONE_NETWORK, SNAPSHOT_NETWORKS_MAX, true},
	{ROW_BOND, SNAPSHOT_BONDS_MAX, false},
	{ROW_BOND_PORT, SNAPSHOT_MEMBERS_MAX, true},
	{ROW_HOLIDAY, SNAPSHOT_HOLIDAYS_MAX, false},
	{ROW_SERVICE_CONFORM, SNAPSHOT_CONFORMS_MAX, false},
	{ROW_LOGIN_USER, SNAPSHOT_PERSONS_MAX, true},
	{ROW_SCREEN_DESKTOP, SNAPSHOT_DESKTOPS_MAX, true},
	{ROW_NTP_SERVER, SNAPSHOT_NTP_MAX, true},
	{ROW_SCANNER, SNAPSHOT_SCANNERS_MAX, false},
	{ROW_SCREEN_USER, SNAPSHOT_SCREEN_USERS_MAX, false},
	{ROW_GROUP_LIMIT, SNAPSHOT_GROUP_LIMITS_MAX, false},
};

/* Count one statement against its limit; told once, at the first that is too many. */
static void count_statement(struct draft *d, const struct tree_node *node, uint32_t *counts)
{
	char most[16];

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (limits[i].row != node->row)
			continue;
		if (limits[i].in_parent && (node->prev == NULL || node->prev->row != node->row))
			counts[i] = 0;
		snprintf(most, sizeof(most), "%u", limits[i].most);
		if (++counts[i] == limits[i].most + 1)
			draft_refuse(d, node, PROBLEM_TOO_MANY_ROWS, schema_row(node->row)->name,
				     most);
	}
}

static void refuse_incomplete(struct draft *d, const struct tree_node *node, enum schema_id child)
{
	char path[TREE_PATH_BYTES];

	tree_path(path, node);
	problems_add(d->problems, node->at, PROBLEM_INCOMPLETE, child, 0, path,
		     schema_row(child)->name);
}

static bool is_transparent(const struct draft *d, const char *zone)
{
	for (const struct tree_node *n = tree_first(d->tree->root, ROW_CROSSING); n != NULL;
	     n = tree_next(n)) {
		if (tree_first(n, ROW_CROSSING_TRANSPARENT) != NULL &&
		    (strcmp(tree_value(n, 0), zone) == 0 || strcmp(tree_value(n, 1), zone) == 0))
			return true;
	}
	return false;
}

/* Where its hosts stand: addresses of the gateway, or networks where it has none. */
static void check_zone(struct draft *d, const struct tree_node *node)
{
	enum schema_id wanted;

	if (node->row != ROW_ZONE)
		return;
	wanted = is_transparent(d, tree_value(node, 0)) ? ROW_ZONE_NETWORK : ROW_ZONE_ADDRESS;
	if (tree_first(node, wanted) == NULL)
		refuse_incomplete(d, node, wanted);
}

/* Each required statement is there. */
static void check_complete(struct draft *d, const struct tree_node *node)
{
	enum schema_id child = schema_first_child(node->row);

	for (; child < ROW_COUNT_; child = schema_next_sibling(child)) {
		if ((schema_row(child)->flags & SCHEMA_REQUIRED) == 0 ||
		    tree_first(node, child) != NULL)
			continue;
		refuse_incomplete(d, node, child);
	}
}

static void list_zones(struct draft *d, char out[PROBLEM_ARG_BYTES])
{
	struct writer w;

	writer_init(&w, out, PROBLEM_ARG_BYTES - 1);
	for (const struct tree_node *n = tree_first(d->tree->root, ROW_ZONE); n != NULL;
	     n = tree_next(n))
		writer_printf(&w, "%s%s", w.size > 0 ? ", " : "", tree_value(n, 0));
	out[w.size] = '\0';
}

/* Every value that names a zone, service or schedule names one that exists. */
static void check_names(struct draft *d, const struct tree_node *node)
{
	static const struct {
		enum schema_id row;
		enum problem_id problem;
	} named[TYPE_COUNT_] = {
		[TYPE_ZONE] = {ROW_ZONE, PROBLEM_NO_SUCH_ZONE},
		[TYPE_SERVICE] = {ROW_SERVICE, PROBLEM_NO_SUCH_SERVICE},
		[TYPE_SCHEDULE] = {ROW_SCHEDULE, PROBLEM_NO_SUCH_SCHEDULE},
		[TYPE_SCANNER] = {ROW_SCANNER, PROBLEM_NO_SUCH_SCANNER},
	};
	char zones[PROBLEM_ARG_BYTES];

	for (unsigned i = 0; i < node->value_count; i++) {
		enum value_type type = schema_row(node->row)->args[i].type;
		const char *name = tree_value(node, i);
		struct tree_values key = {1, (uint32_t)strlen(name) + 1, name};

		if (named[type].row == ROW_ROOT ||
		    tree_find(d->tree, d->tree->root, named[type].row, &key) != NULL)
			continue;
		list_zones(d, zones);
		draft_refuse(d, node, named[type].problem, name, zones);
	}
}

/* The name of a group: one of either kind. */
static void check_place_name(struct draft *d, const struct tree_node *node)
{
	enum value_type type = schema_row(node->row)->args[0].type;

	if (type == TYPE_PLACE && draft_value(node, 0).prefix.family == 0 &&
	    draft_group_node(d, tree_value(node, 0)) == NULL)
		draft_refuse(d, node, PROBLEM_NO_SUCH_GROUP, tree_value(node, 0), NULL);
}

/* A station group stands for the addresses that its zone binds to its stations: each must have
 * one. */
static void check_group(struct draft *d, const struct tree_node *node)
{
	const struct tree_node *zone, *station;

	if (node->row == ROW_STATION_GROUP &&
	    draft_entry_node(d, ROW_ADDRESS_GROUP, tree_value(node, 0)) != NULL)
		draft_refuse(d, node, PROBLEM_GROUP_TWICE, tree_value(node, 0), NULL);
	if (node->row != ROW_STATION_GROUP_STATION)
		return;
	zone = tree_first(node->parent, ROW_STATION_GROUP_ZONE);
	if (zone == NULL || draft_entry_node(d, ROW_ZONE, tree_value(zone, 0)) == NULL)
		return; /* told already */
	station = draft_station_node(d, tree_value(zone, 0), tree_value(node, 0));
	if (station == NULL)
		draft_refuse(d, node, PROBLEM_NO_SUCH_STATION, tree_value(node, 0),
			     tree_value(zone, 0));
	else if (tree_first(station, ROW_STATION_ADDRESS) == NULL)
		draft_refuse(d, node, PROBLEM_STATION_NO_ADDRESS, tree_value(node, 0),
			     tree_value(zone, 0));
}

bool draft_check_tree(struct draft *d)
{
	uint32_t counts[sizeof(limits) / sizeof(limits[0])] = {0};
	const struct tree_node *root = d->tree->root;

	for (const struct tree_node *n = root; (n = tree_walk(root, n)) != NULL;) {
		count_statement(d, n, counts);
		check_complete(d, n);
		check_zone(d, n);
		check_names(d, n);
		check_place_name(d, n);
		check_group(d, n);
		draft_check_service(d, n);
		if (n->row == ROW_LOGIN)
			draft_check_login(d, n);
	}
	draft_check_presets(d);
	return d->problems->error_count == 0;
}
