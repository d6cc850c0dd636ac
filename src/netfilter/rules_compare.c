/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two lists of nf_tables messages, chain by chain: what the kernel has and what it was asked for.
 */
#include "netfilter/rules_compare.h"

#include <inttypes.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/err.h"
#include "netfilter/nft/netlink.h"
#include "netfilter/nft/nft.h"
#include "netfilter/nft/text.h"

#define MESSAGE(kind)  ((uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | (kind)))
#define TOLD_MAX       20
#define RULE_BYTES_MAX (1U << 16) /* of one rule as text */
#define LINE_INDENT    "#       "

struct comparing {
	struct span kernel, asked;
	struct bytes *out;
	struct rules_compared *compared;
	struct bytes texts[2]; /* the rule of each that is looked at */
};

static bool same_value(struct span a, struct span b, uint16_t number)
{
	struct span one = netlink_find(a, number);
	struct span other = netlink_find(b, number);

	return one.data != NULL && other.data != NULL ? span_equal(one, other)
						      : one.data == other.data;
}

static bool same_attribute(const struct netlink_message *a, const struct netlink_message *b,
			   uint16_t number)
{
	return same_value(a->attributes, b->attributes, number);
}

/* The message of @type that has the same family, and the same attributes @first and @second (0:
 * only the first). */
static bool find_same(struct span rest, const struct netlink_message *like, uint16_t first,
		      uint16_t second, struct netlink_message *out)
{
	while (netlink_next(&rest, out)) {
		if (out->type == like->type && out->family == like->family &&
		    same_attribute(out, like, first) &&
		    (second == 0 || same_attribute(out, like, second)))
			return true;
	}
	return false;
}

/* Begin to tell of a difference. Return: false: enough were told. */
static bool tell(struct comparing *c, const char *what, const struct netlink_message *m,
		 uint16_t table, uint16_t name)
{
	if (c->compared->differing++ >= TOLD_MAX)
		return false;
	(void)bytes_printf(c->out, "# NOT AS THE POLICY ASKS FOR: %s of family %u, table ", what,
			   m->family); /* @out remembers, here and below */
	nft_text_name(c->out, netlink_find(m->attributes, table));
	if (name != 0) {
		(void)bytes_append_text(c->out, ", chain ");
		nft_text_name(c->out, netlink_find(m->attributes, name));
	}
	(void)bytes_append_u8(c->out, '\n');
	return true;
}

/* ---- rules */

static bool next_rule(struct span *rest, const struct netlink_message *chain,
		      struct netlink_message *out)
{
	while (netlink_next(rest, out)) {
		if (out->type == MESSAGE(NFT_MSG_NEWRULE) && out->family == chain->family &&
		    span_equal(netlink_find(out->attributes, NFTA_RULE_TABLE),
			       netlink_find(chain->attributes, NFTA_CHAIN_TABLE)) &&
		    span_equal(netlink_find(out->attributes, NFTA_RULE_CHAIN),
			       netlink_find(chain->attributes, NFTA_CHAIN_NAME)))
			return true;
	}
	return false;
}

/*
 * What the kernel tells otherwise than it was asked. A register of 16 bytes and the first of the
 * four that it is made of are one: the kernel takes either number and tells the former. A reset of
 * TCP has no code.
 */
static const struct {
	const char *asked, *told;
} spellings[] = {
	{"reg 8 ", "reg 1 "},
	{"reg 12 ", "reg 2 "},
	{"reg 16 ", "reg 3 "},
	{"reg 20 ", "reg 4 "},
	{"reg_key 8 ", "reg_key 1 "},
	{"reg_key 12 ", "reg_key 2 "},
	{"reg_key 16 ", "reg_key 3 "},
	{"reg_key 20 ", "reg_key 4 "},
	{"[ reject type 1 code 0 ]", "[ reject type 1 ]"},
};

static void spell_as_told(struct bytes *text)
{
	size_t to = 0;

	for (size_t from = 0; from < text->size;) {
		size_t i = 0, size = 0;

		for (; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
			size = strlen(spellings[i].asked);
			if (text->size - from >= size &&
			    memcmp(text->data + from, spellings[i].asked, size) == 0)
				break;
		}
		if (i == sizeof(spellings) / sizeof(spellings[0])) {
			text->data[to++] = text->data[from++];
			continue;
		}
		from += size;
		size = strlen(spellings[i].told); /* which is never longer */
		memcpy(text->data + to, spellings[i].told, size);
		to += size;
	}
	text->size = to;
}

