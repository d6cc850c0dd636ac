/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTML of any bytes, by the tree and tag by tag: ends, stays within its memory, writes no tag that
 * was not text. */
#include <stdlib.h>

#include "wire/html_render.h"
#include "wire/html_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct html_policy policy = {.english = size & 1, .defang = size & 2};
	struct html_report report = {0};
	struct html_frame *frames = html_frames_new();
	struct html_render render;
	struct bytes out, hidden;

	bytes_init(&out, 64U << 20);
	bytes_init(&hidden, HTML_HIDDEN_BYTES + 8);
	if (frames == NULL ||
	    html_to_text((struct span){data, size}, &policy, &out, &hidden, &report) < 0)
		abort();
	bytes_clear(&out);
	html_render_init(&render, &policy, frames, &out, &hidden, &report);
	html_scan_walk((struct span){data, size}, &render);
	html_render_end(&render);
	if (render.err < 0 || render.frame_count != 0)
		abort();
	free(frames);
	bytes_fini(&out);
	bytes_fini(&hidden);
	return 0;
}
