/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Users of screens, as the policy has them. */
#include "policy/screen_users.h"

#include <string.h>

#include "policy/calendar.h"

const char *screen_user_refusal_text(enum screen_user_refusal refusal)
{
	static const char *const texts[SCREEN_USER_REFUSAL_COUNT_] = {
		[SCREEN_USER_FINE] = "none",
		[SCREEN_USER_UNKNOWN] = "no such user",
		[SCREEN_USER_SUSPENDED] = "user is suspended",
		[SCREEN_USER_EXPIRED] = "user has expired",
		[SCREEN_USER_GROUP] = "not in a group of this screen",
		[SCREEN_USER_HOURS] = "outside permitted hours",
	};

	return texts[refusal];
}

const struct snapshot_screen_user *screen_user_find(const struct snapshot *s, const char *name)
{
	for (uint32_t i = 0; i < s->screen_user_count; i++) {
		if (strcmp(s->screen_users[i].name, name) == 0)
			return &s->screen_users[i];
	}
	return NULL;
}

bool screen_is_open_at(const struct snapshot *s, const struct snapshot_screen *screen,
		       int64_t now_s)
{
	return screen->schedule == SNAPSHOT_NONE ||
	       calendar_open(s, &s->schedules[screen->schedule], now_s);
}

static const char *text_of(const struct snapshot *s, struct snapshot_range list, uint32_t i)
{
	return snapshot_text_at(s, s->list_texts[list.first + i].at);
}

static bool share_one(const struct snapshot *s, struct snapshot_range a, struct snapshot_range b)
{
	for (uint32_t i = 0; i < a.count; i++) {
		for (uint32_t k = 0; k < b.count; k++) {
			if (strcmp(text_of(s, a, i), text_of(s, b, k)) == 0)
				return true;
		}
	}
	return false;
}

bool screen_user_has_group(const struct snapshot *s, const struct snapshot_screen_user *user,
			   const char *group)
{
	for (uint32_t i = 0; i < user->groups.count; i++) {
		if (strcmp(text_of(s, user->groups, i), group) == 0)
			return true;
	}
	return false;
}

bool screen_user_in(const struct snapshot *s, const struct snapshot_screen_user *user,
		    struct snapshot_range groups)
{
	return share_one(s, user->groups, groups);
}

enum screen_user_refusal screen_user_judge(const struct snapshot *s,
					   const struct snapshot_screen *screen,
					   const struct snapshot_screen_user *user, int64_t now_s)
{
	if (user == NULL)
		return SCREEN_USER_UNKNOWN;
	if (user->suspended)
		return SCREEN_USER_SUSPENDED;
	if (now_s >= user->expires_s)
		return SCREEN_USER_EXPIRED;
	if (!screen_user_in(s, user, screen->groups))
		return SCREEN_USER_GROUP;
	return screen_is_open_at(s, screen, now_s) ? SCREEN_USER_FINE : SCREEN_USER_HOURS;
}
