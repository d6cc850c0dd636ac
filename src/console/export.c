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
#include "wire/export/export.h"

static void say(struct console *c, const char *en, const char *ja)
{
	screen_say(c, en, ja);
	console_prompt(c);
}

/* ---- out */

static void on_text(struct console *c, enum console_status status, struct span text)
{
	uint8_t random[EXPORT_RANDOM_BYTES];
	struct bytes out;

	if (status != CONSOLE_OK) {
		explicit_bzero(c->phrase, sizeof(c->phrase));
		console_show_answer(c, status, text);
		return;
	}
	bytes_init(&out, CONSOLE_OUTPUT_BYTES);
	c->pipe.no_more = true;
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random) ||
	    export_lock(&out, text, c->phrase, random, EXPORT_ROUNDS) < 0) {
		say(c, "the configuration could not be encrypted\n", "設定を暗号化できません\n");
	} else {
		explicit_bzero(c->phrase, sizeof(c->phrase));
		screen_show(c, bytes_span(&out));
	}
	bytes_fini(&out);
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
	if (characters(span_of(c->phrase)) < EXPORT_PHRASE_LEAST)
		say(c, "a passphrase has at least 16 characters; nothing was exported\n",
		    "パスフレーズは16文字以上です。出力しませんでした\n");
	else
		console_ask(c, CONSOLE_EXPORT, 0, NULL, -1, on_text);
}

void action_export(struct console *c, const char *tail, unsigned number)
{
	login_ask_phrase(c, true, export_with_phrase);
}

/* ---- in */

static void import_with_phrase(struct console *c)
{
	struct bytes text;
	int fd = -1, err;

	bytes_init(&text, CONSOLE_INPUT_BYTES);
	err = export_unlock(&text, bytes_span(&c->load), c->phrase);
	explicit_bzero(c->phrase, sizeof(c->phrase));
	console_forget_load(c);
	if (err == 0)
		err = sealed_make("import", bytes_span(&text), &fd);
	bytes_fini(&text);
	if (err == 0) {
		console_ask(c, CONSOLE_LOAD_REPLACE, CONSOLE_LOAD_IMPORTED, NULL, fd,
			    console_show_answer);
		close(fd);
		return;
	}
	say(c, "the passphrase is another one, or the export is not whole; nothing was loaded\n",
	    "パスフレーズが異なるか、出力が完全ではありません。読み込みませんでした\n");
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
