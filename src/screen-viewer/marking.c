/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is drawn over what goes out: the watermark of this session, what it says and when it
 * changes; and a red edge while an auditor looks on, where the policy wants that to be seen. */
#include <arpa/inet.h>

#include "base/clock.h"
#include "screen-viewer/viewer.h"

enum { MINUTE_S = 60, EDGE_PX = 4, EDGE_COLOUR = 0xd01020 };

/* The user; where nobody was asked for a name, the address of the viewer. */
static void draw(struct viewer *v, int64_t wall_s)
{
	const struct control_start *start = &v->start;
	char address[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(start->peer_family == 6 ? AF_INET6 : AF_INET, start->peer_addr, address,
			sizeof(address)); /* room for every address */
	watermark_draw(&v->mark, v->session.user[0] != '\0' ? v->session.user : address,
		       v->session.gateway, wall_s + v->session.utc_offset_s);
}

/* Draw the time that it is, and come back with the next minute. */
static void draw_now(struct viewer *v)
{
	int64_t wall_ms = clock_wall_ns(v->loop.clock) / 1000000;

	draw(v, wall_ms / 1000);
	loop_arm(&v->loop, &v->mark_timer, MINUTE_S * 1000 - (uint64_t)wall_ms % (MINUTE_S * 1000));
}

void marking_begin(struct viewer *v)
{
	v->mark.strength = v->session.watermark;
	frame_init(&v->marked, v->marked_pixels,
		   sizeof(v->marked_pixels) / sizeof(v->marked_pixels[0]));
	if (v->mark.strength > 0)
		draw_now(v);
}

void marking_renew(struct viewer *v)
{
	struct watermark before = v->mark;

	draw_now(v);
	watermark_changed(&before, &v->mark, &v->frame);
	update_consider(v);
}

void marking_watch(struct viewer *v, bool watched)
{
	const struct rfb_rect all = {0, 0, v->frame.width, v->frame.height};

	if (v->watched == watched)
		return;
	v->watched = watched;
	frame_mark(&v->frame, &v->frame.dirty, &all);
	update_consider(v);
}

static bool on_edge(unsigned at, unsigned size)
{
	return at < EDGE_PX || at + EDGE_PX >= size;
}

/* As much of the picture's edge as is in this part of it. */
static void draw_edge(struct viewer *v, const struct rfb_rect *rect)
{
	for (unsigned y = 0; y < rect->h; y++) {
		bool whole = on_edge(rect->y + y, v->frame.height);

		for (unsigned x = 0; x < rect->w; x++) {
			if (whole || on_edge(rect->x + x, v->frame.width))
				*frame_at(&v->marked, x, y) = EDGE_COLOUR;
		}
	}
}

void marking_encode(struct viewer *v, const struct rfb_rect *rect, struct writer *w)
{
	struct rfb_rect whole = {0, 0, rect->w, rect->h};

	if (v->mark.strength == 0 && !v->watched) {
		rfb_encode_rect(&v->encoder, &v->frame, rect, v->choice.pixels, w);
		return;
	}
	watermark_apply(&v->mark, &v->frame, rect, &v->marked); /* without one it is a copy */
	if (v->watched)
		draw_edge(v, rect);
	rfb_encode_rect_at(&v->encoder, &v->marked, &whole, rect, v->choice.pixels, w);
}
