/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of the system. */
#include <signal.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "init/init.h"

void end_system(int signo)
{
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
