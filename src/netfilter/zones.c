/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From one policy to the next: sockets, rules and generations of the zones. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "netfilter/flows.h"
#include "netfilter/netfilter.h"

static void policy_clear(struct policy *p)
{
	if (p->epoch == 0)
		return;
	range_map_fini(&p->owners[0]);
	range_map_fini(&p->owners[1]);
	snapshot_unload(&p->snapshot);
	*p = (struct policy){0};
}

static int policy_load(struct policy *p, int snapshot_fd, uint64_t epoch)
{
	int err = snapshot_load(&p->snapshot, snapshot_fd);

	if (err != 0)
		return err;
	p->epoch = epoch;
	err = range_map_owners(&p->owners[0], &p->snapshot, 4);
	if (err == 0)
		err = range_map_owners(&p->owners[1], &p->snapshot, 6);
	if (err != 0)
		policy_clear(p);
	return err;
}

static void zone_close(struct zone *zone)
{
	if (!zone->used)
		return;
	loop_remove(&zone->nf->loop, &zone->queue_fd);
	(void)close(
		zone->netlink_fd); /* nothing is buffered in netlink sockets that could be lost */
	(void)close(zone->queue.fd);
	zone->used = false;
}

static void close_given(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* was never written to */
	*fd = -1;
}

static void close_all_given(struct netfilter *nf)
{
	for (unsigned i = 0; i < SNAPSHOT_ZONES_MAX; i++) {
		close_given(&nf->given_netlink[i]);
		close_given(&nf->given_queue[i]);
	}
}

static struct zone *find_zone(struct netfilter *nf, const char *name)
{
	for (unsigned i = 0; i < NETFILTER_SLOTS; i++) {
		if (nf->zones[i].used && strcmp(nf->zones[i].name, name) == 0)
			return &nf->zones[i];
	}
	return NULL;
}

static struct zone *free_zone(struct netfilter *nf)
{
	for (unsigned i = 0; i < NETFILTER_SLOTS; i++) {
		if (!nf->zones[i].used)
			return &nf->zones[i];
	}
	return NULL; /* cannot be: there are slots for two policies */
}

/* Once in the life of the process: every namespace has the same kernel. */
static int probe_queue(struct netfilter *nf, int netlink_fd)
{
	if (nf->queue_kind != 0)
		return 0;
	int err = ruleset_probe(netlink_fd, &nf->queue_kind);

	if (err == 0)
		event_send(&nf->process.events, EVENT_QUEUE_KIND,
			   EV_TEXT(DETAIL, nf->queue_kind == RULESET_QUEUE_NATIVE
						   ? "queue expression"
						   : "NFQUEUE target"));
	return err;
}

/* A zone that we have no sockets of yet: take those that the supervisor gave, and shut it first of
 * all. */
static int open_zone(struct netfilter *nf, uint32_t index, const char *name, struct zone **out)
{
	struct zone *zone = free_zone(nf);
	int err;

	if (zone == NULL || nf->given_netlink[index] < 0 || nf->given_queue[index] < 0)
		return -ERR_NOT_FOUND;
	memset(zone, 0, sizeof(*zone));
	zone->nf = nf;
	zone->used = true;
	zone->netlink_fd = nf->given_netlink[index];
	zone->queue.fd = nf->given_queue[index];
	nf->given_netlink[index] = nf->given_queue[index] = -1;
	snprintf(zone->name, sizeof(zone->name), "%s", name);
	err = ruleset_make_room(zone->netlink_fd);
	if (err == 0)
		err = ruleset_deny_all(zone->netlink_fd);
	if (err == 0)
		err = probe_queue(nf, zone->netlink_fd);
	if (err == 0)
		err = queue_bind(&zone->queue, zone->queue.fd, RULESET_QUEUE);
	if (err == 0) {
		zone->queue_fd = (struct loop_fd){.fd = zone->queue.fd,
						  .events = POLLIN,
						  .ready = relay_queue_ready,
						  .ctx = zone};
		err = loop_add(&nf->loop, &zone->queue_fd);
	}
	if (err != 0) {
		int why = errno;

		zone_close(zone);
		errno = why;
		return err;
	}
	*out = zone;
	return 0;
}

static int load_rules(struct netfilter *nf, const struct policy *p, uint32_t index, bool check)
{
	struct zone *zone = p->zones[index];
	struct ruleset r = {
		.snapshot = &p->snapshot,
		.owners = p->owners,
		.zone = index,
		.generation = nf->generation,
		.queue = nf->queue_kind,
		.fresh = !zone->has_rules,
		.check = check,
		.lock_sets = zone->lock_sets,
	};
	int err = ruleset_load(&r, zone->netlink_fd);

	if (err != 0 || check)
		return err;
	if (!zone->has_rules)
		watch_restart(&zone->watch);
	zone->has_rules = true;
	zone->lock_sets = r.lock_sets;
	zone->hold_ms = p->snapshot.zones[index].hold_ms;
	return 0;
}

