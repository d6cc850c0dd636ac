/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files on a memory stick: what was written is read, what is there stays, and a damaged one ends in
 * an error. */
#include "unit.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fat_image.h"
#include "stick/volume.h"

#define MOST (4U << 20)

static int disk;

static int setup(void **state)
{
	disk = fat_image_make();
	return disk < 0;
}

static int teardown(void **state)
{
	return close(disk);
}

static enum stick_status save(const char *name, const void *data, size_t size)
{
	struct volume_file file = {.name = name, .size_bytes = size};

	sha256_of(data, size, file.sha256);
	return volume_write(disk, &file, (struct span){data, size}, 1800000000);
}

/* @out: what was read, NUL-terminated; the caller frees it. */
static enum stick_status fetch(const char *name, uint64_t most, struct volume_file *file,
			       char **out)
{
	int memory = memfd_create("out", MFD_CLOEXEC);
	enum stick_status status;

	*file = (struct volume_file){.name = name};
	assert_true(memory >= 0);
	status = volume_read(disk, file, most, memory);
	*out = calloc(1, (size_t)file->size_bytes + 1);
	assert_non_null(*out);
	if (status == STICK_DONE)
		assert_int_equal(pread(memory, *out, (size_t)file->size_bytes, 0),
				 file->size_bytes);
	close(memory);
	return status;
}

static enum stick_status try(const char *name)
{
	struct volume_file file;
	char *content;
	enum stick_status status = fetch(name, MOST, &file, &content);

	free(content);
	return status;
}

static void put(size_t at, const void *bytes, size_t size)
{
	assert_int_equal(pwrite(disk, bytes, size, (off_t)at), size);
}

static void test_stick_volume_what_was_written_is_read(void **state)
{
	static const char text[] = "system { host-name a; }\n";
	uint8_t digest[SHA256_BYTES], large[3 * 512 + 7];
	struct volume_file file;
	char *content;

	assert_int_equal(save("Running-Configuration.2026.conf", text, strlen(text)), STICK_DONE);
	assert_int_equal(fetch("running-configuration.2026.CONF", MOST, &file, &content),
			 STICK_DONE);
	assert_string_equal(content, text);
	sha256_of(text, strlen(text), digest);
	assert_memory_equal(file.sha256, digest, sizeof(digest));
	free(content);
	memset(large, 'x', sizeof(large));
	assert_int_equal(save("large", large, sizeof(large)), STICK_DONE);
	assert_int_equal(save("empty", "", 0), STICK_DONE);
	assert_int_equal(fetch("large", sizeof(large), &file, &content), STICK_DONE);
	assert_memory_equal(content, large, sizeof(large));
	free(content);
	assert_int_equal(try("empty"), STICK_DONE);
}

/* Microsoft's FAT specification 1.03: date and time of the last write, at 22 of an entry. */
static void test_stick_volume_files_have_their_local_time(void **state)
{
	uint8_t entry[32];

	/* 2027-01-15 08:00:00 */
	assert_int_equal(save("A", "x", 1), STICK_DONE);
	assert_int_equal(pread(disk, entry, sizeof(entry), FAT_ROOT_AT), sizeof(entry));
	assert_int_equal(entry[22] | entry[23] << 8, 8 << 11);
	assert_int_equal(entry[24] | entry[25] << 8, (2027 - 1980) << 9 | 1 << 5 | 15);
}

static void test_stick_volume_what_is_there_stays(void **state)
{
	struct volume_file file;
	char *content;

	assert_int_equal(save("a.conf", "first", 5), STICK_DONE);
	assert_int_equal(save("A.CONF", "second", 6), STICK_EXISTS);
	assert_int_equal(fetch("a.conf", MOST, &file, &content), STICK_DONE);
	assert_string_equal(content, "first");
	free(content);
}

static void test_stick_volume_too_large_and_missing_files(void **state)
{
	struct volume_file file;
	char *content;

	assert_int_equal(save("a", "12345678", 8), STICK_DONE);
	assert_int_equal(fetch("a", 7, &file, &content), STICK_TOO_LARGE);
	free(content);
	assert_int_equal(try("b"), STICK_NO_FILE);
}

static void test_stick_volume_a_full_stick_keeps_nothing_of_it(void **state)
{
	size_t size = (size_t)FAT_CLUSTERS * FAT_SECTOR_BYTES;
	char *data = calloc(1, size + 1);

	assert_non_null(data);
	assert_int_equal(save("all", data, size + 1), STICK_FULL);
	assert_int_equal(try("all"), STICK_NO_FILE);
	assert_int_equal(save("all", data, size), STICK_DONE);
	assert_int_equal(save("more", data, 1), STICK_FULL);
	free(data);
}

