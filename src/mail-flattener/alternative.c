/* SPDX-License-Identifier: GPL-2.0-or-later */
/* multipart/alternative: which form is shown, and whether the forms say the same. */
#include "mail-flattener/facts.h"
#include "mail-flattener/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "wire/html/text.h"

enum {
	STUB_BYTES = 600,                   /* a text part of at most so many bytes may be a stub */
	SET_BITS = 1 << 15,                 /* of the set of character triples */
	TARGET_BYTES = HTML_URL_SHOWN + 16, /* of a link's target as the renderer writes it */
	ENOUGH = 8,                         /* triples that a text must have to be compared */
	MUCH_MORE =
		300, /* triples that the HTML has beyond the text: it says more than a form of it */
};

/* What mailers write into a text part that they do not mean. */
static const char *const stubs[] = {
	"HTML対応",          "HTML形式",        "HTMLメール",
	"html mail",         "HTML mail",       "html email",
	"HTML email",        "HTML version",    "does not support HTML",
	"view this message", "HTML-compatible", "HTML viewer",
	"HTML形式で",        "HTML表示",        "cannot display HTML",
};

static bool is_text(const struct mime_part *part, const char *type)
{
	return part->kind == MIME_LEAF && strcmp(part->type, type) == 0;
}

/* The first leaf of this type at or below @root, or MIME_NONE. Messages are not looked into. */
static uint32_t find_leaf(const struct mime_tree *tree, uint32_t root, const char *type)
{
	uint32_t at = root, end = mime_tree_next(tree, root, false, NULL, NULL);

	while (at != end && at != MIME_NONE) {
		if (is_text(&tree->parts[at], type))
			return at;
		at = mime_tree_next(tree, at, tree->parts[at].kind == MIME_MULTIPART, NULL, NULL);
	}
	return MIME_NONE;
}

/* A set of hashed triples of characters. */
struct triples {
	uint64_t bits[SET_BITS / 64];
	unsigned count;
};

/* Letters count; white space, ASCII punctuation and what layouts add do not. */
static bool counts(uint32_t c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
	return c >= 0xC0 && c != 0x3000 && !(c >= 0x2000 && c < 0x2E80) &&
	       !(c >= 0x3001 && c <= 0x3003);
}

/* The end of a target that the renderer wrote behind a link's text, or @at where there is none. */
static size_t skip_target(struct span text, size_t at)
{
	size_t left = text.size - at;
	const uint8_t *end;

	if (text.data[at] != '<' ||
	    !span_starts_nocase((struct span){text.data + at, left}, span_of("<http")))
		return at;
	end = memchr(text.data + at, '>', left < TARGET_BYTES ? left : TARGET_BYTES);
	return end != NULL ? (size_t)(end - text.data) : at;
}

static void triples_add(struct triples *set, struct span text)
{
	uint32_t a = 0, b = 0, c;

	for (size_t at = 0; at < text.size;) {
		size_t length;
		uint32_t hash;

		at = skip_target(text, at);
		length = utf8_decode((struct span){text.data + at, text.size - at}, &c);

		at += length > 0 ? length : 1;
		if (length == 0)
			continue;
		c = c >= 'A' && c <= 'Z' ? c + 32 : c;
		if (!counts(c))
			continue;
		hash = (a * 0x9E3779B1U ^ b * 0x85EBCA6BU ^ c * 0xC2B2AE35U) >> 16 & (SET_BITS - 1);
		if (a != 0 && (set->bits[hash / 64] >> hash % 64 & 1) == 0) {
			set->bits[hash / 64] |= UINT64_C(1) << hash % 64;
			set->count++;
		}
		a = b;
		b = c;
	}
}

/* Do the two share too little, or does the HTML say much that the text leaves out? Of the shortest
 * nothing can be said. */
