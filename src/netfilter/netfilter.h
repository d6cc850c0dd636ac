/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of the netfilter process, and what its files do with it. */
#ifndef SEKISHO_NETFILTER_NETFILTER_H
#define SEKISHO_NETFILTER_NETFILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/channel.h"
#include "base/loop.h"
#include "base/process.h"
#include "channel/control.h"
#include "channel/packet.h"
#include "netfilter/admission.h"
#include "netfilter/ahead.h"
#include "netfilter/capture/capture.h"
#include "netfilter/floods.h"
#include "netfilter/limits.h"
#include "netfilter/nft/listing.h"
#include "netfilter/queue.h"
#include "netfilter/ruleset/ruleset.h"
#include "netfilter/rules_watch.h"
#include "netfilter/flows/sever.h"
#include "netfilter/shares.h"
#include "netfilter/flows/track.h"
#include "netfilter/watch.h"
#include "policy/snapshot.h"

#define NETFILTER_FDS           96
#define NETFILTER_SLOTS         (2 * SNAPSHOT_ZONES_MAX) /* zones of the running and next policy */
#define NETFILTER_OUT_MAX       128  /* packets out for judgement: the link has room for so many */
#define NETFILTER_OUT_MS        1000 /* after which a packet without a verdict is dropped */
#define NETFILTER_UNSAVED_MAX   512  /* packets in a row that are judged without saving it */
#define NETFILTER_SAVE_BATCH    4    /* so few are back in the kernel before the next can arrive */
#define NETFILTER_DRAIN_MS      20   /* to wait for verdicts before the generation changes */
#define NETFILTER_AHEAD_MS      100  /* for flows that are judged ahead of their next packet */
#define NETFILTER_BEATS_ENDING  2   /* after which no packet of an ended generation is on its way */
#define NETFILTER_BEATS_RETRY   10  /* after which rules that were refused are tried again */
#define NETFILTER_BEAT_MS       100 /* between two pings of the arbiter */
#define NETFILTER_BEATS_ALIVE   2   /* beats between two signs of life to the kernel */
#define NETFILTER_ARBITER_MS    300 /* silence after which flows get no new lease */
#define NETFILTER_ARBITER_BEATS 3   /* pings without an answer: the arbiter counts as dead */
#define NETFILTER_SUPERVISOR_MS 400 /* silence after which flows get no new lease */
#define NETFILTER_FIRST_MS      400 /* silence of the first process after which a share is shut */
#define NETFILTER_ORPHAN_MS     1000 /* silence after which nothing is judged any more */
#define NETFILTER_WATCH_MS      1000 /* between two looks at the counters */

struct netfilter;

/* Sockets that the supervisor gives for each zone. */
enum given {
	GIVEN_NETLINK,
	GIVEN_QUEUE,
	GIVEN_WHOLE,
	GIVEN_TRACK,
	GIVEN_CAPTURE,
	GIVEN_ALTERED,
	GIVEN_QUEUE_COUNTS,
	GIVEN_FLOWS,
	GIVEN_SEVER,
	GIVEN_COUNT_
};

/* A zone's namespace, as far as it is ours: two sockets into it. */
struct zone {
	struct netfilter *nf;
	bool used, wanted; /* wanted: by the next policy */
	char name[SNAPSHOT_NAME_BYTES];
	uint32_t index; /* in the running snapshot; SNAPSHOT_NONE: not in it */
	int netlink_fd;
	uint32_t lock_sets, own_place; /* of the rules in force */
	uint16_t before; /* the generation whose proofs they were loaded to take, too; 0: none */
	uint32_t queues; /* of the rules in force */
	bool no_offload; /* a flow table could not be made now */
	uint32_t connections_max; /* of one source, in the rules in force */
	bool has_rules;           /* ours, of this life of the process */
	uint64_t compared_ms; /* of the last record that they are as asked; 0: none since loaded */
	uint64_t missed_ms; /* of the last record that they could not be compared; 0: they could */
	uint64_t hold_ms;
	uint32_t signs;   /* of life that the kernel was given: each is one of its transactions */
	uint32_t unsaved; /* packets since the last that was saved with its flow */
	struct queue queue;
	struct loop_fd queue_fd;
	struct queue whole; /* packets that are wanted whole */
	struct loop_fd whole_fd;
	struct loop_fd track_fd;   /* ends of flows */
	struct loop_fd altered_fd; /* changes of the rules by others */
	uint32_t restore_in;       /* beats until it has its rules back; 0: nothing is due */
	bool foreign;              /* has no rules until a table with an owner is gone */
	bool still_open;           /* could not be shut */
	char beside[RULESET_BESIDE_BYTES]; /* the table that shuts it then; empty: none */
	int capture_fd;
	int flows_fd;        /* on which its flows are listed */
	int sever_fd;        /* on which they are listed to be ended: no console holds that up */
	int queue_counts_fd; /* the kernel's table of queues, a text */
	struct watch watch;
	struct floods floods;
};

