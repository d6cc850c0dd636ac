/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SMTP client half, alone: the test is the receiver, the supervisor and the next hop; time is
 * simulated. */
#include "unit.h"

#include "mail_sender_fixture.h"

/* ---- a message on its way ---- */

/* Invariant L: OK is said for the next hop's 250 and for nothing else. */
static void test_mail_sender_says_ok_only_for_the_next_hops_250(void **state)
{
	open_transaction();
	send_message(1);
	assert_true(mail_fixture_quiet(&fx, &fx.link));
	reply("250 2.0.0 queued\r\n");
	expect_answer(MAIL_VERDICT_OK);
	assert_true(mail_fixture_event(&fx, EVENT_MAIL_DELIVERED));
}

static void test_mail_sender_regenerates_line_ends_and_dots(void **state)
{
	const char *heard = NULL;

	open_transaction();
	ask_message(1);
	give_good_message(1);
	expect_command("DATA\r\n");
	reply("354 go\r\n");
	heard = mail_fixture_heard(&fx);
	assert_memory_equal(heard, "Received: by gw", 15);
	heard = strstr(heard, "\r\n\r\n");
	assert_non_null(heard);
	assert_string_equal(heard + 4, "こんにちは\r\n..\r\n...dots\r\nend\r\n.\r\n");
}

/* Invariant L: a 250 that comes before the final dot is out accepts nothing. */
static void test_mail_sender_believes_no_250_before_its_dot_is_out(void **state)
{
	static char text[sizeof(flat_text) + 24000];
	int small = 4096;

	memcpy(text, flat_text, sizeof(flat_text) - 1);
	for (size_t i = sizeof(flat_text) - 1; i < sizeof(text); i++)
		text[i] = i % 64 == 0 || i == sizeof(text) - 1 ? '\n' : 'x';
	open_transaction();
	assert_int_equal(setsockopt(sender.hop.fd.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)),
			 0);
	ask_message(1);
	give_message(1, text, sizeof(text), sizeof(text), FLATTEN_DONE);
	expect_command("DATA\r\n");
	reply("354 go\r\n");
	assert_in_range(sender.hop.out_at, 1, sender.hop.out.size - 1); /* nobody reads it */
	reply("250 2.0.0 queued\r\n");
	expect_answer(MAIL_VERDICT_NEXT_HOP_LOST);
	assert_false(mail_fixture_event(&fx, EVENT_MAIL_DELIVERED));
}

/* M8: whatever is wrong with the flattener's output, DATA is not even begun, and the verdict is
 * temporary. */
static void test_mail_sender_sends_nothing_that_does_not_verify(void **state)
{
	static const struct {
		const char *text;
		int more_bytes;
		uint32_t status;
		enum mail_verdict verdict;
		enum event_id event;
	} cases[] = {
		{flat_text, 1, FLATTEN_DONE, MAIL_VERDICT_SANITISER_LATER,
		 EVENT_MAIL_NOT_CONFORMING},
		{flat_text, -1, FLATTEN_DONE, MAIL_VERDICT_SANITISER_LATER,
		 EVENT_MAIL_NOT_CONFORMING},
		{flat_text, 0, FLATTEN_FAILED + 1, MAIL_VERDICT_SANITISER_LATER,
		 EVENT_MAIL_NOT_CONFORMING},
		{flat_text, 0, FLATTEN_FAILED, MAIL_VERDICT_SANITISER_LATER,
		 EVENT_MAIL_NOT_FLATTENED},
		{flat_text, 0, FLATTEN_REFUSED, MAIL_VERDICT_NOT_SANITISABLE,
		 EVENT_MAIL_NOT_FLATTENED},
		{flat_text, 0, 77, MAIL_VERDICT_SANITISER_LATER, EVENT_MAIL_NOT_FLATTENED},
		{"Subject: raw\n\nraw\n", 0, FLATTEN_DONE, MAIL_VERDICT_SANITISER_LATER,
		 EVENT_MAIL_NOT_CONFORMING},
		{FIXTURE_HEADER("8bit") "esc\033[0m\n", 0, FLATTEN_DONE,
		 MAIL_VERDICT_SANITISER_LATER, EVENT_MAIL_NOT_CONFORMING},
		{FIXTURE_HEADER("8bit") "cr\r\n", 0, FLATTEN_DONE, MAIL_VERDICT_SANITISER_LATER,
		 EVENT_MAIL_NOT_CONFORMING},
		{FIXTURE_HEADER("8bit") "no end", 0, FLATTEN_DONE, MAIL_VERDICT_SANITISER_LATER,
		 EVENT_MAIL_NOT_CONFORMING},
		{"", 0, FLATTEN_DONE, MAIL_VERDICT_SANITISER_LATER, EVENT_MAIL_NOT_CONFORMING},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t size = strlen(cases[i].text);

		open_transaction();
		ask_message(1);
		give_message(1, cases[i].text, size, (uint64_t)((int)size + cases[i].more_bytes),
			     cases[i].status);
		expect_answer(cases[i].verdict);
		expect_command("");
		assert_true(mail_fixture_event(&fx, cases[i].event));
		teardown(NULL);
		setup(NULL);
	}
}

