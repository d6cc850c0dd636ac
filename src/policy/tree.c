/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree: nodes on the heap, found through one hash table. All walks are iterative. */
#include "policy/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define BUCKETS_FIRST 64

int tree_init(struct tree *tree)
{
	*tree = (struct tree){.bucket_count = BUCKETS_FIRST};
	tree->root = calloc(1, sizeof(*tree->root));
	tree->buckets = calloc(BUCKETS_FIRST, sizeof(*tree->buckets));
	if (tree->root == NULL || tree->buckets == NULL) {
		tree_fini(tree);
		return -ERR_NO_MEMORY;
	}
	tree->root->at = (struct position){1, 1};
	return 0;
}

void tree_fini(struct tree *tree)
{
	if (tree->root != NULL && tree->buckets != NULL)
		tree_clear(tree, tree->root);
	free(tree->root);
	free(tree->buckets);
	*tree = (struct tree){0};
}

/* Leaves, flags and blocks are there once: their values are no part of the key. */
static bool values_are_key(enum schema_id row)
{
	return schema_row(row)->kind == SCHEMA_ENTRY || schema_row(row)->kind == SCHEMA_LIST;
}

/* FNV-1a; what collides on purpose only slows its author's own console, TREE_NODES_MAX bounds by
 * how much. */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t size_bytes)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < size_bytes; i++)
		hash = (hash ^ p[i]) * 0x100000001b3ULL;
	return hash;
}

static uint64_t hash_key(const struct tree_node *parent, enum schema_id row,
			 const struct tree_values *values)
{
	uint64_t hash = hash_bytes(0xcbf29ce484222325ULL, &parent, sizeof(parent));

	hash = hash_bytes(hash, &row, sizeof(row));
	return values_are_key(row) ? hash_bytes(hash, values->text, values->text_bytes) : hash;
}

struct tree_node *tree_find(const struct tree *tree, const struct tree_node *parent,
			    enum schema_id row, const struct tree_values *values)
{
	uint64_t hash = hash_key(parent, row, values);
	struct tree_node *n = tree->buckets[hash % tree->bucket_count];

	for (; n != NULL; n = n->hash_next) {
		if (n->hash != hash || n->parent != parent || n->row != row)
			continue;
		if (!values_are_key(row) || (n->text_bytes == values->text_bytes &&
					     memcmp(n->text, values->text, n->text_bytes) == 0))
			return n;
	}
	return NULL;
}

/* Keep chains short; without memory the table stays as it is, only slower. */
static void grow_buckets(struct tree *tree)
{
	size_t count = tree->bucket_count * 4;
	struct tree_node **buckets = calloc(count, sizeof(*buckets));

	if (buckets == NULL)
		return;
	for (size_t i = 0; i < tree->bucket_count; i++) {
		for (struct tree_node *n = tree->buckets[i], *next; n != NULL; n = next) {
			next = n->hash_next;
			n->hash_next = buckets[n->hash % count];
			buckets[n->hash % count] = n;
		}
	}
	free(tree->buckets);
	tree->buckets = buckets;
	tree->bucket_count = count;
}

static void link_last(struct tree_node *parent, struct tree_node *node)
{
	node->parent = parent;
	node->prev = parent->last;
	node->next = NULL;
	if (parent->last != NULL)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
}

int tree_add(struct tree *tree, struct tree_node *parent, enum schema_id row,
	     const struct tree_values *values, struct position at, struct tree_node **out)
{
	struct tree_node *node;
	size_t slot;

	if (tree->node_count >= TREE_NODES_MAX)
		return -ERR_NO_SPACE;
	if (tree->node_count >= 2 * tree->bucket_count)
		grow_buckets(tree);
	node = calloc(1, sizeof(*node) + values->text_bytes);
	if (node == NULL)
		return -ERR_NO_MEMORY;
	node->row = (uint16_t)row;
	node->at = at;
	node->value_count = values->count;
	node->text_bytes = values->text_bytes;
	if (values->text_bytes > 0)
		memcpy(node->text, values->text, values->text_bytes);
	node->hash = hash_key(parent, row, values);
	slot = node->hash % tree->bucket_count;
	node->hash_next = tree->buckets[slot];
	tree->buckets[slot] = node;
	link_last(parent, node);
	tree->node_count++;
	*out = node;
	return 0;
}

static void unlink_node(struct tree_node *node)
{
	if (node->prev != NULL)
		node->prev->next = node->next;
	else
		node->parent->first = node->next;
	if (node->next != NULL)
		node->next->prev = node->prev;
	else
		node->parent->last = node->prev;
}

