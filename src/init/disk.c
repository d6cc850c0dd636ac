/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads as much of an ext4 superblock as it takes to choose: format, mount, check, or leave alone.
 */
#include <endian.h>
#include <string.h>

#include "init/init.h"

/* Linux Documentation/filesystems/ext4/super.rst: offsets in the superblock, which is at 1024. */
#define SUPERBLOCK         1024U
#define S_MAGIC            0x38U
#define S_STATE            0x3aU
#define S_FEATURE_COMPAT   0x5cU
#define S_VOLUME_NAME      0x78U
#define S_ERROR_COUNT      0x194U
#define VOLUME_NAME_BYTES  16U
#define MAGIC              0xef53U
#define STATE_ERRORS       0x0002U
#define COMPAT_HAS_JOURNAL 0x0004U

static uint16_t le16_at(const uint8_t *from)
{
	uint16_t value;

	memcpy(&value, from, sizeof(value));
	return le16toh(value);
}

static uint32_t le32_at(const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return le32toh(value);
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i])
			return false;
	return true;
}

enum disk disk_judge(const uint8_t head[DISK_HEAD_BYTES])
{
	const uint8_t *super = head + SUPERBLOCK;

	if (is_zero(head, DISK_HEAD_BYTES))
		return DISK_BLANK;
	if (le16_at(super + S_MAGIC) != MAGIC)
		return DISK_CHECK;
	if (strncmp((const char *)super + S_VOLUME_NAME, DATA_LABEL, VOLUME_NAME_BYTES) != 0)
		return DISK_FOREIGN;
	if (le16_at(super + S_STATE) & STATE_ERRORS || le32_at(super + S_ERROR_COUNT) ||
	    !(le32_at(super + S_FEATURE_COMPAT) & COMPAT_HAS_JOURNAL))
		return DISK_CHECK;
	return DISK_SOUND;
}
