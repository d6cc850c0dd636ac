/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From fork to exec. */
#include "supervisor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/mount.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "supervisor/zones/netns.h"

#define DISK_PAUSE_MS 100
#define DISK_PAUSES   50 /* less than a process has to be ready */

enum { FD_PROGRAM = 5, FD_FIRST_UNUSED = FD_DISK, FD_PARKED = 16, STATUS_NOT_STARTED = 126 };

void spawn_hide(void *memory, size_t bytes)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	size_t before = (size_t)(-(uintptr_t)memory & (page - 1));

	if (before < bytes)
		(void)madvise((char *)memory + before, (bytes - before) & ~(page - 1),
			      MADV_DONTFORK);
}

/* A detached mount: in no namespace's tree, so that nothing is above it. */
static int make_empty_root(void)
{
	int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC), mount = -1;

	if (context < 0)
		return -ERR_SYSTEM;
	if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "size", "4096", 0) == 0 &&
	    syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "mode", "0555", 0) == 0 &&
	    syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
				     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					     MOUNT_ATTR_NOEXEC);
	(void)close(context); /* the mount, if it was made, has its own reference */
	return mount < 0 ? -ERR_SYSTEM : mount;
}

static int open_programs(struct spawn *spawn, const char *libexec, const char **why)
{
	char path[512];

	for (size_t i = 0; i < ROLE_COUNT_; i++) {
		if (!table_roles[i].program)
			continue;
		*why = table_roles[i].program;
		if (snprintf(path, sizeof(path), "%s/%s", libexec, table_roles[i].program) >=
		    (int)sizeof(path))
			return -ERR_TOO_LONG;
		spawn->program_fds[i] = open(path, O_PATH | O_CLOEXEC);
		if (spawn->program_fds[i] < 0)
			return errno == ENOENT ? -ERR_NOT_FOUND : -ERR_SYSTEM;
	}
	return 0;
}

/* A terminal is often open for reading too: no process shall read from it what is typed. */
static int open_stderr(void)
{
	int fd = isatty(STDERR_FILENO) ? open("/proc/self/fd/2", O_WRONLY | O_NOCTTY | O_CLOEXEC)
				       : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? -ERR_SYSTEM : fd;
}

int spawn_init(struct spawn *spawn, const char *libexec, const char **why)
{
	int err;

	*spawn = (struct spawn){
		.void_netns_fd = -1, .empty_root_fd = -1, .null_fd = -1, .stderr_fd = -1};
	for (size_t i = 0; i < ROLE_COUNT_; i++)
		spawn->program_fds[i] = -1;
	err = open_programs(spawn, libexec, why);
	if (err < 0)
		return err;
	*why = "/dev/null";
	spawn->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (spawn->null_fd < 0)
		return -ERR_SYSTEM;
	*why = "standard error";
	spawn->stderr_fd = open_stderr();
	if (spawn->stderr_fd < 0)
		return spawn->stderr_fd;
	*why = "empty network namespace";
	spawn->void_netns_fd = netns_make(NULL);
	if (spawn->void_netns_fd < 0)
		return spawn->void_netns_fd;
	*why = "empty root";
	spawn->empty_root_fd = make_empty_root();
	return spawn->empty_root_fd < 0 ? spawn->empty_root_fd : 0;
}

void spawn_fini(struct spawn *spawn)
{
	int *const fds[] = {&spawn->void_netns_fd, &spawn->empty_root_fd, &spawn->null_fd,
			    &spawn->stderr_fd};

	for (size_t i = 0; i < ROLE_COUNT_; i++) {
		if (spawn->program_fds[i] >= 0)
			(void)close(spawn->program_fds[i]);
		spawn->program_fds[i] = -1;
	}
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			(void)close(*fds[i]);
		*fds[i] = -1;
	}
}

/* All below runs in the child, between fork and exec. Each returns false with errno set. */

/* A disk that has just appeared has a node some moments before the kernel opens it: until then that
 * is ENXIO. */
