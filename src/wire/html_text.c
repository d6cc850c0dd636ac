/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTML to text: guards, reads by tree where that is safe, else tag by tag. */
#include "wire/html_text.h"

#include <stdlib.h>

#include "base/err.h"
#include "wire/html_render.h"

int html_to_text(struct span in, const struct html_policy *policy, struct bytes *out,
		 struct bytes *hidden, struct html_report *report)
{
	struct html_frame *frames = html_frames_new();
	struct html_report before = *report;
	size_t out_before = out->size, hidden_before = hidden->size;
	struct html_render r;
	int err = -ERR_NO_MEMORY;

	if (frames == NULL)
		return err;
	html_render_init(&r, policy, frames, out, hidden, report);
	if (html_scan_guard(in))
		err = html_tree_walk(in, &r);
	if (err < 0) {
		/* Start again: a tree that was given up has written nothing or only a part. */
		*report = before;
		out->size = out_before;
		hidden->size = hidden_before;
		html_render_init(&r, policy, frames, out, hidden, report);
		html_scan_walk(in, &r);
	}
	html_render_end(&r);
	free(frames);
	return r.err;
}
