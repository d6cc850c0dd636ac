/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of one screen-viewer and its parts: client.c (RFB in), records.c (tiles in), update.c
 * (RFB out), marking.c (its watermark), recorder.c (its recording), secure.c (TLS and login),
 * peer.c (bytes, or a browser's frames), page.c (the page for browsers), shadow.c (an auditor's
 * look at another session). */
#ifndef SEKISHO_SCREEN_VIEWER_VIEWER_H
#define SEKISHO_SCREEN_VIEWER_VIEWER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/loop.h"
#include "base/process.h"
#include "base/shared.h"
#include "channel/screen.h"
#include "screen-session/session.h"
#include "screen-viewer/pace.h"
#include "screen-viewer/shadow.h"
#include "screen-viewer/watermark.h"
#include "tls/stream.h"
#include "wire/rfb/recording.h"
#include "wire/rfb/client.h"
#include "wire/rfb/encode.h"
#include "wire/rfb/frame.h"
#include "wire/rfb/greeter.h"
#include "wire/web/request.h"
#include "wire/web/websocket.h"

/* The desktop's name that every viewer is told; what follows it where the session is recorded, and
 * where auditors may watch it; the name that they are told. */
#define VIEWER_NAME           "Sekisho"
#define VIEWER_NAME_RECORDED  " - recorded 録画中"
#define VIEWER_NAME_WATCHABLE " - may be watched 監査者閲覧あり"
#define VIEWER_NAME_SHADOW    "Sekisho - shadow 閲覧のみ"

#define VIEWER_NAME_BYTES  128
#define VIEWER_IN_BYTES    4096                       /* from the viewer, not yet parsed */
#define VIEWER_OUT_BYTES   (2 * RFB_ENCODE_BYTES_MAX) /* to the viewer, not yet taken */
#define VIEWER_BATCHES     8 /* of records, before others have their turn */
#define VIEWER_ACK_LATE_MS 100
#define VIEWER_LOGIN_MS    120000 /* for a person to type name and password; for their judgement */
#define VIEWER_RECTS_MAX   (FRAME_TILE_ROWS * 64)
#define PAGE_REQUEST_MS    10000   /* for a browser to take an answer and send its next request */
#define PAGE_LINGER_MS     1000    /* for it to close behind the last answer */
#define PAGE_REQUESTS_MAX  32      /* of one connection */
#define PAGE_HEAD_MAX      1024    /* of an answer's head */
#define PAGE_NAMES_MAX     1048576 /* octets of its names, and of addresses */
#define RECORDER_MARK_MS   300000  /* how often the log is told how far a recording is */
#define PEER_DRAIN_MS      500     /* for a browser to be told how its session ended */

_Static_assert(VIEWER_IN_BYTES >= RFB_CLIENT_UNIT_MAX, "the parser can always see a whole unit");
_Static_assert(VIEWER_IN_BYTES >= RFB_GREETER_UNIT_MAX, "so can the handshake");
_Static_assert(VIEWER_IN_BYTES >= WEB_HEAD_BYTES_MAX, "and the page");
_Static_assert(RFB_WIDTH_MAX == SCREEN_WIDTH_MAX && RFB_HEIGHT_MAX == SCREEN_HEIGHT_MAX,
	       "one limit");
_Static_assert(FRAME_TILE_PX == SCREEN_TILE_PX, "one grid");
_Static_assert(RFB_CURSOR_MAX == SCREEN_CURSOR_PX, "one cursor");
_Static_assert(VIEWER_RECTS_MAX < 0xffff, "the count of rectangles fits its field");

enum viewer_phase {
	VIEWER_HANDSHAKE,
	VIEWER_TLS,     /* its handshake */
	VIEWER_PAGE,    /* a browser that has not asked for a session */
	VIEWER_LOGIN,   /* for the judgement of a name and password */
	VIEWER_WAITING, /* for the desktop's size */
	VIEWER_RUNNING,
};

/* What a browser may ask for: the gateway's names and addresses, copied out of the policy. */
struct page_names {
	struct bytes hosts;     /* names, each NUL-terminated */
	struct bytes addresses; /* struct snapshot_prefix, one after the other */
	uint16_t port;
};