/* Close what neither policy uses. */
static void sweep_zones(struct netfilter *nf)
{
	for (unsigned i = 0; i < NETFILTER_SLOTS; i++) {
		bool wanted = false;

		for (unsigned j = 0; j < SNAPSHOT_ZONES_MAX; j++)
			wanted = wanted || nf->running.zones[j] == &nf->zones[i] ||
				 nf->next.zones[j] == &nf->zones[i];
		if (!wanted)
			zone_close(&nf->zones[i]);
	}
}

static int prepare_zone(struct netfilter *nf, uint32_t index, char *reason, size_t reason_bytes)
{
	const char *name = nf->next.snapshot.zones[index].name;
	struct zone *zone = find_zone(nf, name);
	int err = 0;

	if (zone == NULL)
		err = open_zone(nf, index, name, &zone);
	if (err != 0) {
		snprintf(reason, reason_bytes, "zone %s: its sockets or its queue: %s %s", name,
			 err_name(err), err == -ERR_SYSTEM ? strerror(errno) : "");
		return err;
	}
	nf->next.zones[index] = zone;
	err = load_rules(nf, &nf->next, index, true);
	if (err != 0)
		snprintf(reason, reason_bytes, "zone %s: the kernel refuses its rules: %s %s", name,
			 err_name(err), err == -ERR_SYSTEM ? strerror(errno) : "");
	return err;
}

int zones_prepare(struct netfilter *nf, int snapshot_fd, uint64_t epoch, char *reason,
		  size_t reason_bytes)
{
	policy_clear(&nf->next);
	int err = policy_load(&nf->next, snapshot_fd, epoch);

	if (err != 0) {
		snprintf(reason, reason_bytes, "the policy cannot be loaded: %s", err_name(err));
		return err;
	}
	if (nf->generation == 0)
		nf->generation = 1; /* only checked with; nothing of it gets into force */
	for (uint32_t i = 0; i < nf->next.snapshot.zone_count && err == 0; i++)
		err = prepare_zone(nf, i, reason, reason_bytes);
	if (err != 0)
		zones_abort(nf);
	return err;
}

void zones_abort(struct netfilter *nf)
{
	policy_clear(&nf->next);
	close_all_given(nf);
	sweep_zones(nf);
}

/*
 * The next generation. Its number may have been used before, in an earlier life of this process or
 * 65,535 generations ago: flows that still carry it would pass unjudged, and are forgotten first.
 */
static void new_generation(struct netfilter *nf, const struct policy *p)
{
	if (nf->generations == 0)
		nf->generation = (uint16_t)(netfilter_now_ms() / 100 % UINT16_MAX);
	nf->generation = (uint16_t)(nf->generation % UINT16_MAX + 1);
	if (nf->generations++ != 0 && nf->generations <= UINT16_MAX)
		return;
	for (uint32_t i = 0; i < p->snapshot.zone_count; i++)
		(void)flows_forget(p->zones[i]->netlink_fd, nf->generation);
}

/* Rules for every zone of the running policy. What they make of it decides; a zone without them is
 * shut. */
static void put_in_force(struct netfilter *nf)
{
	struct policy *p = &nf->running;

	new_generation(nf, p);
	for (uint32_t i = 0; i < p->snapshot.zone_count; i++) {
		struct zone *zone = p->zones[i];
		int err = load_rules(nf, p, i, false);

		if (err == 0) {
			event_send(&nf->process.events, EVENT_RULES_LOADED,
				   EV_TEXT(ZONE, zone->name), EV_NUMBER(EPOCH, p->epoch));
		} else {
			event_send(&nf->process.events, EVENT_RULES_REFUSED,
				   EV_TEXT(ZONE, zone->name), EV_NUMBER(EPOCH, p->epoch),
				   EV_TEXT(REASON, err_name(err)),
				   EV_NUMBER(ERROR, err == -ERR_SYSTEM ? errno : 0));
			/* If even this fails, the rules before stay, whose generation is no longer
			 * kept alive. */
			(void)ruleset_deny_all(zone->netlink_fd);
			zone->has_rules = false;
		}
		relay_repeat_all(nf, zone);
	}
}

void zones_apply(struct netfilter *nf)
{
	relay_drain(nf);
	policy_clear(&nf->running);
	nf->running = nf->next;
	nf->next = (struct policy){0};
	for (uint32_t i = 0; i < nf->running.snapshot.zone_count; i++)
		nf->running.zones[i]->index = i;
	put_in_force(nf);
	close_all_given(nf);
	sweep_zones(nf);
}

void zones_rejudge(struct netfilter *nf)
{
	put_in_force(nf);
	event_send(&nf->process.events, EVENT_FLOWS_REJUDGED, EV_NUMBER(EPOCH, nf->running.epoch));
}

void zones_keep_alive(struct netfilter *nf)
{
	for (uint32_t i = 0; i < nf->running.snapshot.zone_count; i++) {
		const struct zone *zone = nf->running.zones[i];

		/* A failure lets flows stop: the safe side; the next beat tries again. */
		if (zone->has_rules)
			(void)ruleset_keep_alive(zone->netlink_fd, nf->generation, zone->hold_ms);
	}
}
