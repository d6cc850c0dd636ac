/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter's program, run by a small interpreter for every call number: it must allow what the
 * list names and nothing else. What the kernel does with it is test_sandbox's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/err.h"
#include "base/sandbox_filter.h"

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#else
#define OWN_ARCH AUDIT_ARCH_AARCH64
#endif
#define NUMBERS 2048 /* tried; all that exist are below 512 */
#define ROUNDS  300

static const struct sandbox_profile bare = {.name = "bare"};

/* Without arguments: all are 0. */
static const int core[] = {
	SYS_read,
	SYS_write,
	SYS_readv,
	SYS_writev,
	SYS_pread64,
	SYS_pwrite64,
	SYS_lseek,
	SYS_close,
	SYS_sendmsg,
	SYS_recvmsg,
	SYS_sendto,
	SYS_recvfrom,
	SYS_shutdown,
	SYS_getsockopt,
	SYS_getpeername,
	SYS_getsockname,
	SYS_ppoll,
	SYS_munmap,
	SYS_mremap,
	SYS_brk,
	SYS_madvise,
	SYS_clock_gettime,
	SYS_gettimeofday,
	SYS_getrandom,
	SYS_fstat,
	SYS_newfstatat,
	SYS_getpid,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_restart_syscall,
	SYS_signalfd4,
	SYS_exit,
	SYS_exit_group,
	SYS_mmap,
	SYS_mprotect,
#if defined(__x86_64__)
	SYS_poll,
	SYS_time,
#endif
};

static void build(struct sandbox_filter *f, const struct sandbox_profile *profile)
{
	assert_int_equal(sandbox_filter_build(f, profile), 0);
	assert_in_range(f->length, 1, SANDBOX_FILTER_MAX);
}

static bool compare(const struct sock_filter *i, uint32_t a)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ:
		return a == i->k;
	case BPF_JGT:
		return a > i->k;
	case BPF_JGE:
		return a >= i->k;
	case BPF_JSET:
		return (a & i->k) != 0;
	default:
		fail_msg("operation %#x is not expected", i->code);
		return false;
	}
}

/* Return: the action. A program that leaves its own bounds fails the test. */
static uint32_t run(const struct sandbox_filter *f, const struct seccomp_data *data)
{
	uint32_t a = 0;
	size_t at = 0;

	while (at < f->length) {
		const struct sock_filter *i = &f->code[at++];

		if (BPF_CLASS(i->code) == BPF_RET)
			return i->k;
		if (BPF_CLASS(i->code) == BPF_LD) {
			assert_true(i->k + sizeof(a) <= sizeof(*data));
			memcpy(&a, (const char *)data + i->k, sizeof(a));
		} else {
			at += compare(i, a) ? i->jt : i->jf;
		}
	}
	fail_msg("the program ends without an answer");
	return 0;
}

static bool allows_with(const struct sandbox_filter *f, uint32_t number, uint64_t second,
			uint64_t third)
{
	const struct seccomp_data data = {
		.nr = (int)number, .arch = OWN_ARCH, .args = {0, second, third}};
	uint32_t action = run(f, &data);

	assert_true(action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_KILL_PROCESS);
	return action == SECCOMP_RET_ALLOW;
}

static bool allows(const struct sandbox_filter *f, uint32_t number)
{
	return allows_with(f, number, 0, 0);
}

static bool is_listed(const int *calls, size_t count, uint32_t number)
{
	for (size_t i = 0; i < count; i++) {
		if ((uint32_t)calls[i] == number)
			return true;
	}
	return false;
}

/* The core and @calls, and for no number anything else. */
static void expect_exactly(const int *calls, size_t count)
{
	const struct sandbox_profile profile = {
		.name = "numbers", .syscalls = calls, .syscall_count = count};
	struct sandbox_filter f;

	build(&f, &profile);
	for (uint32_t number = 0; number < NUMBERS; number++) {
		bool expected = is_listed(core, sizeof(core) / sizeof(core[0]), number) ||
				is_listed(calls, count, number);

		if (allows(&f, number) != expected)
			fail_msg("call %u with %zu added", number, count);
		assert_false(allows(&f, number | 0x40000000)); /* x32 */
	}
	assert_false(allows(&f, UINT32_MAX));
}

static void test_sandbox_filter_allows_the_core_and_nothing_else(void **state)
{
	expect_exactly(NULL, 0);
}

/* Calls without rules of their own, in any order and amount: ranges grow, touch and join. */
static void test_sandbox_filter_allows_exactly_what_is_added(void **state)
{
	static const int edges[] = {511, 0, 510, 2, SYS_pipe2, SYS_pipe2};
	int calls[64];

	expect_exactly(edges, sizeof(edges) / sizeof(edges[0]));
	srandom(1);
	for (int round = 0; round < ROUNDS; round++) {
		size_t count = 0, wanted = (size_t)random() % 64;

		while (count < wanted) {
			int call = (int)(random() % 512);

			if (call != SYS_ioctl && call != SYS_setsockopt && call != SYS_fcntl)
				calls[count++] = call;
		}
		expect_exactly(calls, count);
	}
}

