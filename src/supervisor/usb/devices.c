/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories and small numbers of sysfs. */
#include "supervisor/usb/devices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/err.h"

#define NUMBER_BYTES 32
#define DIGITS       "0123456789"

/* "1-1": controller and port. What is behind a hub has dots, an interface a colon. */
static bool is_device(const char *name)
{
	size_t bus = strspn(name, DIGITS);
	size_t port = name[bus] == '-' ? strspn(name + bus + 1, DIGITS) : 0;

	return bus > 0 && port > 0 && name[bus + 1 + port] == '\0' &&
	       strlen(name) < USB_DEVICE_BYTES;
}

static bool is_hub(const char *name)
{
	return strncmp(name, "usb", 3) == 0 && name[3] != '\0' &&
	       name[3 + strspn(name + 3, DIGITS)] == '\0' && strlen(name) < USB_HUB_NAME_BYTES;
}

int usb_devices_open(const char *place, const char *device, const char *attribute, int flags)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s/%s", place, device, attribute) >= (int)sizeof(path))
		return -ERR_SYSTEM;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -ERR_SYSTEM : fd;
}

/* A line of a file below @dir, without its end. Return: 0 or -ERR_SYSTEM. */
static int read_line(int dir, const char *name, char *out, size_t out_bytes)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, out_bytes - 1);

	if (fd >= 0)
		(void)close(fd); /* only read */
	if (n < 0)
		return -ERR_SYSTEM;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return 0;
}

/* Exactly @digits hexadecimal digits. */
static int read_hex(int dir, const char *name, char *out, size_t digits)
{
	char line[NUMBER_BYTES];

	if (read_line(dir, name, line, sizeof(line)) < 0 || strlen(line) != digits ||
	    strspn(line, DIGITS "abcdef") != digits)
		return -ERR_SYSTEM;
	memcpy(out, line, digits + 1);
	return 0;
}

/* Return: whether it is still there, and says what it is. */
static bool look_at(int dir, const char *name, struct usb_device *out)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool whole;

	if (fd < 0)
		return false;
	(void)snprintf(out->name, sizeof(out->name), "%.15s", name); /* is_device has measured it */
	whole = read_hex(fd, "idVendor", out->vendor, 4) == 0 &&
		read_hex(fd, "idProduct", out->product, 4) == 0 &&
		read_hex(fd, "bDeviceClass", out->class, 2) == 0;
	(void)close(fd); /* only read */
	return whole;
}

/* A hub in a port hides what is plugged into it: it is listed like anything else. */
int usb_devices_list(const char *place, struct usb_device *out, size_t most)
{
	DIR *dir = opendir(place);
	struct dirent *entry;
	size_t count = 0;

	if (!dir)
		return -ERR_SYSTEM;
	while (count < most && (entry = readdir(dir)) != NULL) {
		if (is_device(entry->d_name) && look_at(dirfd(dir), entry->d_name, &out[count]))
			count++;
	}
	(void)closedir(dir); /* only read */
	return (int)count;
}

int usb_devices_hubs(const char *place, char out[][USB_HUB_NAME_BYTES], size_t most)
{
	DIR *dir = opendir(place);
	struct dirent *entry;
	size_t count = 0;

	if (!dir)
		return -ERR_SYSTEM;
	while (count < most && (entry = readdir(dir)) != NULL) {
		if (is_hub(entry->d_name))
			(void)snprintf(out[count++], USB_HUB_NAME_BYTES, "%.15s", entry->d_name);
	}
	(void)closedir(dir); /* only read */
	return (int)count;
}

int usb_devices_state(const char *place, const char *name)
{
	char line[NUMBER_BYTES] = "";
	int fd = usb_devices_open(place, name, "authorized", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);

	if (fd >= 0)
		(void)close(fd); /* only read */
	if (n < 1 || (line[0] != '0' && line[0] != '1'))
		return -ERR_SYSTEM;
	return line[0] - '0';
}

/* '#': any digit. */
static bool begins(const char *name, const char *beginning)
{
	return beginning[0] == '#' ? strchr(DIGITS, name[0]) != NULL && name[0] != '\0'
				   : strncmp(name, beginning, strlen(beginning)) == 0;
}

/*
 * Into the one directory below @dir whose name begins so. @dir is closed. @name: what it is called.
 * Return: a descriptor; -ERR_NOT_FOUND; -ERR_UNSUPPORTED: there are several.
 */
static int descend(int dir, const char *beginning, char name[NUMBER_BYTES])
{
	DIR *entries = fdopendir(dir);
	struct dirent *entry;
	int found = -ERR_NOT_FOUND;

	if (!entries) {
		(void)close(dir); /* nothing was read */
		return -ERR_NOT_FOUND;
	}
	while ((entry = readdir(entries)) != NULL) {
		if (!begins(entry->d_name, beginning) || strlen(entry->d_name) >= NUMBER_BYTES)
			continue;
		if (found >= 0) {
			(void)close(found); /* only looked at */
			found = -ERR_UNSUPPORTED;
			break;
		}
		(void)snprintf(name, NUMBER_BYTES, "%.31s", entry->d_name);
		found = openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (found < 0)
			found = -ERR_NOT_FOUND; /* a link, or just going away */
	}
	(void)closedir(entries); /* only read; @dir with it */
	return found;
}

/* Of the directory of a disk. @name: sda. */
static int take_disk(int dir, const char *name, struct spawn_disk *disk)
{
	char line[NUMBER_BYTES], *end;
	unsigned long major_number;

	if (read_line(dir, "size", line, sizeof(line)) < 0 || strtoull(line, NULL, 10) == 0 ||
	    read_line(dir, "dev", line, sizeof(line)) < 0)
		return -ERR_NOT_FOUND;
	major_number = strtoul(line, &end, 10);
	if (*end != ':' ||
	    snprintf(disk->path, sizeof(disk->path), "/dev/%s", name) >= (int)sizeof(disk->path))
		return -ERR_NOT_FOUND;
	disk->number = makedev(major_number, strtoul(end + 1, NULL, 10));
	return 0;
}

int usb_devices_disk(const char *place, const char *device, struct spawn_disk *disk)
{
	/* 1-1, 1-1:1.0, host0, target0:0:0, 0:0:0:0, block, sda: one of each. */
	char interface[USB_DEVICE_BYTES + 1], name[NUMBER_BYTES] = "";
	const char *const steps[] = {interface, "host", "target", "#", "block", "sd"};
	int fd = usb_devices_open(place, device, "", O_RDONLY | O_DIRECTORY), err;

	(void)snprintf(interface, sizeof(interface), "%s:", device); /* is_device has measured it */
	for (size_t i = 0; fd >= 0 && i < sizeof(steps) / sizeof(steps[0]); i++)
		fd = descend(fd, steps[i], name);
	if (fd < 0)
		return fd == -ERR_UNSUPPORTED ? fd : -ERR_NOT_FOUND;
	err = take_disk(fd, name, disk);
	(void)close(fd); /* only read */
	return err;
}
