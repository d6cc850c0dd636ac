/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The screen session's link: screen-source <-> screen-viewer, a SOCK_SEQPACKET pair, and memory
 * that the source writes and the viewer can only read. Pixels go one way, keys the other.
 *
 * source -> viewer: messages of 1 to SCREEN_BATCH struct screen_record. Order: GEOMETRY first; then
 * tiles, CURSOR, GEOMETRY again where the desktop changes its size, and UPDATE_END with a count
 * that the viewer acknowledges; the source sends nothing of the next update before that. What
 * PIXELS and CURSOR are about lies in struct screen_pixels. It may change at any time: the viewer
 * copies before it looks, and any bits are pixels. Where the source draws over a tile that it has
 * told of, it tells of it again.
 *
 * viewer -> source: struct screen_input. START first; keys and pointer only after GEOMETRY was
 * sent.
 *
 * A shadow, which looks on at a session, hears nothing of either: it has the memory to read, and
 * struct screen_shape tells it what to read there.
 *
 * Either: ENDED with a reason, as the last record. Each end checks every record with the functions
 * below before it looks at more of it; what fails ends the session. No descriptor travels here,
 * ever.
 */
#ifndef SEKISHO_CHANNEL_SCREEN_H
#define SEKISHO_CHANNEL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCREEN_WIDTH_MAX  4096
#define SCREEN_HEIGHT_MAX 2304
#define SCREEN_TILE_PX    64
#define SCREEN_CURSOR_PX  128 /* of a cursor, each way, at most */
#define SCREEN_BATCH      64  /* records of a message at most */

#define SCREEN_TILE_COLUMNS (SCREEN_WIDTH_MAX / SCREEN_TILE_PX)
#define SCREEN_TILE_ROWS    (SCREEN_HEIGHT_MAX / SCREEN_TILE_PX)

/*
 * For shadows: written by the source behind what it has drawn, each word whole. A reader copies a
 * word before it believes it, and pixels only after the word that tells of them; so it has read the
 * newest, or finds another word next time.
 */
struct screen_shape {
	uint32_t sizes;         /* how many GEOMETRYs there were; written behind the two below */
	uint32_t width, height; /* of the newest */
	uint32_t drawn[SCREEN_TILE_ROWS][SCREEN_TILE_COLUMNS]; /* how often each tile was */
};

/* The memory of one session (GIVE_PIXELS): native 32-bit pixels, row after row without gaps. */
struct screen_pixels {
	uint32_t frame[SCREEN_WIDTH_MAX * SCREEN_HEIGHT_MAX]; /* rows of the width of GEOMETRY */
	uint32_t cursor[SCREEN_CURSOR_PX * SCREEN_CURSOR_PX]; /* rows of the width of CURSOR */
	struct screen_shape shape;
};

enum screen_kind {
	SCREEN_GEOMETRY = 1, /* w, h: the screen is black and this large from now on */
	SCREEN_SOLID,        /* x, y, w, h inside one tile; value: colour 0x00RRGGBB */
	SCREEN_PIXELS,       /* x, y, w, h inside one tile, which is in the memory: 0x??RRGGBB */
	SCREEN_CURSOR, /* x, y: hot spot; w, h: 0..128; pixels 0xff'RRGGBB where drawn, else 0 */
	SCREEN_UPDATE_END, /* value: number of the update, from 1 */
	SCREEN_ENDED,      /* value: enum screen_end */
};

struct screen_record {
	uint16_t kind;       /* enum screen_kind */
	uint16_t x, y, w, h; /* pixels; 0 where the kind has no use for them */
	uint16_t zero;
	uint32_t value; /* as the kind says, else 0 */
};

enum screen_input_kind {
	SCREEN_START = 1, /* a viewer is in: connect to the desktop */
	SCREEN_ACK,       /* value: number of the newest update that was taken */
	SCREEN_KEY,       /* value: keysym on the allow list; flags: 1 down, 0 up */
	SCREEN_POINTER,   /* x, y below the maxima: the source clamps, its screen may be smaller by
			     now; flags: buttons */
	SCREEN_INPUT_ENDED, /* value: enum screen_end */
};

struct screen_input {
	uint16_t kind; /* enum screen_input_kind */
	uint16_t x, y;
	uint8_t flags;
	uint8_t zero;
	uint32_t value;
};

/* Why a session ended; the name goes into events. */
#define SCREEN_ENDS(X)                                                                             \
	X(VIEWER_LEFT, "viewer-left")                                                              \
	X(VIEWER_PROTOCOL, "viewer-protocol")                                                      \
	X(VIEWER_RESIZE, "viewer-cannot-resize")                                                   \
	X(DESKTOP_LEFT, "desktop-left")                                                            \
	X(DESKTOP_PROTOCOL, "desktop-protocol")                                                    \
	X(DESKTOP_UNREACHABLE, "desktop-unreachable")                                              \
	X(DESKTOP_REFUSED, "desktop-refused")                                                      \
	X(HANDSHAKE_TIMEOUT, "handshake-timeout")                                                  \
	X(IDLE, "idle-timeout")                                                                    \
	X(SESSION_LIMIT, "session-limit")                                                          \
	X(RECORD, "record-violation")                                                              \
	X(OTHER_HALF, "other-half-died")                                                           \
	X(LOGIN_REFUSED, "login-refused")                                                          \
	X(TLS, "tls-failed")                                                                       \
	X(CLEARED, "cleared")                                                                      \
	X(ISOLATED, "zone-isolated")                                                               \
	X(HOURS, "outside-hours")                                                                  \
	X(ACCOUNT, "account-changed")                                                              \
	X(POLICY, "policy-changed")                                                                \
	X(RECORDING, "cannot-be-recorded")                                                         \
	X(WATCHED, "watched-session-ended")                                                        \
	X(STOPPED, "stopped")                                                                      \
	X(INTERNAL, "internal-error")

