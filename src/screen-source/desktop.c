/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The desktop's connection: handshake, decoding into the frame, asking for updates at our own pace.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "screen-source/source.h"

/*
 * What is asked for, in order of preference. On a fast link Raw, and no other encoding of pixels: a
 * desktop's encoder costs more time than the bytes that it saves (Xvnc takes any other that is
 * named before Raw), ADR 0702.
 */
#define ENCODINGS_PSEUDO RFB_CURSOR, RFB_DESKTOP_SIZE, RFB_EXTENDED_DESKTOP_SIZE, RFB_LAST_RECT

static const int32_t encodings_fast[] = {RFB_RAW, RFB_COPY_RECT, ENCODINGS_PSEUDO};
static const int32_t encodings_slow[] = {RFB_HEXTILE, RFB_COPY_RECT, RFB_RAW, ENCODINGS_PSEUDO};
static const int32_t encodings_zrle[] = {RFB_ZRLE,      RFB_TRLE, RFB_HEXTILE,
					 RFB_COPY_RECT, RFB_RAW,  ENCODINGS_PSEUDO};

void desktop_connect(struct source *s)
{
	struct control_connect body = {.target = 0};

	s->phase = SOURCE_CONNECTING;
	loop_arm(&s->loop, &s->handshake_timer, SESSION_HANDSHAKE_MS);
	if (channel_send(&s->process.control, CONTROL_CONNECT, &body, sizeof(body), NULL, 0) != 0)
		source_end(s, SCREEN_END_INTERNAL, "control-channel", 0);
}

/* Keys and requests are small and must not wait for each other's acknowledgement. */
static void set_no_delay(int fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
			 sizeof(on)); /* slower without, but right */
}

struct writer desktop_writer(struct source *s)
{
	struct writer w;

	writer_init(&w, s->out, sizeof(s->out));
	w.size = s->out_bytes;
	return w;
}

void desktop_written(struct source *s, const struct writer *w)
{
	if (w->failed) {
		source_end(s, SCREEN_END_INTERNAL, "desktop-buffer", 0);
		return;
	}
	s->out_bytes = w->size;
	desktop_flush(s);
}

bool desktop_has_room(const struct source *s)
{
	return sizeof(s->out) - s->out_bytes >= SOURCE_OUT_ROOM;
}

void desktop_flush(struct source *s)
{
	ssize_t n = 1;

	while (s->out_bytes > 0 && n > 0) {
		n = stream_write(&s->stream, s->out, s->out_bytes);
		if (n <= 0)
			break;
		s->out_bytes -= (size_t)n;
		memmove(s->out, s->out + n, s->out_bytes);
		explicit_bzero(s->out + s->out_bytes, (size_t)n); /* it may be a password */
	}
	if (n == -ERR_CLOSED)
		s->out_bytes = 0; /* nobody is there; the hang-up tells when the rest is read */
	desktop_watch(s);
}

static void fail(struct source *s, const char *fault, int32_t code)
{
	source_end(s, SCREEN_END_DESKTOP_PROTOCOL, fault, code);
}

/* The connection has ended. Under TLS only close_notify makes that the desktop's own doing. */
static void lose(struct source *s)
{
	enum tls_fault fault = s->stream.tls != NULL ? tls_fault(s->stream.tls) : TLS_FAULT_NONE;

	if (fault == TLS_FAULT_NONE)
		source_end(s, SCREEN_END_DESKTOP_LEFT, NULL, 0);
	else
		source_end(s, SCREEN_END_TLS, tls_fault_text(fault), 0);
}

static void read_more(struct source *s)
{
	ssize_t n;

	if (receive_is_full(s)) /* paused with a hang-up behind: what is here comes first */
		return;
	n = receive_more(s);
	if (n == -ERR_AGAIN)
		return;
	if (n <= 0) {
		lose(s);
		return;
	}
	s->bytes_in += (uint64_t)n;
	if (s->update_bytes == 0)
		s->update_began_ms = clock_mono_ms(s->loop.clock);
	s->update_bytes += (uint64_t)n;
}

/* The viewer's screen becomes black with its new size, as ours is: only what is drawn from now on
 * is told. */
static void new_size(struct source *s)
{
	s->size_due = s->whole = true;
	memset(&s->frame.dirty, 0, sizeof(s->frame.dirty));
}

#define ASK_FOR(w, list) rfb_client_set_encodings(w, list, sizeof(list) / sizeof((list)[0]))

