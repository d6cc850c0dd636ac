/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verifier's grammar, rule by rule: what it accepts, and each way in which it must refuse (M8).
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "wire/mail_verify.h"

#define RECEIVED                                                                                   \
	"Received: by gw.example.jp with Sekisho id 0123456789abcdef0123; Sun, 22 Nov 2026 "       \
	"09:00:00 +0900\n"
#define TAIL                                                                                       \
	"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: "  \
	"8bit\n"                                                                                   \
	"Sekisho-Receipt: 0123456789abcdef0123\n\n"
#define NAMED "From: <a@example.jp>\nSubject: x\nMessage-ID: <1@example.jp>\n"
#define BASE64_TAIL                                                                                \
	"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: "  \
	"base64\n"                                                                                 \
	"Sekisho-Receipt: 0123456789abcdef0123\n\n"

/* NULL where the message conforms, else the reason. */
static const char *verify(const char *text)
{
	static struct mail_verify v;

	mail_verify_init(&v);
	while (*text != '\0') {
		size_t size = strcspn(text, "\n");

		if (mail_verify_line(&v, (const uint8_t *)text, size) < 0)
			return mail_verify_reason(&v);
		text += size + (text[size] == '\n');
	}
	return mail_verify_end(&v) == 0 ? NULL : mail_verify_reason(&v);
}

static void test_mail_verify_accepts_a_whole_message(void **state)
{
	assert_null(verify(
		RECEIVED
		"Date: Sun, 22 Nov 2026 09:00:00 +0900\n"
		"From: =?UTF-8?B?5bGx55Sw?= <taro@example.jp>\nSender: \"A B\" <b@example.jp>\n"
		"Reply-To: <a@[192.0.2.1]>\nTo: <a@example.jp>,\n <\"a..b\"@example.jp>\n"
		"Cc: <c@example.jp>\nSubject: plain words =?UTF-8?B?5bGx?=\n =?UTF-8?B?55Sw?=\n"
		"Message-ID: <1@example.jp>\nIn-Reply-To: <0@x>\nReferences: <0@x> <1@x>\n"
		"Auto-Submitted: auto-generated\nList-Id: <list.example.jp>\n" TAIL
		"本文\n\n\t字下げ\n"));
}

static void test_mail_verify_accepts_no_visible_recipient_and_base64(void **state)
{
	assert_null(verify(RECEIVED "From: <a@b.jp>\nTo: undisclosed-recipients:;\nSubject: x\n"
				    "Message-ID: <1@x>\n" BASE64_TAIL "5pys5paHCg==\n"));
}

static void test_mail_verify_refuses_each_broken_header(void **state)
{
	static const char *const broken[] = {
		/* missing, twice, unknown, out of order */
		"From: <a@b.jp>\n" TAIL "x\n",
		RECEIVED NAMED "MIME-Version: 1.0\n\nx\n",
		RECEIVED RECEIVED NAMED TAIL "x\n",
		RECEIVED "X-Mailer: x\n" NAMED TAIL "x\n",
		RECEIVED "Subject: x\nFrom: <a@b.jp>\nMessage-ID: <1@x>\n" TAIL "x\n",
		RECEIVED "from: <a@b.jp>\nSubject: x\nMessage-ID: <1@x>\n" TAIL "x\n",
		/* values */
		RECEIVED "Date: 22 Nov 2026 09:00:00 +0900\n" NAMED TAIL "x\n",
		RECEIVED "From: a@b.jp\nSubject: x\nMessage-ID: <1@x>\n" TAIL "x\n",
		RECEIVED "From: <a@b.jp>, <b@b.jp>\nSubject: x\nMessage-ID: <1@x>\n" TAIL "x\n",
		RECEIVED "From: \"a\\\"b\" <a@b.jp>\nSubject: x\nMessage-ID: <1@x>\n" TAIL "x\n",
		RECEIVED "From: <a@b.jp>\nTo: <a@b.jp>,\nSubject: x\nMessage-ID: <1@x>\n" TAIL
			 "x\n",
		RECEIVED "From: <a b@b.jp>\nSubject: x\nMessage-ID: <1@x>\n" TAIL "x\n",
		RECEIVED "From: <a@b.jp>\nSubject: x\nMessage-ID: 1@x\n" TAIL "x\n",
		RECEIVED "From: <a@b.jp>\nSubject: x\nMessage-ID: <1@x> <2@x>\n" TAIL "x\n",
		/* folding */
		RECEIVED "From: <a@b.jp>\nSubject: x\n  y\nMessage-ID: <1@x>\n" TAIL "x\n",
		RECEIVED "From: <a@b.jp>\nSubject: x \nMessage-ID: <1@x>\n" TAIL "x\n",
		" x\n" RECEIVED NAMED TAIL "x\n",
	};

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		if (verify(broken[i]) == NULL)
			fail_msg("accepted: %s", broken[i]);
	}
}

