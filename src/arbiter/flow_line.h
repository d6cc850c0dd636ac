/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flows as lines of text, for `sekisho trace --flows` and `sekisho replay`. A line is one of
 *
 *   from=lgwan src=10.20.0.8 dst=10.10.0.5 proto=tcp dport=443 at=2026-11-24T10:00
 *   <134>1 2026-11-24T10:00:00.0+09:00 host sekisho arbiter flow-... [sekisho@32473 from="lgwan"
 * ...]
 *
 * The first form is written by hand: pairs in any order, values quoted where they hold blanks. The
 * second is a record of the gateway's own log, with the same names. Names: from (the zone that its
 * first packet came from), src, dst, proto (a number, or tcp, udp, icmp, icmpv6), sport, dport,
 * icmp-type (echo request where it is left out), mac, permit, at; others are passed over. Comments
 * begin with '#'.
 */
#ifndef SEKISHO_ARBITER_FLOW_LINE_H
#define SEKISHO_ARBITER_FLOW_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "policy/snapshot.h"
#include "wire/packet/ip.h"

#define FLOW_LINE_BYTES_MAX  8192 /* a longer line is refused */
#define FLOW_LINE_VALUE_MAX  127  /* bytes of a value that means something here */
#define FLOW_LINE_PERMIT_MAX 65535
#define FLOW_LINE_TIME_BYTES 20 /* "2026-11-24T10:00:00" with NUL */

enum flow_outcome { FLOW_UNTOLD, FLOW_PERMITTED, FLOW_DENIED };

struct flow_line {
	char from[SNAPSHOT_NAME_BYTES];
	struct ip_headers headers; /* of the first packet */
	uint8_t mac[6];
	bool has_mac;
	bool has_time, local_time; /* local_time: at_s still lacks the configuration's offset */
	int64_t at_s;
	char at[FLOW_LINE_TIME_BYTES]; /* as written, up to the second at most; empty: not told */
	enum flow_outcome outcome;     /* as the record tells, or as permit=N does */
	uint32_t permit;               /* its number, 0: not told */
};

/**
 * flow_line_read - read one line
 * @line: without its line end; borrowed
 * Return: 0; -ERR_NOT_FOUND where it tells of no flow: blank, a comment, a record other than
 * flow-permitted and flow-denied, a denial that had no ports to tell, or that was for what the flow
 * carried or how much of it there was, which nothing but the traffic itself can show again;
 * -ERR_SYNTAX; -ERR_TOO_LONG.
 */
int flow_line_read(struct flow_line *out, struct span line);

#endif
