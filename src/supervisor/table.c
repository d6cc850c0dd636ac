/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process table. */
#include "supervisor/table.h"

#include <stddef.h>

#define UID_BASE 57700U /* outside what Debian gives to people, packages and containers */
/* accounts hears nothing while it hashes a password. On purpose that takes its time; on a machine
 * that is slow, and busy, it may be a hundred times as long. A console is somebody at work: ended
 * for a machine's slowness it would be a session lost. */
#define SLOW_MACHINE_MS 60000U

const struct table_role table_roles[ROLE_COUNT_] = {
	[ROLE_SUPERVISOR] =
		{
			.program = NULL,
			.uid = 0,
			.restart = RESTART_ALWAYS,
			.files_max = 8192,
			.given = "namespaces, listening sockets, children, hardware watchdog",
			.reads = "fixed-size messages of its children, compiled policies; never a "
				 "byte from a peer",
		},
	[ROLE_AUDIT] =
		{
			.program = "audit",
			.uid = UID_BASE + ROLE_AUDIT,
			.holds_policy = true,
			.restart = RESTART_ALWAYS,
			.ping_ms = 500,
			.silent_ms = 10000,
			.files_max = 2048,
			.memory_mib = 256,
			.given = "directories of the log and of the device key, reading end of "
				 "each process's events, channel to each log-sender",
			.reads = "event records of all processes, how far its log-senders have "
				 "come",
		},
	[ROLE_CONFIG] =
		{
			.program = "config",
			.uid = UID_BASE + ROLE_CONFIG,
			.restart = RESTART_ALWAYS,
			.ping_ms = 500,
			.silent_ms = 10000,
			.files_max = 64,
			.memory_mib = 512,
			.given = "directory of configurations, the file of --config, channels to "
				 "consoles",
			.reads = "configuration text, requests of consoles",
		},
	[ROLE_NETFILTER] =
		{
			.program = "netfilter",
			.urgent = true,
			.uid = UID_BASE + ROLE_NETFILTER,
			.net_admin = true,
			.holds_policy = true,
			.restart = RESTART_ALWAYS,
			.ping_ms = 150,
			.silent_ms = 2000,
			.files_max = 192,
			.memory_mib = 512,
			.given = "nfnetlink sockets of each zone and the kernel's table of its "
				 "packet queues, channel to "
				 "arbiter, snapshots; one that serves a share (ADR 414): two "
				 "nfnetlink sockets of each zone, channels to its arbiter and to "
				 "the first",
			.reads = "netlink attributes; packets only as opaque bytes",
		},
	[ROLE_ARBITER] =
		{
			.program = "arbiter",
			.urgent = true,
			.uid = UID_BASE + ROLE_ARBITER,
			.holds_policy = true,
			.restart = RESTART_ALWAYS,
			.ping_ms = 150,
			.silent_ms = 2000,
			.files_max = 32,
			.memory_mib = 512,
			.given = "channel to netfilter, snapshots; for a replay or a test the "
				 "candidate's, "
				 "and records of flows",
			.reads = "packet headers, first payload bytes, records of flows",
		},
	[ROLE_ACCOUNTS] =
		{
			.program = "accounts",
			.uid = UID_BASE + ROLE_ACCOUNTS,
			.restart = RESTART_ALWAYS,
			.ping_ms = 1000,
			.silent_ms = SLOW_MACHINE_MS,
			.files_max = 32,
			.memory_mib = 128,
			.given = "directory of accounts, channels to consoles, snapshots",
			.reads = "names and passwords typed at consoles and at screens",
		},
	[ROLE_CONSOLE] =
		{
			.program = "console",
			.uid = UID_BASE + ROLE_CONSOLE,
			.restart = RESTART_TTY,
			.ping_ms = 1000,
			.silent_ms = SLOW_MACHINE_MS,
			.files_max = 32,
			.memory_mib = 128,
			.file_mib = 64,
			.given = "its terminal, channel to config",
			.reads = "the keyboard",
		},
	[ROLE_MAIL_RECEIVER] =
		{
			.program = "mail-receiver",
			.uid = UID_BASE + ROLE_MAIL_RECEIVER,
			.in_reserve = 2,
			.restart = RESTART_NEVER,
			.ping_ms = 5000,
			.silent_ms = 30000,
			.files_max = 16,
			.memory_mib = 256,
			.file_mib = 128,
			.given = "one accepted socket, channel to its mail-sender, snapshot; with "
				 "TLS its entry's certificate and key",
			.reads = "SMTP of the source zone",
		},
	[ROLE_MAIL_FLATTENER] =
		{
			.program = "mail-flattener",
			.uid = UID_BASE + ROLE_MAIL_FLATTENER,
			.in_reserve = 2,
			.restart = RESTART_NEVER,
			.life_ms = 120000,
			.files_max = 12,
			.memory_mib = 256,
			.cpu_s = 60,
			.given = "one sealed memfd, one pipe to write, snapshot",
			.reads = "one message (MIME)",
		},
	[ROLE_MAIL_SENDER] =
		{
			.program = "mail-sender",
			.uid = UID_BASE + ROLE_MAIL_SENDER,
			.in_reserve = 2,
			.restart = RESTART_NEVER,
			.ping_ms = 5000,
			.silent_ms = 30000,
			.files_max = 16,
			.memory_mib = 256,
			.given = "sockets to the next hop, channel to its mail-receiver, pipes of "
				 "flattened text, snapshot",
			.reads = "flattened text, replies of the next hop",
		},
	[ROLE_MAIL_SCANNER] =
		{
			.program = "mail-scanner",
			.uid = UID_BASE + ROLE_MAIL_SCANNER,
			.restart = RESTART_NEVER,
			.life_ms = 120000,
			.files_max = 12,
			.memory_mib = 256,
			.cpu_s = 60,
			.given = "one sealed memfd, one socket to its virus scanner, snapshot",
			.reads = "one message as opaque bytes, replies of the scanner",
		},
	[ROLE_TIME_SOURCE] =
		{
			.program = "time-source",
			.uid = UID_BASE + ROLE_TIME_SOURCE,
			.restart = RESTART_ALWAYS,
			.ping_ms = 1000,
			.silent_ms = 15000,
			.files_max = 32,
			.memory_mib = 64,
			.given = "a socket to each time server, snapshot",
			.reads = "NTP of the time servers",
		},
	[ROLE_SCREEN_SOURCE] =
		{
			.program = "screen-source",
			.uid = UID_BASE + ROLE_SCREEN_SOURCE,
			.restart = RESTART_NEVER,
			.ping_ms = 2000,
			.silent_ms = 20000,
			.files_max = 16,
			.memory_mib = 512,
			.given = "one socket to the desktop, channel to its screen-viewer and "
				 "memory to write its pixels into, snapshot; "
				 "where its entry wants them, authorities and password to log in "
				 "with",
			.reads = "RFB and TLS of the desktop",
		},
	[ROLE_SCREEN_VIEWER] =
		{
			.program = "screen-viewer",
			.uid = UID_BASE + ROLE_SCREEN_VIEWER,
			.restart = RESTART_NEVER,
			.ping_ms = 2000,
			.silent_ms = 20000,
			.files_max = 16,
			.memory_mib = 512,
			.given = "one accepted socket, channel to its screen-source and its pixels "
				 "to read, snapshot; "
				 "with TLS its entry's certificate and key; where the session is "
				 "recorded, a file to append to",
			.reads = "tile records, RFB of the viewer or requests and frames of a "
				 "browser, name and password of one login",
		},
	[ROLE_STICK] =
		{
			.program = "stick",
			.uid = UID_BASE + ROLE_STICK,
			.restart = RESTART_NEVER,
			.life_ms = 120000,
			.files_max = 24,
			.memory_mib = 128,
			.file_mib = 8,
			.cpu_s = 60,
			.given = "either what a USB device says of itself and its switch, or a "
				 "memory stick's disk and memory for one file, snapshot",
			.reads = "either USB descriptors, or the file system of a memory stick",
		},
	[ROLE_LOG_SENDER] =
		{
			.program = "log-sender",
			.uid = UID_BASE + ROLE_LOG_SENDER,
			.restart = RESTART_NEVER,
			.ping_ms = 5000,
			.silent_ms = 30000,
			.files_max = 16,
			.memory_mib = 64,
			.given = "one socket to its syslog server, channel to audit, snapshot; "
				 "with TLS what the server is verified with, and the certificate "
				 "and key that it is shown",
			.reads = "ICMP errors, answers and TLS of the syslog server, records of "
				 "the log",
		},
};

