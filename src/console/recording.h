/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `save screen recording`: the file that comes with the answer. */
#ifndef SEKISHO_CONSOLE_RECORDING_H
#define SEKISHO_CONSOLE_RECORDING_H

#include <stdint.h>

struct console;

/* The file that @query asked for; taken. */
void recording_take(struct console *c, uint32_t query, int fd);
/* Print what was taken; then the prompt. */
void recording_show(struct console *c);
/* Nobody waits for it any more. */
void recording_drop(struct console *c);

#endif
