/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expressions of rules as text: a table of their attributes, and a form for each. */
#include "netfilter/nft/text.h"

#include <inttypes.h>
#include <string.h>

#include "netfilter/nft/nft.h"

#include <linux/netfilter/nf_tables_compat.h> /* behind nf_tables.h */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* How the value of an attribute is printed. Numbers are big-endian, as nf_tables has them. */
enum how {
	BYTES,
	NUMBER,   /* decimal */
	FLAGS,    /* hexadecimal; not at all where it is 0 */
	DURATION, /* milliseconds; not at all where it is 0 */
	NAME,
	DATA,     /* of a register, or a verdict */
	INSIDE,   /* one expression */
	UNPRINTED /* says nothing: padding, the number of a set in a transaction */
};

struct attribute {
	uint8_t number; /* 0: the end of a list */
	enum how how;
	const char *title;        /* before its value, where the form has no place for it */
	const char *const *names; /* of a NUMBER's values; NULL: none */
	uint8_t name_count;
};

#define ATTRIBUTES_MAX 10

/* An expression whose attribute @needs is there (0: any) is printed by @form, in which %N is the
 * value of attribute N. All others follow behind it, with their titles. */
struct expression {
	const char *name;
	uint8_t needs;
	const char *form;
	struct attribute attributes[ATTRIBUTES_MAX];
};

static const char *const meta_keys[] = {
	[NFT_META_LEN] = "len",           [NFT_META_PROTOCOL] = "protocol",
	[NFT_META_PRIORITY] = "priority", [NFT_META_MARK] = "mark",
	[NFT_META_IIF] = "iif",           [NFT_META_OIF] = "oif",
	[NFT_META_IIFNAME] = "iifname",   [NFT_META_OIFNAME] = "oifname",
	[NFT_META_IIFTYPE] = "iiftype",   [NFT_META_OIFTYPE] = "oiftype",
	[NFT_META_SKUID] = "skuid",       [NFT_META_SKGID] = "skgid",
	[NFT_META_NFTRACE] = "nftrace",   [NFT_META_NFPROTO] = "nfproto",
	[NFT_META_L4PROTO] = "l4proto",   [NFT_META_PKTTYPE] = "pkttype",
};
static const char *const ct_keys[] = {
	[NFT_CT_STATE] = "state",
	[NFT_CT_DIRECTION] = "direction",
	[NFT_CT_STATUS] = "status",
	[NFT_CT_MARK] = "mark",
	[NFT_CT_SECMARK] = "secmark",
	[NFT_CT_EXPIRATION] = "expiration",
	[NFT_CT_HELPER] = "helper",
	[NFT_CT_L3PROTOCOL] = "l3protocol",
	[NFT_CT_SRC] = "src",
	[NFT_CT_DST] = "dst",
	[NFT_CT_PROTOCOL] = "protocol",
	[NFT_CT_PROTO_SRC] = "proto_src",
	[NFT_CT_PROTO_DST] = "proto_dst",
	[NFT_CT_LABELS] = "label",
	[NFT_CT_PKTS] = "packets",
	[NFT_CT_BYTES] = "bytes",
	[NFT_CT_AVGPKT] = "avgpkt",
	[NFT_CT_ZONE] = "zone",
	[NFT_CT_EVENTMASK] = "event",
	[NFT_CT_SRC_IP] = "src_ip",
	[NFT_CT_DST_IP] = "dst_ip",
	[NFT_CT_SRC_IP6] = "src_ip6",
	[NFT_CT_DST_IP6] = "dst_ip6",
	[NFT_CT_ID] = "id",
};
static const char *const directions[] = {"original", "reply"};
static const char *const headers[] = {"link", "network", "transport", "inner", "tunnel"};
static const char *const comparisons[] = {"eq", "neq", "lt", "lte", "gt", "gte"};
static const char *const set_changes[] = {"add", "update", "delete"};
static const char *const limit_types[] = {"packets", "bytes"};

