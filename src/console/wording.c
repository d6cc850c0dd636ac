/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console/wording.h"

#include <stddef.h>
#include <string.h>

struct word {
	const char *en, *ja;
};

static const struct word headings[] = {
#define HEADING(en, ja) {en, ja},
#define REFUSAL(en, ja)
#include "console/wording.def"
#undef HEADING
#undef REFUSAL
};

static const struct word refusals[] = {
#define HEADING(en, ja)
#define REFUSAL(en, ja) {en, ja},
#include "console/wording.def"
#undef HEADING
#undef REFUSAL
};

static const char *find(const struct word *words, size_t count, const char *en,
			enum language language)
{
	for (size_t i = 0; i < count && language == LANGUAGE_JA; i++) {
		if (strcmp(words[i].en, en) == 0)
			return words[i].ja;
	}
	return en;
}

const char *wording_heading(const char *en, enum language language)
{
	return find(headings, sizeof(headings) / sizeof(headings[0]), en, language);
}

const char *wording_refusal(const char *en, enum language language)
{
	return find(refusals, sizeof(refusals) / sizeof(refusals[0]), en, language);
}
