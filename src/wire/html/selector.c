/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Selectors of style sheets (Selectors Level 4): tags, classes, ids, attributes, a few
 * pseudo-classes that hold without anybody doing anything, and all four combinators. */
#include <string.h>

#include "wire/html/render.h"
#include "wire/html/style.h"

enum simple_kind {
	SIMPLE_TAG,
	SIMPLE_CLASS,
	SIMPLE_ID,
	SIMPLE_ATTRIBUTE,
	SIMPLE_NTH_CHILD, /* its number is in match */
	SIMPLE_ROOT,
	SIMPLE_LINK,
	SIMPLE_GROUP, /* ":is()" or, with '!' for its match, ":not()" of those that follow */
	SIMPLE_OR,    /* between them */
};

enum {
	KEY_BITS = 256,
	NTH_MOST = 255,
	SPECIFICITY_MOST = 255,
	CHILD = '>',
	NEXT = '+',
	LATER = '~',
	DESCENDANT = ' '
};

static bool is_name(uint8_t c)
{
	return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_' || c >= 0x80;
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

/* 1 to 255: of a name, its case aside. */
static uint8_t key_of(struct span name)
{
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (size_t i = 0; i < name.size; i++) {
		uint8_t c = name.data[i];

		hash = (hash ^ (c >= 'A' && c <= 'Z' ? c + 32U : c)) * 16777619U;
	}
	return (uint8_t)(1 + (hash >> 8) % (KEY_BITS - 1));
}

static struct span name_read(struct span s, size_t *at)
{
	size_t begin = *at;

	while (*at < s.size && is_name(s.data[*at]))
		(*at)++;
	return (struct span){s.data + begin, *at - begin};
}

/* "name", "name=value", "name~='value' i", up to "]". */
static bool attribute_read(struct span s, size_t *at, struct html_simple *out)
{
	const uint8_t *close = memchr(s.data + *at, ']', s.size - *at);
	struct span inside, value;
	size_t in = 0;

	if (close == NULL)
		return false;
	inside = span_trim((struct span){s.data + *at, (size_t)(close - s.data) - *at});
	*at = (size_t)(close - s.data) + 1;
	*out = (struct html_simple){.kind = SIMPLE_ATTRIBUTE, .name = name_read(inside, &in)};
	while (in < inside.size && is_space(inside.data[in]))
		in++;
	if (out->name.size == 0 || in == inside.size)
		return out->name.size > 0;
	out->match = inside.data[in] == '=' ? '=' : inside.data[in++];
	if (in >= inside.size || inside.data[in] != '=' || strchr("=~|^$*", out->match) == NULL ||
	    out->match == '\0')
		return false;
	value = span_trim((struct span){inside.data + in + 1, inside.size - in - 1});
	if (value.size > 0 && (value.data[0] == '"' || value.data[0] == '\'')) {
		const uint8_t *end = memchr(value.data + 1, value.data[0], value.size - 1);

		if (end == NULL)
			return false;
		value = (struct span){value.data + 1, (size_t)(end - value.data) - 1};
	}
	out->value = value;
	return true;
}

/* What stands behind a colon. False: the selector looks at what we do not. */
static bool pseudo_read(struct span s, size_t *at, struct html_simple *out)
{
	struct span name = name_read(s, at);
	int64_t number;
	size_t taken;

	if (span_equal_nocase(name, span_of("root"))) {
		*out = (struct html_simple){.kind = SIMPLE_ROOT};
		return true;
	}
	if (span_equal_nocase(name, span_of("link")) ||
	    span_equal_nocase(name, span_of("any-link"))) {
		*out = (struct html_simple){.kind = SIMPLE_LINK};
		return true;
	}
	*out = (struct html_simple){.kind = SIMPLE_NTH_CHILD, .match = 1};
	if (span_equal_nocase(name, span_of("first-child")))
		return true;
	if (!span_equal_nocase(name, span_of("nth-child")) || *at >= s.size || s.data[*at] != '(')
		return false;
	taken = html_number_read((struct span){s.data + *at + 1, s.size - *at - 1}, &number);
	number /= 1000;
	*at += 1 + taken;
	if (taken == 0 || number < 1 || number > NTH_MOST || *at >= s.size || s.data[*at] != ')')
		return false;
	(*at)++;
	out->match = (uint8_t)number;
	return true;
}

static bool simple_read(struct span s, size_t *at, struct html_simple *out)
{
	uint8_t c = s.data[*at];

	if (c == '*') {
		(*at)++;
		*out = (struct html_simple){.kind = SIMPLE_TAG};
		return true;
	}
	if (c == '[') {
		(*at)++;
		return attribute_read(s, at, out);
	}
	if (c == ':') {
		(*at)++;
		return pseudo_read(s, at, out);
	}
	*at += c == '.' || c == '#';
	*out = (struct html_simple){.kind = c == '.'   ? SIMPLE_CLASS
					    : c == '#' ? SIMPLE_ID
						       : SIMPLE_TAG,
				    .name = name_read(s, at)};
	return out->name.size > 0;
}

/* Is @name that of a function that takes a list of selectors? Sets what it is. */
static bool is_group(struct span name, bool *negated, bool *weighs)
{
	static const char *const names[] = {"not",     "where",       "is",
					    "matches", "-webkit-any", "-moz-any"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!span_equal_nocase(name, span_of(names[i])))
			continue;
		*negated = i == 0;
		*weighs = i != 1;
		return true;
	}
	return false;
}