static int open_node(const struct spawn_disk *disk)
{
	const struct timespec pause = {.tv_nsec = DISK_PAUSE_MS * 1000000L};
	int flags = (disk->writes ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC;
	int fd = open(disk->path, flags);

	for (int i = 0; fd < 0 && errno == ENXIO && i < DISK_PAUSES; i++) {
		(void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
		fd = open(disk->path, flags);
	}
	/* Write-protected: whoever is to write finds that out, and says so. */
	if (fd < 0 && disk->writes && (errno == EROFS || errno == EACCES))
		fd = open(disk->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd;
}

/* While there are paths yet. Return: true, and the descriptor or -1 where none is wanted. */
static bool open_disk(const struct spawn_disk *disk, int *fd)
{
	struct stat stat;

	*fd = -1;
	if (disk->path[0] == '\0')
		return true;
	*fd = open_node(disk);
	if (*fd < 0 || fstat(*fd, &stat) < 0)
		return false;
	errno = ENODEV;
	return S_ISBLK(stat.st_mode) && stat.st_rdev == disk->number;
}

/* Out of the way of 0..5 comes first, here too. */
static bool place_disk(int disk_fd)
{
	int parked = disk_fd < 0 ? -1 : fcntl(disk_fd, F_DUPFD_CLOEXEC, FD_PARKED);

	if (disk_fd < 0)
		return syscall(SYS_close_range, FD_FIRST_UNUSED, ~0U, 0) == 0;
	return parked >= 0 && dup2(parked, FD_DISK) >= 0 &&
	       syscall(SYS_close_range, FD_DISK + 1, ~0U, 0) == 0;
}

/* First out of the way of 0..5, then into place: a source may sit on another's target. */
static bool place_descriptors(const struct spawn *spawn, enum role role, int control_fd,
			      int events_fd, int disk_fd)
{
	int control = fcntl(control_fd, F_DUPFD_CLOEXEC, FD_PARKED);
	int events = fcntl(events_fd, F_DUPFD_CLOEXEC, FD_PARKED);
	int program = fcntl(spawn->program_fds[role], F_DUPFD_CLOEXEC, FD_PARKED);
	int null = fcntl(spawn->null_fd, F_DUPFD_CLOEXEC, FD_PARKED);
	int standard_error = fcntl(spawn->stderr_fd, F_DUPFD_CLOEXEC, FD_PARKED);

	if (control < 0 || events < 0 || program < 0 || null < 0 || standard_error < 0)
		return false;
	if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(standard_error, STDERR_FILENO) < 0 || dup2(control, FD_CONTROL) < 0 ||
	    dup2(events, FD_EVENTS) < 0 || dup3(program, FD_PROGRAM, O_CLOEXEC) < 0)
		return false;
	return place_disk(disk_fd);
}

static bool enter_empty_places(const struct spawn *spawn)
{
	return setns(spawn->void_netns_fd, CLONE_NEWNET) == 0 &&
	       fchdir(spawn->empty_root_fd) == 0 && chroot(".") == 0 && chdir("/") == 0;
}

static bool set_limit(int resource, rlim_t value)
{
	struct rlimit limit = {.rlim_cur = value, .rlim_max = value};

	return setrlimit((__rlimit_resource_t)resource, &limit) == 0;
}

/*
 * A short slice makes the scheduler take the process sooner when it wakes up, without giving it
 * more of the processor in all: a verdict is a wake-up and some microseconds of work. No real-time
 * class, with which a process that was taken over could starve all others.
 */
static void shorten_slice(void)
{
	struct sched_attr attributes = {
		.size = sizeof(attributes),
		.sched_policy = SCHED_OTHER,
		.sched_nice = TABLE_URGENT,
		.sched_runtime = TABLE_URGENT_SLICE_NS,
	};

	/* Where the kernel has no slices (before 6.12), or refuses, verdicts take longer. */
	(void)sched_setattr(0, &attributes, 0);
}

static bool set_limits(const struct table_role *role, uint64_t file_bytes)
{
	if (file_bytes == 0)
		file_bytes = (uint64_t)role->file_mib << 20;
	if (role->urgent)
		shorten_slice();
	else if (setpriority(PRIO_PROCESS, 0, 0) < 0)
		return false;
	return set_limit(RLIMIT_CORE, 0) && set_limit(RLIMIT_NOFILE, role->files_max) &&
	       set_limit(RLIMIT_MEMLOCK, 0) && set_limit(RLIMIT_MSGQUEUE, 0) &&
	       (!role->memory_mib || set_limit(RLIMIT_AS, (rlim_t)role->memory_mib << 20)) &&
	       (!file_bytes || set_limit(RLIMIT_FSIZE, file_bytes)) &&
	       (!role->cpu_s || set_limit(RLIMIT_CPU, role->cpu_s));
}

static bool drop_bounding_set(bool net_admin)
{
	for (int capability = 0; capability <= CAP_LAST_CAP; capability++) {
		if (net_admin && capability == CAP_NET_ADMIN)
			continue;
		/* Most have been dropped by the supervisor already; to ask costs less than to drop.
		 */
		if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 0)
			continue;
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EINVAL)
			return false; /* EINVAL: a capability that this kernel does not know */
	}
	return true;
}

