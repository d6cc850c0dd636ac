/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console: one terminal. Edits lines, shows answers; decides nothing and keeps nothing.
 * Talks to: the terminal, config (its link), the supervisor (control channel). Privilege: none.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "channel/person.h"
#include "console/command.h"
#include "console/first.h"
#include "console/recording.h"
#include "console/sure.h"
#include "console/usb.h"

#define CONTROL_MESSAGES 64
#define READ_BYTES       4096
#define CTRL_C           0x03
#define CTRL_D           0x04
#define POWER_ON_S                                                                                 \
	180 /* a first console that starts so soon after the kernel was started by power-on */
#define BEGIN_MS     30000U /* config may be starting */
#define TYPING_BYTES 16     /* more at once was not typed: it is not echoed */

static struct console console;

/* ---- states */

void console_enter_state(struct console *c, enum console_state state, uint64_t ms)
{
	if (c->state == STATE_END && state != STATE_END)
		return;
	c->state = state;
	if (ms > 0)
		loop_arm(&c->loop, &c->timer, ms);
	else
		loop_disarm(&c->loop, &c->timer);
}

void console_prompt(struct console *c)
{
	char prompt[LINE_PROMPT_BYTES];

	if (c->account_role == ACCOUNT_ROLE_NONE) {
		console_end(c); /* nobody is here whom it could be shown to */
		return;
	}
	if (c->mode == MODE_CONFIGURE && c->path[0] != '\0')
		screen_printf(c, "[edit %s]\n", c->path);
	snprintf(prompt, sizeof(prompt), "%s%s%s ", c->host, c->changed ? "*" : "",
		 c->mode == MODE_CONFIGURE ? "#" : ">");
	c->pipe = (struct layout_pipe){0};
	evidence_abandon(c);
	follow_end(c);
	login_forget(c); /* every way out of what a passphrase was asked for leads here */
	bytes_clear(&c->preface);
	console_enter_state(c, STATE_PROMPT, 0);
	line_begin(&c->line, prompt);
}

void console_forget_load(struct console *c)
{
	if (c->load.data != NULL)
		explicit_bzero(c->load.data, c->load.capacity);
	bytes_clear(&c->load);
}

static void settle(struct console *c);

/* Ctrl-C while something is under way: forget its answer. */
static void interrupt(struct console *c)
{
	if (c->follow.on)
		screen_drop(c);
	screen_print(c, span_of("^C\n"));
	console_withdraw(c);
	layout_table_fini(&c->table);
	console_forget_load(c);
	console_prompt(c);
}

static void on_timer(struct loop *loop, struct loop_timer *self)
{
	struct console *c = self->ctx;

	if (c->state == STATE_END) {
		settle(c);
		return;
	}
	if (c->state == STATE_BANNER && recovery_may_be_key(c)) {
		console_enter_state(c, STATE_BANNER, RECOVERY_PAUSE_MS);
	} else if (c->state == STATE_BANNER) {
		login_greet(c);
	} else if (c->state == STATE_FOLLOW) {
		follow_go_on(c);
	} else if (c->state == STATE_KEY) {
		export_go_on(c);
	} else if (c->state == STATE_LOST) {
		console_end_as_told(c, SESSION_END_ACCOUNTS);
	} else {
		console_withdraw(c);
		screen_say(c, "no answer in time\n", "時間内に応答がありません\n");
		if (c->account_role == ACCOUNT_ROLE_NONE || c->state == STATE_BEGIN)
			console_end(c);
		else
			console_prompt(c);
	}
	settle(c);
}

/* ---- input */

static void at_prompt(struct console *c, uint8_t byte)
{
	switch (line_feed(&c->line, byte)) {
	case LINE_SUBMIT:
		line_leave(&c->line);
		line_remember(&c->line);
		command_run(c);
		break;
	case LINE_INTERRUPT:
		line_leave(&c->line);
		console_prompt(c);
		break;
	case LINE_HELP:
		command_help(c);
		break;
	case LINE_COMPLETE:
		command_complete(c);
		break;
	case LINE_REPORT:
		screen_report(c);
		break;
	case LINE_END:
		snprintf(c->line.text, sizeof(c->line.text), "exit");
		c->line.size = strlen(c->line.text);
		line_leave(&c->line);
		command_run(c);
		break;
	case LINE_NONE:
		break;
	}
}

/* Text up to Ctrl-D, or a password up to Enter, taken as it is; echoed only at a typist's pace, and
 * never where a secret may be in it. */
