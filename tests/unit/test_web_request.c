/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A browser's request: what is taken, and a table of what is not. */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "wire/packet/http_head.h"
#include "wire/web/request.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define UPGRADE(more)                                                                              \
	"GET /session HTTP/1.1\r\nHost: a.example:8443\r\nOrigin: https://A.example:8443\r\n"      \
	"Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n" more "\r\n"

static int read_text(struct web_request *out, const char *text, size_t size)
{
	struct reader r;

	reader_init(&r, text, size);
	return web_request_read(out, &r);
}

static void test_web_request_reads_a_page(void **state)
{
	static const char text[] = "HEAD /page.js HTTP/1.1\r\nHost: [fd00::1]\r\nAccept-Encoding: "
				   "br;q=1, gzip;q=0.5\r\n"
				   "Connection: close\r\nContent-Length: 0\r\n\r\nGET / ";
	struct web_request request;
	struct reader r;

	reader_init(&r, text, sizeof(text) - 1);
	assert_int_equal(web_request_read(&request, &r), 0);
	assert_int_equal(reader_left(&r), 6);
	assert_true(request.is_head && request.wants_close);
	assert_false(request.wants_websocket);
	assert_true(span_equal(request.path, span_of("/page.js")));
	assert_true(span_equal(request.host, span_of("[fd00::1]")));
	assert_int_equal(request.port, HTTP_PORT_NONE);
}

static void test_web_request_reads_an_upgrade(void **state)
{
	static const char text[] = UPGRADE("Sec-WebSocket-Key: " KEY "\r\n"
					   "Sec-WebSocket-Version: 13\r\n"
					   "Sec-WebSocket-Protocol: base64, binary\r\n");
	struct web_request request;
	char accept[WEB_ACCEPT_TEXT_MAX];

	assert_int_equal(read_text(&request, text, sizeof(text) - 1), 0);
	assert_true(request.wants_websocket && request.offers_binary);
	assert_int_equal(request.version, 13);
	assert_int_equal(request.port, 8443);
	assert_true(web_request_same_origin(&request));
	web_accept(request.key, accept);
	assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="); /* RFC 6455 1.3 */
}

static void test_web_request_waits_for_the_whole_head(void **state)
{
	static const char text[] = UPGRADE("Sec-WebSocket-Key: " KEY "\r\n");
	struct web_request request;

	for (size_t size = 0; size < sizeof(text) - 1; size++)
		assert_int_equal(read_text(&request, text, size), -ERR_TRUNCATED);
	assert_int_equal(read_text(&request, text, sizeof(text) - 1), 0);
}

#define LINE "GET / HTTP/1.1\r\nHost: h\r\n"
#define X10  "aaaaaaaaaa"

static const struct {
	const char *text;
	int error;
} refused[] = {
	{"GET / HTTP/1.1\nHost: h\r\n\r\n", -ERR_SYNTAX},
	{"GET / HTTP/1.1\rHost: h\r\n\r\n", -ERR_SYNTAX},
	{"GET / HTTP/1.1\r\nHost: h\n\r\n", -ERR_SYNTAX},
	{" GET / HTTP/1.1\r\nHost: h\r\n\r\n", -ERR_SYNTAX},
	{"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", -ERR_SYNTAX},
	{"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", -ERR_SYNTAX},
	{"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", -ERR_SYNTAX},
	{"GET /\tHTTP/1.1\r\nHost: h\r\n\r\n", -ERR_SYNTAX},
	{"GET / http/1.1\r\nHost: h\r\n\r\n", -ERR_SYNTAX},
	{"GET /\r\n\r\n", -ERR_SYNTAX},
	{"GET / HTTP/1.0\r\nHost: h\r\n\r\n", -ERR_RANGE},
	{"GET / HTTP/2.0\r\nHost: h\r\n\r\n", -ERR_RANGE},
	{"get / HTTP/1.1\r\nHost: h\r\n\r\n", -ERR_UNSUPPORTED},
	{"POST / HTTP/1.1\r\nHost: h\r\n\r\n", -ERR_UNSUPPORTED},
	{"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", -ERR_UNSUPPORTED},
	{"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", -ERR_UNSUPPORTED},
	{"GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", -ERR_SYNTAX},
	{"GET * HTTP/1.1\r\nHost: h\r\n\r\n", -ERR_SYNTAX},
	{"GET /?q HTTP/1.1\r\nHost: h\r\n\r\n", -ERR_SYNTAX},
	{"GET /#f HTTP/1.1\r\nHost: h\r\n\r\n", -ERR_SYNTAX},
	{"GET /%2e%2e/ HTTP/1.1\r\nHost: h\r\n\r\n", -ERR_SYNTAX},
	{"GET /\\ HTTP/1.1\r\nHost: h\r\n\r\n", -ERR_SYNTAX},
	{"GET /\xe3\x81\x82 HTTP/1.1\r\nHost: h\r\n\r\n", -ERR_SYNTAX},
	{"GET /" X10 X10 X10 X10 X10 X10 X10 " HTTP/1.1\r\nHost: h\r\n\r\n", -ERR_TOO_LONG},
	{"GET / HTTP/1.1\r\n\r\n", -ERR_SYNTAX},
	{LINE "Host: h\r\n\r\n", -ERR_SYNTAX},
	{LINE "hOST: other\r\n\r\n", -ERR_SYNTAX},
	{"GET / HTTP/1.1\r\nHost: h/\r\n\r\n", -ERR_SYNTAX},
	{"GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", -ERR_SYNTAX},
	{"GET / HTTP/1.1\r\nHost: h:65536\r\n\r\n", -ERR_SYNTAX},
	{"GET / HTTP/1.1\r\nHost: \r\n\r\n", -ERR_SYNTAX},
	{LINE " folded\r\n\r\n", -ERR_SYNTAX},
	{LINE "X: a\r\n\tfolded\r\n\r\n", -ERR_SYNTAX},
	{LINE "X : a\r\n\r\n", -ERR_SYNTAX},
	{LINE ": a\r\n\r\n", -ERR_SYNTAX},
	{LINE "no colon\r\n\r\n", -ERR_SYNTAX},
	{LINE "X: a\x01\r\n\r\n", -ERR_SYNTAX},
	{LINE "X: a\x7f\r\n\r\n", -ERR_SYNTAX},
	{LINE "Content-Length: 1\r\n\r\na", -ERR_DENIED},
	{LINE "Content-Length: 00\r\n\r\n", -ERR_DENIED},
	{LINE "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", -ERR_SYNTAX},
	{LINE "Transfer-Encoding: identity\r\n\r\n", -ERR_DENIED},
	{LINE "Expect: 100-continue\r\n\r\n", -ERR_DENIED},
	{LINE "Origin: https://h\r\nOrigin: https://h\r\n\r\n", -ERR_SYNTAX},
	{LINE "Origin: \r\n\r\n", -ERR_SYNTAX},
	{LINE "Upgrade: websocket\r\nUpgrade: websocket\r\n\r\n", -ERR_SYNTAX},
	{LINE "Connection: close\r\nConnection: Upgrade\r\n\r\n", -ERR_SYNTAX},
	{LINE "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Key: " KEY "\r\n\r\n", -ERR_SYNTAX},
	{LINE "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n\r\n", -ERR_SYNTAX},
	{LINE "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA\r\n\r\n", -ERR_SYNTAX},
	{LINE "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub2*jZQ==\r\n\r\n", -ERR_SYNTAX},
	{LINE "Sec-WebSocket-Version: 13, 8\r\n\r\n", -ERR_SYNTAX},
	{LINE "Sec-WebSocket-Version: \r\n\r\n", -ERR_SYNTAX},
	{LINE "Sec-WebSocket-Version: 1300\r\n\r\n", -ERR_SYNTAX},
	{LINE "Sec-WebSocket-Protocol: binary\r\nSec-WebSocket-Protocol: x\r\n\r\n", -ERR_SYNTAX},
};

