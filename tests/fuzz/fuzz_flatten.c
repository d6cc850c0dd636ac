/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any message: what the flattener writes is accepted by the verifier, twice the same, and the
 * receipt is there (M8). */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mail-flattener/flatten.h"
#include "wire/mail_verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool conforms(struct span flat)
{
	struct mail_verify v;
	size_t at = 0;

	mail_verify_init(&v);
	while (at < flat.size) {
		const uint8_t *lf = memchr(flat.data + at, '\n', flat.size - at);

		if (lf == NULL ||
		    mail_verify_line(&v, flat.data + at, (size_t)(lf - flat.data) - at) < 0)
			return false;
		at = (size_t)(lf - flat.data) + 1;
	}
	return mail_verify_end(&v) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flatten_policy policy = {
		.host_name = "gw.example.jp", .english = size & 1, .defang = size & 2};
	struct flatten_result result;
	struct bytes out, receipt;
	int err;

	bytes_init(&out, 0);
	bytes_init(&receipt, 64U << 20);
	err = flatten_message((struct span){data, size}, &policy, &out, &receipt, &result);
	if (err == 0 && (!conforms(bytes_span(&out)) || receipt.size == 0))
		abort();
	if (err < 0 && (err != -ERR_DENIED || result.reason == NULL))
		abort();
	bytes_fini(&out);
	bytes_fini(&receipt);
	return 0;
}
