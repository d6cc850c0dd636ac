/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mail verifier's header: which fields in which order, and the grammar of their values. The
 * specification has no states: it looks at whole values, or at neighbouring symbols. The form of
 * mailboxes is in mail_mailbox.c, their lengths are here.
 *
 * An induction over symbols is begun by what field_begin leaves (prove_order), and goes on from any
 * state that the symbols before can have led to.
 */
#include "prove.h"

#include "wire/mail/parts.c"
#include "wire/mail/text.c"
#include "wire/mail/verify.c"

#define NAME_OCTETS     32 /* the longest beginning of a field has 28 */
#define DATE_OCTETS     32 /* a date has 31 */
#define HOST_OCTETS     3
#define RECEIVED_OCTETS (73 + HOST_OCTETS)
#define WORD_OCTETS     80 /* a word has 75 at most */

static bool one_of(int c, const char *set)
{
	for (; *set != '\0'; set++) {
		if (c == *set)
			return true;
	}
	return false;
}

static bool between(int c, int first, int last)
{
	return first <= c && c <= last;
}

static bool is_letter_or_digit(int c)
{
	return between(c, 'a', 'z') || between(c, 'A', 'Z') || between(c, '0', '9');
}

/* RFC 5322 3.2.3: atext, and the dot of dot-atom. */
static bool is_atom_octet(int c)
{
	return is_letter_or_digit(c) || one_of(c, ".!#$%&'*+-/=?^_`{|}~");
}

static bool is_domain_octet(int c)
{
	return is_letter_or_digit(c) || one_of(c, ".-_");
}

/* ---- which fields, in which order */

/* The beginnings of the table's rows a second time, with their ranks; the lower must come first. */
static const struct {
	const char *begins;
	unsigned rank;
} listed[] = {
	{"Received: ", 0},
	{"Date: ", 1},
	{"From: ", 2},
	{"Sender: ", 3},
	{"Reply-To: ", 4},
	{"To: ", 5},
	{"Cc: ", 6},
	{"Subject: ", 7},
	{"Message-ID: ", 8},
	{"In-Reply-To: ", 9},
	{"References: ", 10},
	{"Auto-Submitted: ", 11},
	{"List-Id: ", 12},
	{"MIME-Version: ", 13},
	{"Content-Type: t", 14},
	{"Content-Type: m", 14},
	{"Content-Transfer-Encoding: 8", 15},
	{"Content-Transfer-Encoding: b", 15},
	{"Content-Transfer-Encoding: 7", 15},
	{"Sekisho-Receipt: ", 16},
};

enum { LISTED = sizeof(listed) / sizeof(listed[0]), RANKS = 17 };

/* Stands in for field_complete where what was before is any field. */
static bool some_complete;
bool any_complete(const struct mail_verify *v)
{
	(void)v;
	return some_complete;
}

/*
 * A line begins a field iff it is listed, ranks above all that were there, and the one before is
 * complete; then the value starts behind the beginning, and afresh.
 */
void prove_order(void)
{
	struct mail_verify v;
	uint8_t line[NAME_OCTETS];
	size_t size = nondet_size(), at, found = LISTED;
	uint32_t before;

	__CPROVER_havoc_object(&v);
	__CPROVER_havoc_object(line);
	some_complete = nondet_bool();
	suppose(size <= NAME_OCTETS && v.slots < UINT32_C(1) << RANKS);
	before = v.slots;
	for (size_t i = 0; i < LISTED; i++) {
		size_t length = strlen(listed[i].begins);

		if (size >= length && memcmp(line, listed[i].begins, length) == 0)
			found = i;
	}
	at = field_begin(&v, line, size);
	assert((at > 0) ==
	       (some_complete && found < LISTED && before < UINT32_C(1) << listed[found].rank));
	if (at == 0)
		return;
	REACHED(1);
	assert(v.slots == (before | UINT32_C(1) << listed[found].rank));
	assert(v.part == 0 && v.count == 0 && v.row >= 1 && v.row <= FIELD_ROWS);
	assert(at <= strlen(listed[found].begins) + 1); /* "To: u" is longer than "To: " */
}

