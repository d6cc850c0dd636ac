/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's rules against those that were asked for: each difference is found, and none besides.
 */
#include "unit.h"

#include <string.h>

#include "netfilter/nft/nft.h"
#include "netfilter/rules_compare.h"

enum { TEXT_BYTES = 1 << 16 };

/* What may be otherwise than in the ruleset that was asked for. */
enum twist {
	NOTHING,
	ANOTHER_REGISTER,
	ANOTHER_VALUE,
	RULE_MISSING,
	RULE_BESIDE,
	RULES_EXCHANGED,
	CHAIN_MISSING,
	CHAIN_BESIDE,
	ANOTHER_POLICY,
	ANOTHER_PRIORITY,
	TABLE_BESIDE,
	TABLE_DORMANT,
	ANOTHER_DEVICE,
	ANOTHER_TYPE,
	TWIST_COUNT
};

static void put_rule(struct nft_batch *b, uint8_t protocol, uint32_t reg, int verdict)
{
	nft_rule(b, "in");
	nft_meta(b, NFT_META_L4PROTO, reg);
	nft_compare(b, NFT_CMP_EQ, reg, &protocol, sizeof(protocol));
	nft_verdict(b, verdict);
	nft_rule_end(b);
}

/* The flags of the table that was just put: the kernel tells them, also where there are none. */
static void put_flags(struct nft_batch *b, uint32_t flags)
{
	netlink_put_be32(&b->buffer, NFTA_TABLE_FLAGS, flags);
	netlink_end(&b->buffer);
}

/* Of the chain that was just put; its type, "filter", comes last. */
static void change_type(struct nft_batch *b)
{
	memcpy(b->buffer.data + b->buffer.size - 8, "route\0", 7);
}

static void put(struct nft_batch *b, enum twist twist)
{
	bool exchanged = twist == RULES_EXCHANGED;

	nft_begin(b, 1 << 20);
	nft_table(b, NFPROTO_INET, "t");
	if (twist == ANOTHER_REGISTER || twist == TABLE_DORMANT)
		put_flags(b, twist == TABLE_DORMANT ? NFT_TABLE_F_DORMANT : 0);
	nft_base_chain(b, "in", NF_INET_LOCAL_IN, twist == ANOTHER_PRIORITY ? 1 : 0,
		       twist == ANOTHER_POLICY ? NF_ACCEPT : NF_DROP);
	if (twist == ANOTHER_TYPE)
		change_type(b);
	nft_ingress_chain(b, "front", twist == ANOTHER_DEVICE ? "if1" : "if0", 0, NF_DROP);
	if (twist != CHAIN_MISSING)
		nft_chain(b, "more");
	if (twist == CHAIN_BESIDE)
		nft_chain(b, "foreign");
	put_rule(b, exchanged ? 17 : 6, twist == ANOTHER_REGISTER ? NFT_REG_1 : REG(0), NF_ACCEPT);
	if (twist != RULE_MISSING)
		put_rule(b, exchanged ? 6 : 17, REG(0),
			 twist == ANOTHER_VALUE ? NF_ACCEPT : NF_DROP);
	if (twist == RULE_BESIDE)
		put_rule(b, 1, REG(0), NF_ACCEPT);
	if (twist == TABLE_BESIDE)
		nft_table(b, NFPROTO_IPV4, "t");
}

static struct rules_compared compare(enum twist twist, struct bytes *out)
{
	struct rules_compared compared;
	struct nft_batch kernel, asked;

	put(&kernel, twist);
	put(&asked, NOTHING);
	bytes_init(out, TEXT_BYTES);
	assert_int_equal(rules_compare((struct span){kernel.buffer.data, kernel.buffer.size},
				       (struct span){asked.buffer.data, asked.buffer.size}, out,
				       &compared),
			 0);
	nft_fini(&kernel);
	nft_fini(&asked);
	return compared;
}

static void test_rules_compare_finds_nothing_where_rules_are_as_asked(void **state)
{
	struct bytes out;
	struct rules_compared compared;

	for (enum twist twist = NOTHING; twist <= ANOTHER_REGISTER; twist++) {
		compared = compare(twist, &out);
		assert_int_equal(compared.rules, 2);
		assert_int_equal(compared.chains, 3);
		assert_int_equal(compared.differing, 0);
		assert_int_equal(out.size, 0);
		bytes_fini(&out);
	}
}

static void test_rules_compare_finds_each_difference(void **state)
{
	static const unsigned expected[TWIST_COUNT] = {
		[ANOTHER_VALUE] = 1,   [RULE_MISSING] = 1,     [RULE_BESIDE] = 1,
		[RULES_EXCHANGED] = 2, [CHAIN_MISSING] = 1,    [CHAIN_BESIDE] = 1,
		[ANOTHER_POLICY] = 1,  [ANOTHER_PRIORITY] = 1, [TABLE_BESIDE] = 1,
		[TABLE_DORMANT] = 1,   [ANOTHER_DEVICE] = 1,   [ANOTHER_TYPE] = 1};

	for (enum twist twist = ANOTHER_VALUE; twist < TWIST_COUNT; twist++) {
		struct bytes out;
		struct rules_compared compared = compare(twist, &out);

		assert_int_equal(compared.differing, expected[twist]);
		assert_memory_equal(out.data, "# NOT AS THE POLICY ASKS FOR: ", 30);
		bytes_fini(&out);
	}
}

static void test_rules_compare_shows_both_rules(void **state)
{
	struct bytes out;

	(void)compare(ANOTHER_VALUE, &out);
	assert_int_equal(bytes_append_u8(&out, '\0'), 0);
	assert_string_equal((const char *)out.data,
			    "# NOT AS THE POLICY ASKS FOR: a rule of family 1, table t, chain in\n"
			    "#   rule 2, the kernel has\n"
			    "#       [ meta load l4proto => reg 1 ]\n"
			    "#       [ cmp eq reg 1 0x00000011 ]\n"
			    "#       [ immediate reg 0 accept ]\n"
			    "#   the policy asks for\n"
			    "#       [ meta load l4proto => reg 1 ]\n"
			    "#       [ cmp eq reg 1 0x00000011 ]\n"
			    "#       [ immediate reg 0 drop ]\n");
	bytes_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_compare_finds_nothing_where_rules_are_as_asked),
		cmocka_unit_test(test_rules_compare_finds_each_difference),
		cmocka_unit_test(test_rules_compare_shows_both_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
