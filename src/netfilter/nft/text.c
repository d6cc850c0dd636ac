/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables, objects, sets with their elements, flow tables and chains with their rules, as text. */
#include "netfilter/nft/text.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

#include "netfilter/nft/nft.h"

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define MESSAGE(kind)  (NFNL_SUBSYS_NFTABLES << 8 | (kind))
#define INDENT         "    "
#define TABLE_NAME     1 /* the table's name, in every message but the table's own */
#define KEY_TYPE_BITS  6 /* of each part of a key (nftables, datatype.h) */
#define KEY_PARTS_MAX  5
#define REGISTER_BYTES 4

/* Of a set, by kernels since 6.16: how many elements it has; and where in the kernel its
 * kind is, an address that would help an attacker and nobody else. */
enum { SET_KIND_ADDRESS = 19, SET_COUNT = 20 };

/* ---- small parts */

static bool same_name(struct span a, struct span b)
{
	return a.data != NULL && span_equal(a, b);
}

static const char *family_name(uint8_t family)
{
	static const char *const names[] = {
		[NFPROTO_INET] = "inet",     [NFPROTO_IPV4] = "ip",       [NFPROTO_ARP] = "arp",
		[NFPROTO_NETDEV] = "netdev", [NFPROTO_BRIDGE] = "bridge", [NFPROTO_IPV6] = "ip6",
	};

	return family < COUNT(names) && names[family] != NULL ? names[family] : "family?";
}

/* Flags by their names, and what has none as a number. */
struct flag {
	uint32_t bit;
	const char *name;
};

static void print_flags(struct bytes *out, uint32_t flags, const struct flag *known, size_t count)
{
	const char *between = "";

	for (size_t i = 0; i < count; i++) {
		if ((flags & known[i].bit) == 0)
			continue;
		(void)bytes_printf(out, "%s%s", between, known[i].name);
		flags &= ~known[i].bit;
		between = ",";
	}
	if (flags != 0)
		(void)bytes_printf(out, "%s0x%x", between, flags);
}

static void print_userdata(struct bytes *out, struct span attributes, uint16_t number)
{
	struct span data = netlink_find(attributes, number);

	if (data.size == 0)
		return;
	(void)bytes_append_text(out, INDENT INDENT "userdata ");
	nft_text_hex(out, data);
	(void)bytes_append_u8(out, '\n');
}

/* Behind a heading: its handle, and what is not known. */
static void end_heading(struct bytes *out, struct span attributes, uint16_t handle,
			const uint8_t *known)
{
	(void)bytes_printf(out, " { # handle %" PRIu64, netlink_find_be64(attributes, handle));
	nft_text_rest(out, attributes, known);
	(void)bytes_append_u8(out, '\n');
}

/* ---- tables and objects */

static void print_table(struct bytes *out, const struct netlink_message *m)
{
	static const uint8_t known[] = {NFTA_TABLE_NAME,
					NFTA_TABLE_FLAGS,
					NFTA_TABLE_USE,
					NFTA_TABLE_PAD,
					NFTA_TABLE_HANDLE,
					NFTA_TABLE_OWNER,
					0};
	static const struct flag flags[] = {
		{NFT_TABLE_F_DORMANT, "dormant"}, {NFT_TABLE_F_OWNER, "owner"}, {4, "persist"}};
	uint32_t set = netlink_find_be32(m->attributes, NFTA_TABLE_FLAGS);

	(void)bytes_printf(out, "table %s ", family_name(m->family));
	nft_text_name(out, netlink_find(m->attributes, NFTA_TABLE_NAME));
	end_heading(out, m->attributes, NFTA_TABLE_HANDLE, known);
	if (set == 0)
		return;
	(void)bytes_append_text(out, INDENT "flags ");
	print_flags(out, set, flags, COUNT(flags));
	(void)bytes_printf(out, " # netlink port of its owner %u\n",
			   netlink_find_be32(m->attributes, NFTA_TABLE_OWNER));
}