#define NAMED(list) (list), COUNT(list)
#define NUMBERED    NULL, 0

static const struct expression expressions[] = {
	{"meta",
	 NFTA_META_SREG,
	 "set %2 with reg %3",
	 {{NFTA_META_KEY, NUMBER, "key", NAMED(meta_keys)},
	  {NFTA_META_SREG, NUMBER, "sreg", NUMBERED}}},
	{"meta",
	 NFTA_META_DREG,
	 "load %2 => reg %1",
	 {{NFTA_META_DREG, NUMBER, "dreg", NUMBERED},
	  {NFTA_META_KEY, NUMBER, "key", NAMED(meta_keys)}}},
	{"ct",
	 NFTA_CT_SREG,
	 "set %2 with reg %4",
	 {{NFTA_CT_KEY, NUMBER, "key", NAMED(ct_keys)},
	  {NFTA_CT_DIRECTION, NUMBER, ", dir", NAMED(directions)},
	  {NFTA_CT_SREG, NUMBER, "sreg", NUMBERED}}},
	{"ct",
	 NFTA_CT_DREG,
	 "load %2 => reg %1",
	 {{NFTA_CT_DREG, NUMBER, "dreg", NUMBERED},
	  {NFTA_CT_KEY, NUMBER, "key", NAMED(ct_keys)},
	  {NFTA_CT_DIRECTION, NUMBER, ", dir", NAMED(directions)}}},
	{"payload",
	 NFTA_PAYLOAD_SREG,
	 "write reg %5 => %4b @ %2 header + %3",
	 {{NFTA_PAYLOAD_BASE, NUMBER, "base", NAMED(headers)},
	  {NFTA_PAYLOAD_OFFSET, NUMBER, "offset", NUMBERED},
	  {NFTA_PAYLOAD_LEN, NUMBER, "len", NUMBERED},
	  {NFTA_PAYLOAD_SREG, NUMBER, "sreg", NUMBERED},
	  {NFTA_PAYLOAD_CSUM_TYPE, NUMBER, "csum_type", NUMBERED},
	  {NFTA_PAYLOAD_CSUM_OFFSET, NUMBER, "csum_off", NUMBERED},
	  {NFTA_PAYLOAD_CSUM_FLAGS, FLAGS, "csum_flags", NUMBERED}}},
	{"payload",
	 NFTA_PAYLOAD_DREG,
	 "load %4b @ %2 header + %3 => reg %1",
	 {{NFTA_PAYLOAD_DREG, NUMBER, "dreg", NUMBERED},
	  {NFTA_PAYLOAD_BASE, NUMBER, "base", NAMED(headers)},
	  {NFTA_PAYLOAD_OFFSET, NUMBER, "offset", NUMBERED},
	  {NFTA_PAYLOAD_LEN, NUMBER, "len", NUMBERED}}},
	{"immediate",
	 NFTA_IMMEDIATE_DATA,
	 "reg %1 %2",
	 {{NFTA_IMMEDIATE_DREG, NUMBER, "dreg", NUMBERED},
	  {NFTA_IMMEDIATE_DATA, DATA, "data", NUMBERED}}},
	{"cmp",
	 NFTA_CMP_DATA,
	 "%2 reg %1 %3",
	 {{NFTA_CMP_SREG, NUMBER, "sreg", NUMBERED},
	  {NFTA_CMP_OP, NUMBER, "op", NAMED(comparisons)},
	  {NFTA_CMP_DATA, DATA, "data", NUMBERED}}},
	{"bitwise",
	 NFTA_BITWISE_MASK,
	 "reg %2 = ( reg %1 & %4 ) ^ %5",
	 {{NFTA_BITWISE_SREG, NUMBER, "sreg", NUMBERED},
	  {NFTA_BITWISE_DREG, NUMBER, "dreg", NUMBERED},
	  {NFTA_BITWISE_LEN, UNPRINTED, "len", NUMBERED}, /* the mask's */
	  {NFTA_BITWISE_MASK, DATA, "mask", NUMBERED},
	  {NFTA_BITWISE_XOR, DATA, "xor", NUMBERED},
	  {NFTA_BITWISE_OP, FLAGS, "op", NUMBERED},
	  {NFTA_BITWISE_DATA, DATA, "data", NUMBERED}}},
	{"range",
	 NFTA_RANGE_TO_DATA,
	 "%2 reg %1 %3 %4",
	 {{NFTA_RANGE_SREG, NUMBER, "sreg", NUMBERED},
	  {NFTA_RANGE_OP, NUMBER, "op", NAMED(comparisons)},
	  {NFTA_RANGE_FROM_DATA, DATA, "from", NUMBERED},
	  {NFTA_RANGE_TO_DATA, DATA, "to", NUMBERED}}},
	{"lookup",
	 NFTA_LOOKUP_SET,
	 "reg %2 set %1",
	 {{NFTA_LOOKUP_SET, NAME, "set", NUMBERED},
	  {NFTA_LOOKUP_SREG, NUMBER, "sreg", NUMBERED},
	  {NFTA_LOOKUP_DREG, NUMBER, "dreg", NUMBERED},
	  {NFTA_LOOKUP_SET_ID, UNPRINTED, "id", NUMBERED},
	  {NFTA_LOOKUP_FLAGS, FLAGS, "", NUMBERED}}},
	{"dynset",
	 NFTA_DYNSET_SET_NAME,
	 "%3 reg_key %4 set %1",
	 {{NFTA_DYNSET_SET_NAME, NAME, "set", NUMBERED},
	  {NFTA_DYNSET_SET_ID, UNPRINTED, "id", NUMBERED},
	  {NFTA_DYNSET_OP, NUMBER, "op", NAMED(set_changes)},
	  {NFTA_DYNSET_SREG_KEY, NUMBER, "sreg_key", NUMBERED},
	  {NFTA_DYNSET_SREG_DATA, NUMBER, "sreg_data", NUMBERED},
	  {NFTA_DYNSET_TIMEOUT, DURATION, "timeout", NUMBERED},
	  {NFTA_DYNSET_EXPR, INSIDE, "expr", NUMBERED},
	  {NFTA_DYNSET_PAD, UNPRINTED, "", NUMBERED},
	  {NFTA_DYNSET_FLAGS, FLAGS, "flags", NUMBERED}}},
	{"limit",
	 NFTA_LIMIT_RATE,
	 "rate %1 per %2 s burst %3 type %4",
	 {{NFTA_LIMIT_RATE, NUMBER, "rate", NUMBERED},
	  {NFTA_LIMIT_UNIT, NUMBER, "unit", NUMBERED},
	  {NFTA_LIMIT_BURST, NUMBER, "burst", NUMBERED},
	  {NFTA_LIMIT_TYPE, NUMBER, "type", NAMED(limit_types)},
	  {NFTA_LIMIT_FLAGS, FLAGS, "flags", NUMBERED},
	  {NFTA_LIMIT_PAD, UNPRINTED, "", NUMBERED}}},
	{"connlimit",
	 NFTA_CONNLIMIT_COUNT,
	 "count %1",
	 {{NFTA_CONNLIMIT_COUNT, NUMBER, "count", NUMBERED},
	  {NFTA_CONNLIMIT_FLAGS, FLAGS, "flags", NUMBERED}}},
	{"counter",
	 NFTA_COUNTER_PACKETS,
	 "pkts %2 bytes %1",
	 {{NFTA_COUNTER_BYTES, NUMBER, "bytes", NUMBERED},
	  {NFTA_COUNTER_PACKETS, NUMBER, "pkts", NUMBERED},
	  {NFTA_COUNTER_PAD, UNPRINTED, "", NUMBERED}}},
	{"flow_offload",
	 NFTA_FLOW_TABLE_NAME,
	 "flowtable %1",
	 {{NFTA_FLOW_TABLE_NAME, NAME, "flowtable", NUMBERED}}},
	{"log",
	 NFTA_LOG_GROUP,
	 "group %1",
	 {{NFTA_LOG_GROUP, NUMBER, "group", NUMBERED},
	  {NFTA_LOG_PREFIX, NAME, "prefix", NUMBERED},
	  {NFTA_LOG_SNAPLEN, NUMBER, "snaplen", NUMBERED},
	  {NFTA_LOG_QTHRESHOLD, NUMBER, "qthreshold", NUMBERED}}},
	{"log",
	 0,
	 "",
	 {{NFTA_LOG_PREFIX, NAME, "prefix", NUMBERED},
	  {NFTA_LOG_LEVEL, NUMBER, "level", NUMBERED},
	  {NFTA_LOG_FLAGS, FLAGS, "flags", NUMBERED}}},
	{"objref",
	 NFTA_OBJREF_IMM_NAME,
	 "type %1 name %2",
	 {{NFTA_OBJREF_IMM_TYPE, NUMBER, "type", NUMBERED},
	  {NFTA_OBJREF_IMM_NAME, NAME, "name", NUMBERED}}},
	{"reject",
	 NFTA_REJECT_TYPE,
	 "type %1",
	 {{NFTA_REJECT_TYPE, NUMBER, "type", NUMBERED},
	  {NFTA_REJECT_ICMP_CODE, NUMBER, "code", NUMBERED}}},
	{"queue",
	 NFTA_QUEUE_NUM,
	 "num %1",
	 {{NFTA_QUEUE_NUM, NUMBER, "num", NUMBERED},
	  {NFTA_QUEUE_TOTAL, NUMBER, "total", NUMBERED},
	  {NFTA_QUEUE_FLAGS, FLAGS, "flags", NUMBERED}}},
	{"target",
	 NFTA_TARGET_NAME,
	 "name %1 rev %2",
	 {{NFTA_TARGET_NAME, NAME, "name", NUMBERED},
	  {NFTA_TARGET_REV, NUMBER, "rev", NUMBERED},
	  {NFTA_TARGET_INFO, BYTES, "info", NUMBERED}}},
	{"match",
	 NFTA_MATCH_NAME,
	 "name %1 rev %2",
	 {{NFTA_MATCH_NAME, NAME, "name", NUMBERED},
	  {NFTA_MATCH_REV, NUMBER, "rev", NUMBERED},
	  {NFTA_MATCH_INFO, BYTES, "info", NUMBERED}}},
};

