/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The RFB handshake as a server.
 *
 * VeNCrypt 0.2: server: version (2 octets); client: version; server: 0, count, subtypes (32 bits
 * each); client: subtype; with X509 subtypes server: 1; TLS; with Plain ones client: length of
 * name, of password (32 bits each), name, password; server: SecurityResult.
 */
#include "wire/rfb/greeter.h"

#include <string.h>

#include "base/err.h"
#include "wire/rfb/version.h"

enum { RESULT_OK = 0, RESULT_FAILED = 1 };

enum {
	GREETER_VERSION,
	GREETER_SECURITY,
	GREETER_VENCRYPT_VERSION,
	GREETER_VENCRYPT_SUBTYPE,
	GREETER_TLS,
	GREETER_SECURED,
	GREETER_LOGIN, /* waits for the judgement */
	GREETER_CLIENT_INIT,
	GREETER_SIZE,
	GREETER_DONE
};

static int fail(struct rfb_greeter *g, int error, const char *text)
{
	g->fault = text;
	return error;
}

void rfb_greeter_init(struct rfb_greeter *g, enum rfb_subtype subtype, struct writer *out)
{
	*g = (struct rfb_greeter){.state = GREETER_VERSION, .subtype = subtype};
	rfb_version_write(out, 8);
}

static uint8_t security_type(const struct rfb_greeter *g)
{
	return g->subtype == RFB_SUBTYPE_NONE ? RFB_SECURITY_NONE : RFB_SECURITY_VENCRYPT;
}

/* In 3.3 the server decides, and can decide for None only. */
static int take_version(struct rfb_greeter *g, struct reader *r, struct writer *out)
{
	unsigned major, minor;

	if (reader_left(r) < RFB_VERSION_BYTES)
		return RFB_HANDSHAKE_MORE;
	if (rfb_version_parse(reader_span(r, RFB_VERSION_BYTES), &major, &minor) != 0)
		return fail(g, -ERR_SYNTAX, "version-syntax");
	if (major != 3 || minor < 3)
		return fail(g, -ERR_UNSUPPORTED, "version");
	g->minor = rfb_version_common(minor);
	if (g->minor == 3 && g->subtype != RFB_SUBTYPE_NONE)
		return fail(g, -ERR_UNSUPPORTED, "version-without-vencrypt");
	if (g->minor == 3) {
		writer_be32(out, RFB_SECURITY_NONE);
		g->state = GREETER_CLIENT_INIT;
	} else {
		writer_u8(out, 1);
		writer_u8(out, security_type(g));
		g->state = GREETER_SECURITY;
	}
	return rfb_greeter_next(g, r, out);
}

static void write_failure(const struct rfb_greeter *g, const char *reason, struct writer *out)
{
	writer_be32(out, RESULT_FAILED);
	if (g->minor < 8)
		return; /* RFC 6143 A.2: no reason in 3.7 */
	writer_be32(out, (uint32_t)strlen(reason));
	writer_text(out, reason);
}

static int take_security(struct rfb_greeter *g, struct reader *r, struct writer *out)
{
	if (reader_left(r) < 1)
		return RFB_HANDSHAKE_MORE;
	if (reader_u8(r) != security_type(g)) {
		write_failure(g, "security type not offered", out);
		return fail(g, -ERR_DENIED, "security-type-not-offered");
	}
	if (g->subtype != RFB_SUBTYPE_NONE) {
		writer_u8(out, RFB_VENCRYPT_MAJOR);
		writer_u8(out, RFB_VENCRYPT_MINOR);
		g->state = GREETER_VENCRYPT_VERSION;
	} else {
		if (g->minor >= 8) /* RFC 6143 7.1.3; 3.7 sends no result for None */
			writer_be32(out, RESULT_OK);
		g->state = GREETER_CLIENT_INIT;
	}
	return rfb_greeter_next(g, r, out);
}

static int take_vencrypt_version(struct rfb_greeter *g, struct reader *r, struct writer *out)
{
	uint8_t major, minor;

	if (reader_left(r) < 2)
		return RFB_HANDSHAKE_MORE;
	major = reader_u8(r);
	minor = reader_u8(r);
	if (major != RFB_VENCRYPT_MAJOR || minor != RFB_VENCRYPT_MINOR) {
		writer_u8(out, 0xff);
		return fail(g, -ERR_UNSUPPORTED, "vencrypt-version");
	}
	writer_u8(out, 0);
	writer_u8(out, 1);
	writer_be32(out, g->subtype);
	g->state = GREETER_VENCRYPT_SUBTYPE;
	return rfb_greeter_next(g, r, out);
}

