/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is not done before somebody has typed a word in full. */
#ifndef SEKISHO_CONSOLE_SURE_H
#define SEKISHO_CONSOLE_SURE_H

#include <stdint.h>

struct console;

/* A key while the word, or "no", is awaited. */
void sure_key(struct console *c, uint8_t byte);
/* accounts has confirmed the password of who wants `zeroise`: the question is sent. */
void sure_confirmed(struct console *c);

#endif