/* An expression that is in no table: all its attributes by number. */
static const struct expression unknown = {.form = ""};

void nft_text_hex(struct bytes *out, struct span value)
{
	size_t shown = value.size < NFT_TEXT_VALUE_BYTES ? value.size : NFT_TEXT_VALUE_BYTES;

	(void)bytes_append_text(out, "0x"); /* @out remembers that it is full, here and below */
	for (size_t i = 0; i < shown; i++)
		(void)bytes_printf(out, "%02x", value.data[i]);
	if (shown < value.size)
		(void)bytes_printf(out, " and %zu bytes more", value.size - shown);
}

void nft_text_name(struct bytes *out, struct span text)
{
	size_t shown = text.size < NFT_TEXT_VALUE_BYTES ? text.size : NFT_TEXT_VALUE_BYTES;

	if (shown > 0 && text.data[shown - 1] == '\0')
		shown--;
	for (size_t i = 0; i < shown; i++) {
		uint8_t c = text.data[i];

		if (c > ' ' && c < 0x7f && c != '\\')
			(void)bytes_append_u8(out, c);
		else
			(void)bytes_printf(out, "\\x%02x", c);
	}
}

static bool read_number(struct span value, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < value.size && i < sizeof(*out); i++)
		*out = *out << 8 | value.data[i];
	return value.size > 0 && value.size <= sizeof(*out);
}

