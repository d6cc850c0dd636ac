/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rtnl.c shares with other users of netlink: building a request and waiting for its answer. */
#ifndef SEKISHO_SUPERVISOR_RTNL_PRIVATE_H
#define SEKISHO_SUPERVISOR_RTNL_PRIVATE_H

#include <libmnl/libmnl.h>

#include "supervisor/rtnl.h"

#define RTNL_REQUEST_BYTES 1024 /* more than the largest request here */

/* As rtnl_open, for another of the kernel's netlink protocols. */
int rtnl_open_protocol(struct rtnl *r, int protocol);
struct nlmsghdr *rtnl_request(struct rtnl *r, void *buffer, uint16_t type, uint16_t flags);
/* Send and read answers until the last; each message goes to @each (may be NULL). */
int rtnl_talk(struct rtnl *r, struct nlmsghdr *nlh, mnl_cb_t each, void *ctx);
/* Send a request that is answered by an acknowledgement only. */
int rtnl_command(struct rtnl *r, struct nlmsghdr *nlh);

#endif
