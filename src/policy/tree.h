/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration as a tree of statements, each with its canonical values; what set, delete, show
 * and compare work on. */
#ifndef SEKISHO_POLICY_TREE_H
#define SEKISHO_POLICY_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/problem.h"
#include "policy/schema.h"

#define TREE_NODES_MAX  200000            /* statements of one configuration */
#define TREE_PATH_BYTES PROBLEM_ARG_BYTES /* of a printed path; what is longer is cut */

struct tree_node {
	struct tree_node *parent, *first, *last, *next, *prev;
	struct tree_node *hash_next;
	struct tree_node *twin; /* the same statement in another tree: print_difference's own */
	uint32_t index;         /* of its row in the compiled policy: the compiler's own */
	struct position at;     /* where it was written; 0,0: at the console */
	uint64_t hash;
	uint16_t row; /* enum schema_id */
	uint16_t value_count;
	uint32_t text_bytes;
	char text[]; /* values, canonical, each with its NUL */
};

struct tree {
	struct tree_node *root;
	struct tree_node **buckets; /* every node but the root, by parent, row and key */
	size_t bucket_count, node_count;
};

/* Prepare an empty configuration. Return: 0 or -ERR_NO_MEMORY. */
int tree_init(struct tree *tree);
void tree_fini(struct tree *tree);

/* One statement's values as they stand in a node: @text_bytes of NUL-terminated texts. */
struct tree_values {
	uint16_t count;
	uint32_t text_bytes;
	const char *text;
};

/**
 * tree_find - the child of @parent that has this row and key
 * @values: all values for entries and lists; not looked at for blocks, leaves and flags, of which
 * there is one
 * Return: the node or NULL.
 */
struct tree_node *tree_find(const struct tree *tree, const struct tree_node *parent,
			    enum schema_id row, const struct tree_values *values);

/**
 * tree_add - append a statement to @parent; tree_find must not know it yet
 * Return: 0, -ERR_NO_MEMORY or -ERR_NO_SPACE (TREE_NODES_MAX).
 */
int tree_add(struct tree *tree, struct tree_node *parent, enum schema_id row,
	     const struct tree_values *values, struct position at, struct tree_node **out);

/* Remove a node with all below it. */
void tree_remove(struct tree *tree, struct tree_node *node);
/* Remove all below @node, not itself. */
void tree_clear(struct tree *tree, struct tree_node *node);

/* Put the children of one node, or of all nodes, into canonical order. */
void tree_sort(struct tree_node *node);
void tree_sort_all(struct tree *tree);

/* The node that follows @node in printing order, below @top; NULL at the end. Begin with
 * tree_walk(top, top). */
struct tree_node *tree_walk(const struct tree_node *top, const struct tree_node *node);

/* First child with that row; the next with the same row. NULL: none. */
struct tree_node *tree_first(const struct tree_node *parent, enum schema_id row);
struct tree_node *tree_next(const struct tree_node *node);

/* Value @i of a node, canonical text. */
const char *tree_value(const struct tree_node *node, unsigned i);

/* "zone lgwan address 10.20.0.1/24": the words that lead to a node. */
void tree_path(char out[TREE_PATH_BYTES], const struct tree_node *node);

#endif
