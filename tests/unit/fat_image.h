/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A FAT16 file system in memory, empty, made by hand: what mkfs.fat writes in as many bytes. */
#ifndef SEKISHO_TESTS_FAT_IMAGE_H
#define SEKISHO_TESTS_FAT_IMAGE_H

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	FAT_SECTOR_BYTES = 512,
	FAT_CLUSTERS = 5000, /* of one sector each: more than 4084 make it FAT16 */
	FAT_TABLE_SECTORS = 20,
	FAT_ROOT_ENTRIES = 32,
	FAT_TABLE_AT = FAT_SECTOR_BYTES,
	FAT_ROOT_AT = FAT_TABLE_AT + FAT_TABLE_SECTORS * FAT_SECTOR_BYTES,
	FAT_DATA_AT = FAT_ROOT_AT + FAT_ROOT_ENTRIES * 32,
	FAT_SECTORS = FAT_DATA_AT / FAT_SECTOR_BYTES + FAT_CLUSTERS
};

/* Return: a memfd, or -1. */
static inline int fat_image_make(void)
{
	static const uint8_t boot[] = {0xeb,
				       0x3c,
				       0x90,
				       'S',
				       'E',
				       'K',
				       'I',
				       'S',
				       'H',
				       'O',
				       ' ',
				       0,
				       2, /* bytes a sector */
				       1, /* sectors a cluster */
				       1,
				       0, /* sectors before the table */
				       1, /* tables */
				       FAT_ROOT_ENTRIES,
				       0,
				       FAT_SECTORS & 0xff,
				       FAT_SECTORS >> 8,
				       0xf8, /* a fixed disk */
				       FAT_TABLE_SECTORS,
				       0};
	static const uint8_t signature[] = {0x55, 0xaa}, table[] = {0xf8, 0xff, 0xff, 0xff};
	int fd = memfd_create("fat", MFD_CLOEXEC);

	if (fd >= 0 && (ftruncate(fd, (off_t)FAT_SECTORS * FAT_SECTOR_BYTES) < 0 ||
			pwrite(fd, boot, sizeof(boot), 0) != sizeof(boot) ||
			pwrite(fd, "FAT16   ", 8, 54) != 8 ||
			pwrite(fd, signature, sizeof(signature), 510) != sizeof(signature) ||
			pwrite(fd, table, sizeof(table), FAT_TABLE_AT) != sizeof(table))) {
		close(fd);
		return -1;
	}
	return fd;
}

#endif