/* Registers have 32 bits, in the order of the machine. */
static void print_words(struct bytes *out, struct span value)
{
	for (size_t at = 0; at < value.size && at < NFT_TEXT_VALUE_BYTES; at += 4) {
		size_t left = value.size - at;
		uint32_t word = 0;

		memcpy(&word, value.data + at, left < sizeof(word) ? left : sizeof(word));
		(void)bytes_printf(out, "%s0x%08x", at > 0 ? " " : "", word);
	}
	if (value.size > NFT_TEXT_VALUE_BYTES)
		(void)bytes_printf(out, " and %zu bytes more", value.size - NFT_TEXT_VALUE_BYTES);
}

static void print_verdict(struct bytes *out, struct span verdict)
{
	static const struct {
		int32_t code;
		const char *name;
	} names[] = {
		{NF_DROP, "drop"},      {NF_ACCEPT, "accept"}, {NFT_CONTINUE, "continue"},
		{NFT_BREAK, "break"},   {NFT_JUMP, "jump"},    {NFT_GOTO, "goto"},
		{NFT_RETURN, "return"},
	};
	static const uint8_t known[] = {NFTA_VERDICT_CODE, NFTA_VERDICT_CHAIN, 0};
	int32_t code = (int32_t)netlink_find_be32(verdict, NFTA_VERDICT_CODE);
	struct span chain = netlink_find(verdict, NFTA_VERDICT_CHAIN);
	const char *name = NULL;

	for (size_t i = 0; i < COUNT(names); i++)
		name = names[i].code == code ? names[i].name : name;
	if (name != NULL)
		(void)bytes_append_text(out, name);
	else
		(void)bytes_printf(out, "verdict %d", code);
	if (chain.size > 0) {
		(void)bytes_append_text(out, " -> ");
		nft_text_name(out, chain);
	}
	nft_text_rest(out, verdict, known);
}

