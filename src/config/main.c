/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config: keeps the candidate, running and saved configurations, compiles policies.
 * Talks to: the supervisor (control channel), consoles (one link each). Privilege: none; two
 * directories of its own, one of them for keys. It alone reads configuration text; what it hands
 * out is checked again by everyone who takes it.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "config/config.h"

#define CONTROL_MESSAGES 16 /* served in one turn of the loop */

static struct config config;

/* ---- consoles */

static int handle_request(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct config_link *link = ctx;
	int none = -1;

	return config_serve(link->config, link, message->body,
			    message->fd_count > 0 ? &message->fds[0] : &none);
}

static const struct channel_rule link_rules[] = {
	{CONSOLE_REQUEST, 0, 1, CHANNEL_EXACTLY(console_request), handle_request, "request"},
};

static void drop_link(struct config *c, struct config_link *link)
{
	uint32_t own = (uint32_t)(link - c->links);

	if (!link->used)
		return;
	if (c->editor == own)
		config_stop_editing(c);
	if (c->commit.link == own)
		c->commit.link = CONFIG_NOBODY;
	if (c->check.asked && c->check.link == own)
		c->check.link = CONFIG_NOBODY;
	loop_remove(&c->loop, &link->watch);
	channel_fini(&link->channel);
	link->used = false;
}

static void on_link(struct loop *loop, struct loop_fd *self, short revents)
{
	struct config_link *link = self->ctx;
	struct config *c = link->config;
	const char *why = NULL;
	int got = channel_serve(&link->channel, CONTROL_MESSAGES, &why);

	if (got >= 0)
		return;
	if (got == -ERR_PEER)
		event_send(&c->process.events, EVENT_CHANNEL_VIOLATION, EV_TEXT(PROCESS, "console"),
			   EV_TEXT(REASON, why != NULL ? why : err_name(got)));
	drop_link(c, link);
}

/* A console started anew replaces its earlier link. */
static int add_link(struct config *c, const struct control_give *give, int fd)
{
	struct config_link *link;

	if (give->index >= CONFIG_LINKS_MAX)
		return -ERR_RANGE;
	link = &c->links[give->index];
	drop_link(c, link);
	link->index = give->index;
	link->role = give->person_role;
	link->shown[0] = '\0';
	snprintf(link->person, sizeof(link->person), "%.*s", (int)sizeof(give->person),
		 give->person);
	snprintf(link->hands, sizeof(link->hands), "%.*s", (int)sizeof(give->hands), give->hands);
	link->config = c;
	channel_init(&link->channel, fd, link_rules, sizeof(link_rules) / sizeof(link_rules[0]),
		     link);
	link->watch = (struct loop_fd){.fd = fd, .events = POLLIN, .ready = on_link, .ctx = link};
	link->used = true;
	return loop_add(&c->loop, &link->watch);
}

/* ---- supervisor */

static int on_give(void *ctx, const struct control_give *give, int fd)
{
	struct config *c = ctx;

	if (give->kind == GIVE_LINK && give->role == ROLE_CONSOLE)
		return add_link(c, give, fd);
	if (give->kind == GIVE_STATE && give->index == GIVE_STATE_KEYS && c->keys_dir < 0) {
		c->keys_dir = fd;
		return 0;
	}
	if (give->kind == GIVE_STATE && give->index == GIVE_STATE_OWN && c->state_dir < 0) {
		c->state_dir = fd;
		return 0;
	}
	if (give->kind == GIVE_CONFIG && c->file < 0) {
		c->file = fd;
		return 0;
	}
	return -ERR_PEER;
}

static int handle_give(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return process_keep(on_give, ctx, message);
}

static int handle_committed(struct channel *ch, void *ctx, const struct channel_message *message)
{
	config_commit_settle(ctx, message->body);
	return 0;
}

static int handle_stop(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct config *c = ctx;

	loop_stop(&c->loop, 0);
	return 0;
}

