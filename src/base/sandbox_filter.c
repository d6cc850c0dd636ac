/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a list of system calls to a filter: a few argument checks, then a binary search. */
#include "base/sandbox_filter.h"

#include <asm/ioctls.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/err.h"

#define CALLS_MAX  512 /* numbers; each architecture has fewer, in one dense table */
#define RANGES_MAX (CALLS_MAX / 2)

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

/* fcntl is always allowed with these and kills with any other: F_SETFL would make a file that is
 * there to be appended to (a recording, a capture) one to be written over. */
static const unsigned fcntl_requests[] = {
	F_GETFD,     F_SETFD,     F_GETFL,      F_DUPFD_CLOEXEC,
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

/* Numbers that follow each other without a gap and are all allowed. */
struct range {
	uint32_t first, last;
};

struct call_set {
	bool allowed[CALLS_MAX];
	struct range ranges[RANGES_MAX]; /* ascending, at least one number apart */
	size_t range_count;
	bool failed;
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void set_add(struct call_set *set, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		/* These have rules of their own. */
		if (calls[i] == SYS_ioctl || calls[i] == SYS_setsockopt)
			continue;
		if (calls[i] < 0 || calls[i] >= CALLS_MAX)
			set->failed = true;
		else
			set->allowed[calls[i]] = true;
	}
}

static void set_find_ranges(struct call_set *set)
{
	for (uint32_t call = 0; call < CALLS_MAX; call++) {
		if (!set->allowed[call])
			continue;
		if (call == 0 || !set->allowed[call - 1])
			set->ranges[set->range_count++].first = call;
		set->ranges[set->range_count - 1].last = call;
	}
}

static bool adds(const struct sandbox_profile *profile, int call)
{
	for (size_t i = 0; i < profile->syscall_count; i++) {
		if (profile->syscalls[i] == call)
			return true;
	}
	return false;
}

/* Jumps count the instructions between; the kernel's have eight bits. */
static void emit(struct sandbox_filter *f, uint16_t code, uint32_t k, size_t jump_true,
		 size_t jump_false)
{
	if (f->length == SANDBOX_FILTER_MAX || jump_true > UINT8_MAX || jump_false > UINT8_MAX) {
		f->failed = true;
		return;
	}
	f->code[f->length++] =
		(struct sock_filter)BPF_JUMP(code, k, (uint8_t)jump_true, (uint8_t)jump_false);
}

static void emit_load(struct sandbox_filter *f, size_t offset)
{
	emit(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* Where every check ends: one instruction on allows, the next one kills. */
static void emit_ends(struct sandbox_filter *f)
{
	emit(f, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	emit(f, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
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
static void emit_memory_rule(struct sandbox_filter *f, int call)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 4);
	emit_load(f, argument_offset(2));
	emit(f, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0);
	emit_ends(f);
}

/* @count: at least 1. */
static void emit_request_rule(struct sandbox_filter *f, int call, const unsigned *requests,
			      size_t count)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, count + 3);
	emit_load(f, argument_offset(1));
	for (size_t i = 0; i < count; i++) {
		size_t others = count - 1 - i;

		emit(f, BPF_JMP | BPF_JEQ | BPF_K, requests[i], others, others == 0);
	}
	emit_ends(f);
}

/*
 * No lingering sockets: whoever closes the last copy of one, such as the supervisor that was sent
 * it, would wait for its peer.
 */
static void emit_socket_option_rule(struct sandbox_filter *f)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, SYS_setsockopt, 0, 6);
	emit_load(f, argument_offset(1));
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, SOL_SOCKET, 0, 2);
	emit_load(f, argument_offset(2));
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, SO_LINGER, 1, 0);
	emit_ends(f);
}

static size_t search_length(size_t count)
{
	return 2 * count - 1; /* one comparison a range, and one between each two */
}

/*
 * A balanced tree: the accumulator is not below the first of @ranges. @after: instructions between
 * this tree and the two ends. The depth is the logarithm of a count of our own.
 */
static void emit_search(struct sandbox_filter *f, const struct range *ranges, size_t count,
			size_t after)
{
	size_t lower = count / 2, upper = count - lower;

	if (count == 1) {
		emit(f, BPF_JMP | BPF_JGT | BPF_K, ranges[0].last, after + 1, after);
		return;
	}
	emit(f, BPF_JMP | BPF_JGE | BPF_K, ranges[lower].first, search_length(lower), 0);
	emit_search(f, ranges, lower, after + search_length(upper));
	emit_search(f, ranges + lower, upper, after);
}

static void emit_calls(struct sandbox_filter *f, const struct call_set *set)
{
	size_t length = search_length(set->range_count);

	emit(f, BPF_JMP | BPF_JGE | BPF_K, set->ranges[0].first, 0, length + 1);
	emit_search(f, set->ranges, set->range_count, 0);
	emit_ends(f); /* it kills also every x32 call: its number has bit 30 set */
}

static void emit_filter(struct sandbox_filter *f, const struct sandbox_profile *profile,
			const struct call_set *set)
{
	emit_load(f, offsetof(struct seccomp_data, arch));
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, FILTER_ARCH, 1, 0);
	emit(f, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
	emit_load(f, offsetof(struct seccomp_data, nr));
	emit_memory_rule(f, SYS_mmap);
	emit_memory_rule(f, SYS_mprotect);
	emit_request_rule(f, SYS_fcntl, fcntl_requests, COUNT_OF(fcntl_requests));
	if (adds(profile, SYS_ioctl))
		emit_request_rule(f, SYS_ioctl, ioctl_requests, COUNT_OF(ioctl_requests));
	if (adds(profile, SYS_setsockopt))
		emit_socket_option_rule(f);
	emit_calls(f, set);
}

int sandbox_filter_build(struct sandbox_filter *f, const struct sandbox_profile *profile)
{
	struct call_set set = {0};

	if (profile->syscall_count > SANDBOX_SYSCALLS_MAX)
		return -ERR_TOO_LONG;
	f->length = 0;
	f->failed = false;
	set_add(&set, core_calls, COUNT_OF(core_calls));
	set_add(&set, profile->syscalls, profile->syscall_count);
	if (profile->keeps_files)
		set_add(&set, landlock_calls, COUNT_OF(landlock_calls));
	set_find_ranges(&set);
	emit_filter(f, profile, &set);
	return f->failed || set.failed ? -ERR_TOO_LONG : 0;
}