static void at_load(struct console *c, uint8_t byte)
{
	bool typed = c->input.size - c->input_at < TYPING_BYTES &&
		     c->load_kind != CONSOLE_LOAD_CERTIFICATE &&
		     c->load_kind != CONSOLE_LOAD_PASSWORD;

	if (byte == CTRL_C) {
		interrupt(c);
		return;
	}
	if (byte == CTRL_D) {
		action_loaded(c);
		return;
	}
	if (byte == '\n' && c->line.after_return) {
		c->line.after_return = false;
		return;
	}
	c->line.after_return = byte == '\r';
	if (byte == '\r')
		byte = '\n';
	if (byte == '\n' && c->load_kind == CONSOLE_LOAD_PASSWORD) {
		action_loaded(c);
		return;
	}
	if ((byte == 0x7f || byte == 0x08) && c->load.size > 0 &&
	    c->load.data[c->load.size - 1] != '\n') {
		c->load.size--;
		if (typed)
			screen_print(c, span_of("\b \b"));
		return;
	}
	(void)bytes_append_u8(&c->load, byte); /* what is too long is told by action_loaded */
	if (typed)
		screen_print(c, (struct span){&byte, 1});
}

/* While an answer is awaited only Ctrl-C is looked for; it takes what was typed before it along. */
static bool find_interrupt(struct console *c)
{
	const uint8_t *found =
		memchr(c->input.data + c->input_at, CTRL_C, c->input.size - c->input_at);

	if (found == NULL)
		return false;
	c->input_at = (size_t)(found - c->input.data) + 1;
	interrupt(c);
	return true;
}

static bool use_input(struct console *c)
{
	switch (c->state) {
	case STATE_PROMPT:
		at_prompt(c, c->input.data[c->input_at++]);
		return true;
	case STATE_PAGE:
		screen_page_key(c, c->input.data[c->input_at++]);
		return true;
	case STATE_LOAD:
		at_load(c, c->input.data[c->input_at++]);
		return true;
	case STATE_ENTRY:
		login_key(c, c->input.data[c->input_at++]);
		return true;
	case STATE_SURE:
		sure_key(c, c->input.data[c->input_at++]);
		return true;
	case STATE_FIRST:
		first_key(c, c->input.data[c->input_at++]);
		return true;
	case STATE_ASKED:
	case STATE_ROWS:
	case STATE_TRIAL:
	case STATE_FOLLOW:
	case STATE_KEY:
		return find_interrupt(c);
	case STATE_BANNER:
		recovery_listen(c);
		return false;
	case STATE_RECOVERY:
	case STATE_LOGIN:
	case STATE_BEGIN:
	case STATE_USB:
	case STATE_LOST:
		return false;
	case STATE_END:
		c->input_at = c->input.size; /* nobody reads it any more */
		return true;
	}
	return false;
}

/* After every event: use what was typed, write what is to be shown, listen for what is needed. */
static void settle(struct console *c)
{
	while (c->input_at < c->input.size && !c->loop.stopping) {
		if (!use_input(c))
			break;
	}
	if (c->input_at == c->input.size) {
		if (c->input.size > 0)
			explicit_bzero(c->input.data, c->input.size); /* passwords, too */
		bytes_clear(&c->input);
		c->input_at = c->recovery.burst_at = c->recovery.burst_end = 0;
	}
	if (screen_flush(c) != 0)
		loop_stop(&c->loop, 0);
	else if (c->state == STATE_END)
		console_go_on_ending(c);
	c->tty_watch.events = (short)(POLLIN | (c->output_at < c->output.size ? POLLOUT : 0));
}

static void on_tty(struct loop *loop, struct loop_fd *self, short revents)
{
	struct console *c = self->ctx;
	uint8_t typed[READ_BYTES];
	ssize_t n = 0;

	if ((revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
		n = read(c->tty, typed, sizeof(typed));
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			loop_stop(loop, 0);
			return;
		}
	}
	if (n > 0 && bytes_append(&c->input, typed, (size_t)n) != 0)
		screen_print(c, span_of("\a"));
	explicit_bzero(typed, sizeof(typed)); /* may be a password */
	if (n > 0)
		login_active(c);
	settle(c);
}

/* ---- channels */

/* config has gone: so has the candidate, and whatever was asked. */
static void lose_link(struct console *c)
{
	loop_remove(&c->loop, &c->link_watch);
	channel_fini(&c->link);
	c->link.fd = -1;
	c->path[0] = '\0';
	c->changed = false;
	c->mode = MODE_OPERATIONAL;
	if (c->state == STATE_PROMPT)
		line_leave(&c->line);
	if (c->state != STATE_ASKED && c->state != STATE_PROMPT)
		return;
	screen_say(c, "config was restarted; changes that were not committed are lost\n",
		   "設定プロセスが再起動しました。未適用の変更は失われました\n");
	console_prompt(c);
}

