/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a desktop's handshake, with each way of logging in: the same end however they are
 * cut, only our own few answers, and no way in but the one that is wanted. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/rfb/handshake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct access {
	enum rfb_security type;
	enum rfb_subtype subtype;
	size_t sent_max; /* version, type, VeNCrypt's answers, login, ClientInit */
} accesses[] = {
	{RFB_SECURITY_NONE, RFB_SUBTYPE_NONE, 12 + 1 + 1},
	{RFB_SECURITY_VNC_AUTH, RFB_SUBTYPE_NONE, 12 + 1 + 16 + 1},
	{RFB_SECURITY_VENCRYPT, RFB_SUBTYPE_X509_NONE, 12 + 1 + 2 + 4 + 1},
	{RFB_SECURITY_VENCRYPT, RFB_SUBTYPE_X509_PLAIN, 12 + 1 + 2 + 4 + 8 + 11 + 1},
};

/* What is left of a piece when TLS begins is dropped: as if TLS had begun right there. */
static int take(struct rfb_caller *c, struct reader *r, struct writer *w)
{
	struct reader nothing;
	int event = rfb_caller_next(c, r, w);

	reader_init(&nothing, "", 0);
	while (event == RFB_HANDSHAKE_TLS || event == RFB_HANDSHAKE_LOGIN) {
		if (event == RFB_HANDSHAKE_LOGIN)
			rfb_caller_login(c, span_of("relay"), span_of("secret"), w);
		else if (rfb_caller_secured(c, &nothing) != 0)
			abort();
		event = rfb_caller_next(c, r, w);
	}
	return event;
}

static int feed(const struct access *access, const uint8_t *data, size_t size, size_t piece,
		struct rfb_caller *c, struct writer *w)
{
	size_t at = 0, end = 0;
	int event = RFB_HANDSHAKE_MORE;

	rfb_caller_init(c, access->type, access->subtype);
	while (end < size && event == RFB_HANDSHAKE_MORE) {
		struct reader r;

		end = end + piece < size ? end + piece : size;
		reader_init(&r, data + at, end - at);
		event = take(c, &r, w);
		if (r.failed || w->failed)
			abort();
		at += r.at;
	}
	return event;
}

/* Whoever got in has been shown that our type was taken. */
static bool chose(const struct rfb_caller *c, const struct access *access, const uint8_t *sent)
{
	return c->minor == 3 ? access->type != RFB_SECURITY_VENCRYPT : sent[12] == access->type;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t sent[2][RFB_HANDSHAKE_WRITE_MAX];
	const struct access *access = &accesses[size > 0 ? data[0] % 4 : 0];
	struct writer w[2];
	struct rfb_caller c[2];
	int end[2];

	for (unsigned i = 0; i < 2; i++) {
		writer_init(&w[i], sent[i], sizeof(sent[i]));
		end[i] = feed(access, data + (size > 0), size - (size > 0), i ? 1 : SIZE_MAX / 2,
			      &c[i], &w[i]);
	}
	if (end[0] != end[1] || w[0].size != w[1].size ||
	    memcmp(sent[0], sent[1], w[0].size) != 0 || w[0].size > access->sent_max)
		abort();
	if (c[0].width != c[1].width || c[0].height != c[1].height)
		abort();
	if (end[0] == RFB_HANDSHAKE_DONE && !chose(&c[0], access, sent[0]))
		abort();
	return 0;
}
