/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the packet header reader takes, and what it refuses (Z6, Z8). */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "wire/packet/ip.h"

/* A packet under construction. */
struct packet {
	uint8_t bytes[1024];
	size_t size;
};

static void put(struct packet *p, const void *bytes, size_t count)
{
	memcpy(p->bytes + p->size, bytes, count);
	p->size += count;
}

static void put_ipv4(struct packet *p, uint8_t words, uint8_t protocol, uint16_t total,
		     uint16_t fragment)
{
	const uint8_t header[20] = {0x40 | words,
				    0,
				    total >> 8,
				    total & 0xff,
				    0,
				    1,
				    fragment >> 8,
				    fragment & 0xff,
				    64,
				    protocol,
				    0,
				    0,
				    10,
				    0,
				    0,
				    1,
				    10,
				    1,
				    0,
				    2};

	put(p, header, sizeof(header));
}

static void put_ipv6(struct packet *p, uint8_t protocol, uint16_t payload)
{
	uint8_t header[40] = {0x60, 0, 0, 0, payload >> 8, payload & 0xff, protocol, 63};

	memcpy(header + 8, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	memcpy(header + 24, "\x20\x01\x0d\xb8\0\1\0\0\0\0\0\0\0\0\0\2", 16);
	put(p, header, sizeof(header));
}

static void put_tcp(struct packet *p, uint8_t words, uint8_t flags)
{
	const uint8_t header[20] = {0x30, 0x39, 0x01, 0xbb, 0, 0,          0,
				    1,    0,    0,    0,    0, words << 4, flags};

	put(p, header, sizeof(header));
}

static int read_packet(struct ip_headers *h, const struct packet *p)
{
	return ip_read(h, p->bytes, p->size, p->size);
}

static void test_ip_reads_addresses_ports_and_flags_of_tcp(void **state)
{
	struct packet p = {.size = 0};
	struct ip_headers h;

	put_ipv4(&p, 5, IP_PROTOCOL_TCP, 40, 0x4000);
	put_tcp(&p, 5, 2);
	assert_int_equal(read_packet(&h, &p), 0);
	assert_int_equal(h.family, 4);
	assert_int_equal(h.protocol, IP_PROTOCOL_TCP);
	assert_int_equal(h.source_port, 12345);
	assert_int_equal(h.destination_port, 443);
	assert_int_equal(h.tcp_flags, 2);
	assert_int_equal(h.hop_limit, 64);
	assert_int_equal(h.flags, IP_HAS_PORTS);
	assert_int_equal(h.payload_at, 40);
	assert_memory_equal(h.source, "\x0a\0\0\1\0\0\0\0", 8);
	assert_memory_equal(h.destination, "\x0a\1\0\2\0\0\0\0", 8);
}

static void test_ip_reads_ipv6_icmp(void **state)
{
	struct packet p = {.size = 0};
	struct ip_headers h;

	put_ipv6(&p, IP_PROTOCOL_ICMPV6, 8);
	put(&p, "\x80\0\0\0\0\1\0\1", 8);
	assert_int_equal(read_packet(&h, &p), 0);
	assert_int_equal(h.family, 6);
	assert_int_equal(h.flags, IP_HAS_ICMP);
	assert_int_equal(h.icmp_type, 128);
	assert_int_equal(h.destination[15], 2);
}

static void test_ip_refuses_every_truncation_of_a_whole_packet(void **state)
{
	struct packet p = {.size = 0};
	struct ip_headers h;

	put_ipv4(&p, 5, IP_PROTOCOL_TCP, 40, 0);
	put_tcp(&p, 5, 2);
	for (size_t cut = 0; cut < p.size; cut++) {
		/* The wire had all of it: the capture is short. The wire had no more: it lies. */
		assert_int_equal(ip_read(&h, p.bytes, cut, p.size), -ERR_TRUNCATED);
		assert_int_equal(ip_read(&h, p.bytes, cut, cut), -ERR_SYNTAX);
	}
}

static void test_ip_refuses_lengths_that_contradict_each_other(void **state)
{
	static const struct {
		uint8_t words;
		uint16_t total;
		uint8_t tcp_words;
	} wrong[] = {
		{4, 40, 5},  /* IPv4 header shorter than the least */
		{5, 19, 5},  /* total shorter than the header */
		{5, 41, 5},  /* total longer than the packet */
		{5, 30, 5},  /* the transport header is cut off */
		{11, 40, 5}, /* the header is longer than the packet */
		{5, 40, 4},  /* TCP header shorter than the least */
		{5, 40, 6},  /* TCP header longer than the packet */
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct packet p = {.size = 0};
		struct ip_headers h;

		put_ipv4(&p, wrong[i].words, IP_PROTOCOL_TCP, wrong[i].total, 0);
		put_tcp(&p, wrong[i].tcp_words, 2);
		assert_int_equal(read_packet(&h, &p), -ERR_SYNTAX);
	}
}

static void test_ip_refuses_other_versions(void **state)
{
	struct ip_headers h;
	uint8_t packet[40] = {0x50};

	assert_int_equal(ip_read(&h, packet, sizeof(packet), sizeof(packet)), -ERR_SYNTAX);
	assert_int_equal(ip_read(&h, packet, 0, 0), -ERR_SYNTAX);
	assert_int_equal(ip_read(&h, packet, 2, 1), -ERR_SYNTAX);
}

static void test_ip_ignores_padding_of_the_link(void **state)
{
	struct packet p = {.size = 0};
	struct ip_headers h;

	put_ipv4(&p, 5, IP_PROTOCOL_UDP, 24, 0);
	put(&p, "\0\x35\0\x35\0\x08\0\0\0\0", 10);
	/* Eight bytes of UDP are there, but the packet ends after four of them. */
	assert_int_equal(read_packet(&h, &p), -ERR_SYNTAX);
	p.bytes[3] = 28;
	assert_int_equal(read_packet(&h, &p), 0);
	assert_int_equal(h.destination_port, 53);
}

static void test_ip_names_options_and_source_routes(void **state)
{
	static const struct {
		uint8_t options[4];
		int result;
		unsigned flags;
	} cases[] = {
		{{1, 1, 1, 0}, 0, 0},
		{{148, 4, 0, 0}, 0, IP_HAS_OPTIONS}, /* router alert */
		{{131, 3, 4, 0}, 0, IP_HAS_OPTIONS | IP_HAS_SOURCE_ROUTE},
		{{1, 137, 3, 4}, 0, IP_HAS_OPTIONS | IP_HAS_SOURCE_ROUTE},
		{{131, 5, 4, 0}, -ERR_SYNTAX, 0}, /* longer than the header */
		{{131, 1, 4, 0}, -ERR_SYNTAX, 0}, /* shorter than itself */
		{{1, 1, 1, 131}, -ERR_SYNTAX, 0}, /* no room for a length */
		{{0, 131, 1, 1}, 0, 0},           /* what follows the end is padding */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet p = {.size = 0};
		struct ip_headers h;

		put_ipv4(&p, 6, IP_PROTOCOL_TCP, 44, 0);
		put(&p, cases[i].options, 4);
		put_tcp(&p, 5, 2);
		assert_int_equal(read_packet(&h, &p), cases[i].result);
		if (cases[i].result == 0)
			assert_int_equal(h.flags, cases[i].flags | IP_HAS_PORTS);
	}
}

static void test_ip_marks_fragments_and_reads_no_ports_of_later_ones(void **state)
{
	struct packet first = {.size = 0}, later = {.size = 0};
	struct ip_headers h;

	put_ipv4(&first, 5, IP_PROTOCOL_TCP, 40, 0x2000);
	put_tcp(&first, 5, 2);
	assert_int_equal(read_packet(&h, &first), 0);
	assert_int_equal(h.flags, IP_IS_FRAGMENT | IP_HAS_PORTS);
	put_ipv4(&later, 5, IP_PROTOCOL_TCP, 22, 0x0010);
	put(&later, "ab", 2);
	assert_int_equal(read_packet(&h, &later), 0);
	assert_int_equal(h.flags, IP_IS_FRAGMENT | IP_LATER_FRAGMENT);
	assert_int_equal(h.destination_port, 0);
}

static void test_ip_walks_ipv6_extension_headers(void **state)
{
	struct packet p = {.size = 0};
	struct ip_headers h;

	put_ipv6(&p, IP_PROTOCOL_HOP_BY_HOP, 8 + 8 + 8 + 20);
	put(&p, "\x2b\0\1\4\0\0\0\0", 8); /* hop-by-hop, then routing */
	put(&p, "\x2c\0\0\1\0\0\0\0", 8); /* routing type 0, then fragment */
	put(&p, "\x06\0\0\1\0\0\0\7", 8); /* first fragment, then TCP */
	put_tcp(&p, 5, 2);
	assert_int_equal(read_packet(&h, &p), 0);
	assert_int_equal(h.protocol, IP_PROTOCOL_TCP);
	assert_int_equal(h.flags,
			 IP_HAS_EXTENSIONS | IP_HAS_SOURCE_ROUTE | IP_IS_FRAGMENT | IP_HAS_PORTS);
	for (size_t cut = 0; cut < p.size; cut++)
		assert_int_equal(ip_read(&h, p.bytes, cut, p.size), -ERR_TRUNCATED);
}

static void test_ip_limits_the_extension_headers(void **state)
{
	for (int count = IP_EXTENSIONS_MAX; count <= IP_EXTENSIONS_MAX + 1; count++) {
		struct packet p = {.size = 0};
		struct ip_headers h;

		put_ipv6(&p, IP_PROTOCOL_DESTINATION_OPTIONS, (uint16_t)(8 * count));
		for (int i = 1; i <= count; i++)
			put(&p, i < count ? "\x3c\0\1\4\0\0\0\0" : "\x3b\0\1\4\0\0\0\0", 8);
		assert_int_equal(read_packet(&h, &p),
				 count > IP_EXTENSIONS_MAX ? -ERR_TOO_LONG : 0);
	}
}

static void test_ip_swaps_a_reply_into_its_first_direction(void **state)
{
	struct packet p = {.size = 0};
	struct ip_headers h;

	put_ipv4(&p, 5, IP_PROTOCOL_ICMP, 28, 0);
	put(&p, "\0\0\0\0\0\1\0\1", 8);
	assert_int_equal(read_packet(&h, &p), 0);
	ip_swap_direction(&h);
	assert_int_equal(h.icmp_type, 8);
	assert_memory_equal(h.source, "\x0a\1\0\2", 4);
	assert_memory_equal(h.destination, "\x0a\0\0\1", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ip_reads_addresses_ports_and_flags_of_tcp),
		cmocka_unit_test(test_ip_reads_ipv6_icmp),
		cmocka_unit_test(test_ip_refuses_every_truncation_of_a_whole_packet),
		cmocka_unit_test(test_ip_refuses_lengths_that_contradict_each_other),
		cmocka_unit_test(test_ip_refuses_other_versions),
		cmocka_unit_test(test_ip_ignores_padding_of_the_link),
		cmocka_unit_test(test_ip_names_options_and_source_routes),
		cmocka_unit_test(test_ip_marks_fragments_and_reads_no_ports_of_later_ones),
		cmocka_unit_test(test_ip_walks_ipv6_extension_headers),
		cmocka_unit_test(test_ip_limits_the_extension_headers),
		cmocka_unit_test(test_ip_swaps_a_reply_into_its_first_direction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
