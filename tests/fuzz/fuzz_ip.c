/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a packet: no read outside them, and the same answer for the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/packet/ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ip_headers once, again;
	/* A copy of exactly this size, so that one byte too far is seen. */
	uint8_t *packet = malloc(size == 0 ? 1 : size);

	if (packet == NULL)
		return 0;
	memcpy(packet, data, size);
	int whole = ip_read(&once, packet, size, size);

	if (whole == 0) {
		/* More on the wire than was captured never turns a good packet into a different
		 * one. */
		if (ip_read(&again, packet, size, size + 1) != 0 ||
		    memcmp(&once, &again, sizeof(once)) != 0)
			abort();
		if (once.payload_at > size)
			abort();
		ip_swap_direction(&again);
		ip_swap_direction(&again);
		if (memcmp(&once, &again, sizeof(once)) != 0)
			abort();
	}
	free(packet);
	return 0;
}
