/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of commands (commands.def), as the matcher, '?' and Tab read it (matching.c). */
#ifndef SEKISHO_CONSOLE_COMMAND_H
#define SEKISHO_CONSOLE_COMMAND_H

#include "console/console.h"

#define COMMANDS_MAX 160

#define IN_FULL 0x100U /* among a command's modes: its words are not shortened */

/* What may stand behind a command's words. */
enum tail {
	TAIL_NONE,
	TAIL_PATH,  /* words of the configuration; what may come next is asked of config */
	TAIL_WORDS, /* one of fixed words */
	TAIL_NUMBER,
	TAIL_TEXT, /* anything */
};

struct command {
	const char *words;
	unsigned modes;
	command_fn *run;
	unsigned number; /* the action's own: query kind, request kind */
	const char *help[2];
	enum tail tail;
	enum edit_purpose purpose; /* TAIL_PATH */
	const char *choices;       /* TAIL_WORDS: separated by blanks; others: label */
};

extern const struct command commands[];
extern const size_t command_count; /* at most COMMANDS_MAX */

/*
 * reference.c: print the table to stdout, as docs/commands.md, as the list of
 * sekisho-console(8), or as lines of mode, tab and words.
 * @form: "--print-commands", "--print-commands=mdoc" or "--print-commands=words".
 * Return: an exit status; 2 for another @form.
 */
int command_reference(const char *form);

#endif