/* M2: files go on only where the sender's own copy of the policy lets them, whatever the flattener
 * writes, and of the kind that it says. */
static void test_mail_sender_sends_files_only_where_the_policy_lets_them(void **state)
{
#define PART(type, name)                                                                           \
	"--sekisho-part\nContent-Type: " type "\n" name                                            \
	"Content-Transfer-Encoding: base64\n\neAo=\n"
#define NAMED(name) "Content-Disposition: attachment; filename*=UTF-8''" name "\n"
#define WITH(file)                                                                                 \
	FIXTURE_FORM("multipart/mixed; boundary=\"sekisho-part\"", "7bit")                         \
	PART("text/plain; charset=utf-8", "") file "--sekisho-part--\n"
	static const char text[] = WITH(PART("text/plain; charset=utf-8", NAMED("a.txt")));
	static const char file[] = WITH(PART("application/octet-stream", NAMED("a.pdf")));
	static const struct {
		uint32_t outbound, attachments, scanner;
		bool texts, files;
	} cases[] = {
		{0, ATTACHMENTS_PASS_FILES, 0, false, false}, /* inwards */
		{1, ATTACHMENTS_DROP, 0, false, false},
		{1, ATTACHMENTS_REFUSE, 0, false, false},
		{1, ATTACHMENTS_PASS_FILES, SNAPSHOT_NONE, false, false},
		{1, ATTACHMENTS_PASS_TEXT, 0, true, false},
		{1, ATTACHMENTS_PASS_FILES, 0, true, true},
	};
	const struct control_scanned clean = {.message = 1, .status = SCAN_CLEAN};

	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		const char *flat = i % 2 == 0 ? text : file;
		bool passes = i % 2 == 0 ? cases[i / 2].texts : cases[i / 2].files;

		open_transaction();
		fx.entry.outbound = cases[i / 2].outbound;
		fx.entry.attachments = cases[i / 2].attachments;
		fx.entry.scanner = cases[i / 2].scanner;
		ask_message(1);
		give_message(1, flat, strlen(flat), strlen(flat), FLATTEN_DONE);
		if (passes) {
			expect_command("");
			assert_int_equal(sender_on_scanned(&sender, &clean), 0);
			mail_fixture_settle(&fx);
		} else {
			expect_answer(MAIL_VERDICT_SANITISER_LATER);
			assert_true(mail_fixture_event(&fx, EVENT_MAIL_NOT_CONFORMING));
		}
		expect_command(passes ? "DATA\r\n" : "");
		teardown(NULL);
		setup(NULL);
	}
#undef PART
#undef NAMED
#undef WITH
}

