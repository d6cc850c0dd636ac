/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What audit gives to a bundle of evidence (C7) and to one for support (C8): files of its log to
 * the first, a signature to both.
 *
 * What is signed (Ed25519, RFC 8032) is this text, with line feeds; its first line is that of no
 * anchor and says which of the two it is, so that none can stand for another:
 *
 *   sekisho evidence          or: sekisho tech-support
 *   manifest HEX
 *   time T
 */
#ifndef SEKISHO_AUDIT_EVIDENCE_H
#define SEKISHO_AUDIT_EVIDENCE_H

#include "audit/anchor.h"
#include "audit/answer.h"
#include "audit/store.h"

#define EVIDENCE_LOG_FILES 2 /* the newest; each is at most STORE_SEGMENT_BYTES long */

/* answer_print_fn's, for answer_text. */

/* The lines of the newest files, oldest first. @ctx: the store. */
const char *evidence_print_log(void *ctx, const struct control_query *query, struct bytes *out);

/**
 * evidence_sign - the text that is signed, the signature in hexadecimal digits, the key as PEM
 * @ctx:   the anchors, which have the key and where events are written
 * @query: its argument is the manifest's hash, its kind says of what
 * The record of it, with the person, is written before the answer.
 */
const char *evidence_sign(void *ctx, const struct control_query *query, struct bytes *out);

#endif
