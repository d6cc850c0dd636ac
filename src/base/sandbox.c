/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Seccomp and Landlock. The filter is generated here from a list: a few instructions a call, no
 * library, no parsing.
 */
#include "base/sandbox.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"

#define FILTER_MAX 512 /* instructions */

#if defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#else
#error "no system call filter for this architecture"
#endif

/* Allowed for every program, whatever the arguments. */
static const int core_calls[] = {
	SYS_read,          SYS_write,          SYS_readv,        SYS_writev,
	SYS_pread64,       SYS_pwrite64,       SYS_lseek,        SYS_close,
	SYS_sendmsg,       SYS_recvmsg,        SYS_sendto,       SYS_recvfrom,
	SYS_shutdown,      SYS_getsockopt,     SYS_getpeername,  SYS_getsockname,
	SYS_ppoll,
#ifdef SYS_poll
	SYS_poll,
#endif
	SYS_munmap,        SYS_mremap,         SYS_brk,          SYS_madvise,
	SYS_clock_gettime, SYS_gettimeofday,
#ifdef SYS_time
	SYS_time,
#endif
	SYS_getrandom,     SYS_fstat,          SYS_newfstatat,   SYS_getpid,
	SYS_rt_sigaction,  SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_restart_syscall,
	SYS_signalfd4,     SYS_exit,           SYS_exit_group,
};

/* fcntl is always allowed with these and kills with any other. */
static const unsigned fcntl_requests[] = {
	F_GETFD,     F_SETFD,     F_GETFL,      F_SETFL,      F_DUPFD_CLOEXEC,
	F_GET_SEALS, F_ADD_SEALS, F_GETPIPE_SZ, F_SETPIPE_SZ,
};

/*
 * ioctl needs the profile's leave, and then knows a terminal's settings and nothing else (no
 * TIOCSTI, no TIOCLINUX).
 */
static const unsigned ioctl_requests[] = {TCGETS, TCSETS,     TCSETSW,  TCSETSF, TCFLSH,
					  TCSBRK, TIOCGWINSZ, TIOCOUTQ, FIONREAD};

/* For profiles that keep files: Landlock comes after the directories have arrived. */
static const int landlock_calls[] = {SYS_landlock_create_ruleset, SYS_landlock_add_rule,
				     SYS_landlock_restrict_self};

struct filter {
	struct sock_filter code[FILTER_MAX];
	unsigned short length;
	bool failed;
};

static void emit(struct filter *f, uint16_t code, uint32_t k, uint8_t jump_true, uint8_t jump_false)
{
	if (f->length == FILTER_MAX) {
		f->failed = true;
		return;
	}
	f->code[f->length++] = (struct sock_filter)BPF_JUMP(code, k, jump_true, jump_false);
}

static void emit_load(struct filter *f, size_t offset)
{
	emit(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void emit_return(struct filter *f, uint32_t action)
{
	emit(f, BPF_RET | BPF_K, action, 0, 0);
}

/* The accumulator equals @value: allow; otherwise go on. */
static void emit_allow_equal(struct filter *f, uint32_t value)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	emit_return(f, SECCOMP_RET_ALLOW);
}

/*
 * The low half of an argument; the kernel itself looks only at that for the ones that are checked
 * here.
 */
static size_t argument_offset(unsigned index)
{
	_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "offset of the low half");
	return offsetof(struct seccomp_data, args) + index * sizeof(uint64_t);
}

/* The call number is in the accumulator before and, where the call is another one, after. */
static void emit_memory_rule(struct filter *f, int call)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 4);
	emit_load(f, argument_offset(2));
	emit(f, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0);
	emit_return(f, SECCOMP_RET_ALLOW);
	emit_return(f, SECCOMP_RET_KILL_PROCESS);
}

static void emit_request_rule(struct filter *f, int call, const unsigned *requests, size_t count)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, (uint8_t)(2 + 2 * count));
	emit_load(f, argument_offset(1));
	for (size_t i = 0; i < count; i++)
		emit_allow_equal(f, requests[i]);
	emit_return(f, SECCOMP_RET_KILL_PROCESS);
}

/*
 * No lingering sockets: whoever closes the last copy of one, such as the supervisor that was sent
 * it, would wait for its peer.
 */
