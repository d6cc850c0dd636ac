/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of USB is plugged in, as sysfs shows it in numbers that the kernel prints itself; no byte of
 * a device is read here, and nothing here waits for one.
 */
#ifndef SEKISHO_SUPERVISOR_USB_DEVICES_H
#define SEKISHO_SUPERVISOR_USB_DEVICES_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisor/spawn.h"

#define USB_DEVICES_MAX    16
#define USB_DEVICE_BYTES   16 /* of a name such as 1-1 */
#define USB_DEVICES_PLACE  "/sys/bus/usb/devices"
#define USB_HUB_NAME_BYTES 16

struct usb_device {
	char name[USB_DEVICE_BYTES];
	char vendor[5], product[5]; /* hexadecimal digits */
	char class[3];
};

/**
 * usb_devices_list - the devices at the controllers' own ports
 * @place: the directory of sysfs; tests have their own
 * Return: how many were found, at most @most; -ERR_SYSTEM: this kernel has no USB.
 */
int usb_devices_list(const char *place, struct usb_device *out, size_t most);

/* The controllers' own hubs. Return: as usb_devices_list. */
int usb_devices_hubs(const char *place, char out[][USB_HUB_NAME_BYTES], size_t most);

/* Whether a device or hub is authorized. Return: 0, 1 or -ERR_SYSTEM: it is not there. */
int usb_devices_state(const char *place, const char *name);

/* Open an attribute of a device or hub, close-on-exec. Return: a descriptor or -ERR_SYSTEM. */
int usb_devices_open(const char *place, const char *device, const char *attribute, int flags);

/**
 * usb_devices_disk - the disk that the kernel made of a device
 * @disk: path and number are set
 * Return: 0; -ERR_NOT_FOUND: not yet, or without a medium; -ERR_UNSUPPORTED: it is more than one
 */
int usb_devices_disk(const char *place, const char *device, struct spawn_disk *disk);

#endif