static void test_web_request_refuses_what_is_not_exact(void **state)
{
	struct web_request request;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (read_text(&request, refused[i].text, strlen(refused[i].text)) !=
		    refused[i].error)
			fail_msg("%zu: %s", i, refused[i].text);
}

static void test_web_request_refuses_a_nul(void **state)
{
	static const char path[] = "GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n";
	static const char value[] = LINE "X: a\0b\r\n\r\n", name[] = LINE "X\0: a\r\n\r\n";
	static const char host[] = "GET / HTTP/1.1\r\nHost: h\0\r\n\r\n";
	struct web_request request;

	assert_int_equal(read_text(&request, path, sizeof(path) - 1), -ERR_SYNTAX);
	assert_int_equal(read_text(&request, value, sizeof(value) - 1), -ERR_SYNTAX);
	assert_int_equal(read_text(&request, name, sizeof(name) - 1), -ERR_SYNTAX);
	assert_int_equal(read_text(&request, host, sizeof(host) - 1), -ERR_SYNTAX);
}

static void test_web_request_has_its_limits(void **state)
{
	char text[WEB_HEAD_BYTES_MAX + 100] = LINE;
	struct web_request request;
	size_t size = strlen(text);

	memcpy(text + size, "X: ", 3);
	memset(text + size + 3, 'a', sizeof(text) - size - 3);
	assert_int_equal(read_text(&request, text, WEB_HEAD_BYTES_MAX - 1), -ERR_TRUNCATED);
	assert_int_equal(read_text(&request, text, WEB_HEAD_BYTES_MAX), -ERR_TOO_LONG);
	for (unsigned i = 0; i < WEB_FIELDS_MAX; i++, size += 6)
		memcpy(text + size, "X: a\r\n", 6);
	memcpy(text + size, "\r\n", 2);
	assert_int_equal(read_text(&request, text, size + 2), -ERR_TOO_LONG);
}

static void test_web_request_knows_its_own_origin(void **state)
{
	static const struct {
		const char *host, *origin;
		bool same;
	} rows[] = {
		{"h", "https://h", true},       {"h:8443", "https://H:8443", true},
		{"h", "http://h", false},       {"h", "https://h:443", false},
		{"h", "https://h.evil", false}, {"h", "https://evil", false},
		{"h", "null", false},           {"h", "https://h/", false},
		{"h", "https://", false},       {"[fd00::1]", "https://[fd00::1]", true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct web_request request = {.authority = span_of(rows[i].host),
					      .origin = span_of(rows[i].origin)};

		assert_int_equal(web_request_same_origin(&request), rows[i].same);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_web_request_reads_a_page),
		cmocka_unit_test(test_web_request_reads_an_upgrade),
		cmocka_unit_test(test_web_request_waits_for_the_whole_head),
		cmocka_unit_test(test_web_request_refuses_what_is_not_exact),
		cmocka_unit_test(test_web_request_refuses_a_nul),
		cmocka_unit_test(test_web_request_has_its_limits),
		cmocka_unit_test(test_web_request_knows_its_own_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