/* Ready to decode what the policy says that the desktop is asked for. */
static int begin_parser(struct source *s)
{
	bool zrle = s->session.encodings == SNAPSHOT_ENCODINGS_ZRLE;

	rfb_server_init(&s->parser, &s->frame, zrle ? &s->inflate : NULL);
	return zrle ? rfb_inflate_init(&s->inflate) : 0;
}

static void begin_messages(struct source *s)
{
	struct writer w = desktop_writer(s);

	loop_disarm(&s->loop, &s->handshake_timer);
	if (frame_resize(&s->frame, s->caller.width, s->caller.height) != 0) {
		fail(s, "desktop-size", 0);
		return;
	}
	s->phase = SOURCE_RUNNING;
	new_size(s);
	if (begin_parser(s) != 0) {
		source_end(s, SCREEN_END_INTERNAL, "inflate", 0);
		return;
	}
	rfb_client_set_format(&w, &rfb_format_gateway);
	if (s->parser.inflate != NULL)
		ASK_FOR(&w, encodings_zrle);
	else
		ASK_FOR(&w, encodings_fast);
	desktop_written(s, &w);
	event_send(&s->process.events, EVENT_SCREEN_DESKTOP, EV_NUMBER(SESSION, s->session.id),
		   EV_TEXT(NAME, s->session.name), EV_TEXT(ZONE, s->session.zone),
		   EV_NUMBER(WIDTH, s->frame.width), EV_NUMBER(HEIGHT, s->frame.height));
}

static void shake(struct source *s)
{
	struct writer w = desktop_writer(s);
	struct reader r;
	int event;

	reader_init(&r, s->in + s->in_at, s->in_end - s->in_at);
	event = rfb_caller_next(&s->caller, &r, &w);
	s->in_at += r.at;
	if (event == -ERR_NOT_FOUND)
		secure_tell_offer(s);
	if (event == -ERR_DENIED || event == -ERR_UNSUPPORTED || event == -ERR_NOT_FOUND) {
		source_end(s, SCREEN_END_DESKTOP_REFUSED, s->caller.fault, 0);
		return;
	}
	if (event < 0) {
		fail(s, s->caller.fault, 0);
		return;
	}
	desktop_written(s, &w);
	if (event == RFB_HANDSHAKE_DONE)
		begin_messages(s);
	else if (event == RFB_HANDSHAKE_TLS)
		secure_start_tls(s, &r);
	else if (event == RFB_HANDSHAKE_LOGIN)
		secure_login(s);
}

static void resized(struct source *s)
{
	new_size(s);
	if (!source_bucket_take(&s->resizes, SOURCE_RESIZES_PER_S, SOURCE_RESIZES_BURST))
		fail(s, "resize-rate", 0);
}

/* A large update that came slowly: from now on fewer bytes are worth the desktop's time. */
static void judge_link(struct source *s)
{
	uint64_t took_ms = clock_mono_ms(s->loop.clock) - s->update_began_ms;
	struct writer w;

	if (!s->slow && s->parser.inflate == NULL && s->update_bytes >= SOURCE_JUDGED_BYTES &&
	    s->update_bytes / (took_ms + 1) < SOURCE_SLOW_BYTES_PER_MS) {
		s->slow = true;
		w = desktop_writer(s);
		ASK_FOR(&w, encodings_slow);
		desktop_written(s, &w);
	}
	s->update_bytes = 0;
}

/*
 * The first update with pixels also tells the size: a viewer never sees a screen without its
 * content. Xvnc answers the first request with its size and cursor only, and the next one with the
 * pixels.
 */
static void take_end(struct source *s)
{
	s->requested = false;
	judge_link(s);
	if (!s->size_due || frame_any_dirty(&s->frame))
		tiles_begin(s);
}

static void take_event(struct source *s, int event)
{
	switch (event) {
	case RFB_SERVER_END:
		take_end(s);
		break;
	case RFB_SERVER_RESIZED:
		resized(s);
		break;
	case RFB_SERVER_CURSOR:
		s->cursor_due = true;
		break;
	case RFB_SERVER_BELL:
		session_drop(&s->session, SESSION_DROP_BELL, 0);
		break;
	case RFB_SERVER_COLOURS:
		session_drop(&s->session, SESSION_DROP_COLOUR_MAP, 0);
		break;
	case RFB_SERVER_CUT:
		session_drop(&s->session, SESSION_DROP_CUT_TEXT, s->parser.total_bytes);
		break;
	default:
		fail(s, s->parser.fault, s->parser.fault_type);
		break;
	}
}

