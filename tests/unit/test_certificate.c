/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The certificate of a wipe (L5, ADR 609): what it waits for, what it says, and its signature. */
#include "unit.h"

#include <nettle/eddsa.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit/certificate.h"
#include "channel/control.h"
#include "place.h"

#define MS_NS        UINT64_C(1000000)
#define HEADER_BYTES 8U /* of a frame of a channel */
#define SEQUENCE     41U
#define ORDER        "ordered 2026-11-23T00:00:00Z\nperson yamada\n"
#define SERVERS      2U

static struct place place;
static struct clock_simulated now;
static struct clock test_clock;
static struct loop loop;
static struct pollfd polls[4];
static struct loop_fd *fds[4];
static struct channel control;
static struct store store;
static struct destinations servers;
static struct device_key key;
static struct certificate certificate;
static int peer;

static const struct record_form form = {.clock = &test_clock, .host = "gw-1"};

static int setup(void **state)
{
	int pair[2];

	place_open(&place);
	now = (struct clock_simulated){.mono_ns = 1000 * MS_NS};
	test_clock = clock_simulate(&now);
	loop_init(&loop, &test_clock, polls, fds, 4);
	assert_int_equal(channel_pair(pair), 0);
	channel_init(&control, pair[0], NULL, 0, NULL);
	peer = pair[1];
	assert_int_equal(device_key_open(&key, place.dir), 0);
	store.chain.next_sequence = SEQUENCE;
	servers = (struct destinations){0};
	servers.running.count = SERVERS;
	for (size_t i = 0; i < SERVERS; i++)
		servers.senders[i] = (struct sender){.state = SENDER_FLOWING};
	certificate = (struct certificate){.loop = &loop,
					   .control = &control,
					   .store = &store,
					   .form = &form,
					   .destinations = &servers,
					   .key = &key};
	return 0;
}

static int teardown(void **state)
{
	device_key_fini(&key);
	channel_fini(&control);
	close(peer);
	place_close(&place);
	return 0;
}

static void begin(uint64_t number)
{
	struct control_certify order = {.number = number, .text = ORDER};

	certificate_begin(&certificate, &order);
}

static void pass(uint64_t ms)
{
	now.mono_ns += ms * MS_NS;
	(void)loop_step(&loop, 0);
}

/* Return: whether an answer has come. */
static bool answered(struct control_certified *body)
{
	uint8_t message[HEADER_BYTES + sizeof(*body)];
	ssize_t size = recv(peer, message, sizeof(message), MSG_DONTWAIT);

	if (size < 0)
		return false;
	assert_int_equal(size, sizeof(message));
	memcpy(body, message + HEADER_BYTES, sizeof(*body));
	return true;
}

static void test_certificate_waits_until_the_record_has_left_for_all(void **state)
{
	struct control_certified body;

	begin(7);
	servers.senders[0].link.reached = SEQUENCE;
	servers.senders[1].link.reached = SEQUENCE - 1;
	pass(ZEROISE_SEND_MS / 2);
	assert_false(answered(&body));
	servers.senders[1].link.reached = SEQUENCE;
	pass(ZEROISE_SEND_MS / 4);
	assert_true(answered(&body));
	assert_int_equal(body.number, 7);
	assert_non_null(strstr(body.text, "\nsyslog-servers-sent-to 2 of 2\n"));
	pass(ZEROISE_SEND_MS);
	assert_false(answered(&body)); /* once */
}

/* Senders stay where they are when a server leaves the policy. */
static void test_certificate_counts_servers_behind_one_that_has_left(void **state)
{
	struct control_certified body;

	servers.senders[2] = servers.senders[0];
	servers.senders[0] = (struct sender){.state = SENDER_CLOSED};
	servers.senders[1].link.reached = servers.senders[2].link.reached = SEQUENCE;
	begin(7);
	assert_true(answered(&body));
	assert_non_null(strstr(body.text, "\nsyslog-servers-sent-to 2 of 2\n"));
}

