/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RFB messages from server to client (RFC 6143 7.6, 7.7, 7.8): a push parser that draws into a
 * frame.
 */
#include "wire/rfb/server.h"

#include <string.h>

#include "base/err.h"
#include "wire/rfb/inflate.h"

enum state {
	STATE_MESSAGE,
	STATE_DISCARD_CUT,
	STATE_DISCARD_COLOURS,
	STATE_RECT,
	STATE_RAW,
	STATE_COPY,
	STATE_HEXTILE,
	STATE_TRLE,
	STATE_ZRLE,
	STATE_ZRLE_TILES,
	STATE_ZRLE_REST,
	STATE_SIZE,
	STATE_EXTENDED_SIZE,
	STATE_SCREENS,
	STATE_CURSOR,
};

enum { BYTES_PER_PIXEL = 4, HEXTILE_PX = 16, RECTS_UNKNOWN = 0xffff, SCREEN_BYTES = 16 };

/* What a step gives when it moved on without anything to tell. */
enum { STEP_ON = -1000 };

void rfb_server_init(struct rfb_server_parser *p, struct frame *frame, struct rfb_inflate *inflate)
{
	*p = (struct rfb_server_parser){.frame = frame, .inflate = inflate, .state = STATE_MESSAGE};
}

static int fault(struct rfb_server_parser *p, int error, const char *text)
{
	p->fault = text;
	return error;
}

/* Messages. */

static int take_update(struct rfb_server_parser *p, struct reader *r)
{
	reader_skip(r, 1);
	p->rects_left = reader_be16(r);
	p->drawn_px = 0;
	p->state = STATE_RECT;
	return STEP_ON;
}

static int take_colours(struct rfb_server_parser *p, struct reader *r)
{
	reader_skip(r, 3);
	p->left = reader_be16(r) * 6U; /* at most 393,210 */
	p->state = STATE_DISCARD_COLOURS;
	return STEP_ON;
}

static int take_bell(struct rfb_server_parser *p, struct reader *r)
{
	return RFB_SERVER_BELL;
}

/* Signed, as in client.c: a negative length announces as many bytes. */
static int take_cut_text(struct rfb_server_parser *p, struct reader *r)
{
	uint32_t length;

	reader_skip(r, 3);
	length = reader_be32(r);
	if (length > INT32_MAX)
		length = -length;
	if (length > RFB_CUT_TEXT_MAX)
		return fault(p, -ERR_TOO_LONG, "cut-text-length");
	p->left = p->total_bytes = length;
	p->state = STATE_DISCARD_CUT;
	return STEP_ON;
}

static int next_message(struct rfb_server_parser *p, struct reader *r)
{
	static const struct {
		uint8_t bytes;
		int (*take)(struct rfb_server_parser *, struct reader *);
	} rules[] = {
		[RFB_UPDATE] = {3, take_update},
		[RFB_COLOUR_MAP] = {5, take_colours},
		[RFB_BELL] = {0, take_bell},
		[RFB_SERVER_CUT_TEXT] = {7, take_cut_text},
	};
	int type = reader_peek(r);

	if (type < 0)
		return RFB_SERVER_MORE;
	p->fault_type = type;
	if ((size_t)type >= sizeof(rules) / sizeof(rules[0]))
		return fault(p, -ERR_UNSUPPORTED, "message-type");
	if (reader_left(r) < 1U + rules[type].bytes)
		return RFB_SERVER_MORE;
	reader_skip(r, 1);
	return rules[type].take(p, r);
}

static int discard(struct rfb_server_parser *p, struct reader *r, unsigned after, int event)
{
	size_t take = reader_left(r) < p->left ? reader_left(r) : p->left;

	reader_skip(r, take);
	p->left -= (uint32_t)take;
	if (p->left > 0)
		return RFB_SERVER_MORE;
	p->state = after;
	return event;
}

static int discard_cut(struct rfb_server_parser *p, struct reader *r)
{
	return discard(p, r, STATE_MESSAGE, RFB_SERVER_CUT);
}

static int discard_colours(struct rfb_server_parser *p, struct reader *r)
{
	return discard(p, r, STATE_MESSAGE, RFB_SERVER_COLOURS);
}

/* Rectangles. */

/* Encodings that draw inside the frame; for the others the rectangle's numbers mean something else.
 */
static int pixel_state(const struct rfb_server_parser *p, int32_t encoding)
{
	switch (encoding) {
	case RFB_RAW:
		return STATE_RAW;
	case RFB_COPY_RECT:
		return STATE_COPY;
	case RFB_HEXTILE:
		return STATE_HEXTILE;
	case RFB_TRLE:
		return p->inflate != NULL ? STATE_TRLE : -1;
	case RFB_ZRLE:
		return p->inflate != NULL ? STATE_ZRLE : -1;
	default:
		return -1;
	}
}

