/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Screens: their desktops, who may look, and that what is written fits together. */
#include "policy/draft.h"

#include <stdio.h>
#include <string.h>

#include "policy/prefix.h"

/* ---- lowering ---- */

static void lower_desktop(struct draft *d, const struct tree_node *node)
{
	struct snapshot_desktop *desktop = draft_add(d, SECTION_DESKTOPS, node);
	struct value place = draft_value(node, 0);

	if (desktop == NULL)
		return;
	desktop->address = place.prefix;
	desktop->port = place.port;
}

static struct snapshot_range lower_desktops(struct draft *d, const struct tree_node *screen)
{
	struct snapshot_range range = {draft_count(d, SECTION_DESKTOPS), 0};

	for (const struct tree_node *n = tree_first(screen, ROW_SCREEN_DESKTOP); n != NULL;
	     n = tree_next(n))
		lower_desktop(d, n);
	range.count = draft_count(d, SECTION_DESKTOPS) - range.first;
	return range;
}

static void copy_slot(char field[SNAPSHOT_NAME_BYTES], const struct tree_node *tls,
		      enum schema_id row)
{
	const struct tree_node *slot = tls != NULL ? tree_first(tls, row) : NULL;

	if (slot != NULL)
		draft_copy_name(field, SNAPSHOT_NAME_BYTES, tree_value(slot, 0));
}

static struct snapshot_access lower_access(struct draft *d, const struct tree_node *node)
{
	struct snapshot_access a = {.security = DESKTOP_SECURITY_NONE};

	if (node == NULL)
		return a;
	a.security = DESKTOP_SECURITY_VNC_AUTH +
		     (uint32_t)draft_leaf_number(node, ROW_SCREEN_ACCESS_TYPE);
	a.text_name = draft_add_leaf_text(d, node, ROW_SCREEN_ACCESS_NAME);
	a.text_user = draft_add_leaf_text(d, node, ROW_SCREEN_ACCESS_USER);
	copy_slot(a.authority_slot, node, ROW_SCREEN_ACCESS_AUTHORITY);
	copy_slot(a.password_slot, node, ROW_SCREEN_ACCESS_PASSWORD);
	return a;
}

static struct snapshot_record lower_record(const struct tree_node *node)
{
	if (node == NULL)
		return (struct snapshot_record){0};
	return (struct snapshot_record){
		.size_limit_bytes = draft_leaf_number(node, ROW_SCREEN_RECORD_SIZE),
		.total_limit_bytes = draft_leaf_number(node, ROW_SCREEN_RECORD_TOTAL),
		.keep_s = draft_leaf_seconds(node, ROW_SCREEN_RECORD_KEEP),
		.on_full = (uint32_t)draft_leaf_number(node, ROW_SCREEN_RECORD_ON_FULL),
	};
}

static struct snapshot_shadow lower_shadow(struct draft *d, const struct tree_node *node)
{
	struct snapshot_shadow shadow = {0};

	if (node == NULL)
		return shadow;
	shadow.limit_s = draft_leaf_seconds(node, ROW_SCREEN_SHADOW_LIMIT);
	shadow.notice = (uint32_t)draft_leaf_number(node, ROW_SCREEN_SHADOW_NOTICE);
	shadow.groups = draft_add_list(d, node, ROW_SCREEN_SHADOW_GROUP);
	return shadow;
}

