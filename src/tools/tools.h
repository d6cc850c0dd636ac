/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The subcommands of `sekisho`: each gets its own arguments (argv[0] is its name) and returns the
 * exit status. */
#ifndef SEKISHO_TOOLS_TOOLS_H
#define SEKISHO_TOOLS_TOOLS_H

struct tool {
	const char *name;
	const char *usage; /* every argument that it takes, a line a form */
	const char *summary;
	int (*run)(int argc, char **argv);
};

/* Each in a file of its own: check.c ... */
int tool_check(int argc, char **argv);
int tool_schema(int argc, char **argv);
int tool_verify_log(int argc, char **argv);
int tool_import_log(int argc, char **argv);
int tool_events(int argc, char **argv);
int tool_flatten(int argc, char **argv);
int tool_verify_mail(int argc, char **argv);
int tool_trace(int argc, char **argv);
int tool_replay(int argc, char **argv);
int tool_replay_screen(int argc, char **argv);
int tool_open_export(int argc, char **argv);
int tool_report(int argc, char **argv);

/* In main.c; a new subcommand is one file here and one row there. */
extern const struct tool tools_table[];

/* Tell on stderr how the subcommand @name of the table is used. Return: 2, its exit status then. */
int tool_usage(const char *name);

/* alarms.c: the table of alarms as Markdown, for `sekisho events --markdown`. */
void tool_print_alarms(void);

#endif
