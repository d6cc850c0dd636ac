/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Process 1 of the appliance: brings the system up to where the supervisor can start, keeps that
 * one alive, and ends the system when it is told to by a signal. Root; nobody talks to it, and it
 * reads only the verified root, the head of the data disk and an order to wipe that (wipe.h).
 * No network device is touched but for its name: all ports stay down until the supervisor has moved
 * them into their zones and loaded the first ruleset there.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/init.h"

#define HOST_NAME    "sekisho"
#define STOP_WAIT_MS 5000U

static struct keeper keeper;

static const struct {
	const char *type, *where, *options;
	unsigned long flags;
} mounts[] = {
	{"proc", "/proc", "hidepid=invisible", MS_NOSUID | MS_NODEV | MS_NOEXEC},
	{"sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
	{"devtmpfs", "/dev", "mode=0755", MS_NOSUID | MS_NOEXEC},
	{"devpts", "/dev/pts", "mode=0600,ptmxmode=0000", MS_NOSUID | MS_NOEXEC},
	{"tmpfs", "/run", "mode=0755,size=16m", MS_NOSUID | MS_NODEV},
	{"tmpfs", "/tmp", "mode=0700,size=4m", MS_NOSUID | MS_NODEV | MS_NOEXEC},
};
static const char *const directories[] = {"/run/netns", "/run/sekisho"};

static void make_directory(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		say("init: %s cannot be made: %s", path, strerror(errno));
}

static void mount_all(void)
{
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		make_directory(mounts[i].where);
		if (mount(mounts[i].type, mounts[i].where, mounts[i].type, mounts[i].flags,
			  mounts[i].options) < 0)
			say("init: %s cannot be mounted: %s", mounts[i].where, strerror(errno));
	}
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		make_directory(directories[i]);
}

/* Return: false where nobody must be let in. */
static bool bring_up(void)
{
	char version[128], device[64];

	mount_all();
	if (read_word("version", version, sizeof(version)) < 0)
		(void)snprintf(version, sizeof(version), "unknown");
	say("sekisho: user space, %s", version);
	settings_apply("/etc/sysctl.conf");
	if (sethostname(HOST_NAME, strlen(HOST_NAME)) < 0)
		say("init: name of the host: %s", strerror(errno));
	ports_name_all();
	if (read_word("data-device", device, sizeof(device)) < 0)
		(void)snprintf(device, sizeof(device), DATA_NONE);
	if (data_mount(device))
		return true;
	say("init: with the data disk the accounts are lost: no console is offered; mend or "
	    "replace the disk");
	return false;
}

int main(void)
{
	sigset_t all;
	int signo;

	if (getpid() != 1) {
		fputs("init: this is process 1 of the appliance\n", stderr);
		return 2;
	}
	(void)umask(022);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL); /* cannot fail with these arguments */
	(void)reboot(RB_DISABLE_CAD);               /* a keyboard tells us; it does not decide */
	if (bring_up() && read_word("console", keeper.console, sizeof(keeper.console)) < 0)
		(void)snprintf(keeper.console, sizeof(keeper.console), "/dev/console");
	keeper.how = start_was_by_hand(RESTART_MARK) ? "hand" : "self";
	signo = keeper_run(&keeper);
	keeper_stop(&keeper, STOP_WAIT_MS);
	end_system(signo);
}
