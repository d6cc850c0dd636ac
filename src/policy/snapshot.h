/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy snapshot: a compiled configuration as one flat, position-independent block in a sealed
 * memfd. Made by config (policy_compile), read by every process that decides or serves. All
 * references are indices into its tables; the loader checks every one of them before anybody looks.
 */
#ifndef SEKISHO_POLICY_SNAPSHOT_H
#define SEKISHO_POLICY_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#define SNAPSHOT_MAGIC         0x53454b49534e4150ULL /* "SEKISNAP" */
#define SNAPSHOT_VERSION       2
#define SNAPSHOT_BYTES_MAX     (32U << 20)
#define SNAPSHOT_NONE          UINT32_MAX /* no such index */
#define SNAPSHOT_ZONES_MAX     8
#define SNAPSHOT_NAME_BYTES    24 /* names of zones, services, entries, with NUL */
#define SNAPSHOT_PERMITS_MAX   10000
#define SNAPSHOT_STATIONS_MAX  20000
#define SNAPSHOT_NEXT_HOPS_MAX 16
#define SNAPSHOT_DEVICE_BYTES  16 /* IFNAMSIZ */
#define SNAPSHOT_NETWORKS_MAX  64 /* of one zone of a transparent crossing */
#define SNAPSHOT_BONDS_MAX     8
#define SNAPSHOT_MEMBERS_MAX   8 /* ports of one bond */
#define SNAPSHOT_HOLIDAYS_MAX  2000
#define SNAPSHOT_CONFORMS_MAX  1000
#define SNAPSHOT_QUEUES_MAX    8
#define SNAPSHOT_LIMIT_MAX     1000000 /* of a rate or a number of connections */
#define SNAPSHOT_PERSONS_MAX   100

/* A run of rows in another table. */
struct snapshot_range {
	uint32_t first;
	uint32_t count;
};

/* An address with its prefix length; IPv4 in the first four bytes, the rest zero. Network order. */
struct snapshot_prefix {
	uint8_t family; /* 4 or 6 */
	uint8_t bits;   /* 0..32 or 0..128 */
	uint8_t pad[2];
	uint8_t addr[16]; /* host bits kept for interface addresses, zero for matches */
};

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
	uint32_t isolate; /* 1: the station that raised such an alarm is shut out, as by `isolate
			     station` */
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
	 * Transparent: the zone at the other end of the bridge, SNAPSHOT_NONE where the zone is
	 * routed. A bridged zone has networks instead of addresses and routes: where its hosts
	 * stand, never empty. Both ends may have the same ones, and which side a host is on is
	 * decided by the port its packets come from. It is in this one crossing only, and the
	 * gateway listens and speaks nowhere in it. Of what is not IP, ARP alone passes.
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
	CROSSING_TRANSPARENT = 1, /* the two zones are bridged, each is the other's peer */
	CROSSING_OFFLOAD = 2      /* established flows take the flow table, in both directions */
};

