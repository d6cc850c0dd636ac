/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verifier on any lines: no fault, and once it has refused it stays so (M8). */
#include <stdlib.h>
#include <string.h>

#include "wire/mail/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mail_verify v;
	bool refused = false;

	mail_verify_init(&v);
	mail_verify_allow(&v, size & 1, size & 2);
	while (size > 0) {
		const uint8_t *lf = memchr(data, '\n', size);
		size_t line = lf != NULL ? (size_t)(lf - data) : size;
		int err = mail_verify_line(&v, data, line);

		if (refused && err == 0)
			abort();
		refused = err != 0;
		line += lf != NULL;
		data += line;
		size -= line;
	}
	if (refused && (mail_verify_end(&v) == 0 || mail_verify_reason(&v) == NULL))
		abort();
	return 0;
}
