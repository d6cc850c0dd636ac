/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Saved configurations: found whole or not at all, whatever happened to their bytes. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "config/store.h"
#include "place.h"

#define TEXT "zone a {\n    tier business;\n}\n"

static struct place place;

static int setup(void **state)
{
	place_open(&place);
	*state = &place;
	return 0;
}

static int teardown(void **state)
{
	place_close(&place);
	return 0;
}

static void save(int dir, uint32_t number)
{
	struct store_entry entry = {.number = number,
				    .time_s = 1700000000,
				    .origin = "console 0",
				    .comment = "住基の改修"};

	assert_int_equal(store_stage(dir, &entry, span_of(TEXT)), 0);
	assert_int_equal(store_publish(dir, number), 0);
}

static int read_back(int dir, uint32_t number, struct store_entry *entry)
{
	struct bytes text;
	int err;

	bytes_init(&text, 1 << 20);
	err = store_read(dir, number, entry, &text);
	if (err == 0)
		assert_true(span_equal(bytes_span(&text), span_of(TEXT)));
	else
		assert_int_equal(text.size, 0);
	bytes_fini(&text);
	return err;
}

static void test_store_gives_back_what_was_saved(void **state)
{
	struct place *p = *state;
	struct store_entry entry;
	uint32_t numbers[8];

	assert_int_equal(store_list(p->dir, numbers, 8), 0);
	save(p->dir, 1);
	save(p->dir, 2);
	assert_int_equal(store_list(p->dir, numbers, 8), 2);
	assert_int_equal(numbers[0], 2);
	assert_int_equal(read_back(p->dir, 2, &entry), 0);
	assert_int_equal(entry.number, 2);
	assert_int_equal(entry.time_s, 1700000000);
	assert_string_equal(entry.origin, "console 0");
	assert_string_equal(entry.comment, "住基の改修");
	assert_int_equal(read_back(p->dir, 3, &entry), -ERR_NOT_FOUND);
}

/* That persons chose it, and who, outlives a restart; what does not say so was not chosen. */
static void test_store_knows_what_persons_chose(void **state)
{
	struct place *p = *state;
	struct store_entry entry = {
		.number = 2, .origin = "return", .chosen = true, .by = "yamada"};

	save(p->dir, 1);
	assert_int_equal(store_stage(p->dir, &entry, span_of(TEXT)), 0);
	assert_int_equal(store_publish(p->dir, 2), 0);
	entry.chosen = false;
	assert_int_equal(read_back(p->dir, 2, &entry), 0);
	assert_true(entry.chosen);
	assert_string_equal(entry.by, "yamada");
	assert_int_equal(read_back(p->dir, 1, &entry), 0);
	assert_false(entry.chosen);
	assert_string_equal(entry.by, "");
}

/* What is staged and has no name yet does not count: a power cut before publish leaves the old one.
 */
static void test_store_staged_text_does_not_count(void **state)
{
	struct place *p = *state;
	struct store_entry entry = {.number = 2, .origin = "console 0"};
	uint32_t numbers[8];

	save(p->dir, 1);
	assert_int_equal(store_stage(p->dir, &entry, span_of("zone b;\n")), 0);
	assert_int_equal(store_list(p->dir, numbers, 8), 1);
	assert_int_equal(numbers[0], 1);
}

static void overwrite(const struct place *p, const uint8_t *bytes, size_t size)
{
	int fd = openat(p->dir, "config.00000001", O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

static void test_store_refuses_every_flipped_byte_and_truncation(void **state)
{
	struct place *p = *state;
	struct store_entry entry;
	uint8_t file[1024];
	ssize_t size;
	int fd;

	save(p->dir, 1);
	fd = openat(p->dir, "config.00000001", O_RDONLY | O_CLOEXEC);
	size = read(fd, file, sizeof(file));
	close(fd);
	assert_true(size > 100);
	for (ssize_t i = 0; i < size; i++) {
		file[i] ^= 0x01;
		overwrite(p, file, (size_t)size);
		assert_int_equal(read_back(p->dir, 1, &entry), -ERR_INTEGRITY);
		file[i] ^= 0x01;
		overwrite(p, file, (size_t)i);
		assert_int_equal(read_back(p->dir, 1, &entry), -ERR_INTEGRITY);
	}
	overwrite(p, file, (size_t)size);
	assert_int_equal(read_back(p->dir, 1, &entry), 0);
}

/* An old configuration under a new number would be a silent way back. */
static void test_store_refuses_a_file_under_another_number(void **state)
{
	struct place *p = *state;
	struct store_entry entry;

	save(p->dir, 1);
	assert_int_equal(renameat(p->dir, "config.00000001", p->dir, "config.00000009"), 0);
	assert_int_equal(read_back(p->dir, 9, &entry), -ERR_INTEGRITY);
}

static void test_store_keeps_the_newest_fifty(void **state)
{
	struct place *p = *state;
	uint32_t numbers[2 * STORE_KEPT];

	for (uint32_t i = 1; i <= STORE_KEPT + 5; i++)
		save(p->dir, i);
	assert_int_equal(store_list(p->dir, numbers, 2 * STORE_KEPT), STORE_KEPT);
	assert_int_equal(numbers[0], STORE_KEPT + 5);
	assert_int_equal(numbers[STORE_KEPT - 1], 6);
	assert_int_equal(store_list(p->dir, numbers, 3), 3);
	assert_int_equal(numbers[2], STORE_KEPT + 3);
}

static void test_store_looks_at_its_own_names_only(void **state)
{
	struct place *p = *state;
	static const char *const names[] = {"config.1",        "config.000000001",
					    "config.00000000", "config.00000001x",
					    "config.",         "other",
					    "staged"};
	uint32_t numbers[8];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		close(openat(p->dir, names[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_int_equal(store_list(p->dir, numbers, 8), 0);
}

static void test_store_says_when_the_disk_takes_nothing(void **state)
{
	struct place *p = *state;
	struct store_entry entry = {.number = 1, .origin = "console 0"};
	int full = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint32_t numbers[8];

	assert_int_equal(store_stage(full, &entry, span_of(TEXT)), -ERR_SYSTEM);
	assert_int_equal(store_publish(p->dir, 1), -ERR_SYSTEM); /* nothing was staged */
	assert_int_equal(store_list(p->dir, numbers, 8), 0);
	close(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_store_gives_back_what_was_saved, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_store_knows_what_persons_chose, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_store_staged_text_does_not_count, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_store_refuses_every_flipped_byte_and_truncation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_store_refuses_a_file_under_another_number,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_store_keeps_the_newest_fifty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_store_looks_at_its_own_names_only, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_store_says_when_the_disk_takes_nothing, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("config_store", tests, NULL, NULL);
}
