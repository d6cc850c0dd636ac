/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory stick instead of the terminal's paste and print: `| usb NAME` behind a command takes
 * what it would show, `load replace usb NAME` and its like give what would be pasted. This process
 * never sees the stick: the supervisor has a file copied from or into memory.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/sealed.h"
#include "base/sha256.h"
#include "console/usb.h"
#include "console/wording.h"

#define ANSWER_MS    300000U /* each of its steps is bounded by the supervisor */
#define SEND_WAIT_MS 1000

static void give_up(struct console *c, const char *en, const char *ja)
{
	screen_say(c, en, ja);
	console_forget_load(c);
	console_prompt(c);
}

/* @fd: borrowed; -1: none. */
static void ask(struct console *c, const struct control_usb *asked, int fd)
{
	if (channel_send_wait(&c->process.control, CONTROL_USB, asked, sizeof(*asked), &fd,
			      fd >= 0 ? 1 : 0, SEND_WAIT_MS) != 0) {
		give_up(c, "the supervisor does not answer\n", "監視プロセスが応答しません\n");
		return;
	}
	screen_say(c, "using the memory stick; leave it plugged in\n",
		   "USBメモリを使用しています。抜かないでください\n");
	console_enter_state(c, STATE_USB, ANSWER_MS);
}

/* Return: false after a message. */
static bool begin(struct console *c, struct control_usb *asked, enum usb_kind kind,
		  const char *name)
{
	*asked = (struct control_usb){.number = ++c->query, .kind = kind};
	if (strlen(name) < sizeof(asked->name)) {
		snprintf(asked->name, sizeof(asked->name), "%s", name);
		if (usb_name_is_sound(asked->name))
			return true;
	}
	give_up(c, "a file's name has letters, digits, '.', '-', '_', at most 63\n",
		"ファイル名に使えるのは英数字と . - _ で、63文字までです\n");
	return false;
}

void usb_save(struct console *c, const char *name, struct span text, bool whole)
{
	struct control_usb asked;
	int fd = -1;

	if (!begin(c, &asked, USB_SAVE, name))
		return;
	asked.size_bytes = text.size;
	sha256_of(text.data, text.size, asked.sha256);
	c->usb_kind = USB_SAVE;
	if (!whole || text.size > USB_SAVE_BYTES_MAX || sealed_make("usb", text, &fd) != 0) {
		give_up(c, "too long; nothing was saved\n", "長すぎるため保存しませんでした\n");
		return;
	}
	ask(c, &asked, fd);
	close(fd);
}

static void begin_load(struct console *c, const char *name, enum load_use use,
		       enum console_kind kind)
{
	struct control_usb asked;

	if (!begin(c, &asked, USB_LOAD, name))
		return;
	c->usb_kind = USB_LOAD;
	c->load_kind = kind;
	c->load_use = use;
	c->load_slot[0] = '\0';
	console_forget_load(c);
	ask(c, &asked, -1);
}

void action_load_usb(struct console *c, const char *tail, unsigned number)
{
	begin_load(c, tail, LOAD_CONFIG, (enum console_kind)number);
}

void action_import_usb(struct console *c, const char *tail, unsigned number)
{
	begin_load(c, tail, LOAD_EXPORT, CONSOLE_LOAD_REPLACE);
}

/* What came is what the log says, or it is nothing. */
static bool take(struct console *c, const struct control_usb_done *done, int fd)
{
	uint8_t digest[SHA256_BYTES];

	if (sealed_read(&c->load, fd) != 0 || c->load.size != done->size_bytes)
		return false;
	sha256_of(c->load.data, c->load.size, digest);
	return memcmp(digest, done->sha256, sizeof(digest)) == 0;
}

static void tell_saved(struct console *c, const struct control_usb_done *done)
{
	char hex[SHA256_HEX_BYTES];

	sha256_hex(done->sha256, hex);
	screen_say(c, "saved and read back: ", "保存し、読み戻して確認しました: ");
	screen_printf(c, "%llu bytes, SHA-256 %s\n", (unsigned long long)done->size_bytes, hex);
	console_prompt(c);
}

void usb_take_done(struct console *c, const struct control_usb_done *body, const int *fds,
		   size_t fd_count)
{
	struct control_usb_done done = *body;

	done.reason[sizeof(done.reason) - 1] = '\0';
	if (c->state != STATE_USB || done.number != c->query)
		return; /* it came too late */
	if (!done.ok) {
		screen_printf(c, "%s\n", wording_refusal(done.reason, c->language));
		console_forget_load(c);
		console_prompt(c);
	} else if (c->usb_kind == USB_SAVE) {
		tell_saved(c, &done);
	} else if (fd_count == 1 && take(c, &done, fds[0])) {
		action_loaded(c);
	} else {
		give_up(c, "the file is not the one that was recorded; nothing was loaded\n",
			"記録と異なるため読み込みませんでした\n");
	}
}