void draft_lower_screen(struct draft *d, const struct tree_node *node)
{
	const struct tree_node *tls = tree_first(node, ROW_SCREEN_TLS);
	const struct tree_node *schedule = tree_first(node, ROW_SCREEN_SCHEDULE);
	struct snapshot_range desktops = lower_desktops(d, node);
	struct snapshot_range groups = draft_add_list(d, node, ROW_SCREEN_GROUP);
	const struct tree_node *browser = tree_first(node, ROW_SCREEN_BROWSER);
	struct snapshot_range names = browser != NULL
					      ? draft_add_list(d, browser, ROW_SCREEN_BROWSER_NAME)
					      : (struct snapshot_range){0};
	struct snapshot_access access = lower_access(d, tree_first(node, ROW_SCREEN_ACCESS));
	struct snapshot_shadow shadow = lower_shadow(d, tree_first(node, ROW_SCREEN_SHADOW));
	struct snapshot_screen *s = draft_add(d, SECTION_SCREENS, node);

	if (s == NULL)
		return;
	draft_copy_name(s->name, sizeof(s->name), tree_value(node, 0));
	s->from = draft_leaf_zone(d, node, ROW_SCREEN_FROM);
	s->to = draft_leaf_zone(d, node, ROW_SCREEN_TO);
	s->listen_port = (uint16_t)draft_leaf_number(node, ROW_SCREEN_LISTEN);
	s->security = (uint32_t)draft_leaf_number(node, ROW_SCREEN_SECURITY);
	s->sessions_max = (uint32_t)draft_leaf_number(node, ROW_SCREEN_SESSIONS);
	s->sessions_per_source = (uint32_t)draft_leaf_number(node, ROW_SCREEN_SOURCE_SESSIONS);
	s->sessions_per_user = (uint32_t)draft_leaf_number(node, ROW_SCREEN_USER_SESSIONS);
	s->sessions_per_pair = (uint32_t)draft_leaf_number(node, ROW_SCREEN_PAIR_SESSIONS);
	s->idle_timeout_s = draft_leaf_seconds(node, ROW_SCREEN_IDLE_TIMEOUT);
	s->session_limit_s = draft_leaf_seconds(node, ROW_SCREEN_SESSION_LIMIT);
	s->frame_rate_max = (uint32_t)draft_leaf_number(node, ROW_SCREEN_FRAME_RATE);
	s->bandwidth_kbit_s = (uint32_t)draft_leaf_number(node, ROW_SCREEN_BANDWIDTH);
	s->encodings = (uint32_t)draft_leaf_number(node, ROW_SCREEN_ENCODINGS);
	s->watermark = (uint32_t)draft_leaf_number(node, ROW_SCREEN_WATERMARK);
	s->schedule = schedule != NULL ? draft_entry(d, ROW_SCHEDULE, tree_value(schedule, 0))
				       : SNAPSHOT_NONE;
	s->desktops = desktops;
	s->groups = groups;
	copy_slot(s->tls_slot, tls, ROW_SCREEN_TLS_CERTIFICATE);
	copy_slot(s->authority_slot, tls, ROW_SCREEN_TLS_AUTHORITY);
	s->browser_names = names;
	s->access = access;
	s->record = lower_record(tree_first(node, ROW_SCREEN_RECORD));
	s->shadow = shadow;
	if (browser != NULL)
		s->browser_port = (uint16_t)draft_leaf_number(browser, ROW_SCREEN_BROWSER_LISTEN);
}

void draft_lower_screen_user(struct draft *d, const struct tree_node *node)
{
	struct snapshot_range groups = draft_add_list(d, node, ROW_SCREEN_USER_GROUP);
	struct snapshot_screen_user *u = draft_add(d, SECTION_SCREEN_USERS, node);
	struct value desktop;

	if (u == NULL)
		return;
	draft_copy_name(u->name, sizeof(u->name), tree_value(node, 0));
	u->groups = groups;
	u->suspended = tree_first(node, ROW_SCREEN_USER_SUSPENDED) != NULL;
	u->expires_s = draft_leaf_day_end(d, node, ROW_SCREEN_USER_EXPIRES, INT64_MAX);
	if (draft_leaf(&desktop, node, ROW_SCREEN_USER_DESKTOP)) {
		u->desktop.address = desktop.prefix;
		u->desktop.port = desktop.port;
	}
}

