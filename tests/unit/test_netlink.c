/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink messages: byte order, bounds, and attributes that lie. */
#include "unit.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <string.h>

#include "netfilter/ahead.h"
#include "netfilter/nft/netlink.h"
#include "netfilter/queue.h"
#include "wire/packet/ip.h"

static void test_netlink_reads_back_what_it_wrote(void **state)
{
	struct netlink_message m;
	struct netlink_buffer b;

	netlink_init(&b, 1 << 16);
	for (int i = 0; i < 3; i++) {
		netlink_begin(&b, NFNL_SUBSYS_QUEUE << 8 | 1, NLM_F_ACK, AF_INET, 7);
		netlink_put_be32(&b, 1, 0x01020304);
		size_t nest = netlink_nest(&b, 2);

		netlink_put_be16(&b, 3, 0x0506);
		netlink_put_be64(&b, 4, 0x0708090a0b0c0d0eULL);
		netlink_nest_end(&b, nest);
		netlink_put_text(&b, 5, "abc");
		netlink_end(&b);
	}
	assert_false(b.failed);
	struct span rest = {b.data, b.size};

	for (uint32_t i = 1; i <= 3; i++) {
		assert_true(netlink_next(&rest, &m));
		assert_int_equal(m.sequence, i);
		assert_int_equal(m.resource_id, 7);
		assert_int_equal(netlink_find_be32(m.attributes, 1), 0x01020304);
		struct span nest = netlink_find(m.attributes, 2);

		assert_int_equal(netlink_find_be16(nest, 3), 0x0506);
		assert_true(netlink_find_be64(nest, 4) == 0x0708090a0b0c0d0eULL);
		assert_int_equal(netlink_find_be32(nest, 3), 0); /* of another size */
		assert_memory_equal(netlink_find(m.attributes, 5).data, "abc", 4);
		assert_int_equal(netlink_find(m.attributes, 6).size, 0);
	}
	assert_false(netlink_next(&rest, &m));
	netlink_fini(&b);
}

static void test_netlink_fixed_buffer_fails_whole(void **state)
{
	static const uint8_t filler[40];
	uint8_t storage[64];
	struct netlink_buffer b;

	netlink_init_fixed(&b, storage, sizeof(storage));
	netlink_begin(&b, 1, 0, 0, 0);
	netlink_put(&b, 1, filler, 36);
	netlink_put(&b, 2, filler, 4);
	assert_true(b.failed);
	netlink_put_u8(&b, 3, 1);
	netlink_end(&b);
	assert_true(b.failed);
	assert_true(b.size <= sizeof(storage));
}

static void test_netlink_nest_longer_than_its_length_field_fails(void **state)
{
	static const uint8_t filler[60000];
	struct netlink_buffer b;

	netlink_init(&b, 1 << 20);
	netlink_begin(&b, 1, 0, 0, 0);
	size_t nest = netlink_nest(&b, 1);

	netlink_put(&b, 2, filler, sizeof(filler));
	netlink_put(&b, 2, filler, 10000);
	netlink_nest_end(&b, nest);
	assert_true(b.failed);
	netlink_fini(&b);
}

static void test_netlink_refuses_lengths_that_do_not_fit(void **state)
{
	static const uint16_t lengths[] = {0, 3, 13, 0xffff};
	struct netlink_attribute a;
	struct netlink_message m;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint8_t bytes[12] = {0};
		struct span rest = {bytes, sizeof(bytes)};

		memcpy(bytes, &lengths[i], sizeof(lengths[i]));
		assert_false(netlink_next_attribute(&rest, &a));
	}
	for (uint32_t length = 0; length < 16; length++) {
		uint8_t bytes[64] = {0};
		struct span rest = {bytes, sizeof(bytes)};

		memcpy(bytes, &length, sizeof(length));
		assert_false(netlink_next(&rest, &m));
	}
	uint8_t cut[20] = {0};
	struct span rest = {cut, sizeof(cut)};

	cut[0] = 24; /* says 24 bytes, 20 are there */
	assert_false(netlink_next(&rest, &m));
}

static void test_netlink_verdict_ids_and_marks_are_big_endian(void **state)
{
	const struct queue_decision decisions[2] = {{0x01020304, 0x00078001, QUEUE_ACCEPT},
						    {0x11121314, 0, QUEUE_DROP}};
	uint8_t storage[256];
	struct netlink_message m;
	struct netlink_buffer b;

	netlink_init_fixed(&b, storage, sizeof(storage));
	queue_encode(&b, 0x0102, decisions, 2);
	struct span rest = {b.data, b.size};

	assert_true(netlink_next(&rest, &m));
	assert_int_equal(m.type, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT);
	assert_int_equal(m.resource_id, 0x0102);
	assert_memory_equal(netlink_find(m.attributes, NFQA_VERDICT_HDR).data, "\0\0\0\1\1\2\3\4",
			    8);
	assert_memory_equal(netlink_find(m.attributes, NFQA_MARK).data, "\0\x07\x80\1", 4);
	assert_true(netlink_next(&rest, &m));
	assert_memory_equal(netlink_find(m.attributes, NFQA_VERDICT_HDR).data,
			    "\0\0\0\0\x11\x12\x13\x14", 8);
	assert_int_equal(netlink_find(m.attributes, NFQA_MARK).size, 0);
}

