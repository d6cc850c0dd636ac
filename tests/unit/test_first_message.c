/* SPDX-License-Identifier: GPL-2.0-or-later */
/* First messages of HTTP, SSH and RDP: right, wrong, and cut at every byte (Z8). */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "wire/packet/http_request.h"
#include "wire/packet/rdp_request.h"
#include "wire/packet/ssh_banner.h"

#define SPAN(text) ((struct span){(const uint8_t *)(text), sizeof(text) - 1})

/* A stream and what becomes of it; the host of a request that is right. */
struct row {
	struct span stream;
	int err;
	const char *host;
};

static const struct row requests[] = {
	{SPAN("GET / HTTP/1.1\r\nHost: www.example.jp\r\n\r\n"), 0, "www.example.jp"},
	{SPAN("GET / HTTP/1.1\r\nhOsT:\t www.example.jp:8080 \r\nA: b\r\n\r\nbody"), 0,
	 "www.example.jp"},
	{SPAN("GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n"), 0, "[2001:db8::1]"},
	{SPAN("GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n"), 0, "[2001:db8::1]"},
	{SPAN("GET / HTTP/1.0\r\n\r\n"), 0, ""},
	{SPAN("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 0, "a"},
	{SPAN("GET http://a.jp:80/x HTTP/1.1\r\nHost: A.jp\r\n\r\n"), 0, "a.jp"},
	{SPAN("GET http://a.jp/ HTTP/1.0\r\n\r\n"), 0, "a.jp"},
	{SPAN("GET http://b.jp/ HTTP/1.1\r\nHost: a.jp\r\n\r\n"), -ERR_SYNTAX, NULL},
	{SPAN("GET http://u@a.jp/ HTTP/1.1\r\nHost: a.jp\r\n\r\n"), -ERR_SYNTAX, NULL},
	{SPAN("GET ftp://a.jp/ HTTP/1.1\r\nHost: a.jp\r\n\r\n"), -ERR_UNSUPPORTED, NULL},
	{SPAN("GET / HTTP/1.1\r\n\r\n"), -ERR_SYNTAX, NULL},
	{SPAN("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), -ERR_SYNTAX, NULL},
	{SPAN("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), -ERR_SYNTAX, NULL},
	{SPAN("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"), -ERR_SYNTAX, NULL},
	{SPAN("GET / HTTP/1.1\r\nHost: \r\n\r\n"), -ERR_SYNTAX, NULL},
	{SPAN("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n"), -ERR_SYNTAX, NULL},
	{SPAN("GET / HTTP/1.1\nHost: a\n\n"), -ERR_SYNTAX, NULL},
	{SPAN("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"), -ERR_SYNTAX, NULL},
	{SPAN("GET / HTTP/1.1\r\nHost: a\r\nX: \1\r\n\r\n"), -ERR_SYNTAX, NULL},
	{SPAN("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), -ERR_UNSUPPORTED, NULL},
	{SPAN("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"), -ERR_UNSUPPORTED, NULL},
	{SPAN("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"), -ERR_UNSUPPORTED, NULL},
	{SPAN("SSH-2.0-OpenSSH_9.9\r\n"), -ERR_UNSUPPORTED, NULL},
	{SPAN("\x16\3\1\2\0\1\0\1"), -ERR_UNSUPPORTED, NULL},
	{SPAN("AVERYLONGMETHODINDEED"), -ERR_UNSUPPORTED, NULL},
};

static void test_http_request_reads_host_or_refuses(void **state)
{
	struct http_request out;

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		const struct row *row = &requests[i];

		assert_int_equal(http_request_read(&out, row->stream.data, row->stream.size),
				 row->err);
		if (row->err == 0)
			assert_true(span_equal(out.host, span_of(row->host)));
	}
}

/* No beginning of a right request is refused, and none is taken before its end. */
static void test_http_request_cut_anywhere_is_truncated(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nA: b\r\nHost: www.example.jp\r\n\r\n";
	struct http_request out;

	for (size_t i = 0; i + 1 < sizeof(text) - 1; i++)
		assert_int_equal(http_request_read(&out, text, i), -ERR_TRUNCATED);
}

static void test_http_request_head_past_the_limit_is_too_long(void **state)
{
	static uint8_t head[HTTP_HEAD_BYTES_MAX + 100];
	static const char begin[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
	struct http_request out;

	memset(head, 'x', sizeof(head));
	memcpy(head, begin, sizeof(begin) - 1);
	assert_int_equal(http_request_read(&out, head, HTTP_HEAD_BYTES_MAX - 1), -ERR_TRUNCATED);
	assert_int_equal(http_request_read(&out, head, sizeof(head)), -ERR_TOO_LONG);
}

static void test_http2_preface_is_told(void **state)
{
	static const char text[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	struct http_request out;

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		assert_int_equal(http_request_read(&out, text, i), -ERR_TRUNCATED);
	assert_int_equal(http_request_read(&out, text, sizeof(text) - 1), 0);
	assert_true(out.is_http2);
}

static void test_ssh_banner_reads_software_or_refuses(void **state)
{
	static const struct row rows[] = {
		{SPAN("SSH-2.0-OpenSSH_9.9p1 Debian-3\r\nrest"), 0, "OpenSSH_9.9p1"},
		{SPAN("SSH-2.0-x\r\n"), 0, "x"},
		{SPAN("SSH-2.0-\r\n"), -ERR_SYNTAX, NULL},
		{SPAN("SSH-2.0-x\n"), -ERR_SYNTAX, NULL},
		{SPAN("SSH-2.0-x\1\r\n"), -ERR_SYNTAX, NULL},
		{SPAN("SSH-2.0-x \x80\r\n"), -ERR_SYNTAX, NULL},
		{SPAN("SSH-1.5-x\r\n"), -ERR_UNSUPPORTED, NULL},
		{SPAN("GET / HTTP/1.1\r\n"), -ERR_UNSUPPORTED, NULL},
		{SPAN("\r\nSSH-2.0-x\r\n"), -ERR_UNSUPPORTED, NULL},
		{SPAN("SSH-2.0-x"), -ERR_TRUNCATED, NULL},
		{SPAN("SSH-"), -ERR_TRUNCATED, NULL},
		{SPAN(""), -ERR_TRUNCATED, NULL},
	};
	struct span software;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int err = ssh_banner_read(&software, rows[i].stream.data, rows[i].stream.size);

		assert_int_equal(err, rows[i].err);
		if (err == 0)
			assert_true(span_equal(software, span_of(rows[i].host)));
	}
}

static void test_ssh_banner_without_end_is_too_long(void **state)
{
	uint8_t line[300];
	struct span software;

	memset(line, 'x', sizeof(line));
	memcpy(line, "SSH-2.0-", 8);
	assert_int_equal(ssh_banner_read(&software, line, SSH_BANNER_BYTES_MAX - 1),
			 -ERR_TRUNCATED);
	assert_int_equal(ssh_banner_read(&software, line, sizeof(line)), -ERR_TOO_LONG);
}

/* As Windows sends it: cookie, negotiation request for TLS and CredSSP. */
static const uint8_t rdp[] = "\3\0\0\x2b\x26\xe0\0\0\0\0\0"
			     "Cookie: mstshash=sato\r\n"
			     "\1\0\x08\0\3\0\0";
enum { RDP_BYTES = sizeof(rdp), RDP_NEGOTIATION_AT = 34 };

static void test_rdp_request_reads_cookie_and_protocols(void **state)
{
	struct rdp_request out;
	uint8_t stream[RDP_BYTES];

	memcpy(stream, rdp, sizeof(stream));
	stream[3] = RDP_BYTES;
	stream[4] = RDP_BYTES - 5;
	for (size_t i = 0; i < RDP_BYTES; i++)
		assert_int_equal(rdp_request_read(&out, stream, i), -ERR_TRUNCATED);
	assert_int_equal(rdp_request_read(&out, stream, RDP_BYTES), 0);
	assert_true(span_equal(out.cookie, span_of("Cookie: mstshash=sato")));
	assert_true(out.has_negotiation);
	assert_int_equal(out.protocols, 3);
}

static void test_rdp_request_refuses_contradictions(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		int err;
	} rows[] = {
		{0, 2, -ERR_UNSUPPORTED},
		{1, 1, -ERR_UNSUPPORTED},
		{2, 2, -ERR_TOO_LONG},
		{3, 8, -ERR_SYNTAX},
		{4, 3, -ERR_SYNTAX},
		{5, 0xd0, -ERR_UNSUPPORTED},
		{6, 1, -ERR_SYNTAX},
		{10, 1, -ERR_SYNTAX},
		{12, 'x', -ERR_SYNTAX},
		{33, 'x', -ERR_SYNTAX},
		{RDP_NEGOTIATION_AT, 2, -ERR_SYNTAX},
		{RDP_NEGOTIATION_AT + 2, 9, -ERR_SYNTAX},
		{RDP_NEGOTIATION_AT + 1, 8, -ERR_SYNTAX},
	};
	struct rdp_request out;
	uint8_t stream[RDP_BYTES];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memcpy(stream, rdp, sizeof(stream));
		stream[3] = RDP_BYTES;
		stream[4] = RDP_BYTES - 5;
		stream[rows[i].at] = rows[i].value;
		assert_int_equal(rdp_request_read(&out, stream, RDP_BYTES), rows[i].err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http_request_reads_host_or_refuses),
		cmocka_unit_test(test_http_request_cut_anywhere_is_truncated),
		cmocka_unit_test(test_http_request_head_past_the_limit_is_too_long),
		cmocka_unit_test(test_http2_preface_is_told),
		cmocka_unit_test(test_ssh_banner_reads_software_or_refuses),
		cmocka_unit_test(test_ssh_banner_without_end_is_too_long),
		cmocka_unit_test(test_rdp_request_reads_cookie_and_protocols),
		cmocka_unit_test(test_rdp_request_refuses_contradictions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