static void print_object(struct bytes *out, const struct netlink_message *m)
{
	static const uint8_t known[] = {NFTA_OBJ_TABLE, NFTA_OBJ_NAME,
					NFTA_OBJ_TYPE,  NFTA_OBJ_DATA,
					NFTA_OBJ_USE,   NFTA_OBJ_HANDLE,
					NFTA_OBJ_PAD,   0};
	static const uint8_t known_counter[] = {NFTA_COUNTER_BYTES, NFTA_COUNTER_PACKETS,
						NFTA_COUNTER_PAD, 0};
	struct span data = netlink_find(m->attributes, NFTA_OBJ_DATA);
	uint32_t type = netlink_find_be32(m->attributes, NFTA_OBJ_TYPE);

	if (type == NFT_OBJECT_COUNTER)
		(void)bytes_append_text(out, INDENT "counter ");
	else
		(void)bytes_printf(out, INDENT "object of type %u ", type);
	nft_text_name(out, netlink_find(m->attributes, NFTA_OBJ_NAME));
	end_heading(out, m->attributes, NFTA_OBJ_HANDLE, known);
	if (type == NFT_OBJECT_COUNTER) {
		(void)bytes_printf(out, INDENT INDENT "packets %" PRIu64 " bytes %" PRIu64,
				   netlink_find_be64(data, NFTA_COUNTER_PACKETS),
				   netlink_find_be64(data, NFTA_COUNTER_BYTES));
		nft_text_rest(out, data, known_counter);
	} else {
		(void)bytes_append_text(out, INDENT INDENT "data ");
		nft_text_hex(out, data);
	}
	(void)bytes_append_text(out, "\n" INDENT "}\n");
}

/* ---- sets: their keys as nft(8) numbers the types, since the kernel knows only lengths */

static void print_ipv4(struct bytes *out, struct span key)
{
	(void)bytes_printf(out, "%u.%u.%u.%u", key.data[0], key.data[1], key.data[2], key.data[3]);
}

static void print_ipv6(struct bytes *out, struct span key)
{
	char text[INET6_ADDRSTRLEN] = "?";

	(void)inet_ntop(AF_INET6, key.data, text, sizeof(text)); /* there is room */
	(void)bytes_append_text(out, text);
}

static void print_mac(struct bytes *out, struct span key)
{
	for (size_t i = 0; i < key.size; i++)
		(void)bytes_printf(out, "%s%02x", i > 0 ? ":" : "", key.data[i]);
}

static void print_decimal(struct bytes *out, struct span key)
{
	unsigned number = 0;

	for (size_t i = 0; i < key.size; i++)
		number = number << 8 | key.data[i];
	(void)bytes_printf(out, "%u", number);
}

static void print_mark(struct bytes *out, struct span key)
{
	uint32_t mark;

	memcpy(&mark, key.data, sizeof(mark)); /* in the order of the machine */
	(void)bytes_printf(out, "0x%08x", mark);
}

static const struct key_type {
	uint8_t type, bytes;
	const char *name;
	void (*print)(struct bytes *out, struct span key);
} key_types[] = {
	{7, 4, "ipv4_addr", print_ipv4},        {8, 16, "ipv6_addr", print_ipv6},
	{9, 6, "ether_addr", print_mac},        {12, 1, "inet_proto", print_decimal},
	{13, 2, "inet_service", print_decimal}, {19, 4, "mark", print_mark},
};

/* The parts of a key. */
struct key {
	const struct key_type *parts[KEY_PARTS_MAX];
	size_t count; /* 0: not known: bytes */
};

static const struct key_type *find_key_type(uint32_t type)
{
	for (size_t i = 0; i < COUNT(key_types); i++) {
		if (key_types[i].type == type)
			return &key_types[i];
	}
	return NULL;
}

static struct key key_of_set(struct span set)
{
	uint32_t types = netlink_find_be32(set, NFTA_SET_KEY_TYPE);
	uint32_t bytes = netlink_find_be32(set, NFTA_SET_KEY_LEN), sum = 0;
	struct key key = {.count = 0};
	size_t count = 0;

	while (count < KEY_PARTS_MAX && types >> (count * KEY_TYPE_BITS) != 0)
		count++;
	for (size_t i = 0; i < count; i++) {
		uint32_t type = types >> ((count - 1 - i) * KEY_TYPE_BITS) & 0x3f;

		key.parts[i] = find_key_type(type);
		if (key.parts[i] == NULL)
			return (struct key){.count = 0};
		sum += count == 1 ? key.parts[i]->bytes
				  : (key.parts[i]->bytes + 3U) & ~(REGISTER_BYTES - 1U);
	}
	if (sum == bytes)
		key.count = count;
	return key;
}

