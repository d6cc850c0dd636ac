/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data partition: configurations and the log. After a power cut the kernel replays the journal
 * when it mounts, which is all that e2fsck would do; e2fsck is started where an error is on record
 * or mounting fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "init/init.h"
#include "init/wipe.h"

#define MOUNT_POINT "/data"
#define CHECK_LOG   "/run/sekisho/fsck"
#define BLANK_BYTES (1U << 20) /* zeros up to here: the device has never been used */
#define FSCK_MENDED 1          /* e2fsck(8): 0 clean, 1 mended, more is worse */

static void fall_back(const char *device, const char *why)
{
	say("data: %s: %s; running without stored configuration and log", device, why);
	if (mount("tmpfs", MOUNT_POINT, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=0755,size=32m") < 0 ||
	    mkdir(STATE_DIRECTORY, 0700) < 0)
		say("data: nor in memory: %s", strerror(errno));
}

/*
 * Start a program and wait for its end. @become: replaces the process; returns only on failure.
 * @log: takes what it prints; NULL: the console does. Return: its exit status, or -ERR_SYSTEM.
 */
static int run(void (*become)(const char *device), const char *device, const char *log)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -ERR_SYSTEM;
	if (pid == 0) {
		int fd = log ? open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;

		if (!log ||
		    (fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0))
			become(device);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -ERR_SYSTEM;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -ERR_SYSTEM;
}

static void become_mke2fs(const char *device)
{
	static char *environment[] = {NULL};

	(void)execle("/usr/sbin/mke2fs", "mke2fs", "-q", "-t", "ext4", "-L", DATA_LABEL, "-m", "1",
		     "-E", "lazy_itable_init=0,lazy_journal_init=1", device, NULL, environment);
}

static void become_e2fsck(const char *device)
{
	static char *environment[] = {NULL};

	(void)execle("/usr/sbin/e2fsck", "e2fsck", "-p", device, NULL, environment);
}

static int read_at(int fd, uint8_t *bytes, size_t count, off_t at)
{
	ssize_t got = pread(fd, bytes, count, at);

	return got == (ssize_t)count ? 0 : -ERR_SYSTEM;
}

static bool is_unused(int fd)
{
	static uint8_t piece[1U << 16], zeros[1U << 16];

	for (off_t at = 0; at < (off_t)BLANK_BYTES; at += (off_t)sizeof(piece))
		if (read_at(fd, piece, sizeof(piece), at) < 0 ||
		    memcmp(piece, zeros, sizeof(piece)) != 0)
			return false;
	return true;
}

static enum disk look_at(const char *device)
{
	uint8_t head[DISK_HEAD_BYTES];
	enum disk disk = DISK_CHECK;
	int fd = open(device, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return disk;
	if (read_at(fd, head, sizeof(head), 0) == 0)
		disk = disk_judge(head);
	if (disk == DISK_BLANK && !is_unused(fd))
		disk = DISK_CHECK;
	(void)close(fd); /* only read */
	return disk;
}

static bool format(const char *device)
{
	say("data: %s is blank: making the data partition", device);
	return run(become_mke2fs, device, NULL) == 0;
}

static bool check(const char *device)
{
	int status = run(become_e2fsck, device, CHECK_LOG);

	return status >= 0 && status <= FSCK_MENDED;
}

static bool mount_data(const char *device)
{
	return mount(device, MOUNT_POINT, "ext4", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME,
		     "errors=remount-ro") == 0;
}

/* Return: NULL, or why the device is not mounted. */
static const char *bring(const char *device)
{
	enum disk disk = look_at(device);

	if (disk == DISK_FOREIGN)
		return "not our file system";
	if (disk == DISK_BLANK && !format(device))
		return "cannot be formatted";
	if (disk != DISK_CHECK && mount_data(device))
		return NULL;
	if (!check(device))
		return "not our file system, or damaged";
	return mount_data(device) ? NULL : "cannot be mounted";
}

/*
 * Whoever stands here takes the certificate down before the dialogue of a first start follows,
 * however long the wipe took: it is shown once. A terminal that hangs up has nobody.
 */
static void wait_for_reader(void)
{
	struct pollfd terminal = {.fd = STDIN_FILENO, .events = POLLIN};

	(void)tcflush(STDIN_FILENO, TCIFLUSH); /* what was typed meanwhile is no answer */
	say("Enter when you have kept the certificate / 証明書を控えたら Enter を押してください");
	if (poll(&terminal, 1, -1) > 0)
		(void)tcflush(STDIN_FILENO, TCIFLUSH); /* nobody else reads it */
}

/* The device is blank then. Return: NULL, or why it is not. */
static const char *wipe(const char *device, struct span order)
{
	if (wipe_run(device, order) < 0)
		return "was to be wiped, and is not";
	wait_for_reader();
	return NULL;
}

/* An order that is on the file system is moved to the head of the device first: from there on it
 * is carried out whatever becomes of the file system. */
static const char *wipe_mounted(const char *device, struct bytes *order)
{
	bool is_sound = wipe_read_order(STATE_DIRECTORY, order) == 0;

	if (umount(MOUNT_POINT) < 0 || !is_sound)
		return "the order to wipe it cannot be read";
	if (wipe_mark(device, bytes_span(order)) < 0)
		return "the order to wipe it cannot be kept";
	return wipe(device, bytes_span(order));
}

/* An order comes before all else; what is brought up then is new. Return: as bring. */
static const char *bring_or_wipe(const char *device, struct bytes *order)
{
	const char *why = NULL;

	if (wipe_is_marked(device, order)) {
		why = wipe(device, bytes_span(order));
		return why ? why : bring(device);
	}
	if (wipe_is_over(device) && wipe_unmark(device) < 0)
		return "is wiped, but for the order";
	why = bring(device);
	if (why || !wipe_is_ordered(STATE_DIRECTORY))
		return why;
	why = wipe_mounted(device, order);
	return why ? why : bring(device);
}

static const char *take(const char *device)
{
	struct stat stat_now;
	struct bytes order;
	const char *why;

	if (stat(device, &stat_now) < 0 || !S_ISBLK(stat_now.st_mode))
		return "no such device";
	bytes_init(&order, WIPE_MARK_BYTES);
	why = bring_or_wipe(device, &order);
	bytes_fini(&order);
	return why;
}

bool data_mount(const char *device)
{
	const char *why = take(device);

	if (!why && mkdir(STATE_DIRECTORY, 0700) < 0 && errno != EEXIST)
		why = "cannot be written";
	if (!why)
		return true;
	fall_back(device, why);
	return strcmp(device, DATA_NONE) == 0;
}
