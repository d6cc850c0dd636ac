/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of a snapshot that the datapath reads: zones, what joins them, what may cross. */
#ifndef SEKISHO_POLICY_SNAPSHOT_PACKETS_H
#define SEKISHO_POLICY_SNAPSHOT_PACKETS_H

#include "policy/snapshot_base.h"

enum zone_tier { TIER_SENSITIVE = 1, TIER_BUSINESS, TIER_OUTSIDE };

/* What happens to stations that the zone does not list (Z7). */
enum station_policy {
	STATION_OFF,    /* nobody looks: every station is admitted */
	STATION_REPORT, /* admitted like the others, but an event names each one */
	STATION_ENFORCE /* shut out, and an event names each one */
};

/*
 * Limits of one source in a zone; a source is an IPv4 address or an IPv6 /64 (Z14), so that
 * changing the last 64 bits helps nobody. 0: no such limit, unless said otherwise.
 */
struct snapshot_guard {
	uint32_t source_rate;        /* new flows a period, 1..SNAPSHOT_LIMIT_MAX; over it: dropped
					before anybody judges */
	uint32_t source_period_s;    /* 1 or 60 */
	uint32_t source_connections; /* flows at one time; what is over it is dropped */
	uint32_t scan_ports;         /* distinct destination ports of one destination, permitted or
					not, within the window: a port scan */
	uint32_t scan_hosts;         /* distinct destination addresses within the window: a host
					scan */
	uint32_t window_s;           /* 1..3600 */
	uint32_t denied_rate;        /* refused packets a period that raise an alarm, 1 or more */
	uint32_t denied_period_s;    /* 1 or 60 */
	uint32_t flood_rate;         /* packets of one hardware address a period that are dropped
					before anybody judges, and raise an alarm; 1 or more */
	uint32_t flood_period_s;     /* 1 or 60 */
	uint32_t zone_flood_rate;    /* the same of the whole zone, whoever sent them */
	uint32_t zone_flood_period_s;
	uint32_t isolate; /* 1: the station that raised such an alarm is shut out, as by `isolate
			     station`; only with STATION_ENFORCE */
};

struct snapshot_zone {
	char name[SNAPSHOT_NAME_BYTES];
	/* The device that is the zone's port, as it is called in the zone's namespace. */
	char port[SNAPSHOT_DEVICE_BYTES];
	uint32_t tier;    /* enum zone_tier */
	uint32_t hold_ms; /* how long established flows go on without an arbiter; 0: cut at once */
	struct snapshot_range addresses; /* in prefixes: the gateway's own, with prefix length */
	struct snapshot_range routes;    /* in routes */
	struct snapshot_range stations;  /* in stations; none: every station is admitted */
	uint32_t text_description;       /* offset in text, 0: none */
	uint32_t reject;                 /* 1: denied flows get a TCP reset or ICMP, 0: silence */
	/*
	 * VLAN: where vlan is 1..4094, the port is that 802.1Q VLAN of the device @parent (a
	 * network port or a bond), which stays in the gateway's own namespace: no zone uses it
	 * untagged, others may use other VLANs of it. Where vlan is 0 the port is a device of its
	 * own and parent is empty. The port may be the name of a row in bonds, or its VLAN.
	 */
	char parent[SNAPSHOT_DEVICE_BYTES];
	uint32_t vlan;
	uint32_t station_policy; /* enum station_policy */
	/*
	 * Transparent: the zone at the other side, SNAPSHOT_NONE where the gateway has addresses of
	 * its own. A transparent zone has networks instead: where its hosts stand, never empty, at
	 * most SNAPSHOT_PROXIED_MAX addresses. The networks of the two sides may lie in each other,
	 * the longer prefix decides on which side an address is; equal ones are refused. At the
	 * zone's port the gateway answers for the addresses of the other side (proxied.h). The zone
	 * is in this one crossing only, and the gateway listens nowhere in it.
	 */
	uint32_t peer;
	struct snapshot_range networks; /* in prefixes; none where routed */
	struct snapshot_guard guard;
};

/* Ports that are joined into one device, made in the gateway's own namespace. */
struct snapshot_bond {
	char name[SNAPSHOT_DEVICE_BYTES];
	uint32_t mode;                 /* enum bond_mode */
	struct snapshot_range members; /* in devices: 1 or more, each in one bond and no zone's */
};

enum bond_mode { BOND_ACTIVE_BACKUP, BOND_802_3AD };

struct snapshot_device {
	char name[SNAPSHOT_DEVICE_BYTES];
};

