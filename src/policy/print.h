/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tree to text: the one canonical form, and the difference of two. */
#ifndef SEKISHO_POLICY_PRINT_H
#define SEKISHO_POLICY_PRINT_H

#include "policy/tree.h"

/**
 * print_tree - the canonical text of all below @top
 * Parsing it again gives the same tree, printing that the same bytes.
 * Return: 0, or -ERR_NO_MEMORY where @out is full.
 */
int print_tree(struct bytes *out, const struct tree_node *top);

#define PRINT_REMOVED "(removed)"

/**
 * print_public - print_tree's text with PRINT_REMOVED for each value of a private statement
 * It has the form of the configuration, but is none: nothing reads it.
 * Return: 0, or -ERR_NO_MEMORY where @out is full.
 */
int print_public(struct bytes *out, const struct tree_node *top);

/* A free text as the language writes it: in quotes. */
void print_quoted(struct bytes *out, const char *text);

/* One statement with all below it, indented by @depth levels, each line after @mark. */
int print_statement(struct bytes *out, const struct tree_node *node, unsigned depth,
		    const char *mark);

/**
 * print_difference - what leads from @old to @new
 * For each block in which something differs, a line "[edit PATH]", then removed statements behind
 * "-   " and added ones behind
 * "+   ". Nothing at all where they print the same.
 * The trees' contents stay as they are; their nodes' twins are set.
 * Return: 0, or -ERR_NO_MEMORY where @out is full.
 */
int print_difference(struct bytes *out, struct tree *old, struct tree *new);

#endif
