/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS and login at the desktop (ADR 708): what the policy wants, or nothing. The certificates to
 * verify the desktop with are read when TLS begins, the password when the desktop asks for it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "channel/keys.h"
#include "screen-source/source.h"
#include "tls/pem.h"

_Static_assert(8 + SESSION_USER_BYTES + KEYS_PASSWORD_MAX <= SOURCE_OUT_BYTES - SOURCE_OUT_ROOM,
	       "a login has room");

/* What the policy's word is on the wire. */
static const struct access {
	enum rfb_security type;
	enum rfb_subtype subtype;
	const char *name;
} accesses[DESKTOP_SECURITY_COUNT_] = {
	[DESKTOP_SECURITY_NONE] = {RFB_SECURITY_NONE, RFB_SUBTYPE_NONE, "none"},
	[DESKTOP_SECURITY_VNC_AUTH] = {RFB_SECURITY_VNC_AUTH, RFB_SUBTYPE_NONE, "vnc-auth"},
	[DESKTOP_SECURITY_X509_NONE] = {RFB_SECURITY_VENCRYPT, RFB_SUBTYPE_X509_NONE, "x509-none"},
	[DESKTOP_SECURITY_X509_PLAIN] = {RFB_SECURITY_VENCRYPT, RFB_SUBTYPE_X509_PLAIN,
					 "x509-plain"},
};

static const struct access *access_of(const struct source *s)
{
	return &accesses[s->session.desktop_security];
}

void secure_begin(struct source *s)
{
	rfb_caller_init(&s->caller, access_of(s)->type, access_of(s)->subtype);
}

/* Numbers only: nothing that the desktop could have written. */
void secure_tell_offer(struct source *s)
{
	char text[RFB_OFFERED_MAX * 11 + 5];
	struct writer w;

	writer_init(&w, text, sizeof(text) - 1);
	for (unsigned i = 0; i < s->caller.offered_count && i < RFB_OFFERED_MAX; i++)
		writer_printf(&w, "%s%u", i > 0 ? " " : "", s->caller.offered[i]);
	if (s->caller.offered_count > RFB_OFFERED_MAX)
		writer_text(&w, " ...");
	text[w.size] = '\0';
	event_send(&s->process.events, EVENT_SCREEN_NOT_OFFERED, EV_NUMBER(SESSION, s->session.id),
		   EV_TEXT(NAME, s->session.name), EV_TEXT(WANTED, access_of(s)->name),
		   EV_TEXT(OFFERED, text));
}

/* ---- TLS ---- */

static void fail_tls(struct source *s, enum tls_fault fault)
{
	session_tell_no_tls(&s->session, tls_fault_text(fault));
	source_end(s, SCREEN_END_TLS, tls_fault_text(fault), 0);
}

/* The configured name or, without one, the address that the supervisor has connected us to. */
static const char *peer_name(const struct source *s, char address[INET6_ADDRSTRLEN])
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} peer = {0};
	socklen_t size = sizeof(peer);
	bool is_ipv6;

	if (s->session.desktop_name[0] != '\0')
		return s->session.desktop_name;
	if (getpeername(s->desktop.fd, &peer.any, &size) != 0)
		return NULL;
	is_ipv6 = peer.any.sa_family == AF_INET6;
	return inet_ntop(peer.any.sa_family,
			 is_ipv6 ? (const void *)&peer.in6.sin6_addr : &peer.in.sin_addr, address,
			 INET6_ADDRSTRLEN);
}

static bool prepare(struct source *s)
{
	char address[INET6_ADDRSTRLEN];
	struct tls_settings settings = {.side = TLS_CLIENT, .peer_name = peer_name(s, address)};
	enum tls_fault fault = TLS_FAULT_AUTHORITY;
	int err = -ERR_NOT_FOUND;
	struct bytes pem;

	bytes_init(&pem, TLS_PEM_BYTES_MAX);
	if (s->authority_fd >= 0 && settings.peer_name != NULL)
		err = tls_pem_read(s->authority_fd, &pem);
	if (err == 0) {
		settings.authorities = bytes_span(&pem);
		err = stream_prepare_tls(&s->stream, &settings, &fault);
	}
	bytes_fini(&pem);
	if (err < 0)
		fail_tls(s, fault);
	return err == 0;
}

void secure_start_tls(struct source *s, const struct reader *left)
{
	if (rfb_caller_secured(&s->caller, left) != 0) {
		source_end(s, SCREEN_END_DESKTOP_PROTOCOL, s->caller.fault, 0);
	} else if (prepare(s)) {
		s->phase = SOURCE_TLS;
		secure_shake(s);
	}
}

static void tell_tls(struct source *s)
{
	uint8_t certificate[32];
	bool shown = tls_peer_sha256(s->stream.tls, certificate);

	session_tell_tls(&s->session, tls_version(s->stream.tls), tls_suite(s->stream.tls),
			 shown ? certificate : NULL);
}

void secure_shake(struct source *s)
{
	int err = -ERR_AGAIN;

	if (s->out_bytes == 0) /* else the subtype is still on its way, in plain text */
		err = stream_handshake(&s->stream);
	if (err == 0) {
		tell_tls(s);
		s->phase = SOURCE_HANDSHAKE;
		desktop_advance(s);
	} else if (err == -ERR_AGAIN) {
		desktop_watch(s);
	} else {
		fail_tls(s, tls_fault(s->stream.tls));
	}
}

/* ---- login ---- */

/* Once: the descriptor is closed behind it. Return: octets, 0 where there is no password. */
static size_t read_password(struct source *s, uint8_t password[KEYS_PASSWORD_MAX])
{
	ssize_t n = s->password_fd >= 0 ? pread(s->password_fd, password, KEYS_PASSWORD_MAX, 0) : 0;

	if (s->password_fd >= 0)
		(void)close(s->password_fd); /* was only read */
	s->password_fd = -1;
	return n > 0 ? (size_t)n : 0;
}

void secure_login(struct source *s)
{
	uint8_t password[KEYS_PASSWORD_MAX];
	size_t password_bytes = read_password(s, password);
	struct writer w = desktop_writer(s);

	if (password_bytes == 0) {
		source_end(s, SCREEN_END_DESKTOP_REFUSED, "no-password-loaded", 0);
		return;
	}
	rfb_caller_login(&s->caller, span_of(s->session.desktop_user),
			 (struct span){password, password_bytes}, &w);
	explicit_bzero(password, sizeof(password));
	desktop_written(s, &w);
}