/* A policy: the running one, or one that is prepared. */
struct policy {
	uint64_t epoch; /* 0: none */
	struct snapshot snapshot;
	struct range_map owners[2];
	struct zone *zones[SNAPSHOT_ZONES_MAX]; /* by index in the snapshot */
	struct limits limits;
	uint32_t queues; /* shares that packets are divided into */
};

struct netfilter {
	struct process process;
	uint32_t share; /* 0: the first process, which has all else too */
	struct loop loop;
	struct pollfd polls[NETFILTER_FDS];
	struct loop_fd *fds[NETFILTER_FDS];
	struct loop_fd link_fd;
	struct loop_timer beat, look;
	struct zone zones[NETFILTER_SLOTS];
	int given[GIVEN_COUNT_][SNAPSHOT_ZONES_MAX]; /* sockets of zones to come; -1: none */
	struct policy running, next;
	bool resuming; /* started into a policy that an earlier life of this process has served */
	uint16_t generation;
	uint16_t ending; /* whose proofs are still taken for a moment; 0: none */
	uint32_t ending_beats;
	enum ruleset_queue queue_kind;
	bool can_offload;    /* the kernel has flow tables */
	struct channel link; /* to the arbiter; fd -1: none */
	bool arbiter_answers;
	bool arbiter_missed; /* silence was told of */
	uint64_t ping_number, pong_ms, supervisor_ms;
	uint32_t unanswered;       /* pings since the arbiter was last heard */
	uint32_t beats_to_lease;   /* until the kernel gets the next sign of life; 0: due */
	struct packet_batch batch; /* on its way to the arbiter */
	struct shares shares;      /* of other processes; of the first alone */
	struct first first;        /* of all others */
	struct ahead ahead;
	struct packet_part part;
	struct packet_admissions admissions;   /* of the verdicts that are being given */
	uint64_t count_cost_ms, count_paid_ms; /* of counting flows for full permits */
	struct track track;
	struct capture capture;
	struct listing listing;
	struct rules_watch rules_watch;
	struct sever sever;
	struct station_shut shut[STATIONS_SHUT_MAX]; /* stations that are isolated */
	size_t shut_count;
};

uint64_t netfilter_now_ms(void);
int64_t netfilter_wall_s(void); /* since 1970 */
int64_t netfilter_wall_us(void);

/* zones.c: which sockets serve which zone, and what rules they have. */

/**
 * zones_prepare - load a policy into nf->next: sockets for each zone, deny-all where there are no
 * rules yet, and the kernel's own check of the whole ruleset
 * @reason: receives why not, at least 120 bytes
 * Return: 0 or an error: then nothing has changed.
 */
int zones_prepare(struct netfilter *nf, int snapshot_fd, uint64_t epoch, char *reason,
		  size_t reason_bytes);
/* Put nf->next in force; a zone whose rules the kernel refuses is shut. */
void zones_apply(struct netfilter *nf);
/* nf->next is the running policy now. */
void zones_take_next(struct netfilter *nf);
void zones_abort(struct netfilter *nf);
/* Once a beat: what a change of generation leaves for later. */
void zones_beat(struct netfilter *nf);
/* The list of isolated stations, as the supervisor gives it. A zone whose rules do not take it is
 * shut. Return: 0 or -ERR_PEER. */
int zones_shut_stations(struct netfilter *nf, int fd);
/* The ruleset that a zone of the running policy has, as long as has_rules. */
struct ruleset zones_ruleset(const struct netfilter *nf, uint32_t index);
/* Flows of a zone (its index in the running policy) meet the rules with their next packet, also
 * those that the flow table carries. A zone where that fails is shut. */
