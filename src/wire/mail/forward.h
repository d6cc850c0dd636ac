/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Marks that a mail was forwarded by a machine, not sent by its author (M4). */
#ifndef SEKISHO_WIRE_MAIL_FORWARD_H
#define SEKISHO_WIRE_MAIL_FORWARD_H

#include "base/buf.h"

#define MAIL_HOPS_MAX 30 /* Received fields: more are a loop (RFC 5321 6.3) */

/**
 * mail_forward_mark - find the first mark of automatic forwarding
 * @header:	   all fields of the message, raw; borrowed
 * @envelope_from: the reverse path without brackets; empty for the null path
 * Known are: Auto-Submitted and Autoforwarded that say so (RFC 2156 5.3.6), the fields of a
 * redirection (RFC 5322 3.6.6), fields that servers add when they forward or deliver (the message
 * had arrived once already), the gateway's own fields, more than MAIL_HOPS_MAX hops, and a reverse
 * path that a forwarder rewrote. X-Forwarded-Message-Id is none: mail programs write it when a
 * person forwards by hand.
 * Return: what was found, fixed text; NULL where there is nothing.
 */
const char *mail_forward_mark(struct span header, struct span envelope_from);

/**
 * mail_forward_loop - find the mark of a mail that goes in circles
 * @header: all fields of the message, raw; borrowed
 * @own:    whether the gateway's own field is such a mark: where mail leaves, it is. Of what comes
 *	    in, a mailing list outside may have brought it back to others, once.
 * Return: what was found, fixed text: more than MAIL_HOPS_MAX hops, or that field; NULL where there
 * is nothing.
 */
const char *mail_forward_loop(struct span header, bool own);

#endif
