/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes of further shares, and all that hold a policy. */
#include "supervisor/packet_shares.h"

#include "supervisor/supervisor.h"

static const enum role share_roles[] = {ROLE_ARBITER, ROLE_NETFILTER};
#define SHARE_ROLES (sizeof(share_roles) / sizeof(share_roles[0]))

uint32_t packet_shares_of(const struct policy_run *run)
{
	return run->fd >= 0 ? snapshot_queues(&run->snapshot) : 1;
}

static void begin_one(struct supervisor *sup, enum role role, uint32_t share)
{
	struct child *child = child_find(sup, role, share);

	if (child) {
		child->unwanted = false; /* one that is just ending comes back */
		return;
	}
	child = child_add(sup, role, share, NULL, -1, false);
	if (child && child_launch(child) < 0)
		child_retry(child);
}

void packet_shares_begin(struct supervisor *sup, uint32_t count)
{
	for (uint32_t share = 1; share < count; share++) {
		for (size_t i = 0; i < SHARE_ROLES; i++)
			begin_one(sup, share_roles[i], share);
	}
}

void packet_shares_end(struct supervisor *sup, uint32_t count)
{
	for (uint32_t share = count; share < SNAPSHOT_QUEUES_MAX; share++) {
		for (size_t i = 0; i < SHARE_ROLES; i++) {
			struct child *child = child_find(sup, share_roles[i], share);

			if (child)
				child_dismiss(child);
		}
	}
}

void packet_shares_each_holder(struct supervisor *sup, uint32_t count,
			       void (*each)(void *ctx, struct child *child, uint32_t bit),
			       void *ctx)
{
	each(ctx, child_find(sup, ROLE_AUDIT, 0), 1);
	/* The arbiters first: netfilter asks them by the new policy. */
	for (size_t i = 0; i < SHARE_ROLES; i++) {
		for (uint32_t share = 0; share < count; share++)
			each(ctx, child_find(sup, share_roles[i], share),
			     2U << (i * SNAPSHOT_QUEUES_MAX + share));
	}
}

uint32_t packet_shares_bit(const struct child *child)
{
	if (child->session)
		return 0;
	if (child->role == ROLE_AUDIT)
		return 1;
	for (size_t i = 0; i < SHARE_ROLES; i++) {
		if (child->role == share_roles[i])
			return 2U << (i * SNAPSHOT_QUEUES_MAX + child->index);
	}
	return 0;
}
