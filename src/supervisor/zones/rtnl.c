/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routing netlink over libmnl: devices. Addresses, routes and neighbours are in rtnl_route.c, the
 * transport in rtnl_talk.c.
 */
#include "supervisor/zones/rtnl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "supervisor/zones/rtnl_private.h"

#define BOND_LOOK_MS 100 /* between two looks at the members' links */

/* Of linux/if_bonding.h, which contradicts net/if.h. */
enum { BOND_MODE_ACTIVEBACKUP = 1, BOND_MODE_8023AD = 4 };

static struct ifinfomsg *put_link(struct nlmsghdr *nlh, uint32_t index)
{
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));

	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int)index;
	return info;
}

static int read_vlan(const struct nlattr *attr, void *data)
{
	struct rtnl_link *link = data;

	if (mnl_attr_get_type(attr) == IFLA_VLAN_ID && mnl_attr_validate(attr, MNL_TYPE_U16) >= 0)
		link->vlan = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

/* The kernel says of what kind a link is before what only that kind has. */
static int read_kind(const struct nlattr *attr, void *data)
{
	struct rtnl_link *link = data;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		(void)snprintf(link->kind, sizeof(link->kind), "%s", mnl_attr_get_str(attr));
	if (mnl_attr_get_type(attr) == IFLA_INFO_DATA && strcmp(link->kind, "vlan") == 0)
		return mnl_attr_parse_nested(attr, read_vlan, link);
	return MNL_CB_OK;
}

static void read_stats(struct rtnl_link *link, const struct nlattr *attr)
{
	struct rtnl_link_stats64 stats;

	if (mnl_attr_get_payload_len(attr) < offsetof(struct rtnl_link_stats64, multicast))
		return;
	memcpy(&stats, mnl_attr_get_payload(attr), offsetof(struct rtnl_link_stats64, multicast));
	link->rx_packets = stats.rx_packets;
	link->tx_packets = stats.tx_packets;
	link->rx_bytes = stats.rx_bytes;
	link->tx_bytes = stats.tx_bytes;
	link->rx_dropped = stats.rx_dropped;
}

static int read_link_attr(const struct nlattr *attr, void *data)
{
	struct rtnl_link *link = data;
	bool number = mnl_attr_validate(attr, MNL_TYPE_U32) >= 0;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			(void)snprintf(link->name, sizeof(link->name), "%s",
				       mnl_attr_get_str(attr));
		break;
	case IFLA_MTU:
		link->mtu = number ? mnl_attr_get_u32(attr) : 0;
		break;
	case IFLA_LINK:
		link->peer_index = number ? mnl_attr_get_u32(attr) : 0;
		break;
	case IFLA_MASTER:
		link->master_index = number ? mnl_attr_get_u32(attr) : 0;
		break;
	case IFLA_LINK_NETNSID:
		link->peer_netns = number ? (int32_t)mnl_attr_get_u32(attr) : -1;
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(link->mac))
			memcpy(link->mac, mnl_attr_get_payload(attr), sizeof(link->mac));
		break;
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(attr, read_kind, link);
	case IFLA_STATS64:
		read_stats(link, attr);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int read_link(const struct nlmsghdr *nlh, struct rtnl_link *link)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(nlh);

	*link = (struct rtnl_link){.peer_netns = -1};
	if (nlh->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(nlh) < sizeof(*info))
		return -ERR_SYNTAX;
	link->index = (uint32_t)info->ifi_index;
	link->flags = info->ifi_flags;
	return mnl_attr_parse(nlh, sizeof(*info), read_link_attr, link) < 0 ? -ERR_SYNTAX : 0;
}

static int keep_link(const struct nlmsghdr *nlh, void *data)
{
	return read_link(nlh, data) < 0 ? MNL_CB_ERROR : MNL_CB_OK;
}