/* M2: a message passes by the one verdict that says so; nothing, or what no scanner says, is none.
 */
static void test_mail_sender_passes_what_was_called_clean_and_nothing_else(void **state)
{
	for (uint32_t status = 0; status < 32; status++) {
		struct control_scanned scanned = {.message = 1, .status = status};

		fx.entry.scanner = 0;
		open_transaction();
		ask_message(1);
		give_good_message(1);
		expect_command("");
		assert_int_equal(sender_on_scanned(&sender, &scanned), 0);
		mail_fixture_settle(&fx);
		expect_command(status == SCAN_CLEAN ? "DATA\r\n" : "");
		if (status != SCAN_CLEAN)
			expect_answer(status == SCAN_INFECTED ? MAIL_VERDICT_INFECTED
							      : MAIL_VERDICT_SCAN_LATER);
		teardown(NULL);
		setup(NULL);
	}
	assert_int_not_equal((struct control_scanned){0}.status, SCAN_CLEAN);
}

static void test_mail_sender_waits_for_the_message_that_was_announced(void **state)
{
	open_transaction();
	ask_message(5);
	give_good_message(4);
	expect_command("");
	assert_true(mail_fixture_quiet(&fx, &fx.link));
	give_good_message(5);
	expect_command("DATA\r\n");
}

/*
 * A receiver that was broken into hands a second message to the supervisor while the first, which
 * was verified, is on its way: not one byte of the second takes the place of the first.
 */
static void test_mail_sender_takes_no_other_message_while_it_sends_one(void **state)
{
	static const char *const replies[] = {"", "354 go\r\n"}; /* HOP_DATA, HOP_DOT */
	static const char raw[] = "Subject: raw\n\nraw\n";
	struct control_flatten message = {.message = 2};
	struct control_flattened none = {.message = 2, .status = FLATTEN_FAILED};
	struct control_flattened again = {.message = 1, .status = FLATTEN_FAILED};

	for (size_t i = 0; i < COUNT(replies); i++) {
		int pipe_fds[2];

		open_transaction();
		ask_message(1);
		give_good_message(1);
		expect_command("DATA\r\n");
		if (replies[i][0] != '\0')
			reply(replies[i]);
		assert_int_equal(pipe2(pipe_fds, O_NONBLOCK), 0);
		assert_int_equal(write(pipe_fds[1], raw, sizeof(raw) - 1), sizeof(raw) - 1);
		(void)close(pipe_fds[1]);
		assert_int_equal(sender_on_message(&sender, &message, &pipe_fds[0]), -ERR_PEER);
		assert_int_equal(sender_on_flattened(&sender, &none), -ERR_PEER);
		assert_int_equal(sender_on_flattened(&sender, &again), -ERR_PEER);
		assert_true(mail_fixture_event(&fx, EVENT_CHANNEL_VIOLATION));
		(void)close(pipe_fds[0]); /* refused: still ours */
		mail_fixture_settle(&fx);
		if (replies[i][0] == '\0')
			reply("354 go\r\n");
		assert_null(strstr(mail_fixture_heard(&fx), "raw"));
		teardown(NULL);
		setup(NULL);
	}
}

/* The result may come before the pipe was read to its end, and the message before the question. */
static void test_mail_sender_takes_message_and_result_in_any_order(void **state)
{
	struct control_flatten message = {.message = 1};
	struct control_flattened result = {.message = 1, .output_bytes = sizeof(flat_text) - 1};
	int pipe_fds[2];

	open_transaction();
	sha256_of(flat_text, sizeof(flat_text) - 1, result.sha256_output);
	assert_int_equal(pipe2(pipe_fds, O_NONBLOCK), 0);
	assert_int_equal(sender_on_message(&sender, &message, &pipe_fds[0]), 0);
	assert_int_equal(sender_on_flattened(&sender, &result), 0);
	ask_message(1);
	for (size_t i = 0; i < sizeof(flat_text) - 1; i++) {
		expect_command("");
		assert_int_equal(write(pipe_fds[1], flat_text + i, 1), 1);
		mail_fixture_settle(&fx);
	}
	(void)close(pipe_fds[1]);
	expect_command("DATA\r\n");
}

