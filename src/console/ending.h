/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a console ends: the person reads why, as far as the terminal takes it. */
#ifndef SEKISHO_CONSOLE_ENDING_H
#define SEKISHO_CONSOLE_ENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct console;

struct console_ending {
	bool failed_before; /* the process before this one at the terminal did not end in order */
	bool left;          /* the person has typed `exit` */
	bool is_told;       /* somebody else ends it: there is little time */
	uint64_t by_ms;     /* STATE_END: monotonic; what is not written by then is lost */
	size_t written;     /* as output_at was when that was set */
};

/* End in order: what there is to be read is written as long as the terminal takes some of it in 10
 * s. Until then nothing that is typed or answered counts any more. */
void console_end(struct console *c);
/* The person leaves: the same, and the record of it says so. */
void console_leave(struct console *c);
/* End within 0.8 s, and say why: the text is a line, in the language of the terminal. What the
 * terminal has not taken yet is dropped before it. Where it ends already, only the time counts. */
void console_end_saying(struct console *c, const char *en, const char *ja);
/* As CONTROL_STOP says. @why: enum session_end of the supervisor */
void console_end_as_told(struct console *c, uint32_t why);
/* accounts has gone: the supervisor says what that means, or it is said without it. */
void console_await_end(struct console *c);
/* In STATE_END, behind each turn of the loop: end, if all is written or time is over. */
void console_go_on_ending(struct console *c);

#endif
