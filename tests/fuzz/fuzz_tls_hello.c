/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as the beginning of a stream: a fixed answer, and a name only of the bytes that a name
 * may have. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/packet/tls_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t scratch[TLS_HELLO_BYTES_MAX];
	struct tls_hello hello;
	uint8_t *stream = malloc(size == 0 ? 1 : size);

	if (stream == NULL)
		return 0;
	memcpy(stream, data, size);
	int err = tls_hello_read(&hello, stream, size, scratch);

	if (err == 0) {
		const uint8_t *name = hello.server_name.data;

		if (hello.server_name.size > TLS_HELLO_NAME_BYTES_MAX)
			abort();
		for (size_t i = 0; i < hello.server_name.size; i++) {
			if (name[i] <= ' ' || name[i] >= 0x7f)
				abort();
		}
	} else if (err != -ERR_TRUNCATED && size > 0) {
		/* What is refused stays refused, whatever comes after it. */
		uint8_t *longer = malloc(size + 64);

		if (longer != NULL) {
			memset(longer, 0x16, size + 64);
			memcpy(longer, data, size);
			if (tls_hello_read(&hello, longer, size + 64, scratch) == 0)
				abort();
		}
		free(longer);
	}
	free(stream);
	return 0;
}