static void print_key(struct bytes *out, const struct key *key, struct span value)
{
	size_t needed = 0, at = 0;

	for (size_t i = 0; i < key->count; i++)
		needed += (key->parts[i]->bytes + 3U) & ~(REGISTER_BYTES - 1U);
	if (key->count == 0 || (key->count == 1 ? key->parts[0]->bytes : needed) != value.size) {
		nft_text_hex(out, value);
		return;
	}
	for (size_t i = 0; i < key->count; i++) {
		(void)bytes_append_text(out, i > 0 ? " . " : "");
		key->parts[i]->print(out, (struct span){value.data + at, key->parts[i]->bytes});
		at += (key->parts[i]->bytes + 3U) & ~(REGISTER_BYTES - 1U);
	}
}

static void print_set(struct bytes *out, const struct netlink_message *m)
{
	static const uint8_t known[] = {NFTA_SET_TABLE,    NFTA_SET_NAME,
					NFTA_SET_FLAGS,    NFTA_SET_KEY_TYPE,
					NFTA_SET_KEY_LEN,  NFTA_SET_DESC,
					NFTA_SET_USERDATA, NFTA_SET_TIMEOUT,
					NFTA_SET_HANDLE,   NFTA_SET_PAD,
					NFTA_SET_ID,       SET_KIND_ADDRESS,
					SET_COUNT,         0};
	static const struct flag flags[] = {
		{NFT_SET_ANONYMOUS, "anonymous"},
		{NFT_SET_CONSTANT, "constant"},
		{NFT_SET_EVAL, "dynamic"},
		{NFT_SET_INTERVAL, "interval"},
		{NFT_SET_MAP, "map"},
		{NFT_SET_TIMEOUT, "timeout"},
		{NFT_SET_OBJECT, "object"},
		{NFT_SET_CONCAT, "concat"},
	};
	struct key key = key_of_set(m->attributes);
	uint32_t set = netlink_find_be32(m->attributes, NFTA_SET_FLAGS);
	uint64_t timeout_ms = netlink_find_be64(m->attributes, NFTA_SET_TIMEOUT);
	struct span description = netlink_find(m->attributes, NFTA_SET_DESC);
	uint32_t size = netlink_find_be32(description, NFTA_SET_DESC_SIZE);

	(void)bytes_append_text(out, INDENT "set ");
	nft_text_name(out, netlink_find(m->attributes, NFTA_SET_NAME));
	end_heading(out, m->attributes, NFTA_SET_HANDLE, known);
	(void)bytes_append_text(out, INDENT INDENT "type ");
	for (size_t i = 0; i < key.count; i++)
		(void)bytes_printf(out, "%s%s", i > 0 ? " . " : "", key.parts[i]->name);
	if (key.count == 0)
		(void)bytes_printf(out, "%u of %u bytes",
				   netlink_find_be32(m->attributes, NFTA_SET_KEY_TYPE),
				   netlink_find_be32(m->attributes, NFTA_SET_KEY_LEN));
	(void)bytes_append_u8(out, '\n');
	if (size != 0)
		(void)bytes_printf(out, INDENT INDENT "size %u\n", size);
	if (set != 0) {
		(void)bytes_append_text(out, INDENT INDENT "flags ");
		print_flags(out, set, flags, COUNT(flags));
		(void)bytes_append_u8(out, '\n');
	}
	if (timeout_ms != 0)
		(void)bytes_printf(out, INDENT INDENT "timeout %" PRIu64 "ms\n", timeout_ms);
	print_userdata(out, m->attributes, NFTA_SET_USERDATA);
}

/* The data of a key, of a mapping's value. */
static struct span data_value(struct span element, uint16_t number)
{
	return netlink_find(netlink_find(element, number), NFTA_DATA_VALUE);
}