enum screen_end {
	SCREEN_END_NONE_ = 0,
#define X(id, name) SCREEN_END_##id,
	SCREEN_ENDS(X)
#undef X
		SCREEN_END_COUNT_
};

static inline const char *screen_end_name(uint32_t end)
{
	static const char *const names[] = {"none",
#define X(id, name) name,
					    SCREEN_ENDS(X)
#undef X
	};

	return end < SCREEN_END_COUNT_ ? names[end] : "unknown";
}

static inline bool screen_size_allowed(uint32_t w, uint32_t h)
{
	return w >= 1 && w <= SCREEN_WIDTH_MAX && h >= 1 && h <= SCREEN_HEIGHT_MAX;
}

/* Not empty, inside the screen and inside one tile of the grid. */
static inline bool screen_tile_allowed(const struct screen_record *r, uint32_t width,
				       uint32_t height)
{
	uint32_t right = (uint32_t)r->x + r->w, bottom = (uint32_t)r->y + r->h;

	return r->w >= 1 && r->h >= 1 && right <= width && bottom <= height &&
	       r->x / SCREEN_TILE_PX == (right - 1) / SCREEN_TILE_PX &&
	       r->y / SCREEN_TILE_PX == (bottom - 1) / SCREEN_TILE_PX;
}

static inline bool screen_cursor_allowed(const struct screen_record *r)
{
	if (r->w > SCREEN_CURSOR_PX || r->h > SCREEN_CURSOR_PX)
		return false;
	return (r->x < r->w || r->x == 0) && (r->y < r->h || r->y == 0);
}

static inline bool screen_record_empty(const struct screen_record *r)
{
	return r->x == 0 && r->y == 0 && r->w == 0 && r->h == 0;
}

/* Records of a message of this length, to the byte; 0: it is not allowed. */
static inline size_t screen_record_count(size_t message_bytes)
{
	if (message_bytes % sizeof(struct screen_record) != 0 ||
	    message_bytes > SCREEN_BATCH * sizeof(struct screen_record))
		return 0;
	return message_bytes / sizeof(struct screen_record);
}

/**
 * screen_record_check - the viewer's check of one record from the source
 * @r: copied out of any memory that the source can write
 * @width, @height: of the screen as the last GEOMETRY said; 0 before the first
 * Return: whether kind and numbers are allowed. What a tile or a cursor that is names lies inside
 * struct screen_pixels and inside a frame of this size.
 */
static inline bool screen_record_check(const struct screen_record *r, uint32_t width,
				       uint32_t height)
{
	if (r->zero != 0)
		return false;
	switch (r->kind) {
	case SCREEN_GEOMETRY:
		return r->x == 0 && r->y == 0 && r->value == 0 && screen_size_allowed(r->w, r->h);
	case SCREEN_SOLID:
		return screen_tile_allowed(r, width, height);
	case SCREEN_PIXELS:
		return r->value == 0 && screen_tile_allowed(r, width, height);
	case SCREEN_CURSOR:
		return r->value == 0 && screen_cursor_allowed(r);
	case SCREEN_UPDATE_END:
		return screen_record_empty(r) && width != 0;
	case SCREEN_ENDED:
		return screen_record_empty(r) && r->value < SCREEN_END_COUNT_;
	default:
		return false;
	}
}

/**
 * screen_input_check - the source's check of one message from the viewer
 * @key_allowed: the allow list of keysyms
 * @running: whether the size of the screen was sent; before that only START and ENDED are allowed
 */
static inline bool screen_input_check(const struct screen_input *i, size_t message_bytes,
				      bool (*key_allowed)(uint32_t keysym), bool running)
{
	if (message_bytes != sizeof(*i) || i->zero != 0)
		return false;
	if (i->kind != SCREEN_POINTER && (i->x != 0 || i->y != 0))
		return false;
	if (i->kind != SCREEN_POINTER && i->kind != SCREEN_KEY && i->flags != 0)
		return false;
	switch (i->kind) {
	case SCREEN_START:
		return i->value == 0;
	case SCREEN_ACK:
		return running;
	case SCREEN_KEY:
		return running && i->flags <= 1 && key_allowed(i->value);
	case SCREEN_POINTER:
		return running && i->value == 0 && i->x < SCREEN_WIDTH_MAX &&
		       i->y < SCREEN_HEIGHT_MAX;
	case SCREEN_INPUT_ENDED:
		return i->value < SCREEN_END_COUNT_;
	default:
		return false;
	}
}

#endif
