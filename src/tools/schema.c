/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho schema: the statements of the configuration, as the documentation's page or as part of
 * the manual page. */
#include <stdio.h>
#include <string.h>

#include "policy/presets.h"
#include "policy/schema.h"
#include "tools/tools.h"

#define DEPTH_MAX 8

/* Names of the blocks around a row, joined by blanks. */
static void print_path(enum schema_id id)
{
	enum schema_id chain[DEPTH_MAX];
	unsigned depth = schema_row(id)->depth, count = 0;

	for (enum schema_id i = id; i > ROW_ROOT && count < DEPTH_MAX && depth > 0; i--) {
		if (schema_row(i)->depth != depth)
			continue;
		chain[count++] = i;
		depth--;
	}
	while (count > 0) {
		count--;
		printf("%s%s", schema_row(chain[count])->name, count > 0 ? " " : "");
	}
}

static void print_arguments(enum schema_id id, const char *before, const char *after)
{
	for (unsigned i = 0; i < schema_arg_count(id); i++) {
		const struct value_form *form = &schema_row(id)->args[i];

		printf(" %s%s%s%s%s", form->keyword != NULL ? form->keyword : "",
		       form->keyword != NULL ? " " : "", before, form->label, after);
	}
}

static void print_allowed(enum schema_id id, enum language language, const char *between)
{
	char text[512];
	struct writer w;

	for (unsigned i = 0; i < schema_arg_count(id); i++) {
		writer_init(&w, text, sizeof(text) - 1);
		value_describe(&w, &schema_row(id)->args[i], language);
		text[w.size] = '\0';
		printf("%s%s", i > 0 ? between : "", text);
	}
}

static const char *how_often(enum schema_id id)
{
	const struct schema_row *row = schema_row(id);
	bool required = (row->flags & SCHEMA_REQUIRED) != 0;
	bool many = row->kind == SCHEMA_ENTRY || row->kind == SCHEMA_LIST;

	if (many)
		return required ? "one or more" : "any number";
	return required ? "required" : "at most one";
}

/* A message with dots for what the configuration says. */
static void print_finding(const char *text)
{
	for (; *text != '\0'; text++) {
		if (text[0] == '{') {
			printf("...");
			text += strlen("{0");
		} else {
			putchar(*text);
		}
	}
}

static void print_presets(void)
{
	static const char *const levels[] = {
		[LEVEL_FREE] = "", [LEVEL_WARN] = "warning 注意", [LEVEL_REFUSE] = "refused 拒否"};

	printf("\n# What `system preset` adds\n\n"
	       "Generated from `src/policy/presets.def`. `load preset NAME` fills the candidate "
	       "with "
	       "a configuration to begin with.\n`load preset 名前` "
	       "で各型の初期設定を読み込める。\n\n"
	       "| finding | 検出する内容 | requirement | without | three-tier | two-tier-utility | "
	       "two-tier-association | village | city-general "
	       "|\n|---|---|---|---|---|---|---|---|---|\n");
	for (enum preset_rule rule = 0; rule < RULE_COUNT_; rule++) {
		const struct preset_row *row = preset_row(rule);

		printf("| ");
		print_finding(row->text[LANGUAGE_EN]);
		printf(" | ");
		print_finding(row->text[LANGUAGE_JA]);
		printf(" | %s |", row->requirement);
		for (enum preset preset = 0; preset < PRESET_COUNT_; preset++)
			printf(" %s |", levels[row->level[preset]]);
		printf("\n");
	}
}

static void print_markdown(void)
{
	printf("# Configuration statements\n\n"
	       "Generated from `src/policy/schema.def` by `sekisho schema --markdown`; do not "
	       "edit.\n\n"
	       "| statement | how often | allowed | default | requirement | meaning | 意味 |\n"
	       "|---|---|---|---|---|---|---|\n");
	for (enum schema_id id = ROW_ROOT + 1; id < ROW_COUNT_; id++) {
		const struct schema_row *row = schema_row(id);

		printf("| `");
		print_path(id);
		print_arguments(id, "<", ">");
		printf("` | %s | ", how_often(id));
		print_allowed(id, LANGUAGE_EN, "; ");
		printf(" | %s | %s | %s | %s |\n", row->fallback != NULL ? row->fallback : "",
		       row->requirement, row->help[LANGUAGE_EN], row->help[LANGUAGE_JA]);
	}
	print_presets();
}

static void print_mdoc(void)
{
	printf(".\\\" Generated from src/policy/schema.def by sekisho schema --mdoc; do not edit.\n"
	       ".Bl -tag -width Ds\n");
	for (enum schema_id id = ROW_ROOT + 1; id < ROW_COUNT_; id++) {
		const struct schema_row *row = schema_row(id);

		printf(".It Ic \"");
		print_path(id);
		print_arguments(id, "<", ">");
		printf("\"\n\\&%s (%s; %s).\n", row->help[LANGUAGE_EN], how_often(id),
		       row->requirement);
		if (schema_arg_count(id) > 0) {
			printf("Allowed: ");
			print_allowed(id, LANGUAGE_EN, "; ");
			printf(".\n");
		}
		if (row->fallback != NULL)
			printf("Default: %s.\n", row->fallback);
	}
	printf(".El\n");
}

static void print_text(void)
{
	for (enum schema_id id = ROW_ROOT + 1; id < ROW_COUNT_; id++) {
		const struct schema_row *row = schema_row(id);

		printf("%*s%s", (int)(row->depth - 1) * 4, "", row->name);
		print_arguments(id, "<", ">");
		printf("  # %s\n", row->help[LANGUAGE_EN]);
	}
}

int tool_schema(int argc, char **argv)
{
	if (argc == 1)
		print_text();
	else if (argc == 2 && strcmp(argv[1], "--markdown") == 0)
		print_markdown();
	else if (argc == 2 && strcmp(argv[1], "--mdoc") == 0)
		print_mdoc();
	else
		return tool_usage("schema");
	return 0;
}