static size_t make_packet(uint8_t *out, size_t capacity, const void *payload, size_t bytes)
{
	const struct nfqnl_msg_packet_hdr header = {.packet_id = htonl(77)};
	const struct nfqnl_msg_packet_hw hw = {.hw_addrlen = htons(6),
					       .hw_addr = {2, 0, 0, 0, 0, 5}};
	struct netlink_buffer b;

	netlink_init_fixed(&b, out, capacity);
	netlink_begin(&b, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET, 0, AF_INET, 1);
	netlink_put(&b, NFQA_PACKET_HDR, &header, sizeof(header));
	netlink_put_be32(&b, NFQA_MARK, 0x0007c002); /* proved in 7, reply, established */
	netlink_put(&b, NFQA_HWADDR, &hw, sizeof(hw));
	netlink_put_be32(&b, NFQA_CAP_LEN, 9000);
	netlink_put(&b, NFQA_PAYLOAD, payload, bytes);
	netlink_end(&b);
	assert_false(b.failed);
	return b.size;
}

static void test_netlink_packet_becomes_an_item(void **state)
{
	uint8_t datagram[1024], payload[300];
	struct packet_item item;

	memset(payload, 0x45, sizeof(payload));
	size_t size = make_packet(datagram, sizeof(datagram), payload, sizeof(payload));

	assert_true(queue_read(&item, datagram, size));
	assert_int_equal(item.id, 77);
	assert_int_equal(item.origin, PACKET_IS_REPLY | PACKET_IS_ESTABLISHED);
	assert_int_equal(item.before, 0x00070002);
	assert_int_equal(item.captured_bytes, PACKET_COPY_BYTES);
	assert_int_equal(item.wire_bytes, 9000);
	assert_int_equal(item.mac_bytes, 6);
	assert_int_equal(item.mac[5], 5);
	for (size_t cut = 0; cut < size; cut++)
		assert_false(queue_read(&item, datagram, cut));
}

static bool add(struct queue *q, uint32_t id, uint64_t now_ms)
{
	const struct packet_item item = {.id = id, .origin = PACKET_IS_REPLY};

	return queue_out_add(q, &item, now_ms);
}

static void test_queue_account_lets_each_packet_be_decided_once(void **state)
{
	static struct queue q;
	uint32_t ids[QUEUE_RECEIVE_MAX], cursor = 0;
	uint8_t origin = 0;

	memset(&q, 0, sizeof(q));
	assert_true(add(&q, 5, 1000));
	assert_false(add(&q, 5 + QUEUE_OUT_SLOTS, 1000)); /* same slot, still taken */
	assert_false(queue_out_take(&q, 5 + QUEUE_OUT_SLOTS, NULL));
	assert_true(queue_out_take(&q, 5, &origin));
	assert_int_equal(origin, PACKET_IS_REPLY);
	assert_false(queue_out_take(&q, 5, NULL));
	assert_true(add(&q, 6, 1000));
	assert_true(add(&q, 7, 2000));
	assert_int_equal(queue_out_expire(&q, 1500, ids, &cursor), 1);
	assert_int_equal(ids[0], 6);
	assert_int_equal(queue_out_expire(&q, 1500, ids, &cursor), 0);
	assert_int_equal(q.out_count, 1);
	assert_false(queue_out_take(&q, 6, NULL));
}

/* What the arbiter reads in a made packet is the flow's tuple. */
static void test_ahead_item_reads_back_as_the_flow(void **state)
{
	static const struct {
		uint8_t family, protocol;
		uint16_t flags;
	} kinds[] = {
		{4, IP_PROTOCOL_TCP, IP_HAS_PORTS},
		{6, IP_PROTOCOL_TCP, IP_HAS_PORTS},
		{4, IP_PROTOCOL_UDP, IP_HAS_PORTS},
		{6, IP_PROTOCOL_UDP, IP_HAS_PORTS},
		{4, IP_PROTOCOL_ICMP, IP_HAS_ICMP},
		{6, IP_PROTOCOL_ICMPV6, IP_HAS_ICMP},
		{4, 47, 0},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct flow flow = {.family = kinds[i].family,
				    .protocol = kinds[i].protocol,
				    .source_port = 40000,
				    .destination_port = kinds[i].flags == IP_HAS_ICMP ? 8 : 443,
				    .source = {10, 10, 0, 5},
				    .destination = {10, 20, 0, 8}};
		struct packet_item item;
		struct ip_headers h;

		ahead_item(&item, &flow, 17);
		assert_int_equal(item.id, 17);
		assert_int_equal(item.origin, PACKET_IS_ESTABLISHED);
		assert_int_equal(item.mac_bytes, 0);
		assert_int_equal(ip_read(&h, item.data, item.captured_bytes, item.wire_bytes), 0);
		assert_int_equal(h.family, flow.family);
		assert_int_equal(h.protocol, flow.protocol);
		assert_int_equal(h.flags, kinds[i].flags);
		assert_memory_equal(h.source, flow.source, flow.family == 4 ? 4 : 16);
		assert_memory_equal(h.destination, flow.destination, flow.family == 4 ? 4 : 16);
		if (h.flags == IP_HAS_PORTS) {
			assert_int_equal(h.source_port, 40000);
			assert_int_equal(h.destination_port, 443);
		}
		if (h.flags == IP_HAS_ICMP)
			assert_int_equal(h.icmp_type, 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_netlink_reads_back_what_it_wrote),
		cmocka_unit_test(test_netlink_fixed_buffer_fails_whole),
		cmocka_unit_test(test_netlink_nest_longer_than_its_length_field_fails),
		cmocka_unit_test(test_netlink_refuses_lengths_that_do_not_fit),
		cmocka_unit_test(test_netlink_verdict_ids_and_marks_are_big_endian),
		cmocka_unit_test(test_netlink_packet_becomes_an_item),
		cmocka_unit_test(test_queue_account_lets_each_packet_be_decided_once),
		cmocka_unit_test(test_ahead_item_reads_back_as_the_flow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
