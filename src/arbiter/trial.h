/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console's `test flow`: what the running policy would say about a flow that does not exist. */
#ifndef SEKISHO_ARBITER_TRIAL_H
#define SEKISHO_ARBITER_TRIAL_H

#include "arbiter/judge.h"
#include "base/channel.h"
#include "channel/control.h"

/**
 * trial_read - read the words of a trial
 * @text: NUL-terminated: ZONE SOURCE DESTINATION tcp|udp|icmp|NUMBER [PORT]; the port is needed for
 * tcp and udp, and given for no other
 * @h:    filled with the headers of the flow's first packet; for icmp an echo request
 * @zone: index of ZONE in @s
 * Return: NULL, or a fixed text that says what is wrong and what is allowed.
 */
const char *trial_read(struct ip_headers *h, uint32_t *zone, const struct snapshot *s,
		       const char *text);

/**
 * trial_answer - judge the flow of a query and send the rows to the asker
 * @policy: NULL: none is running
 * Return: as channel_send.
 */
int trial_answer(struct channel *control, const struct judge_policy *policy,
		 const struct control_query *query, int64_t now_s);

#endif