/* Ids, classes and tags weigh in this order, each in eight bits. */
static uint32_t specificity_add(uint32_t specificity, const struct html_simple *simple)
{
	unsigned shift = simple->kind == SIMPLE_ID ? 16 : simple->kind == SIMPLE_TAG ? 0 : 8;
	bool counts = simple->kind != SIMPLE_TAG || simple->name.size > 0;

	if ((specificity >> shift & 0xFF) == SPECIFICITY_MOST || !counts)
		return specificity;
	return specificity + (UINT32_C(1) << shift);
}

static struct html_simple *simple_new(struct html_sheet *sheet)
{
	if (sheet->simple_count == HTML_SHEET_SIMPLES) {
		sheet->cut = true;
		return NULL;
	}
	return &sheet->simples[sheet->simple_count++];
}

/* Is ":not(", ":is(" or the like at *@at? */
static bool begins_group(struct span s, size_t at, bool *negated, bool *weighs)
{
	size_t end = at + 1;

	return s.data[at] == ':' && is_group(name_read(s, &end), negated, weighs) && end < s.size &&
	       s.data[end] == '(';
}

/* One of a group's alternatives, up to its comma or the closing bracket. */
static bool alternative_read(struct html_sheet *sheet, struct span s, size_t *at, uint32_t *weight)
{
	size_t count = 0;
	struct html_simple *simple;

	while (*at < s.size && is_space(s.data[*at]))
		(*at)++;
	for (; *at < s.size && memchr(" \t\r\n\f,)", s.data[*at], 7) == NULL; count++) {
		simple = simple_new(sheet);
		if (simple == NULL || !simple_read(s, at, simple))
			return false;
		*weight = specificity_add(*weight, simple);
	}
	while (*at < s.size && is_space(s.data[*at]))
		(*at)++;
	simple = simple_new(sheet);
	if (simple == NULL || count == 0 || *at == s.size ||
	    (s.data[*at] != ',' && s.data[*at] != ')'))
		return false;
	*simple = (struct html_simple){.kind = SIMPLE_OR};
	return true;
}

/* ":not(.a, b#c)" at *@at. What is in it has neither groups nor combinators. It weighs as its
 * heaviest part does. */
