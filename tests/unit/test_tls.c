/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS sessions: both ends in one process; certificates, the reasons of refusals, the end. */
#include "unit.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "tls/pem.h"
#include "tls/stream.h"

#define NAME   "mx.city.example.lg.jp"
#define DAY_S  86400
#define ROUNDS 200 /* of a handshake; it takes about ten */

static struct stream near, far; /* server, client */
static int wire[2];

static int setup(void **state)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, wire), 0);
	stream_init(&near, wire[0]);
	stream_init(&far, wire[1]);
	return 0;
}

static int teardown(void **state)
{
	stream_fini(&near);
	stream_fini(&far);
	(void)close(wire[0]);
	(void)close(wire[1]);
	return 0;
}

static struct bytes make_identity(const char *name, int64_t now_s)
{
	struct bytes pem;

	bytes_init(&pem, TLS_PEM_BYTES_MAX);
	assert_int_equal(
		tls_identity_make(&(struct tls_wish){.host_name = name, .now_s = now_s}, &pem), 0);
	return pem;
}

static void start_server(const struct bytes *identity)
{
	struct tls_settings settings = {.side = TLS_SERVER, .identity = bytes_span(identity)};
	enum tls_fault fault = TLS_FAULT_NONE;

	assert_int_equal(stream_prepare_tls(&near, &settings, &fault), 0);
}

static void start_client(const struct bytes *authority, const char *name)
{
	struct tls_settings settings = {
		.side = TLS_CLIENT, .authorities = bytes_span(authority), .peer_name = name};
	enum tls_fault fault = TLS_FAULT_NONE;

	assert_int_equal(stream_prepare_tls(&far, &settings, &fault), 0);
}

/* Return: the client's result; the server's goes to *@server. */
static int shake(int *server)
{
	int client = -ERR_AGAIN;

	*server = -ERR_AGAIN;
	for (int i = 0; i < ROUNDS && (client == -ERR_AGAIN || *server == -ERR_AGAIN); i++) {
		if (client == -ERR_AGAIN)
			client = stream_handshake(&far);
		if (*server == -ERR_AGAIN)
			*server = stream_handshake(&near);
		if (client == -ERR_PEER && *server == -ERR_AGAIN && i > 20)
			break;
	}
	return client;
}

static void join(void)
{
	struct bytes identity = make_identity(NAME, time(NULL));
	int server = 0;

	start_server(&identity);
	start_client(&identity, NAME);
	assert_int_equal(shake(&server), 0);
	assert_int_equal(server, 0);
	tls_wipe(&identity);
}

static void test_tls_joins_two_ends_with_the_newest_version(void **state)
{
	char text[16] = {0};

	join();
	assert_string_equal(tls_version(far.tls), "TLSv1.3");
	assert_non_null(strstr(tls_suite(near.tls), "AES-256-GCM"));
	assert_int_equal(stream_write(&far, "hello", 5), 5);
	assert_int_equal(stream_read(&near, text, sizeof(text)), 5);
	assert_string_equal(text, "hello");
	assert_int_equal(stream_read(&near, text, sizeof(text)), -ERR_AGAIN);
	assert_int_equal(stream_write(&near, "world!", 6), 6);
	assert_int_equal(stream_read(&far, text, 2), 2);
	assert_int_equal(stream_pending(&far), 4);
	assert_int_equal(stream_read(&far, text, sizeof(text)), 4);
}

/* What poll(2) is asked for follows what the owner wants, and the handshake's needs before. */
static void test_tls_waits_for_what_the_session_needs(void **state)
{
	struct bytes identity = make_identity(NAME, time(NULL));

	assert_int_equal(stream_events(&near, true, false), POLLIN);
	start_server(&identity);
	assert_int_equal(stream_write(&near, "220\r\n", 5), 5); /* still in plain text */
	assert_int_equal(stream_handshake(&near), -ERR_AGAIN);
	assert_int_equal(stream_events(&near, false, true), POLLIN);
	tls_wipe(&identity);
}

