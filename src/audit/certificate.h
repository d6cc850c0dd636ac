/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The certificate of a wipe (L5, ADR 609): what the supervisor says of the order, with what audit
 * knows, signed by the device's key while there is one. Before, the record of the order has
 * ZEROISE_SEND_MS to leave for the syslog servers: what is not sent by then never will be.
 *
 * What is signed (Ed25519, RFC 8032) is the text from its first line, which is that of nothing else
 * that the key signs, to the line feed behind the key:
 *
 *   sekisho zeroise
 *   host NAME
 *   ...                            the order's lines
 *   syslog-servers-sent-to R of N  destinations_reached: a UDP server acknowledges nothing
 *   device-key HEX                 or "none"
 */
#ifndef SEKISHO_AUDIT_CERTIFICATE_H
#define SEKISHO_AUDIT_CERTIFICATE_H

#include "audit/destinations.h"
#include "audit/device_key.h"
#include "audit/record.h"
#include "audit/store.h"
#include "base/channel.h"
#include "base/loop.h"
#include "channel/zeroise.h"

struct certificate {
	struct loop *loop;
	struct channel *control;
	const struct store *store;
	const struct record_form *form;
	const struct destinations *destinations;
	const struct device_key *key;
	struct loop_timer timer;
	struct control_certify order; /* number 0: none waits */
	uint64_t sequence;            /* records before it are to leave */
	uint64_t until_ms;            /* monotonic */
};

/* All that the log holds is on the disk: wait for it to leave, then answer @order. */
void certificate_begin(struct certificate *c, const struct control_certify *order);

/**
 * certificate_print - the text and its signature
 * @text: the order's lines, NUL-terminated
 * Return: 0, @out NUL-terminated; -ERR_TOO_LONG.
 */
int certificate_print(const struct certificate *c, const char *text, unsigned reached,
		      char out[ZEROISE_CERTIFICATE_BYTES]);

#endif
