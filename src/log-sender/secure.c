/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RFC 5425: what a stream under TLS does beyond one in plain text. The server must show a
 * certificate of a loaded authority for its configured name or address; there is no way around it.
 */
#include "log-sender/transport.h"

#include "tls/pem.h"

/* All of a file; nothing without one. Return: as tls_pem_read. */
static int read_pem(int fd, struct bytes *pem)
{
	return fd >= 0 ? tls_pem_read(fd, pem) : 0;
}

enum tls_fault transport_prepare_tls(struct transport *t)
{
	struct tls_settings settings = {.side = TLS_CLIENT, .peer_name = t->wish.peer};
	enum tls_fault fault = TLS_FAULT_AUTHORITY;
	struct bytes authorities, identity;
	int err;

	bytes_init(&authorities, TLS_PEM_BYTES_MAX);
	bytes_init(&identity, TLS_PEM_BYTES_MAX);
	err = read_pem(t->wish.authority_fd, &authorities);
	if (err == 0) {
		fault = TLS_FAULT_IDENTITY;
		err = read_pem(t->wish.identity_fd, &identity);
	}
	if (err == 0) {
		settings.authorities = bytes_span(&authorities);
		settings.identity = bytes_span(&identity);
		err = stream_prepare_tls(&t->stream.link, &settings, &fault);
	}
	tls_wipe(&identity);
	bytes_fini(&authorities);
	return err < 0 ? fault : TLS_FAULT_NONE;
}

uint32_t transport_blame(const struct transport *t)
{
	const struct tls *tls = t->stream.link.tls;
	enum tls_fault fault = tls != NULL ? tls_fault(tls) : TLS_FAULT_NONE;
	bool trying = t->phase != TRANSPORT_JOINED;

	if (fault != TLS_FAULT_NONE && (fault != TLS_FAULT_CUT || trying))
		return fault;
	if (t->phase == TRANSPORT_SHAKING)
		return LOG_SENDER_UNFINISHED;
	return t->phase == TRANSPORT_SETTLING ? (uint32_t)LOG_SENDER_UNWANTED : 0;
}