void draft_lower_group_limit(struct draft *d, const struct tree_node *node)
{
	struct snapshot_group_limit *l = draft_add(d, SECTION_GROUP_LIMITS, node);

	if (l == NULL)
		return;
	draft_copy_name(l->group, sizeof(l->group), tree_value(node, 0));
	l->sessions_max = (uint32_t)draft_leaf_number(node, ROW_GROUP_LIMIT_SESSIONS);
}

/* ---- checks ---- */

/* Words that would be without effect make a reader believe in a protection that is not there. */
static void refuse_useless(struct draft *d, const struct tree_node *screen,
			   const enum schema_id *useless, size_t count, const char *security)
{
	for (size_t i = 0; i < count; i++) {
		const struct tree_node *n = tree_first(screen, useless[i]);

		if (n != NULL)
			draft_refuse(d, n, PROBLEM_SCREEN_USELESS, schema_row(n->row)->name,
				     security);
	}
}

static void check_open(struct draft *d, const struct tree_node *screen)
{
	static const enum schema_id useless[] = {ROW_SCREEN_TLS, ROW_SCREEN_GROUP,
						 ROW_SCREEN_USER_SESSIONS, ROW_SCREEN_BROWSER,
						 ROW_SCREEN_SHADOW};

	refuse_useless(d, screen, useless, sizeof(useless) / sizeof(useless[0]), "none");
}

/* What only names and passwords give a meaning to. */
static void check_certified(struct draft *d, const struct tree_node *screen, const char *security)
{
	static const enum schema_id useless[] = {ROW_SCREEN_GROUP, ROW_SCREEN_BROWSER,
						 ROW_SCREEN_SHADOW};

	refuse_useless(d, screen, useless, sizeof(useless) / sizeof(useless[0]), security);
}

static void check_secured(struct draft *d, const struct snapshot_screen *s,
			  const struct tree_node *screen)
{
	const struct tree_node *security = tree_first(screen, ROW_SCREEN_SECURITY);
	const char *word = tree_value(security, 0);

	if (s->tls_slot[0] == '\0')
		draft_refuse(d, security, PROBLEM_SCREEN_LACKS, word, "tls { certificate SLOT; }");
	if (s->security == SCREEN_SECURITY_X509_NONE) {
		if (s->tls_slot[0] != '\0' && s->authority_slot[0] == '\0')
			draft_refuse(d, security, PROBLEM_SCREEN_LACKS, word,
				     "tls { client-authority SLOT; }");
		check_certified(d, screen, word);
	} else if (s->groups.count == 0) {
		draft_refuse(d, security, PROBLEM_SCREEN_LACKS, word, "group NAME;");
	}
}

/* What a way of logging in at desktops needs, and what would be without effect on it. */
static void check_access(struct draft *d, const struct snapshot_access *a,
			 const struct tree_node *node)
{
	const struct tree_node *type = tree_first(node, ROW_SCREEN_ACCESS_TYPE);
	const bool tls = snapshot_access_has_tls(a), password = snapshot_access_has_password(a);
	const struct {
		enum schema_id row;
		bool has_use, is_needed;
		const char *example;
	} parts[] = {
		{ROW_SCREEN_ACCESS_AUTHORITY, tls, tls, "authority SLOT;"},
		{ROW_SCREEN_ACCESS_NAME, tls, false, NULL},
		{ROW_SCREEN_ACCESS_USER, tls && password, tls && password, "user NAME;"},
		{ROW_SCREEN_ACCESS_PASSWORD, password, password, "password SLOT;"},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const struct tree_node *n = tree_first(node, parts[i].row);

		if (n != NULL && !parts[i].has_use)
			draft_refuse(d, n, PROBLEM_SCREEN_USELESS, schema_row(n->row)->name,
				     tree_value(type, 0));
		else if (n == NULL && parts[i].is_needed)
			draft_refuse(d, type, PROBLEM_SCREEN_LACKS, tree_value(type, 0),
				     parts[i].example);
	}
}

