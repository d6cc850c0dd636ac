/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SMTP server half, alone: the test is the peer, the sender and the supervisor; time is
 * simulated. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "base/sealed.h"
#include "mail_fixture.h"
#include "tls/pem.h"

#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define WIRE(text) (text), sizeof(text) - 1

static struct mail_fixture fx;
static struct receiver receiver;

static void start(const char *early)
{
	int link = -1, wire = -1;

	mail_fixture_init(&fx);
	mail_fixture_receiver(&fx, &receiver, &link);
	wire = mail_fixture_wire(&fx);
	if (early != NULL)
		assert_int_equal(send(fx.wire, early, strlen(early), 0), strlen(early));
	assert_int_equal(receiver_start(&receiver, wire, link), 0);
}

static int setup(void **state)
{
	start(NULL);
	assert_string_equal(mail_fixture_heard(&fx), "220 gw.example.lg.jp ESMTP\r\n");
	return 0;
}

static int teardown(void **state)
{
	receiver_fini(&receiver);
	mail_fixture_fini(&fx);
	return 0;
}

/* Send, and check all of what comes back. */
static void expect(const char *said, const char *heard)
{
	mail_fixture_say(&fx, said, strlen(said));
	assert_string_equal(mail_fixture_heard(&fx), heard);
}

static void expect_code(const char *said, const char *code)
{
	mail_fixture_say(&fx, said, strlen(said));
	assert_memory_equal(mail_fixture_heard(&fx), code, strlen(code));
}

/* Be the sender: take the question of this type and answer it. */
static void answer(uint16_t type, enum mail_verdict verdict)
{
	union {
		struct mail_path path;
		struct mail_message message;
	} question;
	size_t size = type == MAIL_LINK_MESSAGE ? sizeof(question.message) : sizeof(question.path);
	struct mail_answer body = {.verdict = verdict};

	mail_fixture_take(&fx, &fx.link, type, &question, size, NULL);
	body.transaction = receiver.transaction.number;
	assert_int_equal(channel_send(&fx.link, MAIL_LINK_ANSWER, &body, sizeof(body), NULL, 0), 0);
	mail_fixture_settle(&fx);
}

/* Be the sender that was asked before. */
static void say_verdict(enum mail_verdict verdict)
{
	struct mail_answer body = {.transaction = receiver.transaction.number, .verdict = verdict};

	assert_int_equal(channel_send(&fx.link, MAIL_LINK_ANSWER, &body, sizeof(body), NULL, 0), 0);
	mail_fixture_settle(&fx);
}

static void greet(void)
{
	expect_code("EHLO mx.example.jp\r\n", "250-");
}

static void open_transaction(void)
{
	greet();
	expect("MAIL FROM:<taro@example.jp> SIZE=100\r\n", "");
	answer(MAIL_LINK_FROM, MAIL_VERDICT_OK);
	assert_memory_equal(mail_fixture_heard(&fx), "250 2.1.0", 9);
	expect("RCPT TO:<hanako@city.example.lg.jp>\r\n", "");
	answer(MAIL_LINK_TO, MAIL_VERDICT_OK);
	assert_memory_equal(mail_fixture_heard(&fx), "250 2.1.5", 9);
}

static void open_data(void)
{
	open_transaction();
	expect_code("DATA\r\n", "354 ");
}

/* ---- the order of things ---- */

static void test_mail_receiver_offers_its_extensions_on_ehlo(void **state)
{
	expect("EHLO mx.example.jp\r\n",
	       "250-gw.example.lg.jp\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
	       "250-ENHANCEDSTATUSCODES\r\n250 SIZE 1000\r\n");
	expect("HELO mx.example.jp\r\n", "250 gw.example.lg.jp\r\n");
}

