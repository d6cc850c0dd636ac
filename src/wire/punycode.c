/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Punycode, with the parameters that IDNA uses (RFC 3492 5). */
#include "wire/punycode.h"

#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

enum { BASE = 36, TMIN = 1, TMAX = 26, SKEW = 38, DAMP = 700, FIRST_BIAS = 72, FIRST_CODE = 128 };

/* RFC 3492 6.1 */
static uint32_t adapt(uint32_t delta, uint32_t count, bool first)
{
	uint32_t k = 0;

	delta = first ? delta / DAMP : delta / 2;
	delta += delta / count;
	for (; delta > (BASE - TMIN) * TMAX / 2; k += BASE)
		delta /= BASE - TMIN;
	return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static uint32_t threshold(uint32_t k, uint32_t bias)
{
	return k <= bias + TMIN ? TMIN : k >= bias + TMAX ? TMAX : k - bias;
}

static int digit_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0' + 26;
	c |= 0x20;
	return c >= 'a' && c <= 'z' ? c - 'a' : -1;
}

/* A generalised variable-length integer from @at on (RFC 3492 6.2). Return: 0 or -ERR_SYNTAX. */
static int read_delta(struct span in, size_t *at, uint32_t bias, uint32_t *i)
{
	uint32_t weight = 1;

	for (uint32_t k = BASE;; k += BASE) {
		int digit = *at < in.size ? digit_value(in.data[(*at)++]) : -1;
		uint32_t t = threshold(k, bias), add;

		if (digit < 0 || __builtin_mul_overflow((uint32_t)digit, weight, &add) ||
		    __builtin_add_overflow(*i, add, i))
			return -ERR_SYNTAX;
		if ((uint32_t)digit < t)
			return 0;
		if (__builtin_mul_overflow(weight, BASE - t, &weight))
			return -ERR_SYNTAX;
	}
}

/* Decode a label without its "xn--" into code points. Return: how many, or -ERR_SYNTAX. */
static int decode_label(struct span in, uint32_t codes[PUNYCODE_LABEL_MAX])
{
	const uint8_t *hyphen = in.size > 0 ? memrchr(in.data, '-', in.size) : NULL;
	size_t at = hyphen != NULL ? (size_t)(hyphen - in.data) : 0;
	uint32_t count = 0, n = FIRST_CODE, i = 0, bias = FIRST_BIAS;

	if (in.size > PUNYCODE_LABEL_MAX)
		return -ERR_SYNTAX;
	for (; count < at; count++)
		codes[count] = in.data[count];
	at += hyphen != NULL;
	while (at < in.size) {
		uint32_t before = i;

		if (read_delta(in, &at, bias, &i) < 0 || count == PUNYCODE_LABEL_MAX)
			return -ERR_SYNTAX;
		bias = adapt(i - before, count + 1, before == 0);
		if (__builtin_add_overflow(n, i / (count + 1), &n) || n > 0x10FFFF)
			return -ERR_SYNTAX;
		i %= count + 1;
		memmove(codes + i + 1, codes + i, (count - i) * sizeof(*codes));
		codes[i++] = n;
		count++;
	}
	return (int)count;
}

static int append_code(struct bytes *out, uint32_t c)
{
	uint8_t s[4] = {(uint8_t)c};
	size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (c >= 0xD800 && c <= 0xDFFF)
		return -ERR_SYNTAX;
	for (size_t k = size; size > 1 && k-- > 1; c >>= 6)
		s[k] = (uint8_t)(0x80 | (c & 0x3F));
	if (size > 1)
		s[0] = (uint8_t)(0xF00 >> size | c);
	return bytes_append(out, s, size);
}

static bool is_encoded(struct span label)
{
	return span_starts_nocase(label, span_of("xn--"));
}

/* The label at @at; *@at is moved behind its dot. */
static struct span next_label(struct span host, size_t *at)
{
	const uint8_t *dot = memchr(host.data + *at, '.', host.size - *at);
	size_t end = dot != NULL ? (size_t)(dot - host.data) : host.size;
	struct span label = {host.data + *at, end - *at};

