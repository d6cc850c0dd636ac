/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The RFB handshake as a client. */
#include "wire/rfb/handshake.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "wire/rfb/version.h"
#include "wire/rfb/vnc_auth.h"

enum { SERVER_INIT_BYTES = 2 + 2 + RFB_FORMAT_BYTES + 4 };

enum {
	CALLER_VERSION,
	CALLER_SECURITY_3,
	CALLER_COUNT,
	CALLER_TYPES,
	CALLER_CHALLENGE,
	CALLER_VENCRYPT_VERSION,
	CALLER_VENCRYPT_ACCEPTED,
	CALLER_SUBTYPE_COUNT,
	CALLER_SUBTYPES,
	CALLER_SUBTYPE_ACCEPTED,
	CALLER_TLS,   /* until rfb_caller_secured */
	CALLER_LOGIN, /* until rfb_caller_login */
	CALLER_RESULT,
	CALLER_INIT,
	CALLER_NAME,
	CALLER_DONE,
	CALLER_STATE_COUNT_
};

static int caller_fault(struct rfb_caller *c, int error, const char *text)
{
	c->fault = text;
	return error;
}

/* 1 where a step was taken, 0 where it needs more bytes. */
enum { STEP_WAIT, STEP_TAKEN };

void rfb_caller_init(struct rfb_caller *c, enum rfb_security type, enum rfb_subtype subtype)
{
	*c = (struct rfb_caller){.state = CALLER_VERSION, .type = type, .subtype = subtype};
}

static int caller_version(struct rfb_caller *c, struct reader *r, struct writer *out)
{
	unsigned major, minor;

	if (reader_left(r) < RFB_VERSION_BYTES)
		return STEP_WAIT;
	if (rfb_version_parse(reader_span(r, RFB_VERSION_BYTES), &major, &minor) != 0)
		return caller_fault(c, -ERR_SYNTAX, "version-syntax");
	if (major < 3 || (major == 3 && minor < 3))
		return caller_fault(c, -ERR_UNSUPPORTED, "version");
	c->minor = major > 3 ? 8 : rfb_version_common(minor);
	rfb_version_write(out, c->minor);
	c->state = c->minor == 3 ? CALLER_SECURITY_3 : CALLER_COUNT;
	return STEP_TAKEN;
}

static void caller_client_init(struct rfb_caller *c, struct writer *out)
{
	writer_u8(out, 1); /* shared: the desktop's other users stay */
	c->state = CALLER_INIT;
}

static void note_offer(struct rfb_caller *c, uint32_t offer)
{
	if (c->offered_count < RFB_OFFERED_MAX)
		c->offered[c->offered_count] = offer;
	c->offered_count++;
}

/* Our type was offered, and the desktop knows that it is taken. Only None has no result of its own
 * before 3.8. */
static void caller_begin_type(struct rfb_caller *c, struct writer *out)
{
	if (c->type == RFB_SECURITY_VNC_AUTH)
		c->state = CALLER_CHALLENGE;
	else if (c->type == RFB_SECURITY_VENCRYPT)
		c->state = CALLER_VENCRYPT_VERSION;
	else if (c->minor >= 8)
		c->state = CALLER_RESULT;
	else
		caller_client_init(c, out);
}

/* RFB 3.3: the server decides, and knows no VeNCrypt; what it decides must be what we take. */
static int caller_security_3(struct rfb_caller *c, struct reader *r, struct writer *out)
{
	uint32_t type;

	if (reader_left(r) < 4)
		return STEP_WAIT;
	type = reader_be32(r);
	if (type == RFB_SECURITY_INVALID)
		return caller_fault(c, -ERR_DENIED, "refused-by-desktop");
	note_offer(c, type);
	if (type != c->type || type == RFB_SECURITY_VENCRYPT)
		return caller_fault(c, -ERR_NOT_FOUND, "security-type-not-offered");
	caller_begin_type(c, out);
	return STEP_TAKEN;
}

