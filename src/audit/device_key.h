/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The key of this appliance: Ed25519 (RFC 8032) by nettle, made at the first start, in a directory
 * of its own that is never exported. It signs the anchors of the log.
 */
#ifndef SEKISHO_AUDIT_DEVICE_KEY_H
#define SEKISHO_AUDIT_DEVICE_KEY_H

#include <stdbool.h>

#include "base/buf.h"
#include "wire/log/anchor.h"

struct device_key {
	uint8_t seed[LOG_ANCHOR_KEY_BYTES]; /* the secret */
	uint8_t public[LOG_ANCHOR_KEY_BYTES];
	bool usable;
	bool is_new;  /* made just now */
	bool damaged; /* because the one before could not be read */
};

/**
 * device_key_open - read the key, or make one
 * A damaged key is replaced: the records before were signed by another, which the log names.
 * @directory: borrowed
 * Return: 0; -ERR_SYSTEM, -ERR_NO_SPACE, -ERR_NO_MEMORY: there is none, @key is not usable.
 */
int device_key_open(struct device_key *key, int directory);
/* Forget the secret. */
void device_key_fini(struct device_key *key);

/* Sign @anchor, whose sequence, hash and time are set: fills in key and signature. */
void device_key_sign(const struct device_key *key, struct log_anchor *anchor);

/* Sign any text. The caller makes sure that it can be no other kind of text that is signed. */
void device_key_sign_text(const struct device_key *key, struct span text,
			  uint8_t signature[LOG_ANCHOR_SIGNATURE_BYTES]);

/* Whether the signature is by the key that @anchor names. */
bool device_key_check(const struct log_anchor *anchor);

/* Append the public key as PEM (RFC 8410), three lines. Return: 0 or an error of @out. */
int device_key_pem(const uint8_t public[LOG_ANCHOR_KEY_BYTES], struct bytes *out);

/* The public key of a PEM as device_key_pem writes it. Return: 0 or -ERR_SYNTAX. */
int device_key_read_pem(struct span pem, uint8_t public[LOG_ANCHOR_KEY_BYTES]);

#endif