/* A connection to the port for browsers. */
struct viewer_browser {
	bool is_one;
	bool upgraded;  /* it is a session: frames in both directions */
	bool closing;   /* once what waits is written */
	bool lingering; /* it is written */
	unsigned requests;
	struct page_names names; /* that a browser may ask for */
	struct websocket frames;
	uint8_t raw[VIEWER_IN_BYTES]; /* frames that have come */
	size_t raw_at, raw_end;
	bool raw_waits; /* for room in the stream, not for more to come */
	bool left;      /* its close frame has come, perhaps behind data in one TLS record */
	/* Goes before the stream: the answer to the upgrade, heads of frames, whole control frames.
	 */
	uint8_t head[PAGE_HEAD_MAX];
	size_t head_at, head_end;
	size_t frame_left; /* octets of the stream that belong to the frame begun last */
	bool pong_due;
	uint8_t pong[WEBSOCKET_CONTROL_MAX];
	size_t pong_size;
};

/* A session's recording. */
struct recorder {
	int fd;  /* -1: there is no file, or none any more */
	bool on; /* what is shown goes there */
	uint64_t began_ms;
	uint64_t update_ms;                    /* behind that: what goes out at once has one time */
	struct rfb_encoder encoder;            /* of the form's one format */
	struct recording_chain chain, written; /* with the blocks in @out, and without */
	uint64_t written_bytes;
	uint32_t marked; /* blocks that the log knows of */
	struct loop_timer mark_timer;
	uint8_t out[2 * RECORDING_BLOCK_MAX];
	size_t out_bytes;
};

struct viewer {
	struct process process;
	struct session session;
	struct loop loop;
	struct pollfd polls[4];
	struct loop_fd *poll_fds[4];
	struct loop_fd control, link, peer;
	struct loop_timer handshake_timer, tick_timer, idle_timer, limit_timer, ack_timer,
		mark_timer;
	enum viewer_phase phase;

	/* secure.c */
	struct viewer_browser browser; /* peer.c and page.c */
	struct stream stream;          /* the viewer's connection, plain or under TLS */
	struct control_start start;
	int certificate_fd, authority_fd; /* of the entry's slots; -1: none */
	bool admitted;                    /* who looks has been judged */
	char name[SNAPSHOT_NAME_BYTES];   /* as it was typed, until then */

	/* client.c */
	struct rfb_greeter greeter;
	struct rfb_client_parser parser;
	struct rfb_choice choice;
	uint8_t in[VIEWER_IN_BYTES];
	size_t in_at, in_end;
	struct screen_input input; /* that the link had no room for */
	bool input_waits;
	bool reading; /* there is room for what the viewer sends */
	uint64_t input_at_ms;
	uint64_t keys, bytes_in;

	/* records.c */
	struct frame frame;
	const struct screen_pixels *pixels; /* the source writes there */
	/* A copy of our own, so that what is checked is what is used. */
	struct screen_record records[SCREEN_BATCH];
	unsigned record_at, record_count;
	bool inside_update; /* tiles came, their end has not */
	bool ack_due, ack_late;
	uint32_t update_taken;

	/* update.c */
	struct rfb_encoder encoder;
	uint8_t out[VIEWER_OUT_BYTES];
	size_t out_at, out_end;
	struct frame_marks wanted; /* tiles that the client asked for */
	struct frame_marks going;  /* tiles of the update being sent */
	unsigned rects_left;       /* of it */
	struct pace pace;          /* of what is written */
	bool wants;                /* a request is open */
	bool size_due, cursor_due, colours_due;
	struct rfb_rect cursor; /* hot spot and size */
	uint32_t cursor_pixels[SCREEN_CURSOR_PX * SCREEN_CURSOR_PX];
	uint64_t updates;

	/* marking.c */
	struct watermark mark;
	bool watched;        /* an auditor looks on, and our user is to see that */
	struct frame marked; /* what is encoded next, where there is a mark */
	uint32_t marked_pixels[RFB_ENCODE_WIDTH_MAX * RFB_ENCODE_HEIGHT_MAX];

	struct recorder recorder;
	struct shadow shadow;
};

/* End the session: tell the source's half, stop the loop. */
void viewer_end(struct viewer *v, enum screen_end why, const char *detail, int32_t code);

/* TLS begins, behind the answer that is on its way out; with a browser, at once. */
void secure_begin(struct viewer *v);
/* The event about TLS: with a browser, once it is a session. */
void secure_tell(struct viewer *v);
/* The event about the begin of a session. */
void viewer_tell_start(struct viewer *v);
/* Go on with TLS's handshake. */
void secure_shake(struct viewer *v);
/* The greeter has a name and a password: have them judged. */
void secure_login(struct viewer *v);
/* From the supervisor: the judgement; the end of the session. */
int secure_on_verdict(struct channel *ch, void *ctx, const struct channel_message *message);
int secure_on_end(struct channel *ch, void *ctx, const struct channel_message *message);

