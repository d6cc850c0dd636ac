/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records in: every one from the source is copied, checked to the byte, and only then drawn into
 * the frame.
 */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "screen-viewer/viewer.h"

/* As many as wait, at most VIEWER_BATCH. 0, or a negative error where there is none. */
static int receive(struct viewer *v)
{
	struct mmsghdr messages[VIEWER_BATCH];
	struct iovec parts[VIEWER_BATCH];
	int count;

	for (unsigned i = 0; i < VIEWER_BATCH; i++) {
		parts[i] = (struct iovec){&v->records[i], sizeof(v->records[i])};
		messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
	}
	v->record_at = v->record_count = 0;
	count = recvmmsg(v->link.fd, messages, VIEWER_BATCH, MSG_DONTWAIT, NULL);
	if (count < 0 && errno == ECONNRESET) /* input was left unread; records come behind that */
		count = recvmmsg(v->link.fd, messages, VIEWER_BATCH, MSG_DONTWAIT, NULL);
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return -ERR_AGAIN;
	for (int i = 0; i < count && messages[i].msg_len > 0; i++) {
		v->record_bytes[i] = messages[i].msg_len;
		v->record_flags[i] = messages[i].msg_hdr.msg_flags;
		v->record_count++;
	}
	/* The end of the link comes as messages without a byte, perhaps behind others. */
	if (v->record_count == 0) {
		viewer_end(v, SCREEN_END_OTHER_HALF, NULL, 0);
		return -ERR_CLOSED;
	}
	return 0;
}

static void take_geometry(struct viewer *v, const struct viewer_record *r)
{
	if (v->phase < VIEWER_WAITING || frame_resize(&v->frame, r->head.w, r->head.h) != 0) {
		viewer_end(v, SCREEN_END_RECORD, "geometry", 0);
		return;
	}
	memset(&v->wanted, 0, sizeof(v->wanted));
	if (v->phase == VIEWER_WAITING)
		client_admit(v);
	else if (!v->choice.desktop_size && !v->choice.extended_desktop_size)
		viewer_end(v, SCREEN_END_VIEWER_RESIZE, NULL, 0);
	else
		v->size_due = true;
}

/* Drawn anew: a pixel is either opaque and 24 bits wide, or nothing. */
static void take_cursor(struct viewer *v, const struct viewer_record *r)
{
	v->cursor = (struct rfb_rect){r->head.x, r->head.y, r->head.w, r->head.h};
	for (unsigned i = 0; i < (unsigned)r->head.w * r->head.h; i++)
		v->cursor_pixels[i] = r->pixels[i] == 0 ? 0 : r->pixels[i] | ~FRAME_PIXEL_MASK;
	v->cursor_due = v->choice.cursor;
}

static void take_end(struct viewer *v, const struct viewer_record *r)
{
	if (r->head.value != v->update_taken + 1) {
		viewer_end(v, SCREEN_END_RECORD, "update-number", 0);
		return;
	}
	v->update_taken = r->head.value;
	v->inside_update = false;
	v->ack_due = true;
	update_consider(v);
	if (v->session.end == SCREEN_END_NONE_)
		records_acknowledge(v);
}

static void take(struct viewer *v, const struct viewer_record *r)
{
	struct rfb_rect at = {r->head.x, r->head.y, r->head.w, r->head.h};

	v->inside_update = true;
	switch (r->head.kind) {
	case SCREEN_GEOMETRY:
		take_geometry(v, r);
		break;
	case SCREEN_SOLID:
		(void)frame_replace_solid(&v->frame, &at, r->head.value); /* marks what changed */
		break;
	case SCREEN_PIXELS:
		(void)frame_replace(&v->frame, &at, r->pixels);
		break;
	case SCREEN_CURSOR:
		take_cursor(v, r);
		break;
	case SCREEN_UPDATE_END:
		take_end(v, r);
		break;
	default: /* SCREEN_ENDED, by screen_record_check */
		viewer_end(v,
			   r->head.value == SCREEN_END_NONE_ ? SCREEN_END_OTHER_HALF
							     : (enum screen_end)r->head.value,
			   NULL, 0);
		break;
	}
}

static bool allowed(const struct viewer *v, unsigned i)
{
	/* MSG_CTRUNC: a descriptor was sent along; the kernel has closed it. */
	return (v->record_flags[i] & (MSG_TRUNC | MSG_CTRUNC)) == 0 &&
	       screen_record_check(&v->records[i].head, v->record_bytes[i], v->frame.width,
				   v->frame.height);
}

/* The frame keeps its size while rectangles of that size are on their way. */
static bool must_wait(const struct viewer *v)
{
	return v->records[v->record_at].head.kind == SCREEN_GEOMETRY && update_going(v);
}

static void take_batch(struct viewer *v)
{
	while (v->session.end == SCREEN_END_NONE_ && v->record_at < v->record_count) {
		if (!allowed(v, v->record_at)) {
			viewer_end(v, SCREEN_END_RECORD, "tile",
				   v->records[v->record_at].head.kind);
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
			if (v->records[v->record_at].head.kind == SCREEN_ENDED &&
			    allowed(v, v->record_at))
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
