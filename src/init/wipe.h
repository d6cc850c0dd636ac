/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wiping the data device (`zeroise`, ADR 609). An order (channel/machine.h) is carried out at a
 * start of the machine, before anything but process 1 runs. It is moved first to where no file
 * system keeps anything, the first WIPE_MARK_BYTES of the device: a start that finds it there goes
 * on, whatever has become of the rest.
 */
#ifndef SEKISHO_INIT_WIPE_H
#define SEKISHO_INIT_WIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define WIPE_MARK_BYTES 1024U /* ext4 begins behind it (Documentation/filesystems/ext4) */

/* Whether there is an order in the directory of the state, damaged or not. A disk that does not let
 * that be told has one: it is read then, and cannot be. */
bool wipe_is_ordered(const char *state);

/**
 * wipe_read_order - read it the whole file
 * @order: empty, with a limit of WIPE_MARK_BYTES
 * Return: 0; -ERR_NOT_FOUND; -ERR_INTEGRITY: not as it was written; -ERR_TOO_LONG, -ERR_NO_MEMORY,
 * -ERR_SYSTEM.
 */
int wipe_read_order(const char *state, struct bytes *order);

/* Put an order at the head of the device, on the disk. Return: 0 or -ERR_SYSTEM. */
int wipe_mark(const char *device, struct span order);

/* Whether an order is at the head of the device, as it was written; appended to @order. */
bool wipe_is_marked(const char *device, struct bytes *order);

/* What was done. */
struct wipe_outcome {
	uint64_t size_bytes;
	uint64_t failed_bytes; /* could not be written (either time), or read back other than zeros;
				  of the pass in which it was most */
	bool discarded;        /* the device was told that it needs to keep nothing */
};

/**
 * wipe_overwrite - all of the device behind the mark: random octets, then zeros that are read back
 * from it; then it is discarded where it can be, and the first megabyte is zeros once more
 * @device: nobody else has it open
 * What cannot be written is passed over and counted. How far it has come is said on the console.
 * Return: 0, and @outcome is filled in, or -ERR_SYSTEM: it cannot be opened, or has no size.
 */
int wipe_overwrite(const char *device, struct wipe_outcome *outcome);

/* The mark is zeros, and on the disk: its beginning last. Return: 0 or -ERR_SYSTEM. */
int wipe_unmark(const char *device);

/* Whether a wipe has ended but for that: of the mark its first sector is left, and zeros follow up
 * to where a blank device is known. */
bool wipe_is_over(const char *device);

/**
 * wipe_run - carry out the order at the head of the device, to the end
 * What was ordered and what was done are said on the console; then the device is blank.
 * Return: 0; -ERR_SYSTEM: not all of it is wiped, which is said, and the mark is left.
 */
int wipe_run(const char *device, struct span order);

#endif
