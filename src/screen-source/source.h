/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of one screen-source and its parts: desktop.c (RFB), receive.c (its
 * bytes), secure.c (TLS and login at the
 * desktop), tiles.c (records out), input.c (keys in). */
#ifndef SEKISHO_SCREEN_SOURCE_SOURCE_H
#define SEKISHO_SCREEN_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/process.h"
#include "channel/screen.h"
#include "screen-session/session.h"
#include "tls/stream.h"
#include "wire/rfb/client.h"
#include "wire/rfb/frame.h"
#include "wire/rfb/handshake.h"
#include "wire/rfb/inflate.h"
#include "wire/rfb/server.h"

#define SOURCE_IN_BYTES          (256U << 10) /* from the desktop, not yet decoded */
#define SOURCE_OUT_BYTES         4096         /* to the desktop, not yet taken */
#define SOURCE_OUT_ROOM          256          /* that must be left before more input is taken */
#define SOURCE_INPUT_MAX         64           /* records taken in a turn of the loop */
#define SOURCE_PRESSED_MAX       32           /* keys held down at once */
#define SOURCE_KEYS_PER_S        200          /* key presses; more are dropped */
#define SOURCE_KEYS_BURST        400
#define SOURCE_JUDGED_BYTES      (256U << 10) /* an update this large shows how fast the link is */
#define SOURCE_SLOW_BYTES_PER_MS 6000         /* about 50 Mbit/s: below it Hextile is asked for */
#define SOURCE_RESIZES_PER_S     4            /* of the desktop; more end the session */
#define SOURCE_RESIZES_BURST     16

_Static_assert(SOURCE_IN_BYTES >= RFB_SERVER_UNIT_MAX, "the parser can always see a whole unit");
_Static_assert(RFB_WIDTH_MAX == SCREEN_WIDTH_MAX && RFB_HEIGHT_MAX == SCREEN_HEIGHT_MAX,
	       "one limit");
_Static_assert(FRAME_TILE_PX == SCREEN_TILE_PX, "one grid");
_Static_assert(RFB_CURSOR_MAX == SCREEN_CURSOR_PX, "one cursor");

enum source_phase {
	SOURCE_WAITING,    /* for the viewer */
	SOURCE_CONNECTING, /* asked the supervisor, or the socket is not connected yet */
	SOURCE_HANDSHAKE,
	SOURCE_TLS, /* in the middle of the handshake: TLS's own */
	SOURCE_RUNNING,
};

/* So many a second, with a burst. */
struct source_bucket {
	uint64_t milli; /* thousandths of an item that may pass now */
	uint64_t at_ms;
};

struct source {
	struct process process;
	struct session session;
	struct loop loop;
	struct pollfd polls[4];
	struct loop_fd *poll_fds[4];
	struct loop_fd control, link, desktop;
	struct loop_timer handshake_timer, request_timer, limit_timer;
	enum source_phase phase;

	/* secure.c */
	int authority_fd, password_fd; /* of our entry's slots; -1: none, or done with */

	/* desktop.c */
	struct stream stream; /* the desktop's, plain or under TLS */
	struct rfb_caller caller;
	struct rfb_server_parser parser;
	struct rfb_inflate inflate; /* touched only where ZRLE is asked for */
	uint8_t in[SOURCE_IN_BYTES];
	size_t in_at, in_end;
	size_t glance_bytes; /* receive.c: what is read next of what may be anything */
	uint8_t out[SOURCE_OUT_BYTES];
	size_t out_bytes;
	bool requested; /* an update was asked for and has not ended */
	bool whole;     /* the next request is for everything */
	uint64_t request_due_ms;
	struct source_bucket resizes;
	uint64_t bytes_in;
	uint64_t update_bytes, update_began_ms; /* of the update that is coming in */
	bool slow;

	/* tiles.c */
	struct screen_pixels *pixels; /* the viewer's half reads there */
	struct frame frame;           /* the larger part of it */
	bool sending;   /* an update is being handed to the viewer: the frame must not change */
	bool streaming; /* so are tiles of an update that is still coming in */
	bool size_due, cursor_due;
	uint32_t update_sent, update_taken;

	/* input.c */
	uint32_t pressed[SOURCE_PRESSED_MAX];
	unsigned pressed_count;
	uint8_t buttons;
	uint16_t pointer_x, pointer_y;
	bool pointer_due; /* a movement that is not written yet: the next one may replace it */
	struct source_bucket presses;
	uint64_t keys;
};

/* End the session: tell the viewer's half, release what is held down, stop the loop. */
void source_end(struct source *s, enum screen_end why, const char *detail, int32_t code);

/* Take one from a bucket that holds @burst and gains @per_s. Return: whether there was one. */
bool source_bucket_take(struct source_bucket *b, unsigned per_s, unsigned burst);

/* Ask the supervisor for the desktop's socket. */
void desktop_connect(struct source *s);
/* Take the socket that came (connecting), or the errno that came instead. @fd is taken. */
void desktop_connected(struct source *s, int fd, int error);
/* Decode what is there, unless tiles are being sent; ask for more where it is time. */
void desktop_advance(struct source *s);
/* A writer behind what waits for the desktop; give it back to desktop_written. */
struct writer desktop_writer(struct source *s);
void desktop_written(struct source *s, const struct writer *w);
bool desktop_has_room(const struct source *s);
/* Try to write what waits; for the end of a session. */
void desktop_flush(struct source *s);
/* Poll the desktop for what can be done now. */
void desktop_watch(struct source *s);

/*
 * receive.c: what has come from the desktop, into the buffer, or pixels where they belong.
 * Return: as stream_read. receive_is_full: whether the parser has to take something first.
 */
ssize_t receive_more(struct source *s);
bool receive_is_full(const struct source *s);

/* The handshake as the policy wants it: expect the desktop's version. */
void secure_begin(struct source *s);
/* The desktop does not offer what is wanted: say what it offers. */
void secure_tell_offer(struct source *s);
/* TLS begins here; @left is what came before and was not taken. */
void secure_start_tls(struct source *s, const struct reader *left);
/* Go on with TLS's handshake, then with RFB's within it. */
void secure_shake(struct source *s);
/* Write what the desktop wants to know; the password is read here and wiped. */
void secure_login(struct source *s);

/* Map the session's memory to draw into. @fd: taken where this succeeds. Return: as shared_map. */
int tiles_map(struct source *s, int fd);
/* Hand on what is drawn of an update that has not ended, while it is in the cache. */
void tiles_stream(struct source *s);
/* Hand an update to the viewer: as many records as the link takes now. */
void tiles_begin(struct source *s);
void tiles_continue(struct source *s);
/* Whether the frame may change: nothing of it is on its way, and the viewer has taken the last
 * update. */
bool tiles_may_begin(const struct source *s);
/* The link's last record. */
void tiles_end(struct source *s, enum screen_end why);

/* Take records from the viewer, a turn's at most, while there is room towards the desktop. */
void input_serve(struct source *s);
/* The viewer's half has hung up while its input had to wait: end with the reason that it gave. */
void input_last(struct source *s);
/* Release every key and button that is held down. */
void input_release(struct source *s);

#endif