/* The number of security types or, within VeNCrypt, of subtypes. */
static int caller_count(struct rfb_caller *c, struct reader *r, struct writer *out)
{
	if (reader_left(r) < 1)
		return STEP_WAIT;
	c->left = reader_u8(r);
	if (c->left == 0)
		return caller_fault(c, -ERR_DENIED, "refused-by-desktop");
	c->offered_count = 0;
	c->state = c->state == CALLER_COUNT ? CALLER_TYPES : CALLER_SUBTYPES;
	return STEP_TAKEN;
}

static int caller_types(struct rfb_caller *c, struct reader *r, struct writer *out)
{
	bool found = false;

	if (reader_left(r) < c->left) /* at most 255 */
		return STEP_WAIT;
	for (; c->left > 0; c->left--) {
		uint8_t type = reader_u8(r);

		note_offer(c, type);
		found |= type == c->type;
	}
	if (!found)
		return caller_fault(c, -ERR_NOT_FOUND, "security-type-not-offered");
	writer_u8(out, (uint8_t)c->type);
	caller_begin_type(c, out);
	return STEP_TAKEN;
}

static int caller_challenge(struct rfb_caller *c, struct reader *r, struct writer *out)
{
	if (reader_left(r) < sizeof(c->challenge))
		return STEP_WAIT;
	memcpy(c->challenge, reader_span(r, sizeof(c->challenge)).data, sizeof(c->challenge));
	c->state = CALLER_LOGIN;
	return STEP_TAKEN;
}

static int caller_vencrypt_version(struct rfb_caller *c, struct reader *r, struct writer *out)
{
	unsigned major, minor;

	if (reader_left(r) < 2)
		return STEP_WAIT;
	major = reader_u8(r);
	minor = reader_u8(r);
	if (major == RFB_VENCRYPT_MAJOR && minor < RFB_VENCRYPT_MINOR)
		return caller_fault(c, -ERR_UNSUPPORTED, "vencrypt-version");
	writer_u8(out, RFB_VENCRYPT_MAJOR);
	writer_u8(out, RFB_VENCRYPT_MINOR);
	c->state = CALLER_VENCRYPT_ACCEPTED;
	return STEP_TAKEN;
}

/* 0 is yes here, other than behind the subtype. */
static int caller_vencrypt_accepted(struct rfb_caller *c, struct reader *r, struct writer *out)
{
	if (reader_left(r) < 1)
		return STEP_WAIT;
	if (reader_u8(r) != 0)
		return caller_fault(c, -ERR_UNSUPPORTED, "vencrypt-version");
	c->state = CALLER_SUBTYPE_COUNT;
	return STEP_TAKEN;
}

static int caller_subtypes(struct rfb_caller *c, struct reader *r, struct writer *out)
{
	bool found = false;

	if (reader_left(r) < c->left * 4) /* at most 255 */
		return STEP_WAIT;
	for (; c->left > 0; c->left--) {
		uint32_t subtype = reader_be32(r);

		note_offer(c, subtype);
		found |= subtype == c->subtype;
	}
	if (!found)
		return caller_fault(c, -ERR_NOT_FOUND, "security-subtype-not-offered");
	writer_be32(out, c->subtype);
	c->state = CALLER_SUBTYPE_ACCEPTED;
	return STEP_TAKEN;
}

static int caller_subtype_accepted(struct rfb_caller *c, struct reader *r, struct writer *out)
{
	if (reader_left(r) < 1)
		return STEP_WAIT;
	if (reader_u8(r) != RFB_VENCRYPT_YES)
		return caller_fault(c, -ERR_DENIED, "refused-by-desktop");
	c->state = CALLER_TLS;
	return STEP_TAKEN;
}

static bool caller_has_password(const struct rfb_caller *c)
{
	return c->type == RFB_SECURITY_VNC_AUTH || c->subtype == RFB_SUBTYPE_X509_PLAIN;
}

