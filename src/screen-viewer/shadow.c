/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A shadow: the auditor's look at a session of somebody else. Its picture is read out of that
 * session's memory, tick by tick; to that session's two halves it has no way at all, and they do
 * not know of it (ADR 0710).
 */
#include <string.h>
#include <unistd.h>

#include "screen-viewer/viewer.h"

/* No record comes any more, and no input can leave. */
static void drop_link(struct viewer *v)
{
	loop_remove(&v->loop, &v->link);
	(void)close(v->link.fd); /* its source was never told of a desktop */
	v->link.fd = -1;
}

int shadow_become(struct viewer *v, int fd)
{
	int error = records_map(v, fd);

	if (error != 0)
		return error;
	drop_link(v);
	v->shadow.is_one = true;
	v->session.record_bytes_max = 0; /* what it shows is recorded where it is worked on */
	return 0;
}

static uint32_t word(const uint32_t *at)
{
	return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

/* Every tile that was drawn at all is read anew then, whenever that was. Return: false where the
 * session has ended by it. */
static bool take_size(struct viewer *v)
{
	const struct screen_shape *shape = &v->pixels->shape;
	uint32_t sizes = word(&shape->sizes), width = word(&shape->width);
	uint32_t height = word(&shape->height);

	if (sizes == v->shadow.sizes)
		return true;
	/* In the middle of a change the two may not belong together: the count is another one at
	 * the next tick then. */
	if (!screen_size_allowed(width, height) || frame_resize(&v->frame, width, height) != 0) {
		viewer_end(v, SCREEN_END_RECORD, "geometry", 0);
		return false;
	}
	v->shadow.sizes = sizes;
	memset(v->shadow.drawn, 0, sizeof(v->shadow.drawn));
	records_resized(v);
	return v->session.end == SCREEN_END_NONE_;
}

static void take_tiles(struct viewer *v)
{
	for (unsigned row = 0; row < frame_tile_rows(&v->frame); row++) {
		for (unsigned column = 0; column < frame_tile_columns(&v->frame); column++) {
			uint32_t drawn = word(&v->pixels->shape.drawn[row][column]);
			struct rfb_rect at = frame_tile_rect(&v->frame, column, row);

			if (drawn == v->shadow.drawn[row][column])
				continue;
			v->shadow.drawn[row][column] = drawn;
			records_copy_tile(v, &at);
		}
	}
}

static void look(struct viewer *v)
{
	loop_arm(&v->loop, &v->shadow.timer, v->session.frame_period_ms);
	/* While an update is on its way the frame keeps its size. */
	if (update_going(v) || !take_size(v))
		return;
	take_tiles(v);
	if (v->phase == VIEWER_RUNNING)
		update_consider(v);
}

static void look_due(struct loop *loop, struct loop_timer *self)
{
	look(self->ctx);
}

void shadow_begin(struct viewer *v)
{
	v->shadow.timer = (struct loop_timer){.fire = look_due, .ctx = v};
	look(v);
}

void shadow_take_key(struct viewer *v, bool down)
{
	if (down)
		session_drop(&v->session, SESSION_DROP_SHADOW_KEY, 0);
}