static void test_sandbox_filter_kills_other_architectures(void **state)
{
	struct seccomp_data data = {.nr = SYS_read, .arch = AUDIT_ARCH_I386};
	struct sandbox_filter f;

	build(&f, &bare);
	assert_int_equal(run(&f, &data), SECCOMP_RET_KILL_PROCESS);
}

static void test_sandbox_filter_knows_memory_that_runs(void **state)
{
	struct sandbox_filter f;

	build(&f, &bare);
	assert_true(allows_with(&f, SYS_mmap, 0, PROT_READ | PROT_WRITE));
	assert_true(allows_with(&f, SYS_mprotect, 0, PROT_READ));
	assert_false(allows_with(&f, SYS_mmap, 0, PROT_READ | PROT_EXEC));
	assert_false(allows_with(&f, SYS_mprotect, 0, PROT_EXEC));
}

/* Every request number up to 2,047 and those of terminals. */
static void expect_requests(const struct sandbox_filter *f, uint32_t call, const int *requests,
			    size_t count)
{
	for (uint32_t request = 0; request < NUMBERS; request++)
		assert_int_equal(allows_with(f, call, request, 0),
				 is_listed(requests, count, request));
	for (uint32_t request = 0x5400; request < 0x5500; request++)
		assert_int_equal(allows_with(f, call, request, 0),
				 is_listed(requests, count, request));
}

static void test_sandbox_filter_knows_each_request(void **state)
{
	static const int calls[] = {SYS_ioctl, SYS_setsockopt};
	static const struct sandbox_profile profile = {
		.name = "terminal", .syscalls = calls, .syscall_count = 2};
	static const int descriptors[] = {F_GETFD,     F_SETFD,     F_GETFL,      F_DUPFD_CLOEXEC,
					  F_GET_SEALS, F_ADD_SEALS, F_GETPIPE_SZ, F_SETPIPE_SZ};
	static const int terminal[] = {TCGETS, TCSETS,     TCSETSW,  TCSETSF, TCFLSH,
				       TCSBRK, TIOCGWINSZ, TIOCOUTQ, FIONREAD};
	struct sandbox_filter f;

	build(&f, &profile);
	expect_requests(&f, SYS_fcntl, descriptors, sizeof(descriptors) / sizeof(descriptors[0]));
	expect_requests(&f, SYS_ioctl, terminal, sizeof(terminal) / sizeof(terminal[0]));
	assert_true(allows_with(&f, SYS_setsockopt, SOL_SOCKET, SO_KEEPALIVE));
	assert_true(allows_with(&f, SYS_setsockopt, SOL_SOCKET + 1, SO_LINGER));
	assert_false(allows_with(&f, SYS_setsockopt, SOL_SOCKET, SO_LINGER));
	build(&f, &bare);
	assert_false(allows_with(&f, SYS_ioctl, TCGETS, 0));
	assert_false(allows_with(&f, SYS_setsockopt, SOL_SOCKET, SO_KEEPALIVE));
}

/* Refused, rather than a filter that allows or kills something else. */
static void test_sandbox_filter_refuses_what_it_cannot_express(void **state)
{
	static const int none[] = {-1}, beyond[] = {512};
	struct sandbox_profile profile = {.syscalls = none, .syscall_count = 1};
	int gaps[SANDBOX_SYSCALLS_MAX];
	struct sandbox_filter f;

	assert_int_equal(sandbox_filter_build(&f, &profile), -ERR_TOO_LONG);
	profile.syscalls = beyond;
	assert_int_equal(sandbox_filter_build(&f, &profile), -ERR_TOO_LONG);
	for (int i = 0; i < SANDBOX_SYSCALLS_MAX; i++)
		gaps[i] = 2 * i + 100;
	profile = (struct sandbox_profile){.syscalls = gaps, .syscall_count = SANDBOX_SYSCALLS_MAX};
	assert_int_equal(sandbox_filter_build(&f, &profile), -ERR_TOO_LONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sandbox_filter_allows_the_core_and_nothing_else),
		cmocka_unit_test(test_sandbox_filter_allows_exactly_what_is_added),
		cmocka_unit_test(test_sandbox_filter_kills_other_architectures),
		cmocka_unit_test(test_sandbox_filter_knows_memory_that_runs),
		cmocka_unit_test(test_sandbox_filter_knows_each_request),
		cmocka_unit_test(test_sandbox_filter_refuses_what_it_cannot_express),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