/* Two zones that a veth pair joins, or a bridge; @low and @high are zone indices, low < high. */
struct snapshot_crossing {
	uint32_t low, high;
	struct snapshot_range permits; /* in permits, ordered by number */
	uint32_t flags;                /* enum crossing_flags */
	uint32_t queues; /* 1..SNAPSHOT_QUEUES_MAX: over how many queues new flows of this crossing
			    are spread; a zone needs the most of any of its crossings */
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

/* How a mail entry flattens, beyond the defaults. */
enum snapshot_mail_option {
	SNAPSHOT_MAIL_DEFANG = 1 << 0,           /* links as hxxps:// */
	SNAPSHOT_MAIL_REFUSE_AMBIGUOUS = 1 << 1, /* refuse what can be read in two ways */
	SNAPSHOT_MAIL_OPTIONS = SNAPSHOT_MAIL_DEFANG | SNAPSHOT_MAIL_REFUSE_AMBIGUOUS,
};

struct snapshot_mail {
	char name[SNAPSHOT_NAME_BYTES];
	uint32_t from, to; /* zone indices: senders' and next hop's */
	uint16_t listen_port;
	uint16_t next_hop_port;
	struct snapshot_range domains;   /* in texts-of-list: recipient domains, lower case */
	struct snapshot_range next_hops; /* in prefixes, in order of preference */
	uint64_t size_limit_bytes;
	uint32_t sessions_max;        /* in total */
	uint32_t sessions_per_source; /* per IPv4 address or IPv6 /64 */
	uint32_t recipients_max;      /* per message */
	uint32_t language;            /* of notices: 0 Japanese, 1 English */
	uint32_t text_host_name;      /* for banner, EHLO, Received */
	uint32_t options;             /* enum snapshot_mail_option */
	uint32_t scanner;             /* index; SNAPSHOT_NONE: messages are not scanned */
	uint32_t outbound;            /* 1: the rules for mail that leaves hold; else 0, and */
	uint32_t forwarded;           /* enum mail_forwarded */
	uint32_t attachments;         /* enum mail_attachments */
	uint32_t null_sender;         /* 1: the null reverse path may send */
	uint32_t pad_outbound;
	struct snapshot_range senders;      /* in texts-of-list: domains, and addresses with an @ */
	struct snapshot_range labels;       /* in texts-of-list: classifications that refuse */
	char tls_slot[SNAPSHOT_NAME_BYTES]; /* of our certificate; empty: no STARTTLS is offered */
	char authority_slot[SNAPSHOT_NAME_BYTES]; /* empty: the next hop is spoken to in plain */
	uint32_t text_hop_name;                   /* that its certificate must carry */
	uint32_t connects_per_minute;             /* of one source; 0: no limit */
	uint32_t mails_per_minute;                /* of one source; 0: no limit */
	uint32_t tls_required;                    /* 1: no mail without STARTTLS */
};

enum mail_forwarded { FORWARDED_REFUSE, FORWARDED_PASS };
enum mail_attachments { ATTACHMENTS_DROP, ATTACHMENTS_REFUSE, ATTACHMENTS_PASS };

enum scanner_kind { SCANNER_CLAMD, SCANNER_ICAP };
enum scanner_method { SCANNER_RESPMOD, SCANNER_REQMOD };

/* A virus scanner that messages are shown to. */
struct snapshot_scanner {
	char name[SNAPSHOT_NAME_BYTES];
	uint32_t zone;
	uint32_t kind; /* enum scanner_kind */
	struct snapshot_prefix address;
	uint16_t port;
	uint16_t pad[3];
	uint32_t method;          /* ICAP: enum scanner_method */
	uint32_t text_service;    /* ICAP: the service's path, without the slash */
	uint32_t timeout_ms;      /* for one message, from the connection to the verdict */
	uint32_t signature_age_s; /* older signatures raise an alarm; 0: not watched */
	uint64_t size_limit_bytes;
};

struct snapshot_screen {
	char name[SNAPSHOT_NAME_BYTES];
	uint32_t from, to; /* zone indices: viewers' and desktop's */
	uint16_t listen_port;
	uint16_t desktop_port;
	struct snapshot_prefix desktop;
	uint32_t
		security; /* 0: none, written out in the configuration; others come with VeNCrypt */
	uint32_t sessions_max;
	uint32_t idle_timeout_s;  /* 0: no limit */
	uint32_t session_limit_s; /* 0: no limit */
	uint32_t frame_rate_max;  /* updates a second sent to the viewer */
	uint32_t pad;
};

/* In the order of the words of the configuration's `transport`. */
enum snapshot_transport {
	SNAPSHOT_TRANSPORT_UDP,
	SNAPSHOT_TRANSPORT_TCP,
	SNAPSHOT_TRANSPORT_COUNT_
};

struct snapshot_syslog {
	uint32_t zone;
	uint32_t transport; /* enum snapshot_transport */
	struct snapshot_prefix server;
	uint16_t port;
	uint16_t pad[3];
};

/* Rules of the accounts: one row. */
struct snapshot_login {
	uint32_t age_s, administrator_age_s; /* of a password; 0: no limit */
	uint32_t logins_max;                 /* with one password; 0: no limit */
	uint32_t length_min;                 /* characters */
	uint32_t attempts;
	uint32_t lock_s;
	uint32_t idle_s;
	uint32_t session_s;
};

/* In the order of the words of the configuration's `role`. */
enum snapshot_role {
	SNAPSHOT_ROLE_ADMINISTRATOR,
	SNAPSHOT_ROLE_OPERATOR,
	SNAPSHOT_ROLE_AUDITOR,
	SNAPSHOT_ROLE_COUNT_
};

/* A person who may use the consoles. */
struct snapshot_person {
	char name[SNAPSHOT_NAME_BYTES];
	uint32_t role;      /* enum snapshot_role */
	uint32_t suspended; /* 1: may not */
	int64_t expires_s;  /* from this second since 1970 on no more; INT64_MAX: never */
	int64_t administrator_until_s; /* before it: administrator, whatever @role; 0: never */
};

/* One row of a list of texts: offset in the text section. */
struct snapshot_text {
	uint32_t at;
};

enum snapshot_section {
	SECTION_ZONES,
	SECTION_PREFIXES,
	SECTION_ROUTES,
	SECTION_STATIONS,
	SECTION_CROSSINGS,
	SECTION_PERMITS,
	SECTION_SERVICES,
	SECTION_SCHEDULES,
	SECTION_MAILS,
	SECTION_SCREENS,
	SECTION_SYSLOGS,
	SECTION_BONDS,
	SECTION_DEVICES,
	SECTION_CONFORMS,
	SECTION_HOLIDAYS,
	SECTION_LIST_TEXTS,
	SECTION_SCANNERS,
	SECTION_LOGINS,
	SECTION_PERSONS,
	SECTION_TEXT /* bytes */,
	SECTION_COUNT_
};

struct snapshot_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_bytes;
	uint64_t size_bytes; /* of the whole block */
	uint8_t sha256[32];  /* of the whole block with this field 0: identifies the policy */
	uint32_t text_organization; /* offsets in text */
	uint32_t text_host_name;
	int32_t utc_offset_s;
	uint32_t pad;
	struct {
		uint32_t offset; /* from the start of the block, 8-byte aligned */
		uint32_t count;  /* rows; bytes for text */
	} sections[SECTION_COUNT_];
};

