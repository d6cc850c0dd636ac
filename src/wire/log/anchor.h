/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Anchors of the audit log: records "log-anchor" that hold a signature over where the chain stood
 * just before. Whoever alters an earlier record and seals the log anew cannot sign the new hash.
 *
 *   [sekisho@32473 ... record="N" sha256="HEX" time-s="T" key="HEX" signature="HEX"]
 *
 * What is signed (Ed25519, RFC 8032) is this text, with line feeds:
 *
 *   sekisho log anchor
 *   record N
 *   sha256 HEX
 *   time T
 */
#ifndef SEKISHO_WIRE_LOG_ANCHOR_H
#define SEKISHO_WIRE_LOG_ANCHOR_H

#include <stdint.h>

#include "base/sha256.h"
#include "wire/log/syslog.h"

#define LOG_ANCHOR_EVENT           "log-anchor"
#define LOG_ANCHOR_TEXT_BYTES      192 /* of what is signed, with NUL */
#define LOG_ANCHOR_KEY_BYTES       32
#define LOG_ANCHOR_SIGNATURE_BYTES 64

struct log_anchor {
	uint64_t sequence;          /* of the newest record that it covers */
	uint8_t hash[SHA256_BYTES]; /* of that record */
	uint64_t time_s;            /* since 1970, by the gateway's clock */
	uint8_t key[LOG_ANCHOR_KEY_BYTES];
	uint8_t signature[LOG_ANCHOR_SIGNATURE_BYTES];
};

/* Write what is signed, with NUL. Return: its bytes without NUL. */
size_t log_anchor_text(const struct log_anchor *anchor, char text[LOG_ANCHOR_TEXT_BYTES]);

/**
 * log_anchor_parse - the parameters of a record "log-anchor"
 * Nothing is checked but their form. Return: 0 or -ERR_SYNTAX.
 */
int log_anchor_parse(const struct syslog_view *view, struct log_anchor *anchor);

/**
 * log_anchor_hex - decode exactly 2 * @size hexadecimal digits
 * Return: 0 or -ERR_SYNTAX.
 */
int log_anchor_hex(struct span digits, uint8_t *out, size_t size);

#endif
