/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sekishod, the supervisor: makes zones, starts processes, hands out sockets, carries policies in.
 * Privilege: root with the capabilities of lockdown.c, in the namespaces where it was started.
 * Who may talk to it: its own children, in fixed-size messages by the table of control.c. It reads
 * no byte of a peer.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sandbox.h"
#include "supervisor/captures.h"
#include "supervisor/isolation/isolation.h"
#include "supervisor/supervisor.h"
#include "supervisor/watchdog.h"

#define RUN_DIRECTORY "/run/sekisho"

static struct supervisor supervisor;

static void told_of_zones(void *ctx, enum zones_change change, const char *a, const char *b)
{
	struct supervisor *sup = ctx;

	switch (change) {
	case ZONES_ZONE_MADE:
		supervisor_event(sup, EVENT_ZONE_MADE, EV_TEXT(ZONE, a));
		if (isolation_holds(sup->isolation_fd, a))
			supervisor_event(sup, EVENT_ZONE_ISOLATED, EV_TEXT(ZONE, a),
					 EV_TEXT(REASON, "not restored since"));
		break;
	case ZONES_ZONE_REMOVED:
		supervisor_event(sup, EVENT_ZONE_REMOVED, EV_TEXT(ZONE, a));
		break;
	case ZONES_CROSSING_MADE:
		supervisor_event(sup, EVENT_CROSSING_MADE, EV_TEXT(FROM_ZONE, a),
				 EV_TEXT(TO_ZONE, b));
		break;
	case ZONES_CROSSING_REMOVED:
		supervisor_event(sup, EVENT_CROSSING_REMOVED, EV_TEXT(FROM_ZONE, a),
				 EV_TEXT(TO_ZONE, b));
		break;
	}
}

static int fail(const char *what)
{
	fprintf(stderr, "sekishod: %s: %s\n", what, strerror(errno));
	return -ERR_SYSTEM;
}

static void usage(FILE *out)
{
	fputs("usage: sekishod [--config FILE] --state DIR [--netns-prefix P] [--console PATH] "
	      "[--watchdog PATH] [--set-clock] [--own-machine] [--own-disk] [--start hand|self] "
	      "[--usb]\n"
	      "       sekishod --print-process-table\n"
	      "       sekishod --help\n"
	      "  --config FILE      configuration to start from where DIR holds none yet\n"
	      "  --state DIR        configurations and log, kept over restarts\n"
	      "  --netns-prefix P   put in front of the names of namespaces: several instances on "
	      "one host\n"
	      "  --console PATH     a terminal, or where to make a socket for consoles\n"
	      "  --watchdog PATH    hardware watchdog to feed while all is well\n"
	      "  --usb              memory sticks of this machine are the gateway's to use\n"
	      "  --set-clock        this machine's clock is the gateway's to set; else it is only "
	      "compared\n"
	      "  --own-machine      the machine may be rebooted and shut down from consoles: who "
	      "starts this does it, by exit status 80 or 81\n"
	      "  --own-disk         the disk below DIR is the gateway's own: whoever starts this "
	      "wipes "
	      "it by an order of zeroise in DIR\n"
	      "  --start hand|self  the machine has just started, by hand (power) or by itself: a\n"
	      "                     recovery is possible behind two starts by hand only\n",
	      out);
}

static bool read_start(struct options *options, const char *how)
{
	options->start = strcmp(how, "hand") == 0   ? START_BY_HAND
			 : strcmp(how, "self") == 0 ? START_BY_ITSELF
						    : START_AGAIN;
	return options->start != START_AGAIN;
}

/* Return: 0 go on; 1 done; 2 wrong usage. */
static int read_options(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},
		{"state", required_argument, NULL, 's'},
		{"netns-prefix", required_argument, NULL, 'p'},
		{"console", required_argument, NULL, 't'},
		{"watchdog", required_argument, NULL, 'w'},
		{"set-clock", no_argument, NULL, 'C'},
		{"own-machine", no_argument, NULL, 'M'},
		{"own-disk", no_argument, NULL, 'D'},
		{"start", required_argument, NULL, 'S'},
		{"usb", no_argument, NULL, 'U'},
		{"print-process-table", no_argument, NULL, 'P'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	options->prefix = "";
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config_path = optarg;
			break;
		case 's':
			options->state_path = optarg;
			break;
		case 'p':
			options->prefix = optarg;
			break;
		case 't':
			options->console_path = optarg;
			break;
		case 'w':
			options->watchdog_path = optarg;
			break;
		case 'C':
			options->sets_clock = true;
			break;
		case 'M':
			options->own_machine = true;
			break;
		case 'D':
			options->own_disk = true;
			break;
		case 'S':
			if (!read_start(options, optarg)) {
				usage(stderr);
				return 2;
			}
			break;
		case 'U':
			options->uses_usb = true;
			break;
		case 'P':
			table_print(stdout);
			return 1;
		case 'h':
			usage(stdout);
			return 1;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind != argc || !options->state_path || strlen(options->prefix) > 32 ||
	    strchr(options->prefix, '/')) {
		usage(stderr);
		return 2;
	}
	return 0;
}

