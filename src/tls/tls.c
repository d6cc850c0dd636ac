/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS sessions by mbedTLS: its settings in one place, its results as our codes. */
#include "tls/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>
#include <mbedtls/ssl.h>
#include <poll.h>
#include <psa/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "base/err.h"
#include "tls/pem.h"

struct tls {
	mbedtls_ssl_context ssl;
	mbedtls_ssl_config config;
	struct tls_identity identity; /* our own; client: empty where it shows none */
	mbedtls_x509_crt authorities; /* that the peer is verified against */
	int fd;
	enum tls_side side;
	enum tls_fault fault;
	short events;
	bool closed;
	size_t writing_bytes; /* offered to a call that did not finish */
	size_t call_bytes;    /* read from the socket by the running call */
	uint64_t sent_bytes;
	uint8_t address[16];  /* client: that the certificate must be for */
	size_t address_bytes; /* 4 or 16; 0: it is a name */
};

/* Strongest first. Each has forward secrecy and authenticated encryption. */
static const int suites[] = {
	MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
	MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	0,
};

static const uint16_t groups[] = {
	MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
	MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
	MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
	MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
};

static const uint16_t signatures[] = {
	MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256, MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
	MBEDTLS_TLS1_3_SIG_ECDSA_SECP521R1_SHA512, MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
	MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,    MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,
	MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,       MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
	MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,       MBEDTLS_TLS1_3_SIG_NONE,
};

/* ---- what the library asks of us ---- */

