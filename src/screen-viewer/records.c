/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records in: every one from the source is copied, checked to the byte, and only then is the tile
 * that it names copied, row by row, into the frame.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "screen-viewer/viewer.h"

int records_map(struct viewer *v, int fd)
{
	void *memory;
	int error = shared_map(fd, sizeof(*v->pixels), SHARED_READ, &memory);

	if (error != 0)
		return error;
	v->pixels = memory;
	(void)close(fd); /* the mapping stays */
	return 0;
}

/* A message of the link. Return: its length, 0 at the end, or a negative error. */
static ssize_t receive_message(struct viewer *v, struct msghdr *message)
{
	ssize_t n = recvmsg(v->link.fd, message, MSG_DONTWAIT);

	if (n < 0 && errno == ECONNRESET) /* input was left unread; records come behind that */
		n = recvmsg(v->link.fd, message, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -ERR_AGAIN;
	return n < 0 ? -ERR_CLOSED : n;
}

/* The next records. 0, or a negative error where there are none. */
static int receive(struct viewer *v)
{
	struct iovec part = {v->records, sizeof(v->records)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t n = receive_message(v, &message);

	v->record_at = v->record_count = 0;
	if (n == -ERR_AGAIN)
		return -ERR_AGAIN;
	if (n <= 0) {
		viewer_end(v, SCREEN_END_OTHER_HALF, NULL, 0);
		return -ERR_CLOSED;
	}
	/* MSG_CTRUNC: a descriptor was sent along; the kernel has closed it. */
	if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
		v->record_count = (unsigned)screen_record_count((size_t)n);
	if (v->record_count == 0) {
		viewer_end(v, SCREEN_END_RECORD, "message", 0);
		return -ERR_PEER;
	}
	return 0;
}

void records_resized(struct viewer *v)
{
	memset(&v->wanted, 0, sizeof(v->wanted));
	if (v->phase == VIEWER_WAITING)
		client_admit(v);
	else if (!v->choice.desktop_size && !v->choice.extended_desktop_size)
		viewer_end(v, SCREEN_END_VIEWER_RESIZE, NULL, 0);
	else
		v->size_due = true;
}

static void take_geometry(struct viewer *v, const struct screen_record *r)
{
	if (v->phase < VIEWER_WAITING || frame_resize(&v->frame, r->w, r->h) != 0)
		viewer_end(v, SCREEN_END_RECORD, "geometry", 0);
	else
		records_resized(v);
}

/* Copied before the first look, by the compiler, too: a mapping's bytes may change between two. */
static void copy_mapped(uint32_t *to, const uint32_t *from, size_t count)
{
	memcpy(to, from, count * sizeof(*from));
	__asm__ volatile("" : : : "memory");
}

void records_copy_tile(struct viewer *v, const struct rfb_rect *at)
{
	const uint32_t *pixels = v->pixels->frame + (size_t)at->y * v->frame.width + at->x;

	/* copies each row before it looks; masks; marks what changed */
	(void)frame_replace(&v->frame, at, pixels, v->frame.width);
}

/* Drawn anew: a pixel is either opaque and 24 bits wide, or nothing. */
static void take_cursor(struct viewer *v, const struct screen_record *r)
{
	unsigned count = (unsigned)r->w * r->h;

	v->cursor = (struct rfb_rect){r->x, r->y, r->w, r->h};
	copy_mapped(v->cursor_pixels, v->pixels->cursor, count);
	for (unsigned i = 0; i < count; i++)
		v->cursor_pixels[i] |= v->cursor_pixels[i] == 0 ? 0 : ~FRAME_PIXEL_MASK;
	v->cursor_due = v->choice.cursor;
}

static void take_end(struct viewer *v, const struct screen_record *r)
{
	if (r->value != v->update_taken + 1) {
		viewer_end(v, SCREEN_END_RECORD, "update-number", 0);
		return;
	}
	v->update_taken = r->value;
	v->inside_update = false;
	v->ack_due = true;
	update_consider(v);
	if (v->session.end == SCREEN_END_NONE_)
		records_acknowledge(v);
}

static void take(struct viewer *v, const struct screen_record *r)
{
	struct rfb_rect at = {r->x, r->y, r->w, r->h};

	v->inside_update = true;
	switch (r->kind) {
	case SCREEN_GEOMETRY:
		take_geometry(v, r);
		break;
	case SCREEN_SOLID:
		(void)frame_replace_solid(&v->frame, &at, r->value); /* marks what changed */
		break;
	case SCREEN_PIXELS:
		records_copy_tile(v, &at);
		break;
	case SCREEN_CURSOR:
		take_cursor(v, r);
		break;
	case SCREEN_UPDATE_END:
		take_end(v, r);
		break;
	default: /* SCREEN_ENDED, by screen_record_check */
		viewer_end(v,
			   r->value == SCREEN_END_NONE_ ? SCREEN_END_OTHER_HALF
							: (enum screen_end)r->value,
			   NULL, 0);
		break;
	}
}

static bool allowed(const struct viewer *v, const struct screen_record *r)
{
	return screen_record_check(r, v->frame.width, v->frame.height);
}

/* The frame keeps its size while rectangles of that size are on their way. */
static bool must_wait(const struct viewer *v)
{
	return v->records[v->record_at].kind == SCREEN_GEOMETRY && update_going(v);
}

static void take_batch(struct viewer *v)
{
	while (v->session.end == SCREEN_END_NONE_ && v->record_at < v->record_count) {
		if (!allowed(v, &v->records[v->record_at])) {
			viewer_end(v, SCREEN_END_RECORD, "tile", v->records[v->record_at].kind);
			return;
		}
		if (must_wait(v)) {
			v->link.events &= (short)~POLLIN;
			return;
		}
		take(v, &v->records[v->record_at++]);
	}
	v->link.events |= POLLIN;
}

void records_serve(struct viewer *v)
{
	if (v->shadow.is_one)
		return; /* it has no link */
	if (v->record_at < v->record_count)
		take_batch(v);
	for (unsigned i = 0; i < VIEWER_BATCHES; i++) {
		if (v->session.end != SCREEN_END_NONE_ || v->record_at < v->record_count ||
		    receive(v) != 0)
			break;
		take_batch(v);
	}
}

void records_last(struct viewer *v)
{
	do {
		for (; v->record_at < v->record_count; v->record_at++) {
			if (v->records[v->record_at].kind == SCREEN_ENDED &&
			    allowed(v, &v->records[v->record_at]))
				take(v, &v->records[v->record_at]);
		}
	} while (v->session.end == SCREEN_END_NONE_ && receive(v) == 0);
	viewer_end(v, SCREEN_END_OTHER_HALF, NULL, 0); /* unless a reason was found */
}

void records_acknowledge(struct viewer *v)
{
	struct screen_input input = {.kind = SCREEN_ACK, .value = v->update_taken};

	if (!v->ack_due || v->input_waits)
		return;
	if (frame_any_dirty(&v->frame) && !v->ack_late) {
		if (!loop_armed(&v->ack_timer))
			loop_arm(&v->loop, &v->ack_timer, VIEWER_ACK_LATE_MS);
		return;
	}
	v->ack_due = v->ack_late = false;
	loop_disarm(&v->loop, &v->ack_timer);
	client_send_input(v, &input);
}
