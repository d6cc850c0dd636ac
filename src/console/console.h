/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a console process: one terminal, one person, one thing at a time. */
#ifndef SEKISHO_CONSOLE_CONSOLE_H
#define SEKISHO_CONSOLE_CONSOLE_H

#include <termios.h>

#include "base/loop.h"
#include "base/process.h"
#include "channel/account.h"
#include "channel/console.h"
#include "channel/control.h"
#include "console/ending.h"
#include "console/export.h"
#include "console/layout.h"
#include "console/line.h"
#include "console/recovery.h"
#include "policy/edit.h"
#include "policy/schema.h"

#define CONSOLE_DESCRIPTORS  5
#define CONSOLE_INPUT_BYTES  (16U << 20) /* typed or pasted ahead */
#define CONSOLE_OUTPUT_BYTES (64U << 20)

enum console_mode { MODE_OPERATIONAL = 1, MODE_CONFIGURE = 2 };

enum console_state {
	STATE_BANNER,   /* the owner's name stands on the screen */
	STATE_ENTRY,    /* a name or a password is being typed */
	STATE_LOGIN,    /* accounts has been asked */
	STATE_RECOVERY, /* the supervisor has been asked for a recovery, or for its end */
	STATE_FIRST,    /* a question about the first administrator is being answered */
	STATE_BEGIN,    /* a person is here; config's link is awaited */
	STATE_PROMPT,   /* a line is being edited */
	STATE_ASKED,    /* config has been asked */
	STATE_ROWS,     /* a query is out: rows come */
	STATE_PAGE,     /* a full page stands: a key goes on */
	STATE_TRIAL,    /* a mail is being flattened */
	STATE_LOAD,     /* text is pasted up to Ctrl-D */
	STATE_SURE,     /* "yes" or "no" is awaited */
	STATE_FOLLOW,   /* the log is followed: between two questions */
	STATE_USB,      /* a memory stick is being used */
	STATE_KEY,      /* a key is being derived, piece by piece */
	STATE_LOST,     /* accounts has gone: the supervisor says what for */
	STATE_END,      /* the last of the output is being written: no way leads out */
};

/* What is being typed in STATE_ENTRY. */
enum login_step {
	LOGIN_NAME,
	LOGIN_SECRET,
	LOGIN_CODE,
	LOGIN_PRESENT,
	LOGIN_FRESH,
	LOGIN_AGAIN,
	LOGIN_FIRST_CODE,
	LOGIN_RECOVERY, /* whose password was lost; no login */
	LOGIN_NOTED,    /* it was shown: Enter */
	LOGIN_PHRASE,   /* of an export; no login */
	LOGIN_PHRASE_AGAIN,
	LOGIN_CONFIRM /* the password once more; no login */
};

/* What is asked of whoever sets up the first administrator; then the password. */
enum first_step {
	FIRST_LANGUAGE,
	FIRST_ORGANIZATION,
	FIRST_HOST,
	FIRST_PRESET,
	FIRST_NAME,
	FIRST_SURE,
	FIRST_STEP_COUNT_
};

/* `monitor log` (follow.c). */
struct follow {
	bool on;
	char place[48];    /* where the log was read up to; empty: nothing was read yet */
	char text[64];     /* that records must contain */
	unsigned refusals; /* one after the other */
};

/* What becomes of what is pasted. */
enum load_use { LOAD_CONFIG, LOAD_TRIAL, LOAD_EXPORT };

struct console;
typedef void console_answer_fn(struct console *c, enum console_status status, struct span text);

struct console {
	struct process process;
	struct loop loop;
	struct pollfd polls[CONSOLE_DESCRIPTORS];
	struct loop_fd *fds[CONSOLE_DESCRIPTORS];
	struct loop_fd control_watch, link_watch, account_watch, tty_watch;
	struct loop_timer timer; /* of the state: answer overdue, banner over */
	uint32_t index;          /* which console */
	bool ready;              /* START has come */

