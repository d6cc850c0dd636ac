/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a desktop's handshake: the same end however they are cut, and only our own few
 * answers. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/rfb_handshake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int feed(const uint8_t *data, size_t size, size_t piece, struct rfb_caller *c,
		struct writer *w)
{
	size_t at = 0, end = 0;
	int event = RFB_HANDSHAKE_MORE;

	rfb_caller_init(c);
	while (end < size && event == RFB_HANDSHAKE_MORE) {
		struct reader r;

		end = end + piece < size ? end + piece : size;
		reader_init(&r, data + at, end - at);
		event = rfb_caller_next(c, &r, w);
		if (r.failed || w->failed)
			abort();
		at += r.at;
	}
	return event;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t sent[2][RFB_HANDSHAKE_WRITE_MAX];
	struct writer w[2];
	struct rfb_caller c[2];

	for (unsigned i = 0; i < 2; i++)
		writer_init(&w[i], sent[i], sizeof(sent[i]));
	if (feed(data, size, SIZE_MAX / 2, &c[0], &w[0]) != feed(data, size, 1, &c[1], &w[1]))
		abort();
	if (w[0].size != w[1].size || memcmp(sent[0], sent[1], w[0].size) != 0 || w[0].size > 14)
		abort();
	if (c[0].width != c[1].width || c[0].height != c[1].height)
		abort();
	return 0;
}
