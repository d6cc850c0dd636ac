/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as netlink datagrams: the walk over messages and nested attributes ends, inside the
 * bytes; and the text of a ruleset that they may be. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "netfilter/nft/netlink.h"
#include "netfilter/nft/text.h"
#include "netfilter/queue.h"

#define TEXT_BYTES_MAX (4U << 20)

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

/* The bytes as answers about nf_tables: printing ends, and all that comes out may be shown on a
 * terminal. */
static void print(const uint8_t *data, size_t size)
{
	struct nft_text text;
	struct bytes out;

	bytes_init(&out, TEXT_BYTES_MAX);
	nft_text_begin(&text, (struct span){data, size});
	while (!out.failed && nft_text_next(&text, &out))
		;
	for (size_t i = 0; i < out.size; i++) {
		if (out.data[i] != '\n' && (out.data[i] < ' ' || out.data[i] > '~'))
			abort();
	}
	bytes_fini(&out);
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
	print(datagram, size);
	free(datagram);
	return 0;
}