	int tty;
	bool is_terminal; /* not a socket: its settings are ours to restore */
	struct termios saved;
	unsigned rows, columns;
	bool ambiguous_wide;
	struct bytes input; /* what came and is not yet used, from input_at on */
	size_t input_at;
	struct bytes output; /* what is not yet written, from output_at on */
	size_t output_at;

	enum console_state state;
	enum console_mode mode;
	enum language language;
	struct line line;
	char path[CONSOLE_PATH_BYTES]; /* where `edit` stands */
	char host[256], organization[256];
	bool changed; /* the candidate differs */

	struct channel link; /* to config; fd -1: not there */
	uint32_t serial;     /* of the last request */
	console_answer_fn *on_answer;
	struct console_request request; /* being built; large */

	struct channel account; /* to accounts; fd -1: not there */
	uint32_t account_serial;
	uint32_t account_role; /* enum account_role, of the person here */
	struct account_request account_request;
	bool greeted, login_codes; /* codes: a code is asked for besides the password */
	enum login_step login_step;
	enum login_step login_from;       /* where a login that is not done goes on */
	char entry[ACCOUNT_SECRET_BYTES]; /* being typed */
	size_t entry_size;
	bool entry_cut; /* more was typed than it takes */
	struct console_export export;
	uint64_t active_ms; /* when accounts last heard of a key */

	bool is_first; /* there is no administrator yet: nothing but the dialogue is served */
	enum first_step first_step;
	struct account_first first;

	struct console_recovery recovery;
	struct console_ending ending;

	uint32_t query; /* number of the last query */
	struct layout_table table;
	struct bytes preface;   /* text that is shown before the table */
	const char *when_empty; /* shown where the answer has neither; NULL: nothing is */
	void (*on_table)(struct console *c); /* goes on behind the table; NULL: the prompt does */
	struct layout_pipe pipe;             /* of the command that runs */
	struct bytes page;                   /* what is shown, from page_at on */
	size_t page_at;

	struct evidence *evidence; /* being collected; NULL: none */
	int recording_fd;          /* to be printed when its answer ends; -1: none */

	enum query_kind sure; /* what the word will have done */
	char zeroise_reason[CONTROL_ARGUMENT_BYTES];
	struct follow follow;
	enum usb_kind usb_kind; /* STATE_USB: what for */
	enum console_kind load_kind;
	enum load_use load_use;
	char load_slot[64]; /* certificates: where to */
	struct bytes load;
};

/* screen.c: the terminal */

