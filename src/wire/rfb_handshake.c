/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The RFB handshake as a client. */
#include "wire/rfb_handshake.h"

#include "base/err.h"
#include "wire/rfb_version.h"

enum { SERVER_INIT_BYTES = 2 + 2 + RFB_FORMAT_BYTES + 4 };

enum {
	CALLER_VERSION,
	CALLER_SECURITY_3,
	CALLER_COUNT,
	CALLER_TYPES,
	CALLER_RESULT,
	CALLER_INIT,
	CALLER_NAME,
	CALLER_DONE
};

static int caller_fault(struct rfb_caller *c, int error, const char *text)
{
	c->fault = text;
	return error;
}

/* 1 where a step was taken, 0 where it needs more bytes. */
enum { STEP_WAIT, STEP_TAKEN };

void rfb_caller_init(struct rfb_caller *c)
{
	*c = (struct rfb_caller){.state = CALLER_VERSION};
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

/* RFB 3.3: the server decides; what it decides must be what we take. */
static int caller_security_3(struct rfb_caller *c, struct reader *r, struct writer *out)
{
	uint32_t type;

	if (reader_left(r) < 4)
		return STEP_WAIT;
	type = reader_be32(r);
	if (type == RFB_SECURITY_INVALID)
		return caller_fault(c, -ERR_DENIED, "refused-by-desktop");
	if (type != RFB_SECURITY_NONE)
		return caller_fault(c, -ERR_UNSUPPORTED, "security-type-not-offered");
	caller_client_init(c, out);
	return STEP_TAKEN;
}

static int caller_count(struct rfb_caller *c, struct reader *r, struct writer *out)
{
	if (reader_left(r) < 1)
		return STEP_WAIT;
	c->left = reader_u8(r);
	if (c->left == 0)
		return caller_fault(c, -ERR_DENIED, "refused-by-desktop");
	c->state = CALLER_TYPES;
	return STEP_TAKEN;
}

static int caller_types(struct rfb_caller *c, struct reader *r, struct writer *out)
{
	bool found = false;

	if (reader_left(r) < c->left) /* at most 255 */
		return STEP_WAIT;
	for (; c->left > 0; c->left--)
		found |= reader_u8(r) == RFB_SECURITY_NONE;
	if (!found)
		return caller_fault(c, -ERR_UNSUPPORTED, "security-type-not-offered");
	writer_u8(out, RFB_SECURITY_NONE);
	if (c->minor >= 8)
		c->state = CALLER_RESULT;
	else
		caller_client_init(c, out);
	return STEP_TAKEN;
}

static int caller_result(struct rfb_caller *c, struct reader *r, struct writer *out)
{
	if (reader_left(r) < 4)
		return STEP_WAIT;
	if (reader_be32(r) != 0)
		return caller_fault(c, -ERR_DENIED, "refused-by-desktop");
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
	static int (*const steps[])(struct rfb_caller *, struct reader *, struct writer *) = {
		[CALLER_VERSION] = caller_version, [CALLER_SECURITY_3] = caller_security_3,
		[CALLER_COUNT] = caller_count,     [CALLER_TYPES] = caller_types,
		[CALLER_RESULT] = caller_result,   [CALLER_INIT] = caller_init,
		[CALLER_NAME] = caller_name,
	};
	int step = STEP_TAKEN;

	while (step == STEP_TAKEN && c->state != CALLER_DONE)
		step = steps[c->state](c, r, out);
	if (step < 0)
		return step;
	return c->state == CALLER_DONE ? RFB_HANDSHAKE_DONE : RFB_HANDSHAKE_MORE;
}
