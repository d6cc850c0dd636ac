/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * screen-viewer: the half of a screen session that faces the staff's viewer. An RFB server on one
 * accepted socket; for a browser, a web server of four files that turns into one.
 *
 * Talks to: the supervisor (control, descriptor 3), audit (events, 4), its screen-source (link),
 * one viewer (the accepted socket). A browser that has not asked for a session has no
 * screen-source. Holds: that socket, the framebuffer and, with TLS, its entry's certificate and
 * key; where the session is recorded, a file to append to. No capability, no other file, no other
 * socket; an empty network namespace and an empty root.
 * What a hostile viewer could take over is this process of this one session, and what that could
 * still do is press keys on the allow list. A shadow, by which an auditor looks on at another
 * session, has that session's memory to read in place of a link, and can press nothing.
 */
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "channel/admission.h"
#include "screen-viewer/viewer.h"

static struct viewer viewer;

static const int syscalls[] = {SYS_setsockopt};
static const struct sandbox_profile profile = {
	.name = "screen-viewer",
	.syscalls = syscalls,
	.syscall_count = sizeof(syscalls) / sizeof(syscalls[0]),
};

void viewer_end(struct viewer *v, enum screen_end why, const char *detail, int32_t code)
{
	struct screen_input input = {.kind = SCREEN_INPUT_ENDED, .value = why};

	if (v->session.end != SCREEN_END_NONE_)
		return;
	session_end(&v->session, why, detail, code);
	if (v->link.fd >= 0) {
		session_widen(v->link.fd);
		/* To a half that has gone: nobody asks. */
		(void)send(v->link.fd, &input, sizeof(input), MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	loop_stop(&v->loop, 0);
}

static int give(void *ctx, const struct control_give *what, int fd)
{
	struct viewer *v = ctx;

	if (what->kind == GIVE_LINK && what->role == ROLE_SCREEN_SOURCE && v->link.fd < 0)
		v->link.fd = fd;
	else if ((what->kind == GIVE_PEER || what->kind == GIVE_BROWSER) && v->peer.fd < 0)
		v->peer.fd = fd;
	else if (what->kind == GIVE_CERTIFICATE && v->certificate_fd < 0)
		v->certificate_fd = fd;
	else if (what->kind == GIVE_AUTHORITY && v->authority_fd < 0)
		v->authority_fd = fd;
	else if (what->kind == GIVE_PIXELS && v->pixels == NULL)
		return records_map(v, fd);
	else if (what->kind == GIVE_RECORDING && v->recorder.fd < 0)
		v->recorder.fd = fd;
	else
		return -ERR_PEER;
	v->browser.is_one |= what->kind == GIVE_BROWSER;
	return 0;
}

/* Later come the file of a recording, once the viewer's handshake is done, and the memory of the
 * session that an auditor looks at, before the verdict that admits him. */
static int give_late(void *ctx, const struct control_give *what, int fd)
{
	struct viewer *v = ctx;

	if (what->kind == GIVE_PIXELS && v->phase == VIEWER_LOGIN && !v->shadow.is_one)
		return shadow_become(v, fd);
	return what->kind == GIVE_RECORDING ? give(ctx, what, fd) : -ERR_PEER;
}

static int on_give(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return process_keep(give_late, ctx, message);
}

static int on_ping(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return channel_send(ch, CONTROL_PONG, message->body, message->body_bytes, NULL, 0);
}

static int on_stop(struct channel *ch, void *ctx, const struct channel_message *message)
{
	viewer_end(ctx, SCREEN_END_STOPPED, NULL, 0);
	return 0;
}

static int on_watched(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct viewer *v = ctx;
	const struct control_screen_watched *body = message->body;

	marking_watch(v, v->session.notice_live && body->count > 0);
	return 0;
}

static const struct channel_rule rules[] = {
	{CONTROL_PING, 0, 0, sizeof(struct control_ping), sizeof(struct control_ping),
	 CHANNEL_ANY_STATE, on_ping, "ping"},
	{CONTROL_STOP, 0, 0, 0, 0, CHANNEL_ANY_STATE, on_stop, "stop"},
	{CONTROL_SCREEN_VERDICT, 0, 0, CHANNEL_EXACTLY(control_screen_verdict), secure_on_verdict,
	 "screen verdict"},
	{CONTROL_GIVE, 1, 1, CHANNEL_EXACTLY(control_give), on_give, "give"},
	{CONTROL_SCREEN_WATCHED, 0, 0, CHANNEL_EXACTLY(control_screen_watched), on_watched,
	 "screen watched"},
	{CONTROL_SCREEN_END, 0, 0, CHANNEL_EXACTLY(control_screen_end), secure_on_end,
	 "screen end"},
};

static void control_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	struct viewer *v = self->ctx;

	if (channel_serve(&v->process.control, 8, NULL) < 0)
		viewer_end(v, SCREEN_END_STOPPED, "control-channel", 0);
}

static void link_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	struct viewer *v = self->ctx;

	if (revents & POLLOUT && v->input_waits)
		client_advance(v);
	if (v->session.end != SCREEN_END_NONE_)
		return;
	if (revents & POLLIN)
		records_serve(v);
	else if (revents & (POLLHUP | POLLERR))
		records_last(v);
	if (v->session.end == SCREEN_END_NONE_)
		client_advance(v);
}

static void handshake_due(struct loop *loop, struct loop_timer *self)
{
	struct viewer *v = self->ctx;

	if (v->phase == VIEWER_PAGE)
		page_timeout(v);
	viewer_end(v, SCREEN_END_HANDSHAKE_TIMEOUT,
		   v->phase == VIEWER_WAITING ? "desktop" : "viewer", 0);
}