static void print_data(struct bytes *out, struct span data)
{
	static const uint8_t known[] = {NFTA_DATA_VALUE, NFTA_DATA_VERDICT, 0};
	struct span verdict = netlink_find(data, NFTA_DATA_VERDICT);

	if (verdict.size > 0)
		print_verdict(out, verdict);
	else
		print_words(out, netlink_find(data, NFTA_DATA_VALUE));
	nft_text_rest(out, data, known);
}

static void print_number(struct bytes *out, const struct attribute *a, struct span value)
{
	uint64_t number;

	if (!read_number(value, &number))
		nft_text_hex(out, value);
	else if (number < a->name_count && a->names[number] != NULL)
		(void)bytes_append_text(out, a->names[number]);
	else
		(void)bytes_printf(out, a->how == FLAGS ? "0x%" PRIx64 : "%" PRIu64, number);
}

static void print_expression(struct bytes *out, struct span expression, unsigned level);

static void print_value(struct bytes *out, const struct attribute *a, struct span value,
			unsigned level)
{
	switch (a->how) {
	case NUMBER:
	case FLAGS:
		print_number(out, a, value);
		break;
	case DURATION:
		print_number(out, a, value);
		(void)bytes_append_text(out, "ms");
		break;
	case NAME:
		nft_text_name(out, value);
		break;
	case DATA:
		print_data(out, value);
		break;
	case INSIDE:
		if (level < NFT_TEXT_LEVELS)
			print_expression(out, value, level + 1);
		else
			nft_text_hex(out, value);
		break;
	case BYTES:
	case UNPRINTED:
		nft_text_hex(out, value);
		break;
	}
}

static const struct attribute *find_attribute(const struct expression *e, uint16_t number)
{
	for (size_t i = 0; i < ATTRIBUTES_MAX && e->attributes[i].number != 0; i++) {
		if (e->attributes[i].number == number)
			return &e->attributes[i];
	}
	return NULL;
}

/* The form with its values. Returns which attributes it has shown, a bit each. */
static uint32_t print_form(struct bytes *out, const struct expression *e, struct span attributes,
			   unsigned level)
{
	uint32_t shown = 0;

	for (const char *at = e->form; *at != '\0'; at++) {
		if (*at != '%') {
			(void)bytes_append_u8(out, (uint8_t)*at);
			continue;
		}
		uint16_t number = (uint16_t)(*++at - '0');
		struct span value = netlink_find(attributes, number);

		shown |= 1U << number;
		if (value.data == NULL)
			(void)bytes_append_u8(out, '?'); /* the kernel does not say */
		else
			print_value(out, find_attribute(e, number), value, level);
	}
	return shown;
}