int rtnl_link_find(struct rtnl *r, const char *name, struct rtnl_link *out)
{
	char buffer[RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = rtnl_request(r, buffer, RTM_GETLINK, NLM_F_ACK);
	int err;

	*out = (struct rtnl_link){0};
	put_link(nlh, 0);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	err = rtnl_talk(r, nlh, keep_link, out);
	if (err < 0 && errno == ENODEV)
		return -ERR_NOT_FOUND;
	return err;
}

struct walk {
	int (*each)(const struct rtnl_link *link, void *ctx);
	void *ctx;
	int err;
};

static int walk_link(const struct nlmsghdr *nlh, void *data)
{
	struct walk *walk = data;
	struct rtnl_link link;

	if (walk->err == 0 && read_link(nlh, &link) == 0)
		walk->err = walk->each(&link, walk->ctx);
	return MNL_CB_OK;
}

int rtnl_link_each(struct rtnl *r, int (*each)(const struct rtnl_link *, void *), void *ctx)
{
	char buffer[RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = rtnl_request(r, buffer, RTM_GETLINK, NLM_F_DUMP);
	struct walk walk = {.each = each, .ctx = ctx};
	int err;

	put_link(nlh, 0);
	err = rtnl_talk(r, nlh, walk_link, &walk);
	return err < 0 ? err : walk.err;
}

int rtnl_link_move(struct rtnl *r, uint32_t index, int netns_fd)
{
	char buffer[RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = rtnl_request(r, buffer, RTM_SETLINK, 0);

	put_link(nlh, index);
	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	return rtnl_command(r, nlh);
}

int rtnl_link_set_up(struct rtnl *r, uint32_t index, bool up)
{
	char buffer[RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = rtnl_request(r, buffer, RTM_SETLINK, 0);
	struct ifinfomsg *info = put_link(nlh, index);

	info->ifi_flags = up ? IFF_UP : 0;
	info->ifi_change = IFF_UP;
	return rtnl_command(r, nlh);
}

int rtnl_link_delete(struct rtnl *r, uint32_t index)
{
	char buffer[RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = rtnl_request(r, buffer, RTM_DELLINK, 0);

	put_link(nlh, index);
	return rtnl_command(r, nlh);
}

static void put_quiet(struct ifinfomsg *info)
{
	info->ifi_flags = IFF_NOARP;
	info->ifi_change = IFF_NOARP;
}

int rtnl_bridge_add(struct rtnl *r, const char *name)
{
	char buffer[RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = rtnl_request(r, buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *nest;

	put_quiet(put_link(nlh, 0));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	nest = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "bridge");
	mnl_attr_nest_end(nlh, nest);
	return rtnl_command(r, nlh);
}

int rtnl_veth_add(struct rtnl *r, const char *name, const uint8_t mac[6], const char *peer_name,
		  const uint8_t peer_mac[6], int peer_netns_fd)
{
	char buffer[RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = rtnl_request(r, buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *info, *data, *peer;

	put_quiet(put_link(nlh, 0));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put(nlh, IFLA_ADDRESS, 6, mac);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	put_quiet(mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg)));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, peer_name);
	mnl_attr_put(nlh, IFLA_ADDRESS, 6, peer_mac);
	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)peer_netns_fd);
	mnl_attr_nest_end(nlh, peer);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return rtnl_command(r, nlh);
}

int rtnl_vlan_add(struct rtnl *r, const char *name, uint32_t parent_index, uint32_t vlan)
{
	char buffer[RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = rtnl_request(r, buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *info, *data;

	put_link(nlh, 0);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_LINK, parent_index);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "vlan");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u16(nlh, IFLA_VLAN_ID, (uint16_t)vlan);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return rtnl_command(r, nlh);
}

int rtnl_bond_add(struct rtnl *r, const char *name, uint32_t mode)
{
	static const uint8_t modes[] = {
		[BOND_ACTIVE_BACKUP] = BOND_MODE_ACTIVEBACKUP,
		[BOND_802_3AD] = BOND_MODE_8023AD,
	};
	char buffer[RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = rtnl_request(r, buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *info, *data;

	put_link(nlh, 0);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "bond");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u8(nlh, IFLA_BOND_MODE, modes[mode]);
	mnl_attr_put_u32(nlh, IFLA_BOND_MIIMON, BOND_LOOK_MS);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return rtnl_command(r, nlh);
}

int rtnl_link_set_master(struct rtnl *r, uint32_t index, uint32_t master_index)
{
	char buffer[RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = rtnl_request(r, buffer, RTM_SETLINK, 0);

	put_link(nlh, index);
	mnl_attr_put_u32(nlh, IFLA_MASTER, master_index);
	return rtnl_command(r, nlh);
}

static int keep_netns_id(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;
	int32_t *id = data;

	mnl_attr_for_each(attr, nlh, sizeof(struct rtgenmsg))
	{
		if (mnl_attr_get_type(attr) == NETNSA_NSID &&
		    mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			*id = (int32_t)mnl_attr_get_u32(attr);
	}
	return MNL_CB_OK;
}

int rtnl_netns_id(struct rtnl *r, int netns_fd, int32_t *id)
{
	char buffer[RTNL_REQUEST_BYTES];
	struct nlmsghdr *nlh = rtnl_request(r, buffer, RTM_GETNSID, NLM_F_ACK);
	struct rtgenmsg *rtgen = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtgen));

	rtgen->rtgen_family = AF_UNSPEC;
	mnl_attr_put_u32(nlh, NETNSA_FD, (uint32_t)netns_fd);
	*id = -1;
	return rtnl_talk(r, nlh, keep_netns_id, id);
}
