/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A verdict of the arbiter's code, in the words of `sekisho trace`. */
#ifndef SEKISHO_TOOLS_VERDICT_H
#define SEKISHO_TOOLS_VERDICT_H

#include "arbiter/outcome.h"

/* Print it on stdout, one line. */
void verdict_print(const struct snapshot *s, uint32_t from, const struct judge_verdict *v,
		   const struct ip_headers *headers);

#endif
