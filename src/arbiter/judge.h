/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The judgement: a pure function of a policy, the headers of a packet and the time. The datapath
 * and `sekisho trace` call this same code.
 */
#ifndef SEKISHO_ARBITER_JUDGE_H
#define SEKISHO_ARBITER_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "arbiter/lookup.h"
#include "policy/ranges.h"
#include "policy/snapshot.h"
#include "wire/packet/ip.h"

/* Why, in the order in which the questions are asked; the first that is answered decides. */
enum judge_reason {
	JUDGE_PERMITTED = 0,
	JUDGE_MALFORMED,       /* headers contradict themselves or are cut off */
	JUDGE_FRAGMENT,        /* part of a packet */
	JUDGE_SOURCE_ROUTE,    /* the sender chooses the way */
	JUDGE_OPTIONS,         /* IPv4 options, IPv6 extension headers */
	JUDGE_ADDRESS,         /* unspecified, loopback, link-local, multicast or broadcast; to one
				  that nobody there has (range_map_owners) */
	JUDGE_SPOOFED,         /* the source does not belong to the zone */
	JUDGE_STATION_UNKNOWN, /* hardware address not on the zone's list */
	JUDGE_STATION_ADDRESS, /* that station may not use this address: it has others, or another
				  station has it */
	JUDGE_GATEWAY,         /* to an address of the gateway itself: not forwarded */
	JUDGE_SAME_ZONE,       /* back into the zone that it came from */
	JUDGE_NO_CROSSING,     /* no crossing leads there */
	JUDGE_TCP_FLAGS,       /* a new TCP flow that does not begin with SYN */
	JUDGE_NOT_A_REQUEST,   /* an ICMP message that answers or reports, without a flow that it
				  belongs to */
	JUDGE_NO_PERMIT,       /* a crossing, but no permit */
	JUDGE_SCHEDULE,        /* a permit, but not at this hour */
	JUDGE_EXPIRED,         /* a permit that has expired */
	/* Of flows whose first payload is looked at; see arbiter/conform.h. */
	JUDGE_CONFORM_PROTOCOL,  /* does not speak what the service names */
	JUDGE_CONFORM_SYNTAX,    /* does, but not as its standard says */
	JUDGE_CONFORM_NAME,      /* names nobody, or somebody who is not on the list */
	JUDGE_CONFORM_HIDDEN,    /* hides the name */
	JUDGE_CONFORM_TOO_LONG,  /* undecided after as much as is looked at */
	JUDGE_CONFORM_DEADLINE,  /* undecided when its time was up */
	JUDGE_CONFORM_OVERLAP,   /* says the same place of its stream in two ways */
	JUDGE_CONFORM_RESPONDER, /* the responder talks before its turn */
	JUDGE_CONFORM_UNKNOWN,   /* its beginning has not been seen, or not for this policy */
	/* Of flows that a permit lets in, but not so many; netfilter counts them. */
	JUDGE_LIMIT_RATE,        /* too many new ones in the time */
	JUDGE_LIMIT_CONNECTIONS, /* too many at one time */
	JUDGE_LIMIT_UNCOUNTED,   /* the kernel did not tell how many there are */
	JUDGE_REASON_COUNT_
};

/* A station of a zone, for a search by hardware address. */
struct judge_station {
	uint64_t key; /* zone index and hardware address */
	uint32_t index;
};

/* An address that a zone binds to stations, for a search. */
struct judge_binding {
	uint8_t key[18]; /* zone index, family, address */
};

/* A compiled policy; immutable once made. */
struct judge_policy {
	const struct snapshot *snapshot; /* borrowed */
	struct lookup lookup;
	struct range_map owners[2]; /* IPv4, IPv6 */
	struct range_map ways[SNAPSHOT_ZONES_MAX][2];
	struct judge_station *stations;
	size_t station_count;
	struct judge_binding *bindings;
	size_t binding_count;
};

struct judge_question {
	uint32_t from;                    /* zone index: where the flow's first packet came in */
	const struct ip_headers *headers; /* in the direction of the flow's first packet */
	const uint8_t *mac; /* of the sender; NULL: not known, stations are not checked */
	bool established;   /* of a flow permitted before: any TCP flags will do */
	int64_t now_s;      /* seconds since 1970 */
};

struct judge_verdict {
	enum judge_reason reason;
	uint32_t to;      /* zone that the destination belongs to, SNAPSHOT_NONE: none */
	uint32_t permit;  /* what permits, or would at another time; SNAPSHOT_NONE */
	uint32_t conform; /* index in conforms: what its first payload must show besides;
			     SNAPSHOT_NONE: nothing is asked */
};

/**
 * judge_init - compile a policy
 * @s: borrowed for the life of @out
 * Return: 0; -ERR_TOO_LONG where its permits have too many combinations; -ERR_NO_MEMORY. Nothing to
 * free after an error.
 */
int judge_init(struct judge_policy *out, const struct snapshot *s);
void judge_fini(struct judge_policy *policy);

/**
 * judge_flow - decide
 * Return: the verdict. No heap, no side effects; the same question always has the same answer.
 */
struct judge_verdict judge_flow(const struct judge_policy *policy,
				const struct judge_question *question);

/* The fixed lower-case name of a reason ("no-permit"). */
const char *judge_reason_name(enum judge_reason reason);

#endif
