/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system call filter of a profile, as the kernel's classic BPF. Short, and a search rather than
 * a list: for each filter the kernel asks for the answer to every call number once and translates
 * it to machine code, and three processes install one for every mail.
 */
#ifndef SEKISHO_BASE_SANDBOX_FILTER_H
#define SEKISHO_BASE_SANDBOX_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/sandbox.h"

#define SANDBOX_FILTER_MAX 320 /* instructions */

struct sandbox_filter {
	struct sock_filter code[SANDBOX_FILTER_MAX];
	size_t length;
	bool failed; /* while it is built: it cannot be expressed */
};

/**
 * sandbox_filter_build - allow the core and what @profile adds; anything else kills the process
 * @f: output; no state of an earlier call is kept
 * Return: 0; -ERR_TOO_LONG: the profile has too many calls, a call number that no architecture of
 * ours has, or too many gaps between its numbers for one filter. @f is not to be used then.
 */
int sandbox_filter_build(struct sandbox_filter *f, const struct sandbox_profile *profile);

#endif
