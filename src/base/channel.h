/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Typed messages over SOCK_SEQPACKET socketpairs. A receiver has one static table of what it
 * accepts; anything else (type, size, number of descriptors, state) is the peer's fault: all
 * descriptors are closed and -ERR_PEER returned.
 */
#ifndef SEKISHO_BASE_CHANNEL_H
#define SEKISHO_BASE_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#define CHANNEL_BODY_MAX  8208 /* bytes of one message's body: a record of the log and its head */
#define CHANNEL_FDS_MAX   32   /* descriptors that one message may carry */
#define CHANNEL_ANY_STATE UINT32_MAX

struct channel_message {
	uint16_t type;
	uint16_t fd_count;
	uint32_t body_bytes;
	const void *body; /* aligned to 16; valid until the next receive on this channel */
	int *fds;         /* fd_count descriptors; a handler that keeps one sets its slot to -1 */
};

struct channel;

struct channel_rule {
	uint16_t type;
	uint16_t fds_min, fds_max;
	uint32_t body_min, body_max; /* equal for the usual fixed-size struct */
	uint32_t states;             /* bit mask of (1u << state) in which the message is allowed */
	/* Return 0, or a negative error: then channel_serve returns it. Body and fds are borrowed.
	 */
	int (*handle)(struct channel *ch, void *ctx, const struct channel_message *message);
	const char *name; /* for events: fixed text */
};

/* The sizes and states of a rule for exactly one struct @type, in any state. */
#define CHANNEL_EXACTLY(type) sizeof(struct type), sizeof(struct type), CHANNEL_ANY_STATE

struct channel {
	int fd;
	unsigned state; /* 0..31, the receiver's own */
	const struct channel_rule *rules;
	size_t rule_count;
	void *ctx;
};

/**
 * channel_pair - make a connected pair, close-on-exec, non-blocking
 * Return: 0 or -ERR_SYSTEM.
 */
int channel_pair(int fds[2]);

void channel_init(struct channel *ch, int fd, const struct channel_rule *rules, size_t rule_count,
		  void *ctx);
/* Close the descriptor; the struct may be initialised again. */
void channel_fini(struct channel *ch);

/**
 * channel_send - send one message; never blocks
 * @fds: borrowed: the caller still closes its own; may be NULL with @fd_count 0
 * Return: 0; -ERR_AGAIN where the queue is full (nothing was sent); -ERR_CLOSED where the peer has
 * gone; -ERR_TOO_LONG; -ERR_SYSTEM.
 */
int channel_send(struct channel *ch, uint16_t type, const void *body, size_t body_bytes,
		 const int *fds, size_t fd_count);

/* As channel_send, but waits for room at most @wait_ms; then -ERR_TIMEOUT. */
int channel_send_wait(struct channel *ch, uint16_t type, const void *body, size_t body_bytes,
		      const int *fds, size_t fd_count, int wait_ms);

/**
 * channel_serve - receive and dispatch every message that waits, at most @most
 * Return: the number handled (0..most); -ERR_CLOSED when the peer has gone; -ERR_PEER when it broke
 * the table (the name of the violation is at *@why, fixed text); a handler's error; -ERR_SYSTEM.
 */
int channel_serve(struct channel *ch, int most, const char **why);

/* Overwrite the body of a message that held a secret, once its handler is done with it. */
void channel_wipe(const struct channel_message *message);

/**
 * channel_receive - one message of type @type exactly, waiting at most @wait_ms; for the start-up
 * handshake
 * @fds: receives up to @fd_capacity descriptors, owned by the caller; *@fd_count is set
 * Return: 0, -ERR_TIMEOUT, -ERR_CLOSED, -ERR_PEER or -ERR_SYSTEM.
 */
int channel_receive(struct channel *ch, uint16_t type, void *body, size_t body_bytes, int *fds,
		    size_t fd_capacity, size_t *fd_count, int wait_ms);

#endif
