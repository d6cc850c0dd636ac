/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of AES-GCM where mbedTLS looks for it (MBEDTLS_GCM_ALT): nettle's, behind the library's
 * own calls, which src/tls/gcm.c has (ADR 712).
 */
#ifndef SEKISHO_GCM_ALT_H
#define SEKISHO_GCM_ALT_H

#include <stdint.h>

struct nettle_aead;

typedef struct mbedtls_gcm_context {
	const struct nettle_aead *aead; /* by the size of the key; NULL: it has none */
	int mode;                       /* MBEDTLS_GCM_ENCRYPT or MBEDTLS_GCM_DECRYPT */
	int next;                       /* what may still come */
	uint64_t opaque[560];           /* nettle's own; its size is checked where it is used */
} mbedtls_gcm_context;

#endif
