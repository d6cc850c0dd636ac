/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frame of a mail that carries files: which line may stand behind which. The verifier has
 * states; the specification looks at the line before, as the grammar in wire/mail/parts.h names it.
 */
#include "prove.h"

#include "wire/mail/parts.c"

#define LINE_OCTETS 77 /* no line of the frame but a name's is longer than a content's 76 */

/* ---- which line behind which */

enum line_kind {
	LINE_NONE, /* the message's fields are over */
	LINE_DELIMITER,
	LINE_TYPE,
	LINE_NAME,
	LINE_ENCODING,
	LINE_EMPTY,
	LINE_FULL,  /* of content: 76 octets */
	LINE_SHORT, /* of content: less */
	LINE_CLOSE,
	LINE_WRONG
};

/* Stands in for is_name, which has a proof of its own. */
static bool some_answer;
bool some_name(const uint8_t *value, size_t size, bool opaque)
{
	(void)value;
	(void)size;
	(void)opaque;
	return some_answer;
}

static bool begins(const uint8_t *line, size_t size, const char *text)
{
	return size >= strlen(text) && memcmp(line, text, strlen(text)) == 0;
}

static bool is(const uint8_t *line, size_t size, const char *text)
{
	return size == strlen(text) && memcmp(line, text, size) == 0;
}

static enum line_kind content_kind(size_t size)
{
	return size == 0 || size > 76 ? LINE_WRONG : size == 76 ? LINE_FULL : LINE_SHORT;
}

/* What @line is behind a line of kind @last, @parts having begun; LINE_WRONG where the grammar has
 * none such. */
static enum line_kind wanted_kind(enum line_kind last, unsigned parts, bool files,
				  const uint8_t *line, size_t size)
{
	bool delimiter = is(line, size, "--sekisho-part");

	switch (last) {
	case LINE_NONE:
		return delimiter ? LINE_DELIMITER : LINE_WRONG;
	case LINE_DELIMITER:
		if (parts > 20)
			return LINE_WRONG;
		if (is(line, size, "Content-Type: text/plain; charset=utf-8"))
			return LINE_TYPE;
		return parts > 0 && files &&
				       is(line, size, "Content-Type: application/octet-stream")
			       ? LINE_TYPE
			       : LINE_WRONG;
	case LINE_TYPE:
		if (parts > 1)
			return begins(line, size,
				      "Content-Disposition: attachment; filename*=UTF-8''") &&
					       some_answer
				       ? LINE_NAME
				       : LINE_WRONG;
		/* fall through: the text has no name */
	case LINE_NAME:
		return is(line, size, "Content-Transfer-Encoding: base64") ? LINE_ENCODING
									   : LINE_WRONG;
	case LINE_ENCODING:
		return size == 0 ? LINE_EMPTY : LINE_WRONG;
	case LINE_EMPTY:
		return content_kind(size);
	case LINE_FULL:
	case LINE_SHORT:
		if (delimiter)
			return LINE_DELIMITER;
		if (parts > 1 && is(line, size, "--sekisho-part--"))
			return LINE_CLOSE;
		return last == LINE_FULL ? content_kind(size) : LINE_WRONG;
	default:
		return LINE_WRONG;
	}
}

/* What the verifier must be in behind a line of this kind. */
static bool agrees(const struct mail_parts *p, enum line_kind last, unsigned parts)
{
	bool inside = last != LINE_NONE && last != LINE_DELIMITER;

	if (p->count != parts || parts > 21 || (inside && parts == 0) ||
	    (last == LINE_NONE && parts > 0) || (last == LINE_NAME && parts == 1) ||
	    (last == LINE_CLOSE && parts == 1))
		return false;
	switch (last) {
	case LINE_NONE:
		return p->state == MAIL_PARTS_AT_FIRST;
	case LINE_DELIMITER:
		return p->state == MAIL_PARTS_AT_TYPE;
	case LINE_TYPE:
		return p->state == (parts > 1 ? MAIL_PARTS_AT_NAME : MAIL_PARTS_AT_ENCODING) &&
		       !p->filled && !p->last_line;
	case LINE_NAME:
		return p->state == MAIL_PARTS_AT_ENCODING && !p->filled && !p->last_line;
	case LINE_ENCODING:
		return p->state == MAIL_PARTS_AT_EMPTY && !p->filled && !p->last_line;
	case LINE_EMPTY:
		return p->state == MAIL_PARTS_AT_CONTENT && !p->filled && !p->last_line;
	case LINE_FULL:
	case LINE_SHORT:
		return p->state == MAIL_PARTS_AT_CONTENT && p->filled &&
		       p->last_line == (last == LINE_SHORT);
	default:
		return last == LINE_CLOSE && p->state == MAIL_PARTS_AT_END;
	}
}

/* Before the first line all agree; and if they do before a line, they do behind it. */
void prove_line(void)
{
	struct mail_parts p, none = {0};
	enum line_kind last = nondet_u8(), kind;
	uint8_t line[LINE_OCTETS];
	size_t size = nondet_size();
	unsigned parts = nondet_u8();
	bool content, taken, opaque, files;

	assert(agrees(&none, LINE_NONE, 0));
	__CPROVER_havoc_object(&p);
	__CPROVER_havoc_object(line);
	some_answer = nondet_bool();
	suppose(size <= LINE_OCTETS && last < LINE_WRONG && agrees(&p, last, parts));
	files = p.files;
	opaque = p.opaque;
	kind = wanted_kind(last, parts, files, line, size);
	taken = mail_parts_line(&p, line, size, &content) == NULL;
	assert(taken == (kind != LINE_WRONG));
	if (!taken)
		return;
	assert(content == (kind == LINE_FULL || kind == LINE_SHORT));
	assert(agrees(&p, kind, parts + (kind == LINE_TYPE)));
	assert(p.opaque == (kind == LINE_TYPE ? line[14] == 'a' : opaque));
	if (kind == LINE_CLOSE && parts == 21)
		REACHED(1);
	if (kind == LINE_FULL)
		REACHED(2);
	if (kind == LINE_TYPE && p.opaque)
		REACHED(3);
	if (kind == LINE_NAME)
		REACHED(4);
}
