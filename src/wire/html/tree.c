/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading HTML through gumbo's tree. All of its memory comes from one arena, which bounds it and
 * makes it quick to drop. */
#include <gumbo.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/html/render.h"

enum { ARENA_BLOCK = 1 << 20, ARENA_CLASSES = 24, ATTRS_SHOWN = 32 };

/* What gumbo frees goes to the list of its size class and is given out again. */
struct arena_free {
	struct arena_free *next;
};

struct arena_block {
	struct arena_block *next;
};

struct arena {
	struct arena_block *blocks;
	uint8_t *at;
	size_t left;
	size_t taken; /* bytes of all blocks */
	struct arena_free *lists[ARENA_CLASSES];
	jmp_buf full; /* where to go on when the limit is met: gumbo does not look at what it gets
		       */
};

/* The size class: a power of two from 16 bytes on, kept in a word before the memory. */
static unsigned class_of(size_t size)
{
	unsigned class = 4;

	while (((size_t)1 << class) < size && class < 40)
		class ++;
	return class;
}

static void arena_grow(struct arena *arena, size_t need)
{
	size_t size = need + sizeof(struct arena_block) + 16 > ARENA_BLOCK
			      ? need + sizeof(struct arena_block) + 16
			      : ARENA_BLOCK;
	struct arena_block *block;

	if (size > HTML_ARENA_BYTES || arena->taken > HTML_ARENA_BYTES - size)
		longjmp(arena->full, 1);
	block = malloc(size);
	if (block == NULL)
		longjmp(arena->full, 1);
	block->next = arena->blocks;
	arena->blocks = block;
	arena->taken += size;
	arena->at = (uint8_t *)block + 16;
	arena->left = size - 16;
}

static void *arena_take(void *ctx, size_t size)
{
	struct arena *arena = ctx;
	unsigned class = class_of(size);
	size_t need = ((size_t)1 << class) + 16;
	uint8_t *memory;

	if (class < ARENA_CLASSES && arena->lists[class] != NULL) {
		memory = (uint8_t *)arena->lists[class];
		arena->lists[class] = arena->lists[class]->next;
		return memory;
	}
	if (need > arena->left)
		arena_grow(arena, need);
	memory = arena->at;
	arena->at += need;
	arena->left -= need;
	*(size_t *)(void *)memory = class;
	return memory + 16;
}

static void arena_give(void *ctx, void *memory)
{
	struct arena *arena = ctx;
	struct arena_free *item = memory;
	size_t class;

	if (memory == NULL)
		return;
	class = *(size_t *)(void *)((uint8_t *)memory - 16);
	if (class >= ARENA_CLASSES)
		return;
	item->next = arena->lists[class];
	arena->lists[class] = item;
}

static void arena_fini(struct arena *arena)
{
	while (arena->blocks != NULL) {
		struct arena_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
}

static struct span span_of_tag(const GumboElement *element)
{
	GumboStringPiece name = element->original_tag;

	if (element->tag != GUMBO_TAG_UNKNOWN)
		return span_of(gumbo_normalized_tagname(element->tag));
	gumbo_tag_from_original_text(&name);
	return (struct span){(const uint8_t *)name.data, name.length};
}

static void open_element(struct html_render *r, const GumboElement *element, bool *is_void)
{
	struct html_attr attrs[ATTRS_SHOWN];
	struct html_element out = {.tag = HTML_OTHER, .attrs = attrs};
	struct span name = span_of_tag(element);

	*is_void = false;
	out.name = name;
	if (name.size > 0)
		out.tag = html_tag_of(name, is_void);
	out.is_void = *is_void;
	for (unsigned i = 0; i < element->attributes.length && out.attr_count < ATTRS_SHOWN; i++) {
		const GumboAttribute *attr = element->attributes.data[i];

		attrs[out.attr_count++] =
			(struct html_attr){span_of(attr->name), span_of(attr->value)};
	}
	html_render_open(r, &out);
}

/* A node that is entered. Return: whether it must be left, too. */
static bool enter(struct html_render *r, const GumboNode *node)
{
	bool is_void = true;

	switch (node->type) {
	case GUMBO_NODE_TEXT:
	case GUMBO_NODE_CDATA:
	case GUMBO_NODE_WHITESPACE:
		html_render_text(r, span_of(node->v.text.text));
		return false;
	case GUMBO_NODE_ELEMENT:
	case GUMBO_NODE_TEMPLATE:
		open_element(r, &node->v.element, &is_void);
		return !is_void;
	default:
		return false;
	}
}

static const GumboVector *children_of(const GumboNode *node)
{
	static const GumboVector none;

	if (node->type == GUMBO_NODE_DOCUMENT)
		return &node->v.document.children;
	if (node->type == GUMBO_NODE_ELEMENT || node->type == GUMBO_NODE_TEMPLATE)
		return &node->v.element.children;
	return &none;
}

/* In document order, by the nodes' own links: no stack. */
static void walk(struct html_render *r, const GumboNode *root)
{
	const GumboNode *node = root;

	while (r->err == 0) {
		bool left = node == root ? true : enter(r, node);
		const GumboVector *children = children_of(node);

		if (children->length > 0 && left) {
			node = children->data[0];
			continue;
		}
		/* Leave it, and all whose last child it is. */
		for (;; left = true) {
			const GumboVector *siblings;

			if (node == root)
				return;
			if (left)
				html_render_close(r);
			siblings = children_of(node->parent);
			if (node->index_within_parent + 1 < siblings->length) {
				node = siblings->data[node->index_within_parent + 1];
				break;
			}
			node = node->parent;
		}
	}
}

int html_tree_walk(struct span in, struct html_render *r)
{
	struct arena *arena = calloc(1, sizeof(*arena));
	GumboOptions options = kGumboDefaultOptions;

	if (arena == NULL)
		return -ERR_NO_MEMORY;
	options.allocator = arena_take;
	options.deallocator = arena_give;
	options.userdata = arena;
	options.max_errors = 0;
	if (setjmp(arena->full) != 0) {
		arena_fini(arena);
		free(arena);
		return -ERR_NO_MEMORY;
	}
	walk(r, gumbo_parse_with_options(&options, (const char *)in.data, in.size)->document);
	arena_fini(arena);
	free(arena);
	return 0;
}
