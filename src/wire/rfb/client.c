/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFB messages from client to server (RFC 6143 7.5): a push parser of whole units, and builders. */
#include "wire/rfb/client.h"

#include "base/err.h"

enum { STATE_MESSAGE, STATE_ENCODINGS, STATE_CUT_TEXT, STATE_SCREENS };

enum { SCREEN_BYTES = 16 }; /* one screen of a SetDesktopSize */

void rfb_client_init(struct rfb_client_parser *p)
{
	*p = (struct rfb_client_parser){.state = STATE_MESSAGE};
}

static int fault(struct rfb_client_parser *p, int error, const char *text)
{
	p->fault = text;
	return error;
}

static int take_format(struct rfb_client_parser *p, struct reader *r,
		       struct rfb_client_message *out)
{
	reader_skip(r, 3);
	if (rfb_format_read(r, &out->format) != 0)
		return fault(p, -ERR_RANGE, "pixel-format");
	return RFB_CLIENT_FORMAT;
}

static int take_encodings(struct rfb_client_parser *p, struct reader *r,
			  struct rfb_client_message *out)
{
	reader_skip(r, 1);
	p->left = reader_be16(r);
	if (p->left > RFB_ENCODINGS_MAX)
		return fault(p, -ERR_TOO_LONG, "too-many-encodings");
	p->choice = (struct rfb_choice){.pixels = RFB_RAW};
	p->pixels_chosen = false;
	p->state = STATE_ENCODINGS;
	return RFB_CLIENT_MORE;
}

static int take_request(struct rfb_client_parser *p, struct reader *r,
			struct rfb_client_message *out)
{
	out->incremental = reader_u8(r) != 0;
	out->request.x = reader_be16(r);
	out->request.y = reader_be16(r);
	out->request.w = reader_be16(r);
	out->request.h = reader_be16(r);
	return RFB_CLIENT_REQUEST;
}

static int take_key(struct rfb_client_parser *p, struct reader *r, struct rfb_client_message *out)
{
	uint8_t down = reader_u8(r);

	reader_skip(r, 2);
	out->keysym = reader_be32(r);
	out->down = down == 1;
	return down <= 1 ? RFB_CLIENT_KEY : fault(p, -ERR_RANGE, "key-down-flag");
}

static int take_pointer(struct rfb_client_parser *p, struct reader *r,
			struct rfb_client_message *out)
{
	out->buttons = reader_u8(r);
	out->x = reader_be16(r);
	out->y = reader_be16(r);
	return RFB_CLIENT_POINTER;
}

/* The length is signed where both sides know Extended Clipboard: a negative one means that many
 * bytes as well. */
static int take_cut_text(struct rfb_client_parser *p, struct reader *r,
			 struct rfb_client_message *out)
{
	uint32_t length;

	reader_skip(r, 3);
	length = reader_be32(r);
	if (length > INT32_MAX)
		length = -length;
	if (length > RFB_CUT_TEXT_MAX)
		return fault(p, -ERR_TOO_LONG, "cut-text-length");
	p->left = p->total_bytes = length;
	p->state = STATE_CUT_TEXT;
	return RFB_CLIENT_MORE;
}

static int take_desktop_size(struct rfb_client_parser *p, struct reader *r,
			     struct rfb_client_message *out)
{
	reader_skip(r, 5);
	p->left = reader_u8(r);
	reader_skip(r, 1);
	if (p->left > RFB_SCREENS_MAX)
		return fault(p, -ERR_TOO_LONG, "too-many-screens");
	p->left *= SCREEN_BYTES;
	p->state = STATE_SCREENS;
	return RFB_CLIENT_MORE;
}

static const struct message_rule {
	uint8_t type;
	uint8_t bytes; /* behind the type byte */
	int (*take)(struct rfb_client_parser *, struct reader *, struct rfb_client_message *);
} message_rules[] = {
	{RFB_SET_PIXEL_FORMAT, 3 + RFB_FORMAT_BYTES, take_format},
	{RFB_SET_ENCODINGS, 3, take_encodings},
	{RFB_UPDATE_REQUEST, 9, take_request},
	{RFB_KEY, 7, take_key},
	{RFB_POINTER, 5, take_pointer},
	{RFB_CLIENT_CUT_TEXT, 7, take_cut_text},
	{RFB_SET_DESKTOP_SIZE, 7, take_desktop_size},
};

static int next_message(struct rfb_client_parser *p, struct reader *r,
			struct rfb_client_message *out)
{
	int type = reader_peek(r);