static void print_element(struct bytes *out, const struct key *key, struct span element)
{
	static const uint8_t known[] = {NFTA_SET_ELEM_KEY,
					NFTA_SET_ELEM_KEY_END,
					NFTA_SET_ELEM_FLAGS,
					NFTA_SET_ELEM_TIMEOUT,
					NFTA_SET_ELEM_EXPIRATION,
					NFTA_SET_ELEM_PAD,
					0};
	uint64_t timeout_ms = netlink_find_be64(element, NFTA_SET_ELEM_TIMEOUT);
	struct span end = data_value(element, NFTA_SET_ELEM_KEY_END);
	uint32_t flags = netlink_find_be32(element, NFTA_SET_ELEM_FLAGS);

	print_key(out, key, data_value(element, NFTA_SET_ELEM_KEY));
	if (end.size > 0) {
		(void)bytes_append_text(out, " - ");
		print_key(out, key, end);
	}
	if ((flags & NFT_SET_ELEM_INTERVAL_END) != 0)
		(void)bytes_append_text(out, " [end]");
	if ((flags & ~(uint32_t)NFT_SET_ELEM_INTERVAL_END) != 0)
		(void)bytes_printf(out, " flags 0x%x", flags);
	if (timeout_ms != 0)
		(void)bytes_printf(out, " timeout %" PRIu64 "ms", timeout_ms);
	if (netlink_find(element, NFTA_SET_ELEM_EXPIRATION).size > 0)
		(void)bytes_printf(out, " expires %" PRIu64 "ms",
				   netlink_find_be64(element, NFTA_SET_ELEM_EXPIRATION));
	nft_text_rest(out, element, known);
}

/* One message has some of a set's elements. */
static void print_elements(struct bytes *out, const struct netlink_message *set,
			   const struct netlink_message *m)
{
	static const uint8_t known[] = {NFTA_SET_ELEM_LIST_TABLE, NFTA_SET_ELEM_LIST_SET,
					NFTA_SET_ELEM_LIST_ELEMENTS, NFTA_SET_ELEM_LIST_SET_ID, 0};
	struct span list = netlink_find(m->attributes, NFTA_SET_ELEM_LIST_ELEMENTS);
	const struct key key = key_of_set(set->attributes);
	uint32_t left_out = netlink_find_be32(m->attributes, NFT_TEXT_LEFT_OUT);
	struct netlink_attribute a;
	size_t line_at = out->size;

	if (left_out > 0)
		(void)bytes_printf(out,
				   INDENT INDENT
				   "# %u more elements that packets put there are not shown\n",
				   left_out);
	if (list.size == 0)
		return;
	(void)bytes_append_text(out, INDENT INDENT "elements = { ");
	for (bool first = true; netlink_next_attribute(&list, &a); first = false) {
		if (!first)
			(void)bytes_append_text(out, ",");
		if (out->size - line_at > NFT_TEXT_LINE_BYTES) {
			line_at = out->size;
			(void)bytes_append_text(out, "\n" INDENT INDENT INDENT);
		} else if (!first) {
			(void)bytes_append_text(out, " ");
		}
		print_element(out, &key, a.value);
	}
	(void)bytes_append_text(out, " }");
	nft_text_rest(out, m->attributes, known);
	if (list.size > 0) {
		(void)bytes_append_text(out, ", malformed ");
		nft_text_hex(out, list);
	}
	(void)bytes_append_u8(out, '\n');
}

/* ---- flow tables, chains, rules */

static const char *hook_name(uint8_t family, uint32_t hook)
{
	static const char *const ip[] = {"prerouting", "input",       "forward",
					 "output",     "postrouting", "ingress"};
	static const char *const arp[] = {"input", "output", "forward"};
	static const char *const device[] = {"ingress", "egress"};

	if (family == NFPROTO_NETDEV)
		return hook < COUNT(device) ? device[hook] : "?";
	if (family == NFPROTO_ARP)
		return hook < COUNT(arp) ? arp[hook] : "?";
	return hook < COUNT(ip) ? ip[hook] : "?";
}

static void print_devices(struct bytes *out, struct span list)
{
	struct netlink_attribute a;

	(void)bytes_append_text(out, INDENT INDENT "devices = {");
	for (const char *between = " "; netlink_next_attribute(&list, &a); between = ", ") {
		(void)bytes_append_text(out, between);
		nft_text_name(out, a.value);
	}
	(void)bytes_append_text(out, " }\n");
}

