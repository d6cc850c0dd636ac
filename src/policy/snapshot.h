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

#include "policy/snapshot_base.h"
#include "policy/snapshot_packets.h"
#include "policy/snapshot_screens.h"

#define SNAPSHOT_MAGIC     0x53454b49534e4150ULL /* "SEKISNAP" */
#define SNAPSHOT_VERSION   6
#define SNAPSHOT_BYTES_MAX (32U << 20)

/* Mail and screen sessions at one time, all entries together: what the supervisor has room for. */
#define SNAPSHOT_SESSIONS_MAX 320

#define SNAPSHOT_CONNECTIONS_MAX (4U << 20)
#define SNAPSHOT_WATCH_S_MIN     60U
#define SNAPSHOT_WATCH_S_MAX     (90U * 86400U)
#define SNAPSHOT_WATCH_S_DEFAULT (7U * 86400U)
#define SNAPSHOT_RETENTION_S_MIN 86400U
#define SNAPSHOT_RETENTION_S_MAX (3650U * 86400U)

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
	uint32_t total_connects_per_minute;       /* of all sources; 0: no limit */
	uint32_t total_mails_per_minute;          /* of all sources; 0: no limit */
	uint32_t tls_required;                    /* 1: no mail without STARTTLS */
};

enum mail_forwarded { FORWARDED_REFUSE, FORWARDED_PASS };
enum mail_attachments {
	ATTACHMENTS_DROP,
	ATTACHMENTS_REFUSE,
	ATTACHMENTS_PASS_TEXT, /* files that are text leave behind a clean scan */
	ATTACHMENTS_PASS_FILES /* and documents and pictures, unread */
};

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
	uint64_t test_bytes; /* of the message that shows it the test file; 0: none is shown */
};

/* In the order of the words of the configuration's `transport`. */
enum snapshot_transport {
	SNAPSHOT_TRANSPORT_UDP,
	SNAPSHOT_TRANSPORT_TCP,
	SNAPSHOT_TRANSPORT_TLS,
	SNAPSHOT_TRANSPORT_COUNT_
};

struct snapshot_syslog {
	uint32_t zone;
	uint32_t transport; /* enum snapshot_transport */
	struct snapshot_prefix server;
	uint16_t port;
	uint16_t pad[3];
	char authority_slot[SNAPSHOT_NAME_BYTES];   /* TLS: what verifies it; else empty */
	char certificate_slot[SNAPSHOT_NAME_BYTES]; /* TLS: what we show; empty: nothing */
	uint32_t text_name; /* TLS: the name or address that its certificate must carry */
	uint32_t pad_name;
};

/* A server that the time is asked of (NTP, RFC 5905). */
struct snapshot_time_server {
	uint32_t zone;
	uint32_t lost_after_s; /* without an answer of any of them: an alarm */
	struct snapshot_prefix address;
	uint32_t pad;
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
	uint32_t two_person;    /* 1: a change takes a second person's approval (C1) */
	uint32_t totp_required; /* 1: whoever has no second factor enrols one first (A9) */
	uint32_t change_window; /* schedule within which changes may be made; SNAPSHOT_NONE: always
				 */
	uint32_t pad;
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
	SECTION_DESKTOPS,
	SECTION_SCREEN_USERS,
	SECTION_GROUP_LIMITS,
	SECTION_TIME_SERVERS,
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
	uint32_t connections_max; /* flows that each zone may have at one time; 0: by memory */
	uint32_t watch_s;         /* how long to watch what was isolated */
	uint32_t recovery_off;    /* 1: lost passwords cannot be recovered at the terminal */
	uint32_t language;        /* in which consoles greet: 0 English, 1 Japanese */
	uint32_t usb;             /* 1: memory sticks may be used at the console */
	uint32_t retention_s;     /* how long records are to be kept; 0: not watched */
	uint32_t reserved;        /* 0: no padding behind the sections */
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
	const struct snapshot_desktop *desktops;
	const struct snapshot_screen_user *screen_users;
	const struct snapshot_group_limit *group_limits;
	const struct snapshot_time_server *time_servers;
	const char *text;
	uint32_t zone_count, prefix_count, route_count, station_count, crossing_count, permit_count,
		service_count, schedule_count, mail_count, screen_count, syslog_count, bond_count,
		device_count, conform_count, holiday_count, list_text_count, scanner_count,
		login_count, person_count, desktop_count, screen_user_count, group_limit_count,
		time_server_count, text_bytes;
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

/* Queues that packets are divided over: the most of any crossing. Which crossing a packet is of is
 * not known before it is judged, so it counts for all zones. */
static inline uint32_t snapshot_queues(const struct snapshot *s)
{
	uint32_t queues = 1;

	for (uint32_t i = 0; i < s->crossing_count; i++) {
		if (s->crossings[i].queues > queues)
			queues = s->crossings[i].queues;
	}
	return queues;
}

/* The NUL-terminated text at an offset that the loader has checked. */
static inline const char *snapshot_text_at(const struct snapshot *s, uint32_t at)
{
	return s->text + at;
}

#endif
