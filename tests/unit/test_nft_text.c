/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers of the kernel about nf_tables as text. The messages that put rules in force are built as
 * the kernel tells of them. */
#include "unit.h"

#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "netfilter/nft/nft.h"
#include "netfilter/nft/text.h"

enum { TEXT_BYTES = 1 << 16 };

static struct nft_batch b;
static struct bytes out;

static int setup(void **state)
{
	nft_begin(&b, 1 << 20);
	netlink_clear(&b.buffer); /* without the batch's own beginning */
	nft_table(&b, NFPROTO_INET, "t");
	bytes_init(&out, TEXT_BYTES);
	return 0;
}

static int teardown(void **state)
{
	nft_fini(&b);
	bytes_fini(&out);
	return 0;
}

static const char *print(void)
{
	struct nft_text text;

	bytes_clear(&out);
	nft_text_begin(&text, (struct span){b.buffer.data, b.buffer.size});
	while (nft_text_next(&text, &out))
		assert_false(out.failed);
	assert_int_equal(bytes_append_u8(&out, '\0'), 0);
	return (const char *)out.data;
}

static void test_nft_text_prints_chains_sets_and_rules_as_nft_does(void **state)
{
	static const struct nft_set set = {.name = "s",
					   .flags = NFT_SET_TIMEOUT,
					   .fields = {NFT_FIELD_IPV4, NFT_FIELD_MAC},
					   .size = 9,
					   .timeout_ms = 5000};
	static const uint8_t key[12] = {10, 0, 0, 1, 2, 0, 0, 0, 0, 9};
	const struct nft_element element = {.key = key, .key_bytes = 12, .timeout_ms = 70};
	const uint32_t mark = 0x00018000;
	struct nft_elements elements;

	nft_set_keep(&b, &set);
	nft_elements_begin(&elements, &b, "s");
	nft_elements_add(&elements, &element);
	nft_elements_end(&elements);
	nft_base_chain(&b, "in", NF_INET_LOCAL_IN, -5, NF_DROP);
	nft_rule(&b, "in");
	nft_ct(&b, NFT_CT_MARK, REG(0));
	nft_mask(&b, REG(0), &mark, sizeof(mark));
	nft_compare(&b, NFT_CMP_NEQ, REG(0), &mark, sizeof(mark));
	nft_payload(&b, NFT_PAYLOAD_NETWORK_HEADER, 12, 4, NFT_REG_1);
	nft_lookup(&b, "s", NFT_REG_1, true);
	nft_over_rate(&b, "s", NFT_REG_1, 4, 60, 8);
	nft_jump(&b, NFT_GOTO, "in");
	nft_rule_end(&b);
	assert_string_equal(
		print(), "table inet t { # handle 0\n"
			 "    set s { # handle 0\n"
			 "        type ipv4_addr . ether_addr\n"
			 "        size 9\n"
			 "        flags timeout\n"
			 "        timeout 5000ms\n"
			 "        elements = { 10.0.0.1 . 02:00:00:00:00:09 timeout 70ms }\n"
			 "    }\n"
			 "    chain in { # handle 0\n"
			 "        type filter hook input priority -5; policy drop;\n"
			 "        rule # handle 0\n"
			 "            [ ct load mark => reg 8 ]\n"
			 "            [ bitwise reg 8 = ( reg 8 & 0x00018000 ) ^ 0x00000000 ]\n"
			 "            [ cmp neq reg 8 0x00018000 ]\n"
			 "            [ payload load 4b @ network header + 12 => reg 1 ]\n"
			 "            [ lookup reg 1 set s 0x1 ]\n"
			 "            [ dynset update reg_key 1 set s expr [ limit rate 4 per 60 s "
			 "burst 8 type packets flags 0x1 ] ]\n"
			 "            [ immediate reg 0 goto -> in ]\n"
			 "    }\n"
			 "}\n");
}

/* A rule with one expression whose attributes the caller puts between. */
struct foreign {
	size_t element_at, data_at;
};

static struct foreign open_foreign(const char *name)
{
	struct foreign f;

	nft_chain(&b, "c");
	nft_rule(&b, "c");
	f.element_at = netlink_nest(&b.buffer, NFTA_LIST_ELEM);
	netlink_put_text(&b.buffer, NFTA_EXPR_NAME, name);
	f.data_at = netlink_nest(&b.buffer, NFTA_EXPR_DATA);
	return f;
}

static void close_foreign(struct foreign f)
{
	netlink_nest_end(&b.buffer, f.data_at);
	netlink_nest_end(&b.buffer, f.element_at);
	nft_rule_end(&b);
}