static void free_node(struct tree *tree, struct tree_node *node)
{
	struct tree_node **link = &tree->buckets[node->hash % tree->bucket_count];

	while (*link != node)
		link = &(*link)->hash_next;
	*link = node->hash_next;
	unlink_node(node);
	free(node);
	tree->node_count--;
}

void tree_clear(struct tree *tree, struct tree_node *node)
{
	struct tree_node *n = node, *parent;

	while (node->first != NULL) {
		while (n->first != NULL)
			n = n->first;
		parent = n->parent;
		free_node(tree, n);
		n = parent;
	}
}

void tree_remove(struct tree *tree, struct tree_node *node)
{
	tree_clear(tree, node);
	free_node(tree, node);
}

/* Canonical order: as the schema has it; among the same, by value with numbers as numbers, unless
 * order has a meaning. */
static int compare_nodes(const struct tree_node *a, const struct tree_node *b)
{
	if (a->row != b->row)
		return a->row < b->row ? -1 : 1;
	if ((schema_row(a->row)->flags & SCHEMA_ORDERED) != 0)
		return 0;
	for (unsigned i = 0; i < a->value_count && i < b->value_count; i++) {
		int order = strverscmp(tree_value(a, i), tree_value(b, i));

		if (order != 0)
			return order;
	}
	return 0;
}

/* Merge two chains linked by ->next; equal ones keep their order. */
static struct tree_node *merge_chains(struct tree_node *a, struct tree_node *b)
{
	struct tree_node *first = NULL, **tail = &first;

	while (a != NULL && b != NULL) {
		struct tree_node **from = compare_nodes(b, a) < 0 ? &b : &a;

		*tail = *from;
		tail = &(*from)->next;
		*from = (*from)->next;
	}
	*tail = a != NULL ? a : b;
	return first;
}

void tree_sort(struct tree_node *node)
{
	struct tree_node *runs[32] = {NULL}; /* runs[i] holds 2^i nodes or none */
	struct tree_node *chain = NULL, *prev = NULL;

	for (struct tree_node *n = node->first, *next; n != NULL; n = next) {
		size_t i = 0;

		next = n->next;
		n->next = NULL;
		for (chain = n; runs[i] != NULL; i++) {
			chain = merge_chains(runs[i], chain);
			runs[i] = NULL;
		}
		runs[i] = chain;
	}
	chain = NULL;
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
		chain = merge_chains(runs[i], chain);
	node->first = chain;
	for (; chain != NULL; prev = chain, chain = chain->next)
		chain->prev = prev;
	node->last = prev;
}

void tree_sort_all(struct tree *tree)
{
	tree_sort(tree->root);
	for (struct tree_node *n = tree->root; (n = tree_walk(tree->root, n)) != NULL;)
		tree_sort(n);
}

struct tree_node *tree_walk(const struct tree_node *top, const struct tree_node *node)
{
	if (node->first != NULL)
		return node->first;
	while (node != top && node->next == NULL)
		node = node->parent;
	return node == top ? NULL : node->next;
}

struct tree_node *tree_first(const struct tree_node *parent, enum schema_id row)
{
	struct tree_node *n = parent->first;

	while (n != NULL && n->row != row)
		n = n->next;
	return n;
}

struct tree_node *tree_next(const struct tree_node *node)
{
	struct tree_node *n = node->next;

	while (n != NULL && n->row != node->row)
		n = n->next;
	return n;
}

const char *tree_value(const struct tree_node *node, unsigned i)
{
	const char *text = node->text;

	while (i-- > 0)
		text += strlen(text) + 1;
	return text;
}

void tree_path(char out[TREE_PATH_BYTES], const struct tree_node *node)
{
	const struct tree_node *chain[8]; /* deeper than the schema is */
	size_t depth = 0;
	struct writer w;

	for (; node->parent != NULL && depth < sizeof(chain) / sizeof(chain[0]);
	     node = node->parent)
		chain[depth++] = node;
	writer_init(&w, out, TREE_PATH_BYTES - 1);
	while (depth > 0) {
		const struct tree_node *n = chain[--depth];

		writer_printf(&w, "%s%s", w.size > 0 ? " " : "", schema_row(n->row)->name);
		for (unsigned i = 0; i < n->value_count; i++)
			writer_printf(&w, " %s", tree_value(n, i));
	}
	out[w.size] = '\0';
}