/* The connection is ours from now on: greet, or set up TLS with a browser. */
void client_begin(struct viewer *v);
/* Say our version. */
void client_greet(struct viewer *v);
/* Poll the connection for what is to be read and written. */
void client_watch_peer(struct viewer *v);
/* Parse what is there, as long as the link takes it. */
void client_advance(struct viewer *v);
/* The size of the desktop is known: finish the handshake. */
void client_admit(struct viewer *v);
/* One record to the source; kept and sent later where the link is full. */
void client_send_input(struct viewer *v, const struct screen_input *input);

/*
 * peer.c: what the viewer sends and is sent, out of and into frames where it is a browser.
 * peer_read: as stream_read. peer_pending: octets that it would give although poll(2) may not tell.
 */
ssize_t peer_read(struct viewer *v, void *data, size_t size);
size_t peer_pending(const struct viewer *v);
/* Write what waits, as far as the connection takes it. */
void peer_flush(struct viewer *v);
bool peer_has_output(const struct viewer *v);
/* Forget frames that were passed on: they have what was typed, and the mask that undoes it. */
void peer_forget(struct viewer *v);
/* The end: a browser is told the reason, if it takes all within PEER_DRAIN_MS. */
void peer_close(struct viewer *v);

/*
 * page.c: copy the names for browsers out of the policy, which is not mapped any more then.
 * @snapshot_fd: borrowed. Return: 0, -ERR_NOT_FOUND without the entry, -ERR_NO_MEMORY past
 * PAGE_NAMES_MAX of names or of addresses, or errors of snapshot_load.
 */
int page_load(struct viewer *v, int snapshot_fd);
/* Answer a request, if a whole one is there. */
void page_serve(struct viewer *v);
/* Its time is over. */
void page_timeout(struct viewer *v);

/* Map the session's memory to read from. @fd: taken where this succeeds. Return: as shared_map. */
int records_map(struct viewer *v, int fd);
/* The frame has a new size: admit a viewer that waits for the first one, tell the others. */
void records_resized(struct viewer *v);
/* Copy a tile of the memory into the frame. @at: inside the frame and inside one tile */
void records_copy_tile(struct viewer *v, const struct rfb_rect *at);
/* Take records from the source, as long as the frame may change. */
void records_serve(struct viewer *v);
/* The source's half has hung up while its records had to wait: end with the reason that it gave. */
void records_last(struct viewer *v);
/*
 * Acknowledge an update once all that came of it is on its way to the client, or VIEWER_ACK_LATE_MS
 * later: so the desktop does not draw what nobody looks at, and a client that asks rarely gets a
 * screen that is not older than that.
 */
void records_acknowledge(struct viewer *v);

/* The session's watermark begins, if it has one; who looks is known. */
void marking_begin(struct viewer *v);
/* Draw it anew, minute by minute. */
void marking_renew(struct viewer *v);
/* How many auditors look on has changed: the picture has a red edge while there is one. */
void marking_watch(struct viewer *v, bool watched);
/* Encode a rectangle as the viewer is to see it. */
void marking_encode(struct viewer *v, const struct rfb_rect *rect, struct writer *w);

/* recorder.c; of no effect where the session is not recorded. What cannot be recorded ends the
 * session or the recording, as its entry says. */
void recorder_init(struct viewer *v);
/* Somebody is in, and the screen has a size. */
void recorder_begin(struct viewer *v);
/* What follows goes out now: a whole update, or as much of it as caps and the viewer let through.
 */
void recorder_update(struct viewer *v);
/* The viewer is told a new size; is shown a rectangle, which is as for rfb_encode_rect. */
void recorder_size(struct viewer *v);
void recorder_rect(struct viewer *v, const struct rfb_rect *rect);
/* Before what was recorded goes out to the viewer: write it. Return: whether it may go out. */
bool recorder_flush(struct viewer *v);
/* The session has ended: the last block, and the record in the log. */
void recorder_end(struct viewer *v);

/* Where the client wants something that it does not have: see that the next tick sends it. */
void update_consider(struct viewer *v);
/* The tick: the next update, or more of one that the cap on bytes has held up. */
void update_tick(struct viewer *v);
/* Write on what is on its way. */
void update_continue(struct viewer *v);
/* A writer behind what waits for the client; give it back to update_written. */
struct writer update_writer(struct viewer *v);
void update_written(struct viewer *v, const struct writer *w);
/* Whether an update is on its way: the frame must not change its size. */
bool update_going(const struct viewer *v);

#endif