static void print_rule(struct bytes *out, bool is, const struct netlink_message *m)
{
	bytes_clear(out);
	if (is)
		nft_text_expressions(out, netlink_find(m->attributes, NFTA_RULE_EXPRESSIONS),
				     LINE_INDENT);
	if (is)
		spell_as_told(out);
	else
		(void)bytes_append_text(out, LINE_INDENT "no rule\n");
}

static void compare_rules(struct comparing *c, const struct netlink_message *chain)
{
	struct span rests[2] = {c->kernel, c->asked};
	struct netlink_message rules[2];
	bool is[2];

	for (uint32_t number = 1;; number++) {
		for (unsigned i = 0; i < 2; i++) {
			is[i] = next_rule(&rests[i], chain, &rules[i]);
			print_rule(&c->texts[i], is[i], &rules[i]);
		}
		if (!is[0] && !is[1])
			return;
		c->compared->rules += is[0];
		if (is[0] == is[1] &&
		    span_equal(bytes_span(&c->texts[0]), bytes_span(&c->texts[1])))
			continue;
		if (!tell(c, "a rule", chain, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME))
			continue;
		(void)bytes_printf(c->out, "#   rule %" PRIu32 ", the kernel has\n", number);
		(void)bytes_append(c->out, c->texts[0].data, c->texts[0].size);
		(void)bytes_append_text(c->out, "#   the policy asks for\n");
		(void)bytes_append(c->out, c->texts[1].data, c->texts[1].size);
	}
}

/* ---- tables and chains */

/* One that is dormant has all its chains and rules, and applies none of them. */
static bool same_table(const struct netlink_message *a, const struct netlink_message *b)
{
	return netlink_find_be32(a->attributes, NFTA_TABLE_FLAGS) ==
	       netlink_find_be32(b->attributes, NFTA_TABLE_FLAGS); /* not given: none */
}

static bool same_chain(const struct netlink_message *a, const struct netlink_message *b)
{
	struct span one = netlink_find(a->attributes, NFTA_CHAIN_HOOK);
	struct span other = netlink_find(b->attributes, NFTA_CHAIN_HOOK);

	if ((one.data == NULL) != (other.data == NULL))
		return false;
	if (one.data == NULL)
		return true;
	return same_attribute(a, b, NFTA_CHAIN_TYPE) && same_value(one, other, NFTA_HOOK_DEV) &&
	       netlink_find_be32(one, NFTA_HOOK_HOOKNUM) ==
		       netlink_find_be32(other, NFTA_HOOK_HOOKNUM) &&
	       netlink_find_be32(one, NFTA_HOOK_PRIORITY) ==
		       netlink_find_be32(other, NFTA_HOOK_PRIORITY) &&
	       netlink_find_be32(a->attributes, NFTA_CHAIN_POLICY) ==
		       netlink_find_be32(b->attributes, NFTA_CHAIN_POLICY);
}

/* What the kernel has and nobody asked for, and chains that are not as asked. */
static void compare_kernel(struct comparing *c)
{
	struct span rest = c->kernel;
	struct netlink_message m, other;

	while (netlink_next(&rest, &m)) {
		if (m.type == MESSAGE(NFT_MSG_NEWTABLE) &&
		    (!find_same(c->asked, &m, NFTA_TABLE_NAME, 0, &other) ||
		     !same_table(&m, &other)))
			(void)tell(c, "a table", &m, NFTA_TABLE_NAME, 0);
		if (m.type != MESSAGE(NFT_MSG_NEWCHAIN))
			continue;
		c->compared->chains++;
		if (!find_same(c->asked, &m, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, &other) ||
		    !same_chain(&m, &other))
			(void)tell(c, "a chain", &m, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME);
		compare_rules(c, &m);
	}
}

/* What was asked for and the kernel has not. */
static void compare_asked(struct comparing *c)
{
	struct span rest = c->asked;
	struct netlink_message m, other;

	while (netlink_next(&rest, &m)) {
		if (m.type == MESSAGE(NFT_MSG_NEWCHAIN) &&
		    !find_same(c->kernel, &m, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, &other))
			(void)tell(c, "a missing chain", &m, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME);
	}
}

int rules_compare(struct span kernel, struct span asked, struct bytes *out,
		  struct rules_compared *compared)
{
	struct comparing c = {.kernel = kernel, .asked = asked, .out = out, .compared = compared};
	int err;

	*compared = (struct rules_compared){0};
	for (unsigned i = 0; i < 2; i++)
		bytes_init(&c.texts[i], RULE_BYTES_MAX);
	compare_kernel(&c);
	compare_asked(&c);
	err = c.texts[0].failed || c.texts[1].failed || out->failed ? -ERR_NO_MEMORY : 0;
	for (unsigned i = 0; i < 2; i++)
		bytes_fini(&c.texts[i]);
	return err;
}
