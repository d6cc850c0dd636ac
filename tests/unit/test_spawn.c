/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a child of the supervisor sees of its memory before it executes its program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/spawn.h"

#define PAGES 4

/* Asked of the kernel, in a child: a hidden page is not mapped there. */
static bool child_has(const uint8_t *page, size_t page_bytes)
{
	pid_t pid = fork();
	unsigned char resident;
	int status = -1;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(mincore((void *)(uintptr_t)page, page_bytes, &resident) == 0 ? 0
		      : errno == ENOMEM                                            ? 1
										   : 2);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_in_range(WEXITSTATUS(status), 0, 1);
	return WEXITSTATUS(status) == 0;
}

/* The pages at both ends are shared with something else, which the child needs. */
static void test_spawn_hides_whole_pages_only(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *memory = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	spawn_hide(memory + page - 8, 2 * page + 16);
	assert_true(child_has(memory, page));
	assert_false(child_has(memory + page, page));
	assert_false(child_has(memory + 2 * page, page));
	assert_true(child_has(memory + 3 * page, page));
	memory[2 * page] = 1; /* ours as ever */
	assert_int_equal(munmap(memory, PAGES * page), 0);
}

static void test_spawn_hides_nothing_where_there_is_no_whole_page(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *memory =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	spawn_hide(memory + 8, 16);
	spawn_hide(memory + 8, page);
	assert_true(child_has(memory, page));
	assert_true(child_has(memory + page, page));
	assert_int_equal(munmap(memory, 2 * page), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spawn_hides_whole_pages_only),
		cmocka_unit_test(test_spawn_hides_nothing_where_there_is_no_whole_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
