/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capturing what passes a zone's port, for the administrator: the kernel matches the filter and
 * copies the packets (nfnetlink_log). Taken are they as a pcapng file in memory, and that goes,
 * when the capture ends, to the arbiter as packets to be shown, to the console in base64, or into a
 * file that the supervisor has opened. One capture at a time, bounded in packets, bytes and
 * seconds, each recorded in the log.
 */
#ifndef SEKISHO_NETFILTER_CAPTURE_CAPTURE_H
#define SEKISHO_NETFILTER_CAPTURE_CAPTURE_H

#include "base/loop.h"
#include "channel/control.h"
#include "netfilter/capture/filter.h"

#define CAPTURE_GROUP       5
#define CAPTURE_PACKETS_MAX 1000
#define CAPTURE_SECONDS_MAX 60
#define CAPTURE_RAW_BYTES   (64 << 10) /* printed on a console */
#define CAPTURE_FILE_BYTES  (256 << 10)
#define CAPTURE_SNAP_BYTES  1600 /* of each packet */
#define CAPTURE_PACKETS     20   /* without a number */
#define CAPTURE_SECONDS     10

struct netfilter;
struct zone;

enum capture_form {
	CAPTURE_SHOWN, /* a line a packet */
	CAPTURE_RAW,   /* pcapng in base64 */
	CAPTURE_STORED /* pcapng on the disk */
};

struct capture {
	struct netfilter *nf;
	struct zone *zone; /* whose packets are being taken; NULL: none's */
	bool sending;      /* what was taken is on its way to the console */
	struct loop_fd watch;
	struct loop_timer end;      /* of taking packets */
	struct loop_timer pace;     /* of sending */
	struct control_query query; /* whom to answer */
	enum capture_form form;
	uint64_t epoch;      /* of the policy under which it began */
	uint32_t zone_index; /* in that policy */
	int given_fd;        /* that the supervisor gave for the next question; -1: none */
	int file_fd;         /* to write into */
	uint64_t packets_max, packets, left_out;
	size_t size_max, size;
	size_t at;         /* up to where it was sent */
	uint64_t taken_ms; /* when the arbiter last took a row */
	uint8_t file[CAPTURE_FILE_BYTES];
};

struct answer;

/* Begin what the query asks for; the answer comes when it ends. */
void capture_begin(struct netfilter *nf, struct answer *a);
/* A zone goes: end what runs in it. */
void capture_end_zone(struct netfilter *nf, const struct zone *zone);
/* Another policy comes in force: end what is, or will be, shown by the one before. */
void capture_end_policy(struct netfilter *nf);
/* Nobody waits for the answer of this number any more: end what runs for it. What was taken for a
 * file is kept there, as if the time were over. */
void capture_withdraw(struct capture *c, uint32_t number);
/* Print the file that was given. */
void capture_print(struct netfilter *nf, struct answer *a);

/* out.c: what was taken leaves. */
void capture_deliver(struct capture *c);
/* Stop sending, and say why. */
void capture_refuse(struct capture *c, const char *why);

#endif
