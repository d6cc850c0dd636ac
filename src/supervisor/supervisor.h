/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The supervisor's one state, and what its parts call of each other. */
#ifndef SEKISHO_SUPERVISOR_SUPERVISOR_H
#define SEKISHO_SUPERVISOR_SUPERVISOR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/channel.h"
#include "base/event.h"
#include "base/loop.h"
#include "base/sha256.h"
#include "channel/control.h"
#include "policy/snapshot.h"
#include "supervisor/query/asking.h"
#include "supervisor/query/waiting.h"
#include "supervisor/isolation/emergencies.h"
#include "supervisor/isolation/watchlist.h"
#include "supervisor/log_senders.h"
#include "supervisor/outfit.h"
#include "supervisor/persons.h"
#include "supervisor/sessions/rates.h"
#include "supervisor/recovery/recovery.h"
#include "supervisor/reserve.h"
#include "supervisor/sessions/scanning.h"
#include "supervisor/sessions/session.h"
#include "supervisor/spawn.h"
#include "supervisor/time/timekeeping.h"
#include "supervisor/sessions/trial.h"
#include "supervisor/usb/usb.h"
#include "supervisor/zeroise/zeroise.h"
#include "supervisor/zones/zones.h"

#define CHILDREN_MAX  1024 /* processes at a time */
#define SESSIONS_MAX  SNAPSHOT_SESSIONS_MAX
#define LISTENERS_MAX 128
#define CONSOLES_MAX  4
#define LOOP_MAX      (CHILDREN_MAX + LISTENERS_MAX + 16)

enum child_state {
	CHILD_FREE = 0,
	CHILD_STARTING,
	CHILD_READY,
	CHILD_DOWN,   /* waits to be started again */
	CHILD_RESERVE /* started, waits to be given a session: reserve.h */
};

struct child {
	struct supervisor *sup;
	enum child_state state;
	enum role role;
	uint32_t index;          /* console number, entry of the snapshot */
	struct session *session; /* NULL: not of a session */
	pid_t pid;
	bool reaped; /* its last messages are served: the pid is a name, no longer a target */
	struct channel control;
	struct loop_fd watch;
	int events_fd; /* reading end of its events, kept for a restarted audit; -1: none */
	struct loop_timer timer; /* start deadline, then ping, then restart */
	struct loop_timer life;  /* end of a bounded lifetime */
	uint64_t started_ms;
	uint64_t ping_number;
	uint32_t unanswered; /* pings since it was last heard */
	uint32_t deaths;     /* in a row, without a long life between */
	/* It is not wanted any more, or not as it is: its end is no fault; not to come back. */
	bool dismissed, unwanted;
	bool told;   /* a scanner: it has said what it found, or nobody wants to know */
	bool is_tty; /* consoles: start again when it ends */
	bool failed; /* its process before did not end in order */
	struct log_sender_ends ends;   /* log-senders: until they are given */
	struct snapshot_syslog syslog; /* log-senders: the server, as its policy had it */
	int tty_fd;                    /* consoles: the terminal; -1 otherwise */
	uint32_t person_role;          /* consoles: enum account_role of who sits there */
	char person[24];               /* consoles: the name; empty: nobody in particular */
	char hands[128];               /* consoles: as in struct control_person */
	uint32_t wipe_shown;        /* consoles: which proposal to wipe was shown last; 0: none */
	struct asking asking;       /* consoles: their questions */
	struct person_wait waiting; /* consoles: for the record of the login */
};

struct listener {
	bool used;
	bool keep; /* while the set is renewed */
	struct supervisor *sup;
	struct loop_fd watch;
	enum role near_role;
	char entry[SNAPSHOT_NAME_BYTES];
	char zone[SNAPSHOT_NAME_BYTES];
	char device[RTNL_NAME_BYTES]; /* the zone's port that it is bound to */
	struct snapshot_prefix address;
	uint16_t port;
	struct refusals refusals;
};

/* Events of a process that died while audit was down. */
struct orphan {
	struct control_give give;
	int fd;
};

/* The end of the machine that a person has asked for (power.h). */
struct power {
	uint64_t record; /* number of the CONTROL_RECORD that it waits for; 0: none */
	struct control_query query;
};

/* A policy that runs, ran, or may run. */
struct policy_run {
	int fd; /* sealed memfd; -1: none */
	struct snapshot snapshot;
	struct control_policy policy;
	uint64_t epoch;
};

