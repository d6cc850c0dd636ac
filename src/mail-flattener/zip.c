/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names in a ZIP archive, out of its central directory (PKWARE APPNOTE 4.3.12): readable also
 * where it is encrypted. */
#include "mail-flattener/state.h"

#include <string.h>

enum {
	END_BYTES = 22,     /* end of central directory, without its comment */
	END_SEARCH = 65557, /* how far from the end it may begin */
	ENTRY_BYTES = 46,   /* a directory entry without its name */
	ENTRIES_SHOWN = 50,
	FLAG_ENCRYPTED = 1,
	FLAG_UTF8 = 1 << 11,
};

static uint32_t le16(const uint8_t *p)
{
	return (uint32_t)(p[0] | p[1] << 8);
}

static uint32_t le32(const uint8_t *p)
{
	return le16(p) | le16(p + 2) << 16;
}

/* Where the central directory begins, or the end of @s where there is none. */
static size_t directory_begin(struct span s)
{
	size_t floor = s.size > END_SEARCH ? s.size - END_SEARCH : 0;

	for (size_t at = s.size; at >= floor + END_BYTES; at--) {
		const uint8_t *end = s.data + at - END_BYTES;

		if (memcmp(end, "PK\5\6", 4) == 0)
			return le32(end + 16) < s.size ? le32(end + 16) : s.size;
	}
	return s.size;
}

/* One entry's name and size as a line. */
static void list_entry(struct flatten *f, struct span name, uint32_t flags, uint32_t size)
{
	struct charset_choice choice =
		charset_choose(span_of(flags & FLAG_UTF8 ? "utf-8" : "shift_jis"), name);
	struct charset_report report = {0};
	struct bytes decoded, clean;
	const char *shown;

	bytes_init(&decoded, MIME_FIELD_BYTES_MAX * 8);
	bytes_init(&clean, MIME_FIELD_BYTES_MAX * 8);
	flatten_fail(f, charset_decode(choice.charset, name, &decoded, &report));
	shown = flatten_clean(f, bytes_span(&decoded), FLATTEN_NAME_BYTES, &clean);
	flatten_fail(f,
		     bytes_printf(&f->list, "     %s (%s)\n", shown, number_of(size, true).text));
	if (kind_name_runs(shown))
		flatten_say_into(f, &f->list, NOTICE_A_ENTRY_RUNS, NULL, NULL);
	bytes_fini(&decoded);
	bytes_fini(&clean);
}

/* Walk the directory; list at most ENTRIES_SHOWN. Return: whether any entry is encrypted. */
static bool walk(struct flatten *f, struct span s, bool list, uint32_t *count)
{
	size_t at = directory_begin(s);
	bool encrypted = false;

	*count = 0;
	while (s.size - at >= ENTRY_BYTES && memcmp(s.data + at, "PK\1\2", 4) == 0) {
		const uint8_t *entry = s.data + at;
		size_t name_size = le16(entry + 28);

		if (s.size - at - ENTRY_BYTES < name_size)
			break;
		encrypted = encrypted || (le16(entry + 8) & FLAG_ENCRYPTED);
		if (list && *count < ENTRIES_SHOWN)
			list_entry(f, (struct span){entry + ENTRY_BYTES, name_size},
				   le16(entry + 8), le32(entry + 24));
		++*count;
		name_size += ENTRY_BYTES + le16(entry + 30) + le16(entry + 32);
		at += name_size < s.size - at ? name_size : s.size - at;
	}
	return encrypted;
}

bool zip_list(struct flatten *f, struct span octets)
{
	uint32_t count;
	bool encrypted = walk(f, octets, false, &count);

	if (encrypted)
		flatten_say_into(f, &f->list, NOTICE_A_ENCRYPTED_ZIP, NULL, NULL);
	if (count > 0)
		flatten_say_into(f, &f->list, NOTICE_A_ENTRIES, NULL, NULL);
	(void)walk(f, octets, true, &count);
	if (count > ENTRIES_SHOWN)
		flatten_say_into(f, &f->list, NOTICE_A_ENTRIES_MORE,
				 number_of(count - ENTRIES_SHOWN, false).text, NULL);
	return encrypted;
}
