/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of captures. */
#include "supervisor/captures.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#define SUFFIX     ".pcapng"
#define FILE_BYTES (CAPTURE_NAME_BYTES + sizeof(SUFFIX))

int captures_open(int state_fd)
{
	int fd;

	if (mkdirat(state_fd, "captures", 0700) < 0 && errno != EEXIST)
		return -ERR_SYSTEM;
	fd = openat(state_fd, "captures", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -ERR_SYSTEM : fd;
}

/* The file of a name that ends at a blank or a zero; false: it is none. */
static bool file_of(char out[FILE_BYTES], const char *name)
{
	size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-_");

	if (size == 0 || size >= CAPTURE_NAME_BYTES || (name[size] != ' ' && name[size] != '\0'))
		return false;
	(void)snprintf(out, FILE_BYTES, "%.*s" SUFFIX, (int)size, name);
	return true;
}

/* Call @each for every file. Return: how many there are, or -ERR_SYSTEM. */
static int each_file(int captures_fd,
		     void (*each)(struct answer *answer, const char *name, const struct stat *stat),
		     struct answer *answer)
{
	int fd = openat(captures_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat stat;

	if (!dir) {
		if (fd >= 0)
			(void)close(fd); /* nothing was read */
		return -ERR_SYSTEM;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' ||
		    fstatat(captures_fd, entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		count++;
		if (each)
			each(answer, entry->d_name, &stat);
	}
	(void)closedir(dir);
	return count;
}

/* An empty file is one of a capture that did not begin: its name is free. */
static int make_file(int captures_fd, const char *file, const char **why)
{
	struct stat stat;
	bool there = fstatat(captures_fd, file, &stat, AT_SYMLINK_NOFOLLOW) == 0;
	int fd;

	*why = "the disk refuses the file";
	if (there && stat.st_size > 0) {
		*why = "a capture of this name is kept; see show captures";
		return -ERR_EXISTS;
	}
	if (!there && each_file(captures_fd, NULL, NULL) >= CAPTURES_MAX) {
		*why = "16 captures are kept; remove one by clear capture";
		return -ERR_EXISTS;
	}
	fd = openat(captures_fd, file, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -ERR_SYSTEM : fd;
}

static void give_file(struct supervisor *sup, int fd)
{
	struct child *netfilter = child_find(sup, ROLE_NETFILTER, 0);

	if (child_is_alive(netfilter))
		child_give(netfilter, &(struct control_give){.kind = GIVE_CAPTURE_FILE}, fd);
	(void)close(fd); /* netfilter has its own copy */
}

void answer_capture(struct supervisor *sup, struct answer *answer)
{
	const char *name = strstr(answer->query->argument, " file "), *why;
	char file[FILE_BYTES];
	int fd;

	if (!name)
		return; /* it goes to the console */
	if (!file_of(file, name + strlen(" file "))) {
		answer_error(answer, "a name has letters, digits, - and _, at most 31");
		return;
	}
	fd = make_file(sup->captures_fd, file, &why);
	if (fd < 0)
		answer_error(answer, why);
	else
		give_file(sup, fd);
}

static void show_file(struct answer *answer, const char *name, const struct stat *stat)
{
	const char *suffix = strstr(name, SUFFIX);

	answer_cell(answer, "%.*s", suffix ? (int)(suffix - name) : (int)strlen(name), name);
	answer_cell(answer, "%lld", (long long)stat->st_size);
	answer_send(answer, 0);
}

void answer_captures(struct supervisor *sup, struct answer *answer)
{
	static const char *const headings[] = {"name", "bytes"};

	answer_heading(answer, headings, sizeof(headings) / sizeof(headings[0]));
	if (each_file(sup->captures_fd, show_file, answer) < 0)
		answer_error(answer, "the state directory cannot be read");
	else
		answer_send(answer, CONTROL_ROW_LAST);
}

static void record(struct supervisor *sup, enum event_id event, const struct answer *answer)
{
	supervisor_event(sup, event, EV_PERSON(USER, answer->query->person, answer->query->console),
			 EV_TEXT(NAME, answer->query->argument));
}

void answer_save_capture(struct supervisor *sup, struct answer *answer)
{
	char file[FILE_BYTES];
	int fd = -1;

	if (file_of(file, answer->query->argument))
		fd = openat(sup->captures_fd, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		answer_error(answer, "no capture has this name; see show captures");
		return;
	}
	record(sup, EVENT_CAPTURE_PRINTED, answer);
	give_file(sup, fd);
}

void answer_clear_capture(struct supervisor *sup, struct answer *answer)
{
	char file[FILE_BYTES];

	if (!file_of(file, answer->query->argument) || unlinkat(sup->captures_fd, file, 0) < 0) {
		answer_error(answer, "no capture has this name; see show captures");
		return;
	}
	record(sup, EVENT_CAPTURE_REMOVED, answer);
	answer_cell(answer, "%s", answer->query->argument);
	answer_cell(answer, "removed");
	answer_send(answer, CONTROL_ROW_LAST);
}
