/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Codes of authenticator apps (A9): TOTP with what all of them have, HMAC-SHA-1, steps of 30 s from
 * 1970 on and six digits (RFC 6238 1.2, RFC 4226 5.3). Pure but for totp_secret.
 */
#ifndef SEKISHO_ACCOUNTS_TOTP_H
#define SEKISHO_ACCOUNTS_TOTP_H

#include <stdbool.h>
#include <stdint.h>

#define TOTP_STEP_S       30
#define TOTP_DIGITS       6
#define TOTP_WINDOW       1  /* steps before and behind now whose codes are taken (RFC 6238 5.2) */
#define TOTP_KEY_BYTES    20 /* RFC 4226 4 R6: 160 bits */
#define TOTP_SECRET_BYTES 33 /* a key in base32 (RFC 4648 6), with NUL */

/* A new secret. Return: 0 or -ERR_SYSTEM (no random numbers). */
int totp_secret(char secret[TOTP_SECRET_BYTES]);

/**
 * totp_key - the key that a secret stands for
 * @secret: base32, NUL-terminated
 * Return: false where it is not one of totp_secret.
 */
bool totp_key(const char *secret, uint8_t key[TOTP_KEY_BYTES]);

/* The code of one step, 0..999999 (RFC 4226 5.3). */
uint32_t totp_code(const uint8_t key[TOTP_KEY_BYTES], uint64_t step);

/**
 * totp_match - find the step whose code was typed
 * @secret: of totp_secret
 * @code:   what was typed, NUL-terminated; exactly TOTP_DIGITS digits are a code
 * @now_s:  seconds since 1970
 * @used:   the last step whose code was accepted; none up to it is accepted again (RFC 6238 5.2)
 * Takes the same time whatever is wrong with a code. Return: the step, above 0; 0: refused.
 */
int64_t totp_match(const char *secret, const char *code, int64_t now_s, int64_t used);

#endif
