/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a policy says of those who may see screens, apart from their passwords. Pure. */
#ifndef SEKISHO_POLICY_SCREEN_USERS_H
#define SEKISHO_POLICY_SCREEN_USERS_H

#include <stdbool.h>

#include "policy/snapshot.h"

enum screen_user_refusal {
	SCREEN_USER_FINE,
	SCREEN_USER_UNKNOWN,
	SCREEN_USER_SUSPENDED,
	SCREEN_USER_EXPIRED,
	SCREEN_USER_GROUP, /* in none of the screen's groups */
	SCREEN_USER_HOURS, /* outside the screen's permitted hours */
	SCREEN_USER_REFUSAL_COUNT_
};

/* Fixed text for an event. */
const char *screen_user_refusal_text(enum screen_user_refusal refusal);

/* The user of that name, NULL: none. */
const struct snapshot_screen_user *screen_user_find(const struct snapshot *s, const char *name);

/* Whether the user belongs to one of @groups, in texts-of-list of @s. */
bool screen_user_in(const struct snapshot *s, const struct snapshot_screen_user *user,
		    struct snapshot_range groups);

/* Whether the user belongs to this one. */
bool screen_user_has_group(const struct snapshot *s, const struct snapshot_screen_user *user,
			   const char *group);

/* Whether a screen may be used at @now_s, seconds since 1970. */
bool screen_is_open_at(const struct snapshot *s, const struct snapshot_screen *screen,
		       int64_t now_s);

/**
 * screen_user_judge - may this person use this screen now
 * @user: of @s; NULL: nobody
 * Return: the first reason against it in the order of the list, or SCREEN_USER_FINE.
 */
enum screen_user_refusal screen_user_judge(const struct snapshot *s,
					   const struct snapshot_screen *screen,
					   const struct snapshot_screen_user *user, int64_t now_s);

#endif
