/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sealed memfds: what lacks any one seal, and what is no memfd, is refused. */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sealed.h"

#define SEALS_ALL (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static const char content[] = "nobody changes this";

static int memfd_with(int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, sizeof(content)), sizeof(content));
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void test_sealed_check_accepts_what_sealed_make_made(void **state)
{
	uint64_t size_bytes = 0;
	int fd = -1;

	assert_int_equal(sealed_make("test",
				     (struct span){(const uint8_t *)content, sizeof(content)}, &fd),
			 0);
	assert_int_equal(sealed_check(fd, &size_bytes), 0);
	assert_int_equal(size_bytes, sizeof(content));
	assert_true(write(fd, content, 1) < 0);
	assert_true(ftruncate(fd, 1) < 0);
	close(fd);
}

static void test_sealed_check_refuses_without_any_one_seal(void **state)
{
	static const int seals[] = {F_SEAL_WRITE, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_SEAL};

	for (size_t i = 0; i < sizeof(seals) / sizeof(seals[0]); i++) {
		uint64_t size_bytes = 7;
		int fd = memfd_with(SEALS_ALL & ~seals[i]);

		assert_int_equal(sealed_check(fd, &size_bytes), -ERR_INTEGRITY);
		assert_int_equal(size_bytes, 7);
		close(fd);
	}
}

/* One that can still be written through a mapping cannot be sealed at all. */
static void test_sealed_check_refuses_a_mapped_memfd(void **state)
{
	uint64_t size_bytes;
	int fd = memfd_with(F_SEAL_SHRINK | F_SEAL_GROW);
	void *page = mmap(NULL, sizeof(content), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	assert_true(page != MAP_FAILED);
	assert_true(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL) < 0);
	assert_int_equal(sealed_check(fd, &size_bytes), -ERR_INTEGRITY);
	munmap(page, sizeof(content));
	close(fd);
}

static void test_sealed_check_refuses_what_is_no_memfd(void **state)
{
	char path[] = "/tmp/sealed-XXXXXX";
	uint64_t size_bytes;
	int pipe_fds[2], file = mkstemp(path), null = open("/dev/null", O_RDONLY),
			 directory = open("/", O_RDONLY | O_DIRECTORY);

	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(sealed_check(pipe_fds[0], &size_bytes), -ERR_INTEGRITY);
	assert_int_equal(sealed_check(file, &size_bytes), -ERR_INTEGRITY);
	assert_int_equal(sealed_check(null, &size_bytes), -ERR_INTEGRITY);
	assert_int_equal(sealed_check(directory, &size_bytes), -ERR_INTEGRITY);
	assert_int_equal(sealed_check(-1, &size_bytes), -ERR_INTEGRITY);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(file);
	close(null);
	close(directory);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sealed_check_accepts_what_sealed_make_made),
		cmocka_unit_test(test_sealed_check_refuses_without_any_one_seal),
		cmocka_unit_test(test_sealed_check_refuses_a_mapped_memfd),
		cmocka_unit_test(test_sealed_check_refuses_what_is_no_memfd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