void zones_renew_offload(struct netfilter *nf, uint32_t index);
/* The rules of the running policy anew, in every zone, under a new generation: every flow is judged
 * again. */
void zones_renew(struct netfilter *nf);
/* Tell the kernel that verdicts can be had: flows go on for another while. */
void zones_keep_alive(struct netfilter *nf);

/* zones_altered.c: rules that somebody else has changed. */

/* Be told of it, once zone_shut was tried. Return: 0 or an error. */
int zones_watch_altered(struct zone *zone);
/* Once a beat: zones that were shut get their rules back, unless a table in them has an owner. */
void zones_restore(struct netfilter *nf);
/* Drop everything, whatever tables are there. Return: 0 or an error: what was there stays. */
int zone_shut(struct zone *zone);
/* Before rules are loaded: no table with an owner is there, nor what zone_shut put beside one.
 * Return: 0; -ERR_DENIED: the zone has to stay shut. */
int zone_clear(struct zone *zone);

/* relay.c: packets between the queues and the arbiter. */

/* Read what waits on the link to another process of the packet path, a round of it at most; a
 * violation is recorded as one of @peer. Return: as channel_serve. */
int relay_serve_link(struct netfilter *nf, struct channel *link, const char *peer);
void relay_take_link(struct netfilter *nf, int fd);
void relay_close_link(struct netfilter *nf);
void relay_ping(struct netfilter *nf);
/* A queue has packets. */
void relay_queue_ready(struct loop *loop, struct loop_fd *self, short revents);
/* Tell the arbiter of which policy marks of the running generation are, where other arbiters give
 * them too. */
void relay_tell_generation(struct netfilter *nf);
/* Take packets from the queues, or leave them there: as many are out as may be. */
void relay_throttle(struct netfilter *nf);
/* Whether an arbiter may give these verdicts. */
bool relay_verdicts_are_sound(const struct netfilter *nf, const struct packet_verdicts *v);
/* Carry out verdicts about packets of one zone. */
void relay_decide(struct zone *zone, const struct packet_verdicts *v);
/* Whether batches can be judged now. */
bool relay_can_judge(const struct netfilter *nf);
/* One look at every queue and at the link, without waiting: for work that takes long. */
void relay_serve(struct netfilter *nf);
/* Before a transaction that may exchange a flow table: have what waits in the queues judged, as far
 * as that can be done at once. */
void relay_make_way(struct netfilter *nf);
/* Wait for the link for a millisecond and serve it. */
void relay_wait(struct netfilter *nf);
/* Read what the other processes of the packet path have said: of the arbiter all that there can be,
 * an answer to a ping and a verdict for each packet that is out. */
void relay_hear(struct netfilter *nf);
/* Drop what is out for too long. */
void relay_expire(struct netfilter *nf, struct zone *zone);
/* Wait a little for the verdicts that are out: later packets of the same flows wait behind, in
 * their order. */
void relay_drain(struct netfilter *nf);
/* Give back to the rules what is out all the same: they belong to another generation now. */
void relay_repeat_all(struct netfilter *nf, struct zone *zone);

/* ahead.c: flows that are judged before their next packet comes. */

/**
 * ahead_judge - take flows of the generation before over into the running one
 * Every flow that the running policy permits gets the new proof, as long as NETFILTER_AHEAD_MS
 * last. All others are left alone: they are judged with their next packet.
 */
void ahead_judge(struct netfilter *nf, uint16_t before);
/* The arbiter's answer to a batch of flows. */
void ahead_take(struct netfilter *nf, const struct packet_verdicts *v);

/* whole.c: packets that the arbiter wants to see whole. */

/* The queue of such packets has some. */
void whole_ready(struct loop *loop, struct loop_fd *self, short revents);
/* The arbiter's verdict about one. */
void whole_decide(struct zone *zone, const struct packet_verdicts *v);
/* Drop those that are out since before @before_ms; UINT64_MAX: all. Return: how many. */
uint64_t whole_expire(struct zone *zone, uint64_t before_ms, enum queue_verdict verdict);

/* beat.c: what is due every NETFILTER_BEAT_MS; fires as nf->beat. */
void beat_fire(struct loop *loop, struct loop_timer *self);

/* answer.c: questions of the console. */
int answer_query(struct netfilter *nf, const struct control_query *query);

#endif