/* As many short names as the top directory has entries, and no more. */
static void test_stick_volume_a_full_directory(void **state)
{
	char name[] = "AA";

	for (int i = 0; i < FAT_ROOT_ENTRIES; i++) {
		name[1] = (char)(i < 26 ? 'A' + i : '0' + i - 26);
		assert_int_equal(save(name, "x", 1), STICK_DONE);
	}
	assert_int_equal(save("ONE-MORE", "x", 1), STICK_FULL);
	assert_int_equal(try("AA"), STICK_DONE);
}

static void test_stick_volume_without_a_file_system(void **state)
{
	static const uint8_t zeros[FAT_SECTOR_BYTES];

	put(0, zeros, sizeof(zeros));
	assert_int_equal(try("a"), STICK_NO_FILE_SYSTEM);
	assert_int_equal(save("a", "x", 1), STICK_NO_FILE_SYSTEM);
	assert_int_equal(ftruncate(disk, 0), 0);
	assert_int_not_equal(try("a"), STICK_DONE);
}

/* The chain of a file goes round, ends too soon, or leaves the disk. */
static void test_stick_volume_damaged_chains_end(void **state)
{
	static const struct {
		uint16_t next;
		enum stick_status status;
	} cases[] = {
		{2, STICK_DONE},    /* its own beginning: as many bytes as its entry says */
		{0, STICK_DAMAGED}, /* a free cluster */
		{1, STICK_DAMAGED}, /* no cluster */
		{0xffff, STICK_DAMAGED}, {0x7fff, STICK_DAMAGED},
	};
	static const uint8_t data[4 * FAT_SECTOR_BYTES] = "loop";

	assert_int_equal(save("a", data, sizeof(data)), STICK_DONE);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t next[] = {(uint8_t)cases[i].next, (uint8_t)(cases[i].next >> 8)};

		put(FAT_TABLE_AT + 2 * 3, next, sizeof(next)); /* of the second cluster */
		assert_int_equal(try("a"), cases[i].status);
	}
}

static void test_stick_volume_that_ends_before_its_file_system(void **state)
{
	static const uint8_t data[64 * FAT_SECTOR_BYTES];

	assert_int_equal(save("a", data, sizeof(data)), STICK_DONE);
	assert_int_equal(ftruncate(disk, FAT_DATA_AT + 8 * FAT_SECTOR_BYTES), 0);
	assert_int_equal(try("a"), STICK_BROKEN);
}

/* What cannot be read back is not saved: here the content is another one than its hash says. */
static void test_stick_volume_is_read_back(void **state)
{
	struct volume_file file = {.name = "a", .size_bytes = 3};

	sha256_of("abc", 3, file.sha256);
	assert_int_equal(volume_write(disk, &file, span_of("abd"), 0), STICK_BROKEN);
}

/* By its own switch: the kernel gives it to be read only. */
static void test_stick_volume_that_is_write_protected(void **state)
{
	struct volume_file file = {.name = "b", .size_bytes = 3};
	char path[32];
	int protected_disk;

	assert_int_equal(save("a", "abc", 3), STICK_DONE);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", disk);
	protected_disk = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(protected_disk >= 0);
	sha256_of("abc", 3, file.sha256);
	assert_int_equal(volume_write(protected_disk, &file, span_of("abc"), 0), STICK_FULL);
	file.name = "a";
	assert_int_equal(volume_read(protected_disk, &file, MOST, -1), STICK_DONE);
	close(protected_disk);
	assert_int_equal(try("b"), STICK_NO_FILE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_stick_volume_what_was_written_is_read),
		TEST(test_stick_volume_files_have_their_local_time),
		TEST(test_stick_volume_what_is_there_stays),
		TEST(test_stick_volume_too_large_and_missing_files),
		TEST(test_stick_volume_a_full_stick_keeps_nothing_of_it),
		TEST(test_stick_volume_a_full_directory),
		TEST(test_stick_volume_without_a_file_system),
		TEST(test_stick_volume_damaged_chains_end),
		TEST(test_stick_volume_that_ends_before_its_file_system),
		TEST(test_stick_volume_is_read_back),
		TEST(test_stick_volume_that_is_write_protected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