static void lock_path(const struct supervisor *sup, char path[PATH_MAX])
{
	(void)snprintf(path, PATH_MAX, RUN_DIRECTORY "/%ssekishod.lock", sup->options.prefix);
}

/* The name may have been removed by an instance that ended between our open and our lock. */
static bool still_has_name(int fd, const char *path)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino &&
	       held.st_dev == named.st_dev;
}

/* One instance for a prefix: two would take each other's zones for what a dead one left. */
static int take_lock(struct supervisor *sup)
{
	char path[PATH_MAX];

	if (mkdir(RUN_DIRECTORY, 0755) < 0 && errno != EEXIST)
		return fail(RUN_DIRECTORY);
	lock_path(sup, path);
	sup->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (sup->lock_fd < 0)
		return fail(path);
	if (flock(sup->lock_fd, LOCK_EX | LOCK_NB) < 0 || !still_has_name(sup->lock_fd, path)) {
		fprintf(stderr, "sekishod: another instance with the prefix '%s' runs\n",
			sup->options.prefix);
		(void)close(sup->lock_fd); /* nothing is kept in it */
		sup->lock_fd = -1;
		return -ERR_EXISTS;
	}
	return 0;
}

static void release_lock(struct supervisor *sup)
{
	char path[PATH_MAX];

	if (sup->lock_fd < 0)
		return;
	lock_path(sup, path);
	(void)unlink(path);         /* while it is still held */
	(void)close(sup->lock_fd);  /* nothing is kept in it */
	(void)rmdir(RUN_DIRECTORY); /* unless other instances have theirs there */
}