static int pseudo_state(int32_t encoding)
{
	switch (encoding) {
	case RFB_DESKTOP_SIZE:
		return STATE_SIZE;
	case RFB_EXTENDED_DESKTOP_SIZE:
		return STATE_EXTENDED_SIZE;
	case RFB_CURSOR:
		return STATE_CURSOR;
	default:
		return -1;
	}
}

/* A copy of the whole screen is 16 bytes, and deflate makes as little of one: so the area of an
 * update is bounded, not only its bytes. Return: 0 or an error. */
static int rect_draws(struct rfb_server_parser *p)
{
	if (!frame_holds(p->frame, &p->rect))
		return fault(p, -ERR_RANGE, "rectangle-outside");
	p->drawn_px += (uint64_t)p->rect.w * p->rect.h;
	if (p->drawn_px > (uint64_t)p->frame->width * p->frame->height * RFB_OVERDRAW_MAX)
		return fault(p, -ERR_TOO_LONG, "drawn-too-often");
	return 0;
}

static int rect_begin(struct rfb_server_parser *p, int32_t encoding)
{
	int state = pixel_state(p, encoding), error = 0;

	p->fault_type = encoding;
	p->at_x = p->at_y = 0;
	p->background = p->foreground = 0;
	p->palette.count = 0;
	if (state >= 0)
		error = rect_draws(p);
	if (error != 0)
		return error;
	if (state < 0)
		state = pseudo_state(encoding);
	if (state < 0)
		return fault(p, -ERR_UNSUPPORTED, "encoding");
	p->state = (unsigned)state;
	return STEP_ON;
}

static int next_rect(struct rfb_server_parser *p, struct reader *r)
{
	int32_t encoding;

	if (p->rects_left == 0) {
		p->state = STATE_MESSAGE;
		return RFB_SERVER_END;
	}
	if (reader_left(r) < 12)
		return RFB_SERVER_MORE;
	p->rect.x = reader_be16(r);
	p->rect.y = reader_be16(r);
	p->rect.w = reader_be16(r);
	p->rect.h = reader_be16(r);
	encoding = (int32_t)reader_be32(r);
	if (encoding == RFB_LAST_RECT) {
		p->rects_left = 0;
		return STEP_ON;
	}
	if (p->rects_left !=
	    RECTS_UNKNOWN) /* the count that announces a LastRect does not run out */
		p->rects_left--;
	return rect_begin(p, encoding);
}

static int rect_done(struct rfb_server_parser *p, int event)
{
	p->state = STATE_RECT;
	return event;
}

static int next_raw(struct rfb_server_parser *p, struct reader *r)
{
	const struct rfb_rect *rect = &p->rect;

	while (p->at_y < rect->h && p->at_x < rect->w) {
		size_t run = reader_left(r) / BYTES_PER_PIXEL;

		if (run > rect->w - p->at_x)
			run = rect->w - p->at_x;
		if (run == 0)
			return RFB_SERVER_MORE;
		frame_put_run(p->frame, (uint16_t)(rect->x + p->at_x),
			      (uint16_t)(rect->y + p->at_y),
			      reader_span(r, run * BYTES_PER_PIXEL).data, run);
		p->at_x += (uint32_t)run;
		if (p->at_x < rect->w)
			continue;
		p->at_x = 0;
		p->at_y++;
	}
	return rect_done(p, STEP_ON);
}

static uint16_t part(uint32_t whole, uint32_t at, uint32_t most)
{
	return (uint16_t)(whole - at < most ? whole - at : most);
}

unsigned rfb_server_room(const struct rfb_server_parser *p, struct iovec *parts, unsigned most)
{
	const struct rfb_rect *rect = &p->rect;
	bool is_wide = rect->w == p->frame->width;
	uint32_t x = p->at_x, y = p->at_y;
	unsigned count = 0;

	if (p->state != STATE_RAW || rect->w == 0)
		return 0;
	while (y < rect->h && count < most) {
		uint32_t rows = is_wide ? rect->h - y : 1;

		parts[count++] = (struct iovec){
			frame_at(p->frame, rect->x + x, rect->y + y),
			((size_t)rows * rect->w - x) * BYTES_PER_PIXEL,
		};
		y += rows;
		x = 0;
	}
	return count;
}

void rfb_server_filled(struct rfb_server_parser *p, size_t count_px)
{
	const struct rfb_rect *rect = &p->rect;
	uint32_t end = p->at_x + (uint32_t)count_px;
	struct rfb_rect rows = {rect->x, (uint16_t)(rect->y + p->at_y), rect->w, 0};

	rows.h = part(rect->h, p->at_y, (end + rect->w - 1) / rect->w);
	frame_mark(p->frame, &p->frame->dirty, &rows);
	p->at_y += end / rect->w;
	p->at_x = end % rect->w;
}

