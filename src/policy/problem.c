/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Noting and wording problems: templates from problems.def, what is allowed from the schema. */
#include "policy/problem.h"

#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

#define MESSAGE_BYTES 2048 /* of one message; what is longer is cut at its end */

static const struct {
	bool warning;
	const char *text[2];
} messages[PROBLEM_COUNT_] = {
#define PROBLEM(id, is_warning, en, ja) [PROBLEM_##id] = {is_warning, {en, ja}},
#include "policy/problems.def"
#undef PROBLEM
};

void problems_init(struct problems *p)
{
	p->count = 0;
	p->error_count = 0;
	p->warning_count = 0;
}

/* Copy what is printable; the rest becomes '?', and what does not fit ends in "...". */
static void keep_printable(char out[PROBLEM_ARG_BYTES], const char *text)
{
	static const char more[] = "...";
	struct span rest = text == NULL ? (struct span){NULL, 0} : span_of(text);
	struct writer w;
	uint32_t c;

	writer_init(&w, out, PROBLEM_ARG_BYTES - sizeof(more));
	while (rest.size > 0 && !w.failed) {
		size_t n = utf8_decode(rest, &c);

		if (n == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0))
			writer_u8(&w, '?');
		else
			writer_bytes(&w, rest.data, n);
		n += n == 0;
		rest.data += n;
		rest.size -= n;
	}
	memcpy(out + w.size, more, sizeof(more));
	if (!w.failed)
		out[w.size] = '\0';
}

static bool comes_before(struct position a, struct position b)
{
	return a.line != b.line ? a.line < b.line : a.column < b.column;
}

enum weight { WEIGHT_ADVICE, WEIGHT_DAMAGE, WEIGHT_ERROR };

static enum weight weight_of(enum problem_id id)
{
	if (!messages[id].warning)
		return WEIGHT_ERROR;
	return id == PROBLEM_SLOT_UNUSABLE ? WEIGHT_DAMAGE : WEIGHT_ADVICE;
}

/* Take out the last of those that weigh least. Return: false: none weighs less than @weight. */
static bool give_way(struct problems *p, enum weight weight)
{
	uint32_t least = 0;

	for (uint32_t i = 1; i < p->count; i++) {
		if (weight_of(p->items[i].id) <= weight_of(p->items[least].id))
			least = i;
	}
	if (weight_of(p->items[least].id) >= weight)
		return false;
	p->count--;
	memmove(&p->items[least], &p->items[least + 1], (p->count - least) * sizeof(p->items[0]));
	return true;
}

void problems_add(struct problems *p, struct position at, enum problem_id id, enum schema_id row,
		  unsigned arg, const char *first, const char *second)
{
	struct problem item = {.at = at, .id = id, .row = row, .arg = arg};
	uint32_t place;

	if (messages[id].warning)
		p->warning_count++;
	else
		p->error_count++;
	if (p->count == PROBLEMS_MAX && !give_way(p, weight_of(id)))
		return;
	keep_printable(item.args[0], first);
	keep_printable(item.args[1], second);
	for (place = p->count++; place > 0 && comes_before(at, p->items[place - 1].at); place--)
		p->items[place] = p->items[place - 1];
	p->items[place] = item;
}

bool problem_is_warning(const struct problem *problem)
{
	return messages[problem->id].warning;
}

static bool lists_children(enum problem_id id)
{
	return id == PROBLEM_UNKNOWN || id == PROBLEM_AMBIGUOUS || id == PROBLEM_EXTRA_CLOSE ||
	       id == PROBLEM_NO_STATEMENT || id == PROBLEM_QUOTED_NAME ||
	       id == PROBLEM_PATH_TOO_SHORT;
}

static void describe_allowed(struct writer *w, const struct problem *problem,
			     enum language language)
{
	enum schema_id child = schema_first_child(problem->row);

	if (!lists_children(problem->id)) {
		if (schema_arg_count(problem->row) > problem->arg)
			value_describe(w, &schema_row(problem->row)->args[problem->arg], language);
		return;
	}
	for (; child < ROW_COUNT_; child = schema_next_sibling(child)) {
		writer_text(w, schema_row(child)->name);
		if (schema_next_sibling(child) < ROW_COUNT_)
			writer_text(w, ", ");
	}
}

void problem_describe(struct writer *w, const struct problem *problem, enum language language)
{
	static const char allowed[] = "{allowed}";
	const char *t = messages[problem->id].text[language];

	while (*t != '\0') {
		size_t plain = strcspn(t, "{");

		writer_bytes(w, t, plain);
		t += plain;
		if (strncmp(t, "{0}", 3) == 0 || strncmp(t, "{1}", 3) == 0) {
			writer_text(w, problem->args[t[1] - '0']);
			t += 3;
		} else if (strncmp(t, allowed, sizeof(allowed) - 1) == 0) {
			describe_allowed(w, problem, language);
			t += sizeof(allowed) - 1;
		} else if (*t == '{') {
			writer_u8(w, '{');
			t++;
		}
	}
}

int problems_print(struct bytes *out, const struct problems *p, const char *file,
		   enum language language)
{
	char text[MESSAGE_BYTES];
	struct writer w;

	for (uint32_t i = 0; i < p->count; i++) {
		const struct problem *item = &p->items[i];

		writer_init(&w, text, sizeof(text));
		problem_describe(&w, item, language);
		(void)bytes_printf(out, "%s:%u:%u: %s%.*s\n", file, item->at.line, item->at.column,
				   !problem_is_warning(item) ? ""
				   : language == LANGUAGE_JA ? "注意: "
							     : "warning: ",
				   (int)w.size, text); /* told by out->failed below */
	}
	if (p->error_count + p->warning_count > p->count)
		(void)bytes_printf(out,
				   language == LANGUAGE_JA ? "%s: ほかに%u件\n" : "%s: %u more\n",
				   file, p->error_count + p->warning_count - p->count);
	return out->failed ? -ERR_NO_MEMORY : 0;
}