/* mail.md: base64 where the next hop lacks 8BITMIME; the result conforms too. */
static void test_mail_sender_encodes_where_the_next_hop_takes_no_8bit(void **state)
{
	struct mail_verify verify;
	char *line = NULL;
	char *rest = NULL;

	greet("500 what\r\n");
	expect_command("HELO gw.example.lg.jp\r\n");
	reply("250 mx\r\n");
	expect_command("MAIL FROM:<taro@example.jp>\r\n");
	reply("250 ok\r\n");
	expect_answer(MAIL_VERDICT_OK);
	ask_path(MAIL_LINK_TO, "hanako@city.example.lg.jp");
	(void)mail_fixture_heard(&fx);
	reply("250 ok\r\n");
	expect_answer(MAIL_VERDICT_OK);
	ask_message(1);
	give_good_message(1);
	expect_command("DATA\r\n");
	reply("354 go\r\n");
	rest = strdup(mail_fixture_heard(&fx));
	assert_non_null(rest);
	assert_non_null(strstr(rest, "\r\nContent-Transfer-Encoding: base64\r\n"));
	assert_non_null(
		strstr(rest, "\r\n\r\n44GT44KT44Gr44Gh44GvDQouDQouLmRvdHMNCmVuZA0K\r\n.\r\n"));
	mail_verify_init(&verify);
	for (line = rest; strcmp(line, ".\r\n") != 0;) {
		char *end = strstr(line, "\r\n");

		assert_int_equal(mail_verify_line(&verify, (uint8_t *)line, (size_t)(end - line)),
				 0);
		line = end + 2;
	}
	assert_int_equal(mail_verify_end(&verify), 0);
	free(rest);
}

/* ---- replies ---- */

static unsigned class_of(enum mail_verdict verdict)
{
	static const unsigned codes[] = {
#define MAIL_VERDICT(id, code, enhanced, text) code,
#include "channel/mail_verdicts.def"
#undef MAIL_VERDICT
	};

	return codes[verdict] / 100;
}

/* A temporary refusal never becomes a permanent one, nor a permanent one a temporary one. */
static void test_mail_sender_keeps_the_class_of_every_reply(void **state)
{
	static const enum verdict_stage stages[] = {VERDICT_SENDER, VERDICT_RECIPIENT,
						    VERDICT_MESSAGE};

	for (size_t s = 0; s < COUNT(stages); s++) {
		for (unsigned code = 400; code < 600; code++) {
			for (unsigned subject = 0; subject < 9; subject++) {
				for (unsigned detail = 0; detail < 12; detail++) {
					struct smtp_reply r = {.code = (uint16_t)code,
							       .class = (uint8_t)(code / 100),
							       .subject = (uint16_t)subject,
							       .detail = (uint16_t)detail};

					assert_int_equal(class_of(verdict_of_reply(stages[s], &r)),
							 code / 100);
				}
			}
		}
	}
}

