/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of services: what they name, what they ask of the first payload, and that one permit does
 * not ask two things of one packet. */
#include "policy/draft.h"

#include <stdlib.h>
#include <string.h>

/* ICMP, TCP and UDP by number would slip past what is checked for them by name. */
static void check_protocol(struct draft *d, const struct tree_node *node)
{
	static const struct {
		const char *number, *name;
	} reserved[] = {{"6", "tcp"}, {"17", "udp"}, {"58", "icmp6"}};

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (strcmp(tree_value(node, 0), reserved[i].number) == 0)
			draft_refuse(d, node, PROBLEM_NAMED_PROTOCOL, reserved[i].number,
				     reserved[i].name);
	}
	if (strcmp(tree_value(node, 0), "51") == 0)
		draft_refuse(d, node, PROBLEM_NEVER_CARRIED, "51", "AH");
}

static bool names_protocol(const struct tree_node *service)
{
	for (const struct tree_node *n = service->first; n != NULL; n = n->next) {
		if (n->row != ROW_SERVICE_CONFORM)
			return true;
	}
	return false;
}

/* Which protocol's conformance a statement belongs to; CONFORM_RDP + 1: to any. */
static unsigned owner_of(enum schema_id row)
{
	static const struct {
		enum schema_id row;
		enum conform_kind kind;
	} owners[] = {{ROW_CONFORM_SERVER_NAME, CONFORM_TLS},
		      {ROW_CONFORM_ECH, CONFORM_TLS},
		      {ROW_CONFORM_HOST, CONFORM_HTTP},
		      {ROW_CONFORM_NAME, CONFORM_DNS}};

	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		if (owners[i].row == row)
			return owners[i].kind;
	}
	return CONFORM_RDP + 1;
}

/* TCP carries all of them, UDP only DNS. */
static void check_conform(struct draft *d, const struct tree_node *conform)
{
	uint64_t kind = draft_value(conform, 0).number;
	const char *name = tree_value(conform, 0);

	if (tree_first(conform->parent, ROW_SERVICE_CONFORM) != conform)
		draft_refuse(d, conform, PROBLEM_CONFORM_TWICE, tree_value(conform->parent, 0),
			     NULL);
	for (const struct tree_node *n = conform->first; n != NULL; n = n->next) {
		if (owner_of(n->row) != kind)
			draft_refuse(d, n, PROBLEM_CONFORM_OTHER, schema_row(n->row)->name, name);
	}
	for (const struct tree_node *n = conform->parent->first; n != NULL; n = n->next) {
		bool fits = n->row == ROW_SERVICE_TCP || n->row == ROW_SERVICE_CONFORM ||
			    (n->row == ROW_SERVICE_UDP && kind == CONFORM_DNS);

		if (!fits)
			draft_refuse(d, n, PROBLEM_CONFORM_PROTOCOL, schema_row(n->row)->name,
				     name);
	}
}

void draft_check_service(struct draft *d, const struct tree_node *node)
{
	if (node->row == ROW_SERVICE && !names_protocol(node))
		draft_refuse(d, node, PROBLEM_EMPTY_SERVICE, tree_value(node, 0), NULL);
	else if (node->row == ROW_SERVICE_PROTOCOL)
		check_protocol(d, node);
	else if (node->row == ROW_SERVICE_CONFORM)
		check_conform(d, node);
}

static int compare_services(const void *left, const void *right)
{
	const struct snapshot_service *a = left, *b = right;

	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	return a->low < b->low ? -1 : a->low > b->low;
}

/*
 * Whether two rows hold the same port but ask different things. Sorted by their first port, a row
 * meets an earlier one exactly where it begins before the farthest end so far; all rows that made
 * that end ask the same, or the search had ended.
 */
static bool contradicts(struct snapshot_service *rows, uint32_t count)
{
	const struct snapshot_service *reach = rows;

	qsort(rows, count, sizeof(*rows), compare_services);
	for (uint32_t i = 1; i < count; i++) {
		bool meets = rows[i].protocol == reach->protocol && rows[i].low <= reach->high;

		if (meets && rows[i].conform != reach->conform)
			return true;
		if (!meets || rows[i].high > reach->high)
			reach = &rows[i];
	}
	return false;
}

void draft_check_overlap(struct draft *d, uint32_t permit)
{
	const struct snapshot_permit *p = draft_row(d, SECTION_PERMITS, permit);
	const struct tree_node *origin = draft_origin(d, SECTION_PERMITS, permit);
	const struct tree_node *first = tree_first(origin, ROW_PERMIT_SERVICE);
	struct snapshot_service *rows;
	char path[TREE_PATH_BYTES];

	if (tree_next(first) == NULL)
		return; /* the rows of one service ask the same */
	rows = calloc(p->services.count, sizeof(*rows));
	if (rows == NULL) {
		d->no_memory = true;
		return;
	}
	memcpy(rows, draft_row(d, SECTION_SERVICES, p->services.first),
	       p->services.count * sizeof(*rows));
	tree_path(path, origin);
	if (contradicts(rows, p->services.count))
		draft_refuse(d, first, PROBLEM_CONFORM_OVERLAP, path, NULL);
	free(rows);
}
