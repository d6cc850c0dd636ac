/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records of a screen session, for every record, length and screen: what is allowed is exactly
 * what channel/screen.h says in words, and what is allowed is safe to use: a tile lies inside the
 * frame, its pixels inside the message.
 */
#include "prove.h"

#include "channel/screen.h"
#include "wire/rfb/keys.h"

static bool zero4(const struct screen_record *r)
{
	return (r->x | r->y | r->w | r->h) == 0;
}

/* Every pixel of the rectangle is on the screen, and all of them in one square of the grid. */
static bool one_tile(const struct screen_record *r, uint32_t width, uint32_t height)
{
	if (r->w == 0 || r->h == 0)
		return false;
	return r->x % 64 + r->w <= 64 && r->y % 64 + r->h <= 64 && r->x + r->w <= width &&
	       r->y + r->h <= height;
}

static bool wanted_record(const struct screen_record *r, uint32_t width, uint32_t height)
{
	if (r->zero != 0)
		return false;
	if (r->kind == SCREEN_GEOMETRY)
		return (r->x | r->y) == 0 && r->value == 0 && 0 < r->w && r->w < 4097 && 0 < r->h &&
		       r->h < 2305;
	if (r->kind == SCREEN_SOLID)
		return one_tile(r, width, height);
	if (r->kind == SCREEN_PIXELS)
		return r->value == 0 && one_tile(r, width, height);
	if (r->kind == SCREEN_CURSOR) /* the hot spot is a pixel of it; of nothing, it is at 0 */
		return r->value == 0 && r->w < 129 && r->h < 129 &&
		       (r->w == 0 ? r->x == 0 : r->x < r->w) &&
		       (r->h == 0 ? r->y == 0 : r->y < r->h);
	if (r->kind == SCREEN_UPDATE_END)
		return zero4(r) && width > 0;
	return r->kind == SCREEN_ENDED && zero4(r) && r->value <= SCREEN_END_INTERNAL;
}

void prove_record(void)
{
	struct screen_record r;
	uint32_t width = nondet_u32(), height = nondet_u32();
	bool allowed;

	__CPROVER_havoc_object(&r);
	suppose((width == 0 && height == 0) || screen_size_allowed(width, height));
	allowed = screen_record_check(&r, width, height);
	assert(allowed == wanted_record(&r, width, height));
	if (!allowed)
		return;
	if (r.kind == SCREEN_PIXELS)
		REACHED(1);
	if (r.kind == SCREEN_CURSOR)
		REACHED(2);
	/* What the viewer does with it then: no pixel outside the shared memory or the frame, and a
	 * cursor that its buffer of 128 x 128 has room for. */
	if (r.kind == SCREEN_CURSOR)
		assert((uint64_t)r.w * r.h * 4 <= sizeof(((struct screen_pixels *)0)->cursor) &&
		       r.w * r.h <= 128 * 128);
	if (r.kind == SCREEN_SOLID || r.kind == SCREEN_PIXELS)
		assert(((uint64_t)(r.y + r.h - 1) * width + r.x + r.w) * 4 <=
		       sizeof(((struct screen_pixels *)0)->frame));
}

/* A message's records are inside it, and inside the reader's memory for SCREEN_BATCH of them. */
void prove_count(void)
{
	size_t bytes = nondet_size(), count = screen_record_count(bytes);

	assert(count <= 64);
	assert((count > 0) == (bytes >= 16 && bytes <= 1024 && (bytes & 15) == 0));
	if (count == 0)
		return;
	REACHED(1);
	assert(count * sizeof(struct screen_record) == bytes);
}

/* The allow list is a function of the keysym alone; the proof holds for any such list. */
static uint32_t listed;

static bool any_list(uint32_t keysym)
{
	return keysym == listed;
}

static bool wanted_input(const struct screen_input *i, size_t bytes, bool running)
{
	bool quiet = (i->x | i->y) == 0 && i->flags == 0;

	if (bytes != 12 || i->zero != 0)
		return false;
	if (i->kind == SCREEN_START)
		return quiet && i->value == 0;
	if (i->kind == SCREEN_ACK)
		return quiet && running;
	if (i->kind == SCREEN_KEY)
		return running && (i->x | i->y) == 0 && i->flags < 2 && i->value == listed;
	if (i->kind == SCREEN_POINTER)
		return running && i->value == 0 && i->x < 4096 && i->y < 2304;
	return i->kind == SCREEN_INPUT_ENDED && quiet && i->value <= SCREEN_END_INTERNAL;
}

void prove_input(void)
{
	struct screen_input i;
	size_t bytes = nondet_size();
	bool running = nondet_bool(), allowed;

	__CPROVER_havoc_object(&i);
	listed = nondet_u32();
	allowed = screen_input_check(&i, bytes, any_list, running);
	assert(allowed == wanted_input(&i, bytes, running));
	if (allowed && i.kind == SCREEN_KEY)
		REACHED(1);
	assert(screen_end_name(i.value) != NULL);
}
