/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of a snapshot that is about screens: paths, their desktops, the persons who may look. */
#ifndef SEKISHO_POLICY_SNAPSHOT_SCREENS_H
#define SEKISHO_POLICY_SNAPSHOT_SCREENS_H

#include <stdbool.h>

#include "policy/snapshot_base.h"

#define SNAPSHOT_DESKTOPS_MAX     256 /* of one screen */
#define SNAPSHOT_SCREEN_USERS_MAX 5000
#define SNAPSHOT_GROUP_LIMITS_MAX 256

/* In the order of the words of the configuration's `security`. */
enum screen_security {
	SCREEN_SECURITY_NONE,       /* written out in the configuration: viewers are not asked */
	SCREEN_SECURITY_X509_PLAIN, /* TLS, then name and password */
	SCREEN_SECURITY_X509_NONE,  /* TLS with a certificate of the viewer */
	SCREEN_SECURITY_COUNT_
};

/* In the order of the words of the configuration's `encodings`. */
enum snapshot_encodings {
	SNAPSHOT_ENCODINGS_AUTOMATIC,
	SNAPSHOT_ENCODINGS_ZRLE,
	SNAPSHOT_ENCODINGS_COUNT_
};

/* In the order of the words of the configuration's `watermark`. */
enum snapshot_watermark {
	SNAPSHOT_WATERMARK_OFF,
	SNAPSHOT_WATERMARK_FAINT,
	SNAPSHOT_WATERMARK_CLEAR,
	SNAPSHOT_WATERMARK_STRONG,
	SNAPSHOT_WATERMARK_COUNT_
};

/* In the order of the words of the configuration's `on-full`. */
enum snapshot_on_full {
	SNAPSHOT_ON_FULL_END_SESSION,
	SNAPSHOT_ON_FULL_GO_ON,
	SNAPSHOT_ON_FULL_COUNT_
};

/* What a screen's desktops are asked for; the words of the configuration follow the first. */
enum desktop_security {
	DESKTOP_SECURITY_NONE, /* nothing is written: RFB's security type None */
	DESKTOP_SECURITY_VNC_AUTH,
	DESKTOP_SECURITY_X509_NONE,
	DESKTOP_SECURITY_X509_PLAIN,
	DESKTOP_SECURITY_COUNT_
};

/* How the gateway logs in at the desktops of a screen, and knows them. */
struct snapshot_access {
	uint32_t security;  /* enum desktop_security */
	uint32_t text_name; /* that their certificates must carry; empty: their address */
	uint32_t text_user; /* x509-plain; else empty */
	uint32_t pad;
	char authority_slot[SNAPSHOT_NAME_BYTES]; /* x509; else empty */
	char password_slot[SNAPSHOT_NAME_BYTES];  /* vnc-auth, x509-plain; else empty */
};

/* Whether a screen's sessions are recorded; all zero: they are not. */
struct snapshot_record {
	uint64_t size_limit_bytes;  /* of one session */
	uint64_t total_limit_bytes; /* of all of the screen */
	uint32_t keep_s;
	uint32_t on_full; /* enum snapshot_on_full */
};

/* What the users of a screen are told of its shadows, in the order of the words of `notice`. */
enum snapshot_notice { SNAPSHOT_NOTICE_STANDING, SNAPSHOT_NOTICE_LIVE, SNAPSHOT_NOTICE_COUNT_ };

/* Whether auditors may look on at a screen's sessions; all zero: they may not. */
struct snapshot_shadow {
	uint32_t limit_s;             /* of one look */
	uint32_t notice;              /* enum snapshot_notice */
	struct snapshot_range groups; /* in texts-of-list: whose sessions; empty: everybody's */
};

struct snapshot_screen {
	char name[SNAPSHOT_NAME_BYTES];
	uint32_t from, to; /* zone indices: viewers' and desktops' */
	uint16_t listen_port;
	uint16_t browser_port; /* HTTPS; 0: not in browsers */
	uint32_t security;     /* enum screen_security */
	uint32_t sessions_max; /* in total */
	uint32_t sessions_per_source;
	uint32_t sessions_per_user;
	uint32_t idle_timeout_s;                  /* 0: no limit */
	uint32_t session_limit_s;                 /* 0: no limit */
	uint32_t frame_rate_max;                  /* updates a second sent to the viewer */
	uint32_t schedule;                        /* permitted hours; SNAPSHOT_NONE: always */
	struct snapshot_range desktops;           /* in order of preference */
	struct snapshot_range groups;             /* in texts-of-list: whose users may look */
	char tls_slot[SNAPSHOT_NAME_BYTES];       /* of our certificate; empty only without TLS */
	char authority_slot[SNAPSHOT_NAME_BYTES]; /* of viewers' certificates; empty: not asked */
	uint32_t encodings;                  /* enum snapshot_encodings: asked of the desktop */
	uint32_t watermark;                  /* enum snapshot_watermark */
	struct snapshot_range browser_names; /* in texts-of-list: besides the zone's addresses */
	uint32_t bandwidth_kbit_s;           /* sent to the viewer; 0: no limit */
	uint32_t sessions_per_pair;          /* all from here to there; 0: no limit */
	struct snapshot_access access;
	struct snapshot_record record;
	struct snapshot_shadow shadow;
};

static inline bool snapshot_is_watchable(const struct snapshot_screen *screen)
{
	return screen->shadow.limit_s != 0;
}

static inline bool snapshot_is_recorded(const struct snapshot_screen *screen)
{
	return screen->record.size_limit_bytes != 0;
}

static inline bool snapshot_access_has_tls(const struct snapshot_access *a)
{
	return a->security == DESKTOP_SECURITY_X509_NONE ||
	       a->security == DESKTOP_SECURITY_X509_PLAIN;
}

static inline bool snapshot_access_has_password(const struct snapshot_access *a)
{
	return a->security == DESKTOP_SECURITY_VNC_AUTH ||
	       a->security == DESKTOP_SECURITY_X509_PLAIN;
}

struct snapshot_desktop {
	struct snapshot_prefix address; /* a host */
	uint16_t port;
	uint16_t pad;
};

/* A person who may see screens; passwords are kept by accounts. */
struct snapshot_screen_user {
	char name[SNAPSHOT_NAME_BYTES];
	struct snapshot_range groups;    /* in texts-of-list */
	struct snapshot_desktop desktop; /* the only one; family 0: any of the screen's */
	uint32_t suspended;              /* 1: may not */
	uint32_t pad;
	int64_t expires_s; /* from this second since 1970 on no more; INT64_MAX: never */
};

/* What all users of one group may have together, on all screens. */
struct snapshot_group_limit {
	char group[SNAPSHOT_NAME_BYTES];
	uint32_t sessions_max;
	uint32_t pad;
};

#endif
