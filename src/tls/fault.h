/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes wrong with TLS, as a code; for those who tell of it, too, and have no TLS themselves.
 */
#ifndef SEKISHO_TLS_FAULT_H
#define SEKISHO_TLS_FAULT_H

/* Why a session cannot be, or ended. */
enum tls_fault {
	TLS_FAULT_NONE,
	TLS_FAULT_IDENTITY,    /* our own certificate or key cannot be used */
	TLS_FAULT_AUTHORITY,   /* the certificates to verify against cannot be used */
	TLS_FAULT_VERSION,     /* no common version */
	TLS_FAULT_SUITE,       /* no common suite, group or signature algorithm */
	TLS_FAULT_NO_CERT,     /* the peer showed no certificate */
	TLS_FAULT_EXPIRED,     /* its certificate holds no more */
	TLS_FAULT_NOT_YET,     /* ... or not yet: by our clock */
	TLS_FAULT_NAME,        /* its certificate is for another name */
	TLS_FAULT_UNTRUSTED,   /* no authority that we know has signed it */
	TLS_FAULT_WEAK,        /* its key or a signature is too weak */
	TLS_FAULT_CERTIFICATE, /* anything else about it */
	TLS_FAULT_ALERT,       /* the peer ended the session with an alert */
	TLS_FAULT_PROTOCOL,    /* what came was not TLS, or broke its rules */
	TLS_FAULT_CUT,         /* the connection ended without close_notify */
	TLS_FAULT_MEMORY,
	TLS_FAULT_COUNT_
};

/* Fixed text for an event. */
const char *tls_fault_text(enum tls_fault fault);

#endif
