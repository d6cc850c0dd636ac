/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho: the offline command. The appliance's own objects for a shell, a CI job and an auditor;
 * holds no privilege. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "tools/tools.h"

#define STATUS_USAGE 2

const struct tool tools_table[] = {
	{"check", "[--at YYYY-MM-DDTHH:MM] FILE",
	 "parse and validate a configuration, print its canonical form", tool_check},
	{"schema", "[--markdown | --mdoc]", "list the statements of the configuration",
	 tool_schema},
	{"verify-log", "[--key PUBLIC-KEY] [--part] DIR [COPY]",
	 "check a log's hash chain, and hold it against a syslog server's copy; 1: it does not fit",
	 tool_verify_log},
	{"import-log", "[--host NAME] [--key KEY] FILE... DIR",
	 "make a log directory out of syslog servers' files; 1: records are missing or differ",
	 tool_import_log},
	{"events", "[--markdown]", "list the events of the log", tool_events},
	{"flatten",
	 "[--policy FILE [--mail NAME]] [--from ADDRESS] [--language ja|en] [--defang] "
	 "[--refuse-ambiguous] [--host NAME] [--date DATE] [--receipt FILE] < mail > flat",
	 "flatten one message as the gateway would; 3: refused", tool_flatten},
	{"verify-mail", "[--texts | --files] < flat",
	 "does it conform to the sanitised-mail grammar? 1: no", tool_verify_mail},
	{"open-export", "[--passphrase FILE] EXPORT",
	 "print the configuration of an encrypted export; 1: cannot be opened", tool_open_export},
	{"trace",
	 "--config F --from ZONE --src IP[:PORT] --dst IP[:PORT] --proto "
	 "tcp|udp|icmp[/TYPE]|NUMBER [--at YYYY-MM-DDTHH:MM] [--mac M]\n"
	 "--config F --flows FILE [--at YYYY-MM-DDTHH:MM]",
	 "what the arbiter decides about a flow, and by which permit; 1: denied", tool_trace},
	{"replay", "[--against CONFIG] CONFIG FLOWS",
	 "which recorded flows a configuration would treat otherwise; 1: some", tool_replay},
	{"replay-screen", "[--from S] [--to S] [--every S | --at S,S,...] [--log LOG-DIR] FILE DIR",
	 "a screen session's recording as pictures; 1: it is not whole, or not as the log says",
	 tool_replay_screen},
	{"report",
	 "--config F --log DIR --month YYYY-MM [--language ja|en] [--format text|html] [--unused "
	 "DAYS] [--key PUBLIC-KEY]",
	 "the monthly compliance report, clause by clause; 1: the log is not whole", tool_report},
	{NULL, NULL, NULL, NULL},
};

static const struct tool *find(const char *name)
{
	for (const struct tool *t = tools_table; t->name != NULL; t++) {
		if (strcmp(t->name, name) == 0)
			return t;
	}
	return NULL;
}

/* Every form of it on a line of its own, the first behind @lead, the others as far in. */
static void print_forms(FILE *to, const char *lead, const struct tool *t)
{
	const char *form = t->usage;

	while (form != NULL) {
		const char *end = strchr(form, '\n');

		fprintf(to, "%ssekisho %s %.*s\n", form == t->usage ? lead : "       ", t->name,
			(int)(end != NULL ? end - form : (ptrdiff_t)strlen(form)), form);
		form = end != NULL ? end + 1 : NULL;
	}
}

int tool_usage(const char *name)
{
	print_forms(stderr, "usage: ", find(name));
	return STATUS_USAGE;
}

static int usage(FILE *to)
{
	fprintf(to, "usage: sekisho COMMAND [ARGUMENT...]\n"
		    "       sekisho help [COMMAND]\n");
	for (const struct tool *t = tools_table; t->name != NULL; t++)
		fprintf(to, "  %-13s  %s\n", t->name, t->summary);
	return to == stdout ? 0 : STATUS_USAGE;
}

/* What the pages of the manual are held against (tests/golden/test_man_pages.py). */
static int help(const char *name)
{
	const struct tool *t = find(name);

	if (t == NULL)
		return usage(stderr);
	print_forms(stdout, "usage: ", t);
	printf("  %s\n", t->summary);
	return 0;
}

int main(int argc, char **argv)
{
	const struct tool *t;

	if (argc < 2)
		return usage(stderr);
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0)
		return argc > 2 ? help(argv[2]) : usage(stdout);
	if (argc == 3 && strcmp(argv[2], "--help") == 0)
		return help(argv[1]);
	t = find(argv[1]);
	if (t != NULL)
		return t->run(argc - 1, argv + 1);
	fprintf(stderr, "sekisho: no such command: %s\n", argv[1]);
	return usage(stderr);
}
