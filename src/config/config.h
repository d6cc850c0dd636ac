/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of the config process: what runs, what is being edited, who asks. */
#ifndef SEKISHO_CONFIG_CONFIG_H
#define SEKISHO_CONFIG_CONFIG_H

#include "base/loop.h"
#include "base/process.h"
#include "base/sha256.h"
#include "channel/account.h"
#include "channel/console.h"
#include "channel/control.h"
#include "config/store.h"
#include "policy/calendar.h"
#include "policy/policy.h"

#define CONFIG_LINKS_MAX           8                      /* consoles */
#define CONFIG_TEXT_BYTES          (16U << 20)            /* of a printed configuration */
#define CONFIG_DESCRIPTORS         (CONFIG_LINKS_MAX + 2) /* watched by the loop */
#define CONFIG_NOBODY              UINT32_MAX             /* no link */
#define CONFIG_CONFIRM_MINUTES_MAX 1440 /* of a commit that waits to be confirmed */

struct config;

struct config_link {
	struct channel channel;
	struct loop_fd watch;
	struct config *config;
	uint32_t index;                  /* which console */
	uint32_t role;                   /* enum account_role, of who sits there */
	char person[ACCOUNT_NAME_BYTES]; /* empty: nobody in particular */
	char hands[ACCOUNT_HANDS_BYTES]; /* that have issued the person's password */
	char shown[SHA256_HEX_BYTES];    /* of all of the proposal that the person was shown last */
	bool used;
};

/* A commit that the supervisor has not answered yet. */
struct config_commit {
	bool active;
	bool first;    /* the one at start: nobody waits, and it is tried again */
	bool staged;   /* its text waits on disk for its name */
	bool edge;     /* the running one once more, because the time has changed what it means */
	bool returns;  /* what ran before one that nobody confirmed */
	bool proposal; /* that two persons made: it ends with this commit */
	bool chosen;   /* by persons, and nothing of it or behind it is lost: struct control_policy
			*/
	uint32_t confirm_minutes; /* returns by itself after; 0: for good */
	int64_t sent_s;           /* when it was sent: wall clock */
	uint64_t request;
	uint64_t first_administrator; /* number of the CONTROL_FIRST that it carries out; 0: none */
	uint32_t link;                /* who waits, CONFIG_NOBODY: no one */
	uint32_t serial, language;
	struct control_emergency emergency;
	struct store_entry entry;
	struct bytes text;   /* canonical */
	struct bytes block;  /* compiled */
	struct bytes warned; /* what whoever waits is told besides */
};

/* A saved configuration as it was read first. */
struct config_sight {
	uint32_t number; /* 0: none */
	uint8_t sha256[32];
};

/* A check of all that is saved, a file a turn of the loop. */
struct config_check {
	bool active;
	bool asked;              /* at a console, which waits for its answer */
	uint32_t next;           /* number of the file to be read; 0: none is left */
	uint32_t count, damaged; /* up to now */
	uint32_t link, serial;   /* @asked: who waits; CONFIG_NOBODY: no one any more */
	uint32_t language, console;
	char person[ACCOUNT_NAME_BYTES]; /* @asked */
	struct bytes told;
};

/* A commit that returns by itself. */
struct config_unconfirmed {
	uint32_t number;  /* of its configuration; 0: there is none */
	uint32_t back;    /* the one that comes back; 0: deny all */
	int64_t since_s;  /* wall clock */
	uint32_t minutes; /* 1..CONFIG_CONFIRM_MINUTES_MAX */
};

struct config {
	struct process process;
	struct loop loop;
	struct pollfd polls[CONFIG_DESCRIPTORS];
	struct loop_fd *fds[CONFIG_DESCRIPTORS];
	struct loop_timer commit_timer; /* the supervisor's answer is late, or the first commit is
					   tried again */
	struct config_link links[CONFIG_LINKS_MAX];
	int state_dir, keys_dir, file; /* -1: not given */
	struct bytes running_text;     /* canonical */
	struct bytes running_block;
	struct store_entry running_entry;
	bool running_chosen;   /* as in its commit */
	bool untouched;        /* struct control_policy */
	uint32_t newest;       /* number of the newest saved configuration */
	struct tree candidate; /* while @editor is somebody */
	uint32_t editor;       /* link, CONFIG_NOBODY */
	struct config_commit commit;
	uint64_t requests;                     /* counts commits sent */
	struct loop_timer edge_timer;          /* armed while what runs depends on the time */
	struct calendar_span edge_span;        /* while it means what it meant when it was sent */
	struct config_unconfirmed unconfirmed; /* runs */
	struct config_unconfirmed unconfirmed_note; /* is being committed */
	struct loop_timer unconfirmed_timer;
	uint64_t unconfirmed_due_ms;   /* monotonic */
	struct loop_timer slots_timer; /* looks at the clock, see config_slots_look */
	int64_t slots_looked_s;        /* wall clock */
	struct loop_timer saved_timer; /* the next check of what is saved, or its next file */
	struct config_check check;
	bool saved_begun, saved_whole;          /* was checked once; was whole the last time */
	struct config_sight sights[STORE_KEPT]; /* by number, modulo */
};