/* A town must be able to wipe a gateway that stands on a desk. */
static void test_certificate_goes_on_without_servers_that_are_away(void **state)
{
	struct control_certified body;

	servers.senders[0].link.reached = servers.senders[1].link.reached = SEQUENCE;
	servers.senders[1].state = SENDER_TRYING; /* whatever it had before */
	begin(7);
	for (unsigned ms = 0; ms < ZEROISE_SEND_MS - 1000; ms += 1000)
		pass(1000);
	assert_false(answered(&body));
	pass(1000);
	assert_true(answered(&body));
	assert_non_null(strstr(body.text, "\nsyslog-servers-sent-to 1 of 2\n"));
	servers = (struct destinations){0}; /* the policy has none: their senders are closed */
	begin(8);
	assert_true(answered(&body)); /* at once */
	assert_int_equal(body.number, 8);
	assert_non_null(strstr(body.text, "\nsyslog-servers-sent-to 0 of 0\n"));
}

static void read_hex(const char *digits, uint8_t *out, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned octet = 0;

		assert_int_equal(sscanf(digits + 2 * i, "%2x", &octet), 1);
		out[i] = (uint8_t)octet;
	}
}

/* What openssl does with the lines from the first one to the key (docs/console.md). */
static void test_certificate_is_signed_by_the_device_key(void **state)
{
	static const char signed_text[] =
		"sekisho zeroise\nhost gw-1\n" ORDER "syslog-servers-sent-to 1 of 2\ndevice-key ";
	uint8_t signature[ED25519_SIGNATURE_SIZE];
	char text[ZEROISE_CERTIFICATE_BYTES];
	uint8_t *octets = (uint8_t *)text;
	char *end;

	assert_int_equal(certificate_print(&certificate, ORDER, 1, text), 0);
	assert_memory_equal(text, signed_text, strlen(signed_text));
	end = strstr(text, "signature ");
	assert_non_null(end);
	read_hex(end + strlen("signature "), signature, sizeof(signature));
	assert_string_equal(end + strlen("signature ") + 2 * sizeof(signature), "\n");
	assert_int_equal(ed25519_sha512_verify(key.public, (size_t)(end - text), octets, signature),
			 1);
	octets[strlen("sekisho zeroise\nhost gw-1\nordered ")] ^= 1;
	assert_int_equal(ed25519_sha512_verify(key.public, (size_t)(end - text), octets, signature),
			 0);
}

static void test_certificate_says_that_there_is_no_key(void **state)
{
	char text[ZEROISE_CERTIFICATE_BYTES];

	key.usable = false;
	assert_int_equal(certificate_print(&certificate, ORDER, 0, text), 0);
	assert_string_equal(text + strlen(text) - strlen("device-key none\n"), "device-key none\n");
	assert_null(strstr(text, "signature"));
}

/* All that an order may say fits behind the longest name of a host. */
static void test_certificate_has_room_for_the_longest_order(void **state)
{
	char order[ZEROISE_ORDER_TEXT], text[ZEROISE_CERTIFICATE_BYTES];
	struct record_form longest = form;

	memset(longest.host, 'h', sizeof(longest.host) - 1);
	longest.host[sizeof(longest.host) - 1] = '\0';
	certificate.form = &longest;
	memset(order, 'x', sizeof(order));
	order[sizeof(order) - 1] = '\0';
	assert_int_equal(certificate_print(&certificate, order, SERVERS, text), 0);
	assert_non_null(strstr(text, "\nsignature "));
	assert_int_equal(text[strlen(text) - 1], '\n');
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_certificate_waits_until_the_record_has_left_for_all),
		TEST(test_certificate_counts_servers_behind_one_that_has_left),
		TEST(test_certificate_goes_on_without_servers_that_are_away),
		TEST(test_certificate_is_signed_by_the_device_key),
		TEST(test_certificate_says_that_there_is_no_key),
		TEST(test_certificate_has_room_for_the_longest_order),
	};

	return cmocka_run_group_tests_name("certificate", tests, NULL, NULL);
}
