/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a viewer's: handshake, then messages; the same events however the bytes are cut. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/rfb/client.h"
#include "wire/rfb/encode.h"
#include "wire/rfb/greeter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was seen, as one number. */
struct run {
	struct rfb_greeter greeter;
	struct rfb_client_parser parser;
	struct rfb_encoder encoder;
	bool messages;
	uint64_t digest;
	int error;
};

static void digest(struct run *run, uint64_t value)
{
	run->digest = (run->digest ^ value) * 1099511628211U;
}

static int shake(struct run *run, struct reader *r)
{
	uint8_t sent[RFB_HANDSHAKE_WRITE_MAX];
	struct writer w;
	int event;

	writer_init(&w, sent, sizeof(sent));
	event = rfb_greeter_next(&run->greeter, r, &w);
	if (event == RFB_HANDSHAKE_SIZE) {
		rfb_greeter_size(&run->greeter, 100, 100, "name", &w);
		run->messages = true;
		event = RFB_HANDSHAKE_DONE;
	}
	if (w.failed)
		abort();
	return event;
}

static int take(struct run *run, struct reader *r)
{
	struct rfb_client_message m;
	int event = rfb_client_next(&run->parser, r, &m);

	if (event == RFB_CLIENT_FORMAT)
		rfb_encoder_format(&run->encoder, &m.format);
	if (event == RFB_CLIENT_KEY)
		digest(run, m.keysym);
	if (event == RFB_CLIENT_POINTER)
		digest(run, (uint64_t)m.x << 32 | m.y << 8 | m.buttons);
	return event;
}

static uint64_t feed(const uint8_t *data, size_t size, size_t piece)
{
	struct run run = {.digest = 14695981039346656037U};
	uint8_t greeting[16];
	struct writer w;
	size_t at = 0, end = 0;

	writer_init(&w, greeting, sizeof(greeting));
	rfb_greeter_init(&run.greeter, RFB_SUBTYPE_NONE, &w);
	rfb_client_init(&run.parser);
	rfb_encoder_init(&run.encoder);
	while (end < size && run.error == 0) {
		int event = 1;

		end = end + piece < size ? end + piece : size;
		while (event > 0) {
			struct reader r;

			reader_init(&r, data + at, end - at);
			event = run.messages ? take(&run, &r) : shake(&run, &r);
			if (r.failed)
				abort();
			at += r.at;
			if (event > 0)
				digest(&run, (uint64_t)event);
		}
		run.error = event;
		if (event == 0 && run.messages && end - at >= RFB_CLIENT_UNIT_MAX)
			abort(); /* a unit that never completes */
	}
	digest(&run, (uint64_t)-run.error);
	return run.digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t whole = feed(data, size, SIZE_MAX / 2);

	if (feed(data, size, 1) != whole || feed(data, size, 7) != whole)
		abort();
	return 0;
}
