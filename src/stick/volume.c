/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FatFs and what it stands on: sectors of a descriptor, and the time. */
#include "stick/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "wire/mime/date.h"

#include <ff.h>
#include <diskio.h>

#define SECTOR_BYTES FF_MAX_SS
#define PIECE_BYTES  65536U
#define DAY_S        86400
#define YEAR_FIRST   1980 /* of FAT's times */
#define YEAR_LAST    2107

struct disk {
	int fd;
	uint64_t sector_count;
};

/* FatFs asks for the time without saying for whom. */
static int64_t file_time_s;

DWORD get_fattime(void)
{
	int64_t year = 0, second = file_time_s % DAY_S;
	unsigned month = 1, day = 1;

	if (file_time_s >= 0)
		mime_date_civil(file_time_s / DAY_S, &year, &month, &day);
	if (year < YEAR_FIRST || year > YEAR_LAST)
		return (DWORD)1 << 21 | (DWORD)1 << 16; /* the first that can be said */
	return (DWORD)(year - YEAR_FIRST) << 25 | (DWORD)month << 21 | (DWORD)day << 16 |
	       (DWORD)(second / 3600) << 11 | (DWORD)(second / 60 % 60) << 5 |
	       (DWORD)(second % 60 / 2);
}

static bool lies_on(const struct disk *disk, DWORD sector, UINT count)
{
	return (uint64_t)sector + count <= disk->sector_count;
}

DRESULT disk_read(void *drv, BYTE *buff, DWORD sector, UINT count)
{
	const struct disk *disk = drv;
	size_t size = (size_t)count * SECTOR_BYTES, done = 0;

	if (!lies_on(disk, sector, count))
		return RES_PARERR;
	while (done < size) {
		ssize_t n = pread(disk->fd, buff + done, size - done,
				  (off_t)((uint64_t)sector * SECTOR_BYTES + done));

		if (n == 0 || (n < 0 && errno != EINTR))
			return RES_ERROR;
		done += n > 0 ? (size_t)n : 0;
	}
	return RES_OK;
}

DRESULT disk_write(void *drv, const BYTE *buff, DWORD sector, UINT count)
{
	const struct disk *disk = drv;
	size_t size = (size_t)count * SECTOR_BYTES, done = 0;

	if (!lies_on(disk, sector, count))
		return RES_PARERR;
	while (done < size) {
		ssize_t n = pwrite(disk->fd, buff + done, size - done,
				   (off_t)((uint64_t)sector * SECTOR_BYTES + done));

		if (n == 0 || (n < 0 && errno != EINTR))
			return RES_ERROR;
		done += n > 0 ? (size_t)n : 0;
	}
	return RES_OK;
}

DRESULT disk_ioctl(void *drv, BYTE cmd, void *buff)
{
	const struct disk *disk = drv;
	int flags;

	switch (cmd) {
	case IOCTL_INIT:
	case IOCTL_STATUS:
		flags = fcntl(disk->fd, F_GETFL);
		*(BYTE *)buff = flags >= 0 && (flags & O_ACCMODE) != O_RDONLY ? 0 : STA_PROTECT;
		return RES_OK;
	case CTRL_SYNC:
		return fsync(disk->fd) == 0 ? RES_OK : RES_ERROR;
	default:
		return RES_PARERR;
	}
}

static enum stick_status status_of(FRESULT result)
{
	switch (result) {
	case FR_OK:
		return STICK_DONE;
	case FR_NO_FILE:
	case FR_NO_PATH:
	case FR_INVALID_NAME:
		return STICK_NO_FILE;
	case FR_EXIST:
		return STICK_EXISTS;
	case FR_DENIED:
	case FR_WRITE_PROTECTED:
		return STICK_FULL;
	case FR_NO_FILESYSTEM:
		return STICK_NO_FILE_SYSTEM;
	case FR_INT_ERR:
	case FR_INVALID_OBJECT:
		return STICK_DAMAGED;
	default:
		return STICK_BROKEN;
	}
}

static enum stick_status mount(FATFS *fs, struct disk *disk, int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);

	*disk = (struct disk){.fd = fd};
	if (size < 0)
		return STICK_BROKEN;
	disk->sector_count = (uint64_t)size / SECTOR_BYTES;
	memset(fs, 0, sizeof(*fs));
	fs->drv = disk;
	return status_of(f_mount(fs));
}

