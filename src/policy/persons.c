/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may be whom, by the hands that passwords went through (ADR 311). */
#include "policy/persons.h"

#include <string.h>

/* Whether @name is among the words of @list, or the list is of unknown names. */
static bool is_listed(const char *list, const char *name, size_t name_size)
{
	if (strchr(list, '*') != NULL)
		return true;
	while (*list != '\0') {
		size_t size = strcspn(list, " ");

		if (size == name_size && memcmp(list, name, size) == 0)
			return true;
		list += size + strspn(list + size, " ");
	}
	return false;
}

bool persons_may_be_one(const char *a, const char *a_hands, const char *b, const char *b_hands)
{
	if (a[0] == '\0' || b[0] == '\0' || strcmp(a, b) == 0)
		return true;
	if (is_listed(a_hands, b, strlen(b)) || is_listed(b_hands, a, strlen(a)))
		return true;
	while (*a_hands != '\0') {
		size_t size = strcspn(a_hands, " ");

		if (is_listed(b_hands, a_hands, size))
			return true;
		a_hands += size + strspn(a_hands + size, " ");
	}
	return false;
}
