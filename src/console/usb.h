/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A memory stick in place of the terminal. */
#ifndef SEKISHO_CONSOLE_USB_H
#define SEKISHO_CONSOLE_USB_H

#include "console/console.h"

/**
 * usb_save - have @text saved under @name, with a message where it cannot be; then the prompt
 * @whole: false: its end is missing; nothing is saved, since nobody would see that of a file
 */
void usb_save(struct console *c, const char *name, struct span text, bool whole);
/**
 * usb_take_done - what became of a save or a load
 * @fds: a load that went well has one, sealed; borrowed
 * What was loaded goes the way of a paste, once it has the hash that was recorded.
 */
void usb_take_done(struct console *c, const struct control_usb_done *body, const int *fds,
		   size_t fd_count);

#endif
