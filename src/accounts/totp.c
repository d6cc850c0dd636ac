/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time-based one-time passwords. */
#include "accounts/totp.h"

#include <nettle/hmac.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"

#define MODULUS   1000000U /* 10 to the power of TOTP_DIGITS */
#define NO_CODE   UINT32_MAX
#define BASE_BITS 5U

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

int totp_secret(char secret[TOTP_SECRET_BYTES])
{
	uint8_t random[TOTP_SECRET_BYTES - 1];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -ERR_SYSTEM;
	for (size_t i = 0; i < sizeof(random); i++)
		secret[i] = base32[random[i] % (1U << BASE_BITS)];
	secret[sizeof(random)] = '\0';
	explicit_bzero(random, sizeof(random));
	return 0;
}

/* 32 letters of five bits fill 20 octets exactly: no padding is ever needed. */
bool totp_key(const char *secret, uint8_t key[TOTP_KEY_BYTES])
{
	uint32_t bits = 0;
	unsigned count = 0, size = 0;

	if (strlen(secret) != TOTP_SECRET_BYTES - 1)
		return false;
	for (; *secret != '\0'; secret++) {
		const char *at = strchr(base32, *secret);

		if (at == NULL)
			return false;
		bits = bits << BASE_BITS | (uint32_t)(at - base32);
		count += BASE_BITS;
		if (count >= 8) {
			count -= 8;
			key[size++] = (uint8_t)(bits >> count);
		}
	}
	return true;
}

uint32_t totp_code(const uint8_t key[TOTP_KEY_BYTES], uint64_t step)
{
	uint8_t counter[8], digest[SHA1_DIGEST_SIZE];
	struct hmac_sha1_ctx hmac;
	const uint8_t *at;
	uint32_t truncated;

	for (size_t i = 0; i < sizeof(counter); i++)
		counter[i] = (uint8_t)(step >> (56 - 8 * i));
	hmac_sha1_set_key(&hmac, TOTP_KEY_BYTES, key);
	hmac_sha1_update(&hmac, sizeof(counter), counter);
	hmac_sha1_digest(&hmac, sizeof(digest), digest);
	at = digest + (digest[sizeof(digest) - 1] & 0xf);
	truncated = (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
		    at[3];
	explicit_bzero(&hmac, sizeof(hmac));
	explicit_bzero(digest, sizeof(digest));
	return truncated % MODULUS;
}

static uint32_t read_code(const char *typed)
{
	uint32_t code = 0;

	if (strlen(typed) != TOTP_DIGITS || strspn(typed, "0123456789") != TOTP_DIGITS)
		return NO_CODE;
	for (size_t i = 0; i < TOTP_DIGITS; i++)
		code = code * 10 + (uint32_t)(typed[i] - '0');
	return code;
}

int64_t totp_match(const char *secret, const char *code, int64_t now_s, int64_t used)
{
	uint8_t key[TOTP_KEY_BYTES];
	uint32_t typed = read_code(code);
	int64_t now = now_s / TOTP_STEP_S, found = 0;

	if (!totp_key(secret, key))
		return 0;
	for (int64_t step = now - TOTP_WINDOW; step <= now + TOTP_WINDOW; step++) {
		if (totp_code(key, (uint64_t)step) == typed && step > used && found == 0)
			found = step;
	}
	explicit_bzero(key, sizeof(key));
	return found;
}
