/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routing netlink: addresses, routes and neighbours. */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "supervisor/zones/rtnl_private.h"

static uint8_t socket_family(const struct snapshot_prefix *prefix)
{
	return prefix->family == 6 ? AF_INET6 : AF_INET;
}

static size_t address_bytes(const struct snapshot_prefix *prefix)
{
	return prefix->family == 6 ? 16 : 4;
}

int rtnl_address_set(struct rtnl *r, bool add, uint32_t index,
		     const struct snapshot_prefix *address)
{
	char buffer[RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = rtnl_request(r, buffer, add ? RTM_NEWADDR : RTM_DELADDR,
					    add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));

	info->ifa_family = socket_family(address);
	info->ifa_prefixlen = address->bits;
	info->ifa_index = index;
	info->ifa_scope = RT_SCOPE_UNIVERSE;
	if (address->family == 6 && add)
		info->ifa_flags = IFA_F_NODAD; /* usable at once: listeners bind to it next */
	mnl_attr_put(nlh, IFA_LOCAL, address_bytes(address), address->addr);
	mnl_attr_put(nlh, IFA_ADDRESS, address_bytes(address), address->addr);
	return rtnl_command(r, nlh);
}

int rtnl_route_set(struct rtnl *r, bool add, const struct rtnl_route *route)
{
	char buffer[RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = rtnl_request(r, buffer, add ? RTM_NEWROUTE : RTM_DELROUTE,
					    add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct rtmsg *info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));

	info->rtm_family = socket_family(&route->destination);
	info->rtm_dst_len = route->destination.bits;
	info->rtm_table = RT_TABLE_MAIN;
	info->rtm_protocol = RTPROT_STATIC;
	info->rtm_type = RTN_UNICAST;
	info->rtm_scope = route->via.family == 0 && route->destination.family == 4
				  ? RT_SCOPE_LINK
				  : RT_SCOPE_UNIVERSE;
	if (route->onlink)
		info->rtm_flags = RTNH_F_ONLINK;
	if (route->destination.bits)
		mnl_attr_put(nlh, RTA_DST, address_bytes(&route->destination),
			     route->destination.addr);
	if (route->via.family != 0)
		mnl_attr_put(nlh, RTA_GATEWAY, address_bytes(&route->via), route->via.addr);
	mnl_attr_put_u32(nlh, RTA_OIF, route->index);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, route->metric);
	return rtnl_command(r, nlh);
}

int rtnl_neighbour_add(struct rtnl *r, uint32_t index, const struct snapshot_prefix *address,
		       const uint8_t mac[6])
{
	char buffer[RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = rtnl_request(r, buffer, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
	struct ndmsg *info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));

	info->ndm_family = socket_family(address);
	info->ndm_ifindex = (int)index;
	info->ndm_state = NUD_PERMANENT;
	mnl_attr_put(nlh, NDA_DST, address_bytes(address), address->addr);
	mnl_attr_put(nlh, NDA_LLADDR, 6, mac);
	return rtnl_command(r, nlh);
}

/* Of rtnl_neighbour_each. */
struct walk {
	uint32_t index;
	const uint8_t *mac;
	void (*each)(void *ctx, const struct snapshot_prefix *address);
	void *ctx;
};

/* What one entry says, as far as it is of use. */
struct entry {
	struct snapshot_prefix address;
	uint8_t mac[6];
};

static int read_neighbour_attr(const struct nlattr *attr, void *data)
{
	struct entry *entry = data;
	size_t size = mnl_attr_get_payload_len(attr);

	if (mnl_attr_get_type(attr) == NDA_DST && size == address_bytes(&entry->address))
		memcpy(entry->address.addr, mnl_attr_get_payload(attr), size);
	else if (mnl_attr_get_type(attr) == NDA_LLADDR && size == sizeof(entry->mac))
		memcpy(entry->mac, mnl_attr_get_payload(attr), size);
	return MNL_CB_OK;
}

static int walk_neighbour(const struct nlmsghdr *nlh, void *data)
{
	const struct walk *walk = data;
	const struct ndmsg *info = mnl_nlmsg_get_payload(nlh);
	struct entry entry = {0};

	if (nlh->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(nlh) < sizeof(*info) ||
	    (uint32_t)info->ndm_ifindex != walk->index ||
	    (info->ndm_family != AF_INET && info->ndm_family != AF_INET6))
		return MNL_CB_OK;
	entry.address.family = info->ndm_family == AF_INET6 ? 6 : 4;
	entry.address.bits = info->ndm_family == AF_INET6 ? 128 : 32;
	if (mnl_attr_parse(nlh, sizeof(*info), read_neighbour_attr, &entry) >= 0 &&
	    memcmp(entry.mac, walk->mac, sizeof(entry.mac)) == 0)
		walk->each(walk->ctx, &entry.address);
	return MNL_CB_OK;
}

int rtnl_neighbour_each(struct rtnl *r, uint32_t index, const uint8_t mac[6],
			void (*each)(void *ctx, const struct snapshot_prefix *address), void *ctx)
{
	char buffer[RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = rtnl_request(r, buffer, RTM_GETNEIGH, NLM_F_DUMP);
	struct walk walk = {index, mac, each, ctx};

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ndmsg));
	return rtnl_talk(r, nlh, walk_neighbour, &walk);
}

int rtnl_proxy_set(struct rtnl *r, bool add, uint32_t index, const struct snapshot_prefix *address)
{
	char buffer[RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = rtnl_request(r, buffer, add ? RTM_NEWNEIGH : RTM_DELNEIGH,
					    add ? NLM_F_CREATE | NLM_F_REPLACE : 0);
	struct ndmsg *info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));

	info->ndm_family = socket_family(address);
	info->ndm_ifindex = (int)index;
	info->ndm_state = NUD_PERMANENT; /* stays when the cable is pulled */
	info->ndm_flags = NTF_PROXY;
	mnl_attr_put(nlh, NDA_DST, address_bytes(address), address->addr);
	return rtnl_command(r, nlh);
}