static void on_link(struct loop *loop, struct loop_fd *self, short revents)
{
	struct console *c = self->ctx;

	if (channel_serve(&c->link, CONTROL_MESSAGES, NULL) < 0)
		lose_link(c);
	settle(c);
}

/* A new link may come before the end of the old one was seen. */
static int take_link(struct console *c, int fd)
{
	if (c->link.fd >= 0)
		lose_link(c);
	channel_init(&c->link, fd, console_link_rules, console_link_rule_count, c);
	c->link_watch = (struct loop_fd){.fd = fd, .events = POLLIN, .ready = on_link, .ctx = c};
	if (c->state == STATE_BEGIN)
		console_begin(c);
	return loop_add(&c->loop, &c->link_watch);
}

static void on_account(struct loop *loop, struct loop_fd *self, short revents)
{
	struct console *c = self->ctx;

	/* Without accounts nobody is known here any more. */
	if (channel_serve(&c->account, CONTROL_MESSAGES, NULL) < 0) {
		loop_remove(loop, self);
		/* What the supervisor had to say before, as why the machine ends, is said first. */
		(void)channel_serve(&c->process.control, CONTROL_MESSAGES, NULL); /* its end, too */
		console_await_end(c);
	}
	settle(c);
}

static int take_account(struct console *c, int fd)
{
	if (c->state == STATE_LOST || c->state == STATE_END) {
		(void)close(fd); /* the next console gets its own */
		return 0;
	}
	if (c->account.fd >= 0)
		return -ERR_PEER;
	channel_init(&c->account, fd, console_account_rules, console_account_rule_count, c);
	c->account_watch =
		(struct loop_fd){.fd = fd, .events = POLLIN, .ready = on_account, .ctx = c};
	if (c->ready)
		login_begin(c);
	return loop_add(&c->loop, &c->account_watch);
}

static int on_give(void *ctx, const struct control_give *give, int fd)
{
	struct console *c = ctx;

	if (give->kind == GIVE_LINK && give->role == ROLE_CONFIG)
		return take_link(c, fd);
	if (give->kind == GIVE_LINK && give->role == ROLE_ACCOUNTS)
		return take_account(c, fd);
	if (give->kind == GIVE_RECORDING) {
		recording_take(c, give->index, fd);
		return 0;
	}
	if (give->kind != GIVE_TTY || c->tty >= 0)
		return -ERR_PEER;
	c->tty = fd;
	c->recovery.hears = give->recovery != 0;
	c->ending.failed_before = give->failed != 0;
	return 0;
}

static int handle_give(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return process_keep(on_give, ctx, message);
}

static int handle_tested(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return trial_take_result(ctx, message->body, message->fds, message->fd_count);
}

static int handle_usb(struct channel *ch, void *ctx, const struct channel_message *message)
{
	usb_take_done(ctx, message->body, message->fds, message->fd_count);
	return 0;
}

static int handle_row(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return console_take_row(ctx, message->body);
}

/* What accounts had to say before, why this ends, is said first. */
static int handle_stop(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct control_session_end end = {.why = SESSION_END_GATEWAY};
	struct console *c = ctx;

	if (message->body_bytes == sizeof(end))
		memcpy(&end, message->body, sizeof(end));
	else if (message->body_bytes != 0)
		return -ERR_PEER;
	if (c->account.fd >= 0)
		(void)channel_serve(&c->account, CONTROL_MESSAGES, NULL); /* its end is ours, too */
	console_end_as_told(c, end.why);
	return 0;
}

static int handle_recovery(struct channel *ch, void *ctx, const struct channel_message *message)
{
	return recovery_take(ctx, message->body);
}

static const struct channel_rule control_rules[] = {
	{CONTROL_RECOVERY, 0, 0, CHANNEL_EXACTLY(control_recovery), handle_recovery, "recovery"},
	{CONTROL_GIVE, 1, 1, CHANNEL_EXACTLY(control_give), handle_give, "give"},
	{CONTROL_ROW, 0, 0, CHANNEL_EXACTLY(control_row), handle_row, "row"},
	{CONTROL_USB_DONE, 0, 1, CHANNEL_EXACTLY(control_usb_done), handle_usb, "usb done"},
	{CONTROL_TESTED, 0, 2, CHANNEL_EXACTLY(control_flattened), handle_tested, "tested"},
	{CONTROL_PING, 0, 0, CHANNEL_EXACTLY(control_ping), process_pong, "ping"},
	{CONTROL_STOP, 0, 0, 0, sizeof(struct control_session_end), CHANNEL_ANY_STATE, handle_stop,
	 "stop"},
};