static const struct channel_rule control_rules[] = {
	{CONTROL_GIVE, 1, 1, CHANNEL_EXACTLY(control_give), handle_give, "give"},
	{CONTROL_COMMITTED, 0, 0, CHANNEL_EXACTLY(control_committed), handle_committed,
	 "committed"},
	{CONTROL_FIRST, 0, 0, CHANNEL_EXACTLY(control_first), config_handle_first, "first"},
	{CONTROL_PING, 0, 0, CHANNEL_EXACTLY(control_ping), process_pong, "ping"},
	{CONTROL_STOP, 0, 0, 0, 0, CHANNEL_ANY_STATE, handle_stop, "stop"},
};

/*
 * It is time to try the first commit again; or the supervisor has not answered for longer than all
 * its own deadlines. Then nobody here knows what runs: begin anew, with what it says at the start.
 */
static void on_commit_timer(struct loop *loop, struct loop_timer *self)
{
	struct config *c = self->ctx;

	if (c->commit.active) {
		fprintf(stderr, "config: the supervisor did not answer a commit\n");
		loop_stop(loop, 1);
	} else if (c->commit.first && config_commit_send(c) != 0) {
		fprintf(stderr, "config: the first policy cannot be sent\n");
	}
}

/* ---- life */

static const int extra_syscalls[] = {
	SYS_openat,     SYS_unlinkat,  SYS_renameat, SYS_renameat2,
	SYS_getdents64, SYS_ftruncate, SYS_fsync,    SYS_memfd_create,
};

static const struct sandbox_profile profile = {
	.name = "config",
	.syscalls = extra_syscalls,
	.syscall_count = sizeof(extra_syscalls) / sizeof(extra_syscalls[0]),
	.keeps_files = true,
};

static void init(struct config *c)
{
	c->state_dir = -1;
	c->keys_dir = -1;
	c->file = -1;
	c->editor = CONFIG_NOBODY;
	bytes_init(&c->running_text, CONFIG_TEXT_BYTES);
	bytes_init(&c->running_block, SNAPSHOT_BYTES_MAX);
	config_commit_init(&c->commit);
	config_edge_init(c);
	config_unconfirmed_init(c);
	config_saved_init(c);
	config_slots_init(c);
	c->commit_timer = (struct loop_timer){.fire = on_commit_timer, .ctx = c};
	loop_init(&c->loop, &clock_system, c->polls, c->fds, CONFIG_DESCRIPTORS);
}

/* Whether the policy that the supervisor runs already is the one that was loaded. */
static bool runs_already(struct config *c, int snapshot_fd)
{
	struct snapshot running;
	bool same;

	if (snapshot_fd < 0)
		return false;
	if (snapshot_load(&running, snapshot_fd) != 0)
		return false;
	same = running.header->size_bytes == c->commit.block.size &&
	       memcmp(running.header, c->commit.block.data, c->commit.block.size) == 0;
	snapshot_unload(&running);
	return same;
}

static int start(struct config *c)
{
	struct control_start begin;
	int snapshot_fd = -1;
	bool running;
	int err = process_begin(&c->process, &profile, on_give, c, &begin, &snapshot_fd);

	if (err == 0)
		err = config_load(c);
	if (err != 0)
		return err;
	/* What runs already may mean something else by now, where it depends on the time. */
	running = runs_already(c, snapshot_fd) && !config_edge_matters(&c->commit.block) &&
		  !c->commit.returns;
	if (snapshot_fd >= 0)
		close(snapshot_fd);
	err = process_serve(&c->process, &c->loop, control_rules,
			    sizeof(control_rules) / sizeof(control_rules[0]), NULL, c);
	if (err == 0)
		err = process_ready(&c->process);
	if (err != 0)
		return err;
	config_saved_begin(c);
	if (!running)
		return config_commit_send(c);
	c->running_entry = c->commit.entry;
	c->running_chosen = c->commit.chosen;
	config_commit_fini(&c->commit);
	config_slots_look(c);
	return 0;
}

int main(void)
{
	int status, err;

	init(&config);
	err = start(&config);
	if (err != 0) {
		fprintf(stderr, "config: cannot start: %s\n", err_name(err));
		return 1;
	}
	status = loop_run(&config.loop);
	return status < 0 ? 1 : status;
}
