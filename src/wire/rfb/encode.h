/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RFB messages from server to client, as the gateway makes them: pixels of a frame in the client's
 * own format, as Raw, Hextile or ZRLE. Everything written here is made from pixels and sizes;
 * nothing of a desktop's bytes is copied.
 */
#ifndef SEKISHO_WIRE_RFB_ENCODE_H
#define SEKISHO_WIRE_RFB_ENCODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "wire/rfb/rfb.h"
#include "wire/rfb/frame.h"

/* The largest rectangle that one call encodes: as many tiles as fit a second-level cache. */
#define RFB_ENCODE_WIDTH_MAX  (16 * FRAME_TILE_PX)
#define RFB_ENCODE_HEIGHT_MAX FRAME_TILE_PX

/*
 * Room that it needs at most: header, length, zlib header, raw pixels, a byte for each ZRLE tile or
 * Hextile tile of 16 x 16, five bytes for each stored deflate block; rounded up.
 */
#define RFB_ENCODE_BYTES_MAX (RFB_ENCODE_WIDTH_MAX * RFB_ENCODE_HEIGHT_MAX * 4 + 1024)

/* How pixels are written for one client. */
struct rfb_encoder {
	struct rfb_format format;
	unsigned pixel_bytes;  /* 1, 2 or 4 */
	unsigned cpixel_bytes; /* of a ZRLE CPIXEL: 3 where 4 have a free byte at an end */
	unsigned cpixel_skip;  /* which bytes these are */
	bool plain;            /* the format is the frame's own */
	bool zlib_begun;       /* the header of the session's one zlib stream was sent */
	/* The memory image of each colour's share; a pixel is the three or-ed. */
	uint32_t red[256], green[256], blue[256];
};

/* As a session begins: the gateway's own format. */
void rfb_encoder_init(struct rfb_encoder *e);

/**
 * rfb_encoder_format - write pixels in @format from now on
 * @format: as rfb_format_read accepted it; one with a colour map is served 3 + 3 + 2 bits with a
 * fixed map, see rfb_encode_colour_map
 */
void rfb_encoder_format(struct rfb_encoder *e, const struct rfb_format *format);

/* The pixel @rgb in the client's format, as it lies in memory: its first pixel_bytes bytes go out.
 */
static inline uint32_t rfb_encoder_pixel(const struct rfb_encoder *e, uint32_t rgb)
{
	return e->red[rgb >> 16 & 255] | e->green[rgb >> 8 & 255] | e->blue[rgb & 255];
}

/* Header of a FramebufferUpdate. */
void rfb_encode_update(struct writer *w, uint16_t rect_count);

/**
 * rfb_encode_rect - one rectangle of pixels with its header
 * @f: borrowed
 * @r: inside the frame, not empty, at most RFB_ENCODE_WIDTH_MAX x RFB_ENCODE_HEIGHT_MAX
 * @encoding: RFB_RAW, RFB_HEXTILE or RFB_ZRLE
 * @w: with room for RFB_ENCODE_BYTES_MAX
 */
void rfb_encode_rect(struct rfb_encoder *e, const struct frame *f, const struct rfb_rect *r,
		     enum rfb_encoding encoding, struct writer *w);

/* As rfb_encode_rect for pixels that lie in a frame of their own: the client is told @place. */
void rfb_encode_rect_at(struct rfb_encoder *e, const struct frame *f, const struct rfb_rect *r,
			const struct rfb_rect *place, enum rfb_encoding encoding, struct writer *w);

/* DesktopSize or, with one screen, ExtendedDesktopSize. */
void rfb_encode_size(struct writer *w, uint16_t width_px, uint16_t height_px, bool extended);

/* A Cursor rectangle of at most RFB_CURSOR_MAX each way; @pixels 0xff'RRGGBB where drawn. Room:
 * RFB_ENCODE_BYTES_MAX is plenty. */
void rfb_encode_cursor(const struct rfb_encoder *e, const struct rfb_rect *hot_and_size,
		       const uint32_t *pixels, struct writer *w);

/* SetColourMapEntries for clients with a colour map: 256 colours, 3 bits red, 3 green, 2 blue. */
#define RFB_COLOUR_MAP_BYTES (6 + 256 * 6)
void rfb_encode_colour_map(struct writer *w);

/* The encodings apart; each writes the rectangle's data without its header. */
void rfb_encode_raw(const struct rfb_encoder *e, const struct frame *f, const struct rfb_rect *r,
		    struct writer *w);
void rfb_encode_hextile(const struct rfb_encoder *e, const struct frame *f,
			const struct rfb_rect *r, struct writer *w);
void rfb_encode_zrle(struct rfb_encoder *e, const struct frame *f, const struct rfb_rect *r,
		     struct writer *w);
/* ZRLE's tiles alone, from the left, without the zlib stream that ZRLE puts them into; the rest as
 * rfb_encode_rect. */
void rfb_encode_tiles(const struct rfb_encoder *e, const struct frame *f, const struct rfb_rect *r,
		      struct writer *w);

#endif
