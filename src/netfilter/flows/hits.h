/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What passed by each permit, ever: a table in a mapped file, so that it outlives this process, a
 * commit and a reboot without a system call for each count. A record is two copies with a checksum;
 * the older one is written over, so that wherever writing ends, one copy is whole. The kernel
 * writes the pages to the disk when it sees fit, every half minute or so.
 */
#ifndef SEKISHO_NETFILTER_FLOWS_HITS_H
#define SEKISHO_NETFILTER_FLOWS_HITS_H

#include <stddef.h>
#include <stdint.h>

#include "channel/control.h"
#include "policy/snapshot.h"

#define HITS_MAX        ((COUNTERS_BYTES - HITS_TAIL_BYTES) / sizeof(struct hits_record))
#define HITS_NONE       UINT32_MAX
#define HITS_BUCKETS    16384
#define HITS_TAIL_BYTES 4096 /* of the file, for hits_tail */

/* One copy of a record. A permit is told from others by its zones, its number and what it lets in;
 * where one of them changes, it is another permit and begins at zero. */
struct hits {
	char from[SNAPSHOT_NAME_BYTES], to[SNAPSHOT_NAME_BYTES];
	uint32_t number;
	uint32_t pad;
	uint64_t content; /* hash of addresses and services */
	uint64_t flows, packets, bytes;
	int64_t first_s; /* since 1970: when this permit was first in force */
	int64_t last_s;  /* when a flow of it last ended or was seen running; 0: never */
	uint64_t sequence;
	uint64_t reserved; /* so that a copy never lies across two sectors of a disk */
	uint64_t check; /* of all above; also of zeros, so that an empty record is valid nowhere */
};

struct hits_record {
	struct hits copies[2];
};

struct hits_table {
	struct hits_record *records;    /* NULL: nothing is counted */
	uint32_t buckets[HITS_BUCKETS]; /* index + 1 of the first; 0: none */
	uint32_t next[COUNTERS_BYTES / sizeof(struct hits_record)];
	uint32_t count; /* records in use are the first ones */
	uint64_t policies;
	uint64_t
		used[COUNTERS_BYTES / sizeof(struct hits_record)]; /* the last policy that had it */
};

/**
 * hits_open - map the file and index what is whole in it
 * @fd: COUNTERS_BYTES long, read and write; borrowed for the call
 * Return: 0 or -ERR_SYSTEM: then every other function does nothing.
 */
int hits_open(struct hits_table *t, int fd);

/* A policy is about to be entered: see hits_slot. */
void hits_begin_policy(struct hits_table *t);

/**
 * hits_slot - the record of a permit, found or made
 * A full table gives up the record that no policy has had for longest.
 * Return: its number, HITS_NONE where there is no table.
 */
uint32_t hits_slot(struct hits_table *t, const struct snapshot *s,
		   const struct snapshot_permit *permit, int64_t now_s);

/* Count flows that have ended. */
void hits_add(struct hits_table *t, uint32_t slot, uint64_t packets, uint64_t bytes, int64_t now_s);

/* HITS_TAIL_BYTES at the end of the file, of another's use: what has to outlive this process, but
 * not the gateway. NULL: there is no file. */
void *hits_tail(const struct hits_table *t);

/* The whole copy of a record; all zero for HITS_NONE. */
struct hits hits_read(const struct hits_table *t, uint32_t slot);

#endif
