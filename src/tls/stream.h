/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connected socket that may turn to TLS on the way (STARTTLS): the same calls before and behind.
 */
#ifndef SEKISHO_TLS_STREAM_H
#define SEKISHO_TLS_STREAM_H

#include <sys/uio.h>

#include "tls/tls.h"

struct stream {
	int fd;              /* connected, non-blocking; -1: none. Borrowed. */
	struct tls *tls;     /* NULL: plain text */
	struct tls *next;    /* prepared; the first stream_handshake takes it up */
	bool shaking;        /* the handshake is not done */
	uint64_t sent_bytes; /* in plain text */
	short waits; /* for what the last call found not ready; 0: nothing out of the ordinary */
};

/* Start on a plain socket. */
void stream_init(struct stream *s, int fd);
/* Free the session, if any; closes nothing. */
void stream_fini(struct stream *s);

/**
 * stream_prepare_tls - make ready for TLS, which begins with the first stream_handshake; until then
 * everything is plain text, so that "go ahead" can still be said
 * Return: as tls_new, with @fault.
 */
int stream_prepare_tls(struct stream *s, const struct tls_settings *settings,
		       enum tls_fault *fault);

/* Begin or go on with the handshake. Return: as tls_handshake. */
int stream_handshake(struct stream *s);

/**
 * stream_read - what has come
 * Return: octets; 0 the end; -ERR_AGAIN; -ERR_CLOSED: lost, or cut off under TLS.
 */
ssize_t stream_read(struct stream *s, void *data, size_t size);
/* As stream_read, into one part behind the other; for a stream without TLS (stream_is_plain). */
ssize_t stream_read_parts(struct stream *s, struct iovec *parts, size_t count);
bool stream_is_plain(const struct stream *s);
/* Return: octets taken, -ERR_AGAIN (offer the same again: tls_write) or -ERR_CLOSED. */
ssize_t stream_write(struct stream *s, const void *data, size_t size);

/* Octets given to the socket so far, in plain text and under TLS, with what TLS adds. */
uint64_t stream_sent_bytes(const struct stream *s);

/* Octets that stream_read would give although poll(2) may not tell. */
size_t stream_pending(const struct stream *s);

/**
 * stream_events - what to poll for
 * @reading, @writing: what the owner wants to do
 */
short stream_events(const struct stream *s, bool reading, bool writing);

/* Say that nothing more will be written: close_notify under TLS, then FIN. */
void stream_end(struct stream *s);

#endif