/* 5 MB at once: writes that did not finish go on where they were. */
static void test_tls_carries_more_than_the_socket_holds(void **state)
{
	static uint8_t out[5 << 20], in[sizeof(out)];
	size_t sent = 0;
	size_t got = 0;

	join();
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7 + i / 251);
	for (int i = 0; i < 1000000 && got < sizeof(in); i++) {
		ssize_t n =
			sent < sizeof(out) ? stream_write(&far, out + sent, sizeof(out) - sent) : 0;

		if (n > 0)
			sent += (size_t)n;
		n = stream_read(&near, in + got, sizeof(in) - got);
		if (n > 0)
			got += (size_t)n;
	}
	assert_int_equal(got, sizeof(in));
	assert_memory_equal(in, out, sizeof(in));
}

static void start_client_with(const struct bytes *authority, const struct bytes *identity)
{
	struct tls_settings settings = {.side = TLS_CLIENT,
					.authorities = bytes_span(authority),
					.identity = bytes_span(identity),
					.peer_name = NAME};
	enum tls_fault fault = TLS_FAULT_NONE;

	assert_int_equal(stream_prepare_tls(&far, &settings, &fault), 0);
}

/* A server that verifies its clients takes one that shows a certificate of its authority. */
static void test_tls_client_shows_its_certificate(void **state)
{
	struct bytes identity = make_identity(NAME, time(NULL));
	struct bytes client = make_identity("gate.city.example.lg.jp", time(NULL));
	struct tls_settings settings = {.side = TLS_SERVER,
					.identity = bytes_span(&identity),
					.authorities = bytes_span(&client)};
	enum tls_fault fault = TLS_FAULT_NONE;
	uint8_t sha256[32];
	int server = 0;

	assert_int_equal(stream_prepare_tls(&near, &settings, &fault), 0);
	start_client_with(&identity, &client);
	assert_int_equal(shake(&server), 0);
	assert_int_equal(server, 0);
	assert_true(tls_peer_sha256(near.tls, sha256));
	tls_wipe(&identity);
	tls_wipe(&client);
}

/* An address is not a name: a certificate whose name reads like it does not do (RFC 9525 6.3). */
static void test_tls_address_is_no_name(void **state)
{
	static const char *const addresses[] = {"192.0.2.20", "2001:db8::20"};

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct bytes identity = make_identity(addresses[i], time(NULL));
		int server = 0;

		start_server(&identity);
		start_client(&identity, addresses[i]);
		assert_int_equal(shake(&server), -ERR_PEER);
		assert_int_equal(tls_fault(far.tls), TLS_FAULT_NAME);
		(void)teardown(state);
		(void)setup(state);
		tls_wipe(&identity);
	}
}

static void test_tls_tells_an_end_from_a_cut(void **state)
{
	char c = 0;

	join();
	stream_end(&far);
	assert_int_equal(stream_read(&near, &c, 1), 0);
	(void)shutdown(near.fd, SHUT_WR);
	assert_int_equal(stream_read(&far, &c, 1), -ERR_CLOSED);
	assert_int_equal(tls_fault(far.tls), TLS_FAULT_CUT);
}

