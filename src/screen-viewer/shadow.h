/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An auditor's look at the session of somebody else: see shadow.c. */
#ifndef SEKISHO_SCREEN_VIEWER_SHADOW_H
#define SEKISHO_SCREEN_VIEWER_SHADOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "channel/screen.h"

struct viewer;

/* What a shadow has read of the session that it looks at. */
struct shadow {
	bool is_one;
	uint32_t sizes; /* as in struct screen_shape */
	uint32_t drawn[SCREEN_TILE_ROWS][SCREEN_TILE_COLUMNS];
	struct loop_timer timer; /* of the next look */
};

/**
 * shadow_become - from now on a look at the session whose memory this is
 * The link to a source of our own is closed; nothing that is typed can leave.
 * @fd: taken where this succeeds
 * Return: as shared_map.
 */
int shadow_become(struct viewer *v, int fd);
/* The viewer's handshake is done: read the picture, and go on tick by tick. */
void shadow_begin(struct viewer *v);
/* A key that has nowhere to go. */
void shadow_take_key(struct viewer *v, bool down);

#endif
