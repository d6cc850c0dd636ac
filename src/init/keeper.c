/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the supervisor alive: started anew at once when it ends, and at most once a second when it
 * ends at once. The packet path does not depend on that: what the kernel's dead-man rule no longer
 * hears of, it shuts.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "channel/machine.h"
#include "init/init.h"
#include "init/wipe.h"

#define SUPERVISOR     "/usr/lib/sekisho/sekishod"
#define LONG_LIFE_MS   2000U /* after which it is started anew at once */
#define RESTART_MS     1000U
#define KILLED_WAIT_MS 1000U
#define RING_READ_ALL  3 /* syslog(2) */
#define RING_BYTES     (1U << 16)
#define NEVER_MS       UINT64_MAX
#define SIGNAL_WAIT_MS 60000U /* one wait; the caller's deadline may be further away */

static uint64_t now_ms(void)
{
	return clock_mono_ms(&clock_system);
}

int keeper_wait_signal(uint64_t until_ms)
{
	sigset_t all;

	(void)sigfillset(&all);
	for (;;) {
		uint64_t now = now_ms(), left = until_ms > now ? until_ms - now : 0;
		struct timespec wait = {0};
		int signo;

		if (left > SIGNAL_WAIT_MS)
			left = SIGNAL_WAIT_MS;
		wait.tv_sec = (time_t)(left / 1000);
		wait.tv_nsec = (long)(left % 1000) * 1000000L;
		signo = sigtimedwait(&all, NULL, &wait);
		if (signo > 0)
			return signo;
		if (errno == EAGAIN && now_ms() >= until_ms)
			return 0;
	}
}

/* What it says about its work is in the log; its last words are in the kernel's ring buffer. */
static void say_last_words(void)
{
	static char ring[RING_BYTES + 1];
	int count = klogctl(RING_READ_ALL, ring, RING_BYTES);
	char *last = NULL;

	ring[count > 0 ? count : 0] = '\0';
	for (char *at = ring; (at = strstr(at, "sekishod: ")); at++)
		last = at;
	if (last)
		say("%.*s", (int)strcspn(last, "\n"), last);
}

static void __attribute__((noreturn)) become_supervisor(char *console, const char *how)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin", zone[] = "TZ=JST-9";
	static char *environment[] = {path, zone, NULL};
	static char program[] = "sekishod", config[] = "--config", watchdog[] = "--watchdog",
		    factory[] = CONFIG_DIRECTORY "/factory.conf", state[] = "--state",
		    data[] = STATE_DIRECTORY, device[] = "/dev/watchdog0", clock[] = "--set-clock",
		    terminal[] = "--console", start[] = "--start", own[] = "--own-machine",
		    disk[] = "--own-disk", usb[] = "--usb";
	char by[8];
	char *arguments[16] = {program, config, factory, state, data, watchdog,
			       device,  clock,  own,     disk,  usb};
	size_t count = 11;
	int null = open("/dev/null", O_RDONLY), out = open("/dev/console", O_WRONLY | O_NOCTTY),
	    ring = open("/dev/kmsg", O_WRONLY);
	sigset_t none;

	if (how != NULL) {
		(void)snprintf(by, sizeof(by), "%s", how);
		arguments[count++] = start;
		arguments[count++] = by;
	}
	if (console[0] != '\0') {
		arguments[count++] = terminal;
		arguments[count++] = console;
	}
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail with these arguments */
	if (setsid() >= 0 && null >= 0 && out >= 0 && ring >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
	    dup2(out, STDOUT_FILENO) >= 0 && dup2(ring, STDERR_FILENO) >= 0) {
		(void)close(null); /* the copies remain */
		(void)close(out);
		(void)close(ring);
		(void)execve(SUPERVISOR, arguments, environment); /* returns only on failure */
	}
	_exit(127);
}

static void start(struct keeper *keeper)
{
	pid_t pid = fork();

	if (pid == 0)
		become_supervisor(keeper->console, keeper->how);
	if (pid > 0)
		keeper->how = NULL;
	if (pid < 0)
		say("init: sekishod cannot be started: %s", strerror(errno));
	keeper->pid = pid > 0 ? pid : 0;
	keeper->started_ms = now_ms();
}

/* Return: whether the supervisor was among the dead. */
static bool reap(struct keeper *keeper, int *status_out)
{
	bool found = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != keeper->pid)
			continue; /* an orphan */
		found = true;
		keeper->pid = 0;
		*status_out = status;
	}
	return found;
}

/* When the supervisor is to be started next. */
static uint64_t mourn(const struct keeper *keeper, int status)
{
	uint64_t now = now_ms();

	if (WIFSIGNALED(status))
		say("sekishod ended by signal %d:", WTERMSIG(status));
	else
		say("sekishod ended with status %d:", WEXITSTATUS(status));
	say_last_words();
	return now - keeper->started_ms < LONG_LIFE_MS ? now + RESTART_MS : now;
}

/*
 * What a person at a console has asked for, as the signal that asks for the same; 0: nothing. An
 * order to wipe the disk is carried out by the next start, however the supervisor has ended.
 */
static int wanted_end(int status)
{
	if (wipe_is_ordered(STATE_DIRECTORY))
		return SIGINT;
	if (WIFEXITED(status) && WEXITSTATUS(status) == MACHINE_REBOOT)
		return SIGINT;
	return WIFEXITED(status) && WEXITSTATUS(status) == MACHINE_SHUTDOWN ? SIGUSR2 : 0;
}

int keeper_run(struct keeper *keeper)
{
	uint64_t start_ms = 0;
	int signo, status = 0;

	for (;;) {
		if (!keeper->pid && now_ms() >= start_ms) {
			start(keeper);
			start_ms = keeper->pid ? NEVER_MS : now_ms() + RESTART_MS;
		}
		signo = keeper_wait_signal(start_ms);
		if (signo == SIGTERM || signo == SIGINT || signo == SIGUSR1 || signo == SIGUSR2)
			return signo;
		if (signo != SIGCHLD || !reap(keeper, &status))
			continue;
		if (wanted_end(status) != 0)
			return wanted_end(status);
		start_ms = mourn(keeper, status);
	}
}

void keeper_stop(struct keeper *keeper, unsigned int wait_ms)
{
	uint64_t until_ms = now_ms() + wait_ms;
	int status;

	if (keeper->pid)
		(void)kill(keeper->pid, SIGTERM); /* it is not reaped yet: it exists */
	while (keeper->pid && keeper_wait_signal(until_ms))
		(void)reap(keeper, &status); /* how it ends makes no difference now */
	if (!keeper->pid)
		return;
	(void)kill(keeper->pid, SIGKILL);
	until_ms = now_ms() + KILLED_WAIT_MS;
	while (keeper->pid && keeper_wait_signal(until_ms))
		(void)reap(keeper, &status);
}
