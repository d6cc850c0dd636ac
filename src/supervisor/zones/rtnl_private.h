/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rtnl.c shares with other users of netlink: building a request and waiting for its answer. */
#ifndef SEKISHO_SUPERVISOR_ZONES_RTNL_PRIVATE_H
#define SEKISHO_SUPERVISOR_ZONES_RTNL_PRIVATE_H

#include <libmnl/libmnl.h>

#include "supervisor/zones/rtnl.h"

#define RTNL_REQUEST_BYTES 1024 /* more than the largest request here */

/* As rtnl_open, for another of the kernel's netlink protocols. */
int rtnl_open_protocol(struct rtnl *r, int protocol);
struct nlmsghdr *rtnl_request(struct rtnl *r, void *buffer, uint16_t type, uint16_t flags);
/**
 * rtnl_talk - send a request and read its answer
 * @nlh: of rtnl_request, with NLM_F_ACK or NLM_F_DUMP, so that the answer has an end
 * @each: called for every message of the answer once all of it is there; may be NULL
 * Return: 0 or -ERR_SYSTEM with errno set: EINTR where a list changed whenever it was read. However
 *         it ends, the next request finds nothing of this one.
 */
int rtnl_talk(struct rtnl *r, struct nlmsghdr *nlh, mnl_cb_t each, void *ctx);
/* Send a request that is answered by an acknowledgement only. */
int rtnl_command(struct rtnl *r, struct nlmsghdr *nlh);

#endif
