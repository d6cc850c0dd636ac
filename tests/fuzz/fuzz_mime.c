/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part tree of any message: every part lies within the message or an owned buffer, links are
 * sound, walks end. */
#include <stdlib.h>

#include "wire/mime/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mime_tree tree;
	uint32_t seen = 0;

	if (mime_tree_parse(&tree, (struct span){data, size}, 1U << 20) < 0)
		abort();
	for (uint32_t at = 0; at != MIME_NONE; at = mime_tree_next(&tree, at, true, NULL, NULL)) {
		const struct mime_part *part = &tree.parts[at];
		volatile uint8_t touched = 0;

		for (size_t i = 0; i < part->body.size; i++)
			touched ^= part->body.data[i];
		if (++seen > tree.count || part->depth > MIME_DEPTH_MAX + 1)
			abort();
	}
	if (seen != tree.count || tree.count > MIME_PARTS_MAX + 1)
		abort();
	mime_tree_fini(&tree);
	return 0;
}
