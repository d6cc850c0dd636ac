/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing ustar headers. */
#include "wire/export/tar.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

/* Where the fields of a header begin, and how long they are (POSIX.1-1988 10.1.1). */
enum {
	MODE_AT = 100,
	OWNER_AT = 108,
	GROUP_AT = 116,
	SIZE_AT = 124,
	TIME_AT = 136,
	SUM_AT = 148,
	TYPE_AT = 156,
	MAGIC_AT = 257,
	VERSION_AT = 263,
	SHORT_DIGITS = 7,
	LONG_DIGITS = 11,
};

static void put_octal(uint8_t *field, unsigned digits, uint64_t value)
{
	while (digits-- > 0) {
		field[digits] = (uint8_t)('0' + (value & 7));
		value >>= 3;
	}
}

/* The sum is over the header with blanks in its place. */
static void put_sum(uint8_t header[TAR_BLOCK_BYTES])
{
	const unsigned sum_bytes = 8, sum_digits = 6;
	unsigned sum = 0;

	memset(header + SUM_AT, ' ', sum_bytes);
	for (unsigned i = 0; i < TAR_BLOCK_BYTES; i++)
		sum += header[i];
	put_octal(header + SUM_AT, sum_digits, sum);
	header[SUM_AT + sum_digits] = '\0';
}

int tar_add(struct bytes *out, const char *name, struct span data, int64_t time_s)
{
	static const uint8_t zeros[TAR_BLOCK_BYTES];
	const size_t past = data.size % TAR_BLOCK_BYTES;
	uint8_t header[TAR_BLOCK_BYTES] = {0};
	size_t length = strlen(name);
	int err;

	if (length == 0 || length > TAR_NAME_MAX || data.size > TAR_MEMBER_MAX)
		return -ERR_TOO_LONG;
	memcpy(header, name, length);
	put_octal(header + MODE_AT, SHORT_DIGITS, 0600);
	put_octal(header + OWNER_AT, SHORT_DIGITS, 0);
	put_octal(header + GROUP_AT, SHORT_DIGITS, 0);
	put_octal(header + SIZE_AT, LONG_DIGITS, data.size);
	put_octal(header + TIME_AT, LONG_DIGITS, time_s > 0 ? (uint64_t)time_s : 0);
	header[TYPE_AT] = '0'; /* a regular file */
	memcpy(header + MAGIC_AT, "ustar", sizeof("ustar"));
	memcpy(header + VERSION_AT, "00", 2);
	put_sum(header);
	err = bytes_append(out, header, sizeof(header));
	if (err == 0)
		err = bytes_append(out, data.data, data.size);
	if (err == 0 && past > 0)
		err = bytes_append(out, zeros, TAR_BLOCK_BYTES - past);
	return err;
}

int tar_end(struct bytes *out)
{
	static const uint8_t zeros[2 * TAR_BLOCK_BYTES];

	return bytes_append(out, zeros, sizeof(zeros));
}
