/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of process 1; each says on the console what went wrong. */
#ifndef SEKISHO_INIT_INIT_H
#define SEKISHO_INIT_INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CONFIG_DIRECTORY "/etc/sekisho"
#define DATA_LABEL       "sekisho-data"
#define STATE_DIRECTORY  "/data/sekisho"
#define DATA_NONE        "none" /* in place of a device: a board that keeps nothing */
#define DISK_HEAD_BYTES  2048U  /* what disk_judge wants: up to the end of ext4's superblock */
#define PORT_NAME_BYTES  16U    /* IFNAMSIZ */

/* One line on the console. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The first word of a file of CONFIG_DIRECTORY. Return: 0, -ERR_SYSTEM, -ERR_TOO_LONG. */
int read_word(const char *name, char *word, size_t word_bytes);

/* settings.c: give the kernel each line "NAME = VALUE" of a sysctl.conf. */
void settings_apply(const char *path);
/**
 * settings_split - one line of sysctl.conf, changed in place
 * @line: NUL-terminated, without its line end
 * @name: set to the path below /proc/sys (dots have become slashes)
 * @value: set to the value; both are views into @line
 * Return: 0, -ERR_NOT_FOUND (empty or a comment), -ERR_SYNTAX
 */
int settings_split(char *line, char **name, char **value);

/*
 * ports.c: names of ports follow the slot (CONFIG_DIRECTORY/ports), not the order in which drivers
 * found them.
 */
void ports_name_all(void);
/**
 * ports_name_of - the name that a table gives to a device
 * @table: lines "SLOT NAME"; others, and those that begin with '#', are passed over
 * @path: of the device in /sys, with its slot as one of the components
 * @name: filled; empty where no slot of the table is in @path
 */
void ports_name_of(const char *table, const char *path, char name[PORT_NAME_BYTES]);

enum disk {
	DISK_BLANK,   /* @head is all zeros: look further */
	DISK_FOREIGN, /* ext4 that is not ours: never touched */
	DISK_SOUND,   /* ours: at most its journal waits to be replayed, which the kernel does */
	DISK_CHECK    /* ours with an error on record, or unreadable: e2fsck decides */
};
/* disk.c: what the first DISK_HEAD_BYTES of a data device say. */
enum disk disk_judge(const uint8_t head[DISK_HEAD_BYTES]);

/*
 * data.c: mount the data partition at /data: a blank device is formatted, a foreign one is left
 * alone; one that an order is on is wiped first (wipe.h). Where there is none that can be used
 * /data is in memory, and the console says so.
 * Return: false where a disk that the board has is lost: with it are gone the accounts, so that
 * nobody must be let in.
 */
bool data_mount(const char *device);

/*
 * What end_system leaves on the data partition of a start that it asks for itself, and what the
 * next start makes of it. Return: false where the machine was started by itself, or that cannot be
 * told: a start by hand is one behind which nothing of the kind is left.
 */
#define RESTART_MARK STATE_DIRECTORY "/restarting"
bool start_was_by_hand(const char *mark);

/*
 * keeper.c: keeps the supervisor alive, and reaps what has lost its parent. Signals are taken with
 * sigtimedwait: all are blocked from the start.
 */
struct keeper {
	pid_t pid;           /* of the supervisor; 0: none */
	uint64_t started_ms; /* monotonic */
	char console[64];    /* path of the terminal that it offers its console on; empty: none */
	const char *how;     /* the machine was started, for the first supervisor; NULL: told */
};
/* Return: the signal that asks for the end of the system, when one has come, or the supervisor has
 * ended with a status of channel/machine.h. */
int keeper_run(struct keeper *keeper);
/* Ask the supervisor to end, wait for it for up to @wait_ms, then kill it. */
void keeper_stop(struct keeper *keeper, unsigned int wait_ms);
/* Take SIGCHLD or another signal, at most until @until_ms. Return: its number, 0: time is over. */
int keeper_wait_signal(uint64_t until_ms);

/*
 * end.c: what is left after the supervisor: the data partition is left clean, then the machine
 * halts (SIGUSR1), is switched off (SIGUSR2) or starts anew (any other @signo).
 */
void __attribute__((noreturn)) end_system(int signo);

#endif
