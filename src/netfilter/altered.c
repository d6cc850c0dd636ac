/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of a zone's rules by others, as the kernel tells of them. */
#include "netfilter/altered.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "netfilter/nft/netlink.h"

#define NEW_GENERATION ((uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN))
#define DATAGRAM_BYTES 512 /* the kernel writes some 60 */
#define NEWS_A_ROUND   64

/*
 * Each transaction ends with one message that has the port of the socket which it was sent by. That
 * message alone is let in, and of others alone. A filter reads in network order what netlink has in
 * the host's.
 */
static int let_in_others(int fd, uint32_t own_port)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(NEW_GENERATION), 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(own_port), 1, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog filter = {sizeof(steps) / sizeof(steps[0]), steps};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
}

int altered_subscribe(int fd, int rules_fd)
{
	const int group = NFNLGRP_NFTABLES;
	struct sockaddr_nl own = {0};
	socklen_t size = sizeof(own);

	if (getsockname(rules_fd, (struct sockaddr *)&own, &size) != 0 ||
	    let_in_others(fd, own.nl_pid) != 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) != 0)
		return -ERR_SYSTEM;
	return 0;
}

static void take_name(struct altered_by *by, struct span attributes)
{
	struct span name = netlink_find(attributes, NFTA_GEN_PROC_NAME);
	size_t size = name.size < sizeof(by->program) ? name.size : sizeof(by->program) - 1;

	memset(by->program, 0, sizeof(by->program));
	if (size > 0)
		memcpy(by->program, name.data, size);
	by->pid = netlink_find_be32(attributes, NFTA_GEN_PROC_PID);
}

bool altered_read(int fd, struct altered_by *by)
{
	__attribute__((uninitialized)) uint8_t datagram[DATAGRAM_BYTES];
	bool altered = false;

	*by = (struct altered_by){0};
	for (int i = 0; i < NEWS_A_ROUND; i++) {
		ssize_t got = recv(fd, datagram, sizeof(datagram), MSG_DONTWAIT);
		struct netlink_message m;

		if (got < 0 && errno == ENOBUFS) {
			altered = true;
			continue;
		}
		if (got <= 0)
			break;
		struct span rest = {datagram, (size_t)got};

		altered = true; /* nothing else is let in */
		if (netlink_next(&rest, &m) && m.type == NEW_GENERATION)
			take_name(by, m.attributes);
	}
	return altered;
}