static void test_mail_sender_tells_refusals_apart(void **state)
{
	static const struct {
		const char *reply;
		enum mail_verdict verdict;
	} cases[] = {
		{"550 5.1.1 unknown\r\n", MAIL_VERDICT_RECIPIENT_UNKNOWN},
		{"550 unknown\r\n", MAIL_VERDICT_RECIPIENT_UNKNOWN},
		{"554 5.7.1 relay denied\r\n", MAIL_VERDICT_RECIPIENT_REFUSED},
		{"550 5.2.1 closed\r\n", MAIL_VERDICT_RECIPIENT_DISABLED},
		{"552 5.2.2 full\r\n", MAIL_VERDICT_MAILBOX_FULL},
		{"452 4.2.2 full\r\n", MAIL_VERDICT_MAILBOX_FULL_LATER},
		{"450 4.2.0 greylisted\r\n", MAIL_VERDICT_RECIPIENT_LATER},
		{"452 4.5.3 too many\r\n", MAIL_VERDICT_RECIPIENTS_LATER},
		{"421 4.3.2 bye\r\n", MAIL_VERDICT_NEXT_HOP_BUSY},
		{"354 what\r\n", MAIL_VERDICT_NEXT_HOP_LOST},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		open_transaction();
		ask_path(MAIL_LINK_TO, "x@town.example.lg.jp");
		expect_command("RCPT TO:<x@town.example.lg.jp>\r\n");
		reply(cases[i].reply);
		expect_answer(cases[i].verdict);
		teardown(NULL);
		setup(NULL);
	}
}

static void test_mail_sender_passes_refusals_at_each_later_stage(void **state)
{
	greet("250 mx\r\n");
	(void)mail_fixture_heard(&fx);
	reply("550 5.7.1 not you\r\n");
	expect_answer(MAIL_VERDICT_SENDER_REFUSED);
	ask_from("jiro@example.jp");
	expect_command("MAIL FROM:<jiro@example.jp>\r\n");
	teardown(NULL);
	setup(NULL);
	open_transaction();
	ask_message(1);
	give_good_message(1);
	(void)mail_fixture_heard(&fx);
	reply("451 4.3.0 not now\r\n");
	expect_answer(MAIL_VERDICT_MESSAGE_LATER);
	ask_from("jiro@example.jp");
	expect_command("RSET\r\n");
	reply("250 ok\r\n");
	expect_command("MAIL FROM:<jiro@example.jp> BODY=8BITMIME\r\n");
	teardown(NULL);
	setup(NULL);
	open_transaction();
	send_message(1);
	reply("554 5.6.0 content\r\n");
	expect_answer(MAIL_VERDICT_MESSAGE_REFUSED);
	assert_false(mail_fixture_event(&fx, EVENT_MAIL_DELIVERED));
}

static void test_mail_sender_sends_several_messages_on_one_connection(void **state)
{
	open_transaction();
	for (uint64_t id = 1; id < 4; id++) {
		send_message(id);
		reply("250 ok\r\n");
		expect_answer(MAIL_VERDICT_OK);
		ask_from("jiro@example.jp");
		expect_command("MAIL FROM:<jiro@example.jp> BODY=8BITMIME\r\n");
		reply("250 ok\r\n");
		expect_answer(MAIL_VERDICT_OK);
		ask_path(MAIL_LINK_TO, "x@town.example.lg.jp");
		(void)mail_fixture_heard(&fx);
		reply("250 ok\r\n");
		expect_answer(MAIL_VERDICT_OK);
	}
}

static void test_mail_sender_refuses_what_the_next_hop_says_is_too_big(void **state)
{
	greet("250-mx\r\n250 SIZE 10\r\n");
	(void)mail_fixture_heard(&fx);
	reply("250 ok\r\n");
	expect_answer(MAIL_VERDICT_OK);
	ask_path(MAIL_LINK_TO, "x@town.example.lg.jp");
	(void)mail_fixture_heard(&fx);
	reply("250 ok\r\n");
	expect_answer(MAIL_VERDICT_OK);
	ask_message(1);
	give_good_message(1);
	expect_answer(MAIL_VERDICT_TOO_BIG);
	expect_command("");
}

/* ---- next hops that fail ---- */

static void test_mail_sender_tries_next_hops_in_order(void **state)
{
	ask_from("");
	refuse_connect(0);
	connect_hop(1);
	reply("220 mx\r\n");
	expect_command("EHLO gw.example.lg.jp\r\n");
	assert_true(mail_fixture_event(&fx, EVENT_MAIL_NEXT_HOP_DOWN));
}

