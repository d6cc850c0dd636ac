/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capturing what passes a zone's port, for the administrator: the kernel matches the filter and
 * copies the packets (nfnetlink_log), and they are handed to the console as a pcapng file in
 * base64. One capture at a time, bounded in packets, bytes and seconds, each recorded in the log.
 */
#ifndef SEKISHO_NETFILTER_CAPTURE_H
#define SEKISHO_NETFILTER_CAPTURE_H

#include "base/loop.h"
#include "channel/control.h"
#include "netfilter/capture_filter.h"

#define CAPTURE_GROUP       5
#define CAPTURE_PACKETS_MAX 1000
#define CAPTURE_SECONDS_MAX 60
#define CAPTURE_FILE_BYTES  (64 << 10)
#define CAPTURE_SNAP_BYTES  1600 /* of each packet */
#define CAPTURE_PACKETS     20   /* without a number */
#define CAPTURE_SECONDS     10

struct netfilter;
struct zone;

struct capture {
	struct zone *zone; /* NULL: none runs */
	struct loop_fd watch;
	struct loop_timer end;
	struct control_query query; /* whom to answer */
	uint64_t packets_max, packets, left_out;
	size_t size;
	uint8_t file[CAPTURE_FILE_BYTES];
};

struct answer;

/* Begin what the query asks for; the answer comes when it ends. */
void capture_begin(struct netfilter *nf, struct answer *a);
/* A zone goes: end what runs in it. */
void capture_end_zone(struct netfilter *nf, const struct zone *zone);

#endif
