/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a USB device says of itself: any bytes. What is taken for a memory stick has, however it is
 * read, no interface of another class.
 */
#include <stdlib.h>

#include "wire/usb_descriptor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (usb_is_storage((struct span){data, size}) < 0)
		return 0;
	if (size < 36 || data[17] != 1 || data[22] != 1)
		abort();
	/* As the kernel finds interfaces: by length and type alone. */
	for (size_t at = 18; at < size; at += data[at]) {
		if (data[at] < 2)
			abort();
		if (data[at + 1] == 4 && (data[at + 2] != 0 || data[at + 5] != 8))
			abort();
	}
	return 0;
}
