/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTML to text: by its tags where they nest, by tree where that is safe, else tag by tag. */
#include "wire/html/text.h"

#include <stdlib.h>

#include "base/err.h"
#include "wire/html/render.h"

static int read_by_tree(struct span in, struct html_render *r)
{
	return html_scan_guard(in) ? html_tree_walk(in, r) : -ERR_TOO_LONG;
}

static int read_by_tags(struct span in, struct html_render *r)
{
	html_scan_walk(in, r);
	return 0;
}

int html_to_text(struct span in, const struct html_policy *policy, struct bytes *out,
		 struct bytes *hidden, struct html_report *report)
{
	static int (*const readers[])(struct span in, struct html_render *r) = {
		html_nest_walk, read_by_tree, read_by_tags};
	struct html_room *room = html_room_new();
	struct html_report before = *report;
	size_t out_before = out->size, hidden_before = hidden->size;
	struct html_render r;
	int err = -ERR_NO_MEMORY;

	if (room == NULL)
		return err;
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]) && err < 0; i++) {
		/* Begin anew: a reader that gave up has written nothing or only a part. */
		*report = before;
		out->size = out_before;
		hidden->size = hidden_before;
		html_render_init(&r, policy, room, in, out, hidden, report);
		err = readers[i](in, &r);
	}
	html_render_end(&r);
	report->style_steps = html_render_steps(&r);
	free(room);
	return r.err;
}