static void emit_socket_option_rule(struct filter *f)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, SYS_setsockopt, 0, 6);
	emit_load(f, argument_offset(1));
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, SOL_SOCKET, 0, 2);
	emit_load(f, argument_offset(2));
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, SO_LINGER, 1, 0);
	emit_return(f, SECCOMP_RET_ALLOW);
	emit_return(f, SECCOMP_RET_KILL_PROCESS);
}

static void emit_calls(struct filter *f, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		emit_allow_equal(f, (uint32_t)calls[i]);
}

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void build_filter(struct filter *f, const struct sandbox_profile *profile)
{
	f->length = 0;
	f->failed = false;
	emit_load(f, offsetof(struct seccomp_data, arch));
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, FILTER_ARCH, 1, 0);
	emit_return(f, SECCOMP_RET_KILL_PROCESS);
	emit_load(f, offsetof(struct seccomp_data, nr));
	emit_memory_rule(f, SYS_mmap);
	emit_memory_rule(f, SYS_mprotect);
	emit_request_rule(f, SYS_fcntl, fcntl_requests, COUNT_OF(fcntl_requests));
	for (size_t i = 0; i < profile->syscall_count; i++) {
		if (profile->syscalls[i] == SYS_ioctl)
			emit_request_rule(f, SYS_ioctl, ioctl_requests, COUNT_OF(ioctl_requests));
		else if (profile->syscalls[i] == SYS_setsockopt)
			emit_socket_option_rule(f);
		else
			emit_allow_equal(f, (uint32_t)profile->syscalls[i]);
	}
	if (profile->keeps_files)
		emit_calls(f, landlock_calls, COUNT_OF(landlock_calls));
	emit_calls(f, core_calls, COUNT_OF(core_calls));
	emit_return(f,
		    SECCOMP_RET_KILL_PROCESS); /* also every x32 call: its number has bit 30 set */
}

static int lock_calls(const struct sandbox_profile *profile)
{
	struct filter f;
	struct sock_fprog program;

	if (profile->syscall_count > SANDBOX_SYSCALLS_MAX)
		return -ERR_TOO_LONG;
	build_filter(&f, profile);
	if (f.failed)
		return -ERR_TOO_LONG;
	program = (struct sock_fprog){.len = f.length, .filter = f.code};
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -ERR_SYSTEM : 0;
}

bool sandbox_has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

int sandbox_files_begin(struct sandbox_files *files)
{
	/* Rights by ABI version: each version handles all of the earlier ones (landlock(7)). */
	static const uint64_t fs_rights[] = {0, 0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff};
	struct landlock_ruleset_attr attr = {0};
	size_t size = sizeof(attr.handled_access_fs);
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	files->ruleset = -1;
	if (abi < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -ERR_SYSTEM;
	attr.handled_access_fs = fs_rights[abi < 5 ? abi : 5];
	if (abi >= 4) {
		attr.handled_access_net =
			LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP;
		size = offsetof(struct landlock_ruleset_attr, handled_access_net) +
		       sizeof(attr.handled_access_net);
	}
	if (abi >= 6) {
		attr.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL;
		size = sizeof(attr);
	}
	files->ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	return files->ruleset < 0 ? -ERR_SYSTEM : 0;
}

int sandbox_files_allow(struct sandbox_files *files, int directory)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
				  LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
				  LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
				  LANDLOCK_ACCESS_FS_REMOVE_DIR,
		.parent_fd = directory,
	};
	long abi;

	if (files->ruleset < 0)
		return 0;
	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi >= 3)
		rule.allowed_access |= LANDLOCK_ACCESS_FS_TRUNCATE;
	return syscall(SYS_landlock_add_rule, files->ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule,
		       0) < 0
		       ? -ERR_SYSTEM
		       : 0;
}

int sandbox_files_lock(struct sandbox_files *files)
{
	int err = 0;

	if (files->ruleset < 0)
		return 0;
	if (syscall(SYS_landlock_restrict_self, files->ruleset, 0) < 0)
		err = -ERR_SYSTEM;
	(void)close(files->ruleset); /* a ruleset holds nothing that could fail to be written */
	files->ruleset = -1;
	return err;
}

int sandbox_lock(const struct sandbox_profile *profile)
{
	struct sandbox_files files;
	int err;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -ERR_SYSTEM;
	if (!profile->keeps_files) {
		err = sandbox_files_begin(&files);
		if (err == 0)
			err = sandbox_files_lock(&files);
		if (err < 0)
			return err;
	}
	return lock_calls(profile);
}