static bool group_read(struct html_sheet *sheet, struct span s, size_t *at, bool negated,
		       bool weighs, uint32_t *specificity)
{
	struct html_simple *group = simple_new(sheet);
	size_t first = sheet->simple_count;
	uint32_t heaviest = *specificity;

	while (s.data[(*at)++] != '(')
		;
	do {
		uint32_t weight = *specificity;

		if (group == NULL || !alternative_read(sheet, s, at, &weight))
			return false;
		heaviest = weight > heaviest ? weight : heaviest;
	} while (s.data[(*at)++] == ',');
	*group = (struct html_simple){.kind = SIMPLE_GROUP,
				      .match = negated ? '!' : 0,
				      .count = (uint16_t)(sheet->simple_count - first)};
	*specificity = weighs ? heaviest : *specificity;
	return true;
}

/* "::before" or "::after", also with one colon, at @at and up to the end of the selector. Return:
 * which of them, plus one; or 0. */
static uint8_t generated_read(struct span s, size_t at)
{
	struct span name;

	if (s.data[at] != ':')
		return 0;
	at += at + 1 < s.size && s.data[at + 1] == ':' ? 2 : 1;
	name = (struct span){s.data + at, s.size - at};
	return span_equal_nocase(name, span_of("before"))  ? HTML_BEFORE + 1
	       : span_equal_nocase(name, span_of("after")) ? HTML_AFTER + 1
							   : 0;
}

/* One compound at *@at, up to a combinator. False: none of ours, or there is no room. */
static bool compound_read(struct html_sheet *sheet, struct span s, size_t *at,
			  struct html_compound *out, uint32_t *specificity)
{
	uint8_t best = 0; /* of what the key is made: tag 1, class 2, id 3 */

	out->simple_first = (uint16_t)sheet->simple_count;
	while (*at < s.size && strchr(" \t\r\n\f>+~", s.data[*at]) == NULL) {
		struct html_simple *simple;
		bool negated, weighs;
		uint8_t rank;

		out->generated = generated_read(s, *at);
		if (out->generated > 0) {
			*at = s.size;
			*specificity += (*specificity & 0xFF) < SPECIFICITY_MOST;
			break;
		}
		if (begins_group(s, *at, &negated, &weighs)) {
			if (!group_read(sheet, s, at, negated, weighs, specificity))
				return false;
			continue;
		}
		simple = simple_new(sheet);
		if (simple == NULL || !simple_read(s, at, simple))
			return false;
		*specificity = specificity_add(*specificity, simple);
		rank = simple->kind <= SIMPLE_ID && simple->name.size > 0 ? simple->kind + 1 : 0;
		if (rank > best) {
			best = rank;
			out->key = key_of(simple->name);
		}
	}
	out->simple_count = (uint16_t)(sheet->simple_count - out->simple_first);
	return out->simple_count > 0 || out->generated > 0;
}

/* The combinator at *@at: DESCENDANT where there is only space. */
static uint8_t combinator_read(struct span s, size_t *at)
{
	uint8_t combinator = DESCENDANT;

	for (; *at < s.size; (*at)++) {
		uint8_t c = s.data[*at];

		if (!is_space(c) && c != CHILD && c != NEXT && c != LATER)
			break;
		combinator = is_space(c) ? combinator : c;
	}
	return combinator;
}

static bool selector_read(struct html_sheet *sheet, struct span s, uint32_t *specificity)
{
	uint8_t combinator = 0;

	for (size_t at = 0; at < s.size;) {
		struct html_compound *c = &sheet->compounds[sheet->compound_count];

		if (sheet->compound_count == HTML_SHEET_COMPOUNDS)
			return false;
		*c = (struct html_compound){.combinator = combinator};
		if (!compound_read(sheet, s, &at, c, specificity))
			return false;
		sheet->compound_count++;
		combinator = combinator_read(s, &at);
	}
	return combinator != 0;
}

/* Where the selector at @at ends: at a comma outside of brackets and strings. */
static size_t selector_end(struct span list, size_t at)
{
	unsigned depth = 0;

	for (; at < list.size && (depth > 0 || list.data[at] != ','); at++) {
		uint8_t c = list.data[at];

		at = html_css_string_end(list, at);
		depth += c == '(' || c == '[';
		depth -= (c == ')' || c == ']') && depth > 0;
	}
	return at;
}

/* Is there a word at the colon @at that holds only while somebody does something, or that is a box
 * of the browser's own? */
