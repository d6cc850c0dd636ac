/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From one policy to the next: sockets, rules and generations of the zones. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sealed.h"
#include "netfilter/flows/flows.h"
#include "netfilter/netfilter.h"

static void policy_clear(struct policy *p)
{
	if (p->epoch == 0)
		return;
	range_map_fini(&p->owners[0]);
	range_map_fini(&p->owners[1]);
	limits_fini(&p->limits);
	snapshot_unload(&p->snapshot);
	*p = (struct policy){0};
}

static int policy_load(struct policy *p, int snapshot_fd, uint64_t epoch, bool full)
{
	int err = snapshot_load(&p->snapshot, snapshot_fd);

	if (err != 0)
		return err;
	p->epoch = epoch;
	p->queues = snapshot_queues(&p->snapshot);
	err = range_map_owners(&p->owners[0], &p->snapshot, 4);
	if (err == 0)
		err = range_map_owners(&p->owners[1], &p->snapshot, 6);
	if (err == 0)
		err = limits_init(&p->limits, &p->snapshot, full, netfilter_now_ms());
	if (err != 0)
		policy_clear(p);
	return err;
}

static void zone_close(struct zone *zone)
{
	if (!zone->used)
		return;
	capture_end_zone(zone->nf, zone);
	loop_remove(&zone->nf->loop, &zone->queue_fd);
	(void)close(
		zone->netlink_fd); /* nothing is buffered in netlink sockets that could be lost */
	(void)close(zone->queue.fd);
	loop_remove(&zone->nf->loop, &zone->whole_fd);
	(void)close(zone->whole.fd);
	listing_end_zone(&zone->nf->listing, zone);
	(void)close(zone->flows_fd);
	sever_end_zone(&zone->nf->sever, zone);
	(void)close(zone->sever_fd);
	(void)close(zone->capture_fd);
	(void)close(zone->queue_counts_fd); /* read only */
	loop_remove(&zone->nf->loop, &zone->track_fd);
	(void)close(zone->track_fd.fd);
	loop_remove(&zone->nf->loop, &zone->altered_fd);
	(void)close(zone->altered_fd.fd);
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
		for (unsigned kind = 0; kind < GIVEN_COUNT_; kind++)
			close_given(&nf->given[kind][i]);
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

	nf->can_offload = ruleset_probe_offload(netlink_fd);
	if (err == 0)
		event_send(&nf->process.events, EVENT_QUEUE_KIND,
			   EV_TEXT(DETAIL, nf->queue_kind == RULESET_QUEUE_NATIVE
						   ? "queue expression"
						   : "NFQUEUE target"));
	return err;
}

/* A share has nothing of a zone but its queues. */
static bool all_given(const struct netfilter *nf, uint32_t index)
{
	for (unsigned kind = 0; kind < GIVEN_COUNT_; kind++) {
		bool needed = nf->share == 0 || kind == GIVEN_QUEUE || kind == GIVEN_WHOLE;

		if (needed && nf->given[kind][index] < 0)
			return false;
	}
	return true;
}

static int take_given(struct netfilter *nf, enum given kind, uint32_t index)
{
	int fd = nf->given[kind][index];

	nf->given[kind][index] = -1;
	return fd;
}

static int watch_fd(struct zone *zone, struct loop_fd *watch, int fd,
		    void (*ready)(struct loop *loop, struct loop_fd *self, short revents))
{
	*watch = (struct loop_fd){.fd = fd, .events = POLLIN, .ready = ready, .ctx = zone};
	return loop_add(&zone->nf->loop, watch);
}

static int open_queues(struct zone *zone)
{
	uint16_t share = (uint16_t)zone->nf->share;
	int err = queue_bind(&zone->queue, zone->queue.fd, RULESET_QUEUE + share, PACKET_COPY_BYTES,
			     QUEUE_LENGTH);

	if (err == 0)
		err = queue_bind(&zone->whole, zone->whole.fd, RULESET_QUEUE_WHOLE + share,
				 PACKET_WHOLE_BYTES, QUEUE_WHOLE_LENGTH);
	if (err == 0)
		err = watch_fd(zone, &zone->queue_fd, zone->queue.fd, relay_queue_ready);
	relay_throttle(zone->nf);
	return err == 0 ? watch_fd(zone, &zone->whole_fd, zone->whole.fd, whole_ready) : err;
}

static void track_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	struct zone *zone = self->ctx;

	track_read(&zone->nf->track, &zone->nf->process.events, self->fd, netfilter_wall_s());
}

static int open_track(struct zone *zone, int fd)
{
	int err;

	zone->track_fd.fd = fd;
	err = track_subscribe(fd);
	return err == 0 ? watch_fd(zone, &zone->track_fd, fd, track_ready) : err;
}

