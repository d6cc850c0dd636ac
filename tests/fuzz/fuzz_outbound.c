/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: folding for labels, and marks of forwarding. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "wire/mail/forward.h"
#include "wire/text/fold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Folding is idempotent, and no longer than it says. */
static void check_fold(struct span in)
{
	struct bytes once, twice;

	bytes_init(&once, 2 * in.size + 16);
	bytes_init(&twice, 2 * in.size + 16);
	if (text_fold(in, &once) < 0 || once.size > in.size + in.size / 3 + 1)
		abort();
	if (text_fold(bytes_span(&once), &twice) < 0 || twice.size > once.size + once.size / 3 + 1)
		abort();
	if (!span_equal(bytes_span(&once), bytes_span(&twice)) && utf8_valid(in))
		abort();
	bytes_fini(&once);
	bytes_fini(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = {data, size};
	size_t half = size / 2;

	check_fold(in);
	if (mail_forward_mark((struct span){data, half}, (struct span){data + half, size - half}) !=
		    NULL &&
	    size == 0)
		abort();
	return 0;
}
