/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One mail session's client half: answers the receiver's questions by asking the next hop. */
#ifndef SEKISHO_MAIL_SENDER_SENDER_H
#define SEKISHO_MAIL_SENDER_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/channel.h"
#include "base/event.h"
#include "base/loop.h"
#include "channel/control.h"
#include "channel/mail.h"
#include "mail-sender/flat.h"
#include "mail-sender/verdict.h"
#include "policy/mail_policy.h"
#include "tls/stream.h"
#include "wire/smtp/reply.h"

#define HOP_IN_BYTES      4096
#define SENDER_ROOM_BYTES 65536 /* of the flattened message, read at a time */
/* Connections of one session; afterwards all next hops count as down. The supervisor would end us
 * at 64. */
#define HOP_CONNECTS_MAX 48
#define HOP_OUT_BYTES    65536 /* of a message wait to be written at a time */
/* More than a flattener ever writes beyond the size of its message (FLATTEN_OUTPUT_BYTES), */
#define FLAT_EXTRA_BYTES (17U << 20)
/* and how often that size where files leave, which makes base64 of all (FLATTEN_FILES_BYTES). */
#define FLAT_FILES_TIMES 4

/*
 * Shorter than RFC 5321 4.5.3.2 lets a client wait, where the peer itself is waiting for us
 * meanwhile: 5 minutes for MAIL and RCPT, 10 behind the final dot. See
 * docs/adr/0602-mail-deadlines.md.
 */
#define HOP_CONNECT_MS    20000
#define HOP_GREETING_MS   60000
#define HOP_COMMAND_MS    120000
#define HOP_RECIPIENT_MS  270000
#define HOP_BLOCK_MS      180000 /* 4.5.3.2.5: for some of the message to be taken */
#define HOP_DOT_MS        400000
#define HOP_QUIT_MS       2000
#define SENDER_OPEN_MS    280000 /* from FROM to its answer, over all next hops */
#define SENDER_FLATTEN_MS 120000 /* from MESSAGE to the whole flattened message */

enum hop_state {
	HOP_NONE,  /* no connection */
	HOP_ASKED, /* the supervisor was asked for one */
	HOP_CONNECTING,
	HOP_GREETING,
	HOP_EHLO,
	HOP_STARTTLS,  /* it was asked for TLS */
	HOP_HANDSHAKE, /* not a word until TLS stands */
	HOP_HELO,
	HOP_IDLE, /* ready for a command; a transaction may be open */
	HOP_MAIL,
	HOP_RCPT,
	HOP_STRAY, /* the answer to a RCPT that was sent with a MAIL which was refused */
	HOP_DATA,  /* from here to HOP_DOT the flattened message is being sent */
	HOP_BODY,  /* the message is being written */
	HOP_DOT,   /* the final dot may have been read: the next hop decides */
	HOP_RSET,
	HOP_QUIT,
	HOP_STATE_COUNT_
};

/* The connection to a next hop. */
struct hop {
	enum hop_state state;
	struct loop_fd fd;
	struct stream stream; /* over fd */
	struct loop_timer deadline;
	uint32_t connect_count; /* connections asked for in this session */
	uint32_t target;        /* index among the entry's next hops */
	bool used;              /* a transaction was tried on this connection before */
	bool open;              /* a transaction is open there */
	bool paired;            /* RCPT was sent together with MAIL */
	uint32_t extensions;    /* enum smtp_extension */
	uint64_t size_limit;
	struct smtp_reply reply;
	size_t in_bytes;
	uint8_t in[HOP_IN_BYTES];
	struct bytes out;
	size_t out_at;
};

/* What a connection was when it was lost. */
struct hop_loss {
	enum hop_state state;
	bool used;
	bool open;
	const char *why; /* fixed text */
};

/* States of the link: what the receiver may send. */
enum link_state {
	LINK_FREE, /* FROM */
	LINK_OPEN, /* TO, MESSAGE, RESET: a transaction is open */
	LINK_MORE, /* TO, which goes with the FROM before it */
	LINK_ASKED /* nothing but END: it waits for our answer */
};

enum question { ASK_NONE, ASK_FROM, ASK_TO, ASK_MESSAGE };

