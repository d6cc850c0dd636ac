/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accounts of the consoles: their rules and persons. */
#include "policy/draft.h"

#include <string.h>

static bool is_lasting_administrator(const struct tree_node *user)
{
	const struct tree_node *role = tree_first(user, ROW_USER_ROLE);

	return role != NULL && strcmp(tree_value(role, 0), "administrator") == 0 &&
	       tree_first(user, ROW_USER_SUSPENDED) == NULL &&
	       tree_first(user, ROW_USER_EXPIRES) == NULL;
}

/* Whoever commits accounts must not lock everybody out, nor out of changes that take two. */
void draft_check_login(struct draft *d, const struct tree_node *login)
{
	const struct tree_node *users = tree_first(login, ROW_LOGIN_USER);
	const struct tree_node *two = tree_first(login, ROW_LOGIN_TWO_PERSON);
	const struct tree_node *window = tree_first(login, ROW_LOGIN_CHANGE_WINDOW);
	unsigned count = 0;

	for (const struct tree_node *n = users; n != NULL; n = tree_next(n))
		count += is_lasting_administrator(n);
	if (users != NULL && count == 0)
		draft_refuse(d, users, PROBLEM_NO_ADMINISTRATOR, NULL, NULL);
	else if (two != NULL && count < 2)
		draft_refuse(d, two, PROBLEM_ONE_ADMINISTRATOR, NULL, NULL);
	else if (window != NULL && count < 2)
		draft_refuse(d, window, PROBLEM_WINDOW_ALONE, NULL, NULL);
}

static void lower_person(struct draft *d, const struct tree_node *node)
{
	struct snapshot_person *p = draft_add(d, SECTION_PERSONS, node);

	if (p == NULL)
		return;
	draft_copy_name(p->name, sizeof(p->name), tree_value(node, 0));
	p->role = (uint32_t)draft_leaf_number(node, ROW_USER_ROLE);
	p->suspended = tree_first(node, ROW_USER_SUSPENDED) != NULL;
	p->expires_s = draft_leaf_day_end(d, node, ROW_USER_EXPIRES, INT64_MAX);
	p->administrator_until_s = draft_leaf_day_end(d, node, ROW_USER_ADMINISTRATOR_UNTIL, 0);
}

/* The rules hold without a login block too: its defaults. */
void draft_lower_login(struct draft *d)
{
	static const struct tree_node empty;
	const struct tree_node *login = tree_first(d->tree->root, ROW_LOGIN);
	const struct tree_node *from = login != NULL ? login : &empty;
	const struct tree_node *window = tree_first(from, ROW_LOGIN_CHANGE_WINDOW);
	struct snapshot_login *l = draft_add(d, SECTION_LOGINS, from);

	if (l == NULL)
		return;
	l->age_s = draft_leaf_seconds(from, ROW_LOGIN_MAXIMUM_AGE);
	l->administrator_age_s = draft_leaf_seconds(from, ROW_LOGIN_ADMINISTRATOR_AGE);
	l->logins_max = (uint32_t)draft_leaf_number(from, ROW_LOGIN_MAXIMUM_LOGINS);
	l->length_min = (uint32_t)draft_leaf_number(from, ROW_LOGIN_MINIMUM_LENGTH);
	l->attempts = (uint32_t)draft_leaf_number(from, ROW_LOGIN_ATTEMPTS);
	l->lock_s = draft_leaf_seconds(from, ROW_LOGIN_LOCK);
	l->idle_s = draft_leaf_seconds(from, ROW_LOGIN_IDLE_TIMEOUT);
	l->session_s = draft_leaf_seconds(from, ROW_LOGIN_SESSION_LIMIT);
	l->two_person = tree_first(from, ROW_LOGIN_TWO_PERSON) != NULL;
	l->totp_required = (uint32_t)draft_leaf_number(from, ROW_LOGIN_TOTP); /* of its two words */
	l->change_window = window != NULL ? draft_entry(d, ROW_SCHEDULE, tree_value(window, 0))
					  : SNAPSHOT_NONE;
	for (const struct tree_node *n = tree_first(from, ROW_LOGIN_USER);
	     n != NULL && !d->no_memory; n = tree_next(n))
		lower_person(d, n);
}
