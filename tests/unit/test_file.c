/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that are replaced whole (L3): whatever a write, an fsync, a close or a rename comes to, a
 * name has the old content or the new one, and the caller hears of it.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "place.h"

#define KIND "sekisho-trial"
#define OLD  "the old content\n"
#define NEW  "the new content, which is longer\nand has two lines\n"

ssize_t __real_write(int fd, const void *data, size_t size);
int __real_fsync(int fd);
int __real_renameat(int from, const char *old, int to, const char *new);
int __real_close(int fd);
ssize_t __wrap_write(int fd, const void *data, size_t size);
int __wrap_fsync(int fd);
int __wrap_renameat(int from, const char *old, int to, const char *new);
int __wrap_close(int fd);

/* What the system calls do: each counter says which call of its kind fails, from 1; 0: none. */
static struct {
	unsigned write_fails, fsync_fails, rename_fails, close_fails;
	size_t write_most; /* a write takes at most so many bytes; 0: all */
	bool interrupted;  /* the first write is, once */
	int error;
	char order[16]; /* w, s, r, c: what was called, in order */
} faults;

static void note(char what)
{
	size_t used = strlen(faults.order);

	if (used < sizeof(faults.order) - 1 && (used == 0 || faults.order[used - 1] != what))
		faults.order[used] = what;
}

static bool now_fails(unsigned *countdown)
{
	if (*countdown == 0 || --*countdown > 0)
		return false;
	errno = faults.error;
	return true;
}

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
	note('w');
	if (faults.interrupted) {
		faults.interrupted = false;
		errno = EINTR;
		return -1;
	}
	if (now_fails(&faults.write_fails))
		return faults.error == 0 ? 0 : -1;
	return __real_write(fd, data,
			    faults.write_most > 0 && size > faults.write_most ? faults.write_most
									      : size);
}

int __wrap_fsync(int fd)
{
	note('s');
	return now_fails(&faults.fsync_fails) ? -1 : __real_fsync(fd);
}

int __wrap_renameat(int from, const char *old, int to, const char *new)
{
	note('r');
	return now_fails(&faults.rename_fails) ? -1 : __real_renameat(from, old, to, new);
}

/* A close that fails has closed nevertheless (Linux). */
int __wrap_close(int fd)
{
	int closed = __real_close(fd);

	return now_fails(&faults.close_fails) ? -1 : closed;
}

static struct place place;

static int setup(void **state)
{
	memset(&faults, 0, sizeof(faults));
	place_open(&place);
	*state = &place;
	return 0;
}

static int teardown(void **state)
{
	place_close(&place);
	return 0;
}

/* Whether "name" has this content and its checksum fits. */
static bool holds(const struct place *p, const char *want)
{
	struct bytes file;
	struct span content;
	bool same;

	bytes_init(&file, 4096);
	assert_int_equal(file_read(p->dir, "name", &file), 0);
	assert_int_equal(file_check(bytes_span(&file), KIND, &content), 0);
	same = span_equal(content, span_of(want));
	bytes_fini(&file);
	return same;
}

static int replace(const struct place *p, const char *content)
{
	return file_replace(p->dir, "name", KIND, span_of(content));
}

static void test_file_replace_is_synced_before_and_after_its_name_changes(void **state)
{
	struct place *p = *state;

	assert_int_equal(replace(p, OLD), 0);
	assert_true(holds(p, OLD));
	assert_string_equal(faults.order, "wsrs");
	assert_int_equal(replace(p, NEW), 0);
	assert_true(holds(p, NEW));
}

static void test_file_replace_without_a_kind_is_the_content_alone(void **state)
{
	struct place *p = *state;
	struct bytes file;

	bytes_init(&file, 64);
	assert_int_equal(file_replace(p->dir, "name", NULL, span_of(OLD)), 0);
	assert_int_equal(file_read(p->dir, "name", &file), 0);
	assert_true(span_equal(bytes_span(&file), span_of(OLD)));
	bytes_fini(&file);
}

static void test_file_replace_goes_on_after_short_and_interrupted_writes(void **state)
{
	struct place *p = *state;

	faults.write_most = 3;
	faults.interrupted = true;
	assert_int_equal(replace(p, NEW), 0);
	assert_true(holds(p, NEW));
}

struct fault {
	unsigned write_fails, fsync_fails, close_fails, rename_fails;
	int error;
	int answer;
};

