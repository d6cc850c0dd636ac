/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of captures, in a directory of the state: the supervisor names, lists and removes them, and
 * opens them for netfilter, which writes and reads. Their names, number and size are bounded.
 */
#ifndef SEKISHO_SUPERVISOR_CAPTURES_H
#define SEKISHO_SUPERVISOR_CAPTURES_H

#include "supervisor/query/query.h"

#define CAPTURES_MAX       16 /* files; each is as long as netfilter makes it, 256 KiB at most */
#define CAPTURE_NAME_BYTES 32 /* letters, digits, '-' and '_', and the zero */

/* The directory below @state_fd. Return: a descriptor or -ERR_SYSTEM. */
int captures_open(int state_fd);

/* What the supervisor adds to these questions; the rest is netfilter's, unless it has ended the
 * answer. */
void answer_capture(struct supervisor *sup, struct answer *answer);
void answer_captures(struct supervisor *sup, struct answer *answer);
void answer_save_capture(struct supervisor *sup, struct answer *answer);
void answer_clear_capture(struct supervisor *sup, struct answer *answer);

#endif