/* Decode until more bytes are needed or an update is to be handed on. */
static void decode(struct source *s)
{
	while (s->session.end == SCREEN_END_NONE_ && tiles_may_begin(s)) {
		struct reader r;
		int event;

		reader_init(&r, s->in + s->in_at, s->in_end - s->in_at);
		event = rfb_server_next(&s->parser, &r);
		s->in_at += r.at;
		if (event == RFB_SERVER_MORE) {
			tiles_stream(s);
			break;
		}
		take_event(s, event);
	}
}

/* One request at a time, not before its time. */
static void request(struct source *s)
{
	struct rfb_rect all = {0, 0, s->frame.width, s->frame.height};
	uint64_t now_ms = clock_mono_ms(s->loop.clock);
	struct writer w;

	if (s->requested || !tiles_may_begin(s) || !desktop_has_room(s))
		return;
	if (now_ms < s->request_due_ms) {
		loop_arm(&s->loop, &s->request_timer, s->request_due_ms - now_ms);
		return;
	}
	s->request_due_ms = now_ms + s->session.frame_period_ms;
	s->requested = true;
	w = desktop_writer(s);
	rfb_client_request(&w, &all, !s->whole);
	s->whole = false;
	desktop_written(s, &w);
}

/* While an update is on its way to the viewer nothing more is read. */
static bool may_read(const struct source *s)
{
	return s->phase != SOURCE_RUNNING || tiles_may_begin(s);
}

static void advance(struct source *s)
{
	if (s->phase == SOURCE_HANDSHAKE)
		shake(s);
	if (s->phase != SOURCE_RUNNING || s->session.end != SCREEN_END_NONE_)
		return;
	decode(s);
	if (s->session.end == SCREEN_END_NONE_)
		request(s);
	if (s->session.end == SCREEN_END_NONE_)
		desktop_watch(s);
}

/* Under TLS more may wait than poll(2) tells of. */
void desktop_advance(struct source *s)
{
	advance(s);
	while (s->session.end == SCREEN_END_NONE_ && s->phase != SOURCE_TLS && may_read(s) &&
	       !receive_is_full(s) && stream_pending(&s->stream) > 0) {
		read_more(s);
		if (s->session.end == SCREEN_END_NONE_)
			advance(s);
	}
}

/* Whatever came, also from the viewer's half, desktop_advance has the last word: it alone asks for
 * more. */
static void desktop_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	struct source *s = self->ctx;

	if (s->out_bytes > 0) /* under TLS, writing may have waited for a record to come */
		desktop_flush(s);
	if (s->phase == SOURCE_TLS) {
		secure_shake(s);
		return;
	}
	if (!(s->link.events & POLLIN) && desktop_has_room(s))
		input_serve(s);
	if (s->session.end == SCREEN_END_NONE_ && revents & (POLLIN | POLLHUP | POLLERR))
		read_more(s);
	if (s->session.end == SCREEN_END_NONE_)
		desktop_advance(s);
}

/*
 * While an update is on its way to the viewer nothing more is read: the desktop waits, and so
 * bounds our memory. A connection that it has broken off is ready for ever then: once the buffer is
 * full there is nothing that could be done about it, and it is not asked about.
 */
void desktop_watch(struct source *s)
{
	s->desktop.events = stream_events(&s->stream, may_read(s), s->out_bytes > 0);
	if (s->desktop.events == 0 && receive_is_full(s))
		loop_remove(&s->loop, &s->desktop);
	else if (loop_add(&s->loop, &s->desktop) != 0)
		source_end(s, SCREEN_END_INTERNAL, "loop", 0);
}

static void desktop_writable(struct loop *loop, struct loop_fd *self, short revents)
{
	struct source *s = self->ctx;
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(self->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
		source_end(s, SCREEN_END_DESKTOP_UNREACHABLE, NULL, error);
		return;
	}
	s->phase = SOURCE_HANDSHAKE;
	secure_begin(s);
	self->ready = desktop_ready;
	desktop_watch(s);
}

void desktop_connected(struct source *s, int fd, int error)
{
	if (error != 0 || fd < 0) {
		source_end(s, SCREEN_END_DESKTOP_UNREACHABLE, NULL, error);
		return;
	}
	set_no_delay(fd);
	stream_init(&s->stream, fd);
	s->desktop =
		(struct loop_fd){.fd = fd, .events = POLLOUT, .ready = desktop_writable, .ctx = s};
	if (loop_add(&s->loop, &s->desktop) != 0)
		source_end(s, SCREEN_END_INTERNAL, "loop", 0);
}