static const char *restart_text(enum table_restart restart)
{
	static const char *const texts[] = {
		[RESTART_ALWAYS] = "always",
		[RESTART_TTY] = "always on a terminal",
		[RESTART_NEVER] = "never: ends its session",
	};

	return texts[restart];
}

static void print_row(FILE *out, const struct table_role *role)
{
	const char *capabilities = role->net_admin ? "CAP_NET_ADMIN" : "none";

	fprintf(out, "| `%s` | %u | %s | %s | %s | ", role->program ? role->program : "sekishod",
		role->uid, role->program ? capabilities : "those of `lockdown.c`",
		role->program ? "void" : "its own", role->program ? "empty" : "its own");
	if (role->memory_mib)
		fprintf(out, "%u MiB | ", role->memory_mib);
	else
		fputs("- | ", out);
	if (role->cpu_s)
		fprintf(out, "%u s | ", role->cpu_s);
	else
		fputs("- | ", out);
	fprintf(out, "%s | %u | %s | %s |\n",
		role->program ? restart_text(role->restart) : "by init", role->in_reserve,
		role->given, role->reads);
}

void table_print(FILE *out)
{
	fputs("# Processes\n\nGenerated from `src/supervisor/table.c` by `sekishod "
	      "--print-process-table`; "
	      "do not edit.\n\n"
	      "| process | uid | capabilities | network namespace | root | address space | CPU | "
	      "restart | "
	      "in reserve | is given | reads |\n|---|---|---|---|---|---|---|---|---|---|---|\n",
	      out);
	for (size_t i = 0; i < ROLE_COUNT_; i++)
		print_row(out, &table_roles[i]);
}
