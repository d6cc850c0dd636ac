/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The watermark of this session: what it says, when it changes, and that it is over what goes out.
 */
#include <arpa/inet.h>

#include "base/clock.h"
#include "screen-viewer/viewer.h"

enum { MINUTE_S = 60 };

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

void marking_encode(struct viewer *v, const struct rfb_rect *rect, struct writer *w)
{
	struct rfb_rect whole = {0, 0, rect->w, rect->h};

	if (v->mark.strength == 0) {
		rfb_encode_rect(&v->encoder, &v->frame, rect, v->choice.pixels, w);
		return;
	}
	watermark_apply(&v->mark, &v->frame, rect, &v->marked);
	rfb_encode_rect_at(&v->encoder, &v->marked, &whole, rect, v->choice.pixels, w);
}
