/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answer to a challenge of security type 2 (RFC 6143 7.2.2). */
#ifndef SEKISHO_WIRE_RFB_VNC_AUTH_H
#define SEKISHO_WIRE_RFB_VNC_AUTH_H

#include <stdint.h>

#include "base/buf.h"
#include "wire/rfb/handshake.h"

#define RFB_VNC_PASSWORD_BYTES 8 /* of a password count */

/**
 * rfb_vnc_response - encrypt the challenge by DES with the password as its key
 * @password: its first RFB_VNC_PASSWORD_BYTES are used; a shorter one is filled up with zeros
 * The key is wiped. Each octet of it goes in with its bits turned round: the RFC does not say so,
 * but all VNC programs do it.
 */
void rfb_vnc_response(uint8_t response[RFB_CHALLENGE_BYTES],
		      const uint8_t challenge[RFB_CHALLENGE_BYTES], struct span password);

#endif