/* reliability.md: 451 at once where no next hop is there. */
static void test_mail_sender_says_down_where_no_next_hop_is_up(void **state)
{
	static const char *const greetings[] = {"554 no\r\n", "421 busy\r\n", "hello\r\n"};

	ask_from("taro@example.jp");
	refuse_connect(0);
	refuse_connect(1);
	expect_answer(MAIL_VERDICT_NEXT_HOP_DOWN);
	for (size_t i = 0; i < COUNT(greetings); i++) {
		ask_from("taro@example.jp");
		connect_hop(0);
		reply(greetings[i]);
		refuse_connect(1);
		expect_answer(MAIL_VERDICT_NEXT_HOP_DOWN);
	}
}

/* A session may not ask for sockets without end. */
static void test_mail_sender_limits_its_connections(void **state)
{
	for (unsigned i = 0; i < HOP_CONNECTS_MAX / 2; i++) {
		ask_from("taro@example.jp");
		refuse_connect(0);
		refuse_connect(1);
		expect_answer(MAIL_VERDICT_NEXT_HOP_DOWN);
	}
	ask_from("taro@example.jp");
	assert_true(mail_fixture_quiet(&fx, &fx.supervisor));
	expect_answer(MAIL_VERDICT_NEXT_HOP_DOWN);
}

/* The connection breaks at each point: temporary; and the next transaction has a new connection. */
static void test_mail_sender_says_lost_where_the_connection_breaks(void **state)
{
	for (int stage = 0; stage < 5; stage++) {
		if (stage == 0) {
			greet("250 mx\r\n");
		} else {
			open_transaction();
			if (stage == 1)
				ask_path(MAIL_LINK_TO, "x@town.example.lg.jp");
			if (stage >= 2)
				ask_message(1);
			if (stage >= 3)
				give_good_message(1);
			if (stage == 4)
				reply("354 go\r\n");
		}
		(void)mail_fixture_heard(&fx);
		(void)close(fx.wire);
		fx.wire = -1;
		expect_answer(MAIL_VERDICT_NEXT_HOP_LOST);
		assert_false(mail_fixture_event(&fx, EVENT_MAIL_DELIVERED));
		if (stage == 1)
			reset();
		ask_from("taro@example.jp");
		expect_connect(0);
		teardown(NULL);
		setup(NULL);
	}
}

static void test_mail_sender_says_lost_where_the_transaction_went_unnoticed(void **state)
{
	open_transaction();
	reply("421 4.4.2 idle\r\n");
	ask_message(1);
	expect_answer(MAIL_VERDICT_NEXT_HOP_LOST);
}

static void test_mail_sender_connects_anew_where_an_old_connection_is_stale(void **state)
{
	open_transaction();
	send_message(1);
	reply("250 ok\r\n");
	expect_answer(MAIL_VERDICT_OK);
	(void)close(fx.wire);
	fx.wire = -1;
	ask_from("jiro@example.jp");
	connect_hop(0);
	assert_true(mail_fixture_quiet(&fx, &fx.link));
}

static void test_mail_sender_drops_a_next_hop_that_talks_out_of_turn(void **state)
{
	open_transaction();
	send_message(1);
	reply("250 ok\r\n250 and again\r\n");
	expect_answer(MAIL_VERDICT_NEXT_HOP_LOST);
	teardown(NULL);
	setup(NULL);
	open_transaction();
	ask_message(1);
	give_good_message(1);
	(void)mail_fixture_heard(&fx);
	reply("250 no data needed\r\n");
	expect_answer(MAIL_VERDICT_NEXT_HOP_LOST);
}

