/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory stick at the console: what a console asks of the supervisor, and what the supervisor has
 * a stick process do. Whoever gets data holds its hash against the one that came with it: what the
 * log says of it is what was used.
 */
#ifndef SEKISHO_CHANNEL_USB_H
#define SEKISHO_CHANNEL_USB_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define USB_NAME_BYTES     64          /* of a file, with NUL */
#define USB_LOAD_BYTES_MAX (4U << 20)  /* no configuration is longer */
#define USB_SAVE_BYTES_MAX (64U << 20) /* as much as a console shows */
#define USB_HUBS_MAX       16          /* of the controllers' own */

enum usb_kind { USB_SAVE = 1, USB_LOAD = 2 };

/* console -> S; USB_SAVE: with a sealed memfd. Answer: CONTROL_USB_DONE. */
struct control_usb {
	uint32_t number;           /* the asker's, comes back */
	uint32_t kind;             /* enum usb_kind */
	char name[USB_NAME_BYTES]; /* of the file in the stick's top directory, NUL-terminated */
	uint64_t size_bytes;       /* USB_SAVE: of the memfd */
	uint8_t sha256[32];        /* USB_SAVE: of the memfd */
};

/* S -> console; USB_LOAD that went well: with a sealed memfd. */
struct control_usb_done {
	uint32_t number;
	uint32_t ok;
	uint64_t size_bytes;
	uint8_t sha256[32];
	char reason[120]; /* why not: fixed text, NUL-terminated */
};

/* What a stick process does; each does one thing and ends. */
enum stick_task {
	STICK_ADMIT = 1, /* given descriptors and switch: authorize mass storage, nothing else */
	STICK_SWITCH,    /* given switches: write @value into each */
	STICK_READ,      /* has the disk, given memory: the file into it */
	STICK_WRITE,     /* has the disk, given sealed memory: a new file of it */
	STICK_TASK_COUNT_
};

/* S -> stick */
struct control_stick {
	uint32_t task;            /* enum stick_task */
	uint32_t value;           /* STICK_SWITCH: 0 or 1 */
	uint16_t vendor, product; /* STICK_ADMIT: what was recorded of the device */
	uint32_t pad;
	char name[USB_NAME_BYTES]; /* STICK_READ, STICK_WRITE */
	uint64_t size_bytes;       /* STICK_WRITE */
	uint8_t sha256[32];        /* STICK_WRITE: what the memory must have */
};

enum stick_status {
	STICK_DONE = 1,
	STICK_NOT_STORAGE,    /* another device, or one that is more than that */
	STICK_EXCHANGED,      /* not the device that was recorded */
	STICK_NOT_SWITCHED,   /* the kernel refused */
	STICK_NO_FILE_SYSTEM, /* neither FAT nor exFAT */
	STICK_NO_FILE,
	STICK_EXISTS, /* a file of this name is there, and stays */
	STICK_TOO_LARGE,
	STICK_FULL,
	STICK_BROKEN,  /* reading or writing failed: it was pulled, or is worn out */
	STICK_DAMAGED, /* its file system contradicts itself */
	STICK_CHANGED, /* the data is not what its hash says */
	STICK_STATUS_COUNT_
};

/* stick -> S */
struct control_stick_done {
	uint32_t status; /* enum stick_status */
	uint32_t pad;
	uint64_t size_bytes; /* STICK_READ */
	uint8_t sha256[32];  /* STICK_READ */
};

/*
 * Whether a name may be a file's: 1 to 63 letters, digits, '.', '-' and '_', beginning with a
 * letter or digit, without ".." and not ending in '.'. No directories, nothing that another system
 * reads as something else.
 */
static inline bool usb_name_is_sound(const char name[USB_NAME_BYTES])
{
	size_t size = strnlen(name, USB_NAME_BYTES);

	return size > 0 && size < USB_NAME_BYTES &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
		       size &&
	       strchr(".-_", name[0]) == NULL && name[size - 1] != '.' &&
	       strstr(name, "..") == NULL;
}

#endif