static bool is_waiting_word(struct span s, size_t at)
{
	static const char *const words[] = {":hover",
					    ":active",
					    ":focus",
					    ":visited",
					    "::selection",
					    "::placeholder",
					    "::-webkit-",
					    "::-moz-",
					    ":-moz-placeholder",
					    ":-ms-input-placeholder"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (span_starts_nocase((struct span){s.data + at, s.size - at}, span_of(words[i])))
			return true;
	}
	return false;
}

/* Does the selector hold only while somebody does something? What an attribute is compared with,
 * or a name with an escaped colon, says nothing of that. */
static bool waits(struct span s)
{
	bool found = false, attribute = false;

	for (size_t at = 0; at < s.size; at++) {
		if (s.data[at] == '(' || s.data[at] == '\\')
			return false;
		found = found || (!attribute && s.data[at] == ':' && is_waiting_word(s, at));
		at = html_css_string_end(s, at);
		attribute = s.data[at] == '[' || (attribute && s.data[at] != ']');
	}
	return found;
}

static bool set_background(const struct html_declaration *declarations, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (declarations[i].property == HTML_BACKGROUND ||
		    declarations[i].property == HTML_BACKGROUND_IMAGE)
			return true;
	}
	return false;
}

static bool may_hide(const struct html_declaration *declarations, size_t count)
{
	static const struct html_element nothing = {.name = {(const uint8_t *)"", 0}};
	struct html_cascade cascade = {.set = 0};
	struct html_look look;

	html_look_init(&look);
	for (size_t i = 0; i < count; i++)
		html_cascade_take(&cascade, &declarations[i], 0, false);
	/* Of colours there is no telling without what is behind. */
	return html_style_apply(&nothing, &cascade, &look) || cascade.unread || look.invisible ||
	       html_look_is_faint(&look, true);
}

/* Do they write text before or behind what @selector is of? */
static bool may_write(struct span selector, const struct html_declaration *declarations,
		      size_t count)
{
	if (html_css_find(selector, "before") == NULL && html_css_find(selector, "after") == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (declarations[i].property == HTML_CONTENT &&
		    (declarations[i].variable || html_generated_is_text(declarations[i].value)))
			return true;
	}
	return false;
}

/* A selector of ours is not understood, or there is no room for it. */
static void leave_out(struct html_sheet *sheet, struct span selector,
		      const struct html_declaration *declarations, size_t count)
{
	sheet->cut = sheet->cut || sheet->compound_count == HTML_SHEET_COMPOUNDS;
	if (waits(selector))
		return;
	sheet->background_doubt = sheet->background_doubt || set_background(declarations, count);
	sheet->unread = sheet->unread || may_hide(declarations, count) ||
			may_write(selector, declarations, count);
}

void html_selectors_keep(struct html_sheet *sheet, struct span list, size_t declaration_first,
			 size_t declaration_count)
{
	for (size_t at = 0; at < list.size;) {
		size_t end = selector_end(list, at);
		size_t compounds = sheet->compound_count, simples = sheet->simple_count;
		struct span selector = span_trim((struct span){list.data + at, end - at});
		uint32_t specificity = 0;

		if (selector_read(sheet, selector, &specificity)) {
			struct html_compound *last = &sheet->compounds[sheet->compound_count - 1];

			last->last = true;
			last->specificity = specificity;
			last->declaration_first = (uint16_t)declaration_first;
			last->declaration_count = (uint16_t)declaration_count;
			if (last->generated > 0) { /* it may stand behind what is around it */
				sheet->generates = true;
				sheet->background_doubt =
					sheet->background_doubt ||
					set_background(&sheet->declarations[declaration_first],
						       declaration_count);
			}
		} else {
			leave_out(sheet, selector, &sheet->declarations[declaration_first],
				  declaration_count);
			sheet->compound_count = compounds;
			sheet->simple_count = simples;
		}
		at = end + 1;
	}
}

/* An element as selectors see it. */
struct seen {
	const struct html_element *element;
	struct span id, class;
	size_t size;     /* of all attributes: steps to look at them */
	uint32_t number; /* among its siblings, from 1 */
	bool is_root;
	uint64_t keys[KEY_BITS / 64];
};

