/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory of keys: what config writes there and the supervisor opens for the process that
 * needs it. It stands apart from configurations and is in no export (L4).
 */
#ifndef SEKISHO_CHANNEL_KEYS_H
#define SEKISHO_CHANNEL_KEYS_H

/* A file's name is a slot's name, as the configuration has it, and one of these. */
#define KEYS_CERTIFICATE  ".certificate.pem" /* chain and private key */
#define KEYS_AUTHORITY    ".authority.pem"   /* certificates to verify a peer with */
#define KEYS_PASSWORD     ".password" /* that the gateway shows a peer: its octets, nothing else */
#define KEYS_FILE_BYTES   64          /* of such a name, with NUL */
#define KEYS_PASSWORD_MAX 128         /* octets of a password */

#endif
