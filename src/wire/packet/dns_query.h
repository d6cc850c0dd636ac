/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads one DNS query: is it one, and for which name? Nothing may hide beside the question. */
#ifndef SEKISHO_WIRE_PACKET_DNS_QUERY_H
#define SEKISHO_WIRE_PACKET_DNS_QUERY_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define DNS_QUERY_BYTES_MAX 1232 /* of a query, without the length that TCP puts before it */
#define DNS_NAME_BYTES_MAX  253  /* as text without the final dot (RFC 1035 2.3.4) */

struct dns_query {
	uint16_t id;
	uint16_t type;
	size_t name_bytes; /* 0: the root */
	char name[DNS_NAME_BYTES_MAX + 1];
};

/**
 * dns_query_read - read a whole query as it stands in a datagram
 * @out: undefined after an error
 * Return: 0; -ERR_UNSUPPORTED where it is another kind of message (an answer, an update, a zone
 * transfer over UDP is not told apart); -ERR_SYNTAX where it contradicts RFC 1035 4.1, has other
 * records than one OPT (RFC 6891), bytes behind its end, or a name of other bytes than letters,
 * digits, hyphens and underscores; -ERR_TOO_LONG past a limit above; -ERR_TRUNCATED where it is
 * cut.
 */
int dns_query_read(struct dns_query *out, const void *message, size_t message_bytes);

/**
 * dns_query_read_stream - the same for the first query of a TCP connection (RFC 1035 4.2.2)
 * Return: as dns_query_read; -ERR_TRUNCATED where more must come.
 */
int dns_query_read_stream(struct dns_query *out, const void *stream, size_t stream_bytes);

/**
 * dns_answer_read - read the header and the question of an answer; its records are not looked at
 * @out: the question; the root where the answer repeats none
 * Return: as dns_query_read.
 */
int dns_answer_read(struct dns_query *out, const void *message, size_t message_bytes);

#endif
