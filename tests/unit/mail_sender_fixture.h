/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A mail-sender whose receiver, supervisor and next hop are the test. */
#ifndef SEKISHO_TESTS_MAIL_SENDER_FIXTURE_H
#define SEKISHO_TESTS_MAIL_SENDER_FIXTURE_H

#include <fcntl.h>
#include <stdio.h>

#include "mail_fixture.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char flat_text[] = FIXTURE_HEADER("8bit") "こんにちは\n.\n..dots\nend\n";

static struct mail_fixture fx;
static struct sender sender;
static uint32_t transaction;

static inline int setup(void **state)
{
	int link = -1;

	mail_fixture_init(&fx);
	mail_fixture_sender(&fx, &sender, &link);
	transaction = 0;
	assert_int_equal(sender_start(&sender, link), 0);
	return 0;
}

static inline int teardown(void **state)
{
	sender_fini(&sender);
	mail_fixture_fini(&fx);
	return 0;
}

/* ---- the receiver's part ---- */

static inline void ask_path(uint16_t type, const char *path)
{
	struct mail_path body = {.transaction = transaction, .text_bytes = (uint32_t)strlen(path)};

	memcpy(body.text, path, strlen(path));
	assert_int_equal(channel_send(&fx.link, type, &body, sizeof(body), NULL, 0), 0);
	mail_fixture_settle(&fx);
}

static inline void ask_from(const char *path)
{
	transaction++;
	ask_path(MAIL_LINK_FROM, path);
}

static inline void ask_message(uint64_t message)
{
	struct mail_message body = {
		.transaction = transaction, .recipient_count = 1, .message = message};

	assert_int_equal(channel_send(&fx.link, MAIL_LINK_MESSAGE, &body, sizeof(body), NULL, 0),
			 0);
	mail_fixture_settle(&fx);
}

static inline void reset(void)
{
	struct mail_reset body = {.transaction = transaction};

	assert_int_equal(channel_send(&fx.link, MAIL_LINK_RESET, &body, sizeof(body), NULL, 0), 0);
}

static inline void expect_answer(enum mail_verdict verdict)
{
	struct mail_answer answer = {0};

	mail_fixture_take(&fx, &fx.link, MAIL_LINK_ANSWER, &answer, sizeof(answer), NULL);
	assert_int_equal(answer.transaction, transaction);
	assert_int_equal(answer.verdict, verdict);
}

/* ---- the supervisor's part ---- */

static inline void expect_connect(uint32_t target)
{
	struct control_connect body = {0};

	mail_fixture_take(&fx, &fx.supervisor, CONTROL_CONNECT, &body, sizeof(body), NULL);
	assert_int_equal(body.target, target);
}

static inline void refuse_connect(uint32_t target)
{
	struct control_connected body = {.target = target, .error = 111};

	expect_connect(target);
	assert_int_equal(sender_on_connected(&sender, &body, NULL), 0);
	mail_fixture_settle(&fx);
}

static inline void connect_hop(uint32_t target)
{
	struct control_connected body = {.target = target};
	int wire[2];

	expect_connect(target);
	if (fx.wire >= 0)
		(void)close(fx.wire);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, wire), 0);
	fx.wire = wire[1];
	assert_int_equal(sender_on_connected(&sender, &body, &wire[0]), 0);
	mail_fixture_settle(&fx);
}

/* The flattener's pipe with @text, and what it is said to hold. */
static inline void give_message(uint64_t id, const char *text, size_t size, uint64_t said_bytes,
				uint32_t status)
{
	struct control_flatten message = {.message = id};
	struct control_flattened result = {
		.message = id, .status = status, .output_bytes = said_bytes};
	int pipe_fds[2];

	assert_int_equal(pipe2(pipe_fds, O_NONBLOCK), 0);
	assert_int_equal(sender_on_message(&sender, &message, &pipe_fds[0]), 0);
	assert_int_equal(write(pipe_fds[1], text, size), size);
	(void)close(pipe_fds[1]);
	mail_fixture_settle(&fx);
	sha256_of(text, size, result.sha256_output);
	if (status == FLATTEN_FAILED + 1) { /* for tests: done, but another hash */
		result.status = FLATTEN_DONE;
		result.sha256_output[31] ^= 1;
	}
	assert_int_equal(sender_on_flattened(&sender, &result), 0);
	mail_fixture_settle(&fx);
}

static inline void give_good_message(uint64_t id)
{
	give_message(id, flat_text, sizeof(flat_text) - 1, sizeof(flat_text) - 1, FLATTEN_DONE);
}

/* ---- the next hop's part ---- */

static inline void reply(const char *text)
{
	mail_fixture_say(&fx, text, strlen(text));
}

static inline void expect_command(const char *line)
{
	assert_string_equal(mail_fixture_heard(&fx), line);
}

static inline void greet(const char *ehlo_reply)
{
	ask_from("taro@example.jp");
	connect_hop(0);
	reply("220 mx\r\n");
	expect_command("EHLO gw.example.lg.jp\r\n");
	reply(ehlo_reply);
}

static inline void open_transaction(void)
{
	greet("250-mx\r\n250-8BITMIME\r\n250 SIZE 100000\r\n");
	expect_command("MAIL FROM:<taro@example.jp> BODY=8BITMIME\r\n");
	reply("250 2.1.0 ok\r\n");
	expect_answer(MAIL_VERDICT_OK);
	ask_path(MAIL_LINK_TO, "hanako@city.example.lg.jp");
	expect_command("RCPT TO:<hanako@city.example.lg.jp>\r\n");
	reply("250 2.1.5 ok\r\n");
	expect_answer(MAIL_VERDICT_OK);
}

/* Up to the point where the next hop has the whole message, and has not answered. */
static inline void send_message(uint64_t id)
{
	ask_message(id);
	give_good_message(id);
	expect_command("DATA\r\n");
	reply("354 go\r\n");
	assert_non_null(strstr(mail_fixture_heard(&fx), "\r\n.\r\n"));
}

#endif
