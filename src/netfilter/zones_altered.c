/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A zone whose rules somebody else has changed: shut at once, in one transaction that also removes
 * what is not ours, and given its rules again with the next beat. Whoever changes them without end
 * shuts the zone, and costs one ruleset a beat. What has an owner cannot be removed: the zone is
 * shut beside it and stays so until the owner has ended, of which the kernel does not tell.
 */
#include "base/err.h"
#include "netfilter/altered.h"
#include "netfilter/netfilter.h"

static void altered_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	struct zone *zone = self->ctx;
	struct altered_by by;

	if (!altered_read(self->fd, &by))
		return;
	/* Where even this fails the next beat tries again. */
	(void)zone_shut(zone);
	zone->restore_in = 1;
	event_send(&zone->nf->process.events, EVENT_RULESET_ALTERED, EV_TEXT(ZONE, zone->name),
		   EV_TEXT(PROCESS, by.program), EV_NUMBER(PID, by.pid));
}

int zones_watch_altered(struct zone *zone)
{
	struct loop_fd *watch = &zone->altered_fd;
	int err = altered_subscribe(watch->fd, zone->netlink_fd);

	if (err != 0)
		return err;
	*watch = (struct loop_fd){
		.fd = watch->fd, .events = POLLIN, .ready = altered_ready, .ctx = zone};
	return loop_add(&zone->nf->loop, watch);
}

int zone_shut(struct zone *zone)
{
	int err = ruleset_deny_all(zone->netlink_fd);

	zone->has_rules = false;
	if (err == 0)
		zone->beside[0] = '\0'; /* removed like every other table */
	else
		err = ruleset_deny_beside(zone->netlink_fd, zone->beside);
	zone->still_open = err != 0;
	return err;
}

int zone_clear(struct zone *zone)
{
	zone->foreign = ruleset_has_foreign(zone->netlink_fd);
	if (zone->still_open || (!zone->foreign && zone->beside[0] != '\0'))
		(void)zone_shut(zone);
	return zone->foreign || zone->beside[0] != '\0' ? -ERR_DENIED : 0;
}

/* Whether a zone that was shut can have its rules now; why not is told once. */
static bool can_restore(struct netfilter *nf, struct zone *zone)
{
	bool told = zone->foreign;

	if (zone->restore_in == 0 || --zone->restore_in > 0)
		return false;
	zone->restore_in = 1; /* until they are loaded */
	if (zone_clear(zone) == 0)
		return true;
	if (zone->foreign && !told)
		event_send(&nf->process.events, EVENT_RULES_REFUSED, EV_TEXT(ZONE, zone->name),
			   EV_NUMBER(EPOCH, nf->running.epoch),
			   EV_TEXT(REASON, "another program owns a table: the zone is shut"));
	return false;
}

void zones_restore(struct netfilter *nf)
{
	bool any = false;

	for (uint32_t i = 0; i < nf->running.snapshot.zone_count; i++)
		any = can_restore(nf, nf->running.zones[i]) || any;
	if (any)
		zones_renew(nf);
}
