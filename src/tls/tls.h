/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS sessions over a non-blocking descriptor, server and client (RFC 8446, RFC 5246).
 *
 * TLS 1.2 and 1.3; ephemeral key exchange and AEAD suites only; no renegotiation, resumption,
 * tickets, early data or compression. Random numbers come from getrandom(2). A session holds at
 * most two records and one flight of the handshake; one call reads at most TLS_CALL_BYTES, so that
 * a peer that never pauses holds nobody up. What goes wrong is said as a fixed code: no
 * text of a library or a peer ever leaves this module.
 */
#ifndef SEKISHO_TLS_TLS_H
#define SEKISHO_TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "tls/fault.h"

#define TLS_CALL_BYTES (128U << 10)

enum tls_side { TLS_SERVER, TLS_CLIENT };

struct tls; /* one session */

struct tls_settings {
	enum tls_side side;
	struct span identity;    /* PEM, certificate chain and private key; client: empty: it shows
				    no certificate; borrowed */
	struct span authorities; /* PEM, what the peer is verified against; server: empty: clients
				    show no certificate; borrowed */
	const char *peer_name;   /* client: what its certificate must be for; a host name is also
				    sent as SNI, an address is looked for as one (RFC 9525 6.3) */
};

/**
 * tls_prepare - what must happen once before a process locks its sandbox: the time zone code of
 * libc looks for a file at its first use, which a locked process may not
 */
void tls_prepare(void);

/**
 * tls_new - prepare a session; nothing is sent yet
 * @settings: not needed any more when this returns
 * @fd:       connected stream socket, non-blocking; borrowed until tls_free
 * @fault:    set where this fails
 * Return: 0; -ERR_SYNTAX (identity or authorities); -ERR_NO_MEMORY; -ERR_SYSTEM (no random
 * numbers).
 */
int tls_new(struct tls **out, const struct tls_settings *settings, int fd, enum tls_fault *fault);

/* End without a word and wipe every key. NULL is fine. */
void tls_free(struct tls *t);

/**
 * tls_handshake - go on with the handshake as far as the socket allows
 * Return: 0 done; -ERR_AGAIN (see tls_events); -ERR_PEER (tls_fault says why; the alert has been
 * sent where it could be).
 */
int tls_handshake(struct tls *t);

/**
 * tls_read - decrypted bytes
 * Return: octets (1..@size); 0 the peer has ended the session in order; -ERR_AGAIN; -ERR_PEER.
 * A connection that ends without close_notify is a fault (TLS_FAULT_CUT): its end may be an
 * attacker's.
 */
ssize_t tls_read(struct tls *t, void *data, size_t size);

/**
 * tls_write - encrypt and send
 * Return: octets taken (1..@size); -ERR_AGAIN: then the same bytes, with more behind them or not,
 * must be offered next; -ERR_PEER.
 */
ssize_t tls_write(struct tls *t, const void *data, size_t size);

/* Octets given to the socket so far, the handshake and TLS's own included. */
uint64_t tls_sent_bytes(const struct tls *t);

/* Decrypted octets that wait: poll(2) does not tell of them. */
size_t tls_pending(const struct tls *t);

/* What the last call that returned -ERR_AGAIN waits for: POLLIN or POLLOUT. */
short tls_events(const struct tls *t);

/* Say close_notify, once, as far as the socket takes it now. */
void tls_close(struct tls *t);

enum tls_fault tls_fault(const struct tls *t);

/**
 * tls_peer_sha256 - the hash of the certificate that the peer has shown
 * Return: false where it has shown none; then @out is zero. Once the handshake is done.
 */
bool tls_peer_sha256(const struct tls *t, uint8_t out[32]);

/* "TLSv1.2" or "TLSv1.3", and the suite; fixed texts, once the handshake is done. */
const char *tls_version(const struct tls *t);
const char *tls_suite(const struct tls *t);

#endif
