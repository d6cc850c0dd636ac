/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives network devices the names that the board's table of slots has for them; none is set up. */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "init/init.h"

#define DEVICES     "/sys/class/net"
#define PORTS_MAX   64U
#define TABLE_BYTES 4096U

static_assert(PORT_NAME_BYTES == IFNAMSIZ, "the kernel's limit");

struct renaming {
	char aside[PORT_NAME_BYTES], name[PORT_NAME_BYTES];
};

void ports_name_of(const char *table, const char *path, char name[PORT_NAME_BYTES])
{
	name[0] = '\0';
	for (const char *line = table; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		char slot[32], component[sizeof(slot) + 2], found[PORT_NAME_BYTES];

		if (*line == '#' || sscanf(line, "%31s %15s", slot, found) != 2)
			continue;
		(void)snprintf(component, sizeof(component), "/%s/", slot);
		if (strstr(path, component))
			memcpy(name, found, PORT_NAME_BYTES);
	}
}

static bool read_table(char table[TABLE_BYTES])
{
	int fd = open(CONFIG_DIRECTORY "/ports", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, table, TABLE_BYTES - 1);

	if (fd >= 0)
		(void)close(fd); /* only read */
	table[got < 0 ? 0 : got] = '\0';
	return got >= 0;
}

static void rename_device(int socket_fd, const char *from, const char *to)
{
	struct ifreq request = {0};

	(void)stpncpy(request.ifr_name, from, IFNAMSIZ - 1);
	(void)stpncpy(request.ifr_newname, to, IFNAMSIZ - 1);
	if (ioctl(socket_fd, SIOCSIFNAME, &request) < 0)
		say("ports: %s cannot become %s: %s", from, to, strerror(errno));
}

/* A card's device leads to its slot; others (loopback) have no hardware behind them. */
static bool path_of(const char *device, char path[PATH_MAX])
{
	char link[PATH_MAX];
	ssize_t length;

	(void)snprintf(link, sizeof(link), DEVICES "/%s/device", device);
	if (access(link, F_OK) < 0)
		return false;
	(void)snprintf(link, sizeof(link), DEVICES "/%s", device);
	length = readlink(link, path, PATH_MAX - 1);
	if (length < 0)
		return false;
	path[length] = '\0';
	return true;
}

/* Those that have another name are all set aside first, so that two can be swapped. */
static size_t set_aside(int socket_fd, DIR *devices, const char *table,
			struct renaming renamings[PORTS_MAX])
{
	const struct dirent *entry;
	size_t count = 0;

	while (count < PORTS_MAX && (entry = readdir(devices))) {
		struct renaming *r = &renamings[count];
		char path[PATH_MAX];

		if (entry->d_name[0] == '.' || !path_of(entry->d_name, path))
			continue;
		ports_name_of(table, path, r->name);
		if (strcmp(r->name, entry->d_name) == 0)
			continue;
		(void)snprintf(r->aside, sizeof(r->aside), "p-%.13s", entry->d_name);
		rename_device(socket_fd, entry->d_name, r->aside);
		count++;
	}
	return count;
}

void ports_name_all(void)
{
	static struct renaming renamings[PORTS_MAX];
	static char table[TABLE_BYTES];
	DIR *devices = opendir(DEVICES);
	int socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!devices || socket_fd < 0 || !read_table(table)) {
		say("ports: keep the names that drivers gave them: %s", strerror(errno));
	} else {
		size_t count = set_aside(socket_fd, devices, table, renamings);

		for (size_t i = 0; i < count; i++)
			if (renamings[i].name[0])
				rename_device(socket_fd, renamings[i].aside, renamings[i].name);
	}
	if (devices)
		(void)closedir(devices); /* only read */
	if (socket_fd >= 0)
		(void)close(socket_fd); /* carried no data */
}
