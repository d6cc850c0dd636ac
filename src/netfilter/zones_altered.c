/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A zone whose rules somebody else has changed: shut at once, in one transaction that also removes
 * what is not ours, and given its rules again with the next beat. Whoever changes them without end
 * shuts the zone, and costs one ruleset a beat.
 */
#include "netfilter/altered.h"
#include "netfilter/netfilter.h"

static void altered_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	struct zone *zone = self->ctx;
	struct altered_by by;

	if (!altered_read(self->fd, &by))
		return;
	/* Where even this fails the rules are loaded with the next beat all the same. */
	(void)ruleset_deny_all(zone->netlink_fd);
	zone->has_rules = false;
	zone->altered = true;
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

void zones_restore(struct netfilter *nf)
{
	bool altered = false;

	for (uint32_t i = 0; i < nf->running.snapshot.zone_count; i++) {
		struct zone *zone = nf->running.zones[i];

		altered = altered || zone->altered;
		zone->altered = false;
	}
	if (altered)
		zones_renew(nf);
}