static void tick_due(struct loop *loop, struct loop_timer *self)
{
	update_tick(self->ctx);
}

static void ack_late(struct loop *loop, struct loop_timer *self)
{
	struct viewer *v = self->ctx;

	/* While an update is on its way the client is slow, not idle: then the desktop waits for
	 * it. */
	v->ack_late = !update_going(v);
	records_acknowledge(v);
}

static void mark_due(struct loop *loop, struct loop_timer *self)
{
	marking_renew(self->ctx);
}

static void limit_due(struct loop *loop, struct loop_timer *self)
{
	viewer_end(self->ctx, SCREEN_END_SESSION_LIMIT, NULL, 0);
}

/* Idle is counted from the last key or pointer event, not from pixels: a clock on the desktop keeps
 * nobody logged in. */
static void idle_due(struct loop *loop, struct loop_timer *self)
{
	struct viewer *v = self->ctx;
	uint64_t idle_ms = clock_mono_ms(loop->clock) - v->input_at_ms;

	if (idle_ms >= v->session.idle_ms)
		viewer_end(v, SCREEN_END_IDLE, NULL, 0);
	else
		loop_arm(loop, self, v->session.idle_ms - idle_ms);
}

/* The last is served first: the file of a recording, which was given before the desktop was
 * connected, is there before the first record that came of it. */
static int watch(struct viewer *v)
{
	int error = loop_add(&v->loop, &v->link);

	if (error == 0)
		error = loop_add(&v->loop, &v->peer);
	if (error == 0)
		error = loop_add(&v->loop, &v->control);
	loop_arm(&v->loop, &v->handshake_timer, SESSION_HANDSHAKE_MS);
	v->input_at_ms = clock_mono_ms(v->loop.clock);
	if (v->session.idle_ms > 0)
		loop_arm(&v->loop, &v->idle_timer, v->session.idle_ms);
	if (v->session.limit_ms > 0)
		loop_arm(&v->loop, &v->limit_timer, v->session.limit_ms);
	return error;
}

static void init(struct viewer *v)
{
	v->control = (struct loop_fd){
		.fd = FD_CONTROL, .events = POLLIN, .ready = control_ready, .ctx = v};
	v->link = (struct loop_fd){.fd = -1, .events = POLLIN, .ready = link_ready, .ctx = v};
	v->peer = (struct loop_fd){.fd = -1, .ctx = v};
	v->certificate_fd = v->authority_fd = -1;
	v->handshake_timer = (struct loop_timer){.fire = handshake_due, .ctx = v};
	v->tick_timer = (struct loop_timer){.fire = tick_due, .ctx = v};
	v->idle_timer = (struct loop_timer){.fire = idle_due, .ctx = v};
	v->limit_timer = (struct loop_timer){.fire = limit_due, .ctx = v};
	v->ack_timer = (struct loop_timer){.fire = ack_late, .ctx = v};
	v->mark_timer = (struct loop_timer){.fire = mark_due, .ctx = v};
	rfb_encoder_init(&v->encoder);
	recorder_init(v);
	loop_init(&v->loop, &clock_system, v->polls, v->poll_fds,
		  sizeof(v->polls) / sizeof(v->polls[0]));
}

void viewer_tell_start(struct viewer *v)
{
	const struct control_start *start = &v->start;
	struct event_arg address = start->peer_family == 6 ? EV_IPV6(SOURCE, start->peer_addr)
							   : EV_IPV4(SOURCE, start->peer_addr);

	event_emit(&v->process.events, EVENT_SCREEN_STARTED,
		   (const struct event_arg[]){
			   EV_NUMBER(SESSION, v->session.id), EV_TEXT(NAME, v->session.name),
			   EV_TEXT(ZONE, v->session.zone), address,
			   EV_NUMBER(SOURCE_PORT, start->peer_port), EV_TEXT(DETAIL, "browser")},
		   v->browser.is_one ? 6 : 5);
}

static int load(struct viewer *v, int snapshot_fd)
{
	int error = v->browser.is_one ? page_load(v, snapshot_fd) : 0;

	if (error == 0)
		return session_load(&v->session, &v->process, "viewer", &v->start, snapshot_fd);
	(void)close(snapshot_fd); /* read-only: nothing to lose */
	return error;
}

/* A browser that only looked at the page has had no session. */
static void finish(struct viewer *v)
{
	recorder_end(v);
	if (!v->browser.is_one || v->browser.upgraded)
		session_close(&v->session, v->bytes_in, v->keys, v->updates);
	peer_close(v);
	stream_end(&v->stream);
	stream_fini(&v->stream);
}

int main(void)
{
	struct viewer *v = &viewer;
	int snapshot_fd, error;

	tls_prepare();
	init(v);
	if (session_frame(&v->frame) != 0)
		return 1;
	error = process_begin(&v->process, &profile, give, v, &v->start, &snapshot_fd);
	if (error != 0 || v->start.role != ROLE_SCREEN_VIEWER || v->link.fd < 0 || v->peer.fd < 0 ||
	    v->pixels == NULL)
		return 1;
	error = load(v, snapshot_fd);
	if (error != 0)
		return 1;
	channel_init(&v->process.control, FD_CONTROL, rules, sizeof(rules) / sizeof(rules[0]), v);
	error = watch(v);
	if (error == 0)
		error = process_ready(&v->process);
	client_begin(v);
	if (error == 0)
		error = loop_run(&v->loop);
	if (error != 0)
		session_end(&v->session, SCREEN_END_INTERNAL, err_name(error), 0);
	finish(v);
	return error == 0 ? 0 : 1;
}
