/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sandbox: each forbidden act, in a child of its own, must end it by SIGSYS; allowed ones must
 * not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"

enum { OUTCOME_ALLOWED = 0, OUTCOME_LOCK_FAILED = 77 };

static const struct sandbox_profile bare = {.name = "bare"};

/* Run @act locked by @profile; the wait status. */
static int run_locked(const struct sandbox_profile *profile, int (*act)(void))
{
	pid_t pid = fork();
	int status = -1;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit none = {0};

		setrlimit(RLIMIT_CORE, &none);
		/* Not _exit: the sanitizer's preparation of it makes calls of its own. */
		syscall(SYS_exit_group, sandbox_lock(profile) < 0 ? OUTCOME_LOCK_FAILED : act());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void expect_killed(const struct sandbox_profile *profile, int (*act)(void))
{
	int status = run_locked(profile, act);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void expect_status(const struct sandbox_profile *profile, int (*act)(void), int expected)
{
	int status = run_locked(profile, act);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
}

static int act_socket(void)
{
	return (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0) < 0;
}

static int act_open(void)
{
	return (int)syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY) < 0;
}

static int act_exec(void)
{
	char *const argv[] = {NULL};

	return (int)syscall(SYS_execve, "/bin/sh", argv, argv);
}

static int act_fork(void)
{
	return (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) < 0;
}

static int act_kill(void)
{
	return (int)syscall(SYS_kill, getppid(), 0);
}

static int act_map_executable(void)
{
	return (int)(syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0);
}

static int act_make_executable(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0;
}

static int act_fcntl_owner(void)
{
	return fcntl(STDERR_FILENO, F_SETOWN, 1) < 0;
}

/* What is there to be appended to becomes something to be written over. */
static int act_fcntl_flags(void)
{
	return fcntl(STDERR_FILENO, F_SETFL, 0) < 0;
}

static int act_tty_inject(void)
{
	return syscall(SYS_ioctl, STDERR_FILENO, 0x5412 /* TIOCSTI */, "x") < 0;
}

static int act_linger(void)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 3600};

	return setsockopt(STDERR_FILENO, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) < 0;
}

/* Fails, for what it is done to is no socket, but may be tried. */
static int act_socket_options(void)
{
	const int on = 1;

	return setsockopt(STDERR_FILENO, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) >= 0 ||
	       setsockopt(STDERR_FILENO, IPPROTO_TCP, SO_LINGER, &on, sizeof(on)) >= 0;
}

#if defined(__x86_64__)
static int act_x32(void)
{
	return (int)syscall(0x40000000 + SYS_read, 0, NULL, 0);
}

static int act_int80(void)
{
	long result;

	/* 32-bit entry, number 20 (getpid there): another architecture to seccomp. */
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
	return (int)result < 0;
}
#endif

static int act_ordinary(void)
{
	int fds[2] = {-1, -1};
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED || mprotect(page, 4096, PROT_READ) < 0 || munmap(page, 4096) < 0)
		return 1;
	if (write(STDERR_FILENO, "", 0) < 0 || fcntl(STDERR_FILENO, F_GETFL) < 0)
		return 2;
	if (read(fds[0], page, 1) >= 0)
		return 3;
	return getpid() > 1 ? 0 : 4;
}

static int act_pipe(void)
{
	int fds[2];

	return (int)syscall(SYS_pipe2, fds, O_CLOEXEC) < 0;
}

static void test_sandbox_kills_on_each_forbidden_act(void **state)
{
	int (*const acts[])(void) = {
		act_socket,
		act_open,
		act_exec,
		act_fork,
		act_kill,
		act_map_executable,
		act_make_executable,
		act_fcntl_owner,
		act_fcntl_flags,
		act_tty_inject,
		act_pipe,
#if defined(__x86_64__)
		act_x32,
		act_int80,
#endif
	};

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		expect_killed(&bare, acts[i]);
}

static void test_sandbox_allows_the_core(void **state)
{
	expect_status(&bare, act_ordinary, OUTCOME_ALLOWED);
}

static void test_sandbox_allows_what_the_profile_adds(void **state)
{
	static const int calls[] = {SYS_pipe2};
	static const struct sandbox_profile profile = {
		.name = "pipes", .syscalls = calls, .syscall_count = 1};

	expect_status(&profile, act_pipe, OUTCOME_ALLOWED);
	expect_killed(&profile, act_socket);
}

static void test_sandbox_ioctl_in_profile_still_refuses_injection(void **state)
{
	static const int calls[] = {SYS_ioctl};
	static const struct sandbox_profile profile = {
		.name = "tty", .syscalls = calls, .syscall_count = 1};

	expect_killed(&profile, act_tty_inject);
}

static void test_sandbox_setsockopt_in_profile_still_refuses_lingering(void **state)
{
	static const int calls[] = {SYS_setsockopt};
	static const struct sandbox_profile profile = {
		.name = "options", .syscalls = calls, .syscall_count = 1};

	expect_killed(&profile, act_linger);
	expect_status(&profile, act_socket_options, OUTCOME_ALLOWED);
	expect_killed(&profile, act_socket);
}

static void test_sandbox_refuses_a_profile_past_its_limit(void **state)
{
	static const int calls[SANDBOX_SYSCALLS_MAX + 1];
	static const struct sandbox_profile profile = {
		.name = "large", .syscalls = calls, .syscall_count = SANDBOX_SYSCALLS_MAX + 1};

	expect_status(&profile, act_ordinary, OUTCOME_LOCK_FAILED);
}

static char inside[] = "/tmp/sandbox-inside-XXXXXX";
static int inside_fd;

static int act_files(void)
{
	struct sandbox_files files;

	if (sandbox_files_begin(&files) < 0 || files.ruleset < 0)
		return 9; /* no Landlock here */
	if (sandbox_files_allow(&files, inside_fd) < 0 || sandbox_files_lock(&files) < 0)
		return 1;
	if (syscall(SYS_openat, inside_fd, "log", O_RDWR | O_CREAT, 0600) < 0)
		return 2;
	if (syscall(SYS_openat, inside_fd, "../../etc/passwd", O_RDONLY) >= 0)
		return 3; /* the way out */
	return 0;
}

static void test_sandbox_files_stay_below_their_directory(void **state)
{
	static const int calls[] = {SYS_openat};
	static const struct sandbox_profile profile = {
		.name = "files", .syscalls = calls, .syscall_count = 1, .keeps_files = true};
	int status;

	assert_non_null(mkdtemp(inside));
	inside_fd = open(inside, O_RDONLY | O_DIRECTORY);
	assert_true(inside_fd >= 0);
	status = run_locked(&profile, act_files);
	unlinkat(inside_fd, "log", 0);
	close(inside_fd);
	rmdir(inside);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 9)
		skip(); /* this kernel has no Landlock */
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sandbox_kills_on_each_forbidden_act),
		cmocka_unit_test(test_sandbox_allows_the_core),
		cmocka_unit_test(test_sandbox_allows_what_the_profile_adds),
		cmocka_unit_test(test_sandbox_ioctl_in_profile_still_refuses_injection),
		cmocka_unit_test(test_sandbox_setsockopt_in_profile_still_refuses_lingering),
		cmocka_unit_test(test_sandbox_refuses_a_profile_past_its_limit),
		cmocka_unit_test(test_sandbox_files_stay_below_their_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
