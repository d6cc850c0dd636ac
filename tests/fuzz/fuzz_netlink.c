/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as netlink datagrams: the walk over messages and nested attributes ends, inside the
 * bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netfilter/netlink.h"
#include "netfilter/queue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every attribute taken for a nest, a few levels down, as the kernel nests them. */
static unsigned walk(struct span attributes, int levels)
{
	struct netlink_attribute a;
	unsigned sum = 0;

	while (netlink_next_attribute(&attributes, &a)) {
		for (size_t i = 0; i < a.value.size; i++)
			sum += a.value.data[i];
		if (levels > 0)
			sum += walk(a.value, levels - 1);
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *datagram = malloc(size == 0 ? 1 : size);
	struct netlink_message m;
	struct packet_item item;

	if (datagram == NULL)
		return 0;
	memcpy(datagram, data, size);
	struct span rest = {datagram, size};

	while (netlink_next(&rest, &m)) {
		volatile unsigned sum = walk(m.attributes, 4);

		(void)sum; /* only that every byte was read */
	}
	if (queue_read(&item, datagram, size) &&
	    (item.captured_bytes > PACKET_COPY_BYTES || item.wire_bytes < item.captured_bytes))
		abort();
	free(datagram);
	return 0;
}
