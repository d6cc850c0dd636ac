/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The RFB handshake from both ends. */
#include "wire/rfb_handshake.h"

#include <string.h>

#include "base/err.h"

enum { VERSION_BYTES = 12, SERVER_INIT_BYTES = 2 + 2 + RFB_FORMAT_BYTES + 4 };

static int digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : -1;
}

/* "RFB 003.008\n" and its like; *@major and *@minor only where it is that. */
static int version_parse(struct span text, unsigned *major, unsigned *minor)
{
	unsigned value[2] = {0, 0};

	if (text.size != VERSION_BYTES || memcmp(text.data, "RFB ", 4) != 0)
		return -ERR_SYNTAX;
	if (text.data[7] != '.' || text.data[11] != '\n')
		return -ERR_SYNTAX;
	for (unsigned i = 0; i < 6; i++) {
		int d = digit(text.data[4 + i + i / 3]);

		if (d < 0)
			return -ERR_SYNTAX;
		value[i / 3] = value[i / 3] * 10 + (unsigned)d;
	}
	*major = value[0];
	*minor = value[1];
	return 0;
}

static void version_write(struct writer *w, unsigned minor)
{
	writer_printf(w, "RFB 003.%03u\n", minor);
}

/* The version that both speak: RFC 6143 7.1.1 wants unknown minor versions to be taken as 3.3. */
static unsigned version_common(unsigned minor)
{
	if (minor >= 8)
		return 8;
	return minor == 7 ? 7 : 3;
}

/* The viewer's side. */

enum { GREETER_VERSION, GREETER_SECURITY, GREETER_CLIENT_INIT, GREETER_SIZE, GREETER_DONE };

static int greeter_fault(struct rfb_greeter *g, int error, const char *text)
{
	g->fault = text;
	return error;
}

void rfb_greeter_init(struct rfb_greeter *g, struct writer *out)
{
	*g = (struct rfb_greeter){.state = GREETER_VERSION};
	version_write(out, 8);
}

static int greeter_version(struct rfb_greeter *g, struct reader *r, struct writer *out)
{
	unsigned major, minor;

	if (reader_left(r) < VERSION_BYTES)
		return RFB_HANDSHAKE_MORE;
	if (version_parse(reader_span(r, VERSION_BYTES), &major, &minor) != 0)
		return greeter_fault(g, -ERR_SYNTAX, "version-syntax");
	if (major != 3 || minor < 3)
		return greeter_fault(g, -ERR_UNSUPPORTED, "version");
	g->minor = version_common(minor);
	if (g->minor == 3) {
		writer_be32(out, RFB_SECURITY_NONE);
		g->state = GREETER_CLIENT_INIT;
	} else {
		writer_u8(out, 1);
		writer_u8(out, RFB_SECURITY_NONE);
		g->state = GREETER_SECURITY;
	}
	return rfb_greeter_next(g, r, out);
}

static int greeter_security(struct rfb_greeter *g, struct reader *r, struct writer *out)
{
	static const char refusal[] = "security type not offered";

	if (reader_left(r) < 1)
		return RFB_HANDSHAKE_MORE;
	if (reader_u8(r) != RFB_SECURITY_NONE) {
		writer_be32(out, 1);
		if (g->minor >= 8) {
			writer_be32(out, sizeof(refusal) - 1);
			writer_text(out, refusal);
		}
		return greeter_fault(g, -ERR_DENIED, "security-type-not-offered");
	}
	if (g->minor >= 8) /* RFC 6143 7.1.3; 3.7 sends no result for None */
		writer_be32(out, 0);
	g->state = GREETER_CLIENT_INIT;
	return rfb_greeter_next(g, r, out);
}

int rfb_greeter_next(struct rfb_greeter *g, struct reader *r, struct writer *out)
{
	switch (g->state) {
	case GREETER_VERSION:
		return greeter_version(g, r, out);
	case GREETER_SECURITY:
		return greeter_security(g, r, out);
	case GREETER_CLIENT_INIT:
		if (reader_left(r) < 1)
			return RFB_HANDSHAKE_MORE;
		(void)reader_u8(r); /* the shared flag: the gateway gives each viewer a session of
				       its own */
		g->state = GREETER_SIZE;
		return RFB_HANDSHAKE_SIZE;
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

/* The desktop's side. */

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

	if (reader_left(r) < VERSION_BYTES)
		return STEP_WAIT;
	if (version_parse(reader_span(r, VERSION_BYTES), &major, &minor) != 0)
		return caller_fault(c, -ERR_SYNTAX, "version-syntax");
	if (major < 3 || (major == 3 && minor < 3))
		return caller_fault(c, -ERR_UNSUPPORTED, "version");
	c->minor = major > 3 ? 8 : version_common(minor);
	version_write(out, c->minor);
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
