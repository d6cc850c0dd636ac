/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: answers of an ICAP server, whole and octet by octet, which must come to the same. */
#include <stdlib.h>
#include <string.h>

#include "wire/scan/icap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	size_t taken, body_bytes;
	uint8_t body_sum;
};

static struct outcome push(struct icap_reply *r, struct span in, size_t step)
{
	struct outcome o = {0};

	icap_reply_init(r);
	while (o.taken < in.size) {
		size_t left = in.size - o.taken, size = left < step ? left : step;
		struct span body;
		size_t taken = icap_reply_push(r, (struct span){in.data + o.taken, size}, &body);

		if (taken > size || body.size > taken)
			abort();
		if (taken == 0 && r->phase < ICAP_DONE)
			abort();
		if (taken == 0)
			break;
		for (size_t i = 0; i < body.size; i++)
			o.body_sum = (uint8_t)(o.body_sum * 31 + body.data[i]);
		o.taken += taken;
		o.body_bytes += body.size;
	}
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct icap_reply whole, single;
	struct span in = {data, size};
	struct outcome a = push(&whole, in, size), b = push(&single, in, 1);

	if (whole.phase != single.phase || whole.status != single.status ||
	    whole.http_status != single.http_status || whole.threat != single.threat ||
	    strcmp(whole.threat_name, single.threat_name) != 0 ||
	    strcmp(whole.tag, single.tag) != 0)
		abort();
	if (whole.phase != ICAP_FAILED &&
	    (a.taken != b.taken || a.body_bytes != b.body_bytes || a.body_sum != b.body_sum))
		abort();
	if (whole.phase == ICAP_DONE && (whole.status < 100 || whole.status > 999))
		abort();
	return 0;
}