int rfb_caller_secured(struct rfb_caller *c, const struct reader *r)
{
	if (c->state != CALLER_TLS || reader_left(r) > 0)
		return caller_fault(c, -ERR_SYNTAX, "plain-text-before-tls");
	c->state = caller_has_password(c) ? CALLER_LOGIN : CALLER_RESULT;
	return 0;
}

void rfb_caller_login(struct rfb_caller *c, struct span name, struct span password,
		      struct writer *out)
{
	assert(c->state == CALLER_LOGIN);
	if (c->type == RFB_SECURITY_VNC_AUTH) {
		uint8_t response[RFB_CHALLENGE_BYTES];

		rfb_vnc_response(response, c->challenge, password);
		writer_bytes(out, response, sizeof(response));
	} else {
		writer_be32(out, (uint32_t)name.size);
		writer_be32(out, (uint32_t)password.size);
		writer_bytes(out, name.data, name.size);
		writer_bytes(out, password.data, password.size);
	}
	c->state = CALLER_RESULT;
}

static int caller_result(struct rfb_caller *c, struct reader *r, struct writer *out)
{
	if (reader_left(r) < 4)
		return STEP_WAIT;
	if (reader_be32(r) != 0)
		return caller_fault(c, -ERR_DENIED,
				    caller_has_password(c) ? "login-refused-by-desktop"
							   : "refused-by-desktop");
	caller_client_init(c, out);
	return STEP_TAKEN;
}

/* The desktop's own pixel format is of no interest: ours is set at once. */
static int caller_init(struct rfb_caller *c, struct reader *r, struct writer *out)
{
	if (reader_left(r) < SERVER_INIT_BYTES)
		return STEP_WAIT;
	c->width = reader_be16(r);
	c->height = reader_be16(r);
	reader_skip(r, RFB_FORMAT_BYTES);
	c->left = reader_be32(r);
	if (c->left > RFB_NAME_MAX)
		return caller_fault(c, -ERR_TOO_LONG, "name-length");
	c->state = CALLER_NAME;
	return STEP_TAKEN;
}

static int caller_name(struct rfb_caller *c, struct reader *r, struct writer *out)
{
	size_t take = reader_left(r) < c->left ? reader_left(r) : c->left;

	reader_skip(r, take);
	c->left -= (uint32_t)take;
	if (c->left > 0)
		return STEP_WAIT;
	c->state = CALLER_DONE;
	return STEP_TAKEN;
}

int rfb_caller_next(struct rfb_caller *c, struct reader *r, struct writer *out)
{
	static int (*const steps[CALLER_STATE_COUNT_])(struct rfb_caller *, struct reader *,
						       struct writer *) = {
		[CALLER_VERSION] = caller_version,
		[CALLER_SECURITY_3] = caller_security_3,
		[CALLER_COUNT] = caller_count,
		[CALLER_TYPES] = caller_types,
		[CALLER_CHALLENGE] = caller_challenge,
		[CALLER_VENCRYPT_VERSION] = caller_vencrypt_version,
		[CALLER_VENCRYPT_ACCEPTED] = caller_vencrypt_accepted,
		[CALLER_SUBTYPE_COUNT] = caller_count,
		[CALLER_SUBTYPES] = caller_subtypes,
		[CALLER_SUBTYPE_ACCEPTED] = caller_subtype_accepted,
		[CALLER_RESULT] = caller_result,
		[CALLER_INIT] = caller_init,
		[CALLER_NAME] = caller_name,
	};
	/* In these states it is somebody else's turn; in all others, the desktop's. */
	static const enum rfb_handshake_event events[CALLER_STATE_COUNT_] = {
		[CALLER_TLS] = RFB_HANDSHAKE_TLS,
		[CALLER_LOGIN] = RFB_HANDSHAKE_LOGIN,
		[CALLER_DONE] = RFB_HANDSHAKE_DONE,
	};
	int step = STEP_TAKEN;

	while (step == STEP_TAKEN && steps[c->state] != NULL)
		step = steps[c->state](c, r, out);
	return step < 0 ? step : (int)events[c->state];
}
