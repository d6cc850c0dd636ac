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

#include <nettle/hmac.h>

#include "base/buf.h"

#define EXPORT_HEAD_BYTES   40
#define EXPORT_KEY_BYTES    32
#define EXPORT_RANDOM_BYTES 28      /* salt and nonce */
#define EXPORT_PHRASE_LEAST 16      /* characters of a passphrase: it can be guessed without end */
#define EXPORT_ROUNDS       600000U /* about a third of a second for each guess */
#define EXPORT_ROUNDS_LEAST 1000U
#define EXPORT_ROUNDS_MAX   2000000U /* bounds the time that a foreign export can take */

/* The key of one export: derived in pieces, so that whoever has a loop can serve it in between.
 * In caller's storage; wiped by export_key_wipe. */
struct export_key {
	uint8_t head[EXPORT_HEAD_BYTES]; /* of the export */
	struct hmac_sha256_ctx prf;      /* keyed with the passphrase */
	uint8_t last[EXPORT_KEY_BYTES];  /* U_i of RFC 8018 5.2 */
	uint8_t key[EXPORT_KEY_BYTES];   /* the sum of all U_i so far */
	uint32_t rounds_left;            /* 0: @key is the key */
};

/**
 * export_key_begin - the key of a new export; export_key_derive makes it
 * @phrase: NUL-terminated; not needed any more afterwards
 * @random: EXPORT_RANDOM_BYTES, never used before
 * @rounds: EXPORT_ROUNDS_LEAST..EXPORT_ROUNDS_MAX
 */
void export_key_begin(struct export_key *k, const char *phrase,
		      const uint8_t random[EXPORT_RANDOM_BYTES], uint32_t rounds);

/**
 * export_key_begin_of - the key of the first export in @armoured; export_key_derive makes it
 * @phrase: NUL-terminated; not needed any more afterwards
 * Return: 0; -ERR_INTEGRITY: there is none, or its head is none; -ERR_NO_MEMORY. On an error there
 * is no key, and nothing to wipe.
 */
int export_key_begin_of(struct export_key *k, const char *phrase, struct span armoured);

/* Derive for at most @rounds rounds more, half a microsecond each on a fast machine. Return:
 * whether the key is there. */
bool export_key_derive(struct export_key *k, uint32_t rounds);

void export_key_wipe(struct export_key *k);

/**
 * export_lock - append the armoured export of @text to @out
 * @k: of export_key_begin, derived; for one text only
 * Return: 0 or an error of @out.
 */
int export_lock(struct bytes *out, struct span text, const struct export_key *k);

/**
 * export_unlock - append the text of the first export in @armoured to @out
 * @k: of export_key_begin_of for the same @armoured, derived
 * Nothing is appended on an error.
 * Return: 0; -ERR_INTEGRITY: another passphrase, or any octet is not the one that was written
 * (which of the two is not told); an error of @out.
 */
int export_unlock(struct bytes *out, struct span armoured, const struct export_key *k);

#endif