static int next_copy(struct rfb_server_parser *p, struct reader *r)
{
	struct rfb_rect from = p->rect;

	if (reader_left(r) < 4)
		return RFB_SERVER_MORE;
	from.x = reader_be16(r);
	from.y = reader_be16(r);
	if (!frame_holds(p->frame, &from))
		return fault(p, -ERR_RANGE, "copy-source-outside");
	frame_copy(p->frame, &p->rect, from.x, from.y);
	return rect_done(p, STEP_ON);
}

typedef int tile_fn(struct rfb_server_parser *p, struct reader *r, const struct rfb_rect *tile);

/* Tiles of the rectangle in hand, from left to right and from top to bottom. 0 when all are drawn,
 * -ERR_TRUNCATED where the next one is not whole, or an error. */
static int next_tiles(struct rfb_server_parser *p, struct reader *r, uint32_t side_px,
		      tile_fn *decode)
{
	const struct rfb_rect *rect = &p->rect;

	while (p->at_y < rect->h && p->at_x < rect->w) {
		struct rfb_rect tile = {
			.x = (uint16_t)(rect->x + p->at_x),
			.y = (uint16_t)(rect->y + p->at_y),
			.w = part(rect->w, p->at_x, side_px),
			.h = part(rect->h, p->at_y, side_px),
		};
		int error = decode(p, r, &tile);

		if (error != 0)
			return error;
		p->at_x += side_px;
		if (p->at_x < rect->w)
			continue;
		p->at_x = 0;
		p->at_y += side_px;
	}
	return 0;
}

static int tiles_event(struct rfb_server_parser *p, int error)
{
	if (error == -ERR_TRUNCATED)
		return RFB_SERVER_MORE;
	return error != 0 ? error : rect_done(p, STEP_ON);
}

static int next_hextile(struct rfb_server_parser *p, struct reader *r)
{
	return tiles_event(p, next_tiles(p, r, HEXTILE_PX, rfb_hextile_tile));
}

static int trle_tile(struct rfb_server_parser *p, struct reader *r, const struct rfb_rect *tile)
{
	return rfb_tile_decode(&p->palette, true, r, p->frame, tile, &p->fault);
}

static int next_trle(struct rfb_server_parser *p, struct reader *r)
{
	return tiles_event(p, next_tiles(p, r, RFB_TRLE_TILE_PX, trle_tile));
}

/* ZRLE: a length, and so many bytes of the session's zlib stream, which are exactly the tiles. */
static int next_zrle(struct rfb_server_parser *p, struct reader *r)
{
	if (reader_left(r) < 4)
		return RFB_SERVER_MORE;
	p->left = reader_be32(r);
	if (p->left > (uint64_t)p->rect.w * p->rect.h * BYTES_PER_PIXEL + RFB_ZRLE_EXTRA)
		return fault(p, -ERR_TOO_LONG, "zrle-length");
	p->state = STATE_ZRLE_TILES;
	return STEP_ON;
}

static int zrle_tile(struct rfb_server_parser *p, struct reader *r, const struct rfb_rect *tile)
{
	return rfb_tile_decode(&p->palette, false, r, p->frame, tile, &p->fault);
}

/* STEP_ON where something came of it. */
static int inflate_more(struct rfb_server_parser *p, struct reader *r)
{
	int error = rfb_inflate_more(p->inflate, r, &p->left);

	if (error == -ERR_SYNTAX)
		return fault(p, error, "zlib-stream");
	if (error == 0)
		return STEP_ON;
	return p->left > 0 ? RFB_SERVER_MORE : fault(p, -ERR_RANGE, "zrle-too-short");
}

static int next_zrle_tiles(struct rfb_server_parser *p, struct reader *r)
{
	struct reader inflated = rfb_inflate_reader(p->inflate);
	int error = next_tiles(p, &inflated, RFB_ZRLE_TILE_PX, zrle_tile);

	rfb_inflate_take(p->inflate, inflated.at);
	if (error == -ERR_TRUNCATED)
		return inflate_more(p, r);
	if (error == 0)
		p->state = STATE_ZRLE_REST;
	return error != 0 ? error : STEP_ON;
}

/* Behind the last tile there may be the end of a deflate block, but nothing that inflates to a
 * byte. */
static int next_zrle_rest(struct rfb_server_parser *p, struct reader *r)
{
	struct reader inflated = rfb_inflate_reader(p->inflate);

	if (reader_left(&inflated) > 0)
		return fault(p, -ERR_RANGE, "zrle-too-long");
	if (p->left > 0 || p->inflate->broken)
		return inflate_more(p, r);
	return rect_done(p, STEP_ON);
}

/* Sizes. */

