/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two lists of nf_tables messages, chain by chain: what the kernel has and what it was asked for.
 */
#include "netfilter/rules_compare.h"

#include <inttypes.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "netfilter/nft/netlink.h"
#include "netfilter/nft/nft.h"
#include "netfilter/nft/text.h"

#define MESSAGE(kind)  ((uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | (kind)))
#define TOLD_MAX       20
#define RULE_BYTES_MAX (1U << 16) /* of one rule as text */
#define LINE_INDENT    "#       "
#define KEYS_TOLD_MAX  5 /* elements of one set that are shown */

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
		(void)bytes_append_text(c->out,
					m->type == MESSAGE(NFT_MSG_NEWSET) ? ", set " : ", chain ");
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

/* ---- elements of sets */

struct element {
	struct span key, key_end; /* key_end: empty, or of an interval of a joined key */
	uint32_t flags;
};

struct elements {
	struct element *list; /* in the order of their keys, none twice */
	size_t count;
};

static struct span value_of(struct span element, uint16_t number)
{
	return netlink_find(netlink_find(element, number), NFTA_DATA_VALUE);
}

static int order_of_spans(struct span a, struct span b)
{
	int order = a.size == 0 || b.size == 0
			    ? 0
			    : memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);

	return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int order_of_elements(const void *one, const void *other)
{
	const struct element *a = one, *b = other;
	int order = order_of_spans(a->key, b->key);

	if (order == 0)
		order = order_of_spans(a->key_end, b->key_end);
	return order != 0 ? order : (a->flags > b->flags) - (a->flags < b->flags);
}

/* The next message with elements of a set. */
static bool next_elements(struct span *rest, const struct netlink_message *set, struct span *list)
{
	struct netlink_message m;

	while (netlink_next(rest, &m)) {
		if (m.type != MESSAGE(NFT_MSG_NEWSETELEM) || m.family != set->family ||
		    !span_equal(netlink_find(m.attributes, NFTA_SET_ELEM_LIST_TABLE),
				netlink_find(set->attributes, NFTA_SET_TABLE)) ||
		    !span_equal(netlink_find(m.attributes, NFTA_SET_ELEM_LIST_SET),
				netlink_find(set->attributes, NFTA_SET_NAME)))
			continue;
		*list = netlink_find(m.attributes, NFTA_SET_ELEM_LIST_ELEMENTS);
		return true;
	}
	return false;
}

static size_t count_elements(struct span messages, const struct netlink_message *set)
{
	struct netlink_attribute a;
	struct span list;
	size_t count = 0;

	while (next_elements(&messages, set, &list)) {
		while (netlink_next_attribute(&list, &a))
			count++;
	}
	return count;
}

static void sort_elements(struct elements *e)
{
	size_t kept = 0;

	if (e->count > 0)
		qsort(e->list, e->count, sizeof(e->list[0]), order_of_elements);
	for (size_t i = 0; i < e->count; i++) {
		if (kept == 0 || order_of_elements(&e->list[kept - 1], &e->list[i]) != 0)
			e->list[kept++] = e->list[i];
	}
	e->count = kept;
}

/* Return: 0 or -ERR_NO_MEMORY. @out->list is freed by the caller. */
static int collect_elements(struct span messages, const struct netlink_message *set,
			    struct elements *out)
{
	size_t all = count_elements(messages, set);
	struct netlink_attribute a;
	struct span list;

	*out = (struct elements){.list = calloc(all + 1, sizeof(out->list[0]))};
	if (out->list == NULL)
		return -ERR_NO_MEMORY;
	while (next_elements(&messages, set, &list)) {
		while (netlink_next_attribute(&list, &a))
			out->list[out->count++] = (struct element){
				.key = value_of(a.value, NFTA_SET_ELEM_KEY),
				.key_end = value_of(a.value, NFTA_SET_ELEM_KEY_END),
				.flags = netlink_find_be32(a.value, NFTA_SET_ELEM_FLAGS),
			};
	}
	sort_elements(out);
	return 0;
}