/* All that belongs to the rules, before there are any. */
static int shut_first(struct zone *zone)
{
	int err = ruleset_make_room(zone->netlink_fd);

	if (err == 0)
		err = zone_shut(zone);
	if (err == 0)
		err = zones_watch_altered(zone);
	return err == 0 ? probe_queue(zone->nf, zone->netlink_fd) : err;
}

/* A zone that we have no sockets of yet: take those that the supervisor gave, and shut it first of
 * all. */
static int open_zone(struct netfilter *nf, uint32_t index, const char *name, struct zone **out)
{
	struct zone *zone = free_zone(nf);
	int err;

	if (zone == NULL || !all_given(nf, index))
		return -ERR_NOT_FOUND;
	memset(zone, 0, sizeof(*zone));
	zone->nf = nf;
	zone->used = true;
	zone->netlink_fd = take_given(nf, GIVEN_NETLINK, index);
	zone->queue.fd = take_given(nf, GIVEN_QUEUE, index);
	zone->whole.fd = take_given(nf, GIVEN_WHOLE, index);
	zone->track_fd.fd = take_given(nf, GIVEN_TRACK, index);
	zone->capture_fd = take_given(nf, GIVEN_CAPTURE, index);
	zone->altered_fd.fd = take_given(nf, GIVEN_ALTERED, index);
	zone->flows_fd = take_given(nf, GIVEN_FLOWS, index);
	zone->sever_fd = take_given(nf, GIVEN_SEVER, index);
	zone->queue_counts_fd = take_given(nf, GIVEN_QUEUE_COUNTS, index);
	zone->index = SNAPSHOT_NONE; /* the running policy does not know it */
	snprintf(zone->name, sizeof(zone->name), "%s", name);
	err = nf->share == 0 ? shut_first(zone) : 0;
	if (err == 0)
		err = open_queues(zone);
	if (err == 0 && nf->share == 0)
		err = open_track(zone, zone->track_fd.fd);
	if (err != 0) {
		int why = errno;

		zone_close(zone);
		errno = why;
		return err;
	}
	*out = zone;
	return 0;
}

/* The rules of one zone, with flows of @generation, and of the one before as long as they are not
 * ended. */
static struct ruleset ruleset_of(const struct netfilter *nf, const struct policy *p, uint32_t index,
				 uint16_t generation)
{
	const struct zone *zone = p->zones[index];

	return (struct ruleset){
		.snapshot = &p->snapshot,
		.owners = p->owners,
		.shut = nf->shut,
		.shut_count = nf->shut_count,
		.zone = index,
		.generation = generation,
		.before = zone->has_rules ? nf->generation : 0,
		.queue = nf->queue_kind,
		.queues = p->queues,
		.queues_before = zone->has_rules ? zone->queues : 0,
		.offload = nf->can_offload && !zone->no_offload,
		.fresh = !zone->has_rules,
		.lock_sets = zone->lock_sets,
		.own_place = !zone->own_place,
		.connections_before = zone->has_rules ? zone->connections_max : UINT32_MAX,
	};
}

struct ruleset zones_ruleset(const struct netfilter *nf, uint32_t index)
{
	const struct zone *zone = nf->running.zones[index];
	struct ruleset r = ruleset_of(nf, &nf->running, index, nf->generation);

	r.own_place = zone->own_place;
	r.before = zone->before == nf->ending ? nf->ending : 0;
	return r;
}

static void tell_no_offload(struct netfilter *nf, const char *zone, const char *reason)
{
	event_send(&nf->process.events, EVENT_OFFLOAD_MISSING, EV_TEXT(ZONE, zone),
		   EV_TEXT(REASON, reason));
}

/* A flow table wants every device to be there already, and is only for speed: without one the
 * zone's rules do the same. */
static int load_without_offload(struct netfilter *nf, struct zone *zone, struct ruleset *r, int err)
{
	int why = errno;

	if (err != -ERR_SYSTEM || why != ENOENT || !ruleset_offloads(r))
		return err;
	r->offload = false;
	err = ruleset_load(r, zone->netlink_fd);
	if (err == 0 && !r->check)
		tell_no_offload(nf, zone->name, strerror(why));
	return err;
}

/* The configuration wants a flow table that this kernel does not have: said once a load. */
static void tell_missing(struct netfilter *nf, const struct zone *zone, const struct ruleset *r)
{
	struct ruleset wanted = *r;

	wanted.offload = true;
	if (!nf->can_offload && ruleset_offloads(&wanted))
		tell_no_offload(nf, zone->name, "not in this kernel");
}

