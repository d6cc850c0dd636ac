/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reader of DATA ends at <CRLF>.<CRLF> and nowhere else (RFC 5321 4.1.1.4), whatever the
 * segments.
 *
 * prove_step: for any content of any length, by induction. The specification has no states: it
 * looks at the last five octets that were read, where the octets before the first are CRLF, as if
 * the command's line had been part of them. If the reader agrees with the last four octets before a
 * step, then it agrees with the last four after it, and has done what the five demand.
 *
 * prove_segments: one push of a segment is the same as two pushes of its parts, so the bulk copy
 * and any segmentation change nothing. Segments of up to SEGMENT_MAX octets in any state of the
 * reader; longer ones follow by cutting them.
 */
#include "prove.h"

#include "base/buf.c"
#include "wire/smtp/data.c"

#define SEGMENT_MAX 3

/* The last octets read, the newest last. */
struct history {
	uint8_t octet[5];
};

static bool ends_with(const struct history *h, const char *what, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (h->octet[sizeof(h->octet) - size + i] != (uint8_t)what[i])
			return false;
	}
	return true;
}

/* What the reader must know of the octets before: no more than this. */
static uint8_t state_of(const struct history *h)
{
	if (ends_with(h, "\r\n.\r\n", 5))
		return AT_END;
	if (ends_with(h, "\r\n.\r", 4))
		return AT_DOT_CR;
	if (ends_with(h, "\r\n.", 3))
		return AT_DOT;
	if (ends_with(h, "\r\n", 2))
		return AT_START;
	return ends_with(h, "\r", 1) ? AT_CR : AT_TEXT;
}

/* Is the newest octet the first that shows a fault, and which? */
static enum smtp_data_fault fault_of(const struct history *h)
{
	uint8_t now = h->octet[4], before = h->octet[3];

	if (before == '\r' && now != '\n')
		return SMTP_DATA_BARE_CR;
	if (now == '\n' && before != '\r')
		return SMTP_DATA_BARE_LF;
	return now == '\0' ? SMTP_DATA_NUL : SMTP_DATA_CLEAN;
}

/* What the newest octet adds to the message. A dot behind CRLF adds nothing, but what follows it
 * does. */
static size_t message_of(const struct history *h, uint8_t out[2])
{
	memcpy(out, "\r\n", 2);
	if (ends_with(h, "\r\n.\r\n", 5) || ends_with(h, "\r\n.", 3) || h->octet[4] == '\r')
		return 0;
	if (h->octet[4] == '\n')
		return 2;
	out[0] = h->octet[4];
	return 1;
}

static struct smtp_data any_reader(void)
{
	struct smtp_data d;

	__CPROVER_havoc_object(&d);
	suppose(d.state < AT_END && !d.ended && d.fault < SMTP_DATA_FAULT_COUNT_);
	suppose(d.size_bytes <= d.limit_bytes);
	return d;
}

void prove_step(void)
{
	struct smtp_data d = any_reader(), before = d;
	struct history h;
	uint8_t out[2], wanted[2];
	size_t out_bytes, size;
	enum smtp_data_fault fault;

	__CPROVER_havoc_object(&h);
	/* h holds what was read before this step in octets 0 to 3, shifted up below. */
	struct history last = {{nondet_u8(), h.octet[0], h.octet[1], h.octet[2], h.octet[3]}};
	bool over = ends_with(&last, "\r\n.\r\n", 5);

	suppose(!over && d.state == state_of(&last));
	assert(smtp_data_push(&d, (struct span){&h.octet[4], 1}, out, &out_bytes) == 1);

	assert(d.state == state_of(&h));
	assert(d.ended == ends_with(&h, "\r\n.\r\n", 5));
	size = message_of(&h, wanted);
	fault = before.fault != SMTP_DATA_CLEAN ? before.fault : fault_of(&h);
	if (fault == SMTP_DATA_CLEAN && size > before.limit_bytes - before.size_bytes)
		fault = SMTP_DATA_TOO_BIG;
	assert(d.fault == fault);
	assert(out_bytes == (fault == SMTP_DATA_CLEAN ? size : 0));
	assert(out_bytes == 0 || memcmp(out, wanted, out_bytes) == 0);
	assert(d.size_bytes == before.size_bytes + out_bytes);
	assert(d.read_bytes == before.read_bytes + 1 && d.limit_bytes == before.limit_bytes);
	if (d.ended)
		REACHED(1);
	if (out_bytes == 2)
		REACHED(2);
}

/* The beginning of the induction. */
void prove_begin(void)
{
	struct smtp_data d;
	uint64_t limit = nondet_u64();
	struct history none = {{nondet_u8(), nondet_u8(), nondet_u8(), '\r', '\n'}};

	suppose(!ends_with(&none, "\r\n.\r\n", 5));
	smtp_data_init(&d, limit);
	assert(d.state == state_of(&none) && !d.ended && d.fault == SMTP_DATA_CLEAN);
	assert(d.size_bytes == 0 && d.read_bytes == 0 && d.limit_bytes == limit);
	REACHED(1);
}

void prove_segments(void)
{
	struct smtp_data whole = any_reader(), parts = whole;
	uint8_t in[SEGMENT_MAX], out[SEGMENT_MAX + 1], out2[SEGMENT_MAX + 2];
	size_t size = nondet_size(), cut = nondet_size(), out_bytes, first_bytes, second_bytes = 0;
	size_t taken, taken_parts;

	__CPROVER_havoc_object(in);
	suppose(size <= SEGMENT_MAX && cut <= size);
	/* No message is so long that its counter wraps. */
	suppose(whole.read_bytes <= UINT64_MAX - SEGMENT_MAX);
	taken = smtp_data_push(&whole, (struct span){in, size}, out, &out_bytes);
	taken_parts = smtp_data_push(&parts, (struct span){in, cut}, out2, &first_bytes);
	if (!parts.ended) {
		taken_parts += smtp_data_push(&parts, (struct span){in + cut, size - cut},
					      out2 + first_bytes, &second_bytes);
		REACHED(1);
	}
	assert(taken == taken_parts && (taken == size || whole.ended));
	assert(whole.state == parts.state && whole.ended == parts.ended);
	assert(whole.read_bytes == parts.read_bytes);
	/* A message that is over the limit is refused; only what is not refused is the same to the
	 * octet. */
	assert((whole.fault == SMTP_DATA_CLEAN) == (parts.fault == SMTP_DATA_CLEAN));
	if (whole.fault != SMTP_DATA_CLEAN)
		return;
	REACHED(2);
	assert(whole.size_bytes == parts.size_bytes && out_bytes == first_bytes + second_bytes);
	for (size_t i = 0; i < out_bytes; i++)
		assert(out[i] == out2[i]);
}
