/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routing netlink: lists of addresses, routes, rules and neighbours as text. */
#include "supervisor/zones/rtnl_dump.h"

#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "supervisor/zones/rtnl_private.h"

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define ATTRIBUTES_MAX 64 /* more than any of these kinds of messages has */
#define ADDRESS_BYTES  INET6_ADDRSTRLEN

/* A list that is read: how each message of it becomes an entry. */
struct list {
	uint16_t type;
	size_t header_bytes;
	/* Return: false: it is left out. */
	bool (*read)(struct rtnl_entry *entry, const void *header,
		     const struct nlattr *const attributes[ATTRIBUTES_MAX]);
	rtnl_entry_fn *each;
	void *ctx;
};

static void say(struct rtnl_entry *entry, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What does not fit is cut. */
static void say(struct rtnl_entry *entry, const char *format, ...)
{
	size_t used = strlen(entry->text);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(entry->text + used, sizeof(entry->text) - used, format, args);
	va_end(args);
}

static void say_address(struct rtnl_entry *entry, const char *before, int family,
			const struct nlattr *attribute)
{
	size_t needed = family == AF_INET6 ? 16 : 4;
	char text[ADDRESS_BYTES] = "?";

	if (attribute == NULL)
		return;
	if (mnl_attr_get_payload_len(attribute) == needed)
		(void)inet_ntop(family, mnl_attr_get_payload(attribute), text, sizeof(text));
	say(entry, "%s%s", before, text);
}

static uint32_t number_of(const struct nlattr *attribute)
{
	if (attribute == NULL || mnl_attr_get_payload_len(attribute) != sizeof(uint32_t))
		return 0;
	return mnl_attr_get_u32(attribute);
}

static bool read_address(struct rtnl_entry *entry, const void *header,
			 const struct nlattr *const attributes[ATTRIBUTES_MAX])
{
	const struct ifaddrmsg *info = header;
	const struct nlattr *local = attributes[IFA_LOCAL];

	entry->index = info->ifa_index;
	say_address(entry, "", info->ifa_family, local != NULL ? local : attributes[IFA_ADDRESS]);
	say(entry, "/%u scope %u", info->ifa_prefixlen, info->ifa_scope);
	return true;
}

static bool read_route(struct rtnl_entry *entry, const void *header,
		       const struct nlattr *const attributes[ATTRIBUTES_MAX])
{
	static const char *const types[] = {"unspecified", "unicast",   "local",     "broadcast",
					    "anycast",     "multicast", "blackhole", "unreachable",
					    "prohibit",    "throw",     "nat"};
	const struct rtmsg *info = header;
	uint32_t table = number_of(attributes[RTA_TABLE]);

	if ((info->rtm_flags & RTM_F_CLONED) != 0)
		return false; /* a cached answer, no route */
	entry->index = number_of(attributes[RTA_OIF]);
	if (info->rtm_type < COUNT(types))
		say(entry, "%s", types[info->rtm_type]);
	else
		say(entry, "type %u", info->rtm_type);
	if (attributes[RTA_DST] == NULL)
		say(entry, info->rtm_family == AF_INET6 ? " ::" : " 0.0.0.0");
	say_address(entry, " ", info->rtm_family, attributes[RTA_DST]);
	say(entry, "/%u", info->rtm_dst_len);
	say_address(entry, " from ", info->rtm_family, attributes[RTA_SRC]);
	say_address(entry, " via ", info->rtm_family, attributes[RTA_GATEWAY]);
	if (attributes[RTA_VIA] != NULL)
		say(entry, " via another family");
	if (attributes[RTA_MULTIPATH] != NULL)
		say(entry, " by several devices");
	if (attributes[RTA_ENCAP] != NULL)
		say(entry, " encapsulated");
	say(entry, " table %u protocol %u metric %u", table != 0 ? table : info->rtm_table,
	    info->rtm_protocol, number_of(attributes[RTA_PRIORITY]));
	return true;
}

/* The conditions of a rule that have no words of their own here. */
static bool has_further(const struct nlattr *const attributes[ATTRIBUTES_MAX])
{
	static const uint8_t further[] = {
		FRA_FLOW,      FRA_TUN_ID,   FRA_SUPPRESS_IFGROUP, FRA_L3MDEV,
		FRA_UID_RANGE, FRA_IP_PROTO, FRA_SPORT_RANGE,      FRA_DPORT_RANGE,
	};
	const struct nlattr *suppress = attributes[FRA_SUPPRESS_PREFIXLEN];

	for (size_t i = 0; i < COUNT(further); i++) {
		if (attributes[further[i]] != NULL)
			return true;
	}
	for (size_t i = FRA_DPORT_RANGE + 1; i < ATTRIBUTES_MAX; i++) {
		if (attributes[i] != NULL)
			return true; /* of a newer kernel */
	}
	return suppress != NULL && number_of(suppress) != UINT32_MAX; /* it is always there */
}

static void say_name(struct rtnl_entry *entry, const char *before, const struct nlattr *attribute)
{
	if (attribute != NULL && mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0)
		say(entry, "%s%s", before, mnl_attr_get_str(attribute));
}

static void say_prefix(struct rtnl_entry *entry, const char *before, int family, unsigned bits,
		       const struct nlattr *attribute)
{
	if (attribute == NULL)
		say(entry, "%sall", before);
	else
		say_address(entry, before, family, attribute);
	if (attribute != NULL)
		say(entry, "/%u", bits);
}

static void say_action(struct rtnl_entry *entry, const struct fib_rule_hdr *info,
		       const struct nlattr *const attributes[ATTRIBUTES_MAX])
{
	static const char *const actions[] = {
		[FR_ACT_NOP] = "nop",
		[FR_ACT_BLACKHOLE] = "blackhole",
		[FR_ACT_UNREACHABLE] = "unreachable",
		[FR_ACT_PROHIBIT] = "prohibit",
	};
	uint32_t table = number_of(attributes[FRA_TABLE]);

	if (info->action == FR_ACT_TO_TBL)
		say(entry, " table %u", table != 0 ? table : info->table);
	else if (info->action == FR_ACT_GOTO)
		say(entry, " goto %u", number_of(attributes[FRA_GOTO]));
	else if (info->action < COUNT(actions) && actions[info->action] != NULL)
		say(entry, " %s", actions[info->action]);
	else
		say(entry, " action %u", info->action);
}

static bool read_rule(struct rtnl_entry *entry, const void *header,
		      const struct nlattr *const attributes[ATTRIBUTES_MAX])
{
	const struct fib_rule_hdr *info = header;
	int family = info->family;

	if (family != AF_INET && family != AF_INET6)
		return false; /* multicast routing has rules of its own */
	say(entry, "%s priority %u", family == AF_INET6 ? "ipv6" : "ipv4",
	    number_of(attributes[FRA_PRIORITY]));
	if ((info->flags & FIB_RULE_INVERT) != 0)
		say(entry, " not");
	say_prefix(entry, " from ", family, info->src_len, attributes[FRA_SRC]);
	say_prefix(entry, " to ", family, info->dst_len, attributes[FRA_DST]);
	say_name(entry, " in ", attributes[FRA_IIFNAME]);
	say_name(entry, " out ", attributes[FRA_OIFNAME]);
	if (attributes[FRA_FWMARK] != NULL)
		say(entry, " mark 0x%x/0x%x", number_of(attributes[FRA_FWMARK]),
		    number_of(attributes[FRA_FWMASK]));
	if (info->tos != 0)
		say(entry, " tos 0x%02x", info->tos);
	if (has_further(attributes))
		say(entry, " under further conditions");
	say_action(entry, info, attributes);
	return true;
}

static bool read_neighbour(struct rtnl_entry *entry, const void *header,
			   const struct nlattr *const attributes[ATTRIBUTES_MAX])
{
	static const struct {
		uint16_t state;
		const char *name;
	} states[] = {
		{NUD_INCOMPLETE, "incomplete"}, {NUD_REACHABLE, "reachable"},
		{NUD_STALE, "stale"},           {NUD_DELAY, "delay"},
		{NUD_PROBE, "probe"},           {NUD_FAILED, "failed"},
		{NUD_PERMANENT, "permanent"},
	};
	const struct ndmsg *info = header;
	const struct nlattr *mac = attributes[NDA_LLADDR];

	if ((info->ndm_state & NUD_NOARP) != 0 ||
	    (info->ndm_family != AF_INET && info->ndm_family != AF_INET6))
		return false;
	entry->index = (uint32_t)info->ndm_ifindex;
	say_address(entry, "", info->ndm_family, attributes[NDA_DST]);
	if (mac != NULL && mnl_attr_get_payload_len(mac) == 6) {
		const uint8_t *m = mnl_attr_get_payload(mac);

		say(entry, " %02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
	}
	if ((info->ndm_flags & NTF_PROXY) != 0)
		say(entry, " answered for");
	for (size_t i = 0; i < COUNT(states); i++) {
		if ((info->ndm_state & states[i].state) != 0)
			say(entry, " %s", states[i].name);
	}
	return true;
}

static int take_message(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attributes[ATTRIBUTES_MAX] = {NULL}, *attribute;
	const struct list *list = data;
	struct rtnl_entry entry = {0};

	if (nlh->nlmsg_type != list->type || mnl_nlmsg_get_payload_len(nlh) < list->header_bytes)
		return MNL_CB_OK;
	mnl_attr_for_each(attribute, nlh, list->header_bytes)
	{
		if (mnl_attr_get_type(attribute) < ATTRIBUTES_MAX)
			attributes[mnl_attr_get_type(attribute)] = attribute;
	}
	if (list->read(&entry, mnl_nlmsg_get_payload(nlh), attributes))
		list->each(&entry, list->ctx);
	return MNL_CB_OK;
}

/* @header: of the request; every kind begins with the family, and 0 is any. */
static int dump_by(struct rtnl *r, uint16_t request, const void *header, struct list *list)
{
	char buffer[RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = rtnl_request(r, buffer, request, NLM_F_DUMP);

	memcpy(mnl_nlmsg_put_extra_header(nlh, list->header_bytes), header, list->header_bytes);
	return rtnl_talk(r, nlh, take_message, list);
}

static int dump(struct rtnl *r, uint16_t request, struct list *list)
{
	static const uint8_t all[32];

	return dump_by(r, request, all, list);
}

int rtnl_dump_addresses(struct rtnl *r, rtnl_entry_fn *each, void *ctx)
{
	struct list list = {RTM_NEWADDR, sizeof(struct ifaddrmsg), read_address, each, ctx};

	return dump(r, RTM_GETADDR, &list);
}

int rtnl_dump_routes(struct rtnl *r, rtnl_entry_fn *each, void *ctx)
{
	struct list list = {RTM_NEWROUTE, sizeof(struct rtmsg), read_route, each, ctx};

	return dump(r, RTM_GETROUTE, &list);
}

int rtnl_dump_neighbours(struct rtnl *r, rtnl_entry_fn *each, void *ctx)
{
	struct list list = {RTM_NEWNEIGH, sizeof(struct ndmsg), read_neighbour, each, ctx};

	return dump(r, RTM_GETNEIGH, &list);
}

int rtnl_dump_proxies(struct rtnl *r, rtnl_entry_fn *each, void *ctx)
{
	static const struct ndmsg proxies = {.ndm_flags = NTF_PROXY};
	struct list list = {RTM_NEWNEIGH, sizeof(struct ndmsg), read_neighbour, each, ctx};

	return dump_by(r, RTM_GETNEIGH, &proxies, &list);
}

int rtnl_dump_rules(struct rtnl *r, rtnl_entry_fn *each, void *ctx)
{
	struct list list = {RTM_NEWRULE, sizeof(struct fib_rule_hdr), read_rule, each, ctx};

	return dump(r, RTM_GETRULE, &list);
}
