/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VncAuth's answer: DES is nettle's. */
#include "wire/rfb/vnc_auth.h"

#include <nettle/des.h>
#include <string.h>

_Static_assert(RFB_VNC_PASSWORD_BYTES == DES_KEY_SIZE, "a password is a key");
_Static_assert(RFB_CHALLENGE_BYTES % DES_BLOCK_SIZE == 0, "whole blocks");

static uint8_t turn_round(uint8_t octet)
{
	uint8_t turned = 0;

	for (unsigned bit = 0; bit < 8; bit++)
		turned |= (uint8_t)((octet >> bit & 1U) << (7 - bit));
	return turned;
}

void rfb_vnc_response(uint8_t response[RFB_CHALLENGE_BYTES],
		      const uint8_t challenge[RFB_CHALLENGE_BYTES], struct span password)
{
	uint8_t key[DES_KEY_SIZE] = {0};
	struct des_ctx des;

	for (size_t i = 0; i < sizeof(key) && i < password.size; i++)
		key[i] = turn_round(password.data[i]);
	(void)des_set_key(&des, key); /* tells of weak keys; the desktop has chosen it */
	des_encrypt(&des, RFB_CHALLENGE_BYTES, response, challenge);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(&des, sizeof(des));
}
