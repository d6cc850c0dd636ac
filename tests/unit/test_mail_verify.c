/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verifier's grammar, rule by rule: what it accepts, and each way in which it must refuse (M8).
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "wire/mail/text.h"
#include "wire/mail/verify.h"

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

/* What may pass beside text. */
static bool texts_pass, files_pass;

/* NULL where the message conforms, else the reason. */
static const char *verify(const char *text)
{
	static struct mail_verify v;

	mail_verify_init(&v);
	mail_verify_allow(&v, texts_pass, files_pass);
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

/* ---- messages with files ---- */

#define PARTS_TAIL                                                                                 \
	"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"sekisho-part\"\n"            \
	"Content-Transfer-Encoding: 7bit\nSekisho-Receipt: 0123456789abcdef0123\n\n"
#define DELIMITER        "--sekisho-part\n"
#define CLOSE            "--sekisho-part--\n"
#define TEXT_TYPE        "Content-Type: text/plain; charset=utf-8\n"
#define FILE_TYPE        "Content-Type: application/octet-stream\n"
#define NAMED_FILE(name) "Content-Disposition: attachment; filename*=UTF-8''" name "\n"
#define ENCODED          "Content-Transfer-Encoding: base64\n\n"
#define HEADER           RECEIVED NAMED PARTS_TAIL
#define FIRST            HEADER DELIMITER TEXT_TYPE ENCODED "eAo=\n"
#define FILE_PART        A_FILE "JVBERgD/\n"
#define TEXT_PART        A_TEXT "eAo=\n"
#define A_TEXT           DELIMITER TEXT_TYPE NAMED_FILE("a.txt") ENCODED
#define A_FILE           DELIMITER FILE_TYPE NAMED_FILE("a.pdf") ENCODED
#define SIXTY            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define NAME_60          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static int let_files_pass(void **state)
{
	(void)state;
	texts_pass = files_pass = true;
	return 0;
}

static int let_text_pass(void **state)
{
	(void)state;
	texts_pass = true;
	files_pass = false;
	return 0;
}

static int let_none_pass(void **state)
{
	(void)state;
	texts_pass = files_pass = false;
	return 0;
}

static void test_mail_verify_accepts_files_only_where_they_may_pass(void **state)
{
	static const char files[] = FIRST FILE_PART TEXT_PART CLOSE;
	static const char texts[] = FIRST TEXT_PART TEXT_PART CLOSE;

	(void)let_files_pass(state);
	assert_null(verify(files));
	(void)let_text_pass(state);
	assert_null(verify(texts));
	assert_string_equal(verify(files), "a file that is not text where none may stand");
	(void)let_none_pass(state);
	assert_string_equal(verify(texts), "files where none may pass");
}

static void test_mail_verify_accepts_names_and_contents_of_files(void **state)
{
	static const char *const conforming[] = {
		FIRST DELIMITER TEXT_TYPE NAMED_FILE("%E8%A1%A8%201.csv") ENCODED
		"eA0KeQ==\n" CLOSE,
		/* a byte order mark, and a full-width sign that begins with the same octet */
		FIRST DELIMITER TEXT_TYPE NAMED_FILE("a.TXT") ENCODED "77u/77yB\n" CLOSE,
		FIRST A_TEXT "77yB\n" CLOSE,
		FIRST DELIMITER FILE_TYPE NAMED_FILE("a.jpeg") ENCODED SIXTY
		"AAAAAAAAAAAAAAAA\nAAAA\n" CLOSE,
		FIRST DELIMITER FILE_TYPE NAMED_FILE(
			NAME_60 NAME_60 NAME_60
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.pdf") ENCODED
		"AAAA\n" CLOSE,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(conforming) / sizeof(conforming[0]); i++)
		assert_null(verify(conforming[i]));
}

static void test_mail_verify_refuses_each_broken_frame(void **state)
{
	static const char *const broken[] = {
		FIRST,
		FIRST CLOSE,
		FIRST FILE_PART,
		FIRST FILE_PART CLOSE "\n",
		FIRST FILE_PART CLOSE FILE_PART CLOSE,
		FIRST FILE_PART "\n" CLOSE,
		FIRST FILE_PART "-- sekisho-part--\n",
		FIRST FILE_PART "--sekisho-part-\n",
		FIRST FILE_PART "--sekisho-part \n" TEXT_TYPE NAMED_FILE("a.txt") ENCODED
		"eAo=\n" CLOSE,
		HEADER "preamble\n" DELIMITER TEXT_TYPE ENCODED "eAo=\n" FILE_PART CLOSE,
		HEADER DELIMITER FILE_TYPE ENCODED "eAo=\n" FILE_PART CLOSE,
		HEADER TEXT_PART FILE_PART CLOSE,
		HEADER DELIMITER TEXT_TYPE ENCODED FILE_PART CLOSE,
		HEADER DELIMITER TEXT_TYPE ENCODED "DQo=\n" FILE_PART CLOSE,
		HEADER DELIMITER TEXT_TYPE ENCODED "eBt5Cg==\n" FILE_PART CLOSE,
		HEADER DELIMITER TEXT_TYPE ENCODED "77u/eAo=\n" FILE_PART CLOSE,
		FIRST DELIMITER "Content-Type: text/html\n" NAMED_FILE("a.txt") ENCODED
		"eAo=\n" CLOSE,
		FIRST DELIMITER TEXT_TYPE ENCODED "eAo=\n" CLOSE,
		FIRST DELIMITER NAMED_FILE("a.txt") TEXT_TYPE ENCODED "eAo=\n" CLOSE,
		FIRST DELIMITER TEXT_TYPE NAMED_FILE("a.txt") "X-Extra: 1\n" ENCODED "eAo=\n" CLOSE,
		FIRST A_FILE CLOSE,
		FIRST A_FILE "AAAA\nAAAA\n" CLOSE,
		FIRST A_FILE "AA==\nAAAA\n" CLOSE,
		FIRST A_FILE "AB==\n" CLOSE,
		FIRST A_FILE "AAA\n" CLOSE,
		FIRST DELIMITER FILE_TYPE NAMED_FILE("a.pdf") ENCODED SIXTY
		"AAAAAAAAAAAAAAAAAAAA\n" CLOSE,
		/* text that is none: ESC, a bare CR, half a character, a mark inside */
		FIRST A_TEXT "eBt5Cg==\n" CLOSE,
		FIRST A_TEXT "eA15\n" CLOSE,
		FIRST A_TEXT "eA0=\n" CLOSE,
		FIRST A_TEXT "5bE=\n" CLOSE,
		FIRST A_TEXT "eO+7vw==\n" CLOSE,
		RECEIVED NAMED BASE64_TAIL "eAo=\n" FILE_PART CLOSE,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		if (verify(broken[i]) == NULL)
			fail_msg("accepted: %s", broken[i]);
	}
}

static void test_mail_verify_refuses_types_and_encodings_that_do_not_go_together(void **state)
{
	(void)state;
	assert_non_null(verify(RECEIVED NAMED
			       "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
			       "Content-Transfer-Encoding: 7bit\n"
			       "Sekisho-Receipt: 0123456789abcdef0123\n\nx\n"));
	assert_non_null(verify(
		RECEIVED NAMED
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"sekisho-part\"\n"
		"Content-Transfer-Encoding: 8bit\nSekisho-Receipt: "
		"0123456789abcdef0123\n\n" DELIMITER TEXT_TYPE ENCODED "eAo=\n" FILE_PART CLOSE));
}

static void test_mail_verify_refuses_each_broken_name_of_a_file(void **state)
{
	static const char *const names[] = {
		"",
		".pdf",
		"a.exe",
		"a.pdf.",
		"a.pdf%20",
		"pdf",
		"a.txt",
		"%2Ea.pdf",
		".a.pdf",
		"%20a.pdf",
		"a b.pdf",
		"a%2Fb.pdf",
		"a%5Cb.pdf",
		"a%3Ab.pdf",
		"a%2Ab.pdf",
		"a%3Fb.pdf",
		"a%22b.pdf",
		"a%3Cb.pdf",
		"a%3Eb.pdf",
		"a%7Cb.pdf",
		"a%09b.pdf",
		"a%0Ab.pdf",
		"a%00b.pdf",
		"a%1Bb.pdf",
		"a%e8%A1%A8.pdf",
		"a%E8%A1.pdf",
		"a%61.pdf",
		"a%E2%80%AEfdp.pdf",
		"a%.pdf",
		"a.pdf%4",
		"a;b.pdf",
		"a%C0%AFb.pdf",
		"\"a.pdf\"",
		NAME_60 NAME_60 NAME_60 NAME_60 ".pdf",
	};
	char message[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(message, sizeof(message), "%s%s%s%s%s",
			       FIRST DELIMITER FILE_TYPE "Content-Disposition: attachment; "
							 "filename*=UTF-8''",
			       names[i], "\n", ENCODED "AAAA\n", CLOSE);
		if (verify(message) == NULL)
			fail_msg("accepted: %s", names[i]);
	}
}

static void test_mail_verify_counts_files_and_refuses_too_many(void **state)
{
	static char message[16384];
	struct mail_verify v;
	size_t size = 0;

	(void)state;
	size += (size_t)snprintf(message, sizeof(message), "%s", FIRST);
	for (unsigned i = 0; i < MAIL_FILES_MAX; i++)
		size += (size_t)snprintf(message + size, sizeof(message) - size, "%s", FILE_PART);
	(void)snprintf(message + size, sizeof(message) - size, "%s", CLOSE);
	assert_null(verify(message));
	(void)snprintf(message + size, sizeof(message) - size, "%s", FILE_PART CLOSE);
	assert_string_equal(verify(message), "too many files");
	mail_verify_init(&v);
	assert_int_equal(mail_verify_files(&v), 0);
}

enum { RUN_CHARACTERS = 40 };

/* RUN_CHARACTERS of three octets and of one, by turns that @pattern tells, as bits. Return: octets;
 * @ends: behind each. */
static size_t common_text(char *text, unsigned pattern, size_t ends[RUN_CHARACTERS])
{
	size_t size = 0;

	for (unsigned i = 0; i < RUN_CHARACTERS; i++) {
		const char *c = pattern >> i % 5 & 1 ? "\u9FFF" : i % 3 == 0 ? "~" : "\t";

		memcpy(text + size, c, strlen(c));
		size += strlen(c);
		ends[i] = size;
	}
	return size;
}

/* At every place of a window, behind common characters of either length. */
static void test_mail_text_run_ends_before_what_is_no_common_character(void **state)
{
	static const char *const other[] = {"\u302A", "\u3099",   "\u309A",    "\u3164", "\u200D",
					    "\u202E", "\uA000",   "\u2028",    "\x7F",   "\x1F",
					    "\x80",   "\xE3\xE3", "\xE3\x81~", "\xEA",   "\xF0"};
	char text[4 * RUN_CHARACTERS + 8];
	size_t ends[RUN_CHARACTERS], size;

	(void)state;
	for (unsigned n = 0; n < 32U * RUN_CHARACTERS * (sizeof(other) / sizeof(other[0])); n++) {
		const char *stop = other[n / (32 * RUN_CHARACTERS)];

		size = common_text(text, n % 32, ends);
		memcpy(text + ends[n / 32 % RUN_CHARACTERS], stop, strlen(stop));
		assert_int_equal(mail_text_run((const uint8_t *)text, size),
				 ends[n / 32 % RUN_CHARACTERS]);
	}
}

static void test_mail_text_run_takes_whole_characters_up_to_the_end(void **state)
{
	char text[4 * RUN_CHARACTERS + 8];
	size_t ends[RUN_CHARACTERS];

	(void)state;
	for (unsigned pattern = 0; pattern < 32; pattern++) {
		size_t size = common_text(text, pattern, ends), whole = 0;

		for (size_t cut = 0, i = 0; cut <= size; cut++) {
			if (cut == ends[i])
				whole = ends[i++];
			assert_int_equal(mail_text_run((const uint8_t *)text, cut), whole);
		}
	}
}

#define FILES_TEST(name) cmocka_unit_test_setup_teardown(name, let_files_pass, let_none_pass)

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
		cmocka_unit_test(test_mail_text_run_ends_before_what_is_no_common_character),
		cmocka_unit_test(test_mail_text_run_takes_whole_characters_up_to_the_end),
		FILES_TEST(test_mail_verify_accepts_files_only_where_they_may_pass),
		FILES_TEST(test_mail_verify_accepts_names_and_contents_of_files),
		FILES_TEST(test_mail_verify_refuses_each_broken_frame),
		FILES_TEST(test_mail_verify_refuses_types_and_encodings_that_do_not_go_together),
		FILES_TEST(test_mail_verify_refuses_each_broken_name_of_a_file),
		FILES_TEST(test_mail_verify_counts_files_and_refuses_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
