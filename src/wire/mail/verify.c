/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mail verifier: a line-by-line acceptor of the sanitised-mail grammar. Depends on nothing but
 * its characters, its parts and the C library's types. */
#include "wire/mail/verify.h"

/* What the reader of a mailbox list expects next. */
enum mailbox_part {
	MAILBOX_START,
	MAILBOX_QUOTED,
	MAILBOX_NAMED, /* a quoted string or a word has ended */
	MAILBOX_SPACE, /* and the space behind it was seen */
	MAILBOX_LOCAL,
	MAILBOX_LOCAL_QUOTED,
	MAILBOX_AT, /* the quoted local part has ended */
	MAILBOX_DOMAIN,
	MAILBOX_LITERAL,
	MAILBOX_CLOSE, /* the address literal has ended */
	MAILBOX_END,
	MAILBOX_COMMA
};

enum ids_part { IDS_START, IDS_INSIDE, IDS_END };

/* Lengths of RFC 5321 4.5.3.1 and RFC 5322. */
enum { LOCAL_MAX = 64, DOMAIN_MAX = 255, ID_MAX = 900 };

#define SYMBOL_WORD 256 /* beside octets: a whole encoded word */

/* Classes in patterns; every other octet of a pattern stands for itself. */
enum { CLASS_UPPER = 1, CLASS_LOWER, CLASS_DIGIT, CLASS_SIGN, CLASS_HEX, CLASS_HOST, CLASS_NAME };
#define UPPER "\1"
#define LOWER "\2"
#define DIGIT "\3"
#define SIGN  "\4"
#define HEX   "\5"
#define HOST  "\6" /* one or more octets of a domain */
#define NAME  "\7" /* one or more lower-case letters */

#define DATE                                                                                       \
	UPPER LOWER LOWER ", " DIGIT DIGIT " " UPPER LOWER LOWER " " DIGIT DIGIT DIGIT DIGIT       \
			  " " DIGIT DIGIT ":" DIGIT DIGIT ":" DIGIT DIGIT                          \
			  " " SIGN DIGIT DIGIT DIGIT DIGIT
#define HEX5       HEX HEX HEX HEX HEX
#define RECEIPT_ID HEX5 HEX5 HEX5 HEX5

enum field_kind { FIELD_PATTERN, FIELD_TEXT, FIELD_MAILBOX, FIELD_MAILBOXES, FIELD_ID, FIELD_IDS };

/* The fields, in the order in which they come. Rows of one slot are alternatives. */
struct field_row {
	const char *begins;  /* name, colon, space, and what tells the alternatives apart */
	const char *pattern; /* of FIELD_PATTERN: all that follows */
	uint8_t kind;
	uint8_t slot;
	bool required;
};

static const struct field_row fields[] = {
	{"Received: ", "by " HOST " with Sekisho id " RECEIPT_ID "; " DATE, FIELD_PATTERN, 0, true},
	{"Date: ", DATE, FIELD_PATTERN, 1, false},
	{"From: ", "", FIELD_MAILBOX, 2, true},
	{"Sender: ", "", FIELD_MAILBOX, 3, false},
	{"Reply-To: ", "", FIELD_MAILBOXES, 4, false},
	{"To: u", "ndisclosed-recipients:;", FIELD_PATTERN, 5, false},
	{"To: ", "", FIELD_MAILBOXES, 5, false},
	{"Cc: ", "", FIELD_MAILBOXES, 6, false},
	{"Subject: ", "", FIELD_TEXT, 7, true},
	{"Message-ID: ", "", FIELD_ID, 8, true},
	{"In-Reply-To: ", "", FIELD_IDS, 9, false},
	{"References: ", "", FIELD_IDS, 10, false},
	{"Auto-Submitted: ", "auto-" NAME, FIELD_PATTERN, 11, false},
	{"List-Id: ", "<" HOST ">", FIELD_PATTERN, 12, false},
	{"MIME-Version: ", "1.0", FIELD_PATTERN, 13, true},
	{"Content-Type: t", "ext/plain; charset=utf-8", FIELD_PATTERN, 14, true},
	{"Content-Type: m", "ultipart/mixed; boundary=\"sekisho-part\"", FIELD_PATTERN, 14, true},
	{"Content-Transfer-Encoding: 8", "bit", FIELD_PATTERN, 15, true},
	{"Content-Transfer-Encoding: b", "ase64", FIELD_PATTERN, 15, true},
	{"Content-Transfer-Encoding: 7", "bit", FIELD_PATTERN, 15, true},
	{"Sekisho-Receipt: ", RECEIPT_ID, FIELD_PATTERN, 16, true},
};