static int resize(struct rfb_server_parser *p)
{
	if (p->rect.w == p->frame->width && p->rect.h == p->frame->height)
		return rect_done(p, STEP_ON);
	if (frame_resize(p->frame, p->rect.w, p->rect.h) != 0)
		return fault(p, -ERR_RANGE, "desktop-size");
	p->drawn_px = 0;
	return rect_done(p, RFB_SERVER_RESIZED);
}

static int next_size(struct rfb_server_parser *p, struct reader *r)
{
	return resize(p);
}

static int next_extended_size(struct rfb_server_parser *p, struct reader *r)
{
	if (reader_left(r) < 4)
		return RFB_SERVER_MORE;
	p->left = reader_u8(r);
	reader_skip(r, 3);
	if (p->left > RFB_SCREENS_MAX)
		return fault(p, -ERR_TOO_LONG, "too-many-screens");
	if (p->rect.x == 1) /* the answer to a SetDesktopSize */
		return fault(p, -ERR_UNSUPPORTED, "answer-not-asked-for");
	p->left *= SCREEN_BYTES;
	p->state = STATE_SCREENS;
	return STEP_ON;
}

/* How a desktop spreads over monitors is not passed on. */
static int next_screens(struct rfb_server_parser *p, struct reader *r)
{
	int event = discard(p, r, STATE_RECT, STEP_ON);

	return event == STEP_ON ? resize(p) : event;
}

/* @rect: at most RFB_CURSOR_MAX each way. Only pixels under a set mask bit are kept, so that
 * nothing hides in the others. */
static void cursor_draw(struct rfb_cursor *cursor, const struct rfb_rect *rect, struct span pixels,
			struct span mask)
{
	size_t mask_row = (rect->w + 7U) / 8;

	cursor->w = rect->w;
	cursor->h = rect->h;
	cursor->hot_x = rect->x < cursor->w ? rect->x : 0;
	cursor->hot_y = rect->y < cursor->h ? rect->y : 0;
	for (unsigned y = 0; y < cursor->h; y++) {
		for (unsigned x = 0; x < cursor->w; x++) {
			bool drawn = mask.data[y * mask_row + x / 8] >> (7 - x % 8) & 1;
			uint32_t pixel;

			memcpy(&pixel, pixels.data + ((size_t)y * rect->w + x) * BYTES_PER_PIXEL,
			       sizeof(pixel));
			pixel = (pixel & FRAME_PIXEL_MASK) | ~FRAME_PIXEL_MASK;
			cursor->pixels[y * cursor->w + x] = drawn ? pixel : 0;
		}
	}
}

static int next_cursor(struct rfb_server_parser *p, struct reader *r)
{
	const struct rfb_rect *rect = &p->rect;
	size_t pixel_bytes, mask_bytes;
	struct span pixels, mask;

	if (rect->w > RFB_CURSOR_MAX || rect->h > RFB_CURSOR_MAX)
		return fault(p, -ERR_TOO_LONG, "cursor-size");
	pixel_bytes = (size_t)rect->w * rect->h * BYTES_PER_PIXEL;
	mask_bytes = (size_t)((rect->w + 7) / 8) * rect->h;
	if (reader_left(r) < pixel_bytes + mask_bytes)
		return RFB_SERVER_MORE;
	pixels = reader_span(r, pixel_bytes);
	mask = reader_span(r, mask_bytes);
	cursor_draw(&p->cursor, rect, pixels, mask);
	return rect_done(p, RFB_SERVER_CURSOR);
}

int rfb_server_next(struct rfb_server_parser *p, struct reader *r)
{
	static int (*const steps[])(struct rfb_server_parser *, struct reader *) = {
		[STATE_MESSAGE] = next_message,
		[STATE_DISCARD_CUT] = discard_cut,
		[STATE_DISCARD_COLOURS] = discard_colours,
		[STATE_RECT] = next_rect,
		[STATE_RAW] = next_raw,
		[STATE_COPY] = next_copy,
		[STATE_HEXTILE] = next_hextile,
		[STATE_TRLE] = next_trle,
		[STATE_ZRLE] = next_zrle,
		[STATE_ZRLE_TILES] = next_zrle_tiles,
		[STATE_ZRLE_REST] = next_zrle_rest,
		[STATE_SIZE] = next_size,
		[STATE_EXTENDED_SIZE] = next_extended_size,
		[STATE_SCREENS] = next_screens,
		[STATE_CURSOR] = next_cursor,
	};
	int event = STEP_ON;

	while (event == STEP_ON)
		event = steps[p->state](p, r);
	return event;
}

uint32_t rfb_server_rows_drawn(const struct rfb_server_parser *p)
{
	switch (p->state) {
	case STATE_RECT:
		return (uint32_t)p->rect.y + p->rect.h;
	case STATE_RAW:
	case STATE_HEXTILE:
	case STATE_TRLE:
	case STATE_ZRLE_TILES:
		return p->rect.y + p->at_y;
	default:
		return 0;
	}
}
