/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory stick at the console (ADR 0319): one use at a time, in steps, each done by a stick
 * process of its own. The kernel may use no USB device but for the time of one use, and none at all
 * unless the policy says so.
 */
#ifndef SEKISHO_SUPERVISOR_USB_USB_H
#define SEKISHO_SUPERVISOR_USB_USB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/channel.h"
#include "base/loop.h"
#include "channel/person.h"
#include "channel/usb.h"
#include "supervisor/spawn.h"
#include "supervisor/usb/devices.h"

struct child;
struct supervisor;

enum usb_step {
	USB_IDLE = 0,
	USB_RECORDING, /* the record of the use is on its way to the disk */
	USB_ADMITTING, /* a process looks at the device, and lets the kernel use it */
	USB_APPEARING, /* the kernel looks for the disk */
	USB_COPYING,   /* a process copies the file */
	USB_DISMISSING /* a process has the kernel let go of the device */
};

/* The one use at a time. */
struct usb {
	enum usb_step step;
	struct control_usb asked;
	uint32_t console;
	pid_t console_pid;
	char person[24];
	struct usb_device device;
	struct spawn_disk disk;
	struct child *child;         /* of the step; NULL: none */
	int memory_fd;               /* what is saved, or loaded; -1 */
	struct control_usb_done out; /* what the console will be told */
	uint64_t record;             /* number of the question to audit; 0: none */
	bool admitted;               /* the device's switch was touched: it must be turned back */
	uint64_t until_ms;           /* USB_APPEARING: then it is too late */
	struct loop_timer timer;     /* USB_APPEARING: looks again */
	struct child *switcher;      /* turns the controllers' hubs on or off; NULL: nobody does */
	bool clean; /* they were off once since the start: nothing is authorized from before */
	uint32_t switch_value;    /* what it is turned to: 0 or 1 */
	uint32_t switch_failures; /* in a row, since the last policy */
};

/* From a console, CONTROL_USB; from a stick process, CONTROL_STICK_DONE. */
int usb_handle_ask(struct channel *ch, void *ctx, const struct channel_message *message);
int usb_handle_done(struct channel *ch, void *ctx, const struct channel_message *message);
/* What a stick process is given before START; the disk that it is started with. */
void usb_outfit(struct child *child);
struct spawn_disk usb_disk_of(const struct child *child);
void usb_child_died(struct child *child);
/* audit's answer; it has died. */
void usb_recorded(struct supervisor *sup, const struct control_recorded *answer);
void usb_unrecorded(struct supervisor *sup);
/* Another policy runs: the controllers' hubs are on or off as it says. */
void usb_follow(struct supervisor *sup);

#endif
