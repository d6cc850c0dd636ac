/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The viewer's connection: handshake, its messages, and the few that become records for the source.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "screen-viewer/viewer.h"
#include "wire/rfb/keys.h"

static void peer_ready(struct loop *loop, struct loop_fd *self, short revents);

void client_greet(struct viewer *v)
{
	static const enum rfb_subtype subtypes[SCREEN_SECURITY_COUNT_] = {
		[SCREEN_SECURITY_NONE] = RFB_SUBTYPE_NONE,
		[SCREEN_SECURITY_X509_PLAIN] = RFB_SUBTYPE_X509_PLAIN,
		[SCREEN_SECURITY_X509_NONE] = RFB_SUBTYPE_X509_NONE,
	};
	struct writer w = update_writer(v);

	viewer_tell_start(v);
	rfb_greeter_init(&v->greeter,
			 v->browser.is_one ? RFB_SUBTYPE_PLAIN : subtypes[v->session.security], &w);
	update_written(v, &w);
	client_watch_peer(v);
}

void client_begin(struct viewer *v)
{
	int on = 1;

	(void)setsockopt(v->peer.fd, IPPROTO_TCP, TCP_NODELAY, &on,
			 sizeof(on)); /* slower without, but right */
	v->peer.ready = peer_ready;
	stream_init(&v->stream, v->peer.fd);
	pace_init(&v->pace, v->session.bandwidth_kbit_s);
	v->admitted = v->session.security == SCREEN_SECURITY_NONE;
	v->reading = true;
	if (v->browser.is_one)
		secure_begin(v);
	else
		client_greet(v);
}

/* Return: false where the link is full. On one that has broken nobody misses the input, but why the
 * source's half ended may still be on its way here: whoever reads it ends the session. */