static void print_flowtable(struct bytes *out, const struct netlink_message *m)
{
	static const uint8_t known[] = {NFTA_FLOWTABLE_TABLE, NFTA_FLOWTABLE_NAME,
					NFTA_FLOWTABLE_HOOK,  NFTA_FLOWTABLE_USE,
					NFTA_FLOWTABLE_PAD,   NFTA_FLOWTABLE_HANDLE,
					NFTA_FLOWTABLE_FLAGS, 0};
	static const struct flag flags[] = {{1, "offload"}, {2, "counter"}};
	struct span hook = netlink_find(m->attributes, NFTA_FLOWTABLE_HOOK);
	uint32_t set = netlink_find_be32(m->attributes, NFTA_FLOWTABLE_FLAGS);

	(void)bytes_append_text(out, INDENT "flowtable ");
	nft_text_name(out, netlink_find(m->attributes, NFTA_FLOWTABLE_NAME));
	end_heading(out, m->attributes, NFTA_FLOWTABLE_HANDLE, known);
	(void)bytes_printf(out, INDENT INDENT "hook %s priority %d;\n",
			   hook_name(NFPROTO_NETDEV,
				     netlink_find_be32(hook, NFTA_FLOWTABLE_HOOK_NUM)),
			   (int)netlink_find_be32(hook, NFTA_FLOWTABLE_HOOK_PRIORITY));
	print_devices(out, netlink_find(hook, NFTA_FLOWTABLE_HOOK_DEVS));
	if (set != 0) {
		(void)bytes_append_text(out, INDENT INDENT "flags ");
		print_flags(out, set, flags, COUNT(flags));
		(void)bytes_append_u8(out, '\n');
	}
	(void)bytes_append_text(out, INDENT "}\n");
}

static void print_hook(struct bytes *out, const struct netlink_message *m, struct span hook)
{
	static const uint8_t known[] = {NFTA_HOOK_HOOKNUM, NFTA_HOOK_PRIORITY, NFTA_HOOK_DEV,
					NFTA_HOOK_DEVS, 0};
	struct span device = netlink_find(hook, NFTA_HOOK_DEV);
	uint32_t policy = netlink_find_be32(m->attributes, NFTA_CHAIN_POLICY);

	(void)bytes_append_text(out, INDENT INDENT "type ");
	nft_text_name(out, netlink_find(m->attributes, NFTA_CHAIN_TYPE));
	(void)bytes_printf(out, " hook %s",
			   hook_name(m->family, netlink_find_be32(hook, NFTA_HOOK_HOOKNUM)));
	if (device.size > 0) {
		(void)bytes_append_text(out, " device ");
		nft_text_name(out, device);
	}
	(void)bytes_printf(out, " priority %d; policy %s;",
			   (int)netlink_find_be32(hook, NFTA_HOOK_PRIORITY),
			   policy == NF_ACCEPT ? "accept" : "drop");
	nft_text_rest(out, hook, known);
	(void)bytes_append_u8(out, '\n');
	if (netlink_find(hook, NFTA_HOOK_DEVS).size > 0)
		print_devices(out, netlink_find(hook, NFTA_HOOK_DEVS));
}

static void print_chain(struct bytes *out, const struct netlink_message *m)
{
	static const uint8_t known[] = {NFTA_CHAIN_TABLE,    NFTA_CHAIN_HANDLE, NFTA_CHAIN_NAME,
					NFTA_CHAIN_HOOK,     NFTA_CHAIN_POLICY, NFTA_CHAIN_USE,
					NFTA_CHAIN_TYPE,     NFTA_CHAIN_FLAGS,  NFTA_CHAIN_PAD,
					NFTA_CHAIN_USERDATA, NFTA_CHAIN_ID,     0};
	static const struct flag flags[] = {{NFT_CHAIN_HW_OFFLOAD, "offload"},
					    {NFT_CHAIN_BINDING, "binding"}};
	struct span hook = netlink_find(m->attributes, NFTA_CHAIN_HOOK);
	uint32_t set = netlink_find_be32(m->attributes, NFTA_CHAIN_FLAGS) & ~1U; /* has a hook */

	(void)bytes_append_text(out, INDENT "chain ");
	nft_text_name(out, netlink_find(m->attributes, NFTA_CHAIN_NAME));
	end_heading(out, m->attributes, NFTA_CHAIN_HANDLE, known);
	if (hook.size > 0)
		print_hook(out, m, hook);
	if (set != 0) {
		(void)bytes_append_text(out, INDENT INDENT "flags ");
		print_flags(out, set, flags, COUNT(flags));
		(void)bytes_append_u8(out, '\n');
	}
	print_userdata(out, m->attributes, NFTA_CHAIN_USERDATA);
}

