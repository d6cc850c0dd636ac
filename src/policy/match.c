/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unique abbreviations. */
#include "policy/match.h"

#include <string.h>

#include "base/err.h"

int match_child(enum schema_id *out, enum schema_id parent, const struct word *word)
{
	enum schema_id found = ROW_COUNT_;
	bool more = false;

	if (word->quoted || word->size == 0)
		return -ERR_NOT_FOUND;
	for (enum schema_id id = schema_first_child(parent); id < ROW_COUNT_;
	     id = schema_next_sibling(id)) {
		if (strncmp(schema_row(id)->name, word->text, word->size) != 0)
			continue;
		if (schema_row(id)->name[word->size] == '\0') {
			*out = id;
			return 0;
		}
		more = found != ROW_COUNT_;
		found = id;
	}
	if (found == ROW_COUNT_)
		return -ERR_NOT_FOUND;
	*out = found;
	return more ? -ERR_EXISTS : 0;
}