/* What the supervisor sent of the message that is being flattened. */
struct incoming {
	uint64_t message; /* 0: none */
	struct loop_fd pipe;
	bool pipe_ended;
	bool flattened; /* @result has come */
	struct control_flattened result;
	bool scanned; /* @scan has come */
	struct control_scanned scan;
	struct flat flat;
};

struct sender {
	/* given by the caller before sender_start, borrowed */
	struct loop *loop;
	struct event_client *events;
	struct channel *control;
	const struct mail_policy *policy;
	uint32_t session;
	int authority_fd; /* what next hops are verified with; -1: none */

	struct channel link;
	struct loop_fd link_fd;
	struct loop_timer patience; /* for the open question */
	enum question question;
	struct mail_path asked;  /* ASK_FROM, ASK_TO */
	struct mail_path second; /* the recipient that came with ASK_FROM, while @follows */
	bool follows;
	uint32_t transaction;
	uint64_t message; /* ASK_MESSAGE */
	uint32_t recipient_count;
	bool lost;   /* the transaction went with its connection */
	bool ending; /* the receiver has gone */
	bool ended;
	struct hop hop;
	struct incoming incoming;
	struct flat_wire wire;
	uint8_t room[SENDER_ROOM_BYTES]; /* not on the stack, of which all would be touched */
};

/**
 * sender_start - serve the link from the loop; loop_stop is called when the session has ended
 * @link_fd: channel to mail-receiver; taken
 * Return: 0 or -ERR_NO_SPACE (loop).
 */
int sender_start(struct sender *s, int link_fd);
/* The supervisor asks for an end: as if the receiver had gone. */
void sender_stop(struct sender *s);
void sender_fini(struct sender *s);

/* Messages of the control channel; a negative return ends the process. */
int sender_on_connected(struct sender *s, const struct control_connected *connected, int *fd);
int sender_on_message(struct sender *s, const struct control_flatten *message, int *pipe_fd);
int sender_on_flattened(struct sender *s, const struct control_flattened *result);
int sender_on_scanned(struct sender *s, const struct control_scanned *scan);

/* ---- between the parts of this directory ---- */

/* sender.c: answer the open question. */
void sender_answer(struct sender *s, enum mail_verdict verdict);
void sender_end(struct sender *s);

/* dialogue.c: work on the open question as far as the connection's state allows. */
void dialogue_advance(struct sender *s);
/* A complete reply of the next hop. */
void dialogue_on_reply(struct sender *s, const struct smtp_reply *reply);
/* The connection has gone. */
void dialogue_on_loss(struct sender *s, const struct hop_loss *loss);

/* hop.c: the connection itself. */
void hop_open(struct sender *s, uint32_t target);
int hop_connected(struct sender *s, const struct control_connected *connected, int *fd);
/* Put a command behind what waits to be sent; hop_send sends it. */
void hop_prepare(struct sender *s, const char *command, struct span argument, const char *tail);
void hop_send(struct sender *s, enum hop_state state);
/* Send one command; @argument may be empty. The reply is awaited in @state. */
void hop_command(struct sender *s, enum hop_state state, const char *command, struct span argument,
		 const char *tail);
/* Send s->wire; the final reply is awaited in HOP_DOT. */
void hop_send_message(struct sender *s);
void hop_set_state(struct sender *s, enum hop_state state);
/* Ask the loop for what the connection waits for. */
void hop_watch(struct sender *s);
/* Drop the connection without a word. */
void hop_close(struct sender *s);
/* Drop it and tell dialogue_on_loss. */
void hop_lose(struct sender *s, const char *why);

/* secure.c: TLS with the next hop (RFC 3207). */
/* Whether nothing but STARTTLS may be said now. */
bool secure_is_due(const struct sender *s);
/* Ask for TLS, or give the next hop up where it does not offer it. */
void secure_begin(struct sender *s);
/* Its answer; the handshake follows where it is yes. */
void secure_on_reply(struct sender *s, const struct smtp_reply *reply);
/* Go on with the handshake, in HOP_HANDSHAKE. */
void secure_shake(struct sender *s);

/* message.c: the flattened message. */
void message_drop(struct sender *s);
/* ASK_MESSAGE: answers, or starts DATA, as soon as that can be said. */
void message_advance(struct sender *s);
void message_report(struct sender *s, enum event_id event, const char *reason);

#endif