static bool set_capabilities(bool net_admin)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	if (net_admin)
		data[0].effective = data[0].permitted = data[0].inheritable = 1U << CAP_NET_ADMIN;
	if (syscall(SYS_capset, &header, data) < 0)
		return false;
	return !net_admin || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0) == 0;
}

static bool become(const struct table_role *role)
{
	/* Raw calls: those of the C library would signal threads that this process does not have.
	 */
	if (!drop_bounding_set(role->net_admin) ||
	    prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0) < 0)
		return false;
	if (role->net_admin && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return false;
	if (syscall(SYS_setgroups, 0, NULL) < 0 ||
	    syscall(SYS_setresgid, role->uid, role->uid, role->uid) < 0 ||
	    syscall(SYS_setresuid, role->uid, role->uid, role->uid) < 0)
		return false;
	/*
	 * After the change of user: other processes of the role count too, and none may start
	 * another.
	 */
	return set_limit(RLIMIT_NPROC, 0) && set_capabilities(role->net_admin) &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static void set_signals(void)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail with these arguments */
	(void)signal(SIGXFSZ, SIG_IGN); /* a write past RLIMIT_FSIZE fails instead; likewise */
}

static void __attribute__((noreturn)) run_child(const struct spawn *spawn, enum role role,
						int control_fd, int events_fd, uint64_t file_bytes,
						const struct spawn_disk *disk, pid_t parent)
{
	const struct table_role *row = &table_roles[role];
	char name[32];
	char *argv[] = {name, NULL}, *envp[] = {NULL};
	const char *step = "session";
	int disk_fd = -1;

	(void)snprintf(name, sizeof(name), "%s", row->program);
	set_signals();
	/* A session of its own: no terminal of the supervisor's can signal or stop it. */
	if (setsid() < 0)
		goto failed;
	step = "disk";
	if (!open_disk(disk, &disk_fd))
		goto failed;
	step = "empty places";
	if (!enter_empty_places(spawn))
		goto failed;
	step = "descriptors";
	if (!place_descriptors(spawn, role, control_fd, events_fd, disk_fd))
		goto failed;
	step = "limits";
	if (!set_limits(row, file_bytes))
		goto failed;
	step = "credentials";
	if (!become(row))
		goto failed;
	step = "parent";
	/* After the credentials: changing those clears it. The parent may have died before. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
		goto failed;
	step = "exec";
	(void)syscall(SYS_execveat, FD_PROGRAM, "", argv, envp,
		      AT_EMPTY_PATH); /* returns only on failure */
failed:
	dprintf(STDERR_FILENO, "sekishod: starting %s failed at its %s: %s\n", row->program, step,
		strerror(errno));
	_exit(STATUS_NOT_STARTED);
}

pid_t spawn_start(const struct spawn *spawn, enum role role, int control_fd, int events_fd,
		  uint64_t file_bytes, const struct spawn_disk *disk)
{
	const struct spawn places = *spawn; /* on the stack, which the child has */
	const struct spawn_disk opened = *disk;
	pid_t parent = getpid(), pid = fork();

	if (pid == 0)
		run_child(&places, role, control_fd, events_fd, file_bytes, &opened, parent);
	return pid < 0 ? -ERR_SYSTEM : pid;
}
