/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel says of the device that a directory is on. */
#ifndef SEKISHO_SUPERVISOR_ZEROISE_DEVICE_H
#define SEKISHO_SUPERVISOR_ZEROISE_DEVICE_H

#include <stdint.h>

struct data_device {
	char name[32];   /* "vdb" */
	char serial[48]; /* as the device says it, printable; empty: it says none */
	uint64_t size_bytes;
};

/**
 * data_device_look - of the block device below a directory
 * @directory: borrowed
 * Return: 0; -ERR_NOT_FOUND: it is on none (memory).
 */
int data_device_look(int directory, struct data_device *out);

#endif