static int load_rules(struct netfilter *nf, const struct policy *p, uint32_t index,
		      uint16_t generation, bool check)
{
	struct zone *zone = p->zones[index];
	struct ruleset r = ruleset_of(nf, p, index, generation);

	r.check = check;
	r.offload = nf->can_offload; /* also where the rules in force had to do without */
	int err = ruleset_load(&r, zone->netlink_fd);

	if (err != 0)
		err = load_without_offload(nf, zone, &r, err);
	if (err != 0 || check)
		return err;
	tell_missing(nf, zone, &r);
	if (!zone->has_rules)
		watch_restart(&zone->watch);
	zone->has_rules = true;
	zone->compared_ms = 0;
	zone->restore_in = 0;
	zone->no_offload = !r.offload;
	zone->lock_sets = r.lock_sets;
	zone->queues = p->queues;
	zone->own_place = r.own_place;
	zone->before = r.before;
	zone->connections_max = p->snapshot.zones[index].guard.source_connections;
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
	if (nf->share != 0)
		return 0; /* the first process has the rules */
	err = load_rules(nf, &nf->next, index, 1, true);
	if (err != 0)
		snprintf(reason, reason_bytes, "zone %s: the kernel refuses its rules: %s %s", name,
			 err_name(err), err == -ERR_SYSTEM ? strerror(errno) : "");
	return err;
}

