/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the preset asks of a configuration, by the table of presets. */
#include "policy/draft.h"

#include <string.h>

#define MAIL_BYTES_MOST  (5U << 20) /* U 6(2) */
#define AGE_MOST_S       (30 * 86400)
#define ATTEMPTS_MOST    5
#define IDLE_MOST_S      (15 * 60)
#define SESSION_MOST_S   (2 * 3600)
#define SECURITY_NONE    0 /* the first word of `security` */
#define FORWARDED_PASS   1 /* the second word of `auto-forwarded` */
#define TOTP_REQUIRED    1 /* the second word of `totp` */
#define POLICY_UNCHECKED 1 /* `off` and `report`, the first words of `station-policy` */

static const struct preset_row rows[RULE_COUNT_] = {
#define RULE(id, requirement, none, three, utility, association, village, general, en, ja)         \
	[RULE_##id] = {requirement,                                                                \
		       {LEVEL_##none, LEVEL_##three, LEVEL_##utility, LEVEL_##association,         \
			LEVEL_##village, LEVEL_##general},                                         \
		       {[LANGUAGE_EN] = (en), [LANGUAGE_JA] = (ja)}},
#include "policy/presets.def"
#undef RULE
};

static const struct {
	enum problem_id refused, warned;
} problems[RULE_COUNT_] = {
#define RULE(id, ...) [RULE_##id] = {PROBLEM_PRESET_##id, PROBLEM_PRESET_##id##_WARNED},
#include "policy/presets.def"
#undef RULE
};

const struct preset_row *preset_row(enum preset_rule rule)
{
	return &rows[rule];
}

static const struct tree_node *find_preset(const struct draft *d)
{
	const struct tree_node *system = tree_first(d->tree->root, ROW_SYSTEM);

	return system != NULL ? tree_first(system, ROW_PRESET) : NULL;
}

static enum preset preset_of(const struct draft *d)
{
	const struct tree_node *node = find_preset(d);

	return node != NULL ? (enum preset)(draft_value(node, 0).number + 1) : PRESET_NONE;
}

void draft_find(struct draft *d, const struct tree_node *node, enum preset_rule rule,
		const char *first, const char *second)
{
	enum preset_level level = rows[rule].level[preset_of(d)];

	if (level != LEVEL_FREE)
		draft_refuse(d, node,
			     level == LEVEL_REFUSE ? problems[rule].refused : problems[rule].warned,
			     first, second);
}

/* What is missing stands where the preset is named. */
static void find_missing(struct draft *d, enum preset_rule rule, const char *first)
{
	draft_find(d, find_preset(d), rule, first, NULL);
}

/* ---- zones */

static bool has_tier(const struct draft *d, const char *tier)
{
	for (const struct tree_node *n = tree_first(d->tree->root, ROW_ZONE); n != NULL;
	     n = tree_next(n)) {
		const struct tree_node *leaf = tree_first(n, ROW_ZONE_TIER);

		if (leaf != NULL && strcmp(tree_value(leaf, 0), tier) == 0)
			return true;
	}
	return false;
}

static void check_tiers(struct draft *d)
{
	static const char *const tiers[] = {"sensitive", "outside", "business"};
	size_t count = preset_of(d) == PRESET_THREE_TIER ? 3 : 2;

	for (size_t i = 0; i < count; i++) {
		if (!has_tier(d, tiers[i]))
			find_missing(d, RULE_TIERS, tiers[i]);
	}
}

/* As the zone's default goes: where a station is listed, the list is enforced. */
static bool admits_any_station(const struct tree_node *zone)
{
	struct value policy;

	if (draft_leaf(&policy, zone, ROW_ZONE_STATION_POLICY))
		return policy.number <= POLICY_UNCHECKED;
	return tree_first(zone, ROW_ZONE_STATION) == NULL;
}

static void check_zone(struct draft *d, const struct tree_node *zone)
{
	const struct tree_node *tier = tree_first(zone, ROW_ZONE_TIER);

	if (tier != NULL && strcmp(tree_value(tier, 0), "outside") != 0 && admits_any_station(zone))
		draft_find(d, zone, RULE_STATIONS, tree_value(zone, 0), NULL);
}

/* ---- mail and screens */

static void check_mail(struct draft *d, const struct tree_node *mail)
{
	const struct tree_node *outbound = tree_first(mail, ROW_MAIL_OUTBOUND);
	char path[TREE_PATH_BYTES];

	tree_path(path, mail);
	if (draft_leaf_number(mail, ROW_MAIL_SIZE_LIMIT) > MAIL_BYTES_MOST)
		draft_find(d, mail, RULE_MAIL_SIZE, path, NULL);
	if (tree_first(mail, ROW_MAIL_SCANNER) == NULL)
		draft_find(d, mail, RULE_MAIL_SCANNER, path, NULL);
	if (outbound != NULL &&
	    draft_leaf_number(outbound, ROW_OUTBOUND_FORWARDED) == FORWARDED_PASS)
		draft_find(d, outbound, RULE_MAIL_FORWARDED, path, NULL);
}

static void check_screen(struct draft *d, const struct tree_node *screen)
{
	const struct tree_node *security = tree_first(screen, ROW_SCREEN_SECURITY);
	char path[TREE_PATH_BYTES];

	tree_path(path, screen);
	if (security != NULL && draft_value(security, 0).number == SECURITY_NONE)
		draft_find(d, security, RULE_SCREEN_LOGIN, path, NULL);
}

/* ---- accounts */

static void check_login(struct draft *d)
{
	static const struct tree_node empty;
	const struct tree_node *block = tree_first(d->tree->root, ROW_LOGIN);
	const struct tree_node *login = block != NULL ? block : &empty;
	uint32_t age_s = draft_leaf_seconds(login, ROW_LOGIN_MAXIMUM_AGE);
	uint32_t administrator_s = draft_leaf_seconds(login, ROW_LOGIN_ADMINISTRATOR_AGE);
	const struct {
		enum preset_rule rule;
		bool found;
	} findings[] = {
		{RULE_USERS, tree_first(login, ROW_LOGIN_USER) == NULL},
		{RULE_SECOND_FACTOR, draft_leaf_number(login, ROW_LOGIN_TOTP) != TOTP_REQUIRED},
		{RULE_AGE, age_s == 0 || age_s > AGE_MOST_S},
		{RULE_ADMINISTRATOR_AGE,
		 administrator_s == 0 || (age_s > 0 && administrator_s >= age_s)},
		{RULE_ATTEMPTS, draft_leaf_number(login, ROW_LOGIN_ATTEMPTS) > ATTEMPTS_MOST},
		{RULE_IDLE, draft_leaf_seconds(login, ROW_LOGIN_IDLE_TIMEOUT) > IDLE_MOST_S},
		{RULE_SESSION, draft_leaf_seconds(login, ROW_LOGIN_SESSION_LIMIT) > SESSION_MOST_S},
		{RULE_TWO_PERSON, tree_first(login, ROW_LOGIN_TWO_PERSON) == NULL},
	};

	for (size_t i = 0; i < sizeof(findings) / sizeof(findings[0]); i++) {
		if (findings[i].found && block != NULL)
			draft_find(d, block, findings[i].rule, NULL, NULL);
		else if (findings[i].found)
			find_missing(d, findings[i].rule, NULL);
	}
}

void draft_check_presets(struct draft *d)
{
	const struct tree_node *root = d->tree->root;
	const struct tree_node *system = tree_first(root, ROW_SYSTEM);

	if (find_preset(d) == NULL)
		return;
	check_tiers(d);
	if (tree_first(system, ROW_ORGANIZATION) == NULL)
		find_missing(d, RULE_ORGANIZATION, NULL);
	if (tree_first(system, ROW_SYSLOG) == NULL)
		find_missing(d, RULE_SYSLOG, NULL);
	if (tree_first(system, ROW_NTP) == NULL)
		find_missing(d, RULE_TIME, NULL);
	for (const struct tree_node *n = tree_first(root, ROW_ZONE); n != NULL; n = tree_next(n))
		check_zone(d, n);
	for (const struct tree_node *n = tree_first(root, ROW_MAIL); n != NULL; n = tree_next(n))
		check_mail(d, n);
	for (const struct tree_node *n = tree_first(root, ROW_SCREEN); n != NULL; n = tree_next(n))
		check_screen(d, n);
	check_login(d);
}
