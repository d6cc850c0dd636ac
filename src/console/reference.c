/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of commands as pages of the documentation (docs/commands.md, the manual page's list),
 * and as a list for programs. */
#include <stdio.h>
#include <string.h>

#include "console/command.h"

static const struct {
	const char *name[2];
	unsigned modes;
} groups[] = {
	{{"Operational", "通常"}, MODE_OPERATIONAL},
	{{"While editing", "設定の編集中"}, MODE_CONFIGURE},
	{{"In both", "両方"}, MODE_OPERATIONAL | MODE_CONFIGURE},
};

#define GROUPS (sizeof(groups) / sizeof(groups[0]))

/* What may stand behind the command's words; "" for nothing. */
static const char *tail_text(const struct command *command)
{
	switch (command->tail) {
	case TAIL_PATH:
		return command->purpose == EDIT_SHOW ? "[path]" : "path";
	case TAIL_WORDS:
	case TAIL_NUMBER:
	case TAIL_TEXT:
		return command->choices;
	case TAIL_NONE:
		break;
	}
	return "";
}

/* @text, with @instead for each @special. */
static void print_replacing(const char *text, char special, const char *instead)
{
	for (; *text != '\0'; text++) {
		if (*text == special)
			printf("%s", instead);
		else
			putchar(*text);
	}
}

static void print_markdown_row(const struct command *command)
{
	const char *tail = tail_text(command);

	printf("| `%s%s", command->words, tail[0] != '\0' ? " " : "");
	print_replacing(tail, '|', "\\|");
	printf("` | %s | %s |\n", command->help[LANGUAGE_EN], command->help[LANGUAGE_JA]);
}

/* A line that begins with a full stop would be a request: hence the \& (mdoc(7)). */
static void print_mdoc_item(const struct command *command)
{
	const char *tail = tail_text(command);

	printf(".It Li \"%s%s", command->words, tail[0] != '\0' ? " " : "");
	print_replacing(tail, '"', "\\(dq");
	printf("\"\n\\&%s\n", command->help[LANGUAGE_EN]);
}

static void print_items(unsigned modes, void (*print)(const struct command *command))
{
	for (size_t i = 0; i < command_count; i++) {
		if ((commands[i].modes & ~IN_FULL) == modes)
			print(&commands[i]);
	}
}

static void print_markdown(void)
{
	printf("# Commands / コマンド\n\n"
	       "Generated from `src/console/commands.def` by `console --print-commands`; do not "
	       "edit. "
	       "How the console behaves is in [console.md](console.md).\n");
	for (size_t i = 0; i < GROUPS; i++) {
		printf("\n## %s / %s\n\n| command | does | 内容 |\n|---|---|---|\n",
		       groups[i].name[LANGUAGE_EN], groups[i].name[LANGUAGE_JA]);
		print_items(groups[i].modes, print_markdown_row);
	}
}

static void print_mdoc(void)
{
	for (size_t i = 0; i < GROUPS; i++) {
		printf(".Ss %s\n.Bl -tag -width Ds\n", groups[i].name[LANGUAGE_EN]);
		print_items(groups[i].modes, print_mdoc_item);
		printf(".El\n");
	}
}

/* For programs: the mode, a tab, the words. */
static void print_words(void)
{
	for (size_t i = 0; i < command_count; i++) {
		bool both = (commands[i].modes & ~IN_FULL) == (MODE_OPERATIONAL | MODE_CONFIGURE);

		printf("%s\t%s\n",
		       both                                        ? "both"
		       : (commands[i].modes & MODE_CONFIGURE) != 0 ? "configure"
								   : "operational",
		       commands[i].words);
	}
}

int command_reference(const char *form)
{
	if (strcmp(form, "--print-commands") == 0)
		print_markdown();
	else if (strcmp(form, "--print-commands=mdoc") == 0)
		print_mdoc();
	else if (strcmp(form, "--print-commands=words") == 0)
		print_words();
	else
		return 2;
	return 0;
}
