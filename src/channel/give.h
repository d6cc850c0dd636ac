/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the supervisor gives a process with CONTROL_GIVE: one descriptor, and what it is for. */
#ifndef SEKISHO_CHANNEL_GIVE_H
#define SEKISHO_CHANNEL_GIVE_H

#include <stdint.h>

#define COUNTERS_BYTES (3U << 20) /* of the file with the counts of permits */

enum give_kind {
	GIVE_LINK = 1, /* a channel to the process (role, index, session); replaces an earlier one.
			* To audit: the reading end of that process's events; the name of the
			* source, whatever the records say */
	GIVE_PEER,     /* the session's accepted socket, non-blocking */
	GIVE_NETLINK,  /* a NETLINK_NETFILTER socket of the zone @index, for rules and conntrack */
	GIVE_QUEUE,    /* a NETLINK_NETFILTER socket of the zone @index, for its queue */
	GIVE_SYSLOG,  /* log-sender: a socket connected, or connecting, to its syslog server; audit:
		       * the link to a log-sender with a datagram socket to server @index of the
		       * snapshot */
	GIVE_STATE,   /* directory of the process's own state (audit: log, config: configurations);
			 config and audit have a second one, @index GIVE_STATE_KEYS */
	GIVE_TTY,     /* console @index: the terminal, read and write */
	GIVE_MESSAGE, /* flattener, mail-scanner: sealed memfd, the original */
	GIVE_OUTPUT,  /* flattener: write end of the pipe towards the sender */
	GIVE_CONFIG,  /* config: the file that --config names, read only */
	GIVE_CERTIFICATE, /* mail-receiver, screen-viewer, log-sender: chain and key of its entry's
			     slot, read only (keys.h) */
	GIVE_AUTHORITY,   /* mail-sender, screen-viewer, screen-source, log-sender: what the peer is
			     verified with, read only (keys.h) */
	GIVE_TRACK,       /* a NETLINK_NETFILTER socket of the zone @index, for ends of flows; the
			   * supervisor keeps it too, so that none is missed while netfilter is
			   * away */
	GIVE_CAPTURE,     /* a NETLINK_NETFILTER socket of the zone @index, for captured packets */
	GIVE_STATIONS,    /* netfilter: sealed memfd, the stations that are shut out (stations.h) */
	GIVE_COUNTERS,    /* netfilter: the file of counts, COUNTERS_BYTES long */
	GIVE_WHOLE,   /* a NETLINK_NETFILTER socket of the zone @index, for packets wanted whole */
	GIVE_RECEIPT, /* flattener: memfd to write the receipt into; audit: the same, sealed, of
			 @session */
	GIVE_SCANNER, /* mail-scanner: socket that connects to its scanner, non-blocking */
	GIVE_ALTERED, /* a NETLINK_NETFILTER socket of the zone @index, for changes of its rules by
			 others */
	GIVE_BROWSER, /* screen-viewer: as GIVE_PEER, from the port for browsers */
	GIVE_QUEUE_COUNTS, /* netfilter: the kernel's table of packet queues of the zone @index, a
			    * text to be read anew from its beginning */
	GIVE_FLOWS, /* a NETLINK_NETFILTER socket of the zone @index, for lists of its flows */
	GIVE_SEVER, /* a NETLINK_NETFILTER socket of the zone @index, for the flows to be ended */
	GIVE_CAPTURE_FILE, /* netfilter: what the capture that is asked for next is written into, or
			    * what QUERY_SAVE_CAPTURE is to print */
	GIVE_TIME_SERVER,  /* time-source: a datagram socket connected to time server @index of the
			    * snapshot, non-blocking */
	GIVE_PASSWORD,  /* screen-source: what it shows the desktop of its entry, read only (keys.h)
			 */
	GIVE_WATCHED,   /* arbiter: sealed memfd, zones and stations to watch (watched.h) */
	GIVE_PIXELS,    /* screen-source, to write; screen-viewer, to read: the session's memory
			 * (screen.h) */
	GIVE_RECORDING, /* screen-viewer: the file of its session's recording, to append to;
			 * console: one that is to be printed from where it stands, read only, as
			 * asked by the query @index */
	GIVE_USB_DESCRIPTORS, /* stick: what a USB device says of itself, read only */
	GIVE_USB_SWITCH,      /* stick: write '1' or '0': the kernel may use a USB device, or not */
};

enum { GIVE_STATE_OWN, GIVE_STATE_KEYS };

struct control_give {
	uint32_t kind;        /* enum give_kind */
	uint32_t role;        /* GIVE_LINK: enum role of the other end */
	uint32_t index;       /* zone, server or console, as the kind says */
	uint32_t session;     /* GIVE_LINK of sessions */
	uint32_t pid;         /* GIVE_LINK to audit: of the source; to accounts: of the console; 0
				 elsewhere */
	uint32_t person_role; /* GIVE_LINK to config, of a console: enum account_role */
	char person[24];      /* ... and the name of who sits there; empty: nobody in particular */
	char hands[128];      /* ... and as in struct control_person */
	uint32_t terminal;    /* GIVE_LINK to accounts: 1: of a terminal; 0: of a local socket */
	uint32_t recovery;    /* GIVE_TTY: 1: the key of recovery is listened for (recovery.h) */
	uint32_t failed;      /* GIVE_TTY: 1: the console that had it last did not end in order */
	uint32_t pad;
};

#endif
