/* SPDX-License-Identifier: GPL-2.0-or-later */
/* multipart/alternative: which form is shown, and whether the forms say the same. */
#include "mail-flattener/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "wire/host_name.h"

enum {
	STUB_BYTES = 600,   /* a text part of at most so many bytes may be a stub */
	SET_BITS = 1 << 15, /* of the set of character triples */
	NUMBER_BYTES = 32,  /* digits of a number that are compared */
	WORD_BYTES = 320,   /* of an address, with both of its sides; longer words are parted */
	NUMBER_LEAST = 3,   /* shorter ones count lists and pages */
	ENOUGH = 8,         /* triples that a text must have to be compared */
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
	const uint8_t *end;

	if (text.data[at] != '<' ||
	    !span_starts_nocase((struct span){text.data + at, text.size - at}, span_of("<http")))
		return at;
	end = memchr(text.data + at, '>', text.size - at);
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

/* What a reader acts upon: numbers, hosts, mail addresses. */
enum fact { FACT_NUMBER, FACT_HOST, FACT_ADDRESS, FACTS };

struct facts {
	uint64_t bits[FACTS][SET_BITS / 64];
};

static void fact_add(struct facts *facts, enum fact fact, struct span word)
{
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (size_t i = 0; i < word.size; i++) {
		uint8_t c = word.data[i];

		hash = (hash ^ (c >= 'A' && c <= 'Z' ? c + 32U : c)) * 16777619U;
	}
	hash = (hash >> 15 ^ hash) & (SET_BITS - 1);
	facts->bits[fact][hash / 64] |= UINT64_C(1) << hash % 64;
}

/* The digit at @at, which may be a wide one (U+FF10): its octets, or 0. */
static size_t digit_at(struct span text, size_t at, uint8_t *digit)
{
	const uint8_t *s = text.data + at;

	*digit = s[0];
	if (s[0] >= '0' && s[0] <= '9')
		return 1;
	if (text.size - at < 3 || s[0] != 0xEF || s[1] != 0xBC || s[2] < 0x90 || s[2] > 0x99)
		return 0;
	*digit = (uint8_t)('0' + s[2] - 0x90);
	return 3;
}

/* A number at @at, whatever stands between its groups of digits. Return: behind it. */
static size_t take_number(struct facts *facts, struct span text, size_t at)
{
	uint8_t digits[NUMBER_BYTES], digit;
	size_t count = 0, length;

	while (at < text.size && (length = digit_at(text, at, &digit)) > 0) {
		if (count < NUMBER_BYTES)
			digits[count++] = digit;
		at += length;
		if (at + 1 < text.size && memchr(",.-", text.data[at], 3) != NULL &&
		    digit_at(text, at + 1, &digit) > 0)
			at++;
	}
	if (count >= NUMBER_LEAST)
		fact_add(facts, FACT_NUMBER, (struct span){digits, count});
	return at;
}

static bool is_word(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       (c != '\0' && strchr("._%+-@", c) != NULL);
}

/* "www." and the like say nothing. */
static struct span bare_host(struct span host)
{
	return span_starts_nocase(host, span_of("www."))
		       ? (struct span){host.data + 4, host.size - 4}
		       : host;
}

/* A word of ASCII at @at: an address, a host, or neither. Return: behind it, or where a number in
 * it begins. */
static size_t take_word(struct facts *facts, struct span text, size_t at)
{
	size_t end = at, host_at = 0;
	struct span word, host;

	while (end < text.size && end < at + WORD_BYTES && is_word(text.data[end]))
		end++;
	word = (struct span){text.data + at, end - at};
	while (word.size > 0 && memchr(".-", word.data[word.size - 1], 2) != NULL)
		word.size--;
	if (word.size > 0 && memchr(word.data, '@', word.size) != NULL) {
		fact_add(facts, FACT_ADDRESS, word);
		return end;
	}
	if (word.size > 0 && host_name_next(word, &host_at, &host) && host.size == word.size) {
		fact_add(facts, FACT_HOST, bare_host(host));
		return end;
	}
	while (at < end && (text.data[at] < '0' || text.data[at] > '9'))
		at++;
	return at;
}

/* The host of the target at @at, of which nothing else counts: mailers count clicks there. */
static size_t take_url(struct facts *facts, struct span text, size_t at)
{
	size_t begin = at, end;

	while (begin < text.size && text.data[begin] != '/')
		begin++;
	begin += 2;
	for (end = begin; end < text.size && text.data[end] > ' ' &&
			  memchr("/?#<>:\"", text.data[end], 7) == NULL;)
		end++;
	if (begin < end)
		fact_add(facts, FACT_HOST,
			 bare_host((struct span){text.data + begin, end - begin}));
	while (end < text.size && text.data[end] > ' ' && text.data[end] != '>')
		end++;
	return end;
}

static void facts_add(struct facts *facts, struct span text)
{
	for (size_t at = 0; at < text.size;) {
		struct span rest = {text.data + at, text.size - at};
		size_t before = at;

		if (span_starts_nocase(rest, span_of("http://")) ||
		    span_starts_nocase(rest, span_of("https://"))) {
			at = take_url(facts, text, at);
			continue;
		}
		if (is_word(text.data[at]))
			at = take_word(facts, text, at);
		if (at < text.size && digit_at(text, at, &(uint8_t){0}) > 0)
			at = take_number(facts, text, at);
		at += at == before;
	}
}

/* Has each of the two something of a kind that the other has not? Where only one says more, it is
 * what forms of a text do. */
static bool facts_differ(const struct facts *a, const struct facts *b)
{
	for (size_t fact = 0; fact < FACTS; fact++) {
		bool only_a = false, only_b = false;

		for (size_t i = 0; i < SET_BITS / 64; i++) {
			only_a = only_a || (a->bits[fact][i] & ~b->bits[fact][i]) != 0;
			only_b = only_b || (b->bits[fact][i] & ~a->bits[fact][i]) != 0;
		}
		if (only_a && only_b)
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