/* start.c */

/**
 * config_load - find the configuration to begin with: the newest whole saved one, the file given,
 * or none (deny all) Fills c->commit with it, not yet sent.
 * Return: 0 or -ERR_NO_MEMORY.
 */
int config_load(struct config *c);

/**
 * config_load_return - put the saved configuration @back, or the newest whole one before it, into
 * c->commit as a commit of its own; 0, or none whole: deny all
 * Return: 0 or -ERR_NO_MEMORY.
 */
int config_load_return(struct config *c, uint32_t back);

/* saved.c: whether what is saved is still what was saved (L3). */
void config_saved_init(struct config *c);
/* Check now, and each day from now on; nothing where nothing is saved. */
void config_saved_begin(struct config *c);
/* @number has just got its file: what it says now it has to say from now on. */
void config_saved_note(struct config *c, uint32_t number);

/* commit.c */

/* Reset c->commit to empty. */
void config_commit_init(struct config_commit *commit);
void config_commit_fini(struct config_commit *commit);

/**
 * config_commit_send - hand the compiled block of c->commit to the supervisor
 * Return: 0 or the error of sealing or sending; then nothing is under way.
 */
int config_commit_send(struct config *c);

/* The supervisor's answer to the commit under way; any other is ignored. */
void config_commit_settle(struct config *c, const struct control_committed *answer);

/* first.c */

/* Commit the first administrator, whatever rule of the running configuration holds for changes:
 * there is nobody yet who could keep it. CONTROL_FIRST_DONE follows. */
int config_handle_first(struct channel *ch, void *ctx, const struct channel_message *message);

/* The end of the commit that carries it out, or why there is none. */
void config_first_tell(struct config *c, uint64_t number, bool ok, struct span text);

/* unconfirmed.c */

void config_unconfirmed_init(struct config *c);

/**
 * config_unconfirmed_note - bring to the disk that @number, which is not saved yet, waits for
 * @minutes to be confirmed; before it is staged
 * Return: 0, or the error of file_replace: then it must not be committed.
 */
int config_unconfirmed_note(struct config *c, uint32_t number, uint32_t minutes);

/* What was noted has taken effect; or not, and what was before it holds again. */
void config_unconfirmed_settle(struct config *c, bool accepted);

/* What waits, if anything, stays for good: @person, who committed, confirms it. Return: 0 or
 * -ERR_SYSTEM: it goes on waiting. */
int config_unconfirmed_confirm(struct config *c, const char *person);

/* The configuration before runs again. @saved: and is the newest on the disk. */
void config_unconfirmed_returned(struct config *c, bool saved);

/* Seconds until it comes back. */
int64_t config_unconfirmed_rest_s(const struct config *c);

/**
 * config_unconfirmed_load - at the start: does the configuration @newest wait to be confirmed
 * Return: true where its time is over, or the clock cannot tell: c->unconfirmed.back must come.
 */
bool config_unconfirmed_load(struct config *c, uint32_t newest);

/* renewal.c */

void config_slots_init(struct config *c);
/* Look at what the running configuration names: now, and each day from now on. */
void config_slots_look(struct config *c);
/* ... within a minute: that something was loaded ended alarms, some of which may still hold. */
void config_slots_look_soon(struct config *c);

/* edge.c */

void config_edge_init(struct config *c);

/**
 * config_edge_watch - what was sent at @sent_s runs from now on: commit it again when the time
 * changes what it permits (Z10, C2)
 * The clock is looked at every second at least, so that a step of it, forward or back, is an edge
 * too; an edge between sending and now is not missed.
 */
void config_edge_watch(struct config *c, int64_t sent_s);

/* Whether the compiled policy @block depends on the time at all. */
bool config_edge_matters(const struct bytes *block);

/* requests.c */

/* Serve one request of a console; takes @fd where it sets *@fd to -1. Return: 0 or an error of the
 * channel. */
int config_serve(struct config *c, struct config_link *link, const struct console_request *request,
		 int *fd);

/**
 * config_answer - answer a console
 * @text: what it shows; empty: nothing
 * Return: as channel_send.
 */
int config_answer(struct config *c, struct config_link *link, uint32_t serial,
		  enum console_status status, struct span text);

/* End editing; what was changed is forgotten. */
void config_stop_editing(struct config *c);

#endif
