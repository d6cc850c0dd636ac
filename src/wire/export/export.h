/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration that leaves the gateway under a passphrase (C6, ADR 315). Form 1, inside an
 * armour "CONFIGURATION":
 *
 *   0  8   "SKSHCFG" and the form's number, 1
 *   8  4   rounds of PBKDF2-HMAC-SHA-256 (RFC 8018 5.2), big-endian
 *   12 16  salt
 *   28 12  nonce
 *   40 n   the text under ChaCha20-Poly1305 (RFC 8439), its key the first 32 octets of PBKDF2
 *   .. 16  the tag over the 40 octets before and the text
 */
#ifndef SEKISHO_WIRE_EXPORT_EXPORT_H
#define SEKISHO_WIRE_EXPORT_EXPORT_H

#include "base/buf.h"

#define EXPORT_RANDOM_BYTES 28      /* salt and nonce */
#define EXPORT_PHRASE_LEAST 16      /* characters of a passphrase: it can be guessed without end */
#define EXPORT_ROUNDS       600000U /* about a third of a second for each guess */
#define EXPORT_ROUNDS_LEAST 1000U
#define EXPORT_ROUNDS_MAX   2000000U /* bounds the time that a foreign export can take */

/**
 * export_lock - append the armoured export of @text to @out
 * @phrase: NUL-terminated
 * @random: EXPORT_RANDOM_BYTES, never used before
 * @rounds: EXPORT_ROUNDS_LEAST..EXPORT_ROUNDS_MAX
 * Return: 0 or an error of @out.
 */
int export_lock(struct bytes *out, struct span text, const char *phrase,
		const uint8_t random[EXPORT_RANDOM_BYTES], uint32_t rounds);

/**
 * export_unlock - append the text of the first export in @armoured to @out
 * Nothing is appended on an error.
 * Return: 0; -ERR_INTEGRITY: another passphrase, or any octet is not the one that was written
 * (which of the two is not told); an error of @out.
 */
int export_unlock(struct bytes *out, struct span armoured, const char *phrase);

#endif