/* One session must find room, or none could ever begin. */
static void check_record(struct draft *d, const struct snapshot_record *r,
			 const struct tree_node *node)
{
	if (r->total_limit_bytes < r->size_limit_bytes)
		draft_refuse(d, node, PROBLEM_SCREEN_RECORD_ROOM, NULL, NULL);
}

/* Sessions are counted by pair of zones, so two numbers for one pair would hold here and not there:
 * the first screen of the pair has the number that the others must have. */
void draft_check_screen_pair(struct draft *d, uint32_t i)
{
	const struct snapshot_screen *s = draft_row(d, SECTION_SCREENS, i), *first = s;
	const struct tree_node *origin = draft_origin(d, SECTION_SCREENS, i);
	const struct tree_node *limit = tree_first(origin, ROW_SCREEN_PAIR_SESSIONS);

	for (uint32_t k = 0; k < i && first == s; k++) {
		const struct snapshot_screen *other = draft_row(d, SECTION_SCREENS, k);

		if (other->from == s->from && other->to == s->to)
			first = other;
	}
	if (first->sessions_per_pair != s->sessions_per_pair)
		draft_refuse(d, limit != NULL ? limit : origin, PROBLEM_SCREEN_PAIR, first->name,
			     s->name);
}

void draft_check_screen_security(struct draft *d, uint32_t i)
{
	const struct snapshot_screen *s = draft_row(d, SECTION_SCREENS, i);
	const struct tree_node *origin = draft_origin(d, SECTION_SCREENS, i);
	const struct tree_node *access = tree_first(origin, ROW_SCREEN_ACCESS);

	if (access != NULL)
		check_access(d, &s->access, access);
	if (snapshot_is_recorded(s))
		check_record(d, &s->record, tree_first(origin, ROW_SCREEN_RECORD));
	if (s->security == SCREEN_SECURITY_NONE)
		check_open(d, origin);
	else
		check_secured(d, s, origin);
}

static bool is_listed(const struct draft *d, const struct snapshot_desktop *wanted)
{
	for (uint32_t i = 0; i < draft_count(d, SECTION_DESKTOPS); i++) {
		const struct snapshot_desktop *desktop = draft_row(d, SECTION_DESKTOPS, i);

		if (desktop->port == wanted->port &&
		    prefix_same_address(&desktop->address, &wanted->address))
			return true;
	}
	return false;
}

/* Who has a desktop of his own that no screen shows could never log in. */
void draft_check_screen_user(struct draft *d, uint32_t i)
{
	const struct snapshot_screen_user *u = draft_row(d, SECTION_SCREEN_USERS, i);
	const struct tree_node *origin = draft_origin(d, SECTION_SCREEN_USERS, i);
	const struct tree_node *desktop = tree_first(origin, ROW_SCREEN_USER_DESKTOP);

	if (desktop != NULL && !is_listed(d, &u->desktop))
		draft_refuse(d, desktop, PROBLEM_SCREEN_USER_DESKTOP, tree_value(desktop, 0),
			     u->name);
}

static bool is_member(const struct tree_node *user, const char *group)
{
	for (const struct tree_node *n = tree_first(user, ROW_SCREEN_USER_GROUP); n != NULL;
	     n = tree_next(n)) {
		if (strcmp(tree_value(n, 0), group) == 0)
			return true;
	}
	return false;
}

/* A misspelt name would be a limit that is written and does not hold. */
void draft_check_group_limit(struct draft *d, uint32_t i)
{
	const struct snapshot_group_limit *l = draft_row(d, SECTION_GROUP_LIMITS, i);

	for (const struct tree_node *n = tree_first(d->tree->root, ROW_SCREEN_USER); n != NULL;
	     n = tree_next(n)) {
		if (is_member(n, l->group))
			return;
	}
	draft_refuse(d, draft_origin(d, SECTION_GROUP_LIMITS, i), PROBLEM_GROUP_LIMIT_EMPTY,
		     l->group, NULL);
}
