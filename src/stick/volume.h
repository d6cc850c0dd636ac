/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file system of a memory stick: FAT12, FAT16, FAT32 and exFAT by FatFs, on the whole stick or
 * in the first of its MBR's partitions that has one. Files of the top directory only. Nothing is
 * kept between two calls; whatever a stick holds, a call reads and writes inside of it and ends.
 */
#ifndef SEKISHO_STICK_VOLUME_H
#define SEKISHO_STICK_VOLUME_H

#include "base/buf.h"
#include "base/sha256.h"
#include "channel/usb.h"

struct volume_file {
	const char *name; /* as usb_name_is_sound demands */
	uint64_t size_bytes;
	uint8_t sha256[SHA256_BYTES];
};

/**
 * volume_read - copy a file out of the stick
 * @disk:  descriptor of the whole stick (or an image of one), to read; borrowed
 * @file:  its name; the rest is set
 * @most_bytes: a longer file is refused before a byte of it is read
 * @out:   descriptor that takes the content, from its position on; borrowed
 * Return: STICK_DONE; STICK_NO_FILE_SYSTEM; STICK_NO_FILE; STICK_TOO_LARGE; STICK_DAMAGED;
 * STICK_BROKEN. Unless it is done, @out holds nothing that counts.
 */
enum stick_status volume_read(int disk, struct volume_file *file, uint64_t most_bytes, int out);

/**
 * volume_write - write a new file, bring it onto the stick, and read it back
 * @disk:    descriptor of the whole stick, to read and to write (to read only: STICK_FULL);
 *	borrowed
 * @file:    its name and the content's hash
 * @content: at most USB_SAVE_BYTES_MAX bytes
 * @local_s: the time that the file gets: seconds since 1970, local
 * Return: STICK_DONE: what can be read from it has the hash; STICK_NO_FILE_SYSTEM; STICK_EXISTS: a
 * file or directory has the name, and is untouched; STICK_FULL: nothing stays of it; STICK_DAMAGED;
 * STICK_BROKEN: part of it may be there.
 */
enum stick_status volume_write(int disk, const struct volume_file *file, struct span content,
			       int64_t local_s);

#endif
