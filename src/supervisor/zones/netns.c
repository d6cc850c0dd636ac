/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network namespaces, named as `ip netns` names them. */
#include "supervisor/zones/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#define PATH_BYTES 128

static int path_of(char path[PATH_BYTES], const char *name)
{
	int length = snprintf(path, PATH_BYTES, NETNS_DIRECTORY "/%s", name);

	return length < 0 || length >= PATH_BYTES ? -ERR_TOO_LONG : 0;
}

int netns_current(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -ERR_SYSTEM : fd;
}

int netns_enter(int netns_fd)
{
	return setns(netns_fd, CLONE_NEWNET) < 0 ? -ERR_SYSTEM : 0;
}

void netns_leave(int home_fd)
{
	if (setns(home_fd, CLONE_NEWNET) < 0)
		abort();
}

/*
 * As `ip netns` does: the directory is a shared mount, so that other mount namespaces see what is
 * named here.
 */
static int prepare_directory(void)
{
	if (mkdir(NETNS_DIRECTORY, 0755) < 0 && errno != EEXIST)
		return -ERR_SYSTEM;
	if (mount("", NETNS_DIRECTORY, "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL)
		return -ERR_SYSTEM;
	if (mount(NETNS_DIRECTORY, NETNS_DIRECTORY, "none", MS_BIND | MS_REC, NULL) < 0)
		return -ERR_SYSTEM;
	return mount("", NETNS_DIRECTORY, "none", MS_SHARED | MS_REC, NULL) < 0 ? -ERR_SYSTEM : 0;
}

/* Make the file that the namespace is mounted on. */
static int make_name(const char *path)
{
	int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);

	if (fd < 0)
		return errno == EEXIST ? -ERR_EXISTS : -ERR_SYSTEM;
	(void)close(fd); /* empty: nothing to lose */
	return 0;
}

/* In the new namespace: its descriptor, and its name where it gets one. */
static int hold_namespace(const char *path)
{
	int fd = netns_current();

	if (fd < 0 || !path)
		return fd;
	if (mount("/proc/self/ns/net", path, "none", MS_BIND, NULL) < 0) {
		(void)close(fd);
		return -ERR_SYSTEM;
	}
	return fd;
}

int netns_make(const char *name)
{
	char path[PATH_BYTES];
	int home_fd, fd = 0;

	if (name) {
		fd = path_of(path, name);
		if (fd == 0)
			fd = prepare_directory();
		if (fd == 0)
			fd = make_name(path);
	}
	if (fd < 0)
		return fd;
	home_fd = netns_current();
	fd = home_fd < 0 || unshare(CLONE_NEWNET) < 0 ? -ERR_SYSTEM : 0;
	if (fd == 0) {
		fd = hold_namespace(name ? path : NULL);
		netns_leave(home_fd);
	}
	if (home_fd >= 0)
		(void)close(home_fd);
	if (fd < 0 && name)
		(void)unlink(path); /* the first error is the one to report */
	return fd;
}

int netns_open(const char *name)
{
	char path[PATH_BYTES];
	int fd = path_of(path, name);

	if (fd < 0)
		return fd;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -ERR_SYSTEM : fd;
}

int netns_unname(const char *name)
{
	char path[PATH_BYTES];
	int err = path_of(path, name);

	if (err < 0)
		return err;
	if (umount2(path, MNT_DETACH) < 0 && errno != EINVAL)
		return -ERR_SYSTEM;
	return unlink(path) < 0 ? -ERR_SYSTEM : 0;
}

/* Return: a descriptor, -ERR_TOO_LONG, -ERR_NOT_FOUND or -ERR_SYSTEM. */
static int open_sysctl(const char *name, int flags)
{
	char path[PATH_BYTES];
	int fd;

	if (snprintf(path, sizeof(path), "/proc/sys/%s", name) >= (int)sizeof(path))
		return -ERR_TOO_LONG;
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ERR_NOT_FOUND : -ERR_SYSTEM;
	return fd;
}

int netns_sysctl(const char *name, const char *value)
{
	ssize_t length = (ssize_t)strlen(value), written;
	int fd = open_sysctl(name, O_WRONLY);

	if (fd < 0)
		return fd;
	written = write(fd, value, (size_t)length);
	(void)close(fd); /* a sysctl has taken effect, or not, when write returns */
	return written == length ? 0 : -ERR_SYSTEM;
}

int netns_sysctl_read(const char *name, char *value, size_t value_bytes)
{
	ssize_t length;
	int fd = open_sysctl(name, O_RDONLY);

	if (fd < 0)
		return fd;
	length = read(fd, value, value_bytes - 1);
	(void)close(fd);
	if (length < 0)
		return -ERR_SYSTEM;
	value[length] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return 0;
}

int netns_sysctl_number(const char *name, uint64_t *out)
{
	char text[24];
	char *end;
	int err = netns_sysctl_read(name, text, sizeof(text));

	if (err < 0)
		return err;
	*out = strtoull(text, &end, 10);
	return end != text && *end == '\0' ? 0 : -ERR_SYNTAX;
}

int netns_each(const char *prefix, int (*each)(const char *name, void *ctx), void *ctx)
{
	DIR *dir = opendir(NETNS_DIRECTORY);
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -ERR_SYSTEM;
	while (err == 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.' && strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
			err = each(entry->d_name, ctx);
	}
	(void)closedir(dir);
	return err;
}
