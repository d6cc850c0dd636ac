/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Receipts of mails on their way from a flattener to the log. Not one byte of one is read here. */
#include "supervisor/sessions/receipt.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "supervisor/supervisor.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int receipt_open(void)
{
	return memfd_create("receipt", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

void receipt_hand_over(struct supervisor *sup, int *fd, uint32_t session)
{
	struct child *audit = child_find(sup, ROLE_AUDIT, 0);
	struct control_give give = {.kind = GIVE_RECEIPT, .session = session};

	if (*fd < 0)
		return;
	/* A flattener that holds it open for writing in memory keeps it from being sealed: audit
	 * refuses it then, and says so. */
	(void)fcntl(*fd, F_ADD_SEALS, SEALS);
	if (child_is_alive(audit))
		child_give(audit, &give, *fd);
	(void)close(*fd); /* audit has its own copy */
	*fd = -1;
}