static void test_mail_sender_keeps_its_deadlines(void **state)
{
	static const struct {
		enum hop_state state;
		uint64_t deadline_ms;
	} cases[] = {
		{HOP_CONNECTING, HOP_CONNECT_MS},
		{HOP_GREETING, HOP_GREETING_MS},
		{HOP_EHLO, HOP_GREETING_MS},
		{HOP_MAIL, HOP_COMMAND_MS},
		{HOP_RCPT, HOP_RECIPIENT_MS},
		{HOP_DATA, HOP_COMMAND_MS},
		{HOP_DOT, HOP_DOT_MS},
	};

	fx.entry.next_hops.count = 1;
	for (size_t i = 0; i < COUNT(cases); i++) {
		fx.entry.next_hops.count = 1;
		if (cases[i].state <= HOP_MAIL) {
			ask_from("taro@example.jp");
			connect_hop(0);
			if (cases[i].state >= HOP_EHLO)
				reply("220 mx\r\n");
			if (cases[i].state == HOP_MAIL)
				reply("250 mx\r\n");
		} else {
			open_transaction();
			if (cases[i].state == HOP_RCPT)
				ask_path(MAIL_LINK_TO, "x@town.example.lg.jp");
			else
				ask_message(1);
			if (cases[i].state >= HOP_DATA)
				give_good_message(1);
			if (cases[i].state == HOP_DOT)
				reply("354 go\r\n");
		}
		if (cases[i].state == HOP_CONNECTING)
			hop_set_state(&sender, HOP_CONNECTING); /* a socketpair connects at once */
		assert_int_equal(sender.hop.state, cases[i].state);
		mail_fixture_pass_ms(&fx, cases[i].deadline_ms - 1);
		assert_true(mail_fixture_quiet(&fx, &fx.link) || cases[i].state == HOP_CONNECTING);
		mail_fixture_pass_ms(&fx, HOP_GREETING_MS);
		expect_answer(cases[i].state < HOP_MAIL ? MAIL_VERDICT_NEXT_HOP_DOWN
							: MAIL_VERDICT_NEXT_HOP_LOST);
		teardown(NULL);
		setup(NULL);
	}
}

static void test_mail_sender_loses_patience_with_a_flattener(void **state)
{
	open_transaction();
	ask_message(1);
	mail_fixture_pass_ms(&fx, SENDER_FLATTEN_MS - 1);
	assert_true(mail_fixture_quiet(&fx, &fx.link));
	mail_fixture_pass_ms(&fx, 1);
	expect_answer(MAIL_VERDICT_SANITISER_LATER);
	expect_command("");
}

/* All next hops together may not take longer than the peer waits for MAIL. */
static void test_mail_sender_answers_before_the_peer_gives_up(void **state)
{
	fx.entry.next_hops.count = 16;
	ask_from("taro@example.jp");
	for (uint32_t target = 0; fx.time.mono_ns < (SENDER_OPEN_MS - 60000) * 1000000ULL;
	     target++) {
		connect_hop(target);
		mail_fixture_pass_ms(&fx, HOP_GREETING_MS);
	}
	mail_fixture_pass_ms(&fx, HOP_GREETING_MS);
	expect_answer(MAIL_VERDICT_NEXT_HOP_DOWN);
}

/* ---- the receiver goes, or is not what it was ---- */

/* Never a half mail: what has no final dot yet is cut off; what has is the next hop's, and is
 * reported. */
static void test_mail_sender_drops_a_message_without_its_dot_when_the_receiver_goes(void **state)
{
	open_transaction();
	ask_message(1);
	give_good_message(1);
	expect_command("DATA\r\n");
	channel_fini(&fx.link);
	mail_fixture_settle(&fx);
	assert_true(mail_fixture_wire_ended(&fx));
	assert_true(sender.ended);
	teardown(NULL);
	setup(NULL);
	open_transaction();
	send_message(1);
	channel_fini(&fx.link);
	mail_fixture_settle(&fx);
	assert_false(sender.ended);
	reply("250 ok\r\n");
	assert_true(mail_fixture_event(&fx, EVENT_MAIL_DELIVERED));
	expect_command("QUIT\r\n");
	reply("221 bye\r\n");
	assert_true(sender.ended);
}

