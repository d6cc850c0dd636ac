/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The terminal: raw mode, its size, output that never blocks, pages. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/utf8.h"
#include "console/console.h"
#include "console/usb.h"

#define ROWS_FALLBACK    24
#define COLUMNS_FALLBACK 80
#define SIZE_MOST        500
#define BANNER_MS        5500 /* A10: at least 5 s from when a serial line has brought it */
#define LINE_BUFFER      512

static int make_raw(struct console *c)
{
	struct termios raw;

	if (tcgetattr(c->tty, &c->saved) != 0)
		return -ERR_SYSTEM;
	raw = c->saved;
	cfmakeraw(&raw);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	return tcsetattr(c->tty, TCSANOW, &raw) == 0 ? 0 : -ERR_SYSTEM;
}

/* A serial line has no size: ask the terminal; until its report comes, or for ever, the fallback
 * holds. */
static void find_size(struct console *c)
{
	struct winsize size = {0};

	c->columns = COLUMNS_FALLBACK;
	c->rows = c->is_terminal ? ROWS_FALLBACK : 0;
	if (c->is_terminal && ioctl(c->tty, TIOCGWINSZ, &size) == 0 && size.ws_row > 1 &&
	    size.ws_col > 1) {
		c->rows = size.ws_row;
		c->columns = size.ws_col;
	} else if (c->is_terminal) {
		screen_printf(c, "\0337\033[%d;%dH\033[6n\0338", SIZE_MOST, SIZE_MOST);
	}
	c->line.columns = c->columns;
}

void screen_report(struct console *c)
{
	if (c->line.report_row < 2 || c->line.report_column < 2)
		return;
	c->rows = c->line.report_row;
	c->columns = c->line.report_column;
	c->line.columns = c->columns;
}

int screen_open(struct console *c)
{
	c->is_terminal = isatty(c->tty) != 0;
	if (c->is_terminal && make_raw(c) != 0)
		return -ERR_SYSTEM;
	find_size(c);
	return 0;
}

void screen_close(struct console *c)
{
	(void)screen_flush(c); /* the terminal may have gone */
	if (c->is_terminal)
		(void)tcsetattr(c->tty, TCSANOW, &c->saved); /* the same */
}

void screen_print(struct console *c, struct span text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == '\n')
			(void)bytes_append_u8(&c->output, '\r'); /* a full output is lost */
		(void)bytes_append_u8(&c->output, text.data[i]); /* the same */
	}
}

void screen_printf(struct console *c, const char *format, ...)
{
	char text[LINE_BUFFER];
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (size < 0)
		return;
	if ((size_t)size >= sizeof(text))
		size = sizeof(text) - 1;
	screen_print(c, (struct span){(const uint8_t *)text, (size_t)size});
}

void screen_say(struct console *c, const char *en, const char *ja)
{
	screen_print(c, span_of(c->language == LANGUAGE_JA ? ja : en));
}

static ssize_t write_some(struct console *c, const void *data, size_t size)
{
	return c->is_terminal ? write(c->tty, data, size)
			      : send(c->tty, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int screen_flush(struct console *c)
{
	while (c->output_at < c->output.size) {
		ssize_t n =
			write_some(c, c->output.data + c->output_at, c->output.size - c->output_at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		if (n <= 0)
			return -ERR_CLOSED;
		c->output_at += (size_t)n;
	}
	if (c->output.size > 0)
		explicit_bzero(c->output.data, c->output.size); /* a password may be in it */
	bytes_clear(&c->output);
	c->output_at = 0;
	return 0;
}

bool screen_is_drained(const struct console *c)
{
	return c->output_at == c->output.size;
}

void screen_drop(struct console *c)
{
	size_t end = c->output_at; /* or behind the character that is half written */

	while (end < c->output.size && (c->output.data[end] & 0xc0) == 0x80)
		end++;
	c->output.size = end;
}

/* ---- pages */

/* The end of the line that begins at @at, behind its "\n". */
static size_t line_end(const struct console *c, size_t at)
{
	const uint8_t *end = memchr(c->page.data + at, '\n', c->page.size - at);

	return end != NULL ? (size_t)(end - c->page.data) + 1 : c->page.size;
}

static size_t rows_of(const struct console *c, struct span text)
{
	if (text.data[text.size - 1] == '\n')
		text.size--;
	return utf8_rows(text, c->columns, c->ambiguous_wide);
}

/* Print lines until @rows of the screen are full; one that does not fit any more waits for the next
 * page, unless it is the first. */
static void print_rows(struct console *c, size_t rows)
{
	size_t left = rows;

	while (c->page_at < c->page.size && left > 0) {
		size_t end = line_end(c, c->page_at);
		struct span text = {c->page.data + c->page_at, end - c->page_at};
		size_t needed = rows_of(c, text);

		if (needed > left && left < rows)
			return;
		screen_print(c, text);
		c->page_at = end;
		left -= needed < left ? needed : left;
	}
}

static void end_text(struct console *c)
{
	bytes_clear(&c->page);
	c->page_at = 0;
}

static void end_page(struct console *c)
{
	end_text(c);
	c->pipe = (struct layout_pipe){0};
	console_prompt(c);
}

/* Below a page, in one row, whatever the language: a second one would push the page's first row off
 * the screen, and would not be wiped out. */
static void ask_for_more(struct console *c)
{
	const char *said = c->language == LANGUAGE_JA ? "-- 続き -- (空白, Enter, q)"
						      : "-- more -- (space, enter, q)";

	if (utf8_rows(span_of(said), c->columns, c->ambiguous_wide) > 1)
		said = c->language == LANGUAGE_JA ? "-- 続き --" : "-- more --";
	screen_print(c, span_of(said));
}

static void go_on(struct console *c, size_t rows)
{
	print_rows(c, rows);
	if (c->page_at >= c->page.size) {
		end_page(c);
		return;
	}
	ask_for_more(c);
	console_enter_state(c, STATE_PAGE, 0);
}

void screen_page_key(struct console *c, uint8_t byte)
{
	screen_print(c, span_of("\r\033[K"));
	switch (byte) {
	case 'q':
	case 0x03: /* Ctrl-C */
		end_page(c);
		break;
	case '\r':
	case '\n':
		go_on(c, 1);
		break;
	default:
		go_on(c, c->rows - 1);
		break;
	}
}

void screen_show(struct console *c, struct span text)
{
	bool whole, typed_ahead = c->input_at < c->input.size;

	bytes_clear(&c->page);
	c->page_at = 0;
	whole = layout_pipe_run(&c->page, &c->pipe, text) == 0;
	if (c->pipe.usb[0] != '\0') {
		usb_save(c, c->pipe.usb, bytes_span(&c->page), whole);
		end_text(c);
		return;
	}
	if (!whole)
		screen_say(c, "(the end is left out: too long)\n", "(長すぎるため末尾を省略)\n");
	/* Commands that are pasted one after the other must not be eaten as keys of a pager. */
	go_on(c, c->pipe.no_more || c->rows == 0 || typed_ahead ? SIZE_MAX : c->rows - 1);
}

void screen_banner(struct console *c)
{
	const char *name = c->organization[0] != '\0' ? c->organization : c->host;

	/* DECDHL: the same line twice, as its upper and lower half, twice as wide and high. */
	screen_printf(c, "\033[2J\033[4;1H\033#3  %s\n\033#4  %s\n", name, name);
	screen_printf(c, "\033#6  SEKISHO\n\n");
	screen_stand(c);
}

void screen_stand(struct console *c)
{
	console_enter_state(c, STATE_BANNER, BANNER_MS);
}
