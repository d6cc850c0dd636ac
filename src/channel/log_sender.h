/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The link between audit, which keeps the log, and a log-sender, which holds one connection to one
 * syslog server. Audit hands records over, at most LOG_SENDER_WINDOW of them that are not written
 * yet; the log-sender says how far they have come. Whose end closes ends the connection. Audit
 * believes nothing beyond what it has handed over.
 *
 * A connection that is refused something (UDP: it stays) makes audit go back; what it had handed
 * over before is of an older run, and is not sent any more.
 */
#ifndef SEKISHO_CHANNEL_LOG_SENDER_H
#define SEKISHO_CHANNEL_LOG_SENDER_H

#include <stdint.h>

#define LOG_SENDER_WINDOW     64U
#define LOG_SENDER_TEXT_BYTES 64

enum log_sender_type {
	LOG_SENDER_RECORD = 1, /* audit -> log-sender: struct log_sender_record, then the record's
				  octets */
	LOG_SENDER_JOINED,     /* log-sender -> audit, struct log_sender_joined, once: the server
				  takes us. Streams: no record is handed over before */
	LOG_SENDER_REPORT,     /* log-sender -> audit, struct log_sender_report: it has changed */
	LOG_SENDER_REFUSED,    /* log-sender -> audit, struct log_sender_refused; for streams its
				  last word */
};

struct log_sender_record {
	uint64_t sequence;
	uint32_t run; /* counts from 1; grows where audit goes back */
	uint32_t pad;
};

/* NUL-terminated printable ASCII; both empty without TLS. */
struct log_sender_joined {
	char version[LOG_SENDER_TEXT_BYTES];
	char suite[LOG_SENDER_TEXT_BYTES];
};

struct log_sender_report {
	uint64_t taken;   /* records off this link: written to the transport, or of an older run */
	uint64_t reached; /* records of @run before this number have left for good, as far as the
			     transport can tell; 0: none */
	uint32_t run;
	uint32_t stuck; /* 1: at the last look the socket still held what it was given before */
};

/* Why TLS is to blame, besides enum tls_fault, whose values are below these. */
enum log_sender_blame {
	LOG_SENDER_UNFINISHED = 100, /* the handshake was not finished */
	LOG_SENDER_UNWANTED,         /* the server ended it behind the handshake */
};

struct log_sender_refused {
	uint64_t
		sequence; /* UDP: the first record that is said to be refused; 0: nothing says so */
	int32_t error;    /* errno */
	uint32_t blame;   /* enum tls_fault or log_sender_blame; 0: TLS is not to blame */
};

#endif