/* The next word of a list, from *@at on; empty at the end. */
static struct span word_next(struct span list, size_t *at)
{
	size_t begin;

	if (list.size == 0)
		return span_of("");
	while (*at < list.size && list.data[*at] <= ' ')
		(*at)++;
	for (begin = *at; *at < list.size && list.data[*at] > ' ';)
		(*at)++;
	return (struct span){list.data + begin, *at - begin};
}

static bool has_word(struct span list, struct span word)
{
	struct span one;

	for (size_t at = 0; (one = word_next(list, &at)).size > 0;) {
		if (span_equal_nocase(one, word))
			return true;
	}
	return false;
}

static bool attribute_matches(const struct html_simple *simple, const struct html_element *element)
{
	const struct html_attr *attr = html_attr_find(element, simple->name);
	struct span have, want = simple->value;

	if (attr == NULL)
		return false;
	have = attr->value;
	switch (simple->match) {
	case 0:
		return true;
	case '=':
		return span_equal_nocase(have, want);
	case '~':
		return has_word(have, want);
	case '|':
		return span_equal_nocase(have, want) ||
		       (have.size > want.size && span_starts_nocase(have, want) &&
			have.data[want.size] == '-');
	case '^':
		return want.size > 0 && span_starts_nocase(have, want);
	case '$':
		return want.size > 0 && have.size >= want.size &&
		       span_equal_nocase(
			       (struct span){have.data + have.size - want.size, want.size}, want);
	default:
		return want.size > 0 && have.size > 0 &&
		       memmem(have.data, have.size, want.data, want.size) != NULL;
	}
}

static bool simple_matches(const struct html_simple *simple, const struct seen *seen)
{
	switch (simple->kind) {
	case SIMPLE_TAG:
		return simple->name.size == 0 ||
		       span_equal_nocase(seen->element->name, simple->name);
	case SIMPLE_CLASS:
		return has_word(seen->class, simple->name);
	case SIMPLE_ID:
		return span_equal_nocase(seen->id, simple->name);
	case SIMPLE_ATTRIBUTE:
		return attribute_matches(simple, seen->element);
	case SIMPLE_NTH_CHILD:
		return seen->number == simple->match;
	case SIMPLE_ROOT:
		return seen->is_root;
	default:
		return seen->element->tag == HTML_A && html_attr_has(seen->element, "href");
	}
}

static void keys_set(uint64_t *keys, uint8_t key)
{
	keys[key / 64] |= UINT64_C(1) << key % 64;
}

static struct seen seen_of(const struct html_element *element, uint32_t number)
{
	struct seen seen = {.element = element, .number = number, .keys = {1}};
	struct span word;

	seen.is_root = span_equal_nocase(element->name, span_of("html"));
	keys_set(seen.keys, key_of(element->name));
	for (size_t i = 0; i < element->attr_count; i++)
		seen.size += 4 + element->attrs[i].name.size + element->attrs[i].value.size;
	if (element->attr_count == 0)
		return seen;
	seen.id = html_attr_of(element, "id");
	seen.class = html_attr_of(element, "class");
	if (seen.id.size > 0)
		keys_set(seen.keys, key_of(seen.id));
	for (size_t at = 0; (word = word_next(seen.class, &at)).size > 0;)
		keys_set(seen.keys, key_of(word));
	return seen;
}

static bool has_bit(const uint64_t *bits, size_t at)
{
	return bits[at / 64] >> at % 64 & 1;
}

/* Does what must stand before the compound @at do so? */
static bool follows(const struct html_compound *compound, const struct html_match *parent,
		    size_t at)
{
	switch (compound->combinator) {
	case 0:
		return true;
	case CHILD:
		return has_bit(parent->self, at - 1);
	case NEXT:
		return has_bit(parent->child, at - 1);
	case LATER:
		return has_bit(parent->children, at - 1);
	default:
		return has_bit(parent->above, at - 1);
	}
}

