/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration language for those who only want its result: text in, checked tree or snapshot
 * out. */
#ifndef SEKISHO_POLICY_POLICY_H
#define SEKISHO_POLICY_POLICY_H

#include "base/buf.h"
#include "policy/problem.h"
#include "policy/snapshot.h"
#include "policy/tree.h"

/**
 * policy_compile - check the meaning of a configuration and compile it
 * @tree:  as parsed; its contents stay as they are
 * @block: initialised and empty, limit SNAPSHOT_BYTES_MAX; receives the snapshot, 16-byte aligned.
 * The same configuration
 *         gives the same bytes.
 * Return: 0 (there may be warnings in @problems), or -ERR_DENIED with at least one error in
 * @problems; @block is then of no use.
 */
int policy_compile(struct tree *tree, struct bytes *block, struct problems *problems);

/**
 * policy_check - policy_compile for a person who is about to use it: warns of what is unwise, too
 * @now_s: seconds since 1970; what ended before is told
 * Return: as policy_compile; what is unwise is a warning in @problems, and changes neither the
 * answer nor the bytes.
 */
int policy_check(struct tree *tree, int64_t now_s, struct bytes *block, struct problems *problems);

/**
 * policy_compile_text - parse and compile in one
 * @text: borrowed, any bytes
 * Return: 0, -ERR_SYNTAX or -ERR_DENIED with the errors in @problems, -ERR_NO_MEMORY.
 */
int policy_compile_text(struct span text, struct bytes *block, struct problems *problems);

#endif
