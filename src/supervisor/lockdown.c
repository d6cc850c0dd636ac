/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the supervisor keeps of root, and which system calls it and its children can make at all.
 * The children's own lists are much shorter; a filter is inherited, so this one has to cover theirs
 * too.
 */
#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sandbox.h"
#include "supervisor/supervisor.h"

#define CAP(name) (1ULL << (name))

static const uint64_t kept_capabilities =
	CAP(CAP_SYS_ADMIN)   /* namespaces, mounts */
	| CAP(CAP_NET_ADMIN) /* devices, addresses, routes; the one that netfilter is given */
	| CAP(CAP_NET_BIND_SERVICE) /* listening on port 25 */
	| CAP(CAP_NET_RAW)          /* binding a listener to its port's device */
	| CAP(CAP_SYS_CHROOT) | CAP(CAP_SETUID) | CAP(CAP_SETGID) |
	CAP(CAP_SETPCAP)        /* confining children */
	| CAP(CAP_SYS_RESOURCE) /* their limits */
	| CAP(CAP_KILL)         /* ending them */
	| CAP(CAP_CHOWN) | CAP(CAP_DAC_OVERRIDE) |
	CAP(CAP_FOWNER); /* directories of audit and config */

static int keep_capabilities(bool sets_clock)
{
	uint64_t kept = kept_capabilities | (sets_clock ? CAP(CAP_SYS_TIME) : 0);
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	for (int capability = 0; capability <= CAP_LAST_CAP; capability++) {
		if (kept & CAP(capability))
			continue;
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EINVAL)
			return -ERR_SYSTEM; /* EINVAL: a capability that this kernel does not know
					     */
	}
	/* Of those that we have at all: a container may have been given fewer. */
	if (syscall(SYS_capget, &header, data) < 0)
		return -ERR_SYSTEM;
	data[0].permitted &= (uint32_t)kept;
	data[1].permitted &= (uint32_t)(kept >> 32);
	data[0].effective = data[0].permitted;
	data[1].effective = data[1].permitted;
	data[0].inheritable = data[1].inheritable = 0;
	return syscall(SYS_capset, &header, data) < 0 ? -ERR_SYSTEM : 0;
}

static const int supervisor_calls[] = {
	/* processes */
	SYS_clone,
	SYS_wait4,
	SYS_waitid,
	SYS_kill,
	SYS_execveat,
	SYS_setsid,
	SYS_getppid,
	SYS_prctl,
	SYS_setresuid,
	SYS_setresgid,
	SYS_setgroups,
	SYS_capset,
	SYS_prlimit64,
	SYS_setrlimit,
	SYS_sched_setattr,
	SYS_setpriority,
	SYS_seccomp,
	SYS_getuid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getegid,
	SYS_gettid,
	SYS_rseq,
	SYS_set_robust_list,
	SYS_set_tid_address,
	SYS_sched_yield,
#ifdef SYS_arch_prctl
	SYS_arch_prctl,
#endif
	SYS_landlock_create_ruleset,
	SYS_landlock_add_rule,
	SYS_landlock_restrict_self,
	/* places */
	SYS_unshare,
	SYS_setns,
	SYS_mount,
	SYS_umount2,
	SYS_chroot,
	SYS_chdir,
	SYS_fchdir,
	/* files and sockets */
	SYS_openat,
	SYS_unlinkat,
	SYS_mkdirat,
	SYS_renameat2,
	SYS_linkat,
	SYS_faccessat,
	SYS_readlinkat,
	SYS_fchmod,
	SYS_fchown,
	SYS_fchownat,
	SYS_fchmodat,
	SYS_umask,
	SYS_getdents64,
	SYS_statfs,
	SYS_fstatfs,
	SYS_statx,
	SYS_ftruncate,
	SYS_fallocate,
	SYS_fsync,
	SYS_fdatasync,
	SYS_flock,
	SYS_dup,
	SYS_dup3,
	SYS_pipe2,
	SYS_close_range,
	SYS_memfd_create,
	SYS_socket,
	SYS_socketpair,
	SYS_bind,
	SYS_listen,
	SYS_accept4,
	SYS_connect,
	SYS_setsockopt,
	SYS_recvmmsg,
	SYS_sendmmsg,
	SYS_pselect6, /* time-source */
	SYS_epoll_create1,
	SYS_epoll_ctl,
	SYS_epoll_pwait,
	SYS_timerfd_create,
	SYS_timerfd_settime,
	SYS_splice,
	SYS_sendfile,
	SYS_renameat,
	SYS_utimensat,
	SYS_fadvise64,
	SYS_adjtimex, /* of no effect without the capability, here and in children */
	SYS_clock_nanosleep,
	SYS_nanosleep,
	SYS_futex,
	SYS_sysinfo,
	SYS_uname,
	SYS_sigaltstack,
	SYS_tgkill,
	SYS_ioctl,
#ifdef SYS_open
	SYS_open,
	SYS_unlink,
	SYS_rmdir,
	SYS_mkdir,
	SYS_rename,
	SYS_stat,
	SYS_lstat,
	SYS_readlink,
	SYS_access,
	SYS_chmod,
	SYS_dup2,
	SYS_fork,
	SYS_vfork,
	SYS_epoll_wait,
	SYS_getpgrp,
#endif
};

int lockdown(bool sets_clock)
{
	static const struct sandbox_profile profile = {
		.name = "sekishod",
		.syscalls = supervisor_calls,
		.syscall_count = sizeof(supervisor_calls) / sizeof(supervisor_calls[0]),
		.keeps_files = true, /* it opens sysctls, namespaces and directories */
	};
	int err = keep_capabilities(sets_clock);

	return err < 0 ? err : sandbox_lock(&profile);
}
