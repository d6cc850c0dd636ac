/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTML of any bytes, in each of the ways of reading: ends, stays within its memory; where two ways
 * must agree, they do. */
#include <stdlib.h>
#include <string.h>

#include "wire/html/render.h"
#include "wire/html/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One way of reading. Return: whether it gave up. What it wrote is in @out and @hidden. */
static bool read_by(int (*walk)(struct span in, struct html_render *r), struct span in,
		    struct html_room *room, struct bytes *out, struct bytes *hidden,
		    struct html_report *report)
{
	struct html_policy policy = {.english = in.size & 1, .defang = in.size & 2};
	struct html_render render;

	*report = (struct html_report){0};
	bytes_clear(out);
	bytes_clear(hidden);
	html_render_init(&render, &policy, room, in, out, hidden, report);
	if (walk(in, &render) < 0)
		return true;
	html_render_end(&render);
	if (render.err < 0 || render.frame_count != 0)
		abort();
	return false;
}

static int scan(struct span in, struct html_render *r)
{
	html_scan_walk(in, r);
	return 0;
}

/* Where the tags nest, the tree says the same. */
static void compare(struct span in, struct html_room *room)
{
	struct html_report by_nest, by_tree;
	struct bytes out[2], hidden[2];

	for (int i = 0; i < 2; i++) {
		bytes_init(&out[i], 64U << 20);
		bytes_init(&hidden[i], HTML_HIDDEN_BYTES + 8);
	}
	if (html_scan_guard(in) &&
	    !read_by(html_nest_walk, in, room, &out[0], &hidden[0], &by_nest) &&
	    !read_by(html_tree_walk, in, room, &out[1], &hidden[1], &by_tree) &&
	    (!span_equal(bytes_span(&out[0]), bytes_span(&out[1])) ||
	     !span_equal(bytes_span(&hidden[0]), bytes_span(&hidden[1])) ||
	     memcmp(&by_nest, &by_tree, sizeof(by_nest)) != 0))
		abort();
	for (int i = 0; i < 2; i++) {
		bytes_fini(&out[i]);
		bytes_fini(&hidden[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct html_policy policy = {.english = size & 1, .defang = size & 2};
	struct html_room *room = html_room_new();
	struct html_report report = {0};
	struct span in = {data, size};
	struct bytes out, hidden;

	bytes_init(&out, 64U << 20);
	bytes_init(&hidden, HTML_HIDDEN_BYTES + 8);
	if (room == NULL || html_to_text(in, &policy, &out, &hidden, &report) < 0 ||
	    read_by(scan, in, room, &out, &hidden, &report))
		abort();
	compare(in, room);
	bytes_clear(&out);
	if (html_words(in, &out) < 0 || out.size > in.size)
		abort();
	free(room);
	bytes_fini(&out);
	bytes_fini(&hidden);
	return 0;
}