enum commit_state {
	COMMIT_IDLE = 0,
	COMMIT_WAITING /* for processes to be ready */,
	COMMIT_PREPARING,
	COMMIT_APPLYING
};

struct commit {
	enum commit_state state;
	struct policy_run candidate;
	struct policy_run previous; /* while the candidate is being applied */
	uint64_t request;           /* of config; 0: the supervisor's own */
	uint32_t waiting;           /* bit mask of holders that have not answered */
	bool is_rollback;
	char reason[ZONES_REASON_BYTES]; /* why the first attempt failed, while its rollback runs */
	struct loop_timer deadline;
};

struct options {
	enum machine_start start;
	const char *config_path, *state_path, *prefix, *console_path, *watchdog_path;
	bool sets_clock, own_machine, own_disk, uses_usb;
};

struct supervisor {
	struct options options;
	struct loop loop;
	struct pollfd polls[LOOP_MAX];
	struct loop_fd *loop_fds[LOOP_MAX];
	struct spawn spawn;
	struct zones zones;
	struct event_client events; /* to audit */
	int events_read_fd;         /* reading end of our own, for audit */
	struct orphan orphans[64];
	size_t orphan_count;
	struct child children[CHILDREN_MAX];
	struct session sessions[SESSIONS_MAX];
	struct listener listeners[LISTENERS_MAX];
	struct rates rates; /* of mail and of screens */
	struct reserve reserve;
	uint32_t session_last_id, query_serial; /* count sessions, and questions passed on */
	uint64_t record_serial;                 /* counts questions to audit */
	uint32_t screen_asks; /* logins at screens that accounts has not judged yet */
	struct policy_run running;
	struct commit commit;
	uint64_t epoch_last;
	bool said_ready, stopping;
	int exit_status;
	bool audit_stops; /* the last of all: it has been told to end */
	struct power power;
	struct zeroise zeroise;
	/* directories; then a file, -1: it could not be made */
	int state_fd, audit_fd, config_fd, keys_fd, accounts_fd, device_fd, isolation_fd,
		captures_fd;
	int counters_fd, console_listen_fd;
	struct loop_fd console_watch;
	int terminal_fd;                  /* waits for its console to be started; -1: none does */
	struct loop_timer terminal_timer; /* then people are let in, whatever the zones do */
	int lock_fd, watchdog_fd;
	struct loop_timer watchdog_timer;
	uint64_t last_ready_ms[ROLE_COUNT_]; /* for the watchdog */
	struct loop_timer stop_timer;
	struct loop_timer connections_timer, survey_timer;
	bool survey_due, survey_again; /* a look within two seconds; one more behind it */
	struct connections_table connections_table;
	struct scanner_state scanners[SNAPSHOT_SCANNERS_MAX];
	struct trial trial;
	struct usb usb;
	struct scanner_watch scanner_watch;
	struct emergencies emergencies;
	struct watchlist watchlist;
	struct timekeeping time;
	struct person_gone gone[CONSOLES_MAX];
	struct first_wait first;
	struct recovery recovery;
	struct recordings recordings;
	struct restore restores[CONSOLES_MAX];
	struct replay_candidate replay_candidate;
};