/* The header ends iff what must be there is, and form and encoding go together, and files may
 * come where they would. */
void prove_end(void)
{
	static const unsigned needed[] = {0, 2, 7, 8, 13, 14, 15, 16};
	struct mail_verify v;
	bool wanted = true;

	__CPROVER_havoc_object(&v);
	some_complete = nondet_bool();
	suppose(v.reason == NULL);
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		wanted = wanted && (v.slots >> needed[i] & 1) != 0;
	wanted = wanted && some_complete && v.multipart == v.seven_bit;
	wanted = wanted && (!v.multipart || v.parts.texts || v.parts.files);
	assert((header_end(&v) == 0) == wanted);
	assert(!wanted || v.in_body);
	if (wanted && v.multipart)
		REACHED(1);
}

/* ---- message identifiers: by neighbours */

static bool is_id_octet(int c)
{
	return is_atom_octet(c) || one_of(c, "@:[]");
}

/* May @c stand behind @last (-1: nothing)? @many: more than one identifier. */
static bool id_follows(int last, int c, bool many)
{
	if (last < 0 || last == ' ')
		return c == '<';
	if (last == '>')
		return c == ' ' && many;
	return is_id_octet(c) || (c == '>' && last != '<');
}

/* What the verifier must be in behind @last, which is the @run-th octet of its identifier. */
static bool agrees_with_ids(const struct mail_verify *v, int last, uint16_t run)
{
	if (last < 0 || last == ' ')
		return v->part == IDS_START;
	if (last == '>')
		return v->part == IDS_END;
	return v->part == IDS_INSIDE && v->count == run && (last == '<') == (run == 0);
}

void prove_ids(void)
{
	struct mail_verify v;
	int last = nondet_int(), c = nondet_int();
	uint16_t run = nondet_u16();
	bool many = nondet_bool(), wanted;

	__CPROVER_havoc_object(&v);
	suppose(last >= -1 && last <= SYMBOL_WORD && c >= 0 && c <= SYMBOL_WORD);
	suppose(last < 0 || last == '<' || last == '>' || last == ' ' || is_id_octet(last));
	suppose(run <= ID_MAX && agrees_with_ids(&v, last, run));
	wanted = id_follows(last, c, many) && !(is_id_octet(c) && run == ID_MAX);
	assert((ids_symbol(&v, c, many) == 0) == wanted);
	if (!wanted)
		return;
	assert(agrees_with_ids(&v, c, is_id_octet(c) ? (uint16_t)(run + 1) : 0));
	if (run == ID_MAX - 1)
		REACHED(1);
}

/* ---- mailboxes */

/* No element grows past its limit: whatever came before, and however long. */
void prove_mailbox_lengths(void)
{
	struct mail_verify v;
	int c = nondet_int();
	uint16_t before;
	uint8_t part;
	bool local, domain;

	__CPROVER_havoc_object(&v);
	suppose(c >= 0 && c <= SYMBOL_WORD && v.part <= MAILBOX_COMMA);
	local = v.part == MAILBOX_LOCAL || v.part == MAILBOX_LOCAL_QUOTED;
	domain = v.part == MAILBOX_DOMAIN || v.part == MAILBOX_LITERAL;
	suppose(v.count <= (local ? LOCAL_MAX : domain ? DOMAIN_MAX : 0));
	before = v.count;
	part = v.part;
	if (mailbox_symbol(&v, c, nondet_bool()) < 0)
		return;
	if (v.part != part)
		assert(v.count == 0);
	else if (local || domain)
		assert(v.count == before + 1 && v.count <= (local ? LOCAL_MAX : DOMAIN_MAX));
	if (domain && v.count == DOMAIN_MAX)
		REACHED(1);
}

/* ---- fixed forms */

