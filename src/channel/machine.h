/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the supervisor tells process 1 what a person wants of the machine: by its exit status. */
#ifndef SEKISHO_CHANNEL_MACHINE_H
#define SEKISHO_CHANNEL_MACHINE_H

enum { MACHINE_REBOOT = 80, MACHINE_SHUTDOWN = 81 }; /* above those of sysexits.h */

#endif
