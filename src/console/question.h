/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions that are answered by a line, without commands, help or completion. */
#ifndef SEKISHO_CONSOLE_QUESTION_H
#define SEKISHO_CONSOLE_QUESTION_H

#include <stdint.h>

struct console;

/* A key of the answer. @take: the line is whole, in the editor; @give_up: Ctrl-C or Ctrl-D. */
void question_key(struct console *c, uint8_t byte, void (*take)(struct console *),
		  void (*give_up)(struct console *));

#endif
