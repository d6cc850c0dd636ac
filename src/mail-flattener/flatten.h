/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flattening: one message in, one message of plain text out, and a receipt that says what was done.
 * The same code serves the sandboxed process and `sekisho flatten`. No system calls; the same input
 * and policy give the same bytes.
 */
#ifndef SEKISHO_MAIL_FLATTENER_FLATTEN_H
#define SEKISHO_MAIL_FLATTENER_FLATTEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/sha256.h"
#include "policy/mail_policy.h"

#define FLATTEN_VERSION  "1"
#define FLATTEN_ID_BYTES 20 /* of a receipt id, without NUL */
#define FLATTEN_OUTPUT_BYTES                                                                       \
	(16U << 20) /* of text, beyond the size of the message: what is more is cut, and said so   \
		     */
#define FLATTEN_TRAILER_BYTES (1U << 20) /* and what the gateway says at the end, beyond that */
#define FLATTEN_PART_BYTES                                                                         \
	(32U << 20) /* of one decoded part: a larger one is listed without a look inside */
#define FLATTEN_FILES_BYTES(message_bytes)                                                         \
	((1U << 20) + 2 * (message_bytes)) /* of the parts of files that go on */
#define FLATTEN_LISTED_MAX 200             /* attachments that are described one by one */
#define FLATTEN_LIST_BYTES                                                                         \
	(256U << 10)               /* of their descriptions: further attachments are only counted */
#define FLATTEN_MAILBOXES_MAX  100 /* mailboxes of one field that are written */
#define FLATTEN_REFERENCES_MAX 20  /* message ids of one field that are written */
#define FLATTEN_SUBJECT_BYTES  600 /* of a subject: what is more is cut, with an ellipsis */
#define FLATTEN_NAME_BYTES     240 /* of a display name or a file name, likewise */

struct flatten_policy {
	bool english;           /* notices in English instead of Japanese */
	bool defang;            /* links as hxxps:// */
	bool refuse_ambiguous;  /* refuse what can be read in two ways, instead of saying so */
	const char *host_name;  /* of the gateway, for Received: letters, digits, dots, hyphens */
	int64_t received_s;     /* when it was received, seconds since 1970 */
	int32_t offset_minutes; /* of the local clock */
	struct span envelope_from;      /* the reverse path; empty where it is not known */
	const struct mail_policy *mail; /* rules for mail that leaves; NULL: none */
};

struct flatten_result {
	const char *reason; /* of a refusal: fixed text, or @detail; NULL where it was flattened */
	uint32_t refusal;   /* enum flatten_refusal, with @reason */
	uint32_t dropped_count; /* attachments and parts removed */
	uint32_t passed_count;  /* attachments that go on as files */
	char receipt[FLATTEN_ID_BYTES + 4];
	uint8_t sha256_input[SHA256_BYTES];
	uint8_t sha256_output[SHA256_BYTES];
	char detail[116]; /* a refusal that names a label of the policy */
};

/**
 * flatten_message - flatten one message
 * @message: as received, CRLF or LF; borrowed
 * @out:     receives the flattened message with LF line ends; empty before. Text, and behind it
 *           files, where the entry of @policy lets them leave
 * @receipt: receives the receipt, one JSON object and a line end; empty before
 * Return: 0; -ERR_DENIED where the message is refused (@result->reason and the receipt say why,
 * @out is empty); -ERR_NO_MEMORY.
 */
int flatten_message(struct span message, const struct flatten_policy *policy, struct bytes *out,
		    struct bytes *receipt, struct flatten_result *result);

#endif