/* event.c of this directory: an event goes to audit and, as text, to stderr. */
#define supervisor_event(sup, id, ...)                                                             \
	supervisor_emit((sup), (id), (const struct event_arg[]){{0}, ##__VA_ARGS__} + 1,           \
			sizeof((const struct event_arg[]){{0}, ##__VA_ARGS__}) /                   \
					sizeof(struct event_arg) -                                 \
				1)
void supervisor_emit(struct supervisor *sup, enum event_id id, const struct event_arg *args,
		     size_t arg_count);

/* stop.c: end in order. @why: a field of the record of it. Nothing where that has begun. */
void supervisor_stop(struct supervisor *sup, struct event_arg why);
/* A process has ended: the next step, where an end has begun. */
void supervisor_go_on_stopping(struct supervisor *sup);

/* children.c: starting, watching and ending processes. */
struct child *child_find(struct supervisor *sup, enum role role, uint32_t index);
static inline bool child_is_alive(const struct child *child)
{
	return child && (child->state == CHILD_STARTING || child->state == CHILD_READY);
}
/* A new process of a role, which is yet to be started; NULL where the table is full. @session may
 * be NULL. */
struct child *child_add(struct supervisor *sup, enum role role, uint32_t index,
			struct session *session, int tty_fd, bool is_tty);
/* Give a descriptor; borrowed. A child that does not take it is killed. */
void child_give(struct child *child, const struct control_give *give, int fd);
/* As channel_send; a child whose queue is full or broken is killed. */
void child_send(struct child *child, uint16_t type, const void *body, size_t body_bytes,
		const int *fds, size_t fd_count);
/* SIGKILL; its death is handled when it is reaped. @why: for the event; NULL: none of its own. */
void child_kill(struct child *child, const char *why);
/* A session's process is told everything, then CONTROL_START. Return: 0 or -ERR_SYSTEM. */
int child_launch(struct child *child);
void child_retry(struct child *child);   /* it could not be started: again, after a while */
void child_dismiss(struct child *child); /* it is ended, and does not come back */
/* The first half of that: it runs, confined, and waits to be told. Return: 0 or -ERR_SYSTEM. */
int child_prepare(struct child *child);
void child_begin(struct child *child); /* the second: what a prepared child is to do */
void child_reap_all(struct supervisor *sup);
/* @audit: those of the log (log_senders_is_of_log); else all the others. */
void child_stop_all(struct supervisor *sup, bool audit);
size_t child_alive_count(const struct supervisor *sup, bool audit);
const char *child_name(const struct child *child);

/* control.c: the table of what children may send. */
extern const struct channel_rule control_rules[];
extern const size_t control_rule_count;
#define CONTROL_STATE_STARTING 31U /* channel state before READY; afterwards it is the role */

/* commit.c */
void commit_begin(struct supervisor *sup, int snapshot_fd, const struct control_commit *asked);
void commit_prepared(struct child *child, uint64_t epoch);
void commit_refused(struct child *child, const struct control_refused *refused);
void commit_applied(struct child *child, uint64_t epoch);
void commit_child_ready(struct child *child);
void commit_child_died(struct child *child);
/*
 * Make the kernel hold the running policy again, after isolation or a shut path changed. A commit
 * that is being prepared is given up. 0 or an error.
 */
int commit_reconverge(struct supervisor *sup);
void commit_fini(struct supervisor *sup);
/* Tell accounts whom to admit: the running policy, or the first one while it is being tried. */
void commit_tell_accounts(struct supervisor *sup);

/* sockets.c: sockets inside zones. Each returns a descriptor or an error. */
int sockets_netfilter(struct supervisor *sup, struct zone *zone);
/* For ends of flows: the same socket for each life of netfilter. */
int sockets_track(struct supervisor *sup, struct zone *zone);
/* What netfilter is given for each zone, by enum give_kind. */
int sockets_of_zone(struct supervisor *sup, struct zone *zone, uint32_t kind);
/* A socket that connects to syslog server @index of @snapshot. */
int sockets_syslog(struct supervisor *sup, const struct snapshot *snapshot, uint32_t index);
/* Connected to time server @index of @snapshot; -ERR_SYSTEM also where no way leads to it now. */
int sockets_time_server(struct supervisor *sup, const struct snapshot *snapshot, uint32_t index);
int sockets_connect(struct supervisor *sup, const char *zone_name,
		    const struct snapshot_prefix *address, uint16_t port);
/* Open what @snapshot listens on and close what it does not. 0 or an error with zones.reason. */
int sockets_listen(struct supervisor *sup, const struct snapshot *snapshot);
void sockets_close_all(struct supervisor *sup);

/* stations.c: stations that are shut out. */
/* Give netfilter the whole list. Return: 0 or an error. */
int stations_give(struct supervisor *sup, struct child *netfilter);
int stations_handle_alarm(struct channel *ch, void *ctx, const struct channel_message *message);

/* station_sever.c: end the flows and sessions of a station that is shut out. */
void station_sever(struct supervisor *sup, const struct station_shut *station);

/* query/isolate.c: netfilter has died; zones that wait for it to be restored stay isolated. */
void restore_netfilter_died(struct supervisor *sup);

/* consoles.c */
int consoles_open(struct supervisor *sup);
/* The zones enforce for the first time: accounts and the terminal may take the processor now. */
void consoles_enforcing(struct supervisor *sup);
void consoles_close(struct supervisor *sup);

/* lockdown.c: give up what the supervisor itself does not need. 0 or -ERR_SYSTEM. */
int lockdown(bool sets_clock);

#endif
