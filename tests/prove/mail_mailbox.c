/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mail verifier's mailboxes: "name" <local@domain>, RFC 5322 3.4 as the gateway writes it. The
 * verifier takes one symbol after the other; the specification looks at a whole value, from both of
 * its ends. Values of OCTETS symbols have room for a name in quotes and an address, for two words
 * and an address, for a local part in quotes with a domain in brackets, each element of one symbol
 * or more.
 */
#include "prove.h"

#include "wire/mail/parts.c"
#include "wire/mail/text.c"
#include "wire/mail/verify.c"

#define OCTETS 10

static bool one_of(int c, const char *set)
{
	for (; *set != '\0'; set++) {
		if (c == *set)
			return true;
	}
	return false;
}

/* ---- what a local part and a domain are made of */

/* Octets of a local part and of a domain, as a set each: which they are is prove_octets' matter,
 * that none of them ends anything is what the rest needs of it. */
static bool in_local[SYMBOL_WORD + 1], in_host[SYMBOL_WORD + 1];

bool some_local(int c)
{
	return in_local[c];
}

bool some_host(int c)
{
	return in_host[c];
}

/* RFC 5322 3.2.3: atext and the dot of dot-atom; letters, digits, dot, hyphen and underscore. */
void prove_octets(void)
{
	int c = nondet_int();
	bool alphanumeric =
		(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

	suppose(c >= 0 && c <= SYMBOL_WORD);
	assert(is_local(c) == (alphanumeric || one_of(c, ".!#$%&'*+-/=?^_`{|}~")));
	assert(is_host(c) == (alphanumeric || one_of(c, ".-_")));
	if (one_of(c, "\"<>@,[]: \\") || c == SYMBOL_WORD)
		assert(!is_local(c) && !is_host(c));
	if (c == '~')
		REACHED(1);
}

/* ---- a whole value */

/* From @at to before @end: one or more, all of this set, the colon where it may stand. */
static bool is_run(const int *s, size_t at, size_t end, const bool *set, bool colon)
{
	for (size_t i = at; i < end; i++) {
		if (!set[s[i]] && !(colon && s[i] == ':'))
			return false;
	}
	return at < end;
}

/* The same within these two octets. */
static bool is_run_within(const int *s, size_t at, size_t end, int open, int shut, const bool *set,
			  bool colon)
{
	return end - at >= 3 && s[at] == open && s[end - 1] == shut &&
	       is_run(s, at + 1, end - 1, set, colon);
}

/* <local@domain>, the local part bare or in quotes, the domain bare or an address in brackets. */
static bool is_address(const int *s, size_t at, size_t end)
{
	size_t sign = at;

	while (sign < end && s[sign] != '@')
		sign++;
	if (end - at < 5 || sign == end || s[at] != '<' || s[end - 1] != '>')
		return false;
	return (is_run(s, at + 1, sign, in_local, false) ||
		is_run_within(s, at + 1, sign, '"', '"', in_local, false)) &&
	       (is_run(s, sign + 1, end - 1, in_host, false) ||
		is_run_within(s, sign + 1, end - 1, '[', ']', in_host, true));
}

/* An encoded word or a text in quotes; then encoded words, a space before each. */
static bool is_phrase(const int *s, size_t end)
{
	size_t at = 1;

	if (end == 0 || (s[0] != SYMBOL_WORD && s[0] != '"'))
		return false;
	while (s[0] == '"' && at < end && s[at] != '"') {
		if (s[at] == '\\' || s[at] == SYMBOL_WORD)
			return false;
		at++;
	}
	at += s[0] == '"';
	for (; at + 1 < end; at += 2) {
		if (s[at] != ' ' || s[at + 1] != SYMBOL_WORD)
			return false;
	}
	return at == end;
}

/* The last "<" begins the address: none can be in it. What is before it is a name and a space. */
static bool is_mailbox(const int *s, size_t size)
{
	size_t open = size;

	while (open > 0 && s[open - 1] != '<')
		open--;
	if (open == 0 || !is_address(s, open - 1, size))
		return false;
	return open == 1 || (open > 2 && s[open - 2] == ' ' && is_phrase(s, open - 2));
}

static bool accepts(const int *s, size_t size)
{
	struct mail_verify v = {0};

	for (size_t i = 0; i < size; i++) {
		if (mailbox_symbol(&v, s[i], false) < 0)
			return false;
	}
	return v.part == MAILBOX_END;
}

void prove_mailbox(void)
{
	static const char ends[] = "\"<>@,[]: \\";
	int s[OCTETS];
	size_t size = nondet_size();

	__CPROVER_havoc_object(s);
	__CPROVER_havoc_object(in_local);
	__CPROVER_havoc_object(in_host);
	suppose(size <= OCTETS && !in_local[SYMBOL_WORD] && !in_host[SYMBOL_WORD]);
	for (size_t i = 0; i < sizeof(ends) - 1; i++)
		suppose(!in_local[(int)ends[i]] && !in_host[(int)ends[i]]);
	for (size_t i = 0; i < OCTETS; i++)
		suppose(s[i] >= 0 && s[i] <= SYMBOL_WORD);
	assert(accepts(s, size) == is_mailbox(s, size));
	if (size == OCTETS && is_mailbox(s, size) && s[0] == '"')
		REACHED(1);
}

/* Behind a mailbox comes nothing but, where there may be several, ", " and another from its
 * start. */
void prove_list(void)
{
	struct mail_verify v;
	int first = nondet_int(), second = nondet_int();
	bool many = nondet_bool(), taken;

	__CPROVER_havoc_object(&v);
	suppose(first >= 0 && first <= SYMBOL_WORD && second >= 0 && second <= SYMBOL_WORD);
	suppose(v.part == MAILBOX_END);
	taken = mailbox_symbol(&v, first, many) == 0;
	assert(taken == (many && first == ','));
	if (!taken)
		return;
	assert(v.part != MAILBOX_END); /* the field is not complete behind a comma */
	taken = mailbox_symbol(&v, second, many) == 0;
	assert(taken == (second == ' '));
	if (!taken)
		return;
	assert(v.part == MAILBOX_START && v.count == 0);
	REACHED(1);
}
