/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The content of DATA: the strict reader as a table of states, and the dot-stuffing writer. */
#include "wire/smtp/data.h"

#include <string.h>

#include "base/err.h"

enum state { AT_START, AT_TEXT, AT_CR, AT_DOT, AT_DOT_CR, AT_END, STATE_COUNT };
enum class { IS_OTHER, IS_CR, IS_LF, IS_DOT, IS_NUL, CLASS_COUNT };
enum action { SKIP, PUT, PUT_CRLF, BARE_CR, BARE_LF, NUL, END };

struct step {
	uint8_t next;
	uint8_t action;
};

/* Only a CRLF leads to AT_START, so a dot counts as one that ends or is removed only behind a CRLF.
 */
static const struct step steps[STATE_COUNT][CLASS_COUNT] = {
	[AT_START] = {[IS_OTHER] = {AT_TEXT, PUT},
		      [IS_CR] = {AT_CR, SKIP},
		      [IS_LF] = {AT_TEXT, BARE_LF},
		      [IS_DOT] = {AT_DOT, SKIP},
		      [IS_NUL] = {AT_TEXT, NUL}},
	[AT_TEXT] = {[IS_OTHER] = {AT_TEXT, PUT},
		     [IS_CR] = {AT_CR, SKIP},
		     [IS_LF] = {AT_TEXT, BARE_LF},
		     [IS_DOT] = {AT_TEXT, PUT},
		     [IS_NUL] = {AT_TEXT, NUL}},
	[AT_CR] = {[IS_OTHER] = {AT_TEXT, BARE_CR},
		   [IS_CR] = {AT_CR, BARE_CR},
		   [IS_LF] = {AT_START, PUT_CRLF},
		   [IS_DOT] = {AT_TEXT, BARE_CR},
		   [IS_NUL] = {AT_TEXT, BARE_CR}},
	[AT_DOT] = {[IS_OTHER] = {AT_TEXT, PUT},
		    [IS_CR] = {AT_DOT_CR, SKIP},
		    [IS_LF] = {AT_TEXT, BARE_LF},
		    [IS_DOT] = {AT_TEXT, PUT},
		    [IS_NUL] = {AT_TEXT, NUL}},
	[AT_DOT_CR] = {[IS_OTHER] = {AT_TEXT, BARE_CR},
		       [IS_CR] = {AT_CR, BARE_CR},
		       [IS_LF] = {AT_END, END},
		       [IS_DOT] = {AT_TEXT, BARE_CR},
		       [IS_NUL] = {AT_TEXT, BARE_CR}},
};

static const uint8_t classes[256] = {
	['\r'] = IS_CR, ['\n'] = IS_LF, ['.'] = IS_DOT, ['\0'] = IS_NUL};

static const enum smtp_data_fault faults[] = {
	[BARE_CR] = SMTP_DATA_BARE_CR, [BARE_LF] = SMTP_DATA_BARE_LF, [NUL] = SMTP_DATA_NUL};

void smtp_data_init(struct smtp_data *d, uint64_t limit_bytes)
{
	*d = (struct smtp_data){.state = AT_START, .limit_bytes = limit_bytes};
}

static void set_fault(struct smtp_data *d, enum smtp_data_fault fault)
{
	if (d->fault == SMTP_DATA_CLEAN)
		d->fault = fault;
}

static void put(struct smtp_data *d, struct writer *out, const void *data, size_t size)
{
	if (d->fault != SMTP_DATA_CLEAN)
		return;
	if (size > d->limit_bytes - d->size_bytes) {
		set_fault(d, SMTP_DATA_TOO_BIG);
		return;
	}
	writer_bytes(out, data, size);
	d->size_bytes += size;
}

static void take(struct smtp_data *d, struct writer *out, uint8_t c)
{
	struct step step = steps[d->state][classes[c]];

	d->state = step.next;
	switch (step.action) {
	case SKIP:
		break;
	case PUT:
		put(d, out, &c, 1);
		break;
	case PUT_CRLF:
		put(d, out, "\r\n", 2);
		break;
	case END:
		d->ended = true;
		break;
	default:
		set_fault(d, faults[step.action]);
		break;
	}
}

/* Octets from @at that are text whatever comes next: the bulk of a message is copied in runs. */
static size_t text_run(struct span in, size_t at)
{
	size_t end = at;

	while (end < in.size &&
	       (classes[in.data[end]] == IS_OTHER || classes[in.data[end]] == IS_DOT))
		end++;
	return end - at;
}

size_t smtp_data_push(struct smtp_data *d, struct span in, uint8_t *out, size_t *out_bytes)
{
	struct writer w = {0};
	size_t at = 0;

	writer_init(&w, out, SMTP_DATA_OUT_BYTES(in.size));
	while (at < in.size && !d->ended) {
		size_t run = d->state == AT_TEXT ? text_run(in, at) : 0;

		if (run > 0) {
			put(d, &w, in.data + at, run);
			at += run;
		} else {
			take(d, &w, in.data[at++]);
		}
	}
	d->read_bytes += at;
	*out_bytes = w.size;
	return at;
}

int smtp_data_put_line(struct bytes *out, struct span line)
{
	int err = 0;

	for (size_t i = 0; i < line.size; i++) {
		if (line.data[i] == '\r' || line.data[i] == '\n' || line.data[i] == '\0')
			return -ERR_SYNTAX;
	}
	if (line.size > 0 && line.data[0] == '.')
		err = bytes_append_u8(out, '.');
	if (err == 0)
		err = bytes_append(out, line.data, line.size);
	if (err == 0)
		err = bytes_append(out, "\r\n", 2);
	return err;
}
