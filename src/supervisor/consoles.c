/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Consoles: one for a terminal, started when the zones enforce (or cannot) and again whenever it
 * ends; or one for each connection to a local socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "supervisor/supervisor.h"

#define TERMINAL_WAIT_MS 3000U /* for the zones to enforce; then it starts all the same */

static int start_console(struct supervisor *sup, uint32_t index, int fd, bool is_tty)
{
	struct child *console = child_add(sup, ROLE_CONSOLE, index, NULL, fd, is_tty);

	if (!console)
		return -ERR_NO_SPACE;
	if (child_launch(console) < 0) {
		console->state = CHILD_FREE;
		return -ERR_SYSTEM;
	}
	return 0;
}

static void on_connection(struct loop *loop, struct loop_fd *self, short revents)
{
	struct supervisor *sup = self->ctx;
	int fd = accept4(self->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	uint32_t index = 0;

	if (fd < 0)
		return; /* gone again */
	while (index < CONSOLES_MAX && child_find(sup, ROLE_CONSOLE, index))
		index++;
	if (index == CONSOLES_MAX || start_console(sup, index, fd, false) < 0) {
		supervisor_event(sup, EVENT_CONSOLE_REFUSED, EV_NUMBER(COUNT, index));
		(void)close(fd); /* nothing was said on it */
	}
}

/* Only the owner of the directory and root may connect: mode 0600 from the moment the name exists.
 */
static int open_socket(struct supervisor *sup, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, err;
	mode_t mask;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -ERR_SYSTEM;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -ERR_SYSTEM;
	mask = umask(0177);
	err = bind(fd, (const struct sockaddr *)&address, sizeof(address));
	(void)umask(mask); /* cannot fail */
	if (err < 0 || listen(fd, CONSOLES_MAX) < 0) {
		(void)close(fd); /* never used */
		return -ERR_SYSTEM;
	}
	sup->console_listen_fd = fd;
	sup->console_watch =
		(struct loop_fd){.fd = fd, .events = POLLIN, .ready = on_connection, .ctx = sup};
	return loop_add(&sup->loop, &sup->console_watch);
}

/* Without it nobody is let in: it is tried again whenever a policy is in force. */
static void start_accounts(struct supervisor *sup)
{
	struct child *accounts = child_find(sup, ROLE_ACCOUNTS, 0);

	if (accounts)
		return;
	accounts = child_add(sup, ROLE_ACCOUNTS, 0, NULL, -1, false);
	if (!accounts || child_launch(accounts) < 0)
		supervisor_event(sup, EVENT_PROCESS_KILLED, EV_TEXT(PROCESS, "accounts"),
				 EV_TEXT(REASON, "cannot be started"));
	if (accounts && !child_is_alive(accounts))
		accounts->state = CHILD_FREE;
}

/* People come behind the zones: what they need must not delay these at the start. */
static void let_people_in(struct supervisor *sup)
{
	int fd = sup->terminal_fd;

	loop_disarm(&sup->loop, &sup->terminal_timer);
	start_accounts(sup);
	if (fd < 0)
		return;
	sup->terminal_fd = -1;
	if (start_console(sup, 0, fd, true) < 0) {
		supervisor_event(sup, EVENT_CONSOLE_REFUSED, EV_NUMBER(COUNT, 0));
		(void)close(fd); /* nothing was said on it */
	}
}

static void on_terminal_wait_over(struct loop *loop, struct loop_timer *self)
{
	let_people_in(self->ctx);
}

void consoles_enforcing(struct supervisor *sup)
{
	let_people_in(sup);
}

int consoles_open(struct supervisor *sup)
{
	const char *path = sup->options.console_path;
	struct stat stat;
	int fd;

	sup->terminal_timer = (struct loop_timer){.fire = on_terminal_wait_over, .ctx = sup};
	loop_arm(&sup->loop, &sup->terminal_timer, TERMINAL_WAIT_MS);
	if (!path)
		return 0;
	if (lstat(path, &stat) == 0 && S_ISSOCK(stat.st_mode))
		(void)unlink(path); /* of an earlier instance; a live one holds our lock */
	if (lstat(path, &stat) < 0)
		return open_socket(sup, path);
	fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -ERR_SYSTEM;
	if (!isatty(fd)) {
		(void)close(fd); /* never used */
		errno = ENOTTY;
		return -ERR_SYSTEM;
	}
	sup->terminal_fd = fd;
	return 0;
}

void consoles_close(struct supervisor *sup)
{
	loop_disarm(&sup->loop, &sup->terminal_timer);
	if (sup->terminal_fd >= 0)
		(void)close(sup->terminal_fd); /* nothing was said on it */
	sup->terminal_fd = -1;
	if (sup->console_listen_fd < 0)
		return;
	loop_remove(&sup->loop, &sup->console_watch);
	(void)close(sup->console_listen_fd); /* a listening socket holds no data */
	sup->console_listen_fd = -1;
	(void)unlink(sup->options.console_path); /* gone already: what was wanted */
}
