/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: replies of a clamd. Only the one text that says so is clean. */
#include <stdlib.h>
#include <string.h>

#include "wire/scan/clamd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct span line, const struct clamd_reply *reply)
{
	static const char clean[] = ": stream: OK";
	size_t tail = sizeof(clean) - 1;

	if (reply->number == 0 || reply->kind > CLAMD_ERROR)
		abort();
	if (reply->kind == CLAMD_CLEAN &&
	    (line.size <= tail || memcmp(line.data + line.size - tail, clean, tail) != 0))
		abort();
	if (reply->text.data < line.data || reply->text.size > line.size ||
	    reply->text.data + reply->text.size > line.data + line.size)
		abort();
	if (reply->kind == CLAMD_FOUND && reply->text.size == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct clamd_reply reply;

	if (clamd_reply_parse((struct span){data, size}, &reply) == 0)
		check((struct span){data, size}, &reply);
	return 0;
}
