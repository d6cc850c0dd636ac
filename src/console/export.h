/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `export` and `import`: an export under way. */
#ifndef SEKISHO_CONSOLE_EXPORT_H
#define SEKISHO_CONSOLE_EXPORT_H

#include "channel/account.h"
#include "wire/export/export.h"

struct console;

struct console_export {
	char phrase[ACCOUNT_SECRET_BYTES]; /* until its key is begun */
	bool twice;                        /* a new one is typed twice */
	void (*on_phrase)(struct console *c);
	struct export_key key;
	void (*on_key)(struct console *c);
};

/* An export was pasted. */
void export_loaded(struct console *c);
/* STATE_KEY: derive the next piece of the key. */
void export_go_on(struct console *c);
/* Wipe passphrase and key. */
void export_forget(struct console *c);

#endif