struct snapshot_route {
	struct snapshot_prefix destination;
	struct snapshot_prefix via; /* bits 32 or 128 */
};

struct snapshot_station {
	uint8_t mac[6];
	uint8_t pad[2];
	/* In prefixes, single addresses; none: any of the zone that is no other station's. */
	struct snapshot_range addresses;
	uint32_t text_comment;
};

enum crossing_flags {
	CROSSING_TRANSPARENT = 1, /* one network on both sides, each zone is the other's peer */
	CROSSING_OFFLOAD = 2      /* established flows take the flow table, in both directions */
};

/* Two zones that a veth pair joins; @low and @high are zone indices, low < high. */
struct snapshot_crossing {
	uint32_t low, high;
	struct snapshot_range permits; /* in permits, ordered by number */
	uint32_t flags;                /* enum crossing_flags */
	uint32_t queues; /* 1..SNAPSHOT_QUEUES_MAX: over how many queues new flows of this crossing
			    are spread; the most of any crossing counts (snapshot_queues) */
};

/* A match on protocol and ports. */
struct snapshot_service {
	uint8_t protocol;      /* IP protocol number */
	uint8_t icmp_type_any; /* ICMP: 1 any type */
	uint16_t low, high;    /* destination port range, host order; ICMP: type in low */
	uint16_t pad;
	uint32_t conform; /* index in conforms of what its first bytes must show; SNAPSHOT_NONE:
			     nothing is looked at. Services of one permit that overlap have the
			     same. */
};

enum conform_kind {
	CONFORM_TLS,  /* TCP: a ClientHello */
	CONFORM_HTTP, /* TCP: an HTTP/1 request */
	CONFORM_DNS,  /* UDP and TCP: a query */
	CONFORM_SSH,  /* TCP: an identification string */
	CONFORM_SMTP, /* TCP: the client's EHLO or HELO; the server speaks first */
	CONFORM_RDP   /* TCP: an X.224 connection request */
};

/* What the first payload in the initiator's direction must be. */
struct snapshot_conform {
	uint32_t kind;        /* enum conform_kind */
	uint32_t ech_allowed; /* TLS: 1: a ClientHello with encrypted_client_hello may pass, judged
				 by its outer name; 0: it is denied */
	/*
	 * In list_texts, lower case: TLS server names (SNI), HTTP hosts or DNS names that are
	 * allowed; none: any, and none at all. "*.name" is every name below it, of any depth, but
	 * not the name itself. A flow that shows no name is denied where there is a list.
	 */
	struct snapshot_range names;
};

enum permit_flags { PERMIT_LOG = 1 };

struct snapshot_permit {
	uint32_t number; /* as written; also the permit id in marks and events with the crossing */
	uint32_t crossing;                  /* index */
	uint32_t from, to;                  /* zone indices: the initiator's and the responder's */
	struct snapshot_range sources;      /* in prefixes; none: any of the from zone's networks */
	struct snapshot_range destinations; /* in prefixes; never empty */
	struct snapshot_range services;     /* in services; never empty */
	uint32_t flags;                     /* enum permit_flags */
	uint32_t schedule;                  /* index, SNAPSHOT_NONE: always */
	int64_t expires_s; /* from this second since 1970 on it holds no more; INT64_MAX: never */
	uint32_t text_comment;
	/* Of all sources together, in this permit alone; what is over it is denied. 0: no limit. */
	uint32_t rate;          /* new flows a period, 0..SNAPSHOT_LIMIT_MAX */
	uint32_t rate_period_s; /* 1 or 60; 0 where rate is 0 */
	uint32_t connections;   /* flows at one time, 0..SNAPSHOT_LIMIT_MAX */
};

/* What a window that begins on a holiday does; the day on which it begins is the one that counts.
 */
enum schedule_holidays {
	HOLIDAYS_KEEP, /* it holds as on any other day */
	HOLIDAYS_SKIP, /* it does not hold */
	HOLIDAYS_ONLY  /* it holds, and no others do */
};

/* Minutes of a week, local time of the configuration: bit d*1440+m, Monday first. */
struct snapshot_schedule {
	char name[SNAPSHOT_NAME_BYTES];
	uint8_t minutes[7 * 1440 / 8]; /* of windows that began on that day */
	int32_t utc_offset_s;
	uint8_t over[7 * 1440 / 8]; /* of windows that began on the day before */
	uint32_t holidays;          /* enum schedule_holidays */
};

/* One holiday; they ascend. */
struct snapshot_holiday {
	int32_t day; /* days since 1970-01-01, local time of the configuration */
};

#endif
