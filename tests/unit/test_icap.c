/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers of an ICAP server, as they arrive in any pieces (M2, RFC 3507). */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "wire/scan/icap.h"

static struct icap_reply reply;
static char body[256];

/* Push @text in pieces of @step. Return: octets taken. */
static size_t push(const char *text, size_t step)
{
	struct span in = span_of(text);
	size_t taken = 0, filled = 0;

	icap_reply_init(&reply);
	memset(body, 0, sizeof(body));
	while (taken < in.size) {
		struct span part,
			piece = {in.data + taken, in.size - taken < step ? in.size - taken : step};
		size_t size = icap_reply_push(&reply, piece, &part);

		if (size == 0)
			break;
		assert_true(filled + part.size < sizeof(body));
		memcpy(body + filled, part.data, part.size);
		filled += part.size;
		taken += size;
	}
	return taken;
}

#define CHANGED                                                                                    \
	"ICAP/1.0 200 OK\r\nISTag: \"CI0001-abc\"\r\n"                                             \
	"X-Infection-Found: Type=0; Resolution=2; Threat=Eicar-Test;\r\n"                          \
	"Encapsulated: res-hdr=0, res-body=45\r\n\r\n"                                             \
	"HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\n\r\n7\r\nblocked\r\n0\r\n\r\n"

static void test_icap_changed_answer_gives_threat_status_and_body(void **state)
{
	for (size_t step = 1; step < 40; step++) {
		assert_int_equal(push(CHANGED "behind", step), strlen(CHANGED));
		assert_int_equal(reply.phase, ICAP_DONE);
		assert_int_equal(reply.status, 200);
		assert_int_equal(reply.http_status, 403);
		assert_true(reply.threat);
		assert_string_equal(reply.threat_name, "Eicar-Test");
		assert_string_equal(reply.tag, "CI0001-abc");
		assert_string_equal(body, "blocked");
	}
}

static void test_icap_204_ends_with_its_header(void **state)
{
	push("ICAP/1.0 204 Unmodified\r\nISTag: \"t\"\r\nEncapsulated: null-body=0\r\n\r\n", 7);
	assert_int_equal(reply.phase, ICAP_DONE);
	assert_int_equal(reply.status, 204);
	assert_false(reply.threat);
}

static void test_icap_threat_headers_of_other_servers(void **state)
{
	push("ICAP/1.0 204 x\r\nX-Violations-Found: 0\r\nX-Virus-ID: no threats\r\n\r\n", 99);
	assert_int_equal(reply.phase, ICAP_DONE);
	assert_false(reply.threat);
	push("ICAP/1.0 200 x\r\nX-Virus-ID: EICAR \x01test\r\n\r\n", 99);
	assert_true(reply.threat);
	assert_string_equal(reply.threat_name, "EICAR??test");
	push("ICAP/1.0 200 x\r\nX-Violations-Found: 1\r\n\t-\r\n\tEicar\r\n\t0\r\n\t0\r\n\r\n", 5);
	assert_int_equal(reply.phase, ICAP_DONE);
	assert_true(reply.threat);
	push("ICAP/1.0 200 x\r\nX-Violations-Found: 1\r\n\r\n", 99);
	assert_true(reply.threat);
}

static void test_icap_broken_answers_fail(void **state)
{
	static const char *const broken[] = {
		"HTTP/1.1 200 OK\r\n",
		"ICAP/1.0 20 OK\r\n",
		"ICAP/1.0 2000 OK\r\n",
		"ICAP/1.0 200 OK\n",
		"ICAP/1.0 200 OK\r\nno colon\r\n",
		"ICAP/1.0 200 OK\r\n: empty\r\n",
		"ICAP/1.0 200 OK\r\n folds nothing\r\n",
		"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0,\r\n res-body=9\r\n",
		"ICAP/1.0 200 OK\r\nEncapsulated: null-body=0\r\n folded\r\n",
		"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0\r\n",
		"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=5, res-body=9\r\n",
		"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=x\r\n",
		"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=\r\n",
		"ICAP/1.0 200 OK\r\nEncapsulated: res-body=0, res-hdr=9\r\n",
		"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=99999999\r\n",
		"ICAP/1.0 200 OK\r\nEncapsulated: what=0\r\n",
		"ICAP/1.0 200 OK\r\nEncapsulated: null-body=0\r\nEncapsulated: null-body=0\r\n",
		"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=6\r\n\r\nHTTP/1.1 200 OK\r\n",
		"ICAP/1.0 200 OK\r\nEncapsulated: res-body=0\r\n\r\nxyz\r\n",
		"ICAP/1.0 200 OK\r\nEncapsulated: res-body=0\r\n\r\n123456789\r\n",
		"ICAP/1.0 200 OK\r\nEncapsulated: res-body=0\r\n\r\n1\r\nab\r\n",
	};

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		for (size_t step = 1; step < 9; step++) {
			push(broken[i], step);
			assert_int_equal(reply.phase, ICAP_FAILED);
		}
	}
}

static void test_icap_limits_of_lines_and_headers(void **state)
{
	static char text[ICAP_LINE_MAX + 64];
	size_t used;

	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "ICAP/1.0 200 ", 13);
	push(text, 1000);
	assert_int_equal(reply.phase, ICAP_FAILED);
	used = (size_t)snprintf(text, sizeof(text), "ICAP/1.0 200 OK\r\n");
	for (int i = 0; i <= ICAP_HEADERS_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "X: y\r\n");
	push(text, 50);
	assert_int_equal(reply.phase, ICAP_FAILED);
	used = (size_t)snprintf(text, sizeof(text), "ICAP/1.0 200 OK\r\nX: y\r\n");
	for (int i = 0; i < ICAP_HEADERS_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "\tz\r\n");
	push(text, 50);
	assert_int_equal(reply.phase, ICAP_FAILED);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_icap_changed_answer_gives_threat_status_and_body),
		cmocka_unit_test(test_icap_204_ends_with_its_header),
		cmocka_unit_test(test_icap_threat_headers_of_other_servers),
		cmocka_unit_test(test_icap_broken_answers_fail),
		cmocka_unit_test(test_icap_limits_of_lines_and_headers),
	};

	return cmocka_run_group_tests_name("icap", tests, NULL, NULL);
}