static void test_nft_text_prints_what_it_does_not_know_as_bytes(void **state)
{
	struct foreign f = open_foreign("teleport");

	netlink_put_be16(&b.buffer, 77, 0xabcd);
	close_foreign(f);
	assert_non_null(strstr(print(), "            [ teleport attribute 77 0xabcd ]\n"));
	f = open_foreign("meta");
	netlink_put_be32(&b.buffer, NFTA_META_DREG, 1);
	netlink_put_be32(&b.buffer, NFTA_META_KEY, 250);
	netlink_put_be32(&b.buffer, NFTA_META_DREG, 2);
	netlink_put_u8(&b.buffer, 40, 7);
	close_foreign(f);
	assert_non_null(strstr(print(), "[ meta load 250 => reg 1 dreg 2 attribute 40 0x07 ]\n"));
}

static void test_nft_text_says_where_a_form_lacks_a_value(void **state)
{
	struct foreign f = open_foreign("payload");

	netlink_put_be32(&b.buffer, NFTA_PAYLOAD_DREG, 1);
	close_foreign(f);
	assert_non_null(strstr(print(), "[ payload load ?b @ ? header + ? => reg 1 ]"));
}

static void test_nft_text_says_how_many_elements_were_left_out(void **state)
{
	static const struct nft_set set = {.name = "s", .fields = {NFT_FIELD_IPV4}, .size = 9};

	nft_set_keep(&b, &set);
	netlink_begin(&b.buffer, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM, 0, NFPROTO_INET,
		      0);
	netlink_put_text(&b.buffer, NFTA_SET_ELEM_LIST_TABLE, "t");
	netlink_put_text(&b.buffer, NFTA_SET_ELEM_LIST_SET, "s");
	netlink_put_be32(&b.buffer, NFT_TEXT_LEFT_OUT, 70000);
	netlink_end(&b.buffer);
	assert_non_null(strstr(print(), "        # 70000 more elements that packets put there are "
					"not shown\n    }\n"));
}

static void test_nft_text_keeps_control_characters_from_terminals(void **state)
{
	nft_chain(&b, "a\x1b[2J\n\\");
	assert_non_null(strstr(print(), "    chain a\\x1b[2J\\x0a\\x5c { # handle 0\n"));
}

static void test_nft_text_shows_what_is_malformed(void **state)
{
	struct foreign f = open_foreign("counter");
	static const uint8_t too_long[] = {0xff, 0xff, 1, 0};

	netlink_put_be64(&b.buffer, NFTA_COUNTER_PACKETS, 3);
	netlink_put(&b.buffer, NFTA_COUNTER_PAD, NULL, 0);
	close_foreign(f);
	/* The padding's header claims more than there is. */
	memcpy(b.buffer.data + b.buffer.size - 4, too_long, sizeof(too_long));
	assert_non_null(strstr(print(), "[ counter pkts 3 bytes ? malformed 0xffff0100 ]"));
}

static void test_nft_text_counts_what_belongs_to_nothing(void **state)
{
	nft_rule(&b, "nowhere");
	nft_verdict(&b, NF_ACCEPT);
	nft_rule_end(&b);
	assert_non_null(strstr(print(), "# 1 of 2 answers of the kernel belong to no table above"));
}

static void test_nft_text_of_deep_nests_ends(void **state)
{
	struct foreign f = open_foreign("dynset");
	const char *text;
	size_t at[NFT_TEXT_LEVELS + 2][2];

	for (int i = 0; i < NFT_TEXT_LEVELS + 2; i++) {
		netlink_put_text(&b.buffer, NFTA_DYNSET_SET_NAME, "s");
		at[i][0] = netlink_nest(&b.buffer, NFTA_DYNSET_EXPR);
		netlink_put_text(&b.buffer, NFTA_EXPR_NAME, "dynset");
		at[i][1] = netlink_nest(&b.buffer, NFTA_EXPR_DATA);
	}
	for (int i = NFT_TEXT_LEVELS + 1; i >= 0; i--) {
		netlink_nest_end(&b.buffer, at[i][1]);
		netlink_nest_end(&b.buffer, at[i][0]);
	}
	close_foreign(f);
	text = print();
	assert_non_null(strstr(text, " set s expr 0x"));
	assert_null(strstr(text, "malformed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_nft_text_prints_chains_sets_and_rules_as_nft_does, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nft_text_prints_what_it_does_not_know_as_bytes,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_nft_text_says_where_a_form_lacks_a_value,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_nft_text_says_how_many_elements_were_left_out,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_nft_text_keeps_control_characters_from_terminals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nft_text_shows_what_is_malformed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_nft_text_counts_what_belongs_to_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_nft_text_of_deep_nests_ends, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
