/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RFB messages from client to server: the parser for what viewers send to the gateway, and builders
 * for the five kinds of message that the gateway sends to desktops. No state but the parser's own,
 * no side effects.
 */
#ifndef SEKISHO_WIRE_RFB_CLIENT_H
#define SEKISHO_WIRE_RFB_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "wire/rfb/rfb.h"

/* The longest run of bytes that the parser needs to see at once. */
#define RFB_CLIENT_UNIT_MAX 20

enum rfb_client_event {
	RFB_CLIENT_MORE,      /* give more bytes behind those that were not taken */
	RFB_CLIENT_FORMAT,    /* out->format */
	RFB_CLIENT_ENCODINGS, /* out->encodings */
	RFB_CLIENT_REQUEST,   /* out->request, out->incremental */
	RFB_CLIENT_KEY,       /* out->keysym, out->down */
	RFB_CLIENT_POINTER,   /* out->x, out->y, out->buttons */
	RFB_CLIENT_CUT,       /* a cut text was discarded; out->discarded_bytes */
	RFB_CLIENT_RESIZE,    /* SetDesktopSize, ignored */
};

/* What a SetEncodings chooses of what we generate. */
struct rfb_choice {
	enum rfb_encoding
		pixels; /* the first of RFB_ZRLE, RFB_HEXTILE, RFB_RAW in the client's order */
	bool cursor;
	bool desktop_size;
	bool extended_desktop_size;
};

struct rfb_client_message {
	union {
		struct rfb_format format;
		struct rfb_choice encodings;
		struct {
			struct rfb_rect request;
			bool incremental;
		};
		struct {
			uint32_t keysym;
			bool down;
		};
		struct {
			uint16_t x, y;
			uint8_t buttons;
		};
		uint32_t discarded_bytes;
	};
};

struct rfb_client_parser {
	unsigned state;       /* the parser's own, zero at the start */
	uint32_t left;        /* items or bytes of the message in hand still to come */
	uint32_t total_bytes; /* of the cut text in hand */
	struct rfb_choice choice;
	bool pixels_chosen;
	const char *fault;  /* fixed text, set with an error */
	uint8_t fault_type; /* the message type it was about */
};

/* As a session begins. */
void rfb_client_init(struct rfb_client_parser *p);

/**
 * rfb_client_next - take one message, or as much of a long one as is there
 * @r: all bytes not taken yet; on return r->at is behind what was taken
 * @out: filled as the event says
 * Return: an enum rfb_client_event; -ERR_UNSUPPORTED for a message type that was never offered (it
 * does not say its length, so nothing after it can be read); -ERR_RANGE for a value that is not
 * allowed; -ERR_TOO_LONG past RFB_ENCODINGS_MAX, RFB_SCREENS_MAX or RFB_CUT_TEXT_MAX. After an
 * error the session must end.
 */
int rfb_client_next(struct rfb_client_parser *p, struct reader *r, struct rfb_client_message *out);

/* Whether what comes next, as far as @r shows, changes how pixels are encoded: not while an update
 * is half sent. */
bool rfb_client_changes_encoding(const struct rfb_client_parser *p, const struct reader *r);

/* Builders, for the half that is a desktop's client. */
void rfb_client_set_format(struct writer *w, const struct rfb_format *format);
void rfb_client_set_encodings(struct writer *w, const int32_t *encodings, uint16_t count);
void rfb_client_request(struct writer *w, const struct rfb_rect *r, bool incremental);
void rfb_client_key(struct writer *w, uint32_t keysym, bool down);
void rfb_client_pointer(struct writer *w, uint16_t x, uint16_t y, uint8_t buttons);

#endif
