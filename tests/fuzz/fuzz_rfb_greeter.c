/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a viewer's handshake, with and without VeNCrypt: the same events however the bytes
 * are cut, no unit larger than it may be, never in without a judgement. The first byte chooses what
 * is asked of the viewer.
 */
#include <stdint.h>
#include <stdlib.h>

#include "wire/rfb/greeter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t mix(uint64_t digest, uint64_t value)
{
	return (digest ^ value) * 1099511628211U;
}

/* What follows an event. Return: the number that stands for it. */
static uint64_t answer(struct rfb_greeter *g, int event, struct writer *w, bool *judged)
{
	struct reader nothing;

	reader_init(&nothing, "", 0);
	if (event == RFB_HANDSHAKE_TLS && rfb_greeter_secured(g, &nothing) != 0)
		abort();
	if (event == RFB_HANDSHAKE_LOGIN) {
		*judged = true;
		rfb_greeter_admit(g, w);
		return g->name.size << 16 | g->password.size;
	}
	if (event == RFB_HANDSHAKE_SIZE) {
		if (g->subtype != RFB_SUBTYPE_NONE && !*judged)
			abort();
		rfb_greeter_size(g, 100, 100, "name", w);
	}
	return 0;
}

/* One call of the greeter. Return: its event, which went into @digest unless it was MORE. */
static int step(struct rfb_greeter *g, struct reader *r, uint64_t *digest, bool *judged)
{
	uint8_t sent[RFB_HANDSHAKE_WRITE_MAX];
	struct writer w;
	int event;

	writer_init(&w, sent, sizeof(sent));
	event = rfb_greeter_next(g, r, &w);
	if (event != RFB_HANDSHAKE_MORE)
		*digest = mix(*digest, (uint64_t)event);
	if (event > 0)
		*digest = mix(*digest, answer(g, event, &w, judged));
	if (r->failed || w.failed)
		abort();
	return event;
}

static uint64_t feed(enum rfb_subtype subtype, const uint8_t *data, size_t size, size_t piece)
{
	uint8_t sent[RFB_HANDSHAKE_WRITE_MAX];
	struct rfb_greeter g;
	struct writer w;
	uint64_t digest = 14695981039346656037U;
	size_t at = 0, end = 0;
	bool judged = false;
	int event = RFB_HANDSHAKE_MORE;

	writer_init(&w, sent, sizeof(sent));
	rfb_greeter_init(&g, subtype, &w);
	while (end < size && event == RFB_HANDSHAKE_MORE) {
		end = size - end > piece ? end + piece : size;
		do {
			struct reader r;

			reader_init(&r, data + at, end - at);
			event = step(&g, &r, &digest, &judged);
			at += r.at;
		} while (event > 0 && event != RFB_HANDSHAKE_DONE);
		if (event == RFB_HANDSHAKE_MORE && end - at >= RFB_GREETER_UNIT_MAX)
			abort(); /* a unit that never completes */
	}
	return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum rfb_subtype subtypes[] = {RFB_SUBTYPE_NONE, RFB_SUBTYPE_X509_NONE,
						    RFB_SUBTYPE_X509_PLAIN, RFB_SUBTYPE_PLAIN};
	enum rfb_subtype subtype;
	uint64_t whole;

	if (size == 0)
		return 0;
	subtype = subtypes[data[0] % 4];
	whole = feed(subtype, data + 1, size - 1, SIZE_MAX / 2);
	if (feed(subtype, data + 1, size - 1, 1) != whole ||
	    feed(subtype, data + 1, size - 1, 7) != whole)
		abort();
	return 0;
}