/* Feed @value to the row of fields[] with this pattern. */
static bool pattern_accepts(const char *pattern, const uint8_t *value, size_t size)
{
	struct mail_verify v = {0};

	for (size_t i = 0; i < size; i++) {
		if (pattern_symbol(&v, pattern, value[i]) < 0)
			return false;
	}
	return pattern_complete(&v, pattern);
}

/* "Sun, 22 Nov 2026 09:00:00 +0900": by the place of each octet. */
static bool is_date(const uint8_t *s, size_t size)
{
	static const char form[] = "Aaa, 00 Aaa 0000 00:00:00 +0000";

	if (size != sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < size; i++) {
		bool good = form[i] == 'A'   ? between(s[i], 'A', 'Z')
			    : form[i] == 'a' ? between(s[i], 'a', 'z')
			    : form[i] == '0' ? between(s[i], '0', '9')
			    : form[i] == '+' ? s[i] == '+' || s[i] == '-'
					     : s[i] == (uint8_t)form[i];

		if (!good)
			return false;
	}
	return true;
}

void prove_date(void)
{
	uint8_t value[DATE_OCTETS];
	size_t size = nondet_size();

	__CPROVER_havoc_object(value);
	suppose(size <= DATE_OCTETS);
	assert(pattern_accepts(fields[1].pattern, value, size) == is_date(value, size));
	if (is_date(value, size))
		REACHED(1);
}

static bool is_receipt_id(const uint8_t *s, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!between(s[i], '0', '9') && !between(s[i], 'a', 'f'))
			return false;
	}
	return size == MAIL_ID_BYTES;
}

void prove_receipt_id(void)
{
	uint8_t value[MAIL_ID_BYTES + 1];
	size_t size = nondet_size();

	__CPROVER_havoc_object(value);
	suppose(size <= sizeof(value));
	assert(pattern_accepts(fields[FIELD_ROWS - 1].pattern, value, size) ==
	       is_receipt_id(value, size));
	if (is_receipt_id(value, size))
		REACHED(1);
}

/* From @at on: exactly these octets? */
static bool stands(const uint8_t *s, size_t at, const char *text)
{
	return memcmp(s + at, text, strlen(text)) == 0;
}

/* "by HOST with Sekisho id ID; DATE": a host of HOST_OCTETS at most, and all else by its place
 * behind it. */
static bool is_received(const uint8_t *s, size_t size)
{
	static const char by[] = "by ", id[] = " with Sekisho id ", date[] = "; ";
	size_t host = sizeof(by) - 1, rest = sizeof(id) - 1 + MAIL_ID_BYTES + sizeof(date) - 1 + 31;
	size_t at = size - rest;

	if (size <= host + rest || !stands(s, 0, by))
		return false;
	for (size_t i = host; i < at; i++) {
		if (!is_domain_octet(s[i]))
			return false;
	}
	return stands(s, at, id) && is_receipt_id(s + at + sizeof(id) - 1, MAIL_ID_BYTES) &&
	       stands(s, at + sizeof(id) - 1 + MAIL_ID_BYTES, date) && is_date(s + size - 31, 31);
}

void prove_received(void)
{
	uint8_t value[RECEIVED_OCTETS];
	size_t size = nondet_size();

	__CPROVER_havoc_object(value);
	suppose(size <= RECEIVED_OCTETS);
	assert(pattern_accepts(fields[0].pattern, value, size) == is_received(value, size));
	if (size == RECEIVED_OCTETS && is_received(value, size))
		REACHED(1);
}

/* "<" host ">": the repeated class, between two fixed octets. */
void prove_host(void)
{
	uint8_t value[HOST_OCTETS + 3];
	size_t size = nondet_size();
	bool wanted;

	__CPROVER_havoc_object(value);
	suppose(size <= sizeof(value));
	wanted = size >= 3 && value[0] == '<' && value[size - 1] == '>';
	for (size_t i = 1; wanted && i + 1 < size; i++)
		wanted = is_domain_octet(value[i]);
	assert(pattern_accepts("<" HOST ">", value, size) == wanted);
	if (wanted)
		REACHED(1);
}

