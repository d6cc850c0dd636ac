/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One SMTP session as server: strict, synchronous with the next hop, and the owner of nothing but
 * its buffers. */
#ifndef SEKISHO_MAIL_RECEIVER_RECEIVER_H
#define SEKISHO_MAIL_RECEIVER_RECEIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/channel.h"
#include "base/event.h"
#include "base/loop.h"
#include "channel/control.h"
#include "mail-receiver/answers.h"
#include "policy/mail_policy.h"
#include "tls/stream.h"
#include "wire/smtp/command.h"
#include "wire/smtp/data.h"

#define RECEIVER_IN_BYTES 16384
#define RECEIVER_OUT_BYTES                                                                         \
	8192 /* replies of a pipelined group wait here; no command is read while it is half full   \
	      */
#define RECEIVER_ERRORS_MAX    10      /* refused commands, then 421 */
#define RECEIVER_ERRORS_FREE   3       /* refused commands that are answered without delay */
#define RECEIVER_UNKNOWN_MAX   50      /* refused recipients, then 421 */
#define RECEIVER_IDLE_MAX      100     /* commands without a message between them, then 421 */
#define RECEIVER_MAILS_MAX     1000    /* messages of one connection, then 421 */
#define RECEIVER_TARPIT_MS     1000    /* more for each error past the free ones */
#define RECEIVER_COMMAND_MS    300000  /* RFC 5321 4.5.3.2.7: at least 5 minutes */
#define RECEIVER_DATA_MS       180000  /* RFC 5321 4.5.3.2.5: between two segments */
#define RECEIVER_DATA_TOTAL_MS 1800000 /* for one message, however it trickles */
#define RECEIVER_ASK_MS        290000  /* the peer waits 5 minutes for MAIL and RCPT: 4.5.3.2.2 */
#define RECEIVER_DELIVER_MS    590000  /* the peer waits 10 minutes after the dot: 4.5.3.2.6 */
#define RECEIVER_HANDSHAKE_MS  60000   /* from STARTTLS to the session under TLS */
#define RECEIVER_LINGER_MS     5000    /* for the peer to read the last reply */
#define RECEIVER_RETRY_MS      5       /* until a message can be given to the supervisor */

enum receiver_phase {
	PHASE_CONNECTED, /* before EHLO or HELO */
	PHASE_READY,
	PHASE_SENDER,     /* MAIL was accepted */
	PHASE_RECIPIENT,  /* so was at least one RCPT */
	PHASE_ASK_SENDER, /* the sender process was asked; the peer waits */
	PHASE_ASK_RECIPIENT,
	PHASE_DATA,
	PHASE_DELIVER,   /* the final dot was read; nothing is decided yet */
	PHASE_HANDSHAKE, /* STARTTLS was accepted; nothing is read as SMTP until TLS stands */
	PHASE_CLOSING,   /* the last reply is on its way */
	PHASE_COUNT_
};

struct receiver_transaction {
	uint32_t number;
	uint32_t recipient_count; /* accepted */
	uint32_t refused_count;   /* past the limit of recipients */
	struct control_envelope envelope;
};

struct receiver_counts {
	uint32_t delivered, deferred, refused; /* messages, by the last reply */
	uint32_t recipients_refused;
	uint32_t errors, idle_commands, mails;
	uint64_t bytes;
};

struct receiver {
	/* given by the caller before receiver_start, borrowed */
	struct loop *loop;
	struct event_client *events;
	struct channel *control;
	const struct mail_policy *policy;
	uint32_t session;
	uint8_t peer_family; /* 4 or 6 */
	uint8_t peer_addr[16];
	bool crowded;       /* nobody is held up for his errors: they end the session at once */
	int certificate_fd; /* chain and key, read only when TLS starts; -1: none */

