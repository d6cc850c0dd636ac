/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Archives: the bytes of a header, padding, limits. That tar reads them is tried in netns. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/export/tar.h"

#define LIMIT (1U << 20)

static struct bytes archive;

static int begin(void **state)
{
	(void)state;
	bytes_init(&archive, LIMIT);
	return 0;
}

static int end(void **state)
{
	(void)state;
	bytes_fini(&archive);
	return 0;
}

static unsigned long octal_at(size_t at)
{
	return strtoul((const char *)archive.data + at, NULL, 8);
}

static void test_tar_header_tells_name_size_and_time(void **state)
{
	unsigned long sum = 0;

	(void)state;
	assert_int_equal(tar_add(&archive, "log/a", span_of("hello"), 01234567), 0);
	assert_int_equal(archive.size, 2 * TAR_BLOCK_BYTES);
	assert_string_equal((const char *)archive.data, "log/a");
	assert_int_equal(octal_at(100), 0600);
	assert_int_equal(octal_at(124), 5);
	assert_int_equal(octal_at(136), 01234567);
	assert_memory_equal(archive.data + 257,
			    "ustar\0"
			    "00",
			    8);
	for (size_t i = 0; i < TAR_BLOCK_BYTES; i++)
		sum += i >= 148 && i < 156 ? ' ' : archive.data[i];
	assert_int_equal(octal_at(148), sum);
	assert_memory_equal(archive.data + TAR_BLOCK_BYTES, "hello\0", 6);
}

static void test_tar_pads_to_whole_blocks_and_no_further(void **state)
{
	static const uint8_t data[TAR_BLOCK_BYTES];

	(void)state;
	assert_int_equal(tar_add(&archive, "none", (struct span){data, 0}, 0), 0);
	assert_int_equal(archive.size, TAR_BLOCK_BYTES);
	assert_int_equal(tar_add(&archive, "one", (struct span){data, sizeof(data)}, 0), 0);
	assert_int_equal(archive.size, 3 * TAR_BLOCK_BYTES);
	assert_int_equal(tar_end(&archive), 0);
	assert_int_equal(archive.size, 5 * TAR_BLOCK_BYTES);
}

static void test_tar_refuses_what_a_header_cannot_say(void **state)
{
	char name[TAR_NAME_MAX + 2];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[TAR_NAME_MAX + 1] = '\0';
	assert_int_equal(tar_add(&archive, name, span_of(""), 0), -ERR_TOO_LONG);
	assert_int_equal(tar_add(&archive, "", span_of(""), 0), -ERR_TOO_LONG);
	assert_int_equal(tar_add(&archive, "big",
				 (struct span){(const uint8_t *)name, TAR_MEMBER_MAX + 1U}, 0),
			 -ERR_TOO_LONG);
	assert_int_equal(archive.size, 0);
	name[TAR_NAME_MAX] = '\0';
	assert_int_equal(tar_add(&archive, name, span_of(""), -5), 0);
	assert_int_equal(octal_at(136), 0);
}

static void test_tar_says_when_the_archive_is_full(void **state)
{
	static const uint8_t data[LIMIT];

	(void)state;
	assert_int_equal(tar_add(&archive, "a", (struct span){data, sizeof(data)}, 0),
			 -ERR_TOO_LONG);
	assert_true(archive.failed);
}

#define WITH_ARCHIVE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARCHIVE(test_tar_header_tells_name_size_and_time),
		WITH_ARCHIVE(test_tar_pads_to_whole_blocks_and_no_further),
		WITH_ARCHIVE(test_tar_refuses_what_a_header_cannot_say),
		WITH_ARCHIVE(test_tar_says_when_the_archive_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
