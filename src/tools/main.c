/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho: the offline command. The appliance's own objects for a shell, a CI job and an auditor;
 * holds no privilege. */
#include <stdio.h>
#include <string.h>

#include "tools/tools.h"

const struct tool tools_table[] = {
	{"check", "FILE", "parse and validate a configuration, print its canonical form",
	 tool_check},
	{"schema", "[--markdown|--mdoc]", "list the statements of the configuration", tool_schema},
	{"verify-log", "DIR [COPY]",
	 "check a log's hash chain, and hold it against a syslog server's copy", tool_verify_log},
	{"import-log", "[--host NAME] [--key KEY] FILE... DIR",
	 "make a log directory out of syslog servers' files; 1: records are missing or differ",
	 tool_import_log},
	{"events", "[--markdown]", "list the events of the log", tool_events},
	{"flatten", "[OPTION...] < mail > flat",
	 "flatten one message as the gateway would; 3: refused", tool_flatten},
	{"verify-mail", "[--texts | --files] < flat",
	 "does it conform to the sanitised-mail grammar?", tool_verify_mail},
	{"open-export", "[--passphrase FILE] EXPORT",
	 "print the configuration of an encrypted export; 1: cannot be opened", tool_open_export},
	{"trace",
	 "--config F --from ZONE --src IP[:PORT] --dst IP[:PORT] --proto tcp|udp|icmp|N [--at "
	 "TIME] [--mac M]",
	 "what the arbiter decides about a flow, and by which permit; 1: denied", tool_trace},
	{"replay", "[--against CONFIG] CONFIG FLOWS",
	 "which recorded flows a configuration would treat otherwise; 1: some", tool_replay},
	{"replay-screen", "[--from S] [--to S] [--every S | --at S,S,...] [--log LOG-DIR] FILE DIR",
	 "a screen session's recording as pictures; 1: it is not whole, or not as the log says",
	 tool_replay_screen},
	{"report", "--config F --log DIR --month YYYY-MM [--language ja|en] [--format text|html]",
	 "the monthly compliance report, clause by clause; 1: the log is not whole", tool_report},
	{NULL, NULL, NULL, NULL},
};

static int usage(FILE *to)
{
	fprintf(to, "usage: sekisho COMMAND [ARGUMENT...]\n");
	for (const struct tool *t = tools_table; t->name != NULL; t++)
		fprintf(to, "  %-12s %s\n  %-12s   %s\n", t->name, t->usage, "", t->summary);
	return to == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr);
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0)
		return usage(stdout);
	for (const struct tool *t = tools_table; t->name != NULL; t++) {
		if (strcmp(t->name, argv[1]) == 0)
			return t->run(argc - 1, argv + 1);
	}
	fprintf(stderr, "sekisho: no such command: %s\n", argv[1]);
	return usage(stderr);
}
