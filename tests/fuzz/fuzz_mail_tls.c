/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: what comes instead of a TLS handshake, at the SMTP server half and at the client
 * half. Nothing of it may be read as SMTP, and nothing that is said may be SMTP in plain text. */
#include "mail_fuzz.h"

#include <stdio.h>
#include <time.h>

#include "base/sealed.h"
#include "mail-receiver/receiver.h"
#include "mail-sender/sender.h"
#include "tls/pem.h"

#define HOST "mx.example.jp"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mail_fixture fx;
static struct bytes identity;

static int identity_fd(void)
{
	int fd = -1;

	if (identity.data == NULL) {
		bytes_init(&identity, TLS_PEM_BYTES_MAX);
		must(tls_identity_make(&(struct tls_wish){.host_name = HOST, .now_s = time(NULL)},
				       &identity) == 0);
	}
	must(sealed_make("identity", bytes_span(&identity), &fd) == 0);
	return fd;
}

static void settle(void)
{
	for (int i = 0; i < 6; i++)
		must(loop_step(&fx.loop, 0) == 0);
}

/* All that came must be whole or cut TLS records, from the first octet on. */
static void check_records(const uint8_t *text, size_t size)
{
	size_t at = 0;

	while (at + 5 <= size) {
		must(text[at] >= 20 && text[at] <= 23 && text[at + 1] == 3);
		at += 5U + (size_t)text[at + 3] * 256U + text[at + 4];
	}
}

static void play(struct script *s, const bool *ended)
{
	static uint8_t heard[65536];
	size_t heard_bytes = 0;
	ssize_t n = 0;

	while (s->at < s->size && !*ended) {
		struct span bytes = script_span(s);

		if (bytes.size == 0)
			fx.time.mono_ns += 1000000000ULL;
		else if (send(fx.wire, bytes.data, bytes.size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		settle();
		while (heard_bytes < sizeof(heard) &&
		       (n = recv(fx.wire, heard + heard_bytes, sizeof(heard) - heard_bytes,
				 MSG_DONTWAIT)) > 0)
			heard_bytes += (size_t)n;
	}
	check_records(heard, heard_bytes);
}

static void say(const char *text)
{
	must(send(fx.wire, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
	settle();
}

/* Take what waits, which must end with @line. */
static void hear(const char *line)
{
	char text[4096];
	ssize_t n = recv(fx.wire, text, sizeof(text) - 1, MSG_DONTWAIT);
	size_t size = strlen(line);

	must(n >= (ssize_t)size && memcmp(text + (size_t)n - size, line, size) == 0);
}

static void try_receiver(struct script *s)
{
	static struct receiver r;
	int link = -1;

	mail_fixture_receiver(&fx, &r, &link);
	r.certificate_fd = identity_fd();
	fx.policy.tls_offered = true;
	must(receiver_start(&r, mail_fixture_wire(&fx), link) == 0);
	say("EHLO mx.example.jp\r\n");
	say("STARTTLS\r\n");
	hear("220 2.0.0 Go ahead\r\n");
	play(s, &r.ended);
	must(mail_fixture_quiet(&fx, &fx.link)); /* the sender was asked nothing */
	receiver_fini(&r);
}

static void try_sender(struct script *s)
{
	static struct sender sender;
	struct control_connected connected = {.target = 0};
	struct mail_path from = {.transaction = 1};
	int wire = -1;
	int link = -1;

	mail_fixture_sender(&fx, &sender, &link);
	sender.authority_fd = identity_fd();
	fx.policy.hop_tls = true;
	fx.policy.hop_name = HOST;
	must(sender_start(&sender, link) == 0);
	must(channel_send(&fx.link, MAIL_LINK_FROM, &from, sizeof(from), NULL, 0) == 0);
	settle();
	wire = mail_fixture_wire(&fx);
	must(sender_on_connected(&sender, &connected, &wire) == 0);
	settle();
	say("220 mx\r\n");
	say("250-mx\r\n250 STARTTLS\r\n");
	hear("STARTTLS\r\n");
	say("220 go ahead\r\n");
	play(s, &sender.ended);
	sender_fini(&sender);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script s = {data, size, 0};

	mail_fixture_init(&fx);
	if (script_u8(&s) % 2 == 0)
		try_receiver(&s);
	else
		try_sender(&s);
	mail_fixture_fini(&fx);
	return 0;
}
