/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Are the archives that cannot be listed encrypted? RAR 4 and 5, and 7-Zip, as far as their headers
 * say. */
#include "mail-flattener/state.h"

#include <string.h>

enum {
	BLOCKS_MAX = 1000, /* of an archive that are looked at */
	RAR4_HEAD = 7,
	RAR4_ARCHIVE = 0x73,
	RAR4_FILE = 0x74,
	RAR4_ARCHIVE_LOCKED = 0x80,
	RAR4_FILE_LOCKED = 0x04,
	RAR4_MORE = 0x8000,
	RAR5_FILE = 2,
	RAR5_LOCK = 4,
	RAR5_EXTRA = 1,
	RAR5_DATA = 2,
	RAR5_EXTRA_LOCK = 1,
	SEVEN_HEAD = 32,
};

static uint64_t little(struct reader *r, unsigned octets)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < octets; i++)
		value |= (uint64_t)reader_u8(r) << 8 * i;
	return value;
}

/* Seven bits an octet, the lowest first. */
static uint64_t variable(struct reader *r)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 63; shift += 7) {
		uint8_t octet = reader_u8(r);

		value |= (uint64_t)(octet & 0x7F) << shift;
		if (!(octet & 0x80))
			return value;
	}
	r->failed = true;
	return 0;
}

/* Pass over @count octets. Return: false where there are not so many. */
static bool pass(struct reader *r, uint64_t count)
{
	if (r->failed || count > reader_left(r))
		return false;
	reader_skip(r, (size_t)count);
	return true;
}

bool archive_rar4_is_locked(struct span s)
{
	struct reader r;

	reader_init(&r, s.data, s.size);
	reader_skip(&r, RAR4_HEAD);
	for (unsigned i = 0; i < BLOCKS_MAX && reader_left(&r) >= RAR4_HEAD; i++) {
		uint64_t kind, flags, size, more = 0, read = RAR4_HEAD;

		(void)little(&r, 2); /* checksum */
		kind = reader_u8(&r);
		flags = little(&r, 2);
		size = little(&r, 2);
		if ((kind == RAR4_ARCHIVE && (flags & RAR4_ARCHIVE_LOCKED)) ||
		    (kind == RAR4_FILE && (flags & RAR4_FILE_LOCKED)))
			return true;
		if (kind == RAR4_FILE || (flags & RAR4_MORE)) {
			more = little(&r, 4);
			read += 4;
		}
		if (size < read || !pass(&r, size - read) || !pass(&r, more))
			break;
	}
	return false;
}

/* The extra area of a file's header has a record about its encryption. */
static bool extra_is_locked(struct span extra)
{
	struct reader r;

	reader_init(&r, extra.data, extra.size);
	while (reader_left(&r) > 1 && !r.failed) {
		uint64_t size = variable(&r), before = reader_left(&r), kind = variable(&r);
		uint64_t read = before - reader_left(&r);

		if (!r.failed && kind == RAR5_EXTRA_LOCK)
			return true;
		if (size < read || !pass(&r, size - read))
			break;
	}
	return false;
}

bool archive_rar5_is_locked(struct span s)
{
	struct reader r;

	reader_init(&r, s.data, s.size);
	reader_skip(&r, 8);
	for (unsigned i = 0; i < BLOCKS_MAX && reader_left(&r) > 4; i++) {
		uint64_t size, kind, flags, extra = 0, data = 0, left;
		struct span head;

		(void)little(&r, 4); /* checksum */
		size = variable(&r);
		left = reader_left(&r);
		kind = variable(&r);
		flags = variable(&r);
		if (!r.failed && kind == RAR5_LOCK)
			return true;
		extra = flags & RAR5_EXTRA ? variable(&r) : 0;
		data = flags & RAR5_DATA ? variable(&r) : 0;
		left -= reader_left(&r); /* how much of the header is read */
		if (r.failed || size < left || size - left > reader_left(&r) || extra > size - left)
			break;
		head = reader_span(&r, (size_t)(size - left));
		if (kind == RAR5_FILE &&
		    extra_is_locked((struct span){head.data + head.size - extra, (size_t)extra}))
			return true;
		if (!pass(&r, data))
			break;
	}
	return false;
}

bool archive_7z_is_locked(struct span s)
{
	static const uint8_t aes[] = {0x06, 0xF1, 0x07, 0x01}; /* the method's id */
	uint64_t offset, size;
	struct reader r;

	reader_init(&r, s.data, s.size);
	reader_skip(&r, 12);
	offset = little(&r, 8);
	size = little(&r, 8);
	(void)little(&r, 4); /* checksum */
	if (r.failed || s.size < SEVEN_HEAD || !pass(&r, offset))
		return false;
	size = size < reader_left(&r) ? size : reader_left(&r);
	return size > 0 && memmem(s.data + r.at, (size_t)size, aes, sizeof(aes)) != NULL;
}
