/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared memory goes one way: its size stays, and whoever reads it has no way to write. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/shared.h"

enum { SIZE = 3 * 4096 };

static int fds[SHARED_WAY_COUNT_];

static int setup(void **state)
{
	assert_int_equal(shared_make("test", SIZE, fds), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)close(fds[SHARED_WRITE]);
	(void)close(fds[SHARED_READ]);
	return 0;
}

static void test_shared_map_shows_the_reader_what_is_written(void **state)
{
	void *written, *read;

	assert_int_equal(shared_map(fds[SHARED_WRITE], SIZE, SHARED_WRITE, &written), 0);
	assert_int_equal(shared_map(fds[SHARED_READ], SIZE, SHARED_READ, &read), 0);
	assert_int_equal(((uint8_t *)read)[SIZE - 1], 0);
	memset(written, 7, SIZE);
	assert_memory_equal(read, written, SIZE);
	assert_int_equal(munmap(written, SIZE), 0);
	assert_int_equal(munmap(read, SIZE), 0);
}

static void test_shared_make_gives_the_reader_no_way_to_write(void **state)
{
	uint8_t byte = 1;

	assert_int_equal(pwrite(fds[SHARED_READ], &byte, 1, 0), -1);
	assert_ptr_equal(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fds[SHARED_READ], 0),
			 MAP_FAILED);
	assert_int_equal(errno, EACCES);
}

/* What a reader of another user gets who opens its descriptor anew, to write. */
static int open_anew(int fd)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (setresuid(65534, 65534, 65534) != 0)
		return -1;
	return open(path, O_RDWR | O_CLOEXEC) >= 0 ? 0 : errno;
}

static void test_shared_make_gives_another_user_no_way_to_open_it_to_write(void **state)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(open_anew(fds[SHARED_READ]));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EACCES);
}

static void test_shared_map_gives_the_reader_a_mapping_that_stays_one(void **state)
{
	void *read;

	assert_int_equal(shared_map(fds[SHARED_READ], SIZE, SHARED_READ, &read), 0);
	assert_int_equal(mprotect(read, SIZE, PROT_READ | PROT_WRITE), -1);
	assert_int_equal(munmap(read, SIZE), 0);
}

static void test_shared_make_keeps_the_size(void **state)
{
	assert_int_equal(ftruncate(fds[SHARED_WRITE], 4096), -1);
	assert_int_equal(ftruncate(fds[SHARED_WRITE], SIZE + 4096), -1);
}

static void test_shared_map_refuses_the_other_way_or_size(void **state)
{
	void *out = NULL;

	assert_int_equal(shared_map(fds[SHARED_WRITE], SIZE, SHARED_READ, &out), -ERR_INTEGRITY);
	assert_int_equal(shared_map(fds[SHARED_READ], SIZE, SHARED_WRITE, &out), -ERR_INTEGRITY);
	assert_int_equal(shared_map(fds[SHARED_READ], SIZE - 1, SHARED_READ, &out), -ERR_INTEGRITY);
	assert_int_equal(shared_map(fds[SHARED_READ], SIZE + 1, SHARED_READ, &out), -ERR_INTEGRITY);
	assert_null(out);
}

static void test_shared_map_refuses_what_may_shrink_or_grow(void **state)
{
	static const int seals[] = {F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_SEAL};
	void *out;

	for (size_t i = 0; i < sizeof(seals) / sizeof(seals[0]); i++) {
		int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		int others = (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) & ~seals[i];

		assert_int_equal(ftruncate(fd, SIZE), 0);
		assert_int_equal(fcntl(fd, F_ADD_SEALS, others), 0);
		assert_int_equal(shared_map(fd, SIZE, SHARED_WRITE, &out), -ERR_INTEGRITY);
		(void)close(fd);
	}
	assert_int_equal(shared_map(STDIN_FILENO, SIZE, SHARED_WRITE, &out), -ERR_INTEGRITY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_shared_map_shows_the_reader_what_is_written,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_shared_make_gives_the_reader_no_way_to_write,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_shared_make_gives_another_user_no_way_to_open_it_to_write, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_shared_map_gives_the_reader_a_mapping_that_stays_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shared_make_keeps_the_size, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shared_map_refuses_the_other_way_or_size,
						setup, teardown),
		cmocka_unit_test(test_shared_map_refuses_what_may_shrink_or_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
