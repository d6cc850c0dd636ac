/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFB (RFC 6143): the numbers, limits and the pixel format that both halves of the screen relay
 * share. */
#ifndef SEKISHO_WIRE_RFB_RFB_H
#define SEKISHO_WIRE_RFB_RFB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Limits. What passes one of them ends the session. */
#define RFB_WIDTH_MAX     4096        /* pixels; a row of tiles is then one 64-bit word */
#define RFB_HEIGHT_MAX    2304        /* pixels */
#define RFB_ENCODINGS_MAX 256         /* numbers in one SetEncodings */
#define RFB_CUT_TEXT_MAX  (1U << 20)  /* bytes that are discarded of one cut text */
#define RFB_NAME_MAX      4096        /* bytes that are discarded of a desktop's name */
#define RFB_OVERDRAW_MAX  16          /* screens full of pixels that one update draws */
#define RFB_CURSOR_MAX    128         /* pixels, each way, of a desktop's cursor */
#define RFB_ZRLE_EXTRA    (64U << 10) /* bytes of a ZRLE rectangle beyond four for each pixel */
#define RFB_SCREENS_MAX   16          /* screens in one ExtendedDesktopSize or SetDesktopSize */

enum rfb_client_type {
	RFB_SET_PIXEL_FORMAT = 0,
	RFB_SET_ENCODINGS = 2,
	RFB_UPDATE_REQUEST = 3,
	RFB_KEY = 4,
	RFB_POINTER = 5,
	RFB_CLIENT_CUT_TEXT = 6,
	RFB_SET_DESKTOP_SIZE = 251,
};

enum rfb_server_type {
	RFB_UPDATE = 0,
	RFB_COLOUR_MAP = 1,
	RFB_BELL = 2,
	RFB_SERVER_CUT_TEXT = 3,
};

enum rfb_encoding {
	RFB_RAW = 0,
	RFB_COPY_RECT = 1,
	RFB_HEXTILE = 5,
	RFB_TRLE = 15,
	RFB_ZRLE = 16,
	RFB_CURSOR = -239,
	RFB_DESKTOP_SIZE = -223,
	RFB_LAST_RECT = -224,
	RFB_EXTENDED_DESKTOP_SIZE = -308,
};

enum rfb_security {
	RFB_SECURITY_INVALID = 0,
	RFB_SECURITY_NONE = 1,
	RFB_SECURITY_VNC_AUTH = 2,
	RFB_SECURITY_VENCRYPT = 19,
};

/* What is gone through within VeNCrypt, version 0.2; the values are its subtypes. */
enum { RFB_VENCRYPT_MAJOR = 0, RFB_VENCRYPT_MINOR = 2, RFB_VENCRYPT_YES = 1, RFB_VENCRYPT_NO = 0 };
enum rfb_subtype {
	RFB_SUBTYPE_NONE = 0,    /* no VeNCrypt */
	RFB_SUBTYPE_PLAIN = 256, /* only where TLS stands already */
	RFB_SUBTYPE_X509_NONE = 260,
	RFB_SUBTYPE_X509_PLAIN = 262,
};

struct rfb_rect {
	uint16_t x, y, w, h;
};

/* PIXEL_FORMAT, RFC 6143 7.4. */
struct rfb_format {
	uint8_t bits_per_pixel;
	uint8_t depth;
	bool big_endian;
	bool true_colour;
	uint16_t red_max, green_max, blue_max;
	uint8_t red_shift, green_shift, blue_shift;
};

#define RFB_FORMAT_BYTES 16

/* 32 bits, little-endian, 0x00RRGGBB: what the gateway asks of desktops and offers to viewers. */
extern const struct rfb_format rfb_format_gateway;

/**
 * rfb_format_read - take 16 bytes from @r
 * Return: 0; -ERR_TRUNCATED; -ERR_UNSUPPORTED where the format makes no sense or is none that we
 * encode: bits per pixel other than 8, 16, 32, a maximum that is not 2^n-1, a colour that does not
 * fit its pixel, colours that overlap, a colour map with other than 8 bits.
 */
int rfb_format_read(struct reader *r, struct rfb_format *out);
void rfb_format_write(struct writer *w, const struct rfb_format *format);

#endif