/* Return: whether there are steps left. */
static bool spend(struct html_sheet *sheet, size_t steps)
{
	if (steps > sheet->steps) {
		sheet->spent += sheet->steps;
		sheet->steps = 0;
		sheet->cut = true;
		return false;
	}
	sheet->steps -= (uint32_t)steps;
	sheet->spent += (uint32_t)steps;
	return true;
}

/* A comparison looks at the whole list of classes, or at all attributes. */
static size_t steps_of(const struct html_simple *simple, const struct seen *seen)
{
	switch (simple->kind) {
	case SIMPLE_CLASS:
		return 4 + seen->class.size;
	case SIMPLE_ID:
		return 4 + seen->id.size;
	case SIMPLE_TAG:
	case SIMPLE_NTH_CHILD:
	case SIMPLE_ROOT:
	case SIMPLE_GROUP:
	case SIMPLE_OR:
		return 4;
	default:
		return 4 + seen->size;
	}
}

/* A group's alternatives are paid for before any is looked at: what stops half-way would turn
 * ":not()" around. */
static size_t group_steps(const struct html_simple *group, const struct seen *seen)
{
	size_t steps = 0;

	for (const struct html_simple *s = group; s <= group + group->count; s++)
		steps += steps_of(s, seen);
	return steps;
}

/* Does an element match any of a group's alternatives, each of which SIMPLE_OR ends? */
static bool group_matches(const struct html_simple *group, const struct seen *seen)
{
	bool matches = true;

	for (const struct html_simple *s = group + 1; s <= group + group->count; s++) {
		if (s->kind != SIMPLE_OR)
			matches = matches && simple_matches(s, seen);
		else if (matches)
			return true;
		else
			matches = true;
	}
	return false;
}

static bool compound_matches(struct html_sheet *sheet, const struct html_compound *compound,
			     const struct seen *seen)
{
	for (size_t i = 0; i < compound->simple_count; i++) {
		const struct html_simple *simple = &sheet->simples[compound->simple_first + i];
		bool group = simple->kind == SIMPLE_GROUP;

		if (!spend(sheet, group ? group_steps(simple, seen) : steps_of(simple, seen)))
			return false;
		if (group ? group_matches(simple, seen) == (simple->match == '!')
			  : !simple_matches(simple, seen))
			return false;
		i += simple->count;
	}
	return true;
}

/* Each value is looked through by those who judge it, several times where it wins. */
static void take_declarations(struct html_sheet *sheet, const struct html_compound *compound,
			      struct html_cascade *cascade)
{
	for (size_t i = 0; i < compound->declaration_count; i++) {
		const struct html_declaration *d =
			&sheet->declarations[compound->declaration_first + i];

		if (!spend(sheet, 1 + d->value.size / 8))
			return;
		html_cascade_take(cascade, d, compound->specificity, false);
	}
}

void html_sheet_match(struct html_sheet *sheet, const struct html_element *element,
		      struct html_match *parent, struct html_match *self,
		      struct html_cascade cascades[HTML_CASCADES])
{
	size_t words = (sheet->compound_count + 63) / 64;
	struct seen seen = seen_of(element, ++parent->child_count);

	memset(self, 0, sizeof(*self));
	if (!spend(sheet, 1 + sheet->compound_count / 4))
		return;
	for (size_t i = 0; i < sheet->compound_count; i++) {
		const struct html_compound *compound = &sheet->compounds[i];

		if (!has_bit(seen.keys, compound->key) || !follows(compound, parent, i) ||
		    !compound_matches(sheet, compound, &seen))
			continue;
		if (compound->generated == 0)
			self->self[i / 64] |= UINT64_C(1) << i % 64;
		if (compound->last)
			take_declarations(
				sheet, compound,
				&cascades[compound->generated > 0 ? compound->generated - 1
								  : HTML_ITSELF]);
	}
	for (size_t w = 0; w < words; w++) {
		self->above[w] = parent->above[w] | self->self[w];
		parent->child[w] = self->self[w];
		parent->children[w] |= self->self[w];
	}
}