	if (type < 0)
		return RFB_CLIENT_MORE;
	for (size_t i = 0; i < sizeof(message_rules) / sizeof(message_rules[0]); i++) {
		const struct message_rule *rule = &message_rules[i];

		if (rule->type != type)
			continue;
		if (reader_left(r) < 1U + rule->bytes)
			return RFB_CLIENT_MORE;
		reader_skip(r, 1);
		p->fault_type = (uint8_t)type;
		return rule->take(p, r, out);
	}
	p->fault_type = (uint8_t)type;
	return fault(p, -ERR_UNSUPPORTED, "message-type");
}

static void choose(struct rfb_client_parser *p, int32_t encoding)
{
	switch (encoding) {
	case RFB_ZRLE:
	case RFB_HEXTILE:
	case RFB_RAW:
		if (!p->pixels_chosen)
			p->choice.pixels = (enum rfb_encoding)encoding;
		p->pixels_chosen = true;
		break;
	case RFB_CURSOR:
		p->choice.cursor = true;
		break;
	case RFB_DESKTOP_SIZE:
		p->choice.desktop_size = true;
		break;
	case RFB_EXTENDED_DESKTOP_SIZE:
		p->choice.extended_desktop_size = true;
		break;
	default: /* nothing that we generate */
		break;
	}
}

static int next_encodings(struct rfb_client_parser *p, struct reader *r,
			  struct rfb_client_message *out)
{
	while (p->left > 0 && reader_left(r) >= 4) {
		choose(p, (int32_t)reader_be32(r));
		p->left--;
	}
	if (p->left > 0)
		return RFB_CLIENT_MORE;
	p->state = STATE_MESSAGE;
	out->encodings = p->choice;
	return RFB_CLIENT_ENCODINGS;
}

/* Drop what is there of a body of p->left bytes; 0 when it is all gone. */
static int discard(struct rfb_client_parser *p, struct reader *r)
{
	size_t take = reader_left(r) < p->left ? reader_left(r) : p->left;

	reader_skip(r, take);
	p->left -= (uint32_t)take;
	if (p->left > 0)
		return -ERR_AGAIN;
	p->state = STATE_MESSAGE;
	return 0;
}

int rfb_client_next(struct rfb_client_parser *p, struct reader *r, struct rfb_client_message *out)
{
	int event = RFB_CLIENT_MORE;

	if (p->state == STATE_MESSAGE)
		event = next_message(p, r, out);
	if (event != RFB_CLIENT_MORE)
		return event;
	switch (p->state) {
	case STATE_ENCODINGS:
		return next_encodings(p, r, out);
	case STATE_CUT_TEXT:
		out->discarded_bytes = p->total_bytes;
		return discard(p, r) == 0 ? RFB_CLIENT_CUT : RFB_CLIENT_MORE;
	case STATE_SCREENS:
		return discard(p, r) == 0 ? RFB_CLIENT_RESIZE : RFB_CLIENT_MORE;
	default:
		return RFB_CLIENT_MORE;
	}
}

bool rfb_client_changes_encoding(const struct rfb_client_parser *p, const struct reader *r)
{
	int type = reader_peek(r);

	if (p->state != STATE_MESSAGE)
		return p->state == STATE_ENCODINGS;
	return type == RFB_SET_PIXEL_FORMAT || type == RFB_SET_ENCODINGS;
}

void rfb_client_set_format(struct writer *w, const struct rfb_format *format)
{
	static const uint8_t padding[3];

	writer_u8(w, RFB_SET_PIXEL_FORMAT);
	writer_bytes(w, padding, sizeof(padding));
	rfb_format_write(w, format);
}

void rfb_client_set_encodings(struct writer *w, const int32_t *encodings, uint16_t count)
{
	writer_u8(w, RFB_SET_ENCODINGS);
	writer_u8(w, 0);
	writer_be16(w, count);
	for (uint16_t i = 0; i < count; i++)
		writer_be32(w, (uint32_t)encodings[i]);
}

void rfb_client_request(struct writer *w, const struct rfb_rect *r, bool incremental)
{
	writer_u8(w, RFB_UPDATE_REQUEST);
	writer_u8(w, incremental);
	writer_be16(w, r->x);
	writer_be16(w, r->y);
	writer_be16(w, r->w);
	writer_be16(w, r->h);
}

void rfb_client_key(struct writer *w, uint32_t keysym, bool down)
{
	writer_u8(w, RFB_KEY);
	writer_u8(w, down);
	writer_be16(w, 0);
	writer_be32(w, keysym);
}

void rfb_client_pointer(struct writer *w, uint16_t x, uint16_t y, uint8_t buttons)
{
	writer_u8(w, RFB_POINTER);
	writer_u8(w, buttons);
	writer_be16(w, x);
	writer_be16(w, y);
}