static void on_control(struct loop *loop, struct loop_fd *self, short revents)
{
	struct console *c = self->ctx;

	if (channel_serve(&c->process.control, CONTROL_MESSAGES, NULL) < 0) {
		console_end_saying(
			c, "the supervisor has gone: this console ends\n",
			"監視プロセスとの接続が切れたため、このコンソールを終了します\n");
		screen_close(c);
		loop_stop(loop, 1);
		return;
	}
	settle(c);
}

/* ---- life */

static void copy_line(char *out, size_t out_bytes, struct span *rest)
{
	const uint8_t *end = rest->size > 0 ? memchr(rest->data, '\n', rest->size) : NULL;
	size_t size = end != NULL ? (size_t)(end - rest->data) : rest->size;

	snprintf(out, out_bytes, "%.*s", (int)size, (const char *)rest->data);
	size += end != NULL ? 1 : 0;
	rest->data += size;
	rest->size -= size;
}

bool console_is_power_on(const struct console *c)
{
	struct timespec up;

	return c->index == 0 && c->is_terminal && clock_gettime(CLOCK_BOOTTIME, &up) == 0 &&
	       up.tv_sec < POWER_ON_S;
}

static void on_hello(struct console *c, enum console_status status, struct span text)
{
	if (status == CONSOLE_OK && text.size > 0) {
		copy_line(c->host, sizeof(c->host), &text);
		copy_line(c->organization, sizeof(c->organization), &text);
	}
	console_prompt(c);
}

void console_begin(struct console *c)
{
	if (c->link.fd >= 0)
		console_ask(c, CONSOLE_HELLO, 0, NULL, -1, on_hello);
	else
		console_enter_state(c, STATE_BEGIN, BEGIN_MS);
}

static const int extra_syscalls[] = {SYS_ioctl, SYS_memfd_create};

static const struct sandbox_profile profile = {
	.name = "console",
	.syscalls = extra_syscalls,
	.syscall_count = sizeof(extra_syscalls) / sizeof(extra_syscalls[0]),
};

static void init(struct console *c)
{
	c->tty = c->recording_fd = -1;
	c->link.fd = -1;
	c->account.fd = -1;
	c->state = STATE_LOGIN;
	c->mode = MODE_OPERATIONAL;
	snprintf(c->host, sizeof(c->host), "sekisho");
	bytes_init(&c->input, CONSOLE_INPUT_BYTES);
	bytes_init(&c->output, CONSOLE_OUTPUT_BYTES);
	bytes_init(&c->page, CONSOLE_OUTPUT_BYTES);
	bytes_init(&c->preface, CONSOLE_OUTPUT_BYTES);
	bytes_init(&c->load, CONSOLE_INPUT_BYTES);
	line_init(&c->line, &c->output);
	c->timer = (struct loop_timer){.fire = on_timer, .ctx = c};
	loop_init(&c->loop, &clock_system, c->polls, c->fds, CONSOLE_DESCRIPTORS);
}

static int watch(struct console *c)
{
	int err;

	channel_init(&c->process.control, FD_CONTROL, control_rules,
		     sizeof(control_rules) / sizeof(control_rules[0]), c);
	c->control_watch =
		(struct loop_fd){.fd = FD_CONTROL, .events = POLLIN, .ready = on_control, .ctx = c};
	c->tty_watch = (struct loop_fd){.fd = c->tty, .events = POLLIN, .ready = on_tty, .ctx = c};
	err = loop_add(&c->loop, &c->control_watch);
	return err == 0 ? loop_add(&c->loop, &c->tty_watch) : err;
}

static int start(struct console *c)
{
	struct control_start begin;
	int snapshot_fd = -1;
	int err = process_begin(&c->process, &profile, on_give, c, &begin, &snapshot_fd);

	if (snapshot_fd >= 0)
		close(snapshot_fd);
	if (err == 0 && c->tty < 0)
		err = -ERR_NOT_FOUND;
	if (err == 0)
		err = screen_open(c);
	if (err == 0)
		err = watch(c);
	if (err == 0)
		err = process_ready(&c->process);
	if (err != 0)
		return err;
	c->index = begin.index;
	c->ready = true;
	if (c->account.fd >= 0)
		login_begin(c);
	settle(c);
	return 0;
}

/* Started by the supervisor it has no arguments; with one it prints its commands, and that is all.
 */
int main(int argc, char **argv)
{
	int status, err;

	if (argc > 1)
		return command_reference(argv[1]);
	init(&console);
	err = start(&console);
	if (err != 0) {
		fprintf(stderr, "console: cannot start: %s\n", err_name(err));
		return 1;
	}
	status = loop_run(&console.loop);
	return status < 0 ? 1 : status;
}