int tls_random(void *ctx, unsigned char *out, size_t size)
{
	(void)ctx;
	while (size > 0) {
		ssize_t n = getrandom(out, size, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return MBEDTLS_ERR_ERROR_GENERIC_ERROR;
		out += n;
		size -= (size_t)n;
	}
	return 0;
}

static int socket_send(void *ctx, const unsigned char *data, size_t size)
{
	struct tls *t = ctx;
	ssize_t n = send(t->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n >= 0) {
		t->sent_bytes += (uint64_t)n;
		return (int)n;
	}
	return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_WRITE
						 : MBEDTLS_ERR_SSL_CONN_EOF;
}

static int socket_receive(void *ctx, unsigned char *data, size_t size)
{
	struct tls *t = ctx;
	ssize_t n = 0;

	if (t->call_bytes >= TLS_CALL_BYTES)
		return MBEDTLS_ERR_SSL_WANT_READ; /* poll(2) tells of it at once */
	n = recv(t->fd, data, size, MSG_DONTWAIT);
	if (n >= 0) {
		t->call_bytes += (size_t)n;
		return (int)n; /* 0 is the end */
	}
	return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_READ
						 : MBEDTLS_ERR_SSL_CONN_EOF;
}

/* ---- results ---- */

static const struct {
	uint32_t flags; /* of the library's verification */
	enum tls_fault fault;
} verify_faults[] = {
	/* The first that matches is told: an unknown authority makes all else meaningless. */
	{MBEDTLS_X509_BADCERT_MISSING, TLS_FAULT_NO_CERT},
	{MBEDTLS_X509_BADCERT_NOT_TRUSTED, TLS_FAULT_UNTRUSTED},
	{MBEDTLS_X509_BADCERT_EXPIRED, TLS_FAULT_EXPIRED},
	{MBEDTLS_X509_BADCERT_FUTURE, TLS_FAULT_NOT_YET},
	{MBEDTLS_X509_BADCERT_CN_MISMATCH, TLS_FAULT_NAME},
	{MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY,
	 TLS_FAULT_WEAK},
};

static enum tls_fault verify_fault(const struct tls *t)
{
	uint32_t flags = mbedtls_ssl_get_verify_result(&t->ssl);

	for (size_t i = 0; i < sizeof(verify_faults) / sizeof(verify_faults[0]); i++) {
		if (flags != UINT32_MAX && (flags & verify_faults[i].flags) != 0)
			return verify_faults[i].fault;
	}
	return TLS_FAULT_CERTIFICATE;
}

static const struct {
	int result;
	enum tls_fault fault;
} result_faults[] = {
	{MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, TLS_FAULT_VERSION},
	{MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE, TLS_FAULT_SUITE},
	{MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE, TLS_FAULT_NO_CERT},
	{MBEDTLS_ERR_SSL_BAD_CERTIFICATE, TLS_FAULT_CERTIFICATE},
	{MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, TLS_FAULT_ALERT},
	{MBEDTLS_ERR_SSL_CONN_EOF, TLS_FAULT_CUT},
	{MBEDTLS_ERR_SSL_ALLOC_FAILED, TLS_FAULT_MEMORY},
};

static enum tls_fault result_fault(const struct tls *t, int result)
{
	if (result == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED)
		return verify_fault(t);
	for (size_t i = 0; i < sizeof(result_faults) / sizeof(result_faults[0]); i++) {
		if (result == result_faults[i].result)
			return result_faults[i].fault;
	}
	return TLS_FAULT_PROTOCOL;
}

/* A negative result of the library as ours. */
static int conclude(struct tls *t, int result)
{
	if (result == MBEDTLS_ERR_SSL_WANT_READ || result == MBEDTLS_ERR_SSL_WANT_WRITE) {
		t->events = result == MBEDTLS_ERR_SSL_WANT_READ ? POLLIN : POLLOUT;
		return -ERR_AGAIN;
	}
	if (t->fault == TLS_FAULT_NONE)
		t->fault = result_fault(t, result);
	return -ERR_PEER;
}

/* ---- sessions ---- */

void tls_prepare(void)
{
	time_t now = 0;
	struct tm tm = {0};

	(void)gmtime_r(&now, &tm); /* for what it opens, once */
}

static void set_common(struct tls *t)
{
	mbedtls_ssl_config *c = &t->config;

	mbedtls_ssl_conf_min_tls_version(c, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_max_tls_version(c, MBEDTLS_SSL_VERSION_TLS1_3);
	mbedtls_ssl_conf_tls13_key_exchange_modes(c,
						  MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL);
	mbedtls_ssl_conf_ciphersuites(c, suites);
	mbedtls_ssl_conf_groups(c, groups);
	mbedtls_ssl_conf_sig_algs(c, signatures);
	mbedtls_ssl_conf_renegotiation(c, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
	mbedtls_ssl_conf_legacy_renegotiation(c, MBEDTLS_SSL_LEGACY_NO_RENEGOTIATION);
	mbedtls_ssl_conf_rng(c, tls_random, NULL);
}

/* Whoever shows no certificate of one of these authorities does not get past the handshake. */
static int require_certificate(struct tls *t, struct span authorities)
{
	int err = tls_authorities_parse(&t->authorities, authorities);

	if (err < 0) {
		t->fault = TLS_FAULT_AUTHORITY;
		return err;
	}
	mbedtls_ssl_conf_authmode(&t->config, MBEDTLS_SSL_VERIFY_REQUIRED);
	mbedtls_ssl_conf_ca_chain(&t->config, &t->authorities, NULL);
	return 0;
}

static int set_identity(struct tls *t, struct span pem)
{
	enum tls_defect defect = TLS_DEFECT_NONE;
	int err = tls_identity_parse(&t->identity, pem, &defect);

	if (err < 0) {
		t->fault = TLS_FAULT_IDENTITY;
		return err;
	}
	return mbedtls_ssl_conf_own_cert(&t->config, &t->identity.chain, &t->identity.key) != 0
		       ? -ERR_NO_MEMORY
		       : 0;
}

static int set_server(struct tls *t, const struct tls_settings *settings)
{
	int err = set_identity(t, settings->identity);

	if (err < 0)
		return err;
	mbedtls_ssl_conf_preference_order(&t->config, MBEDTLS_SSL_SRV_CIPHERSUITE_ORDER_SERVER);
	mbedtls_ssl_conf_new_session_tickets(&t->config, 0);
	mbedtls_ssl_conf_authmode(&t->config, MBEDTLS_SSL_VERIFY_NONE);
	return settings->authorities.size > 0 ? require_certificate(t, settings->authorities) : 0;
}

static int set_client(struct tls *t, const struct tls_settings *settings)
{
	if (settings->peer_name == NULL || settings->peer_name[0] == '\0') {
		t->fault = TLS_FAULT_AUTHORITY;
		return -ERR_SYNTAX;
	}
	mbedtls_ssl_conf_session_tickets(&t->config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
	if (settings->identity.size > 0) {
		int err = set_identity(t, settings->identity);

		if (err < 0)
			return err;
	}
	return require_certificate(t, settings->authorities);
}

static bool is_for_address(const struct tls *t, const mbedtls_x509_crt *certificate)
{
	for (const mbedtls_x509_sequence *n = &certificate->subject_alt_names; n != NULL;
	     n = n->next) {
		if ((n->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) == MBEDTLS_X509_SAN_IP_ADDRESS &&
		    n->buf.len == t->address_bytes &&
		    memcmp(n->buf.p, t->address, t->address_bytes) == 0)
			return true;
	}
	return false;
}

/* The library's own check of names would send the address as SNI, which RFC 6066 3 forbids. */
static int check_address(void *ctx, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
	const struct tls *t = ctx;

	if (depth == 0 && !is_for_address(t, certificate))
		*flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
	return 0;
}

static int set_peer(struct tls *t, const char *peer_name)
{
	if (inet_pton(AF_INET, peer_name, t->address) == 1)
		t->address_bytes = 4;
	else if (inet_pton(AF_INET6, peer_name, t->address) == 1)
		t->address_bytes = 16;
	if (t->address_bytes > 0) {
		mbedtls_ssl_set_verify(&t->ssl, check_address, t);
		peer_name = NULL;
	}
	return mbedtls_ssl_set_hostname(&t->ssl, peer_name) != 0 ? -ERR_NO_MEMORY : 0;
}

static int set_up(struct tls *t, const struct tls_settings *settings)
{
	bool server = settings->side == TLS_SERVER;
	int err = 0;

	if (psa_crypto_init() != PSA_SUCCESS)
		return -ERR_SYSTEM;
	if (mbedtls_ssl_config_defaults(
		    &t->config, server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
		    MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		return -ERR_NO_MEMORY;
	set_common(t);
	err = server ? set_server(t, settings) : set_client(t, settings);
	if (err < 0)
		return err;
	if (mbedtls_ssl_setup(&t->ssl, &t->config) != 0)
		return -ERR_NO_MEMORY;
	mbedtls_ssl_set_bio(&t->ssl, t, socket_send, socket_receive, NULL);
	return server ? 0 : set_peer(t, settings->peer_name);
}

int tls_new(struct tls **out, const struct tls_settings *settings, int fd, enum tls_fault *fault)
{
	struct tls *t = calloc(1, sizeof(*t));
	int err = 0;

	*out = NULL;
	*fault = TLS_FAULT_MEMORY;
	if (t == NULL)
		return -ERR_NO_MEMORY;
	t->fd = fd;
	t->side = settings->side;
	t->events = POLLIN;
	mbedtls_ssl_init(&t->ssl);
	mbedtls_ssl_config_init(&t->config);
	tls_identity_init(&t->identity);
	mbedtls_x509_crt_init(&t->authorities);
	err = set_up(t, settings);
	if (err < 0) {
		if (t->fault != TLS_FAULT_NONE)
			*fault = t->fault;
		tls_free(t);
		return err;
	}
	*fault = TLS_FAULT_NONE;
	*out = t;
	return 0;
}

void tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	mbedtls_ssl_free(&t->ssl); /* wipes what it held */
	mbedtls_ssl_config_free(&t->config);
	tls_identity_fini(&t->identity);
	mbedtls_x509_crt_free(&t->authorities);
	mbedtls_platform_zeroize(t, sizeof(*t));
	free(t);
}

int tls_handshake(struct tls *t)
{
	int result = 0;

	if (t->fault != TLS_FAULT_NONE)
		return -ERR_PEER;
	t->call_bytes = 0;
	result = mbedtls_ssl_handshake(&t->ssl);
	if (result == 0)
		return 0;
	return conclude(t, result);
}

ssize_t tls_read(struct tls *t, void *data, size_t size)
{
	int result = 0;

	if (t->fault != TLS_FAULT_NONE)
		return -ERR_PEER;
	t->call_bytes = 0;
	do {
		result = mbedtls_ssl_read(&t->ssl, data, size);
	} while (result == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET); /* which is not kept */
	if (result > 0)
		return result;
	if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return 0;
	return conclude(t, result == 0 ? MBEDTLS_ERR_SSL_CONN_EOF : result);
}

/* The library wants a call that did not finish repeated with the very same length. */
ssize_t tls_write(struct tls *t, const void *data, size_t size)
{
	int result = 0;

	if (t->fault != TLS_FAULT_NONE)
		return -ERR_PEER;
	if (t->writing_bytes > 0 && t->writing_bytes <= size)
		size = t->writing_bytes;
	result = mbedtls_ssl_write(&t->ssl, data, size);
	if (result > 0) {
		t->writing_bytes = 0;
		return result;
	}
	t->writing_bytes = size;
	return conclude(t, result == 0 ? MBEDTLS_ERR_SSL_CONN_EOF : result);
}

uint64_t tls_sent_bytes(const struct tls *t)
{
	return t->sent_bytes;
}

size_t tls_pending(const struct tls *t)
{
	return t->fault == TLS_FAULT_NONE ? mbedtls_ssl_get_bytes_avail(&t->ssl) : 0;
}

short tls_events(const struct tls *t)
{
	return t->events;
}

void tls_close(struct tls *t)
{
	if (!t->closed && t->fault == TLS_FAULT_NONE)
		(void)mbedtls_ssl_close_notify(&t->ssl); /* a courtesy */
	t->closed = true;
}

enum tls_fault tls_fault(const struct tls *t)
{
	return t->fault;
}

bool tls_peer_sha256(const struct tls *t, uint8_t out[32])
{
	const mbedtls_x509_crt *peer = mbedtls_ssl_get_peer_cert(&t->ssl);

	for (size_t i = 0; i < 32; i++)
		out[i] = 0;
	return peer != NULL && mbedtls_sha256(peer->raw.p, peer->raw.len, out, 0) == 0;
}

const char *tls_version(const struct tls *t)
{
	return mbedtls_ssl_get_version(&t->ssl);
}

const char *tls_suite(const struct tls *t)
{
	const char *suite = mbedtls_ssl_get_ciphersuite(&t->ssl);

	return suite != NULL ? suite : "none";
}