static int take_vencrypt_subtype(struct rfb_greeter *g, struct reader *r, struct writer *out)
{
	if (reader_left(r) < 4)
		return RFB_HANDSHAKE_MORE;
	if (reader_be32(r) != (uint32_t)g->subtype) {
		writer_u8(out, RFB_VENCRYPT_NO);
		return fail(g, -ERR_DENIED, "security-type-not-offered");
	}
	if (g->subtype == RFB_SUBTYPE_PLAIN) { /* to which no answer belongs */
		g->state = GREETER_SECURED;
		return rfb_greeter_next(g, r, out);
	}
	writer_u8(out, RFB_VENCRYPT_YES);
	g->state = GREETER_TLS;
	return RFB_HANDSHAKE_TLS;
}

int rfb_greeter_secured(struct rfb_greeter *g, const struct reader *r)
{
	if (g->state != GREETER_TLS || reader_left(r) > 0)
		return fail(g, -ERR_SYNTAX, "plain-text-before-tls");
	g->state = GREETER_SECURED;
	return 0;
}

/* X509None has no name and no password: the certificate has said all. */
static int take_login(struct rfb_greeter *g, struct reader *r)
{
	struct reader ahead = *r;
	uint32_t name_bytes, password_bytes;

	g->name = g->password = (struct span){0};
	if (g->subtype == RFB_SUBTYPE_X509_PLAIN || g->subtype == RFB_SUBTYPE_PLAIN) {
		if (reader_left(&ahead) < 8)
			return RFB_HANDSHAKE_MORE;
		name_bytes = reader_be32(&ahead);
		password_bytes = reader_be32(&ahead);
		if (name_bytes > RFB_CREDENTIAL_MAX || password_bytes > RFB_CREDENTIAL_MAX)
			return fail(g, -ERR_TOO_LONG, "credentials-length");
		if (reader_left(&ahead) < (size_t)name_bytes + password_bytes)
			return RFB_HANDSHAKE_MORE;
		g->name = reader_span(&ahead, name_bytes);
		g->password = reader_span(&ahead, password_bytes);
		*r = ahead;
	}
	g->state = GREETER_LOGIN;
	return RFB_HANDSHAKE_LOGIN;
}

void rfb_greeter_admit(struct rfb_greeter *g, struct writer *out)
{
	writer_be32(out, RESULT_OK);
	g->state = GREETER_CLIENT_INIT;
}

void rfb_greeter_refuse(struct rfb_greeter *g, struct writer *out)
{
	write_failure(g, "login refused", out);
	g->fault = "login-refused";
}

static int take_client_init(struct rfb_greeter *g, struct reader *r)
{
	if (reader_left(r) < 1)
		return RFB_HANDSHAKE_MORE;
	(void)reader_u8(
		r); /* the shared flag: the gateway gives each viewer a session of its own */
	g->state = GREETER_SIZE;
	return RFB_HANDSHAKE_SIZE;
}

int rfb_greeter_next(struct rfb_greeter *g, struct reader *r, struct writer *out)
{
	switch (g->state) {
	case GREETER_VERSION:
		return take_version(g, r, out);
	case GREETER_SECURITY:
		return take_security(g, r, out);
	case GREETER_VENCRYPT_VERSION:
		return take_vencrypt_version(g, r, out);
	case GREETER_VENCRYPT_SUBTYPE:
		return take_vencrypt_subtype(g, r, out);
	case GREETER_SECURED:
		return take_login(g, r);
	case GREETER_CLIENT_INIT:
		return take_client_init(g, r);
	default:
		return g->state == GREETER_DONE ? RFB_HANDSHAKE_DONE : RFB_HANDSHAKE_MORE;
	}
}

void rfb_greeter_size(struct rfb_greeter *g, uint16_t width_px, uint16_t height_px,
		      const char *name, struct writer *out)
{
	writer_be16(out, width_px);
	writer_be16(out, height_px);
	rfb_format_write(out, &rfb_format_gateway);
	writer_be32(out, (uint32_t)strlen(name));
	writer_text(out, name);
	g->state = GREETER_DONE;
}
