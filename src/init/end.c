/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of the system. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "init/init.h"

/* Without the mark the next start is taken for one by hand: that is said where it can be read. */
static void leave_mark(void)
{
	int fd = open(RESTART_MARK, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		say("init: %s cannot be made: the next start is taken for one by hand",
		    RESTART_MARK);
	else
		(void)close(fd); /* its name is what counts; sync follows */
}

bool start_was_by_hand(const char *mark)
{
	return unlink(mark) < 0 && errno == ENOENT;
}

void end_system(int signo)
{
	if (signo != SIGUSR1 && signo != SIGUSR2)
		leave_mark();
	sync();
	if (umount("/data") < 0) /* somebody still has a file there */
		(void)mount(NULL, "/data", NULL, MS_REMOUNT | MS_RDONLY, NULL); /* sync has run */
	(void)reboot(signo == SIGUSR1   ? RB_HALT_SYSTEM
		     : signo == SIGUSR2 ? RB_POWER_OFF
					: RB_AUTOBOOT); /* returns only on failure */
	say("init: the machine cannot be stopped");
	for (;;)
		(void)pause();
}