/* It says no more than that there is nothing to say. */
static bool is_silent(const struct attribute *a, struct span value)
{
	uint64_t number;

	if (a->how == UNPRINTED)
		return true;
	return (a->how == FLAGS || a->how == DURATION) && read_number(value, &number) &&
	       number == 0;
}

/* What the form has no place for. Of several attributes with one number the form shows the first.
 */
static void print_others(struct bytes *out, const struct expression *e, struct span attributes,
			 uint32_t shown, unsigned level)
{
	struct netlink_attribute got;

	while (netlink_next_attribute(&attributes, &got)) {
		const struct attribute *a = find_attribute(e, got.type);

		if (got.type < 32 && (shown & 1U << got.type) != 0) {
			shown &= ~(1U << got.type);
			continue;
		}
		if (a != NULL && is_silent(a, got.value))
			continue;
		if (a != NULL) {
			(void)bytes_printf(out, " %s%s", a->title, a->title[0] != '\0' ? " " : "");
			print_value(out, a, got.value, level);
		} else {
			(void)bytes_printf(out, " attribute %u ", got.type);
			nft_text_hex(out, got.value);
		}
	}
	if (attributes.size > 0) {
		(void)bytes_append_text(out, " malformed ");
		nft_text_hex(out, attributes);
	}
}

static const struct expression *find_expression(struct span name, struct span attributes)
{
	if (name.size > 0 && name.data[name.size - 1] == '\0')
		name.size--;
	for (size_t i = 0; i < COUNT(expressions); i++) {
		if (span_equal(name, span_of(expressions[i].name)) &&
		    (expressions[i].needs == 0 ||
		     netlink_find(attributes, expressions[i].needs).data != NULL))
			return &expressions[i];
	}
	return &unknown;
}

static void print_expression(struct bytes *out, struct span expression, unsigned level)
{
	static const uint8_t known[] = {NFTA_EXPR_NAME, NFTA_EXPR_DATA, 0};
	struct span name = netlink_find(expression, NFTA_EXPR_NAME);
	struct span attributes = netlink_find(expression, NFTA_EXPR_DATA);
	const struct expression *e = find_expression(name, attributes);

	(void)bytes_append_text(out, "[ ");
	nft_text_name(out, name);
	if (e->form[0] != '\0')
		(void)bytes_append_u8(out, ' ');
	print_others(out, e, attributes, print_form(out, e, attributes, level), level);
	nft_text_rest(out, expression, known);
	(void)bytes_append_text(out, " ]");
}

void nft_text_expressions(struct bytes *out, struct span list, const char *indent)
{
	struct netlink_attribute a;

	while (netlink_next_attribute(&list, &a)) {
		(void)bytes_append_text(out, indent);
		print_expression(out, a.value, 0);
		(void)bytes_append_u8(out, '\n');
	}
	if (list.size > 0) {
		(void)bytes_printf(out, "%smalformed ", indent);
		nft_text_hex(out, list);
		(void)bytes_append_u8(out, '\n');
	}
}

void nft_text_rest(struct bytes *out, struct span attributes, const uint8_t *known)
{
	struct netlink_attribute a;

	while (netlink_next_attribute(&attributes, &a)) {
		bool is_known = a.type <= UINT8_MAX && a.type != 0 &&
				strchr((const char *)known, (int)a.type) != NULL;

		if (is_known)
			continue;
		(void)bytes_printf(out, ", attribute %u ", a.type);
		nft_text_hex(out, a.value);
	}
	if (attributes.size > 0) {
		(void)bytes_append_text(out, ", malformed ");
		nft_text_hex(out, attributes);
	}
}