static void test_mail_sender_says_goodbye_at_the_end(void **state)
{
	open_transaction();
	assert_int_equal(channel_send(&fx.link, MAIL_LINK_END, NULL, 0, NULL, 0), 0);
	expect_command("QUIT\r\n");
	mail_fixture_pass_ms(&fx, HOP_QUIT_MS);
	assert_true(sender.ended);
}

/* A receiver that was broken into: no command of its own making, no relaying, no message out of
 * turn (M6). */
static void test_mail_sender_ends_where_the_receiver_breaks_the_rules(void **state)
{
	static const char *const paths[] = {"a@b.jp>\r\nRCPT TO:<x@y.jp", "a b@c.jp", "<a@b.jp>",
					    "a@b.jp> BODY=7BIT"};

	for (size_t i = 0; i < COUNT(paths); i++) {
		ask_from(paths[i]);
		assert_true(sender.ended);
		assert_true(mail_fixture_event(&fx, EVENT_CHANNEL_VIOLATION));
		assert_true(mail_fixture_quiet(&fx, &fx.supervisor));
		teardown(NULL);
		setup(NULL);
	}
	ask_message(1);
	assert_true(sender.ended);
	teardown(NULL);
	setup(NULL);
	open_transaction();
	ask_from("second@example.jp");
	assert_true(mail_fixture_event(&fx, EVENT_CHANNEL_VIOLATION));
	teardown(NULL);
	setup(NULL);
	open_transaction();
	ask_path(MAIL_LINK_TO, "x@evil.example");
	expect_answer(MAIL_VERDICT_RELAY_DENIED);
	ask_path(MAIL_LINK_TO, "x%evil.example@city.example.lg.jp");
	expect_answer(MAIL_VERDICT_RELAY_DENIED);
	expect_command("");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_mail_sender_says_ok_only_for_the_next_hops_250),
		TEST(test_mail_sender_believes_no_250_before_its_dot_is_out),
		TEST(test_mail_sender_regenerates_line_ends_and_dots),
		TEST(test_mail_sender_sends_nothing_that_does_not_verify),
		TEST(test_mail_sender_sends_files_only_where_the_policy_lets_them),
		TEST(test_mail_sender_passes_what_was_called_clean_and_nothing_else),
		TEST(test_mail_sender_waits_for_the_message_that_was_announced),
		TEST(test_mail_sender_takes_no_other_message_while_it_sends_one),
		TEST(test_mail_sender_takes_message_and_result_in_any_order),
		TEST(test_mail_sender_encodes_where_the_next_hop_takes_no_8bit),
		TEST(test_mail_sender_keeps_the_class_of_every_reply),
		TEST(test_mail_sender_tells_refusals_apart),
		TEST(test_mail_sender_passes_refusals_at_each_later_stage),
		TEST(test_mail_sender_sends_several_messages_on_one_connection),
		TEST(test_mail_sender_refuses_what_the_next_hop_says_is_too_big),
		TEST(test_mail_sender_tries_next_hops_in_order),
		TEST(test_mail_sender_says_down_where_no_next_hop_is_up),
		TEST(test_mail_sender_limits_its_connections),
		TEST(test_mail_sender_says_lost_where_the_connection_breaks),
		TEST(test_mail_sender_says_lost_where_the_transaction_went_unnoticed),
		TEST(test_mail_sender_connects_anew_where_an_old_connection_is_stale),
		TEST(test_mail_sender_drops_a_next_hop_that_talks_out_of_turn),
		TEST(test_mail_sender_keeps_its_deadlines),
		TEST(test_mail_sender_loses_patience_with_a_flattener),
		TEST(test_mail_sender_answers_before_the_peer_gives_up),
		TEST(test_mail_sender_drops_a_message_without_its_dot_when_the_receiver_goes),
		TEST(test_mail_sender_says_goodbye_at_the_end),
		TEST(test_mail_sender_ends_where_the_receiver_breaks_the_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
