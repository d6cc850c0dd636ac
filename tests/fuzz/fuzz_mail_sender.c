/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: a whole session of the SMTP client half; receiver, next hop, flattener, supervisor
 * and clock do as the input says. What was said to be delivered must have gone out whole, and must
 * conform.
 */
#include "mail_fuzz.h"

#include <fcntl.h>

#include "mail-sender/sender.h"
#include "wire/smtp/data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char good[] = FIXTURE_HEADER("8bit") "\xe3\x81\x82\n.\n..x\n";

static struct mail_fixture fx;
static struct sender sender;
static uint32_t transaction;
static uint8_t heard[1 << 20]; /* of this connection, from the last DATA on */
static size_t heard_bytes;
static bool asked_message;

static void start(void)
{
	int link = -1;

	mail_fixture_init(&fx);
	mail_fixture_sender(&fx, &sender, &link);
	transaction = 0;
	heard_bytes = 0;
	asked_message = false;
	must(sender_start(&sender, link) == 0);
}

static void hear(void)
{
	ssize_t n = 0;

	while (fx.wire >= 0 && heard_bytes < sizeof(heard) &&
	       (n = recv(fx.wire, heard + heard_bytes, sizeof(heard) - heard_bytes, MSG_DONTWAIT)) >
		       0) {
		if (n == 6 && memcmp(heard + heard_bytes, "DATA\r\n", 6) == 0)
			heard_bytes = 0;
		else
			heard_bytes += (size_t)n;
	}
}

/* The content since DATA: ended by its dot line, without a bare line end, and of the sanitised
 * form. */
static void check_delivered(void)
{
	static uint8_t plain[SMTP_DATA_OUT_BYTES(sizeof(heard))];
	struct mail_verify verify;
	struct smtp_data d;
	size_t size = 0;
	size_t from = 0;

	smtp_data_init(&d, sizeof(plain));
	(void)smtp_data_push(&d, (struct span){heard, heard_bytes}, plain,
			     &size); /* QUIT may follow */
	must(d.ended && d.fault == SMTP_DATA_CLEAN);
	mail_verify_init(&verify);
	for (size_t i = 0; i + 1 < size; i++) {
		if (plain[i] != '\r')
			continue;
		must(mail_verify_line(&verify, plain + from, i - from) == 0);
		from = i + 2;
	}
	must(mail_verify_end(&verify) == 0);
}

static void take_answers(void)
{
	struct mail_answer answer;
	size_t fds = 0;

	while (channel_receive(&fx.link, MAIL_LINK_ANSWER, &answer, sizeof(answer), NULL, 0, &fds,
			       0) == 0) {
		must(answer.verdict < MAIL_VERDICT_COUNT_);
		if (asked_message && answer.verdict == MAIL_VERDICT_OK)
			check_delivered();
		asked_message = false;
	}
}

static void ask_path(uint16_t type, struct span text)
{
	struct mail_path body = {.transaction = transaction, .text_bytes = (uint32_t)text.size};

	memcpy(body.text, text.data, text.size < sizeof(body.text) ? text.size : sizeof(body.text));
	(void)channel_send(&fx.link, type, &body, sizeof(body), NULL, 0); /* it may be gone */
}

static void ask(uint8_t what, struct script *s)
{
	struct mail_message message = {
		.transaction = transaction, .recipient_count = 1, .message = 1};
	struct mail_reset reset = {.transaction = transaction};

	if (what == 0) {
		transaction++;
		ask_path(MAIL_LINK_FROM, span_of("a@b.jp"));
	} else if (what == 1) {
		ask_path(MAIL_LINK_TO, span_of("x@city.example.lg.jp"));
	} else if (what == 2) {
		asked_message = true;
		(void)channel_send(&fx.link, MAIL_LINK_MESSAGE, &message, sizeof(message), NULL, 0);
	} else if (what == 3) {
		(void)channel_send(&fx.link, MAIL_LINK_RESET, &reset, sizeof(reset), NULL, 0);
	} else {
		ask_path(what % 2 ? MAIL_LINK_FROM : MAIL_LINK_TO, script_span(s));
	}
}

static void connect_hop(uint8_t how)
{
	struct control_connected body = {.target = sender.hop.target, .error = how == 0 ? 111 : 0};
	int wire[2] = {-1, -1};

	if (body.error == 0) {
		must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, wire) == 0);
		if (sender.hop.state == HOP_ASKED) {
			if (fx.wire >= 0)
				(void)close(fx.wire);
			fx.wire = wire[1];
			heard_bytes = 0;
		} else {
			(void)close(wire[1]);
		}
	}
	(void)sender_on_connected(&sender, &body, wire[0] >= 0 ? &wire[0] : NULL);
	if (wire[0] >= 0)
		(void)close(wire[0]); /* not kept */
}

static void give_message(uint8_t how, struct script *s)
{
	struct control_flatten message = {.message = 1 + (how >> 7)};
	struct control_flattened result = {.message = message.message,
					   .status = how & 4 ? how & 7 : FLATTEN_DONE};
	struct span text = how & 1 ? script_span(s) : span_of(good);
	int pipe_fds[2];

	must(pipe2(pipe_fds, O_NONBLOCK) == 0);
	must(write(pipe_fds[1], text.data, text.size) == (ssize_t)text.size);
	(void)close(pipe_fds[1]);
	(void)sender_on_message(&sender, &message, &pipe_fds[0]);
	if (pipe_fds[0] >= 0)
		(void)close(pipe_fds[0]); /* not kept */
	result.output_bytes = text.size + (how & 2);
	sha256_of(text.data, text.size, result.sha256_output);
	(void)sender_on_flattened(&sender, &result);
}

static void step(struct script *s)
{
	static const char *const replies[] = {
		"220 mx\r\n", "250 ok\r\n",      "250-8BITMIME\r\n250 8BITMIME\r\n",
		"354 go\r\n", "451 4.3.0 x\r\n", "550 5.1.1 x\r\n",
		"421 x\r\n",  "250-x\r\n"};
	struct span bytes = {0};
	uint8_t op = script_u8(s);

	switch (op % 8) {
	case 0:
		ask(script_u8(s) % 6, s);
		return;
	case 1:
		connect_hop(script_u8(s) % 4);
		return;
	case 2:
		give_message(script_u8(s), s);
		return;
	case 3:
		fx.time.mono_ns += script_u8(s) * 10000000000ULL;
		return;
	case 4:
		bytes = script_span(s);
		(void)channel_send(&fx.link, op / 8 % 8, bytes.data, bytes.size, NULL,
				   0); /* it may be gone */
		return;
	case 5:
		bytes = script_span(s);
		break;
	default:
		bytes = span_of(replies[script_u8(s) % 8]);
		break;
	}
	if (fx.wire >= 0)
		(void)send(fx.wire, bytes.data, bytes.size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script s = {data, size, 0};

	start();
	while (s.at < s.size && !sender.ended) {
		step(&s);
		for (int i = 0; i < 4 && !sender.ended; i++)
			must(loop_step(&fx.loop, 0) == 0);
		hear();
		take_answers();
	}
	sender_fini(&sender);
	mail_fixture_fini(&fx);
	return 0;
}
