/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: replies of a next hop. */
#include <stdlib.h>

#include "wire/smtp/command.h"
#include "wire/smtp/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = {data, size};
	struct span line = {0};
	struct smtp_reply reply = {0};
	size_t taken = 0;

	smtp_reply_init(&reply);
	while (smtp_line_next(in, SMTP_REPLY_LINE_MAX, &line, &taken) == 0) {
		int got = smtp_reply_take(&reply, line);

		if (got < 0)
			break;
		if (reply.code < 200 || reply.code > 599 || reply.subject > 999 ||
		    reply.detail > 999 || reply.line_count > SMTP_REPLY_LINES_MAX ||
		    (got == 1) != reply.complete)
			abort();
		if (got == 1)
			smtp_reply_init(&reply);
		in = (struct span){in.data + taken, in.size - taken};
	}
	return 0;
}
