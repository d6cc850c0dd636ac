/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be read in two ways: one reading is defined (wire/mime/tree.h), and that there was
 * another is said in the text and the receipt; or the message is refused, as the policy says. */
#include "mail-flattener/state.h"

/* Fields that RFC 5322 3.6 allows once. */
static const char *const singletons[] = {"From", "Sender",  "Reply-To", "To",
					 "Cc",   "Subject", "Date",     "Message-ID"};

/* Oddities of a part's structure. */
static const struct oddity {
	uint32_t flag;
	const char *ja, *en;
	const char *code; /* in the receipt */
	const char *refusal;
} oddities[] = {
	{MIME_TWO_TYPES, "種類または境界の指定が二つ", "two content types or boundaries",
	 "two-types", "ambiguous: two content types or boundaries"},
	{MIME_TWO_ENCODINGS, "符号化の指定が二つ", "two transfer encodings", "two-encodings",
	 "ambiguous: two transfer encodings"},
	{MIME_NO_BOUNDARY, "境界がない", "no boundary", "no-boundary", "ambiguous: no boundary"},
	{MIME_NEAR_BOUNDARY, "境界に似た行", "a line like a boundary", "near-boundary",
	 "ambiguous: a line like a boundary"},
	{MIME_ENCODED_NESTED, "符号化された入れ子", "an encoded nested message", "encoded-nested",
	 "ambiguous: an encoded nested message"},
	{MIME_BAD_ENCODING, "未知の符号化", "an unknown transfer encoding", "unknown-encoding",
	 "ambiguous: an unknown transfer encoding"},
};

/* What else the receipt says of a part; nothing that could be read in two ways. */
static const struct oddity conditions[] = {
	{.flag = MIME_UNCLOSED, .code = "unclosed"},
	{.flag = MIME_HEADER_JUNK, .code = "header-junk"},
	{.flag = MIME_LIMIT_DEPTH, .code = "limit-depth"},
	{.flag = MIME_LIMIT_PARTS, .code = "limit-parts"},
	{.flag = MIME_SEALED, .code = "sealed"},
};

enum {
	ODDITIES = sizeof(oddities) / sizeof(oddities[0]),
	CONDITIONS = sizeof(conditions) / sizeof(conditions[0]),
	SINGLETONS = sizeof(singletons) / sizeof(singletons[0]),
};

void ambiguity_state(struct flatten *f, const struct mime_part *part)
{
	for (size_t i = 0; i < ODDITIES; i++) {
		if (!(part->flags & oddities[i].flag))
			continue;
		f->count.ambiguities++;
		flatten_say(f, NOTICE_AMBIGUOUS,
			    f->policy->english ? oddities[i].en : oddities[i].ja, NULL);
	}
	if (part->flags & (MIME_LIMIT_DEPTH | MIME_LIMIT_PARTS)) {
		f->count.limits++;
		flatten_say(
			f, part->flags & MIME_LIMIT_DEPTH ? NOTICE_LIMIT_DEPTH : NOTICE_LIMIT_PARTS,
			NULL, NULL);
	}
}

void ambiguity_state_header(struct flatten *f)
{
	for (size_t i = 0; i < SINGLETONS; i++) {
		if (mime_field_count(f->tree.parts[0].header, singletons[i]) < 2)
			continue;
		f->count.ambiguities++;
		flatten_say(f, NOTICE_W_TWICE, singletons[i], NULL);
	}
}

const char *ambiguity_refusal(const struct flatten *f)
{
	for (uint32_t number = 0; number < f->tree.count; number++) {
		for (size_t i = 0; i < ODDITIES; i++) {
			if (f->tree.parts[number].flags & oddities[i].flag)
				return oddities[i].refusal;
		}
	}
	for (size_t i = 0; i < SINGLETONS; i++) {
		if (mime_field_count(f->tree.parts[0].header, singletons[i]) > 1)
			return "ambiguous: a header field that must be single comes twice";
	}
	return NULL;
}

const char *ambiguity_code(uint32_t flags, size_t *at)
{
	while (*at < ODDITIES + CONDITIONS) {
		const struct oddity *o =
			*at < ODDITIES ? &oddities[*at] : &conditions[*at - ODDITIES];

		++*at;
		if (flags & o->flag)
			return o->code;
	}
	return NULL;
}
