/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The content of DATA, both ways: a strict reader that ends at <CRLF>.<CRLF> and nowhere else (RFC
 * 5321 4.1.1.4, 4.5.2), and the writer that regenerates line ends and dots.
 */
#ifndef SEKISHO_WIRE_SMTP_DATA_H
#define SEKISHO_WIRE_SMTP_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Why a message cannot be taken; the first one found stays. */
enum smtp_data_fault {
	SMTP_DATA_CLEAN,
	SMTP_DATA_BARE_CR,
	SMTP_DATA_BARE_LF,
	SMTP_DATA_NUL,
	SMTP_DATA_TOO_BIG,
	SMTP_DATA_FAULT_COUNT_
};

struct smtp_data {
	uint8_t state;              /* the reader's own */
	bool ended;                 /* <CRLF>.<CRLF> was read */
	enum smtp_data_fault fault; /* nothing is written any more once this is set */
	uint64_t size_bytes;        /* of the message: dots removed, without the final dot line */
	uint64_t limit_bytes;
	uint64_t read_bytes; /* taken from the wire */
};

/* Octets that @out of smtp_data_push must have room for. */
#define SMTP_DATA_OUT_BYTES(in_bytes) ((in_bytes) + 1)

void smtp_data_init(struct smtp_data *d, uint64_t limit_bytes);

/**
 * smtp_data_push - read the next segment
 * @in:        any segmentation gives the same result
 * @out:       receives the message, CRLF line ends, dots removed; SMTP_DATA_OUT_BYTES(in.size) long
 * @out_bytes: set to what was written there
 *
 * After a fault the segments are still read, so that the end is found where every strict reader
 * finds it, and the peer can be told; the message must be refused. Return: octets taken; less than
 * in.size only where the data has ended.
 */
size_t smtp_data_push(struct smtp_data *d, struct span in, uint8_t *out, size_t *out_bytes);

/**
 * smtp_data_put_line - append one line, dot-stuffed and with CRLF
 * @line: without line end
 * Return: 0; -ERR_SYNTAX where it holds CR, LF or NUL (nothing is appended); as bytes_append.
 */
int smtp_data_put_line(struct bytes *out, struct span line);

#endif