static void print_rule(struct bytes *out, const struct netlink_message *chain,
		       const struct netlink_message *m)
{
	static const uint8_t known[] = {NFTA_RULE_TABLE,    NFTA_RULE_CHAIN,
					NFTA_RULE_HANDLE,   NFTA_RULE_EXPRESSIONS,
					NFTA_RULE_POSITION, NFTA_RULE_USERDATA,
					NFTA_RULE_PAD,      0};

	(void)chain; /* every rule is printed alike */
	(void)bytes_printf(out, INDENT INDENT "rule # handle %" PRIu64,
			   netlink_find_be64(m->attributes, NFTA_RULE_HANDLE));
	nft_text_rest(out, m->attributes, known);
	(void)bytes_append_u8(out, '\n');
	print_userdata(out, m->attributes, NFTA_RULE_USERDATA);
	nft_text_expressions(out, netlink_find(m->attributes, NFTA_RULE_EXPRESSIONS),
			     INDENT INDENT INDENT);
}

/* ---- which comes behind which */

static const struct kind {
	uint16_t type;  /* of the message */
	uint16_t name;  /* the attribute with its own name */
	uint16_t inner; /* type of the messages about what is in it; 0: it is closed at once */
	uint16_t inner_holder; /* the attribute of those with its name */
	void (*print)(struct bytes *out, const struct netlink_message *m);
	void (*print_inner)(struct bytes *out, const struct netlink_message *holder,
			    const struct netlink_message *m);
} kinds[] = {
	{MESSAGE(NFT_MSG_NEWOBJ), NFTA_OBJ_NAME, 0, 0, print_object, NULL},
	{MESSAGE(NFT_MSG_NEWSET), NFTA_SET_NAME, MESSAGE(NFT_MSG_NEWSETELEM),
	 NFTA_SET_ELEM_LIST_SET, print_set, print_elements},
	{MESSAGE(NFT_MSG_NEWFLOWTABLE), NFTA_FLOWTABLE_NAME, 0, 0, print_flowtable, NULL},
	{MESSAGE(NFT_MSG_NEWCHAIN), NFTA_CHAIN_NAME, MESSAGE(NFT_MSG_NEWRULE), NFTA_RULE_CHAIN,
	 print_chain, print_rule},
};

void nft_text_begin(struct nft_text *t, struct span messages)
{
	struct netlink_message m;

	*t = (struct nft_text){.all = messages, .tables = messages};
	while (netlink_next(&messages, &m))
		t->messages++;
}

/* The next message of a type that belongs to the open table. */
static bool next_in_table(struct nft_text *t, struct span *rest, uint16_t type,
			  struct netlink_message *out)
{
	struct span table = netlink_find(t->table.attributes, NFTA_TABLE_NAME);

	while (netlink_next(rest, out)) {
		if (out->type == type && out->family == t->table.family &&
		    same_name(netlink_find(out->attributes, TABLE_NAME), table))
			return true;
	}
	return false;
}

static bool open_table(struct nft_text *t, struct bytes *out)
{
	while (netlink_next(&t->tables, &t->table)) {
		if (t->table.type != MESSAGE(NFT_MSG_NEWTABLE))
			continue;
		t->printed++;
		t->in_table = true;
		t->kind = 0;
		t->holders = t->all;
		print_table(out, &t->table);
		return true;
	}
	return false;
}

static void step_holder(struct nft_text *t, struct bytes *out)
{
	const struct kind *kind = &kinds[t->kind];
	struct span name = netlink_find(t->holder.attributes, kind->name);
	struct netlink_message m;

	while (next_in_table(t, &t->inner, kind->inner, &m)) {
		if (!same_name(netlink_find(m.attributes, kind->inner_holder), name))
			continue;
		t->printed++;
		kind->print_inner(out, &t->holder, &m);
		return;
	}
	t->in_holder = false;
	(void)bytes_append_text(out, INDENT "}\n");
}

static void step_table(struct nft_text *t, struct bytes *out)
{
	const struct kind *kind = &kinds[t->kind];

	if (next_in_table(t, &t->holders, kind->type, &t->holder)) {
		t->printed++;
		t->in_holder = kind->inner != 0;
		t->inner = t->all;
		kind->print(out, &t->holder);
		return;
	}
	t->kind++;
	t->holders = t->all;
	if (t->kind < COUNT(kinds))
		return;
	t->in_table = false;
	(void)bytes_append_text(out, "}\n");
}

bool nft_text_next(struct nft_text *t, struct bytes *out)
{
	if (t->in_holder)
		step_holder(t, out);
	else if (t->in_table)
		step_table(t, out);
	else if (!open_table(t, out)) {
		if (t->printed != t->messages)
			(void)bytes_printf(
				out, "# %u of %u answers of the kernel belong to no table above\n",
				t->messages - t->printed, t->messages);
		t->printed = t->messages;
		return false;
	}
	return true;
}