/* All of the file from its beginning. @out: -1: it is only hashed. */
static enum stick_status copy(FIL *f, uint8_t digest[SHA256_BYTES], int out)
{
	static uint8_t piece[PIECE_BYTES];
	uint64_t left = f_size(f);
	struct sha256 hash;

	sha256_init(&hash);
	while (left > 0) {
		UINT wanted = left < PIECE_BYTES ? (UINT)left : PIECE_BYTES, got = 0;
		FRESULT result = f_read(f, piece, wanted, &got);

		if (result != FR_OK)
			return status_of(result);
		if (got != wanted)
			return STICK_DAMAGED; /* it is shorter than its own entry says */
		sha256_update(&hash, piece, got);
		if (out >= 0 && file_write_all(out, (struct span){piece, got}) < 0)
			return STICK_BROKEN;
		left -= got;
	}
	sha256_final(&hash, digest);
	return STICK_DONE;
}

enum stick_status volume_read(int disk_fd, struct volume_file *file, uint64_t most_bytes, int out)
{
	struct disk disk;
	FATFS fs;
	FIL f;
	enum stick_status status = mount(&fs, &disk, disk_fd);

	if (status == STICK_DONE)
		status = status_of(f_open(&fs, &f, file->name, FA_READ));
	if (status != STICK_DONE)
		return status;
	file->size_bytes = f_size(&f);
	if (file->size_bytes > most_bytes)
		status = STICK_TOO_LARGE;
	else
		status = copy(&f, file->sha256, out);
	(void)f_close(&f); /* only read */
	return status;
}

/* Return: STICK_DONE: all of it is in the file, and that is closed. */
static enum stick_status fill(FATFS *fs, const char *name, struct span content)
{
	enum stick_status status;
	FRESULT closed;
	FIL f;

	status = status_of(f_open(fs, &f, name, FA_WRITE | FA_CREATE_NEW));
	if (status != STICK_DONE)
		return status;
	while (status == STICK_DONE && content.size > 0) {
		UINT wanted = content.size < PIECE_BYTES ? (UINT)content.size : PIECE_BYTES;
		UINT done = 0;

		status = status_of(f_write(&f, content.data, wanted, &done));
		if (status == STICK_DONE && done != wanted)
			status = STICK_FULL;
		content = (struct span){content.data + done, content.size - done};
	}
	closed = f_close(&f);
	if (status == STICK_FULL)
		(void)f_unlink(fs, name); /* where that fails, part of it stays */
	return status == STICK_DONE ? status_of(closed) : status;
}

/* What the stick has, not what the kernel still knows of it. */
static enum stick_status read_back(int disk_fd, const struct volume_file *file)
{
	struct volume_file found = {.name = file->name};
	enum stick_status status;

	if (fsync(disk_fd) < 0)
		return STICK_BROKEN;
	/* Where the kernel keeps some of it, that much is read from memory. */
	(void)posix_fadvise(disk_fd, 0, 0, POSIX_FADV_DONTNEED);
	status = volume_read(disk_fd, &found, file->size_bytes, -1);
	if (status == STICK_DONE && (found.size_bytes != file->size_bytes ||
				     memcmp(found.sha256, file->sha256, SHA256_BYTES) != 0))
		status = STICK_BROKEN;
	return status == STICK_TOO_LARGE || status == STICK_NO_FILE ? STICK_BROKEN : status;
}

enum stick_status volume_write(int disk_fd, const struct volume_file *file, struct span content,
			       int64_t local_s)
{
	enum stick_status status;
	struct disk disk;
	DWORD free_count;
	FATFS fs;

	file_time_s = local_s;
	status = mount(&fs, &disk, disk_fd);
	/* Counted, so that what FAT32 keeps of it is right afterwards. */
	if (status == STICK_DONE)
		status = status_of(f_getfree(&fs, &free_count));
	if (status == STICK_DONE)
		status = fill(&fs, file->name, content);
	return status == STICK_DONE ? read_back(disk_fd, file) : status;
}
