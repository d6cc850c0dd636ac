/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the SMTP client half says to a next hop, and when it says nothing: pairs, TLS, addresses. */
#include "unit.h"

#include <time.h>

#include "base/sealed.h"
#include "mail_sender_fixture.h"
#include "tls/pem.h"

/* ---- MAIL and RCPT together ---- */

#define PAIRING "250-mx.example\r\n250 PIPELINING\r\n"

/* The next hop that was just asked for. */
static void meet(const char *ehlo_reply)
{
	connect_hop(0);
	reply("220 mx\r\n");
	expect_command("EHLO gw.example.lg.jp\r\n");
	reply(ehlo_reply);
}

static void ask_pair(const char *from, const char *to)
{
	struct mail_path body = {
		.transaction = ++transaction, .text_bytes = (uint32_t)strlen(from), .follows = 1};

	memcpy(body.text, from, strlen(from));
	assert_int_equal(channel_send(&fx.link, MAIL_LINK_FROM, &body, sizeof(body), NULL, 0), 0);
	mail_fixture_settle(&fx);
	ask_path(MAIL_LINK_TO, to);
}

static void test_mail_hop_sends_mail_and_rcpt_in_one_write(void **state)
{
	ask_pair("taro@example.jp", "hanako@city.example.lg.jp");
	meet(PAIRING);
	expect_command("MAIL FROM:<taro@example.jp>\r\nRCPT TO:<hanako@city.example.lg.jp>\r\n");
	reply("250 ok\r\n550 5.1.1 who\r\n");
	expect_answer(MAIL_VERDICT_OK);
	expect_answer(MAIL_VERDICT_RECIPIENT_UNKNOWN);
	ask_path(MAIL_LINK_TO, "jiro@city.example.lg.jp");
	expect_command("RCPT TO:<jiro@city.example.lg.jp>\r\n");
	reply("250 ok\r\n");
	expect_answer(MAIL_VERDICT_OK);
}

static void test_mail_hop_sends_one_after_the_other_without_pipelining(void **state)
{
	ask_pair("taro@example.jp", "hanako@city.example.lg.jp");
	meet("250 mx.example\r\n");
	expect_command("MAIL FROM:<taro@example.jp>\r\n");
	reply("250 ok\r\n");
	expect_answer(MAIL_VERDICT_OK);
	expect_command("RCPT TO:<hanako@city.example.lg.jp>\r\n");
	reply("250 ok\r\n");
	expect_answer(MAIL_VERDICT_OK);
}

/* The answer to a RCPT that lost its MAIL is nobody's, whatever it says and whenever it comes. */
static void test_mail_hop_gives_a_stray_answer_to_nobody(void **state)
{
	ask_pair("taro@example.jp", "hanako@city.example.lg.jp");
	meet(PAIRING);
	mail_fixture_heard(&fx);
	reply("550 5.7.1 not you\r\n");
	expect_answer(MAIL_VERDICT_SENDER_REFUSED);
	ask_from("jiro@example.jp");
	assert_true(mail_fixture_quiet(&fx, &fx.link));
	reply("250 2.1.5 ok\r\n");
	assert_true(mail_fixture_quiet(&fx, &fx.link));
	expect_command("RSET\r\n");
	reply("250 ok\r\n");
	expect_command("MAIL FROM:<jiro@example.jp>\r\n");
	reply("250 ok\r\n");
	expect_answer(MAIL_VERDICT_OK);
	assert_int_equal(sender.recipient_count, 0);
}

/* ---- TLS ---- */

static void want_tls(void)
{
	fx.policy.hop_tls = true;
	fx.policy.hop_name = "mx.city.example.lg.jp";
}

static void give_authority(void)
{
	struct bytes pem;

	bytes_init(&pem, TLS_PEM_BYTES_MAX);
	assert_int_equal(tls_identity_make(&(struct tls_wish){.host_name = "mx.city.example.lg.jp",
							      .now_s = time(NULL)},
					   &pem),
			 0);
	assert_int_equal(sealed_make("authority", bytes_span(&pem), &sender.authority_fd), 0);
	tls_wipe(&pem);
}

static void test_mail_hop_says_nothing_without_the_tls_it_wants(void **state)
{
	static const char *const without[] = {"250 mx.example\r\n", "500 what\r\n",
					      "250-mx.example\r\n250 STARTTLSX\r\n"};

	for (size_t i = 0; i < COUNT(without); i++) {
		want_tls();
		give_authority();
		ask_from("taro@example.jp");
		meet(without[i]);
		refuse_connect(1);
		assert_true(mail_fixture_wire_ended(&fx));
		expect_answer(MAIL_VERDICT_NEXT_HOP_DOWN);
		teardown(NULL);
		setup(NULL);
	}
}

static void test_mail_hop_says_nothing_without_an_authority(void **state)
{
	want_tls();
	ask_from("taro@example.jp");
	meet("250-mx.example\r\n250 STARTTLS\r\n");
	refuse_connect(1);
	assert_true(mail_fixture_wire_ended(&fx));
	assert_true(mail_fixture_event(&fx, EVENT_MAIL_TLS_FAILED));
	expect_answer(MAIL_VERDICT_NEXT_HOP_DOWN);
}

/* Response injection: what stands behind the 220 was said by nobody who is known. */
static void test_mail_hop_drops_a_next_hop_that_speaks_before_tls(void **state)
{
	want_tls();
	give_authority();
	ask_from("taro@example.jp");
	meet("250-mx.example\r\n250 STARTTLS\r\n");
	expect_command("STARTTLS\r\n");
	reply("220 go ahead\r\n250 2.1.0 ok\r\n");
	assert_true(mail_fixture_event(&fx, EVENT_MAIL_TLS_INJECTED));
	refuse_connect(1);
	expect_answer(MAIL_VERDICT_NEXT_HOP_DOWN);
}

static void test_mail_hop_keeps_addresses_of_smtputf8_from_who_lacks_it(void **state)
{
	struct mail_path body = {.transaction = ++transaction, .utf8 = 1};
	static const char path[] = "\xe5\xa4\xaa@example.jp";

	body.text_bytes = sizeof(path) - 1;
	memcpy(body.text, path, sizeof(path) - 1);
	assert_int_equal(channel_send(&fx.link, MAIL_LINK_FROM, &body, sizeof(body), NULL, 0), 0);
	mail_fixture_settle(&fx);
	meet("250 mx.example\r\n");
	expect_answer(MAIL_VERDICT_SENDER_NOT_ASCII);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_mail_hop_sends_mail_and_rcpt_in_one_write,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_mail_hop_sends_one_after_the_other_without_pipelining, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_mail_hop_gives_a_stray_answer_to_nobody, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_mail_hop_says_nothing_without_the_tls_it_wants,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_mail_hop_says_nothing_without_an_authority,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_mail_hop_drops_a_next_hop_that_speaks_before_tls, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_mail_hop_keeps_addresses_of_smtputf8_from_who_lacks_it, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