/* Each certificate that must not be accepted, and what is said of it. */
static void test_tls_client_refuses_what_it_cannot_verify(void **state)
{
	static const struct {
		int64_t made_days; /* from now */
		bool foreign;      /* the authority is another one */
		const char *name;
		enum tls_fault fault;
	} cases[] = {
		{-TLS_MADE_DAYS - 2, false, NAME, TLS_FAULT_EXPIRED},
		{3, false, NAME, TLS_FAULT_NOT_YET},
		{0, false, "mx.town.example.lg.jp", TLS_FAULT_NAME},
		{0, true, NAME, TLS_FAULT_UNTRUSTED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes identity =
			make_identity(NAME, time(NULL) + cases[i].made_days * DAY_S);
		struct bytes other = make_identity(NAME, time(NULL));
		int server = 0;

		start_server(&identity);
		start_client(cases[i].foreign ? &other : &identity, cases[i].name);
		assert_int_equal(shake(&server), -ERR_PEER);
		assert_int_equal(tls_fault(far.tls), cases[i].fault);
		assert_int_not_equal(server, 0);
		assert_true(stream_write(&far, "x", 1) < 0);
		tls_wipe(&identity);
		tls_wipe(&other);
		teardown(NULL);
		setup(NULL);
	}
}

static void test_tls_server_refuses_what_is_not_tls(void **state)
{
	static const char *const said[] = {"EHLO mx.example.jp\r\n", "GET / HTTP/1.0\r\n\r\n"};

	for (size_t i = 0; i < 2; i++) {
		struct bytes identity = make_identity(NAME, time(NULL));

		start_server(&identity);
		assert_int_equal(send(far.fd, said[i], strlen(said[i]), 0), strlen(said[i]));
		assert_int_equal(stream_handshake(&near), -ERR_PEER);
		assert_true(tls_fault(near.tls) == TLS_FAULT_PROTOCOL ||
			    tls_fault(near.tls) == TLS_FAULT_VERSION);
		tls_wipe(&identity);
		teardown(NULL);
		setup(NULL);
	}
}

/* A ClientHello of TLS 1.0 (version 3,1; one suite): no session of it. */
static void test_tls_server_refuses_old_versions(void **state)
{
	static const uint8_t hello[] = {22, 3,  1,  0,  45, 1,  0,  0,  41, 3,  1, /* random: */
					1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13,
					14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
					27, 28, 29, 30, 31, 32, 0,  0,  2,  0,  47, 1,  0};
	struct bytes identity = make_identity(NAME, time(NULL));

	start_server(&identity);
	assert_int_equal(send(far.fd, hello, sizeof(hello), 0), sizeof(hello));
	assert_int_equal(stream_handshake(&near), -ERR_PEER);
	assert_int_equal(tls_fault(near.tls), TLS_FAULT_VERSION);
	tls_wipe(&identity);
}

static void test_tls_identity_is_refused_with_a_reason(void **state)
{
	struct bytes good = make_identity(NAME, time(NULL));
	struct bytes other = make_identity(NAME, time(NULL));
	struct bytes old = make_identity(NAME, time(NULL) - (TLS_MADE_DAYS + 2LL) * DAY_S);
	struct bytes mixed;
	const char *key = NULL;
	size_t chain_bytes = 0;

	assert_int_equal(bytes_append_u8(&good, '\0'), 0);
	key = strstr((const char *)good.data, "-----BEGIN EC PRIVATE KEY");
	assert_non_null(key);
	good.size--;
	chain_bytes = (size_t)(key - (const char *)good.data);
	assert_int_equal(tls_identity_check(bytes_span(&good), time(NULL)), TLS_DEFECT_NONE);
	assert_int_equal(tls_identity_check((struct span){good.data, chain_bytes}, time(NULL)),
			 TLS_DEFECT_NO_KEY);
	assert_int_equal(
		tls_identity_check((struct span){good.data + chain_bytes, good.size - chain_bytes},
				   time(NULL)),
		TLS_DEFECT_NO_CERTIFICATE);
	assert_int_equal(tls_identity_check(bytes_span(&old), time(NULL)), TLS_DEFECT_EXPIRED);
	assert_int_equal(tls_identity_check(span_of("hello"), time(NULL)),
			 TLS_DEFECT_NO_CERTIFICATE);
	bytes_init(&mixed, TLS_PEM_BYTES_MAX);
	assert_int_equal(bytes_append(&mixed, good.data, chain_bytes), 0);
	assert_int_equal(bytes_append_u8(&other, '\0'), 0);
	key = strstr((const char *)other.data, "-----BEGIN EC PRIVATE KEY");
	assert_int_equal(bytes_append_text(&mixed, key), 0);
	assert_int_equal(tls_identity_check(bytes_span(&mixed), time(NULL)), TLS_DEFECT_MISMATCH);
	tls_wipe(&mixed);
	tls_wipe(&good);
	tls_wipe(&other);
	tls_wipe(&old);
}

/* The chain of a good identity with @key behind it. */
static enum tls_defect check_with_key(const char *key)
{
	struct bytes pem = make_identity(NAME, time(NULL));
	enum tls_defect defect;
	const char *own = NULL;

	assert_int_equal(bytes_append_u8(&pem, '\0'), 0);
	own = strstr((const char *)pem.data, "-----BEGIN EC PRIVATE KEY");
	assert_non_null(own);
	pem.size = (size_t)(own - (const char *)pem.data);
	assert_int_equal(bytes_append_text(&pem, key), 0);
	defect = tls_identity_check(bytes_span(&pem), time(NULL));
	bytes_fini(&pem);
	return defect;
}

/* The library cannot decrypt either form; what an administrator reads must still be the reason. */
static void test_tls_key_with_a_pass_phrase_is_refused_as_such(void **state)
{
	static const char in_pem[] = /* RFC 1421 */
		"-----BEGIN EC PRIVATE KEY-----\n"
		"Proc-Type: 4,ENCRYPTED\n"
		"DEK-Info: AES-128-CBC,1D8AB05C8FB4AF0A28D5036EA817B337\n"
		"\n"
		"QYp6vbOiMwrv4yN+rvjWiYra80hwP1A/gOgfyTaeMcVfQfNu9SR8B9zh6y59MeY9\n"
		"wCU6ifVtjpJ9gYEMGT0fI8UOBYX2k/oFc7ziTdMHP5sei61OeaORkLjuh+kDpaYk\n"
		"m8A0PZqHTBGvQFj9THFpw6mJkKns8typkqAeLTnnqMA=\n"
		"-----END EC PRIVATE KEY-----\n";
	static const char in_pkcs8[] = /* RFC 5958 */
		"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
		"MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiuozmhrle0cAICCAAw\n"
		"DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEECUjGWD0MK+1uTQwHqmu6eUEgZAt\n"
		"SNQyisl6LQZxIy+p6wAOxPTRPY/CNyc0Br9NXuE7Pkrbpr98F2KUwdCaGCOqKaRh\n"
		"tIisZVbOrd5x5shbIAjgKXHmL+m5zBM3bk6Mf1Ejn9OhVTrhdF+L+LrQmjW9xb/Z\n"
		"6m3cPTBXBtxvCryptaNXAk1TGbScc43KwUm7nU18W7mMlr6+sYYtUP+GdTzszEI=\n"
		"-----END ENCRYPTED PRIVATE KEY-----\n";

	(void)state;
	assert_int_equal(check_with_key(in_pem), TLS_DEFECT_LOCKED);
	assert_int_equal(check_with_key(in_pkcs8), TLS_DEFECT_LOCKED);
}

static void test_tls_summary_shows_the_certificate_only(void **state)
{
	int64_t now = time(NULL);
	struct bytes pem = make_identity(NAME, now);
	struct tls_summary summary;

	assert_int_equal(tls_summarise(bytes_span(&pem), &summary), 0);
	assert_string_equal(summary.subject, "CN=" NAME);
	assert_string_equal(summary.issuer, "CN=" NAME);
	assert_int_equal(summary.from_s, now - DAY_S);
	assert_int_equal(summary.until_s, now + (int64_t)TLS_MADE_DAYS * DAY_S);
	assert_true(summary.has_key);
	assert_int_equal(summary.count, 1);
	assert_int_equal(tls_authorities_check(bytes_span(&pem), now), TLS_DEFECT_NONE);
	assert_int_equal(tls_authorities_check(span_of("no PEM"), now), TLS_DEFECT_NO_CERTIFICATE);
	tls_wipe(&pem);
}

/* A certificate with this subject, which signs itself, into @pem. */
static void write_certificate(const char *subject, unsigned char *pem, size_t pem_bytes)
{
	struct bytes made = make_identity(NAME, time(NULL));
	enum tls_defect defect = TLS_DEFECT_NONE;
	unsigned char serial[] = {1};
	struct tls_identity identity;
	mbedtls_x509write_cert cert;

	tls_identity_init(&identity);
	mbedtls_x509write_crt_init(&cert);
	assert_int_equal(tls_identity_parse(&identity, bytes_span(&made), &defect), 0);
	mbedtls_x509write_crt_set_subject_key(&cert, &identity.key);
	mbedtls_x509write_crt_set_issuer_key(&cert, &identity.key);
	mbedtls_x509write_crt_set_md_alg(&cert, MBEDTLS_MD_SHA256);
	assert_int_equal(mbedtls_x509write_crt_set_subject_name(&cert, subject), 0);
	assert_int_equal(mbedtls_x509write_crt_set_issuer_name(&cert, subject), 0);
	assert_int_equal(mbedtls_x509write_crt_set_serial_raw(&cert, serial, sizeof(serial)), 0);
	assert_int_equal(
		mbedtls_x509write_crt_set_validity(&cert, "20250101000000", "20450101000000"), 0);
	assert_int_equal(mbedtls_x509write_crt_pem(&cert, pem, pem_bytes, tls_random, NULL), 0);
	mbedtls_x509write_crt_free(&cert);
	tls_identity_fini(&identity);
	tls_wipe(&made);
}

/* A subject that has no room is shown as far as it goes, and as cut. */
static void test_tls_summary_of_a_long_subject_says_that_it_is_cut(void **state)
{
	char subject[400];
	struct tls_summary summary;
	unsigned char pem[4096];

	(void)snprintf(subject, sizeof(subject), "CN=Root,O=%0100d,OU=%0100d,L=%0100d", 1, 2, 3);
	write_certificate(subject, pem, sizeof(pem));
	assert_int_equal(tls_summarise(span_of((const char *)pem), &summary), 0);
	assert_int_equal(summary.count, 1);
	assert_memory_equal(summary.subject, "CN=Root, ", 9);
	assert_string_equal(summary.subject + strlen(summary.subject) - 3, "...");
}

static const char *printed(const struct tls_names *names)
{
	static char text[512];
	struct bytes out;

	bytes_init(&out, sizeof(text) - 1);
	assert_int_equal(tls_names_print(names, &out), 0);
	memcpy(text, out.data, out.size);
	text[out.size] = '\0';
	bytes_fini(&out);
	return text;
}

static const struct span ipv4 = {(const uint8_t *)"\x0a\0\0\x01", 4};
static const struct span ipv6 = {(const uint8_t *)"\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x07", 16};

static void test_tls_names_are_a_set_of_hosts_and_addresses(void **state)
{
	struct tls_names a = {0}, b = {0};

	tls_names_add_host(&a, span_of("Gate.Example.JP"));
	tls_names_add_host(&a, span_of("gate.example.jp"));
	tls_names_add_address(&a, ipv4);
	tls_names_add_address(&b, ipv4);
	assert_int_equal(a.count, 2);
	assert_false(tls_names_equal(&a, &b));
	tls_names_add_host(&b, span_of("gate.example.jp"));
	assert_true(tls_names_equal(&a, &b));
	assert_string_equal(printed(&b), "10.0.0.1, gate.example.jp");
	tls_names_add_host(&b, (struct span){ipv4.data, ipv4.size});
	assert_int_equal(b.count, 3); /* a name of the same octets is not the address */
	assert_false(tls_names_equal(&a, &b));
	tls_names_add_address(&a, (struct span){ipv6.data, 5});
	assert_true(a.more);
	assert_false(tls_names_equal(&a, &a));
}

static void fill_names(struct tls_names *names, int count)
{
	char host[TLS_HOST_BYTES_MAX + 1];

	for (int i = 0; i < count; i++) {
		memset(host, 'a', sizeof(host));
		(void)snprintf(host, sizeof(host), "%0*d", TLS_HOST_BYTES_MAX, i);
		tls_names_add_host(names, span_of(host));
	}
}

/* As many of the longest names as there is room for can be made, and are read again. */
static void test_tls_names_are_read_from_what_was_made_for_them(void **state)
{
	for (int hosts = 0; hosts <= TLS_NAMES_MAX - 2; hosts += TLS_NAMES_MAX - 2) {
		struct tls_names names = {0}, read;
		struct tls_wish wish = {.host_name = NAME, .names = &names, .now_s = time(NULL)};
		struct bytes pem;

		tls_names_add_address(&names, ipv4);
		tls_names_add_address(&names, ipv6);
		fill_names(&names, hosts);
		bytes_init(&pem, TLS_PEM_BYTES_MAX);
		assert_int_equal(tls_identity_make(&wish, &pem), 0);
		assert_int_equal(tls_identity_check(bytes_span(&pem), time(NULL)), TLS_DEFECT_NONE);
		assert_int_equal(tls_names_of(bytes_span(&pem), &read), 0);
		assert_int_equal(read.count, hosts + 2);
		assert_true(tls_names_equal(&names, &read));
		tls_names_add_host(&read, span_of("another.example.jp"));
		assert_false(tls_names_equal(&names, &read));
		tls_wipe(&pem);
	}
	assert_int_equal(tls_names_of(span_of("no PEM"), &(struct tls_names){0}), -ERR_SYNTAX);
}

static void test_tls_names_have_an_end(void **state)
{
	struct tls_names names = {0};

	fill_names(&names, TLS_NAMES_MAX);
	assert_false(names.more);
	fill_names(&names, TLS_NAMES_MAX + 1);
	assert_true(names.more);
	assert_int_equal(names.count, TLS_NAMES_MAX);
}

/* A certificate can be made anew for the key of an old one; for what is no key, it is not made. */
static void test_tls_made_for_a_key_that_is_there(void **state)
{
	struct bytes old = make_identity(NAME, time(NULL)), new;
	struct tls_wish wish = {
		.host_name = "other.example.jp", .now_s = time(NULL), .key = bytes_span(&old)};

	bytes_init(&new, TLS_PEM_BYTES_MAX);
	assert_int_equal(tls_identity_make(&wish, &new), 0);
	assert_int_equal(tls_identity_check(bytes_span(&new), time(NULL)), TLS_DEFECT_NONE);
	for (struct bytes *pem = &old; pem != NULL; pem = pem == &old ? &new : NULL)
		assert_int_equal(bytes_append_u8(pem, '\0'), 0);
	assert_string_equal(strstr((const char *)old.data, "-----BEGIN EC"),
			    strstr((const char *)new.data, "-----BEGIN EC"));
	wish.key = span_of("no key");
	bytes_clear(&new);
	assert_int_equal(tls_identity_make(&wish, &new), -ERR_SYNTAX);
	tls_wipe(&new);
	tls_wipe(&old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tls_joins_two_ends_with_the_newest_version,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_tls_waits_for_what_the_session_needs, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_tls_carries_more_than_the_socket_holds, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_tls_client_shows_its_certificate, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_tls_address_is_no_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tls_tells_an_end_from_a_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tls_client_refuses_what_it_cannot_verify,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_tls_server_refuses_what_is_not_tls, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_tls_server_refuses_old_versions, setup,
						teardown),
		cmocka_unit_test(test_tls_identity_is_refused_with_a_reason),
		cmocka_unit_test(test_tls_key_with_a_pass_phrase_is_refused_as_such),
		cmocka_unit_test(test_tls_summary_shows_the_certificate_only),
		cmocka_unit_test(test_tls_summary_of_a_long_subject_says_that_it_is_cut),
		cmocka_unit_test(test_tls_names_are_a_set_of_hosts_and_addresses),
		cmocka_unit_test(test_tls_names_are_read_from_what_was_made_for_them),
		cmocka_unit_test(test_tls_names_have_an_end),
		cmocka_unit_test(test_tls_made_for_a_key_that_is_there),
	};

	tls_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
