/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS and login of a viewer. The session begins (the source is told to connect) only once the
 * supervisor has said that this viewer is admitted; what was typed is forgotten as soon as it has
 * been passed on.
 */
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "channel/admission.h"
#include "screen-viewer/viewer.h"
#include "tls/pem.h"

/* ---- TLS ---- */

static void fail_tls(struct viewer *v, enum tls_fault fault)
{
	session_tell_no_tls(&v->session, tls_fault_text(fault));
	viewer_end(v, SCREEN_END_TLS, tls_fault_text(fault), 0);
}

/* Return: 0 with something in @pem. */
static int read_slot(int fd, struct bytes *pem)
{
	int err = -ERR_NO_MEMORY;

	if (fd < 0)
		return -ERR_NOT_FOUND;
	if (bytes_room(pem, TLS_PEM_BYTES_MAX) != NULL) /* so that no copy stays behind */
		err = tls_pem_read(fd, pem);
	return err == 0 && pem->size == 0 ? -ERR_NOT_FOUND : err;
}

/* The key is in memory from here to the end of the session. */
static bool prepare(struct viewer *v)
{
	struct tls_settings settings = {.side = TLS_SERVER};
	enum tls_fault fault = TLS_FAULT_IDENTITY;
	struct bytes identity, authorities;
	int err;

	bytes_init(&identity, TLS_PEM_BYTES_MAX);
	bytes_init(&authorities, TLS_PEM_BYTES_MAX);
	err = read_slot(v->certificate_fd, &identity);
	if (err == 0 && v->session.client_certificates) {
		fault = TLS_FAULT_AUTHORITY;
		err = read_slot(v->authority_fd, &authorities);
	}
	if (err == 0) {
		settings.identity = bytes_span(&identity);
		settings.authorities = bytes_span(&authorities);
		err = stream_prepare_tls(&v->stream, &settings, &fault);
	}
	tls_wipe(&identity);
	bytes_fini(&authorities);
	if (err < 0)
		fail_tls(v, fault);
	return err == 0;
}

void secure_begin(struct viewer *v)
{
	struct reader r;

	reader_init(&r, v->in + v->in_at, v->in_end - v->in_at);
	if (!v->browser.is_one && rfb_greeter_secured(&v->greeter, &r) != 0)
		viewer_end(v, SCREEN_END_VIEWER_PROTOCOL, v->greeter.fault, 0);
	else if (prepare(v))
		v->phase = VIEWER_TLS;
	if (v->browser.is_one && v->phase == VIEWER_TLS)
		secure_shake(v);
}

void secure_tell(struct viewer *v)
{
	uint8_t certificate[32];
	bool shown = tls_peer_sha256(v->stream.tls, certificate);

	session_tell_tls(&v->session, tls_version(v->stream.tls), tls_suite(v->stream.tls),
			 shown ? certificate : NULL);
}

static void begin_login(struct viewer *v)
{
	if (v->browser.is_one) {
		v->phase = VIEWER_PAGE;
		loop_arm(&v->loop, &v->handshake_timer, PAGE_REQUEST_MS);
	} else {
		secure_tell(v);
		v->phase = VIEWER_HANDSHAKE;
		loop_arm(&v->loop, &v->handshake_timer, VIEWER_LOGIN_MS);
	}
	client_advance(v);
}

void secure_shake(struct viewer *v)
{
	int err = -ERR_AGAIN;

	if (v->out_at < v->out_end) /* the answer that TLS follows is still in plain text */
		update_continue(v);
	else
		err = stream_handshake(&v->stream);
	if (err == 0)
		begin_login(v);
	else if (err == -ERR_AGAIN)
		client_watch_peer(v);
	else
		fail_tls(v, tls_fault(v->stream.tls));
}

/* ---- login ---- */

/* Into a zeroed field; what does not fit, or has a NUL inside, is nobody's. */
static bool fill(char *field, size_t field_bytes, struct span text)
{
	if (text.size >= field_bytes || memchr(text.data, '\0', text.size) != NULL)
		return false;
	memcpy(field, text.data, text.size);
	return true;
}

void secure_login(struct viewer *v)
{
	struct control_screen_login login = {0};
	struct span name = v->greeter.name, password = v->greeter.password;
	int err;

	if (name.size > 0 && (!fill(login.name, sizeof(login.name), name) ||
			      !fill(login.secret, sizeof(login.secret), password)))
		explicit_bzero(&login, sizeof(login)); /* refused like any unknown name */
	memcpy(v->name, login.name, sizeof(v->name));
	(void)tls_peer_sha256(v->stream.tls, login.certificate); /* zero without one */
	v->greeter.name = v->greeter.password = (struct span){0};
	/* Behind the end, too: what came in pieces was moved to the front. */
	explicit_bzero(v->in, v->in_at);
	explicit_bzero(v->in + v->in_end, sizeof(v->in) - v->in_end);
	peer_forget(v);
	err = channel_send(&v->process.control, CONTROL_SCREEN_LOGIN, &login, sizeof(login), NULL,
			   0);
	explicit_bzero(&login, sizeof(login));
	if (err < 0)
		viewer_end(v, SCREEN_END_INTERNAL, "control-channel", 0);
	v->phase = VIEWER_LOGIN;
	loop_arm(&v->loop, &v->handshake_timer, VIEWER_LOGIN_MS);
}

int secure_on_verdict(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct viewer *v = ctx;
	const struct control_screen_verdict *verdict = message->body;
	struct writer w = update_writer(v);

	if (v->phase != VIEWER_LOGIN)
		return -ERR_PEER;
	if (verdict->admitted != 1) {
		rfb_greeter_refuse(&v->greeter, &w);
		update_written(v, &w);
		explicit_bzero(v->name, sizeof(v->name)); /* it may be a password */
		viewer_end(v, SCREEN_END_LOGIN_REFUSED, NULL, 0);
		return 0;
	}
	rfb_greeter_admit(&v->greeter, &w);
	update_written(v, &w);
	v->admitted = true;
	memcpy(v->session.user, v->name, sizeof(v->session.user));
	v->phase = VIEWER_HANDSHAKE;
	v->input_at_ms = clock_mono_ms(v->loop.clock);
	loop_arm(&v->loop, &v->handshake_timer, SESSION_HANDSHAKE_MS);
	client_advance(v);
	return 0;
}

int secure_on_end(struct channel *ch, void *ctx, const struct channel_message *message)
{
	const struct control_screen_end *body = message->body;

	if (body->reason == SCREEN_END_NONE_ || body->reason >= SCREEN_END_COUNT_)
		return -ERR_PEER;
	viewer_end(ctx, (enum screen_end)body->reason, NULL, 0);
	return 0;
}