	struct stream stream; /* over peer_fd */
	struct channel link;
	struct loop_fd peer_fd, link_fd;
	struct loop_timer deadline, data_total, tarpit, retry;
	enum receiver_phase phase;
	enum receiver_phase resume; /* phase behind a refused question */
	bool extended;              /* EHLO, not HELO */
	bool follows;               /* a RCPT was asked about together with MAIL */
	bool utf8;                  /* of the transaction: SMTPUTF8 (RFC 6531) */
	bool link_lost;
	bool stopping;    /* the supervisor asked for an end while the peer waits for an answer */
	bool half_closed; /* the last reply is out */
	bool ended;
	uint64_t started_ms;
	struct receiver_transaction transaction;
	struct receiver_counts counts;

	struct smtp_data data;
	int message_fd;      /* memfd of the message, -1: none */
	bool message_failed; /* it could not be written */

	size_t in_at; /* octets of @in that have been dealt with */
	size_t in_bytes, out_bytes;
	uint8_t in[RECEIVER_IN_BYTES];
	uint8_t out[RECEIVER_OUT_BYTES];
	uint8_t plain[SMTP_DATA_OUT_BYTES(RECEIVER_IN_BYTES)];
};

/**
 * receiver_start - greet the peer and serve it from the loop; loop_stop is called when the session
 * has ended
 * @peer_fd: accepted socket, non-blocking; taken
 * @link_fd: channel to mail-sender; taken
 * Return: 0 or -ERR_NO_SPACE (loop).
 */
int receiver_start(struct receiver *r, int peer_fd, int link_fd);

/* The supervisor asks for an end: 421 at once, or behind the answer that the peer waits for. */
void receiver_stop(struct receiver *r);

/* Close everything; emits the event that sums the session up. */
void receiver_fini(struct receiver *r);

/* ---- between the parts of this directory ---- */

/* session.c */
void receiver_set_phase(struct receiver *r, enum receiver_phase phase);
/* Whether a question to the sender is open: then nothing is read from the peer. */
bool receiver_is_asking(const struct receiver *r);
/* Queue one line of a reply; @mark is '-' where more lines follow. */
void receiver_reply_line(struct receiver *r, unsigned code, char mark, const char *text);
void receiver_reply(struct receiver *r, const struct answer_row *answer);
/* End at once, without a word. */
void receiver_end(struct receiver *r);
/* Queue the last reply and end the session when it is out. */
void receiver_close(struct receiver *r, enum answer answer);
/* A refused command: reply, count, delay; closes past the limit. */
void receiver_refuse(struct receiver *r, enum answer answer);
/* Send to the sender; where that fails the link is lost and the session closes. Return: whether it
 * was sent. */
bool receiver_tell(struct receiver *r, uint16_t type, const void *body, size_t body_bytes);
/* The link is gone: 451 to what the peer waits for, else 421. */
void receiver_lose_link(struct receiver *r);

/* commands.c */
void receiver_greet(struct receiver *r);
/* One complete line. */
void receiver_command(struct receiver *r, struct span line);
/* smtp_line_next failed with @err. */
void receiver_bad_line(struct receiver *r, int err);
/* The sender's answer to the open question. */
void receiver_on_answer(struct receiver *r, uint32_t verdict);
/* Forget the transaction here and at the sender. */
void receiver_reset(struct receiver *r);
void receiver_report(struct receiver *r, enum event_id event, enum answer answer);
struct event_arg receiver_peer_field(const struct receiver *r);

/* secure.c: TLS with the peer (RFC 3207) */
bool receiver_is_secured(const struct receiver *r);
/* Whether STARTTLS may be offered now. */
bool receiver_offers_tls(const struct receiver *r);
/* The command, without an argument. */
void receiver_start_tls(struct receiver *r);
/* Go on with the handshake, in PHASE_HANDSHAKE. Return: false where the session is lost. */
bool receiver_shake(struct receiver *r);

/* message.c */
int receiver_open_message(struct receiver *r);
/* Take a segment of DATA. Return: octets taken. */
size_t receiver_take_data(struct receiver *r, struct span in);
void receiver_drop_message(struct receiver *r);
/* Give the sealed message to the supervisor, now or by the retry timer. */
void receiver_hand_over(struct receiver *r);

#endif
