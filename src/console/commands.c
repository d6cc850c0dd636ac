/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of commands.def as one table that the matcher, '?' and Tab read. */
#include "console/command.h"

#define OPERATIONAL MODE_OPERATIONAL
#define CONFIGURE   MODE_CONFIGURE
#define BOTH        (MODE_OPERATIONAL | MODE_CONFIGURE)

#define NOTHING       TAIL_NONE, 0, NULL
#define PATH(purpose) TAIL_PATH, purpose, NULL
#define WORDS(list)   TAIL_WORDS, 0, list
#define NUMBER(range) TAIL_NUMBER, 0, range
#define TEXT(label)   TAIL_TEXT, 0, label

const struct command commands[] = {
#define COMMAND(words, modes, action, number, tail, en, ja)                                        \
	{words, modes, action_##action, number, {en, ja}, tail},
#include "console/commands.def"
#undef COMMAND
};

const size_t command_count = sizeof(commands) / sizeof(commands[0]);
_Static_assert(sizeof(commands) / sizeof(commands[0]) <= COMMANDS_MAX, "make room for a match");