/* Every fault before the rename, at each write of a short-writing disk. */
static void test_file_replace_keeps_the_old_when_a_call_fails(void **state)
{
	static const struct fault kinds[] = {
		{.write_fails = 1, .error = ENOSPC, .answer = -ERR_NO_SPACE},
		{.write_fails = 1, .error = EDQUOT, .answer = -ERR_NO_SPACE},
		{.write_fails = 2, .error = EIO, .answer = -ERR_SYSTEM},
		{.write_fails = 5, .error = ENOSPC, .answer = -ERR_NO_SPACE},
		{.write_fails = 5, .error = 0, .answer = -ERR_SYSTEM}, /* takes nothing */
		{.fsync_fails = 1, .error = EIO, .answer = -ERR_SYSTEM},
		{.fsync_fails = 1, .error = ENOSPC, .answer = -ERR_NO_SPACE},
		{.close_fails = 1, .error = EDQUOT, .answer = -ERR_NO_SPACE},
		{.rename_fails = 1, .error = EIO, .answer = -ERR_SYSTEM},
	};
	struct place *p = *state;

	assert_int_equal(replace(p, OLD), 0);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		faults.write_most = 20;
		faults.write_fails = kinds[i].write_fails;
		faults.fsync_fails = kinds[i].fsync_fails;
		faults.close_fails = kinds[i].close_fails;
		faults.rename_fails = kinds[i].rename_fails;
		faults.error = kinds[i].error;
		assert_int_equal(replace(p, NEW), kinds[i].answer);
		memset(&faults, 0, sizeof(faults));
		assert_true(holds(p, OLD));
		if (kinds[i].rename_fails == 0) /* nothing of it takes room on the disk */
			assert_int_equal(faccessat(p->dir, FILE_STAGED, F_OK, 0), -1);
	}
	assert_int_equal(replace(p, NEW), 0); /* and nothing is in the way of the next */
	assert_true(holds(p, NEW));
}

/* Renamed, but the directory not on the disk: whole either way, and never said to be safe. */
static void test_file_replace_says_when_the_directory_cannot_be_synced(void **state)
{
	struct place *p = *state;

	assert_int_equal(replace(p, OLD), 0);
	faults.fsync_fails = 2;
	faults.error = EIO;
	assert_int_equal(replace(p, NEW), -ERR_SYSTEM);
	assert_true(holds(p, NEW));
}

static void test_file_stage_touches_nothing_that_has_a_name(void **state)
{
	struct place *p = *state;

	assert_int_equal(replace(p, OLD), 0);
	assert_int_equal(file_stage(p->dir, KIND, span_of(NEW)), 0);
	assert_true(holds(p, OLD));
	assert_int_equal(file_publish(p->dir, "name"), 0);
	assert_true(holds(p, NEW));
	assert_int_equal(file_publish(p->dir, "name"), -ERR_SYSTEM); /* nothing is staged */
	assert_true(holds(p, NEW));
}

static void test_file_check_refuses_every_flipped_bit_and_truncation(void **state)
{
	struct place *p = *state;
	struct bytes file;
	struct span content;

	bytes_init(&file, 4096);
	assert_int_equal(replace(p, NEW), 0);
	assert_int_equal(file_read(p->dir, "name", &file), 0);
	for (size_t i = 0; i < file.size; i++) {
		assert_int_equal(file_check((struct span){file.data, i}, KIND, &content),
				 -ERR_INTEGRITY);
		for (unsigned bit = 0; bit < 8; bit++) {
			file.data[i] ^= (uint8_t)(1U << bit);
			assert_int_equal(file_check(bytes_span(&file), KIND, &content),
					 -ERR_INTEGRITY);
			file.data[i] ^= (uint8_t)(1U << bit);
		}
	}
	assert_int_equal(file_check(bytes_span(&file), KIND, &content), 0);
	assert_int_equal(file_check(bytes_span(&file), "sekisho-other", &content), -ERR_INTEGRITY);
	bytes_fini(&file);
}

static void test_file_read_says_what_it_cannot_do(void **state)
{
	struct place *p = *state;
	struct bytes file;

	assert_int_equal(replace(p, NEW), 0);
	bytes_init(&file, 10);
	assert_int_equal(file_read(p->dir, "name", &file), -ERR_TOO_LONG);
	assert_int_equal(file_read(p->dir, "none", &file), -ERR_NOT_FOUND);
	assert_int_equal(symlinkat("name", p->dir, "link"), 0);
	assert_int_equal(file_read(p->dir, "link", &file), -ERR_SYSTEM);
	assert_int_equal(file_read(p->dir, ".", &file), -ERR_SYSTEM);
	bytes_fini(&file);
}

static int take_number(const char *line, int64_t *out)
{
	struct span rest = span_of(line);

	return file_take_number(&rest, "number", out);
}

static void test_file_take_number_takes_a_number_and_no_more(void **state)
{
	static const char *const bad[] = {"",
					  "number 1",
					  "number \n",
					  "number x\n",
					  "number 1x\n",
					  "numbers 1\n",
					  "number1\n",
					  "number 000000000000000000000001\n"};
	int64_t number = 0;

	assert_int_equal(take_number("number 0\n", &number), 0);
	assert_int_equal(number, 0);
	assert_int_equal(take_number("number -9223372036854775808\nmore\n", &number), 0);
	assert_true(number == INT64_MIN);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(take_number(bad[i], &number), -ERR_INTEGRITY);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_file_replace_is_synced_before_and_after_its_name_changes),
		TEST(test_file_replace_without_a_kind_is_the_content_alone),
		TEST(test_file_replace_goes_on_after_short_and_interrupted_writes),
		TEST(test_file_replace_keeps_the_old_when_a_call_fails),
		TEST(test_file_replace_says_when_the_directory_cannot_be_synced),
		TEST(test_file_stage_touches_nothing_that_has_a_name),
		TEST(test_file_check_refuses_every_flipped_bit_and_truncation),
		TEST(test_file_read_says_what_it_cannot_do),
		TEST(test_file_take_number_takes_a_number_and_no_more),
#undef TEST
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