static bool differ(const struct triples *plain, const struct triples *html)
{
	unsigned both = 0, less = plain->count < html->count ? plain->count : html->count;

	if (less < ENOUGH)
		return false;
	for (size_t i = 0; i < SET_BITS / 64; i++)
		both += (unsigned)__builtin_popcountll(plain->bits[i] & html->bits[i]);
	return both * 10 < less * 3 ||
	       (html->count > 3 * plain->count && html->count - both > MUCH_MORE);
}

static bool is_stub(struct span text)
{
	if (text.size > STUB_BYTES)
		return false;
	for (size_t i = 0; i < sizeof(stubs) / sizeof(stubs[0]); i++) {
		if (memmem(text.data, text.size, stubs[i], strlen(stubs[i])) != NULL)
			return true;
	}
	return false;
}

/* Render the HTML quietly, only to compare it. */
static struct span quiet_html(struct flatten *f, uint32_t number)
{
	struct html_policy policy = {f->policy->english, false};
	struct html_report report = {0};
	struct bytes hidden;
	int err;

	bytes_init(&hidden, HTML_HIDDEN_BYTES + 8);
	bytes_clear(&f->rendered);
	err = html_to_text(text_of_part(f, number), &policy, &f->rendered, &hidden, &report);
	f->rendered.failed = false; /* what fitted is compared */
	if (err != -ERR_TOO_LONG)
		flatten_fail(f, err);
	bytes_fini(&hidden);
	return bytes_span(&f->rendered);
}

static bool forms_differ(struct flatten *f, uint32_t plain, uint32_t html)
{
	struct forms {
		struct triples triples[2];
		struct facts facts[2];
	} *forms = calloc(1, sizeof(*forms));
	struct span text;
	bool different;

	if (forms == NULL) {
		flatten_fail(f, -ERR_NO_MEMORY);
		return false;
	}
	text = text_of_part(f, plain);
	triples_add(&forms->triples[0], text);
	facts_add(&forms->facts[0], text);
	text = quiet_html(f, html);
	triples_add(&forms->triples[1], text);
	facts_add(&forms->facts[1], text);
	different = differ(&forms->triples[0], &forms->triples[1]) ||
		    facts_differ(&forms->facts[0], &forms->facts[1]);
	free(forms);
	return different;
}

/* The text says less than nothing, or something says that the HTML is meant. */
static bool is_empty_form(struct flatten *f, uint32_t plain)
{
	struct span text = span_trim(text_of_part(f, plain));

	return text.size == 0 || is_stub(text);
}

/* Forms beyond the first of each kind (AMP, watch, enriched) are other forms of the same. */
static void leave_other_forms(struct flatten *f, uint32_t number, uint32_t plain, uint32_t html)
{
	uint32_t at = f->tree.parts[number].first_child;

	for (; at != MIME_NONE; at = f->tree.parts[at].next_sibling) {
		const struct mime_part *part = &f->tree.parts[at];

		if (part->kind != MIME_LEAF || strncmp(part->type, "text/", 5) != 0 ||
		    at == plain || at == html || strcmp(part->type, "text/calendar") == 0)
			continue;
		/* Two of one kind and none of the other: the second may be the other, mislabelled.
		 */
		if ((plain != MIME_NONE && html != MIME_NONE) ||
		    (!is_text(part, "text/plain") && !is_text(part, "text/html")))
			f->fates[at] = FATE_OTHER_FORM;
	}
}

void alternative_choose(struct flatten *f, uint32_t number)
{
	uint32_t plain = find_leaf(&f->tree, number, "text/plain"),
		 html = find_leaf(&f->tree, number, "text/html");

	if (html == MIME_NONE && (plain == MIME_NONE || is_empty_form(f, plain)))
		return;
	leave_other_forms(f, number, plain, html);
	if (plain == MIME_NONE || html == MIME_NONE)
		return;
	if (is_empty_form(f, plain)) {
		f->fates[plain] = FATE_OTHER_FORM;
	} else if (forms_differ(f, plain, html)) {
		f->count.differing++;
		f->differing_html = html;
		f->gap = true;
		flatten_say(f, NOTICE_DIFFERS, NULL, NULL);
	} else {
		f->fates[html] = FATE_OTHER_FORM;
	}
}