static void test_mail_verify_refuses_each_broken_word(void **state)
{
	static const char *const words[] = {
		"=?utf-8?B?5bGx?=",      /* not our spelling */
		"=?UTF-8?Q?=E5=B1=B1?=", /* not our encoding */
		"=?UTF-8?B?5bE=?=",      /* half a character */
		"=?UTF-8?B?5bGx",        /* no end */
		"=?UTF-8?B?5bGx?=x",     /* nothing between it and the next */
		"x=?UTF-8?B?5bGx?=",
		"=?UTF-8?B?"
		"?=",               /* empty */
		"=?UTF-8?B?5b=x?=", /* padding inside */
		"=?UTF-8?B?5bGy?=\x7F",
		"=?UTF-8?B?CQ==?=", /* a tab */
		"=?UTF-8?B?Gw==?=", /* ESC */
		"=?UTF-8?B?4oCu?=", /* a direction mark */
		"=?UTF-8?B?"
		"5bGx5bGx5bGx5bGx5bGx5bGx5bGx5bGx5bGx5bGx5bGx5bGx5bGx5bGx5bGx5bGx5bGx5bGx?=",
	};
	char message[2048];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		(void)snprintf(message, sizeof(message),
			       RECEIVED "From: <a@b.jp>\nSubject: %s\nMessage-ID: <1@x>\n" TAIL
					"x\n",
			       words[i]);
		if (verify(message) == NULL)
			fail_msg("accepted: %s", words[i]);
	}
}

static void test_mail_verify_refuses_each_forbidden_character_in_the_body(void **state)
{
	static const char *const forbidden[] = {
		"\x01",
		"\r",
		"\x1B",
		"\x7F",
		"\xC2\x85",
		"\xC2\xAD",
		"\xE2\x80\x8B",
		"\xE2\x80\x8E",
		"\xE2\x80\xAE",
		"\xE2\x80\xA8",
		"\xEE\x80\x80",
		"\xEF\xB7\x90",
		"\xEF\xBF\xBE",
		"\xEF\xBB\xBF",
		"\xE3\x85\xA4",
		"\xF3\xA0\x81\xA1",
		"\xF4\x80\x80\x80",
		"\xF4\x90\x80\x80",
		"\xED\xA0\x80",
		"\xC0\x80",
		"\xE0\x80\x80",
		"\xFF",
		"\xE3\x81",
		"a\xE2\x80\x8D"
		"b",
		"\xF0\x9F\x91\xA8\xE2\x80\x8D",
		"a\xEF\xB8\x8F",
		"\xE3\x81\x82\xF3\xA0\x84\x80",
	};
	char message[2048];

	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		(void)snprintf(message, sizeof(message), RECEIVED NAMED TAIL "ok %s\n",
			       forbidden[i]);
		if (verify(message) == NULL)
			fail_msg("accepted number %zu", i);
	}
}

static void test_mail_verify_accepts_emoji_and_variation_sequences(void **state)
{
	assert_null(verify(RECEIVED NAMED TAIL
			   "\U0001F468\u200D\U0001F469\u200D\U0001F467 \u2764\uFE0F 1\uFE0F\u20E3 "
			   "\u845B\U000E0100 \u2764\uFE0F\u200D\U0001F525 か\u3099\n"));
}

static void test_mail_verify_refuses_lines_that_are_too_long_and_empty_bodies(void **state)
{
	static char message[4096];
	size_t size = strlen(RECEIVED NAMED TAIL);

	memcpy(message, RECEIVED NAMED TAIL, size + 1);
	assert_non_null(verify(message));
	memset(message + size, 'x', MAIL_LINE_MAX);
	memcpy(message + size + MAIL_LINE_MAX, "\n", 2);
	assert_null(verify(message));
	memcpy(message + size + MAIL_LINE_MAX, "x\n", 3);
	assert_non_null(verify(message));
}

static void test_mail_verify_looks_into_base64_bodies(void **state)
{
	assert_null(verify(RECEIVED NAMED BASE64_TAIL "eA0KeQ0K\n"));
	assert_non_null(verify(RECEIVED NAMED BASE64_TAIL "eBt5Cg==\n")); /* ESC */
	assert_non_null(verify(RECEIVED NAMED BASE64_TAIL "eA15Cg==\n")); /* bare CR */
	assert_non_null(verify(RECEIVED NAMED BASE64_TAIL "eA==\neA==\n"));
	assert_non_null(verify(RECEIVED NAMED BASE64_TAIL "eHl\n"));
	assert_non_null(
		verify(RECEIVED NAMED BASE64_TAIL "eB==\n")); /* bits behind the last octet */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mail_verify_accepts_a_whole_message),
		cmocka_unit_test(test_mail_verify_accepts_no_visible_recipient_and_base64),
		cmocka_unit_test(test_mail_verify_refuses_each_broken_header),
		cmocka_unit_test(test_mail_verify_refuses_each_broken_word),
		cmocka_unit_test(test_mail_verify_refuses_each_forbidden_character_in_the_body),
		cmocka_unit_test(test_mail_verify_accepts_emoji_and_variation_sequences),
		cmocka_unit_test(test_mail_verify_refuses_lines_that_are_too_long_and_empty_bodies),
		cmocka_unit_test(test_mail_verify_looks_into_base64_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