static bool send_input(struct viewer *v, const struct screen_input *input)
{
	return send(v->link.fd, input, sizeof(*input), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
	       (errno != EAGAIN && errno != EINTR && errno != ENOBUFS);
}

void client_watch_peer(struct viewer *v)
{
	v->peer.events = stream_events(&v->stream, v->reading, peer_has_output(v));
}

static void set_event(struct loop_fd *fd, short event, bool on)
{
	fd->events = on ? fd->events | event : fd->events & (short)~event;
}

/* A full link, or messages that have to wait, stop the client: what it types then waits in its own
 * connection. */
static void watch_client(struct viewer *v)
{
	v->reading = v->in_end - v->in_at < sizeof(v->in) && !v->input_waits;
	set_event(&v->link, POLLOUT, v->input_waits);
	client_watch_peer(v);
}

void client_send_input(struct viewer *v, const struct screen_input *input)
{
	v->input_waits = !send_input(v, input);
	if (v->input_waits)
		v->input = *input;
	watch_client(v);
}

static void take_key(struct viewer *v, const struct rfb_client_message *m)
{
	struct screen_input input = {
		.kind = SCREEN_KEY, .flags = m->down, .value = rfb_key_passed(m->keysym)};

	v->input_at_ms = clock_mono_ms(v->loop.clock);
	if (v->shadow.is_one) {
		shadow_take_key(v, m->down);
		return;
	}
	if (!rfb_key_allowed(input.value)) {
		session_drop(&v->session, SESSION_DROP_KEY_NOT_ALLOWED, 0);
		return;
	}
	v->keys += m->down;
	client_send_input(v, &input);
}

static void take_pointer(struct viewer *v, const struct rfb_client_message *m)
{
	struct screen_input input = {
		.kind = SCREEN_POINTER,
		.flags = m->buttons,
		.x = m->x < v->frame.width ? m->x : (uint16_t)(v->frame.width - 1),
		.y = m->y < v->frame.height ? m->y : (uint16_t)(v->frame.height - 1),
	};

	v->input_at_ms = clock_mono_ms(v->loop.clock);
	if (!v->shadow.is_one)
		client_send_input(v, &input);
}

static void take_request(struct viewer *v, const struct rfb_client_message *m)
{
	v->wants = true;
	frame_mark(&v->frame, &v->wanted, &m->request);
	if (!m->incremental)
		frame_mark(&v->frame, &v->frame.dirty, &m->request);
	update_consider(v);
	records_acknowledge(v);
}

static void take_choice(struct viewer *v, const struct rfb_client_message *m)
{
	if (m->encodings.cursor && !v->choice.cursor)
		v->cursor_due = v->cursor.w > 0;
	v->choice = m->encodings;
}

static void take_message(struct viewer *v, int event, const struct rfb_client_message *m)
{
	switch (event) {
	case RFB_CLIENT_FORMAT:
		rfb_encoder_format(&v->encoder, &m->format);
		v->colours_due = !m->format.true_colour;
		break;
	case RFB_CLIENT_ENCODINGS:
		take_choice(v, m);
		break;
	case RFB_CLIENT_REQUEST:
		take_request(v, m);
		break;
	case RFB_CLIENT_KEY:
		take_key(v, m);
		break;
	case RFB_CLIENT_POINTER:
		take_pointer(v, m);
		break;
	case RFB_CLIENT_CUT:
		session_drop(&v->session, SESSION_DROP_CUT_TEXT, m->discarded_bytes);
		break;
	case RFB_CLIENT_RESIZE:
		session_drop(&v->session, SESSION_DROP_RESIZE_REQUEST, 0);
		break;
	default:
		viewer_end(v, SCREEN_END_VIEWER_PROTOCOL, v->parser.fault, v->parser.fault_type);
		break;
	}
}

static void parse(struct viewer *v)
{
	while (v->session.end == SCREEN_END_NONE_ && !v->input_waits) {
		struct rfb_client_message message;
		struct reader r;
		int event;

		reader_init(&r, v->in + v->in_at, v->in_end - v->in_at);
		if (update_going(v) && rfb_client_changes_encoding(&v->parser, &r))
			break;
		event = rfb_client_next(&v->parser, &r, &message);
		v->in_at += r.at;
		if (event == RFB_CLIENT_MORE)
			break;
		take_message(v, event, &message);
	}
}

static void shake(struct viewer *v)
{
	static const struct screen_input begin = {.kind = SCREEN_START};
	struct writer w = update_writer(v);
	struct reader r;
	int event;

	reader_init(&r, v->in + v->in_at, v->in_end - v->in_at);
	event = rfb_greeter_next(&v->greeter, &r, &w);
	v->in_at += r.at;
	update_written(v, &w);
	if (event < 0) {
		viewer_end(v, SCREEN_END_VIEWER_PROTOCOL, v->greeter.fault, 0);
	} else if (event == RFB_HANDSHAKE_TLS) {
		secure_begin(v);
	} else if (event == RFB_HANDSHAKE_LOGIN) {
		secure_login(v);
	} else if (event == RFB_HANDSHAKE_SIZE && v->admitted) {
		v->phase = VIEWER_WAITING;
		if (v->shadow.is_one)
			shadow_begin(v);
		else
			client_send_input(v, &begin);
	}
}

/* @name: of the desktop, for the viewer's title: what whoever looks has to be told */
static void put_name(const struct viewer *v, char *name, size_t name_bytes)
{
	if (v->shadow.is_one)
		(void)snprintf(name, name_bytes, "%s", VIEWER_NAME_SHADOW); /* they all fit */
	else
		(void)snprintf(name, name_bytes, "%s%s%s", VIEWER_NAME,
			       v->recorder.on ? VIEWER_NAME_RECORDED : "",
			       v->session.watchable ? VIEWER_NAME_WATCHABLE : "");
}

void client_admit(struct viewer *v)
{
	struct writer w = update_writer(v);
	char name[VIEWER_NAME_BYTES];

	loop_disarm(&v->loop, &v->handshake_timer);
	v->phase = VIEWER_RUNNING;
	marking_begin(v);
	recorder_begin(v);
	if (v->session.end != SCREEN_END_NONE_)
		return;
	rfb_client_init(&v->parser);
	put_name(v, name, sizeof(name));
	rfb_greeter_size(&v->greeter, v->frame.width, v->frame.height, name, &w);
	update_written(v, &w);
}

static void read_more(struct viewer *v)
{
	ssize_t n;

	memmove(v->in, v->in + v->in_at, v->in_end - v->in_at);
	v->in_end -= v->in_at;
	v->in_at = 0;
	if (v->in_end ==
	    sizeof(v->in)) { /* not polled for reading then: the connection has broken */
		viewer_end(v, SCREEN_END_VIEWER_LEFT, NULL, 0);
		return;
	}
	n = peer_read(v, v->in + v->in_end, sizeof(v->in) - v->in_end);
	if (n > 0) {
		v->in_end += (size_t)n;
		v->bytes_in += (uint64_t)n;
	} else if (n != -ERR_AGAIN) {
		viewer_end(v, SCREEN_END_VIEWER_LEFT, NULL, 0);
	}
}

static void take(struct viewer *v)
{
	if (v->input_waits)
		client_send_input(v, &v->input);
	if (v->phase == VIEWER_PAGE)
		page_serve(v);
	else if (v->phase == VIEWER_HANDSHAKE)
		shake(v);
	else if (v->phase == VIEWER_RUNNING)
		parse(v);
	if (v->session.end == SCREEN_END_NONE_)
		watch_client(v);
}

/* Under TLS more may wait than poll(2) tells of. */
void client_advance(struct viewer *v)
{
	take(v);
	while (v->session.end == SCREEN_END_NONE_ && v->reading && peer_pending(v) > 0) {
		read_more(v);
		if (v->session.end == SCREEN_END_NONE_)
			take(v);
	}
}

static void peer_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	struct viewer *v = self->ctx;

	if (v->phase == VIEWER_TLS) {
		secure_shake(v);
		return;
	}
	if (peer_has_output(v)) /* under TLS, writing may have waited for a record to come */
		update_continue(v);
	if (v->session.end == SCREEN_END_NONE_ && revents & (POLLIN | POLLHUP | POLLERR))
		read_more(v);
	if (v->session.end == SCREEN_END_NONE_)
		client_advance(v);
}