/* Take over the terminal @c->tty: raw mode, size. Return: 0 or -ERR_SYSTEM. */
int screen_open(struct console *c);
void screen_close(struct console *c);
/* The terminal has told its size. */
void screen_report(struct console *c);
/* Print text; every "\n" becomes "\r\n". What the output has no room for is lost. */
void screen_print(struct console *c, struct span text);
void screen_printf(struct console *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* In the language of the terminal. */
void screen_say(struct console *c, const char *en, const char *ja);
/* Write what the terminal takes now: 0 or -ERR_CLOSED; has it taken all; forget what is left. */
int screen_flush(struct console *c);
bool screen_is_drained(const struct console *c);
void screen_drop(struct console *c);
/* Show @text through the pipe of the running command, page by page; then the prompt. */
void screen_show(struct console *c, struct span text);
/* A key while a full page stands. */
void screen_page_key(struct console *c, uint8_t byte);
/* The owner's name over several rows (A10). */
void screen_banner(struct console *c);
/* What is on the screen stands for as long as the name does. */
void screen_stand(struct console *c);

/* main.c */

/* Back to the prompt; what was typed ahead is used from the loop. */
void console_prompt(struct console *c);
/* Wait in @state at most @ms; 0: without end. */
void console_enter_state(struct console *c, enum console_state state, uint64_t ms);
/* What was pasted may have been a key: overwrite it. */
void console_forget_load(struct console *c);
/* A person may work here: get the prompt, as soon as config's link is there. */
void console_begin(struct console *c);
/* Whether this is the first console after power-on (A10). */
bool console_is_power_on(const struct console *c);

/* asking.c: config and the others */

/**
 * console_ask - send a request to config; the console waits until it is answered or Ctrl-C is
 * pressed
 * @line: copied into the request; NULL: empty
 * @fd:   goes with it, borrowed; -1: nothing
 */
void console_ask(struct console *c, enum console_kind kind, uint32_t number, const char *line,
		 int fd, console_answer_fn *on_answer);
/* Show the answer's text, then the prompt: what most requests want. */
void console_show_answer(struct console *c, enum console_status status, struct span text);
/* Ask the supervisor, and show the rows as a table. */
void console_query(struct console *c, enum query_kind kind, const char *argument, uint32_t limit);
/* The rows that are awaited, if any are, are not any more. */
void console_withdraw(struct console *c);
extern const struct channel_rule console_link_rules[];
extern const size_t console_link_rule_count;
/* Show why there is no answer, as @row has it; then the prompt. */
void console_refuse(struct console *c, const struct control_row *row);
/* Another row of the answer may take its time anew. */
void console_await_row(struct console *c);
int console_take_row(struct console *c, const struct control_row *row);

/* login.c: who sits here */

/* Ask accounts whether a login is needed; then greet. */
void login_begin(struct console *c);
/* Behind the banner: the consent text and the name's prompt, or the commands'. */
void login_greet(struct console *c);
void login_key(struct console *c, uint8_t byte);
/* Wipe what was typed of secrets. */
void login_forget(struct console *c);
/* Ask for a new password, twice; then first_send. */
void login_ask_first(struct console *c);
/* Ask whose password is to be recovered. */
void login_ask_recovery(struct console *c);
/* Ask for a passphrase without echo, twice if it is a new one; then @on_phrase, c->export.phrase
 * set. */
void login_ask_phrase(struct console *c, bool twice, void (*on_phrase)(struct console *c));
void login_ask_confirmation(struct console *c); /* the password once more; then sure_confirmed */
/* A key was pressed: tell accounts, not too often. */
void login_active(struct console *c);
extern const struct channel_rule console_account_rules[];
extern const size_t console_account_rule_count;

/* matching.c */

/* Run the line that was typed. */
void command_run(struct console *c);
/* '?' and Tab. */
void command_help(struct console *c);
void command_complete(struct console *c);
/* All commands of a mode with their help, as text. */
void command_list(struct console *c, struct bytes *out);

/* actions.c: what commands do; @tail is the rest of the line, behind the command's words */

typedef void command_fn(struct console *c, const char *tail, unsigned number);
command_fn action_query, action_query_text, action_pending, action_compliance, action_query_alarms,
	action_timeline, action_query_log, action_query_mail_log, action_test_mail,
	action_configuration, action_history, action_version, action_help, action_exit,
	action_language, action_length, action_width, action_ambiguous, action_configure,
	action_change, action_edit, action_up, action_top, action_show, action_slots,
	action_compare, action_simple, action_commit, action_commit_confirmed, action_evidence,
	action_support, action_replay, action_test_proposal, action_with_text, action_rollback,
	action_load, action_load_password, action_password, action_account, action_export,
	action_import, action_power, action_zeroise, action_follow, action_load_usb,
	action_import_usb;

/* trial.c: a mail was pasted; and what became of it. */
void trial_loaded(struct console *c);
int trial_take_result(struct console *c, const struct control_flattened *body, int *fds,
		      size_t fd_count);

/* follow.c: the log is followed */

/* A row of the answer; @row is sound. */
void follow_take_row(struct console *c, const struct control_row *row);
/* The pause behind an answer is over: ask again, once the terminal has taken the last answer. */
void follow_go_on(struct console *c);
void follow_end(struct console *c);

/* evidence.c: an archive, for evidence or for support, is being collected. */
void evidence_take_row(struct console *c, const struct control_row *row);
/* Forget it. Nothing where there is none. */
void evidence_abandon(struct console *c);

/* Ctrl-D behind a paste: send it to config. */
void action_loaded(struct console *c);

#endif