int zones_prepare(struct netfilter *nf, int snapshot_fd, uint64_t epoch, char *reason,
		  size_t reason_bytes)
{
	policy_clear(&nf->next);
	int err = policy_load(&nf->next, snapshot_fd, epoch, !nf->resuming);

	if (err != 0) {
		snprintf(reason, reason_bytes, "the policy cannot be loaded: %s", err_name(err));
		return err;
	}
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

/* The next generation; the first one of this life is from the clock. */
static uint16_t new_generation(struct netfilter *nf)
{
	uint16_t last = nf->generation;

	if (last == 0)
		last = (uint16_t)(netfilter_now_ms() / 100 % UINT16_MAX);
	return (uint16_t)(last % UINT16_MAX + 1);
}

static void tell_rules(struct netfilter *nf, const struct policy *p, const struct zone *zone,
		       int err)
{
	if (err == 0) {
		event_send(&nf->process.events, EVENT_RULES_LOADED, EV_TEXT(ZONE, zone->name),
			   EV_NUMBER(EPOCH, p->epoch));
		return;
	}
	event_send(&nf->process.events, EVENT_RULES_REFUSED, EV_TEXT(ZONE, zone->name),
		   EV_NUMBER(EPOCH, p->epoch), EV_TEXT(REASON, err_name(err)),
		   EV_NUMBER(ERROR, err == -ERR_SYSTEM ? errno : 0));
}

/*
 * Rules of a new generation for every zone of a policy, one after the other. They still take flows
 * and verdicts of the generation before, so that a packet passes a zone with its old rules and one
 * with its new ones alike. The number may have been used before, in an earlier life of this process
 * or 65,535 generations ago: a flow that still carries it would pass unjudged, and is forgotten
 * first. A zone where that fails, or whose rules the kernel refuses, is shut.
 */
static void load_all(struct netfilter *nf, const struct policy *p, uint16_t generation)
{
	for (uint32_t i = 0; i < p->snapshot.zone_count; i++) {
		struct zone *zone = p->zones[i];
		int err = flows_forget(zone->netlink_fd, generation);

		relay_make_way(nf);
		if (err == 0)
			err = zone_clear(zone);
		if (err == 0)
			err = load_rules(nf, p, i, generation, false);
		tell_rules(nf, p, zone, err);
		if (err != 0) {
			/* If even this fails, the rules before stay, whose generation is no longer
			 * kept alive. */
			(void)zone_shut(zone);
			if (zone->foreign || zone->restore_in != 0)
				zone->restore_in = NETFILTER_BEATS_RETRY;
		}
		relay_serve(nf);
	}
}

/* A zone whose flows cannot be ended is shut. */
static void give_up(struct netfilter *nf, struct zone *zone, int err)
{
	tell_rules(nf, &nf->running, zone, err);
	/* If even this fails, the next beat is not given. */
	(void)zone_shut(zone);
}

/* Flows of the generation before are over in every zone, as far as they were not taken over: their
 * next packet is judged. */
static void end_generation(struct netfilter *nf, uint16_t before)
{
	for (uint32_t i = 0; i < nf->running.snapshot.zone_count; i++) {
		struct zone *zone = nf->running.zones[i];

		if (zone->has_rules && before != 0) {
			int err = ruleset_end_flows(zone->netlink_fd, before);

			if (err != 0)
				give_up(nf, zone, err);
		}
		relay_repeat_all(nf, zone);
	}
	nf->ending = before;
	nf->ending_beats = NETFILTER_BEATS_ENDING;
}

/* The stamps still take proofs of a generation that was ended before this call. @are_given:
 * somebody may still give some; a zone that goes on taking them is shut. */
static void end_proofs(struct netfilter *nf, bool are_given)
{
	for (uint32_t i = 0; i < nf->running.snapshot.zone_count && nf->ending != 0; i++) {
		struct zone *zone = nf->running.zones[i];
		int err = zone->has_rules ? ruleset_end_proofs(zone->netlink_fd, nf->ending) : 0;

		if (err != 0 && are_given)
			give_up(nf, zone, err);
	}
	nf->ending = 0;
}

/*
 * What is loaded is put in force: from here on the new policy judges. Flows that it permits are
 * taken over into the new generation while they run; then the generation before ends.
 */
static void change_over(struct netfilter *nf, uint16_t generation)
{
	uint16_t before = nf->generation;

	nf->generation = generation;
	relay_tell_generation(nf);
	bool turned = shares_turn(nf);

	admission_count_all(nf);
	ahead_judge(nf, before);
	end_generation(nf, before);
	if (!turned)
		end_proofs(nf, true);
}

static void take_next(struct netfilter *nf)
{
	policy_clear(&nf->running);
	nf->running = nf->next;
	nf->next = (struct policy){0};
	for (uint32_t i = 0; i < nf->running.snapshot.zone_count; i++)
		nf->running.zones[i]->index = i;
}

void zones_take_next(struct netfilter *nf)
{
	take_next(nf);
	close_all_given(nf);
	sweep_zones(nf);
}

void zones_apply(struct netfilter *nf)
{
	uint16_t generation = new_generation(nf);

	listing_end_policy(&nf->listing);
	/* Without it the flows of this policy are not counted; they pass all the same. */
	(void)track_add_policy(&nf->track, &nf->next.snapshot, nf->next.epoch, netfilter_wall_s());
	track_add_generation(&nf->track, generation, nf->next.epoch);
	load_all(nf, &nf->next, generation);
	relay_drain(nf);
	limits_carry(&nf->next.limits, &nf->running.limits);
	capture_end_policy(nf);
	take_next(nf);
	shares_drop(nf);
	sever_begin_anew(&nf->sever);
	change_over(nf, generation);
	close_all_given(nf);
	sweep_zones(nf);
	rules_watch_begin_anew(nf);
}

void zones_renew(struct netfilter *nf)
{
	uint16_t generation = new_generation(nf);

	listing_end_policy(&nf->listing);
	track_add_generation(&nf->track, generation, nf->running.epoch);
	load_all(nf, &nf->running, generation);
	relay_drain(nf);
	change_over(nf, generation);
	rules_watch_due(nf);
}

void zones_beat(struct netfilter *nf)
{
	zones_restore(nf);
	if (nf->ending != 0 && --nf->ending_beats == 0)
		end_proofs(nf, false);
}

void zones_keep_alive(struct netfilter *nf)
{
	for (uint32_t i = 0; i < nf->running.snapshot.zone_count; i++) {
		struct zone *zone = nf->running.zones[i];

		/* A failure lets flows stop: the safe side; the next beat tries again. */
		if (zone->has_rules &&
		    ruleset_keep_alive(zone->netlink_fd, nf->generation, zone->hold_ms) == 0)
			zone->signs++;
	}
}

/* Flows are ended by a transaction that exchanges the flow table. */
static void end_by(struct netfilter *nf, struct zone *zone, const struct ruleset *r,
		   int (*end)(const struct ruleset *r, int netlink_fd))
{
	relay_make_way(nf);
	int err = end(r, zone->netlink_fd);

	if (err != 0)
		give_up(nf, zone, err);
}

int zones_shut_stations(struct netfilter *nf, int fd)
{
	struct bytes list;
	int err;

	bytes_init(&list, sizeof(nf->shut));
	err = sealed_read(&list, fd);
	if (err != 0 || list.size % sizeof(nf->shut[0]) != 0) {
		bytes_fini(&list);
		return -ERR_PEER;
	}
	nf->shut_count = list.size / sizeof(nf->shut[0]);
	if (list.size > 0)
		memcpy(nf->shut, list.data, list.size);
	bytes_fini(&list);
	for (uint32_t i = 0; i < nf->running.snapshot.zone_count; i++) {
		struct zone *zone = nf->running.zones[i];
		struct ruleset r = ruleset_of(nf, &nf->running, i, nf->generation);

		if (zone->has_rules) /* else its rules will have the list */
			end_by(nf, zone, &r, ruleset_shut);
	}
	if (nf->running.epoch != 0)
		rules_watch_due(nf);
	return 0;
}

void zones_renew_offload(struct netfilter *nf, uint32_t index)
{
	struct ruleset r = ruleset_of(nf, &nf->running, index, nf->generation);

	if (nf->running.zones[index]->has_rules)
		end_by(nf, nf->running.zones[index], &r, ruleset_renew_offload);
}