/* A directory that belongs to the role alone. Return: a descriptor or an error. */
static int open_own_directory(int state_fd, const char *name, enum role role)
{
	uid_t uid = table_roles[role].uid;
	int fd;

	if (mkdirat(state_fd, name, 0700) < 0 && errno != EEXIST)
		return fail(name);
	fd = openat(state_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail(name);
	if (fchown(fd, uid, uid) < 0 || fchmod(fd, 0700) < 0) {
		(void)close(fd); /* never used */
		return fail(name);
	}
	return fd;
}

/* The file that netfilter keeps the counts of permits in; without it nothing is counted. */
static int open_counters(struct supervisor *sup)
{
	int fd = openat(sup->state_fd, "permits.counters",
			O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	/* All of its blocks, so that writing to the mapping cannot meet a full disk. */
	if (fd >= 0 && posix_fallocate(fd, 0, COUNTERS_BYTES) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd); /* nothing was written */
	return -1;
}

static int open_state(struct supervisor *sup)
{
	if (mkdir(sup->options.state_path, 0755) < 0 && errno != EEXIST)
		return fail(sup->options.state_path);
	sup->state_fd = open(sup->options.state_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (sup->state_fd < 0)
		return fail(sup->options.state_path);
	sup->audit_fd = open_own_directory(sup->state_fd, "audit", ROLE_AUDIT);
	if (sup->audit_fd < 0)
		return sup->audit_fd;
	sup->config_fd = open_own_directory(sup->state_fd, "config", ROLE_CONFIG);
	if (sup->config_fd < 0)
		return sup->config_fd;
	sup->keys_fd = open_own_directory(sup->state_fd, "keys", ROLE_CONFIG);
	if (sup->keys_fd < 0)
		return sup->keys_fd;
	sup->accounts_fd = open_own_directory(sup->state_fd, "accounts", ROLE_ACCOUNTS);
	if (sup->accounts_fd < 0)
		return sup->accounts_fd;
	sup->device_fd = open_own_directory(sup->state_fd, "device", ROLE_AUDIT);
	if (sup->device_fd < 0)
		return sup->device_fd;
	sup->counters_fd = open_counters(sup);
	sup->captures_fd = captures_open(sup->state_fd);
	if (sup->captures_fd < 0)
		return fail("captures");
	if (recordings_open(sup) < 0)
		return fail("recordings");
	sup->isolation_fd = isolation_open(sup->state_fd);
	if (sup->isolation_fd < 0)
		return fail("isolated");
	/* Without it only changes that need it are refused; emergencies_tell says so. */
	(void)emergencies_load(&sup->emergencies, sup->state_fd);
	return 0;
}

/* Programs stand in libexec/ beside this one. */
static int open_programs(struct supervisor *sup)
{
	char self[PATH_MAX], libexec[PATH_MAX + 16];
	const char *why = NULL;
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int err;

	if (length < 0)
		return fail("/proc/self/exe");
	self[length] = '\0';
	(void)snprintf(libexec, sizeof(libexec), "%s/libexec", dirname(self));
	err = spawn_init(&sup->spawn, libexec, &why);
	if (err == -ERR_NOT_FOUND)
		fprintf(stderr, "sekishod: program %s is missing in %s\n", why, libexec);
	else if (err < 0)
		(void)fail(why);
	return err;
}

static int open_events(struct supervisor *sup)
{
	int fds[2], size = 4 << 20;

	if (channel_pair(fds) < 0)
		return fail("events");
	(void)setsockopt(fds[1], SOL_SOCKET, SO_SNDBUFFORCE, &size,
			 sizeof(size)); /* smaller ones would do */
	event_client_init(&sup->events, fds[1]);
	sup->events_read_fd = fds[0];
	return 0;
}

static void on_signal(struct loop *loop, int signo, void *ctx)
{
	struct supervisor *sup = ctx;

	if (signo == SIGCHLD) {
		child_reap_all(sup);
		supervisor_go_on_stopping(sup);
	} else {
		supervisor_stop(sup, EV_NUMBER(SIGNAL, signo));
	}
}

static int start_loop(struct supervisor *sup)
{
	struct rlimit files = {.rlim_cur = table_roles[ROLE_SUPERVISOR].files_max,
			       .rlim_max = table_roles[ROLE_SUPERVISOR].files_max};
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)signal(SIGPIPE, SIG_IGN);
	/* Processes inherit it and only lower it. A container may forbid it: then all are equal. */
	(void)setpriority(PRIO_PROCESS, 0, TABLE_URGENT);
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		return fail("limit of descriptors");
	loop_init(&sup->loop, &clock_system, sup->polls, sup->loop_fds, LOOP_MAX);
	return loop_signals(&sup->loop, &set, on_signal, sup) < 0 ? fail("signals") : 0;
}

static int start_processes(struct supervisor *sup)
{
	static const enum role roles[] = {ROLE_AUDIT, ROLE_NETFILTER, ROLE_ARBITER, ROLE_CONFIG};

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		struct child *child = child_add(sup, roles[i], 0, NULL, -1, false);

		if (!child || child_launch(child) < 0)
			return fail(table_roles[roles[i]].program);
	}
	if (consoles_open(sup) < 0)
		return fail(sup->options.console_path);
	return 0;
}

static int start(struct supervisor *sup)
{
	int err;

	if (geteuid() != 0) {
		fprintf(stderr,
			"sekishod: must be started as root: it makes namespaces and moves ports\n");
		return -ERR_DENIED;
	}
	if (start_loop(sup) < 0 || take_lock(sup) < 0 || open_events(sup) < 0 ||
	    open_state(sup) < 0 || open_programs(sup) < 0)
		return -ERR_SYSTEM;
	if (watchdog_open(sup) < 0)
		return fail(sup->options.watchdog_path);
	err = zones_init(&sup->zones, sup->options.prefix, sup->isolation_fd, told_of_zones, sup);
	if (err < 0) {
		fprintf(stderr, "sekishod: %s\n", sup->zones.reason);
		return err;
	}
	if (sup->options.config_path && access(sup->options.config_path, R_OK) < 0)
		(void)fail(
			sup->options.config_path); /* fatal only for a first start: config knows */
	clock_open(sup);
	if (lockdown(sup->options.sets_clock) < 0)
		return fail("giving up privileges");
	supervisor_event(sup, EVENT_GATEWAY_STARTS, EV_NUMBER(PID, getpid()));
	emergencies_tell(sup);
	recovery_begin(sup);
	watch_start(sup);
	clock_say_start(sup);
	if (!sandbox_has_landlock())
		supervisor_event(sup, EVENT_LANDLOCK_MISSING);
	if (sup->counters_fd < 0)
		supervisor_event(sup, EVENT_COUNTERS_MISSING,
				 EV_TEXT(REASON, "the file cannot be made"));
	connections_watch(sup);
	return start_processes(sup);
}

static void init(struct supervisor *sup)
{
	sup->events.fd = -1;
	sup->events_read_fd = sup->state_fd = sup->audit_fd = sup->config_fd = -1;
	sup->keys_fd = sup->usb.memory_fd = -1;
	sup->accounts_fd = sup->device_fd = -1;
	sup->isolation_fd = sup->captures_fd = sup->counters_fd = sup->recordings.fd = -1;
	sup->console_listen_fd = sup->terminal_fd = sup->lock_fd = sup->watchdog_fd = -1;
	sup->replay_candidate.fd = -1;
	sup->running.fd = sup->commit.candidate.fd = sup->commit.previous.fd = -1;
	sup->zones.home_fd = -1;
}

int main(int argc, char **argv)
{
	struct supervisor *sup = &supervisor;
	int status = read_options(&sup->options, argc, argv);

	if (status)
		return status == 1 ? 0 : status;
	init(sup);
	spawn_hide(sup, sizeof(*sup));
	if (start(sup) == 0) {
		status = loop_run(&sup->loop);
	} else {
		status = 1; /* children that were started already die with their parent */
	}
	if (status < 0)
		status = 1;
	commit_fini(sup);
	if (sup->zones.home_fd >= 0)
		zones_fini(&sup->zones);
	connections_restore(&sup->connections_table);
	watchdog_close(sup);
	spawn_fini(&sup->spawn);
	release_lock(sup);
	return status;
}