	*at = end + 1;
	return label;
}

int punycode_host_to_text(struct span host, struct bytes *out)
{
	int err = 0;

	for (size_t at = 0; at < host.size && err == 0;) {
		struct span label = next_label(host, &at);
		uint32_t codes[PUNYCODE_LABEL_MAX];
		int count;

		if (is_encoded(label)) {
			count = decode_label((struct span){label.data + 4, label.size - 4}, codes);
			err = count < 0 ? count : 0;
			for (int i = 0; i < count && err == 0; i++)
				err = append_code(out, codes[i]);
		} else {
			err = bytes_append(out, label.data, label.size);
		}
		if (err == 0 && at <= host.size)
			err = bytes_append_u8(out, '.');
	}
	return err;
}

static int append_digit(struct bytes *out, uint32_t digit)
{
	return bytes_append_u8(out, (uint8_t)(digit < 26 ? 'a' + digit : '0' + digit - 26));
}

static int write_delta(struct bytes *out, uint32_t delta, uint32_t bias)
{
	int err = 0;

	for (uint32_t k = BASE; err == 0; k += BASE) {
		uint32_t t = threshold(k, bias);

		if (delta < t)
			return append_digit(out, delta);
		err = append_digit(out, t + (delta - t) % (BASE - t));
		delta = (delta - t) / (BASE - t);
	}
	return err;
}

/* The least code point of @codes that is at least @n. */
static uint32_t next_code(const uint32_t *codes, size_t count, uint32_t n)
{
	uint32_t least = UINT32_MAX;

	for (size_t i = 0; i < count; i++) {
		if (codes[i] >= n && codes[i] < least)
			least = codes[i];
	}
	return least;
}

/* RFC 3492 6.3; labels are short, so that nothing overflows. */
static int encode_label(const uint32_t *codes, size_t count, struct bytes *out)
{
	uint32_t n = FIRST_CODE, delta = 0, bias = FIRST_BIAS, handled = 0, basic;
	int err = bytes_append_text(out, "xn--");

	for (size_t i = 0; i < count && err == 0; i++) {
		if (codes[i] < 0x80) {
			err = bytes_append_u8(out, (uint8_t)codes[i]);
			handled++;
		}
	}
	basic = handled;
	if (basic > 0 && err == 0)
		err = bytes_append_u8(out, '-');
	for (; handled < count && err == 0; delta++, n++) {
		uint32_t m = next_code(codes, count, n);

		delta += (m - n) * (handled + 1);
		n = m;
		for (size_t i = 0; i < count && err == 0; i++) {
			delta += codes[i] < n;
			if (codes[i] != n)
				continue;
			err = write_delta(out, delta, bias);
			bias = adapt(delta, handled + 1, handled == basic);
			delta = 0;
			handled++;
		}
	}
	return err;
}

/* Code points of a label. Return: how many, or an error. */
static int read_label(struct span label, uint32_t codes[PUNYCODE_LABEL_MAX], bool *ascii)
{
	int count = 0;

	*ascii = true;
	for (size_t at = 0; at < label.size;) {
		size_t length;

		if (count == PUNYCODE_LABEL_MAX)
			return -ERR_TOO_LONG;
		length =
			utf8_decode((struct span){label.data + at, label.size - at}, &codes[count]);
		if (length == 0)
			return -ERR_SYNTAX;
		*ascii = *ascii && codes[count] < 0x80;
		at += length;
		count++;
	}
	return count;
}

int punycode_text_to_host(struct span text, struct bytes *out)
{
	int err = 0;

	for (size_t at = 0; at < text.size && err == 0;) {
		struct span label = next_label(text, &at);
		uint32_t codes[PUNYCODE_LABEL_MAX];
		bool ascii;
		int count = read_label(label, codes, &ascii);

		if (count < 0)
			return count;
		err = ascii ? bytes_append(out, label.data, label.size)
			    : encode_label(codes, (size_t)count, out);
		if (err == 0 && at <= text.size)
			err = bytes_append_u8(out, '.');
	}
	return err;
}
