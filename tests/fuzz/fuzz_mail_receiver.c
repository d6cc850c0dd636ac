/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: a whole session of the SMTP server half; peer, sender, supervisor and clock do as
 * the input says. */
#include "mail_fuzz.h"

#include "mail-receiver/receiver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mail_fixture fx;
static struct receiver receiver;
static unsigned promised;  /* messages that the sender's side said OK to */
static unsigned confirmed; /* messages that the peer was told are delivered */

static void start(void)
{
	int link = -1;

	mail_fixture_init(&fx);
	mail_fixture_receiver(&fx, &receiver, &link);
	promised = 0;
	confirmed = 0;
	must(receiver_start(&receiver, mail_fixture_wire(&fx), link) == 0);
}

/* The replies must be whole lines of printable ASCII, and confirm nothing that was not promised. */
static void check_replies(void)
{
	char text[16384];
	ssize_t n = recv(fx.wire, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (n <= 0)
		return;
	text[n] = '\0';
	must(n >= 2 && text[n - 1] == '\n');
	for (ssize_t i = 0; i < n; i++)
		must((text[i] >= ' ' && text[i] < 0x7f) || text[i] == '\r' || text[i] == '\n');
	for (char *at = text; (at = strstr(at, "250 2.0.0 Delivered")) != NULL; at++)
		confirmed++;
	must(confirmed <= promised);
}

static void answer(uint8_t verdict)
{
	struct mail_answer body = {.transaction = receiver.transaction.number, .verdict = verdict};

	if (receiver.phase == PHASE_DELIVER && verdict == MAIL_VERDICT_OK && !receiver.link_lost)
		promised++;
	(void)channel_send(&fx.link, MAIL_LINK_ANSWER, &body, sizeof(body), NULL,
			   0); /* it may be gone */
}

static void step(struct script *s)
{
	struct span bytes = {0};

	switch (script_u8(s) % 8) {
	case 0:
		answer(script_u8(s) % (MAIL_VERDICT_COUNT_ + 2));
		break;
	case 1:
		fx.time.mono_ns += script_u8(s) * 10000000000ULL;
		break;
	case 2:
		bytes = script_span(s);
		(void)channel_send(&fx.link, script_u8(s) % 8, bytes.data, bytes.size, NULL, 0);
		break;
	case 3:
		if (script_u8(s) == 0)
			receiver_stop(&receiver);
		break;
	default:
		bytes = script_span(s);
		(void)send(fx.wire, bytes.data, bytes.size, MSG_NOSIGNAL | MSG_DONTWAIT);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script s = {data, size, 0};

	start();
	while (s.at < s.size && !receiver.ended) {
		step(&s);
		for (int i = 0; i < 4 && !receiver.ended; i++)
			must(loop_step(&fx.loop, 0) == 0);
		check_replies();
	}
	receiver_fini(&receiver);
	mail_fixture_fini(&fx);
	return 0;
}