/* A loaded snapshot: typed views into a read-only mapping. */
struct snapshot {
	const struct snapshot_header *header;
	size_t mapped_bytes; /* 0: storage is the caller's */
	const struct snapshot_zone *zones;
	const struct snapshot_prefix *prefixes;
	const struct snapshot_route *routes;
	const struct snapshot_station *stations;
	const struct snapshot_crossing *crossings;
	const struct snapshot_permit *permits;
	const struct snapshot_service *services;
	const struct snapshot_schedule *schedules;
	const struct snapshot_mail *mails;
	const struct snapshot_screen *screens;
	const struct snapshot_syslog *syslogs;
	const struct snapshot_bond *bonds;
	const struct snapshot_device *devices;
	const struct snapshot_conform *conforms;
	const struct snapshot_holiday *holidays;
	const struct snapshot_text *list_texts;
	const struct snapshot_scanner *scanners;
	const struct snapshot_login *logins;
	const struct snapshot_person *persons;
	const char *text;
	uint32_t zone_count, prefix_count, route_count, station_count, crossing_count, permit_count,
		service_count, schedule_count, mail_count, screen_count, syslog_count, bond_count,
		device_count, conform_count, holiday_count, list_text_count, scanner_count,
		login_count, person_count, text_bytes;
};

/**
 * snapshot_view - check a block and set up views into it
 * @block: 8-byte aligned, @size_bytes long; borrowed as long as @out is used
 * Return: 0; -ERR_INTEGRITY (magic, version, size, hash); -ERR_RANGE (an index, a range or a value
 * out of bounds, a text without NUL). Never reads outside the block.
 */
int snapshot_view(struct snapshot *out, const void *block, size_t size_bytes);

/**
 * snapshot_view_structure - snapshot_view without the hash: the part that is proved, and what a
 * fuzzer can get past
 * Return: as snapshot_view.
 */
int snapshot_view_structure(struct snapshot *out, const void *block, size_t size_bytes);

/* The hash that a block with this header must carry. @block: as snapshot_view's, at least a header
 * long. */
void snapshot_digest(uint8_t digest[32], const void *block, size_t size_bytes);

/**
 * snapshot_load - map a sealed memfd read-only and view it
 * @fd: borrowed; must be sealed against write, shrink and grow
 * Return: as snapshot_view; -ERR_INTEGRITY without seals; -ERR_SYSTEM.
 */
int snapshot_load(struct snapshot *out, int fd);
void snapshot_unload(struct snapshot *snapshot);

/* The NUL-terminated text at an offset that the loader has checked. */
static inline const char *snapshot_text_at(const struct snapshot *s, uint32_t at)
{
	return s->text + at;
}

#endif
