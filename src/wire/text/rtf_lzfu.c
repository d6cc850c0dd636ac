/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compressed RTF (MS-OXRTFCP 2): literals and references into a ring of the last 4,096 octets. */
#include <string.h>

#include "base/err.h"
#include "wire/text/rtf.h"

enum {
	RING_BYTES = 4096,
	HEAD_BYTES = 16,
	COMPRESSED = 0x75465A4C,   /* "LZFu" */
	UNCOMPRESSED = 0x414C454D, /* "MELA" */
};

/* What the ring begins with (MS-OXRTFCP 2.1.3.1.1): the words that every RTF has. */
static const char preset[] =
	"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern "
	"\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0"
	"\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

struct ring {
	uint8_t octets[RING_BYTES];
	size_t at; /* where the next octet goes */
};

static uint32_t le32(struct reader *r)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < 4; i++)
		value |= (uint32_t)reader_u8(r) << 8 * i;
	return value;
}

static int put(struct ring *ring, struct bytes *out, uint8_t octet)
{
	ring->octets[ring->at] = octet;
	ring->at = (ring->at + 1) % RING_BYTES;
	return bytes_append_u8(out, octet);
}

/* A reference: 12 bits of place, 4 of length less 2. Return: 1 at the end of the text, which refers
 * to its own place. */
static int put_reference(struct ring *ring, struct bytes *out, uint16_t reference)
{
	size_t from = reference >> 4, count = (reference & 15) + 2U;
	int err = 0;

	if (from == ring->at)
		return 1;
	for (size_t i = 0; i < count && err == 0; i++)
		err = put(ring, out, ring->octets[(from + i) % RING_BYTES]);
	return err;
}

/* Eight items, by the bits of a control octet. Return: 0, 1 at the end, or an error. */
static int put_run(struct reader *r, struct ring *ring, struct bytes *out)
{
	uint8_t control = reader_u8(r);
	int err = 0;

	for (unsigned bit = 0; bit < 8 && err == 0; bit++) {
		uint8_t first = reader_u8(r);

		if (control >> bit & 1)
			err = put_reference(ring, out, (uint16_t)(first << 8 | reader_u8(r)));
		else if (!r->failed)
			err = put(ring, out, first);
		if (r->failed)
			return -ERR_SYNTAX;
	}
	return err;
}

int rtf_decompress(struct span in, struct bytes *out)
{
	struct ring ring = {.at = sizeof(preset) - 1};
	struct reader r;
	uint32_t size, kind;
	int err = 0;

	reader_init(&r, in.data, in.size);
	(void)le32(&r); /* the compressed size: what there is counts */
	size = le32(&r);
	kind = le32(&r);
	(void)le32(&r); /* the checksum says nothing about who made it */
	if (r.failed || in.size < HEAD_BYTES)
		return -ERR_SYNTAX;
	if (kind == UNCOMPRESSED) {
		size_t left = reader_left(&r);
		struct span plain = reader_span(&r, size < left ? size : left);

		return bytes_append(out, plain.data, plain.size);
	}
	if (kind != COMPRESSED)
		return -ERR_SYNTAX;
	memcpy(ring.octets, preset, sizeof(preset) - 1);
	while (err == 0)
		err = put_run(&r, &ring, out);
	return err < 0 ? err : 0;
}