static void put_hex(struct bytes *out, struct span bytes)
{
	for (size_t i = 0; i < bytes.size; i++)
		(void)bytes_printf(out, "%02x", bytes.data[i]); /* @out remembers */
}

static void tell_element(struct comparing *c, const struct element *e, bool asked)
{
	(void)bytes_append_text(c->out, asked ? "#   the kernel lacks " : "#   the policy lacks ");
	put_hex(c->out, e->key);
	(void)bytes_append_text(c->out, e->key_end.size > 0 ? "-" : ""); /* @out remembers */
	put_hex(c->out, e->key_end);
	(void)bytes_append_text(c->out, e->flags & NFT_SET_ELEM_INTERVAL_END ? " (end)\n" : "\n");
}

/* Each element that only one of the two has; of a set the first few are shown. */
static void compare_sorted(struct comparing *c, const struct netlink_message *set,
			   const struct elements both[2])
{
	size_t at[2] = {0, 0}, differing = 0;
	bool told = false;

	while (at[0] < both[0].count || at[1] < both[1].count) {
		int order = at[0] == both[0].count ? 1
			    : at[1] == both[1].count
				    ? -1
				    : order_of_elements(&both[0].list[at[0]], &both[1].list[at[1]]);
		unsigned of = order > 0;

		if (order != 0) {
			if (differing++ == 0)
				told = tell(c, "elements", set, NFTA_SET_TABLE, NFTA_SET_NAME);
			if (told && differing <= KEYS_TOLD_MAX)
				tell_element(c, &both[of].list[at[of]], of == 1);
		}
		at[0] += order <= 0;
		at[1] += order >= 0;
	}
	c->compared->elements += (uint32_t)both[0].count;
	if (told && differing > KEYS_TOLD_MAX)
		(void)bytes_printf(c->out, "#   %zu more\n", differing - KEYS_TOLD_MAX);
}

/* What packets put into a set, and what ends by itself there, no policy asks for. */
static bool is_of_policy(const struct netlink_message *set)
{
	uint32_t flags = netlink_find_be32(set->attributes, NFTA_SET_FLAGS);

	return (flags & (NFT_SET_EVAL | NFT_SET_TIMEOUT)) == 0;
}

static int compare_elements(struct comparing *c, const struct netlink_message *set)
{
	struct elements both[2] = {{0}, {0}};
	int err = collect_elements(c->kernel, set, &both[0]);

	if (err == 0)
		err = collect_elements(c->asked, set, &both[1]);
	if (err == 0)
		compare_sorted(c, set, both);
	free(both[0].list);
	free(both[1].list);
	return err;
}

/* The sets of the kernel, then those that only the policy has. */
static int compare_sets(struct comparing *c)
{
	struct span rest = c->kernel;
	struct netlink_message m, other;
	int err = 0;

	while (err == 0 && netlink_next(&rest, &m)) {
		if (m.type != MESSAGE(NFT_MSG_NEWSET))
			continue;
		c->compared->sets++;
		if (!find_same(c->asked, &m, NFTA_SET_TABLE, NFTA_SET_NAME, &other))
			(void)tell(c, "a set", &m, NFTA_SET_TABLE, NFTA_SET_NAME);
		else if (is_of_policy(&m) != is_of_policy(&other))
			(void)tell(c, "a set of another kind", &m, NFTA_SET_TABLE, NFTA_SET_NAME);
		else if (is_of_policy(&m))
			err = compare_elements(c, &m);
	}
	rest = c->asked;
	while (netlink_next(&rest, &m)) {
		if (m.type == MESSAGE(NFT_MSG_NEWSET) &&
		    !find_same(c->kernel, &m, NFTA_SET_TABLE, NFTA_SET_NAME, &other))
			(void)tell(c, "a missing set", &m, NFTA_SET_TABLE, NFTA_SET_NAME);
	}
	return err;
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
	err = compare_sets(&c);
	if (c.texts[0].failed || c.texts[1].failed || out->failed)
		err = -ERR_NO_MEMORY;
	for (unsigned i = 0; i < 2; i++)
		bytes_fini(&c.texts[i]);
	return err;
}