/* Invariant L: nothing but the sender's OK makes a 250, and it comes no sooner. */
static void test_mail_receiver_gives_250_only_after_the_next_hops(void **state)
{
	struct control_flatten flatten = {0};
	char text[64] = {0};
	int fd = -1;

	open_data();
	expect("Subject: a\r\n\r\n..dot\r\n.\r\n", "");
	mail_fixture_take(&fx, &fx.supervisor, CONTROL_FLATTEN, &flatten, sizeof(flatten), &fd);
	assert_int_equal(flatten.message, 7ULL << 32 | 1);
	assert_int_equal(flatten.size_bytes, 20);
	assert_int_equal(pread(fd, text, sizeof(text), 0), 20);
	assert_string_equal(text, "Subject: a\r\n\r\n.dot\r\n");
	assert_int_equal(fcntl(fd, F_GET_SEALS),
			 F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	(void)close(fd);
	mail_fixture_pass_ms(&fx, RECEIVER_DELIVER_MS - 1000);
	assert_string_equal(mail_fixture_heard(&fx), "");
	answer(MAIL_LINK_MESSAGE, MAIL_VERDICT_OK);
	assert_memory_equal(mail_fixture_heard(&fx), "250 2.0.0", 9);
	expect_code("QUIT\r\n", "221 ");
	assert_int_equal(receiver.counts.delivered, 1);
}

/* A verdict keeps its class on the way: 4xx stays temporary, 5xx permanent, at every stage. */
static void test_mail_receiver_keeps_the_class_of_each_verdict(void **state)
{
	for (uint32_t verdict = 0; verdict < MAIL_VERDICT_COUNT_ + 1; verdict++) {
		const struct answer_row *row = answer_for_verdict(verdict);
		char code[8];

		if (verdict == MAIL_VERDICT_OK)
			continue;
		(void)snprintf(code, sizeof(code), "%u ", row->code);
		assert_int_equal(row->enhanced[0] - '0', row->code / 100);
		greet();
		expect("MAIL FROM:<>\r\n", "");
		answer(MAIL_LINK_FROM, verdict);
		assert_memory_equal(mail_fixture_heard(&fx), code, 4);
		teardown(NULL);
		setup(NULL);
	}
	assert_int_equal(answer_for_verdict(99999)->code, 451);
}

static void test_mail_receiver_refuses_commands_out_of_order(void **state)
{
	static const char *const early[] = {"MAIL FROM:<a@b.jp>\r\n",
					    "RCPT TO:<a@city.example.lg.jp>\r\n", "DATA\r\n"};

	for (size_t i = 0; i < COUNT(early); i++)
		expect_code(early[i], "503 5.5.1");
	teardown(NULL);
	setup(NULL);
	greet();
	expect_code("RCPT TO:<a@city.example.lg.jp>\r\n", "503 5.5.1");
	expect_code("DATA\r\n", "503 5.5.1");
	teardown(NULL);
	setup(NULL);
	open_transaction();
	expect_code("MAIL FROM:<b@b.jp>\r\n", "503 5.5.1");
	expect_code("RSET\r\n", "250 2.0.0");
	expect_code("RCPT TO:<a@city.example.lg.jp>\r\n", "503 5.5.1");
}

static void test_mail_receiver_answers_a_pipelined_group_in_order(void **state)
{
	greet();
	expect("MAIL FROM:<a@b.jp>\r\nRCPT TO:<x@evil.example>\r\nRCPT "
	       "TO:<x@city.example.lg.jp>\r\nDATA\r\n",
	       "");
	answer(MAIL_LINK_FROM, MAIL_VERDICT_OK);
	assert_string_equal(mail_fixture_heard(&fx), "250 2.1.0 Sender accepted\r\n550 5.7.1 This "
						     "gateway takes no mail for this domain\r\n");
	answer(MAIL_LINK_TO, MAIL_VERDICT_OK);
	assert_string_equal(mail_fixture_heard(&fx),
			    "250 2.1.5 Recipient accepted\r\n"
			    "354 Send the message, end with a dot on a line of its own\r\n");
}

/* RFC 2920: what a pipelining peer has sent goes to the sender together, and is answered in turn.
 */
static void test_mail_receiver_asks_for_sender_and_recipient_together(void **state)
{
	struct mail_path from = {0};
	struct mail_path to = {0};

	greet();
	expect("MAIL FROM:<a@b.jp>\r\nRCPT TO:<x@city.example.lg.jp>\r\nDATA\r\n", "");
	mail_fixture_take(&fx, &fx.link, MAIL_LINK_FROM, &from, sizeof(from), NULL);
	mail_fixture_take(&fx, &fx.link, MAIL_LINK_TO, &to, sizeof(to), NULL);
	assert_int_equal(from.follows, 1);
	assert_int_equal(to.transaction, from.transaction);
	say_verdict(MAIL_VERDICT_OK);
	assert_memory_equal(mail_fixture_heard(&fx), "250 2.1.0", 9);
	say_verdict(MAIL_VERDICT_OK);
	assert_string_equal(mail_fixture_heard(&fx),
			    "250 2.1.5 Recipient accepted\r\n"
			    "354 Send the message, end with a dot on a line of its own\r\n");
}

static void test_mail_receiver_answers_a_recipient_whose_sender_was_refused(void **state)
{
	struct mail_path path = {0};

	greet();
	expect("MAIL FROM:<a@b.jp>\r\nRCPT TO:<x@city.example.lg.jp>\r\nNOOP\r\n", "");
	mail_fixture_take(&fx, &fx.link, MAIL_LINK_FROM, &path, sizeof(path), NULL);
	mail_fixture_take(&fx, &fx.link, MAIL_LINK_TO, &path, sizeof(path), NULL);
	say_verdict(MAIL_VERDICT_SENDER_LATER);
	assert_string_equal(mail_fixture_heard(&fx),
			    "451 4.7.1 The next hop does not take mail of this sender now\r\n"
			    "503 5.5.1 Not now: the order of commands is wrong\r\n"
			    "250 2.0.0 Ok\r\n");
}

/* ---- TLS ---- */

static void offer_tls(void)
{
	struct bytes pem;

	bytes_init(&pem, TLS_PEM_BYTES_MAX);
	assert_int_equal(tls_identity_make(&(struct tls_wish){.host_name = "gw.example.lg.jp",
							      .now_s = time(NULL)},
					   &pem),
			 0);
	assert_int_equal(sealed_make("identity", bytes_span(&pem), &receiver.certificate_fd), 0);
	tls_wipe(&pem);
	fx.policy.tls_offered = true;
}

static void test_mail_receiver_ends_where_anything_stands_behind_starttls(void **state)
{
	static const char *const said[] = {"STARTTLS\r\nN", "STARTTLS\r\nNOOP\r\n",
					   "STARTTLS\r\n\x16\x03\x01"};

	for (size_t i = 0; i < COUNT(said); i++) {
		offer_tls();
		greet();
		expect_code(said[i], "554 5.5.0");
		assert_true(mail_fixture_event(&fx, EVENT_MAIL_TLS_INJECTED));
		assert_true(mail_fixture_wire_ended(&fx));
		teardown(NULL);
		setup(NULL);
	}
}

static void test_mail_receiver_refuses_mail_before_the_tls_it_wants(void **state)
{
	offer_tls();
	fx.policy.tls_required = true;
	expect_code("HELO mx.example.jp\r\n", "250 ");
	expect_code("STARTTLS\r\n", "503 5.5.1");
	greet();
	expect_code("MAIL FROM:<a@b.jp>\r\n", "530 5.7.0");
	expect_code("STARTTLS now\r\n", "501 5.5.4");
}

static void test_mail_receiver_has_no_tls_without_its_key(void **state)
{
	fx.policy.tls_offered = true;
	fx.policy.tls_required = true;
	greet();
	expect_code("STARTTLS\r\n", "454 4.7.0");
	expect_code("MAIL FROM:<a@b.jp>\r\n", "454 4.7.0");
}

/* A client in the same thread: what stood before the handshake is forgotten, and then all is as
 * ever. */
static void test_mail_receiver_begins_anew_under_tls(void **state)
{
	struct stream client;
	struct bytes pem;
	struct tls_settings settings = {.side = TLS_CLIENT, .peer_name = "gw.example.lg.jp"};
	enum tls_fault fault = TLS_FAULT_NONE;
	char heard[256] = {0};
	int err = -ERR_AGAIN;

	offer_tls();
	bytes_init(&pem, TLS_PEM_BYTES_MAX);
	assert_int_equal(tls_pem_read(receiver.certificate_fd, &pem), 0);
	settings.authorities = bytes_span(&pem);
	greet();
	expect("STARTTLS\r\n", "220 2.0.0 Go ahead\r\n");
	stream_init(&client, fx.wire);
	assert_int_equal(stream_prepare_tls(&client, &settings, &fault), 0);
	for (int i = 0; i < 50 && err == -ERR_AGAIN; i++) {
		err = stream_handshake(&client);
		mail_fixture_settle(&fx);
	}
	assert_int_equal(err, 0);
	assert_true(mail_fixture_event(&fx, EVENT_MAIL_TLS));
	assert_int_equal(stream_write(&client, "MAIL FROM:<a@b.jp>\r\n", 20), 20);
	mail_fixture_settle(&fx);
	assert_true(stream_read(&client, heard, sizeof(heard) - 1) > 0);
	assert_memory_equal(heard, "503 5.5.1", 9);
	stream_fini(&client);
	tls_wipe(&pem);
}

static void test_mail_receiver_answers_each_command_that_is_wrong(void **state)
{
	static const struct {
		const char *said, *code;
	} cases[] = {
		{"EHLO\r\n", "501 5.5.4"},
		{"EHLO a b\r\n", "501 5.5.4"},
		{"FROB\r\n", "500 5.5.2"},
		{"STARTTLS\r\n", "502 5.5.1"},
		{"AUTH PLAIN\r\n", "502 5.5.1"},
		{"BDAT 10 LAST\r\n", "502 5.5.1"},
		{"EXPN staff\r\n", "502 5.5.1"},
		{"VRFY hanako\r\n", "252 2.5.0"},
		{"NOOP x\r\n", "250 2.0.0"},
		{"HELP\r\n", "214 2.0.0"},
		{"QUIT now\r\n", "501 5.5.4"},
		{"MAIL FROM:<a@b.jp> SMTPUTF8=1\r\n", "501 5.5.4"},
		{"MAIL FROM:<\xe5\xa4\xaa@b.jp>\r\n", "501 5.1.7"},
		{"MAIL FROM:<\xe5\xa4@b.jp> SMTPUTF8\r\n", "501 5.1.7"},
		{"MAIL FROM:<a@b.jp> FOO=1\r\n", "555 5.5.4"},
		{"MAIL FROM:<a@b.jp> SIZE=x\r\n", "501 5.5.4"},
		{"MAIL FROM:<a@b..jp>\r\n", "501 5.1.7"},
		{"MAIL FROM:<postmaster>\r\n", "501 5.1.7"},
		{"MAIL FROM:<a@b.jp> SIZE=1001\r\n", "552 5.3.4"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		greet();
		expect_code(cases[i].said, cases[i].code);
		assert_true(mail_fixture_quiet(&fx, &fx.link));
		teardown(NULL);
		setup(NULL);
	}
}

/* ---- who and how much ---- */

/* M6: only mail for the listed domains, and no detour. */
static void test_mail_receiver_denies_relaying(void **state)
{
	static const char *const recipients[] = {
		"a@evil.example",
		"a@xcity.example.lg.jp",
		"a@city.example.lg.jp.evil.example",
		"a@sub.city.example.lg.jp",
		"a%evil.example@city.example.lg.jp",
		"evil.example!a@city.example.lg.jp",
		"\"a@evil.example\"@city.example.lg.jp",
		"a@[192.0.2.1]",
	};

	open_transaction();
	for (size_t i = 0; i < COUNT(recipients); i++) {
		char line[128];

		(void)snprintf(line, sizeof(line), "RCPT TO:<%s>\r\n", recipients[i]);
		mail_fixture_say(&fx, line, strlen(line));
		mail_fixture_pass_ms(&fx, 20000); /* past the tarpit */
		assert_memory_equal(mail_fixture_heard(&fx), "550 5.7.1", 9);
	}
	assert_true(mail_fixture_quiet(&fx, &fx.link));
	assert_true(mail_fixture_event(&fx, EVENT_MAIL_RELAY_DENIED));
	expect("RCPT TO:<X@CITY.Example.LG.jp>\r\n", "");
	answer(MAIL_LINK_TO, MAIL_VERDICT_RECIPIENT_UNKNOWN);
	assert_memory_equal(mail_fixture_heard(&fx), "550 5.1.1", 9);
	expect("RCPT TO:<Postmaster>\r\n", "");
	answer(MAIL_LINK_TO, MAIL_VERDICT_OK);
	assert_memory_equal(mail_fixture_heard(&fx), "250 2.1.5", 9);
}

static void test_mail_receiver_limits_recipients(void **state)
{
	open_transaction();
	for (int i = 1; i < FIXTURE_RECIPIENTS; i++) {
		expect("RCPT TO:<x@town.example.lg.jp>\r\n", "");
		answer(MAIL_LINK_TO, MAIL_VERDICT_OK);
		assert_memory_equal(mail_fixture_heard(&fx), "250 ", 4);
	}
	expect_code("RCPT TO:<x@town.example.lg.jp>\r\n", "452 4.5.3");
	assert_true(mail_fixture_quiet(&fx, &fx.link));
}

/* M1: the limit holds during DATA too, to the octet; the session goes on. */
static void test_mail_receiver_refuses_a_message_past_the_limit(void **state)
{
	static char text[FIXTURE_SIZE_LIMIT + 2];
	struct mail_reset reset = {0};

	memset(text, 'x', sizeof(text));
	memcpy(text + FIXTURE_SIZE_LIMIT - 2, "\r\n", 2);
	open_data();
	mail_fixture_say(&fx, text, FIXTURE_SIZE_LIMIT);
	expect("y\r\n.\r\n", "552 5.3.4 The message is larger than the limit\r\n");
	mail_fixture_take(&fx, &fx.link, MAIL_LINK_RESET, &reset, sizeof(reset), NULL);
	assert_true(mail_fixture_quiet(&fx, &fx.supervisor));
	assert_true(mail_fixture_event(&fx, EVENT_MAIL_TOO_BIG));
	expect_code("MAIL FROM:<>\r\n", "");
	teardown(NULL);
	setup(NULL);
	open_data();
	mail_fixture_say(&fx, text, FIXTURE_SIZE_LIMIT);
	expect(".\r\n", "");
	assert_false(mail_fixture_quiet(&fx, &fx.supervisor));
}

static void test_mail_receiver_cuts_off_a_message_without_end(void **state)
{
	static char text[16384];

	memset(text, 'x', sizeof(text));
	open_data();
	for (int i = 0; i < 70; i++) {
		if (send(fx.wire, text, sizeof(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		mail_fixture_settle(&fx);
	}
	assert_memory_equal(mail_fixture_heard(&fx), "552 5.3.4", 9);
	assert_true(mail_fixture_wire_ended(&fx));
}

/* ---- smuggling ---- */

/* M6: a line end that is not CRLF ends the session in a command, and with 5xx in DATA, however it
 * is cut. */
static void test_mail_receiver_closes_on_bare_line_ends(void **state)
{
	static const struct {
		const char *said;
		size_t size;
	} commands[] = {{WIRE("NOOP\n")}, {WIRE("NOOP\rX")}, {WIRE("NO\0OP\r\n")}};
	static const struct {
		const char *said;
		size_t size;
	} data[] = {
		{WIRE("a\r\n.\nMAIL FROM:<x@y.jp>\r\n.\r\n")},
		{WIRE("a\n.\r\nMAIL FROM:<x@y.jp>\r\n.\r\n")},
		{WIRE("a\n.\nMAIL FROM:<x@y.jp>\r\n.\r\n")},
		{WIRE("a\r.\rMAIL FROM:<x@y.jp>\r\n.\r\n")},
		{WIRE("a\r\n.\rMAIL FROM:<x@y.jp>\r\n.\r\n")},
		{WIRE("a\0\r\n.\r\n")},
	};

	for (size_t i = 0; i < COUNT(commands); i++) {
		mail_fixture_say(&fx, commands[i].said, commands[i].size);
		assert_memory_equal(mail_fixture_heard(&fx), "500 5.5.2", 9);
		assert_true(mail_fixture_wire_ended(&fx));
		assert_true(mail_fixture_event(&fx, EVENT_MAIL_LINE_END));
		teardown(NULL);
		setup(NULL);
	}
	for (size_t i = 0; i < COUNT(data); i++) {
		for (size_t cut = 1; cut < data[i].size; cut++) {
			open_data();
			mail_fixture_say(&fx, data[i].said, cut);
			assert_string_equal(mail_fixture_heard(&fx), "");
			mail_fixture_say(&fx, data[i].said + cut, data[i].size - cut);
			assert_memory_equal(mail_fixture_heard(&fx), "550 5.5.2", 9);
			assert_true(mail_fixture_wire_ended(&fx));
			assert_true(mail_fixture_quiet(&fx, &fx.supervisor));
			mail_fixture_take(&fx, &fx.link, MAIL_LINK_END, NULL, 0, NULL);
			teardown(NULL);
			setup(NULL);
		}
	}
}

static void test_mail_receiver_refuses_who_speaks_too_early(void **state)
{
	teardown(NULL);
	start("EHLO x\r\n");
	assert_memory_equal(mail_fixture_heard(&fx), "554 5.5.0", 9);
	assert_true(mail_fixture_wire_ended(&fx));
	teardown(NULL);
	setup(NULL);
	open_transaction();
	expect_code("DATA\r\nSubject: x\r\n", "554 5.5.0");
	assert_true(mail_fixture_wire_ended(&fx));
}

static void test_mail_receiver_closes_on_an_endless_line(void **state)
{
	char text[SMTP_LINE_MAX + SMTP_MAIL_EXTRA + 1];

	memset(text, 'x', sizeof(text));
	mail_fixture_say(&fx, text, sizeof(text));
	assert_memory_equal(mail_fixture_heard(&fx), "500 5.5.6", 9);
	assert_true(mail_fixture_wire_ended(&fx));
}

/* ---- losses and limits ---- */

/* Invariant L: where the sender is lost, what the peer waits for is temporary. */
static void test_mail_receiver_says_451_where_the_sender_is_lost(void **state)
{
	channel_fini(&fx.link);
	assert_memory_equal(mail_fixture_heard(&fx), "421 4.3.0", 9);
	teardown(NULL);
	setup(NULL);
	greet();
	expect("MAIL FROM:<>\r\n", "");
	channel_fini(&fx.link);
	assert_memory_equal(mail_fixture_heard(&fx), "451 4.3.0", 9);
	teardown(NULL);
	setup(NULL);
	open_data();
	expect("x\r\n.\r\n", "");
	channel_fini(&fx.link);
	assert_memory_equal(mail_fixture_heard(&fx), "451 4.3.0", 9);
	assert_true(mail_fixture_wire_ended(&fx));
	assert_int_equal(receiver.counts.deferred, 1);
	assert_int_equal(receiver.counts.delivered, 0);
}

static void test_mail_receiver_says_451_where_no_flattener_can_be_asked_for(void **state)
{
	open_data();
	channel_fini(&fx.supervisor);
	expect_code("x\r\n.\r\n", "451 4.3.0");
	assert_true(mail_fixture_wire_ended(&fx));
}

/* The supervisor's queue is full (or too many descriptors are under way): the message waits its
 * turn. */
static void test_mail_receiver_waits_where_the_supervisor_is_busy(void **state)
{
	struct control_ping filler = {0};
	struct control_flatten flatten = {0};
	unsigned count = 0;
	int fd = -1;

	open_data();
	while (channel_send(&fx.control, CONTROL_PONG, &filler, sizeof(filler), NULL, 0) == 0)
		count++;
	expect("x\r\n.\r\n", "");
	mail_fixture_pass_ms(&fx, RECEIVER_RETRY_MS);
	assert_int_equal(receiver.phase, PHASE_DELIVER);
	while (count-- > 0)
		mail_fixture_take(&fx, &fx.supervisor, CONTROL_PONG, &filler, sizeof(filler), NULL);
	assert_true(mail_fixture_quiet(&fx, &fx.supervisor));
	mail_fixture_pass_ms(&fx, RECEIVER_RETRY_MS);
	mail_fixture_take(&fx, &fx.supervisor, CONTROL_FLATTEN, &flatten, sizeof(flatten), &fd);
	(void)close(fd);
	mail_fixture_pass_ms(&fx, RECEIVER_RETRY_MS);
	assert_true(mail_fixture_quiet(&fx, &fx.supervisor));
}

/* RFC 5321 4.5.3.2: the time that each phase may take, and not a moment less. */
static void test_mail_receiver_keeps_its_deadlines(void **state)
{
	static const struct {
		enum receiver_phase phase;
		uint64_t deadline_ms;
		const char *late;
	} cases[] = {
		{PHASE_CONNECTED, 300000, "421 4.4.2"}, {PHASE_READY, 300000, "421 4.4.2"},
		{PHASE_RECIPIENT, 300000, "421 4.4.2"}, {PHASE_ASK_SENDER, 290000, "451 4.3.0"},
		{PHASE_DATA, 180000, "421 4.4.2"},      {PHASE_DELIVER, 590000, "451 4.3.0"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		if (cases[i].phase == PHASE_READY || cases[i].phase == PHASE_ASK_SENDER)
			greet();
		if (cases[i].phase == PHASE_ASK_SENDER)
			expect("MAIL FROM:<>\r\n", "");
		if (cases[i].phase == PHASE_RECIPIENT)
			open_transaction();
		if (cases[i].phase == PHASE_DATA || cases[i].phase == PHASE_DELIVER)
			open_data();
		if (cases[i].phase == PHASE_DELIVER)
			expect("x\r\n.\r\n", "");
		assert_int_equal(receiver.phase, cases[i].phase);
		mail_fixture_pass_ms(&fx, cases[i].deadline_ms - 1);
		assert_string_equal(mail_fixture_heard(&fx), "");
		mail_fixture_pass_ms(&fx, 1);
		assert_memory_equal(mail_fixture_heard(&fx), cases[i].late, 9);
		assert_true(mail_fixture_wire_ended(&fx));
		assert_false(receiver.ended);
		mail_fixture_pass_ms(&fx, RECEIVER_LINGER_MS);
		assert_true(receiver.ended);
		teardown(NULL);
		setup(NULL);
	}
}

static void test_mail_receiver_ends_data_that_trickles(void **state)
{
	open_data();
	for (uint64_t ms = 0; ms < RECEIVER_DATA_TOTAL_MS; ms += 100000) {
		mail_fixture_pass_ms(&fx, 100000);
		if (receiver.phase == PHASE_DATA)
			mail_fixture_say(&fx, "x", 1);
	}
	assert_memory_equal(mail_fixture_heard(&fx), "421 4.4.2", 9);
}

static void test_mail_receiver_slows_down_and_closes_on_errors(void **state)
{
	for (int i = 0; i < RECEIVER_ERRORS_FREE; i++)
		expect_code("FROB\r\n", "500 5.5.2");
	expect("FROB\r\n", "");
	mail_fixture_pass_ms(&fx, RECEIVER_TARPIT_MS - 1);
	assert_string_equal(mail_fixture_heard(&fx), "");
	mail_fixture_pass_ms(&fx, 1);
	assert_memory_equal(mail_fixture_heard(&fx), "500 5.5.2", 9);
	for (int i = RECEIVER_ERRORS_FREE + 1; i < RECEIVER_ERRORS_MAX; i++) {
		mail_fixture_say(&fx, "FROB\r\n", 6);
		mail_fixture_pass_ms(&fx, 20000);
	}
	assert_non_null(strstr(mail_fixture_heard(&fx), "421 4.7.0"));
	assert_true(mail_fixture_wire_ended(&fx));
}

static void test_mail_receiver_limits_commands_without_mail(void **state)
{
	for (int i = 0; i < RECEIVER_IDLE_MAX; i++)
		expect_code("NOOP\r\n", "250 ");
	expect_code("NOOP\r\n", "421 4.7.0");
}

static void test_mail_receiver_ignores_an_answer_to_another_transaction(void **state)
{
	struct mail_answer stale = {.transaction = 99, .verdict = MAIL_VERDICT_OK};

	open_data();
	expect("x\r\n.\r\n", "");
	assert_int_equal(channel_send(&fx.link, MAIL_LINK_ANSWER, &stale, sizeof(stale), NULL, 0),
			 0);
	assert_string_equal(mail_fixture_heard(&fx), "");
	answer(MAIL_LINK_MESSAGE, MAIL_VERDICT_MESSAGE_LATER);
	assert_memory_equal(mail_fixture_heard(&fx), "451 4.3.0", 9);
}

static void test_mail_receiver_stops_behind_the_answer_that_is_waited_for(void **state)
{
	open_data();
	expect("x\r\n.\r\n", "");
	receiver_stop(&receiver);
	assert_string_equal(mail_fixture_heard(&fx), "");
	answer(MAIL_LINK_MESSAGE, MAIL_VERDICT_OK);
	assert_string_equal(mail_fixture_heard(&fx), "250 2.0.0 Delivered to the next hop\r\n"
						     "421 4.3.2 The gateway is stopping\r\n");
	teardown(NULL);
	setup(NULL);
	receiver_stop(&receiver);
	assert_memory_equal(mail_fixture_heard(&fx), "421 4.3.2", 9);
}

static void test_mail_receiver_tells_the_sender_when_the_peer_goes(void **state)
{
	open_data();
	(void)close(fx.wire);
	fx.wire = -1;
	mail_fixture_settle(&fx);
	assert_true(receiver.ended);
	assert_true(mail_fixture_quiet(&fx, &fx.supervisor));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_mail_receiver_offers_its_extensions_on_ehlo),
		TEST(test_mail_receiver_gives_250_only_after_the_next_hops),
		TEST(test_mail_receiver_keeps_the_class_of_each_verdict),
		TEST(test_mail_receiver_refuses_commands_out_of_order),
		TEST(test_mail_receiver_answers_a_pipelined_group_in_order),
		TEST(test_mail_receiver_asks_for_sender_and_recipient_together),
		TEST(test_mail_receiver_answers_a_recipient_whose_sender_was_refused),
		TEST(test_mail_receiver_ends_where_anything_stands_behind_starttls),
		TEST(test_mail_receiver_refuses_mail_before_the_tls_it_wants),
		TEST(test_mail_receiver_has_no_tls_without_its_key),
		TEST(test_mail_receiver_begins_anew_under_tls),
		TEST(test_mail_receiver_answers_each_command_that_is_wrong),
		TEST(test_mail_receiver_denies_relaying),
		TEST(test_mail_receiver_limits_recipients),
		TEST(test_mail_receiver_refuses_a_message_past_the_limit),
		TEST(test_mail_receiver_cuts_off_a_message_without_end),
		TEST(test_mail_receiver_closes_on_bare_line_ends),
		TEST(test_mail_receiver_refuses_who_speaks_too_early),
		TEST(test_mail_receiver_closes_on_an_endless_line),
		TEST(test_mail_receiver_says_451_where_the_sender_is_lost),
		TEST(test_mail_receiver_says_451_where_no_flattener_can_be_asked_for),
		TEST(test_mail_receiver_waits_where_the_supervisor_is_busy),
		TEST(test_mail_receiver_keeps_its_deadlines),
		TEST(test_mail_receiver_ends_data_that_trickles),
		TEST(test_mail_receiver_slows_down_and_closes_on_errors),
		TEST(test_mail_receiver_limits_commands_without_mail),
		TEST(test_mail_receiver_ignores_an_answer_to_another_transaction),
		TEST(test_mail_receiver_stops_behind_the_answer_that_is_waited_for),
		TEST(test_mail_receiver_tells_the_sender_when_the_peer_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
