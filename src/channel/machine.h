/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the supervisor tells process 1 what a person wants of the machine. */
#ifndef SEKISHO_CHANNEL_MACHINE_H
#define SEKISHO_CHANNEL_MACHINE_H

/* By its exit status. */
enum { MACHINE_REBOOT = 80, MACHINE_SHUTDOWN = 81 }; /* above those of sysexits.h */

/*
 * By a file in the directory of the state, which process 1 looks for at each start: all of the data
 * device is to be wiped (ADR 609). Of base/file.h's form with the kind below; then "code HEX",
 * which is shown only when the wipe is done, and the certificate, lines of UTF-8.
 */
#define MACHINE_WIPE_ORDER       "zeroise"
#define MACHINE_WIPE_KIND        "sekisho-zeroise"
#define MACHINE_WIPE_ORDER_BYTES 920 /* of the content at most, so that the whole is below 1024 */
#define MACHINE_WIPE_CODE_BYTES  33  /* 128 bits in hexadecimal digits, with NUL */
#define MACHINE_WIPE_METHOD      "random octets, then zeros, read back"

#endif
