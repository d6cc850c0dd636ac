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
	SET_MISSING,
	SET_BESIDE,
	SET_OF_ANOTHER_KIND,
	ELEMENT_MISSING,
	ELEMENT_BESIDE,
	ANOTHER_ELEMENT,
	ANOTHER_END,
	ELEMENTS_EXCHANGED,
	ELEMENT_TWICE,
	FILLED_BY_PACKETS,
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

/* What only packets put there, or what stands in another order, is no difference. */
static bool is_none(enum twist twist)
{
	return twist == NOTHING || twist == ANOTHER_REGISTER || twist == ELEMENTS_EXCHANGED ||
	       twist == ELEMENT_TWICE || twist == FILLED_BY_PACKETS;
}

static void put_key(struct nft_elements *e, uint8_t last, bool interval_end)
{
	const uint8_t key[4] = {10, 0, 0, last};

	nft_elements_add(
		e, &(struct nft_element){.key = key, .key_bytes = 4, .interval_end = interval_end});
}

static void put_elements(struct nft_batch *b, enum twist twist)
{
	bool exchanged = twist == ELEMENTS_EXCHANGED;
	struct nft_elements e;

	nft_elements_begin(&e, b, "kept");
	put_key(&e, exchanged ? 9 : 1, exchanged);
	if (twist != ELEMENT_MISSING)
		put_key(&e, twist == ANOTHER_ELEMENT ? 6 : 5, false);
	put_key(&e, exchanged ? 1 : 9, !exchanged && twist != ANOTHER_END);
	if (twist == ELEMENT_BESIDE || twist == ELEMENT_TWICE)
		put_key(&e, twist == ELEMENT_TWICE ? 5 : 7, false);
	nft_elements_end(&e);
	nft_elements_begin(&e, b, "filled");
	if (twist == FILLED_BY_PACKETS)
		put_key(&e, 77, false);
	nft_elements_end(&e);
}

static void put_sets(struct nft_batch *b, enum twist twist)
{
	struct nft_set kept = {
		.name = "kept", .fields = {NFT_FIELD_IPV4}, .flags = NFT_SET_INTERVAL};
	const struct nft_set filled = {
		.name = "filled", .fields = {NFT_FIELD_IPV4}, .flags = NFT_SET_EVAL};

	if (twist == SET_OF_ANOTHER_KIND)
		kept.flags |= NFT_SET_TIMEOUT;
	nft_set_keep(b, &kept);
	if (twist != SET_MISSING)
		nft_set_keep(b, &filled);
	if (twist == SET_BESIDE)
		nft_set_keep(b, &(struct nft_set){.name = "more", .fields = {NFT_FIELD_IPV4}});
	put_elements(b, twist);
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
	put_sets(b, twist);
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

	for (enum twist twist = NOTHING; twist < TWIST_COUNT; twist++) {
		if (!is_none(twist))
			continue;
		compared = compare(twist, &out);
		assert_int_equal(compared.rules, 2);
		assert_int_equal(compared.chains, 3);
		assert_int_equal(compared.sets, 2);
		assert_int_equal(compared.elements, 3);
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
		[TABLE_DORMANT] = 1,   [ANOTHER_DEVICE] = 1,   [ANOTHER_TYPE] = 1,
		[SET_MISSING] = 1,     [SET_BESIDE] = 1,       [SET_OF_ANOTHER_KIND] = 1,
		[ELEMENT_MISSING] = 1, [ELEMENT_BESIDE] = 1,   [ANOTHER_ELEMENT] = 1,
		[ANOTHER_END] = 1};

	for (enum twist twist = ANOTHER_VALUE; twist < TWIST_COUNT; twist++) {
		struct bytes out;
		struct rules_compared compared;

		if (is_none(twist))
			continue;
		compared = compare(twist, &out);
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

static void test_rules_compare_shows_the_elements_that_differ(void **state)
{
	struct bytes out;

	(void)compare(ANOTHER_ELEMENT, &out);
	assert_int_equal(bytes_append_u8(&out, '\0'), 0);
	assert_string_equal(
		(const char *)out.data,
		"# NOT AS THE POLICY ASKS FOR: elements of family 1, table t, set kept\n"
		"#   the kernel lacks 0a000005\n"
		"#   the policy lacks 0a000006\n");
	bytes_fini(&out);
	(void)compare(ANOTHER_END, &out);
	assert_int_equal(bytes_append_u8(&out, '\0'), 0);
	assert_string_equal(
		(const char *)out.data,
		"# NOT AS THE POLICY ASKS FOR: elements of family 1, table t, set kept\n"
		"#   the policy lacks 0a000009\n"
		"#   the kernel lacks 0a000009 (end)\n");
	bytes_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_compare_finds_nothing_where_rules_are_as_asked),
		cmocka_unit_test(test_rules_compare_finds_each_difference),
		cmocka_unit_test(test_rules_compare_shows_both_rules),
		cmocka_unit_test(test_rules_compare_shows_the_elements_that_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
