/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data device as /sys/dev/block shows it (Linux Documentation/ABI/stable/sysfs-block). */
#include "supervisor/zeroise/device.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/utf8.h"

#define SECTOR_BYTES    512U /* of /sys, whatever the device has */
#define ATTRIBUTE_BYTES 256U

/* The first line of an attribute, empty where there is none. */
static void read_attribute(int directory, const char *name, char *out, size_t out_bytes)
{
	struct bytes text;

	out[0] = '\0';
	bytes_init(&text, ATTRIBUTE_BYTES);
	if (file_read(directory, name, &text) == 0) {
		struct span line = bytes_span(&text);
		const uint8_t *end = memchr(line.data, '\n', line.size);

		if (end != NULL)
			line.size = (size_t)(end - line.data);
		utf8_one_line(out, out_bytes, line);
	}
	bytes_fini(&text);
}

static void take_name(struct data_device *out, const char *link)
{
	char target[PATH_MAX];
	ssize_t size = readlink(link, target, sizeof(target) - 1);

	target[size > 0 ? size : 0] = '\0';
	(void)snprintf(out->name, sizeof(out->name), "%s", basename(target)); /* names are short */
}

int data_device_look(int directory, struct data_device *out)
{
	/* virtio and NVMe, SCSI and MMC; then of the disk that a partition is on */
	static const char *const serials[] = {"serial", "device/serial", "../serial",
					      "../device/serial"};
	char link[64], sectors[32];
	struct stat status;
	int fd;

	*out = (struct data_device){0};
	if (fstat(directory, &status) < 0)
		return -ERR_NOT_FOUND;
	(void)snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(status.st_dev),
		       minor(status.st_dev));
	fd = open(link, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -ERR_NOT_FOUND;
	take_name(out, link);
	read_attribute(fd, "size", sectors, sizeof(sectors));
	out->size_bytes = strtoull(sectors, NULL, 10) * SECTOR_BYTES;
	for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]) && out->serial[0] == '\0'; i++)
		read_attribute(fd, serials[i], out->serial, sizeof(out->serial));
	(void)close(fd); /* only read */
	return out->size_bytes > 0 ? 0 : -ERR_NOT_FOUND;
}
