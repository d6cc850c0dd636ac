/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The form of the audit log: one record a line, an RFC 5424 message with a sequence number, sealed
 * into a hash chain.
 *
 *   <PRI>1 TIME HOST sekisho PROCESS EVENT [sekisho@32473 seq="N" mono="S.US" ...] TEXT sha256=HEX
 *
 * HEX is SHA-256 over the 32 bytes of the record before and this line up to the blank before
 * "sha256=". The first record ever follows 32 zero bytes. Each segment (file) begins with a record
 * "log-segment" whose parameter prev is the hash of the record before it, so that a chain can be
 * checked from any segment on.
 */
#ifndef SEKISHO_WIRE_LOG_CHAIN_H
#define SEKISHO_WIRE_LOG_CHAIN_H

#include <stdint.h>

#include "base/buf.h"
#include "base/sha256.h"
#include "wire/log/syslog.h"

#define LOG_CHAIN_ELEMENT    "sekisho@32473"
#define LOG_CHAIN_SEAL_BYTES (8 + 2 * SHA256_BYTES) /* " sha256=" and the digits */
#define LOG_CHAIN_LINE_MAX   8192                   /* bytes of one record without its line end */

/* Where a chain stands: before its first record, all zero but next_sequence = 1. */
struct log_chain {
	uint64_t next_sequence;
	uint8_t hash[SHA256_BYTES]; /* of the record before */
};

void log_chain_init(struct log_chain *chain);

/**
 * log_chain_seal - close a record: append its hash and step the chain
 * @line: the record so far, from its first byte on
 * Return: 0; -ERR_NO_SPACE where the writer has failed or has no room: the chain is as before.
 */
int log_chain_seal(struct log_chain *chain, struct writer *line);

/**
 * log_chain_check - check one record against the chain and step it
 * @line: without line end
 * @view: filled where the line can be parsed; its text still has the seal
 * @why:  set to what is wrong, fixed text
 * Return: 0, -ERR_SYNTAX (not a record) or -ERR_INTEGRITY (wrong hash or sequence number); the
 * chain is then as before.
 */
int log_chain_check(struct log_chain *chain, struct span line, struct syslog_view *view,
		    const char **why);

/**
 * log_chain_adopt - take a chain's state from the first record of a segment, for the check of that
 * record
 * Return: 0, or -ERR_SYNTAX where @line is not a record "log-segment".
 */
int log_chain_adopt(struct log_chain *chain, struct span line);

/* The hash that a record says it has. Return: 0 or -ERR_SYNTAX. */
int log_chain_stated(struct span line, uint8_t hash[SHA256_BYTES]);

#endif