/* No repeated class grows past its limit. */
void prove_host_length(void)
{
	struct mail_verify v;
	int c = nondet_u16();

	__CPROVER_havoc_object(&v);
	suppose(v.part == 1 && v.count <= DOMAIN_MAX && c <= SYMBOL_WORD);
	if (pattern_symbol(&v, "<" HOST ">", c) == 0) {
		assert(v.count <= DOMAIN_MAX);
		if (v.count == DOMAIN_MAX)
			REACHED(1);
	}
}

/* ---- encoded words */

/* Stands in for word_payload, whose characters and quanta have proofs of their own: any answer, the
 * same for the same length. */
static bool some_payload[WORD_OCTETS];
bool any_payload(const uint8_t *data, size_t size)
{
	(void)data;
	return size < WORD_OCTETS && some_payload[size];
}

void prove_word(void)
{
	static const char begin[] = "=?UTF-8?B?";
	uint8_t s[WORD_OCTETS];
	size_t size = nondet_size(), end = sizeof(begin) - 1, length;
	bool wanted;

	__CPROVER_havoc_object(s);
	__CPROVER_havoc_object(some_payload);
	suppose(size <= WORD_OCTETS);
	wanted = size > end && memcmp(s, begin, end) == 0;
	while (wanted && end < size && s[end] != '?')
		end++;
	wanted = wanted && end + 1 < size && s[end + 1] == '=' && end + 2 <= MAIL_WORD_MAX;
	wanted = wanted && (end + 2 == size || s[end + 2] == ' ');
	wanted = wanted && some_payload[end - (sizeof(begin) - 1)];
	length = word_length(s, size);
	assert(length == (wanted ? end + 2 : 0));
	if (length == MAIL_WORD_MAX)
		REACHED(1);
}

/* ---- lines of fields */

#define FOLD_OCTETS 6

/* Stand in for the field's beginning and its value, and say what they were asked. */
static size_t begun_at, value_at;
static bool value_good;
static unsigned begun, valued;

size_t some_begin(struct mail_verify *v, const uint8_t *line, size_t size)
{
	(void)line;
	(void)size;
	begun++;
	v->row = begun_at > 0 ? 1 : v->row;
	return begun_at;
}

int some_value(struct mail_verify *v, const uint8_t *line, size_t size, size_t at)
{
	(void)v;
	(void)line;
	(void)size;
	valued++;
	value_at = at;
	return value_good ? 0 : -1;
}

/*
 * A line goes on with the field before it iff it begins with one space, and begins one otherwise;
 * it is printable, does not end with a space, and is one of the first thousand.
 */
void prove_folding(void)
{
	struct mail_verify v;
	uint8_t line[FOLD_OCTETS], row;
	size_t size = nondet_size();
	uint32_t lines;
	bool wanted, folded;

	__CPROVER_havoc_object(&v);
	__CPROVER_havoc_object(line);
	begun_at = nondet_size();
	value_good = nondet_bool();
	suppose(size > 0 && size <= FOLD_OCTETS && v.header_lines <= MAIL_HEADER_LINES_MAX);
	lines = v.header_lines;
	row = v.row;
	folded = line[0] == ' ';
	wanted = lines < MAIL_HEADER_LINES_MAX && line[size - 1] != ' ';
	for (size_t i = 0; i < size; i++)
		wanted = wanted && between(line[i], ' ', '~');
	wanted = wanted && (folded ? row != 0 && line[1] != ' ' : begun_at > 0) && value_good;
	assert((header_line(&v, line, size) == 0) == wanted);
	if (!wanted)
		return;
	assert(valued == 1 && begun == !folded && value_at == (folded ? 0 : begun_at));
	assert(v.header_lines == lines + 1);
	if (folded)
		REACHED(1);
	else
		REACHED(2);
}
