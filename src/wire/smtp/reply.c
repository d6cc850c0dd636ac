/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SMTP replies as a client reads them. */
#include "wire/smtp/reply.h"

#include "base/err.h"

static const struct {
	const char *name;
	enum smtp_extension extension;
} keywords[] = {
	{"SIZE", SMTP_HAS_SIZE},
	{"8BITMIME", SMTP_HAS_8BITMIME},
	{"PIPELINING", SMTP_HAS_PIPELINING},
	{"SMTPUTF8", SMTP_HAS_SMTPUTF8},
	{"STARTTLS", SMTP_HAS_STARTTLS},
	{"ENHANCEDSTATUSCODES", SMTP_HAS_ENHANCED},
};

void smtp_reply_init(struct smtp_reply *r)
{
	*r = (struct smtp_reply){0};
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Up to three digits from the reader; -1 where there are none or more. */
static int take_number(struct reader *in)
{
	int n = 0;
	unsigned count = 0;

	while (reader_peek(in) >= 0 && is_digit((uint8_t)reader_peek(in))) {
		n = n * 10 + (reader_u8(in) - '0');
		if (++count > 3)
			return -1;
	}
	return count == 0 ? -1 : n;
}

/* RFC 3463 2: "class.subject.detail" and a space or the end; anything else is text. */
static void take_enhanced(struct smtp_reply *r, struct span text)
{
	struct reader in = {0};
	int class = 0;
	int subject = 0;
	int detail = 0;

	r->class = 0;
	reader_init(&in, text.data, text.size);
	class = take_number(&in);
	if (class != r->code / 100 || reader_u8(&in) != '.')
		return;
	subject = take_number(&in);
	if (subject < 0 || reader_u8(&in) != '.')
		return;
	detail = take_number(&in);
	if (detail < 0 || in.failed || (reader_left(&in) > 0 && reader_peek(&in) != ' '))
		return;
	r->class = (uint8_t)class;
	r->subject = (uint16_t)subject;
	r->detail = (uint16_t)detail;
}

/* The argument of SIZE; not a number or absurd: as if not stated. */
static uint64_t size_value(struct span text)
{
	uint64_t n = 0;

	if (text.size > 18)
		return 0;
	for (size_t i = 0; i < text.size; i++) {
		if (!is_digit(text.data[i]))
			return 0;
		n = n * 10 + (uint64_t)(text.data[i] - '0');
	}
	return n;
}

static void take_keyword(struct smtp_reply *r, struct span text)
{
	size_t end = 0;

	while (end < text.size && text.data[end] != ' ')
		end++;
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (!span_equal_nocase((struct span){text.data, end}, span_of(keywords[i].name)))
			continue;
		r->extensions |= keywords[i].extension;
		if (keywords[i].extension == SMTP_HAS_SIZE)
			r->size_limit = size_value(
				span_trim((struct span){text.data + end, text.size - end}));
	}
}

int smtp_reply_take(struct smtp_reply *r, struct span line)
{
	struct span text = {0};
	uint16_t code = 0;

	if (r->complete)
		return -ERR_STATE;
	if (line.size > SMTP_REPLY_LINE_MAX || r->line_count >= SMTP_REPLY_LINES_MAX)
		return -ERR_TOO_LONG;
	if (line.size < 3 || line.data[0] < '2' || line.data[0] > '5' || !is_digit(line.data[1]) ||
	    !is_digit(line.data[2]))
		return -ERR_SYNTAX;
	if (line.size > 3 && line.data[3] != ' ' && line.data[3] != '-')
		return -ERR_SYNTAX;
	code = (uint16_t)((line.data[0] - '0') * 100 + (line.data[1] - '0') * 10 +
			  (line.data[2] - '0'));
	if (r->line_count > 0 && code != r->code)
		return -ERR_SYNTAX;
	r->code = code;
	if (line.size > 4)
		text = (struct span){line.data + 4, line.size - 4};
	take_enhanced(r, text);
	if (r->line_count > 0)
		take_keyword(r, text);
	r->line_count++;
	r->complete = line.size == 3 || line.data[3] == ' ';
	return r->complete ? 1 : 0;
}
