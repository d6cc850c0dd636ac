/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Receipts of mails on their way from a flattener to the log. */
#ifndef SEKISHO_SUPERVISOR_SESSIONS_RECEIPT_H
#define SEKISHO_SUPERVISOR_SESSIONS_RECEIPT_H

#include <stdint.h>

struct supervisor;

/* A memfd for a flattener to write its receipt into; -1 where there is none: then none is kept. */
int receipt_open(void);

/* The flattener has written: nobody can change it any more, and audit gets it. @fd: closed, -1
 * then. */
void receipt_hand_over(struct supervisor *sup, int *fd, uint32_t session);

#endif