enum { FIELD_ROWS = sizeof(fields) / sizeof(fields[0]) };

/* Rows of fields[] that say how the body is read. */
enum { ROW_MULTIPART = 16, ROW_BASE64 = 18, ROW_SEVEN_BIT = 19 };

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* Common characters are taken in one go, from where nothing but a joiner minds them; the last of
 * them once more, for what it is to the next one. */
static size_t text_run(struct mail_text *t, const uint8_t *s, size_t size)
{
	size_t run = 0, last;

	if (t->need == 0 && t->before != MAIL_TEXT_JOINER)
		run = mail_text_run(s, size);
	if (run == 0)
		return 0;
	last = run - 1;
	while (last > 0 && (s[last] & 0xC0) == 0x80)
		last--;
	for (; last < run; last++)
		(void)mail_text_octet(t, s[last]);
	return run;
}

static int refuse(struct mail_verify *v, const char *reason)
{
	if (v->reason == NULL)
		v->reason = reason;
	return -1;
}

static bool is_upper(int c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(int c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_host(int c)
{
	return is_digit(c) || is_upper(c) || is_lower(c) || c == '-' || c == '.' || c == '_';
}

/* RFC 5322 atext and the dot. */
static bool is_local(int c)
{
	const char *others = "!#$%&'*+-/=?^_`{|}~.";

	if (is_digit(c) || is_upper(c) || is_lower(c))
		return true;
	for (; *others != '\0'; others++) {
		if (c == *others)
			return true;
	}
	return false;
}

/* The value of a base64 digit, or -1. */
static int base64_value(uint8_t c)
{
	if (is_upper(c))
		return c - 'A';
	if (is_lower(c))
		return c - 'a' + 26;
	if (is_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/*
 * Decode four base64 characters. Return: the number of octets (1 to 3) put in @out, or 0 where they
 * are malformed or their unused bits are not zero.
 */
static unsigned base64_quantum(const uint8_t *in, uint8_t out[3])
{
	unsigned digits = in[3] != '=' ? 4 : in[2] != '=' ? 3 : 2;
	uint32_t bits = 0;

	for (unsigned i = 0; i < 4; i++) {
		int value = i < digits ? base64_value(in[i]) : 0;

		if (value < 0)
			return 0;
		bits = bits << 6 | (uint32_t)value;
	}
	out[0] = (uint8_t)(bits >> 16);
	out[1] = (uint8_t)(bits >> 8);
	out[2] = (uint8_t)bits;
	if ((digits == 2 && (bits & 0xFFFF) != 0) || (digits == 3 && (bits & 0xFF) != 0))
		return 0;
	return digits - 1;
}

/* Does @row's pattern class, at the current part, take this symbol? */
static bool pattern_takes(char want, int c)
{
	switch (want) {
	case CLASS_UPPER:
		return is_upper(c);
	case CLASS_LOWER:
	case CLASS_NAME:
		return is_lower(c);
	case CLASS_DIGIT:
		return is_digit(c);
	case CLASS_SIGN:
		return c == '+' || c == '-';
	case CLASS_HEX:
		return is_digit(c) || (c >= 'a' && c <= 'f');
	case CLASS_HOST:
		return is_host(c);
	default:
		return want != '\0' && c == want;
	}
}

static int pattern_symbol(struct mail_verify *v, const char *pattern, int c)
{
	char want = pattern[v->part];
	bool repeats = want == CLASS_HOST || want == CLASS_NAME;

	if (repeats && v->count > 0 && !pattern_takes(want, c)) {
		v->count = 0;
		want = pattern[++v->part];
		repeats = false;
	}
	if (!pattern_takes(want, c))
		return refuse(v, "a header field does not have its fixed form");
	if (!repeats) {
		v->part++;
		return 0;
	}
	if (++v->count > DOMAIN_MAX)
		return refuse(v, "a name in a header field is too long");
	return 0;
}

static bool pattern_complete(const struct mail_verify *v, const char *pattern)
{
	if (v->count > 0) /* inside a repeated class: it ends here */
		return pattern[v->part + 1] == '\0';
	return pattern[v->part] == '\0';
}

static int ids_symbol(struct mail_verify *v, int c, bool many)
{
	if (v->part == IDS_START && c == '<') {
		v->part = IDS_INSIDE;
		v->count = 0;
		return 0;
	}
	if (v->part == IDS_INSIDE && c == '>' && v->count > 0) {
		v->part = IDS_END;
		return 0;
	}
	if (v->part == IDS_INSIDE &&
	    (is_local(c) || c == '@' || c == ':' || c == '[' || c == ']')) {
		if (++v->count <= ID_MAX)
			return 0;
	}
	if (v->part == IDS_END && c == ' ' && many) {
		v->part = IDS_START;
		return 0;
	}
	return refuse(v, "malformed message identifier");
}

/* The next part of a mailbox, outside its repeated elements; -1 where the symbol does not fit. */
static int mailbox_next(uint8_t part, int c, bool many)
{
	switch (part) {
	case MAILBOX_START:
	case MAILBOX_SPACE:
		if (c == '<')
			return MAILBOX_LOCAL;
		if (c == SYMBOL_WORD)
			return MAILBOX_NAMED;
		return c == '"' && part == MAILBOX_START ? MAILBOX_QUOTED : -1;
	case MAILBOX_NAMED:
		return c == ' ' ? MAILBOX_SPACE : -1;
	case MAILBOX_AT:
		return c == '@' ? MAILBOX_DOMAIN : -1;
	case MAILBOX_CLOSE:
		return c == '>' ? MAILBOX_END : -1;
	case MAILBOX_END:
		return c == ',' && many ? MAILBOX_COMMA : -1;
	case MAILBOX_COMMA:
		return c == ' ' ? MAILBOX_START : -1;
	default:
		return -1;
	}
}

/* The elements that repeat: what ends each, what follows, what it may hold and how much. */
static int mailbox_repeat(struct mail_verify *v, int c)
{
	switch (v->part) {
	case MAILBOX_QUOTED:
		if (c == '"')
			return MAILBOX_NAMED;
		return c != '\\' && c != SYMBOL_WORD ? MAILBOX_QUOTED : -1;
	case MAILBOX_LOCAL:
		if (c == '@' && v->count > 0)
			return MAILBOX_DOMAIN;
		if (c == '"' && v->count == 0)
			return MAILBOX_LOCAL_QUOTED;
		return is_local(c) && ++v->count <= LOCAL_MAX ? MAILBOX_LOCAL : -1;
	case MAILBOX_LOCAL_QUOTED:
		if (c == '"' && v->count > 0)
			return MAILBOX_AT;
		return is_local(c) && ++v->count <= LOCAL_MAX ? MAILBOX_LOCAL_QUOTED : -1;
	case MAILBOX_DOMAIN:
		if (c == '>' && v->count > 0)
			return MAILBOX_END;
		if (c == '[' && v->count == 0)
			return MAILBOX_LITERAL;
		return is_host(c) && ++v->count <= DOMAIN_MAX ? MAILBOX_DOMAIN : -1;
	case MAILBOX_LITERAL:
		if (c == ']' && v->count > 0)
			return MAILBOX_CLOSE;
		return (is_host(c) || c == ':') && ++v->count <= DOMAIN_MAX ? MAILBOX_LITERAL : -1;
	default:
		return -1;
	}
}

static int mailbox_symbol(struct mail_verify *v, int c, bool many)
{
	int next = mailbox_next(v->part, c, many);

	if (next < 0)
		next = mailbox_repeat(v, c);
	if (next < 0)
		return refuse(v, "malformed mailbox");
	if (next != v->part)
		v->count = 0;
	v->part = (uint8_t)next;
	return 0;
}

/* One symbol of the current field's value: an octet, or SYMBOL_WORD. */
static int field_symbol(struct mail_verify *v, int c)
{
	const struct field_row *row = &fields[v->row - 1];

	switch (row->kind) {
	case FIELD_TEXT:
		v->part = 1;
		return 0;
	case FIELD_MAILBOX:
	case FIELD_MAILBOXES:
		return mailbox_symbol(v, c, row->kind == FIELD_MAILBOXES);
	case FIELD_ID:
	case FIELD_IDS:
		return ids_symbol(v, c, row->kind == FIELD_IDS);
	default:
		return pattern_symbol(v, row->pattern, c);
	}
}

/* Is the current field complete, so that another or the body may begin? */
static bool field_complete(const struct mail_verify *v)
{
	if (v->row == 0)
		return true;
	switch (fields[v->row - 1].kind) {
	case FIELD_TEXT:
		return v->part == 1;
	case FIELD_MAILBOX:
	case FIELD_MAILBOXES:
		return v->part == MAILBOX_END;
	case FIELD_ID:
	case FIELD_IDS:
		return v->part == IDS_END;
	default:
		return pattern_complete(v, fields[v->row - 1].pattern);
	}
}

/* How much of the line is @begins, or 0 where the line does not begin with it. */
static size_t begins_with(const uint8_t *line, size_t size, const char *begins)
{
	size_t i = 0;

	for (; begins[i] != '\0'; i++) {
		if (i >= size || line[i] != (uint8_t)begins[i])
			return 0;
	}
	return i;
}

/* Find the field that the line begins. Return: where its value starts, or 0 where it is refused. */
static size_t field_begin(struct mail_verify *v, const uint8_t *line, size_t size)
{
	size_t at = 0;
	uint8_t row = 0;

	if (!field_complete(v)) {
		(void)refuse(v, "incomplete header field");
		return 0;
	}
	while (row < FIELD_ROWS && at == 0)
		at = begins_with(line, size, fields[row++].begins);
	if (at == 0) {
		(void)refuse(v, "a header field that the gateway does not write");
		return 0;
	}
	if (v->slots >> fields[row - 1].slot != 0) {
		(void)refuse(v, "a header field twice or out of order");
		return 0;
	}
	v->slots |= UINT32_C(1) << fields[row - 1].slot;
	v->row = row;
	v->part = 0;
	v->count = 0;
	return at;
}

/* The payload of an encoded word: whole characters, nothing that the body may not hold, no tab. */
static bool word_payload(const uint8_t *data, size_t size)
{
	struct mail_text text = {0};

	if (size == 0 || size % 4 != 0)
		return false;
	for (size_t i = 0; i < size; i += 4) {
		uint8_t octets[3];
		unsigned count = base64_quantum(data + i, octets);

		if (count == 0 || (count < 3 && i + 4 != size))
			return false;
		for (unsigned k = 0; k < count; k++) {
			if (octets[k] == '\t' || !mail_text_octet(&text, octets[k]))
				return false;
		}
	}
	return mail_text_end(&text);
}

/* The length of the well-formed encoded word at the start of @s, or 0. */
static size_t word_length(const uint8_t *s, size_t size)
{
	size_t begin = begins_with(s, size, "=?UTF-8?B?"), end = begin;

	if (begin == 0)
		return 0;
	while (end < size && s[end] != '?')
		end++;
	if (size - end < 2 || s[end + 1] != '=' || end + 2 > MAIL_WORD_MAX)
		return 0;
	if (end + 2 < size && s[end + 2] != ' ')
		return 0;
	return word_payload(s + begin, end - begin) ? end + 2 : 0;
}

/* A line of a field from @at on, where its value (or the fold's space) begins. */
static int field_content(struct mail_verify *v, const uint8_t *line, size_t size, size_t at)
{
	bool has_word = false;

	while (at < size) {
		size_t length = 1;
		int symbol = line[at];

		if (symbol == '=' && at + 1 < size && line[at + 1] == '?') {
			length = line[at - 1] == ' ' ? word_length(line + at, size - at) : 0;
			if (length == 0)
				return refuse(v, "malformed encoded word");
			symbol = SYMBOL_WORD;
			has_word = true;
		}
		if (field_symbol(v, symbol) < 0)
			return -1;
		at += length;
	}
	if (has_word && size > MAIL_WORD_LINE_MAX)
		return refuse(v, "a line with an encoded word is too long");
	return 0;
}

static uint32_t required_slots(void)
{
	uint32_t slots = 0;

	for (size_t i = 0; i < FIELD_ROWS; i++)
		slots |= fields[i].required ? UINT32_C(1) << fields[i].slot : 0;
	return slots;
}

/* The empty line behind the fields. */
static int header_end(struct mail_verify *v)
{
	uint32_t required = required_slots();

	if (!field_complete(v))
		return refuse(v, "incomplete header field");
	if ((v->slots & required) != required)
		return refuse(v, "a required header field is missing");
	if (v->multipart != v->seven_bit)
		return refuse(v, "the transfer encoding does not go with the type");
	if (v->multipart && !v->parts.texts && !v->parts.files)
		return refuse(v, "files where none may pass");
	v->in_body = true;
	return 0;
}

static int header_line(struct mail_verify *v, const uint8_t *line, size_t size)
{
	size_t at = 0;

	if (size == 0)
		return header_end(v);
	if (++v->header_lines > MAIL_HEADER_LINES_MAX)
		return refuse(v, "too many header lines");
	for (size_t i = 0; i < size; i++) {
		if (line[i] < 0x20 || line[i] > 0x7E)
			return refuse(v, "an octet in the header that is not printable ASCII");
	}
	if (line[size - 1] == ' ')
		return refuse(v, "a header line ends with a space");
	if (line[0] == ' ') {
		if (v->row == 0 || line[1] == ' ')
			return refuse(v, "malformed folding");
	} else {
		at = field_begin(v, line, size);
		if (at == 0)
			return -1;
		v->multipart = v->multipart || v->row - 1 == ROW_MULTIPART;
		v->base64 = v->base64 || v->row - 1 == ROW_BASE64;
		v->seven_bit = v->seven_bit || v->row - 1 == ROW_SEVEN_BIT;
	}
	return field_content(v, line, size, at);
}

/* One octet of a file that is text: lines of any length, and a byte order mark may be the first
 * character. */
static bool file_octet(struct mail_verify *v, uint8_t b)
{
	if (mail_text_octet(&v->text, b))
		return true;
	return v->octets == 3 && v->text.need == 0 && v->text.c == 0xFEFF;
}

/* One octet of base64 after decoding; its own line ends are LF or CRLF. */
static bool decoded_octet(struct mail_verify *v, uint8_t b)
{
	v->octets += v->octets < 4;
	if (v->parts.opaque)
		return true;
	if (v->carriage && b != '\n')
		return false;
	v->carriage = b == '\r';
	if (v->carriage)
		return true;
	if (b == '\n') {
		v->decoded_line = 0;
		return mail_text_end(&v->text);
	}
	v->body_seen = true;
	if (v->parts.count > 1)
		return file_octet(v, b);
	return ++v->decoded_line <= MAIL_LINE_MAX && mail_text_octet(&v->text, b);
}

static int base64_line(struct mail_verify *v, const uint8_t *line, size_t size)
{
	if (size == 0)
		return 0;
	if (size > 76 || size % 4 != 0 || v->padded)
		return refuse(v, "malformed base64 line");
	for (size_t i = 0; i < size; i += 4) {
		uint8_t octets[3];
		unsigned count = base64_quantum(line + i, octets);

		if (count == 0 || v->padded)
			return refuse(v, "malformed base64");
		v->padded = count < 3;
		for (unsigned k = 0; k < count; k++) {
			if (!decoded_octet(v, octets[k]))
				return refuse(v, "an octet in the body that is not allowed there");
		}
	}
	return 0;
}

/* A message with files: content is judged like a base64 body, each part afresh. */
static int parts_line(struct mail_verify *v, const uint8_t *line, size_t size)
{
	bool content;
	const char *reason = mail_parts_line(&v->parts, line, size, &content);

	if (reason != NULL)
		return refuse(v, reason);
	if (content)
		return base64_line(v, line, size);
	if (v->carriage || !mail_text_end(&v->text))
		return refuse(v, "a part ends inside a character");
	if (v->parts.count == 1 && v->parts.state == MAIL_PARTS_AT_TYPE && !v->body_seen)
		return refuse(v, "the body is empty");
	v->padded = false;
	v->octets = 0;
	v->decoded_line = 0;
	return 0;
}

static int body_line(struct mail_verify *v, const uint8_t *line, size_t size)
{
	if (v->multipart)
		return parts_line(v, line, size);
	if (v->base64)
		return base64_line(v, line, size);
	v->body_seen = v->body_seen || size > 0;
	for (size_t i = text_run(&v->text, line, size); i < size;) {
		if (!mail_text_octet(&v->text, line[i]))
			return refuse(v, "a character in the body that is not allowed there");
		i++;
		i += text_run(&v->text, line + i, size - i);
	}
	if (!mail_text_end(&v->text))
		return refuse(v, "a line ends inside a character");
	return 0;
}

void mail_verify_init(struct mail_verify *v)
{
	*v = (struct mail_verify){0};
}

void mail_verify_allow(struct mail_verify *v, bool texts, bool files)
{
	v->parts.texts = texts || files;
	v->parts.files = files;
}

int mail_verify_line(struct mail_verify *v, const uint8_t *line, size_t size_bytes)
{
	if (v->reason != NULL)
		return -1;
	v->line++;
	if (size_bytes > MAIL_LINE_MAX)
		return refuse(v, "line longer than 998 octets");
	return v->in_body ? body_line(v, line, size_bytes) : header_line(v, line, size_bytes);
}

int mail_verify_end(struct mail_verify *v)
{
	if (v->reason != NULL)
		return -1;
	if (!v->in_body)
		return refuse(v, "the message ends inside its header");
	if (v->multipart && v->parts.state != MAIL_PARTS_AT_END)
		return refuse(v, "the message ends inside its parts");
	if (v->carriage || !mail_text_end(&v->text))
		return refuse(v, "the message ends inside a character");
	if (!v->body_seen)
		return refuse(v, "the body is empty");
	return 0;
}

const char *mail_verify_reason(const struct mail_verify *v)
{
	return v->reason;
}

unsigned mail_verify_files(const struct mail_verify *v)
{
	return v->parts.count > 0 ? v->parts.count - 1U : 0;
}
