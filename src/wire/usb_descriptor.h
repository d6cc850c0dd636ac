/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a USB device says that it is (USB 2.0, 9.6), as the kernel hands it out. Pure. */
#ifndef SEKISHO_WIRE_USB_DESCRIPTOR_H
#define SEKISHO_WIRE_USB_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define USB_DESCRIPTOR_BYTES_MAX 1024U /* of one device: storage needs less than a tenth */

/**
 * usb_is_storage - whether a device is a memory stick and nothing else
 * @descriptors: the device descriptor (18 bytes), then its configurations with all that belongs to
 *	them, as sysfs gives them; borrowed
 * Return: 0: it has one configuration with one interface, number 0, whose every setting is mass
 * storage of transparent SCSI commands (class 8, subclass 6), the first of them bulk-only (protocol
 * 0x50), and nothing in between but endpoints and what USB 3 says of them; -ERR_DENIED: it is
 * something else, or something else as well; -ERR_SYNTAX: lengths do not fit; -ERR_TOO_LONG: more
 * than USB_DESCRIPTOR_BYTES_MAX.
 */
int usb_is_storage(struct span descriptors);

/* Whether the device descriptor that @descriptors begin with has these ids; borrowed. */
bool usb_has_ids(struct span descriptors, uint16_t vendor, uint16_t product);

#endif
