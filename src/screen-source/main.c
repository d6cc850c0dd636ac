/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * screen-source: the half of a screen session that faces the desktop. A client of the desktop in
 * its zone.
 *
 * Talks to: the supervisor (control, descriptor 3), audit (events, 4), its screen-viewer (link),
 * one desktop (a socket that the supervisor connected). Holds: that socket; to read, the
 * authorities and the password of its own entry, where the policy wants them. No capability, no
 * other file, no other socket; an empty network namespace and an empty root. What a hostile desktop
 * could take over is this process of this one session.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "screen-source/source.h"

static struct source source;

static const int syscalls[] = {SYS_setsockopt};
static const struct sandbox_profile profile = {
	.name = "screen-source",
	.syscalls = syscalls,
	.syscall_count = sizeof(syscalls) / sizeof(syscalls[0]),
};

bool source_bucket_take(struct source_bucket *b, unsigned per_s, unsigned burst)
{
	uint64_t now_ms = clock_mono_ms(&clock_system);

	if (b->at_ms == 0)
		b->milli = burst * UINT64_C(1000);
	else
		b->milli += (now_ms - b->at_ms) * per_s;
	b->at_ms = now_ms;
	if (b->milli > burst * UINT64_C(1000))
		b->milli = burst * UINT64_C(1000);
	if (b->milli < 1000)
		return false;
	b->milli -= 1000;
	return true;
}

void source_end(struct source *s, enum screen_end why, const char *detail, int32_t code)
{
	if (s->session.end != SCREEN_END_NONE_)
		return;
	session_end(&s->session, why, detail, code);
	tiles_end(s, why);
	if (s->phase == SOURCE_RUNNING)
		input_release(s);
	loop_stop(&s->loop, 0);
}

static int give(void *ctx, const struct control_give *what, int fd)
{
	struct source *s = ctx;

	if (what->kind == GIVE_LINK && what->role == ROLE_SCREEN_VIEWER && s->link.fd < 0)
		s->link.fd = fd;
	else if (what->kind == GIVE_AUTHORITY && s->authority_fd < 0)
		s->authority_fd = fd;
	else if (what->kind == GIVE_PASSWORD && s->password_fd < 0)
		s->password_fd = fd;
	else if (what->kind == GIVE_PIXELS && s->pixels == NULL)
		return tiles_map(s, fd);
	else
		return -ERR_PEER;
	return 0;
}

static int on_connected(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct source *s = ctx;
	const struct control_connected *body = message->body;
	int fd = -1;

	if (s->phase != SOURCE_CONNECTING || s->desktop.fd >= 0)
		return -ERR_PEER;
	if (message->fd_count == 1) {
		fd = message->fds[0];
		message->fds[0] = -1;
	}
	desktop_connected(s, fd, body->error);
	return 0;
}

static int on_ping(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return channel_send(ch, CONTROL_PONG, message->body, message->body_bytes, NULL, 0);
}

static int on_stop(struct channel *ch, void *ctx, const struct channel_message *message)
{
	source_end(ctx, SCREEN_END_STOPPED, NULL, 0);
	return 0;
}

static const struct channel_rule rules[] = {
	{CONTROL_CONNECTED, 0, 1, sizeof(struct control_connected),
	 sizeof(struct control_connected), CHANNEL_ANY_STATE, on_connected, "connected"},
	{CONTROL_PING, 0, 0, sizeof(struct control_ping), sizeof(struct control_ping),
	 CHANNEL_ANY_STATE, on_ping, "ping"},
	{CONTROL_STOP, 0, 0, 0, 0, CHANNEL_ANY_STATE, on_stop, "stop"},
};

static void control_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	struct source *s = self->ctx;

	if (channel_serve(&s->process.control, 8, NULL) < 0)
		source_end(s, SCREEN_END_STOPPED, "control-channel", 0);
}

static void link_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	struct source *s = self->ctx;

	if (revents & POLLIN)
		input_serve(s);
	else if (revents & (POLLHUP | POLLERR))
		input_last(s);
	if (revents & POLLOUT && s->session.end == SCREEN_END_NONE_)
		tiles_continue(s);
	if (s->session.end == SCREEN_END_NONE_)
		desktop_advance(s);
}

static void handshake_due(struct loop *loop, struct loop_timer *self)
{
	source_end(self->ctx, SCREEN_END_HANDSHAKE_TIMEOUT, "desktop", 0);
}

static void request_due(struct loop *loop, struct loop_timer *self)
{
	desktop_advance(self->ctx);
}

static void limit_due(struct loop *loop, struct loop_timer *self)
{
	source_end(self->ctx, SCREEN_END_SESSION_LIMIT, NULL, 0);
}

static int watch(struct source *s)
{
	int error = loop_add(&s->loop, &s->control);

	if (error == 0)
		error = loop_add(&s->loop, &s->link);
	/* The viewer's half has the same limit; this one stands where that one is compromised. */
	if (error == 0 && s->session.limit_ms > 0)
		loop_arm(&s->loop, &s->limit_timer, s->session.limit_ms);
	return error;
}

static void init(struct source *s)
{
	s->authority_fd = s->password_fd = -1;
	s->link = (struct loop_fd){.fd = -1, .events = POLLIN, .ready = link_ready, .ctx = s};
	s->desktop = (struct loop_fd){.fd = -1, .ctx = s};
	s->control = (struct loop_fd){
		.fd = FD_CONTROL, .events = POLLIN, .ready = control_ready, .ctx = s};
	s->handshake_timer = (struct loop_timer){.fire = handshake_due, .ctx = s};
	s->request_timer = (struct loop_timer){.fire = request_due, .ctx = s};
	s->limit_timer = (struct loop_timer){.fire = limit_due, .ctx = s};
	loop_init(&s->loop, &clock_system, s->polls, s->poll_fds,
		  sizeof(s->polls) / sizeof(s->polls[0]));
}

int main(void)
{
	struct source *s = &source;
	struct control_start start;
	int snapshot_fd, error;

	init(s);
	tls_prepare();
	error = process_begin(&s->process, &profile, give, s, &start, &snapshot_fd);
	if (error != 0 || start.role != ROLE_SCREEN_SOURCE || s->link.fd < 0 || s->pixels == NULL)
		return 1;
	error = session_load(&s->session, &s->process, "desktop", &start, snapshot_fd);
	if (error != 0)
		return 1;
	channel_init(&s->process.control, FD_CONTROL, rules, sizeof(rules) / sizeof(rules[0]), s);
	error = watch(s);
	if (error == 0)
		error = process_ready(&s->process);
	if (error == 0)
		error = loop_run(&s->loop);
	if (error != 0)
		session_end(&s->session, SCREEN_END_INTERNAL, err_name(error), 0);
	session_close(&s->session, s->bytes_in, s->keys, s->update_sent);
	return error == 0 ? 0 : 1;
}
