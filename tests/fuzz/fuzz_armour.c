/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Armour: any text that is pasted, and any bytes that are shown. What was put comes back byte for
 * byte, whatever stands around it.
 */
#include <stdlib.h>

#include "wire/export/armour.h"

#define TITLE     "CONFIGURATION"
#define BYTES_MAX (1U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span any = {data, size};
	struct bytes text, back;

	bytes_init(&text, BYTES_MAX);
	bytes_init(&back, BYTES_MAX);
	(void)armour_take(&back, TITLE, any); /* any text is refused or taken */
	bytes_clear(&back);
	armour_put(&text, TITLE, any);
	if (text.failed)
		abort();
	if (armour_take(&back, TITLE, bytes_span(&text)) < 0 || !span_equal(bytes_span(&back), any))
		abort();
	bytes_fini(&text);
	bytes_fini(&back);
	return 0;
}
