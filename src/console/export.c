/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `export` and `import` (C6): the running configuration under a passphrase, over this line. The
 * passphrase stays in this process: config gives and takes the plain text that it shows anyway.
 */
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/sealed.h"
#include "base/utf8.h"
#include "console/console.h"

/* A millisecond; a tenth of a second where a machine is slow and busy. */
#define PIECE_ROUNDS 2000U

static void say(struct console *c, const char *en, const char *ja)
{
	screen_say(c, en, ja);
	console_prompt(c);
}

void export_forget(struct console *c)
{
	explicit_bzero(c->export.phrase, sizeof(c->export.phrase));
	export_key_wipe(&c->export.key);
}

/* ---- the key */

/* A piece of the derivation at a time: the loop goes on, so that Ctrl-C is heard, the supervisor
 * answered, and a session ended, on a slow machine too (ADR 608). The passphrase is not needed any
 * more. */
static void derive(struct console *c, void (*on_key)(struct console *c))
{
	explicit_bzero(c->export.phrase, sizeof(c->export.phrase));
	screen_say(c, "deriving the key (Ctrl-C: give up)\n",
		   "鍵を生成しています (Ctrl-C: 中止)\n");
	c->export.on_key = on_key;
	console_enter_state(c, STATE_KEY, 0);
	loop_arm(&c->loop, &c->timer, 0);
}

void export_go_on(struct console *c)
{
	if (export_key_derive(&c->export.key, PIECE_ROUNDS))
		c->export.on_key(c);
	else
		loop_arm(&c->loop, &c->timer, 0); /* behind whatever else has come */
}

/* ---- out */

static void cannot_encrypt(struct console *c)
{
	say(c, "the configuration could not be encrypted\n", "設定を暗号化できません\n");
}

static void on_text(struct console *c, enum console_status status, struct span text)
{
	struct bytes out;

	if (status != CONSOLE_OK) {
		console_show_answer(c, status, text);
		return;
	}
	bytes_init(&out, CONSOLE_OUTPUT_BYTES);
	c->pipe.no_more = true;
	if (export_lock(&out, text, &c->export.key) < 0) {
		cannot_encrypt(c);
	} else {
		export_key_wipe(&c->export.key);
		screen_show(c, bytes_span(&out));
	}
	bytes_fini(&out);
}

/* Only now is it asked for: config records an export, and one that was given up is none. */
static void export_with_key(struct console *c)
{
	console_ask(c, CONSOLE_EXPORT, 0, NULL, -1, on_text);
}

static size_t characters(struct span text)
{
	uint32_t character;
	size_t count = 0, size;

	for (; (size = utf8_decode(text, &character)) > 0; count++)
		text = (struct span){text.data + size, text.size - size};
	return count;
}

static void export_with_phrase(struct console *c)
{
	uint8_t random[EXPORT_RANDOM_BYTES];

	if (characters(span_of(c->export.phrase)) < EXPORT_PHRASE_LEAST) {
		say(c, "a passphrase has at least 16 characters; nothing was exported\n",
		    "パスフレーズは16文字以上です。出力しませんでした\n");
	} else if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		cannot_encrypt(c);
	} else {
		export_key_begin(&c->export.key, c->export.phrase, random, EXPORT_ROUNDS);
		derive(c, export_with_key);
	}
}

void action_export(struct console *c, const char *tail, unsigned number)
{
	login_ask_phrase(c, true, export_with_phrase);
}

/* ---- in */

static void refuse_import(struct console *c)
{
	console_forget_load(c);
	say(c, "the passphrase is another one, or the export is not whole; nothing was loaded\n",
	    "パスフレーズが異なるか、出力が完全ではありません。読み込みませんでした\n");
}

static void import_with_key(struct console *c)
{
	struct bytes text;
	int fd = -1, err;

	bytes_init(&text, CONSOLE_INPUT_BYTES);
	err = export_unlock(&text, bytes_span(&c->load), &c->export.key);
	export_key_wipe(&c->export.key);
	if (err == 0)
		err = sealed_make("import", bytes_span(&text), &fd);
	bytes_fini(&text);
	if (err < 0) {
		refuse_import(c);
		return;
	}
	console_forget_load(c);
	console_ask(c, CONSOLE_LOAD_REPLACE, CONSOLE_LOAD_IMPORTED, NULL, fd, console_show_answer);
	close(fd);
}

static void import_with_phrase(struct console *c)
{
	if (export_key_begin_of(&c->export.key, c->export.phrase, bytes_span(&c->load)) < 0)
		refuse_import(c);
	else
		derive(c, import_with_key);
}

void export_loaded(struct console *c)
{
	login_ask_phrase(c, false, import_with_phrase);
}

void action_import(struct console *c, const char *tail, unsigned number)
{
	action_load(c, tail, CONSOLE_LOAD_REPLACE);
	c->load_use = LOAD_EXPORT;
}
