/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers, hosts and addresses of a text, as hashes. */
#include "mail-flattener/facts.h"

#include <string.h>

#include "base/utf8.h"
#include "wire/host_name.h"
#include "wire/html/text.h"

enum {
	WORD_BYTES = 320, /* of an address, with both of its sides; longer words are parted */
	LONG = 7,         /* digits of an account or a telephone */
	SHORT_LEAST = 3,  /* shorter ones count lists and pages */
	LONG_POWER = 10000000,
};

static void set_bit(uint64_t *bits, uint32_t hash)
{
	hash = (hash >> 15 ^ hash) & (FACT_BITS - 1);
	bits[hash / 64] |= UINT64_C(1) << hash % 64;
}

static void add_word(struct facts *facts, enum fact_set set, struct span word)
{
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (size_t i = 0; i < word.size; i++) {
		uint8_t c = word.data[i];

		hash = (hash ^ (c >= 'A' && c <= 'Z' ? c + 32U : c)) * 16777619U;
	}
	set_bit(facts->bits[set], hash);
}

static void add_number(struct facts *facts, enum fact_set set, uint32_t value)
{
	set_bit(facts->bits[set], (value + 1) * 0x9E3779B1U);
}

/* The character at @at in its narrow form, dashes of all kinds as '-'; 0 at the end and for an
 * octet that is none. Return: its octets, at least 1. */
static size_t narrow_at(struct span text, size_t at, uint32_t *c)
{
	size_t size;

	*c = 0;
	if (at >= text.size)
		return 1;
	size = utf8_decode((struct span){text.data + at, text.size - at}, c);
	if (size == 0)
		return 1;
	*c = utf8_narrow(*c);
	if ((*c >= 0x2010 && *c <= 0x2015) || *c == 0x2212 || *c == 0x30FC)
		*c = '-';
	if (*c == 0xA0)
		*c = ' ';
	return size;
}

static bool is_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_digit_at(struct span text, size_t at)
{
	uint32_t c;

	narrow_at(text, at, &c);
	return is_digit(c);
}

/* Up to @most digits at *@at, which is set behind them. Return: how many. */
static unsigned read_digits(struct span text, size_t *at, unsigned most, uint32_t *value)
{
	unsigned count = 0;
	uint32_t c;
	size_t size;

	for (*value = 0; count < most; count++) {
		size = narrow_at(text, *at, &c);
		if (!is_digit(c))
			break;
		*value = *value * 10 + c - '0';
		*at += size;
	}
	return count;
}

static bool is_year(uint32_t value)
{
	return value >= 1900 && value < 2100;
}

/* The end of a date at @at (2026-11-23, 2026.1.5), or 0. */
static size_t date_end(struct span text, size_t at)
{
	uint32_t value, first, second;

	if (read_digits(text, &at, 4, &value) < 4 || !is_year(value))
		return 0;
	at += narrow_at(text, at, &first);
	if ((first != '-' && first != '.' && first != '/') ||
	    read_digits(text, &at, 2, &value) == 0 || value > 12)
		return 0;
	at += narrow_at(text, at, &second);
	if (second != first || read_digits(text, &at, 2, &value) == 0 || value > 31 ||
	    is_digit_at(text, at))
		return 0;
	return at;
}

/* A number that is being read. */
struct number {
	uint32_t run; /* its last seven digits */
	unsigned digits;
	uint32_t group; /* the digits since a separator that is no comma */
	unsigned in_group;
	bool commas;
};

static void group_end(struct facts *facts, struct number *n)
{
	if (n->in_group >= SHORT_LEAST && n->in_group < LONG &&
	    (n->in_group != 4 || n->commas || !is_year(n->group)))
		add_number(facts, FACT_SHORT, n->group);
	n->group = 0;
	n->in_group = 0;
	n->commas = false;
}

static void stream_add(struct facts *facts, uint32_t digit)
{
	facts->stream = (facts->stream * 10 + digit) % LONG_POWER;
	facts->digits += facts->digits < LONG;
	if (facts->digits == LONG)
		add_number(facts, FACT_NUMBER_SEEN, facts->stream);
}

static void number_add(struct facts *facts, struct number *n, uint32_t digit)
{
	stream_add(facts, digit);
	n->run = (n->run * 10 + digit) % LONG_POWER;
	n->digits += n->digits < LONG;
	if (n->digits == LONG)
		add_number(facts, FACT_NUMBER_SAID, n->run);
	n->group = (n->group * 10 + digit) % LONG_POWER;
	n->in_group += n->in_group < LONG;
}

/* A number at @at, whatever single separator stands between its groups of digits. Return: behind
 * it. */
static size_t take_number(struct facts *facts, struct span text, size_t at)
{
	struct number n = {0};
	size_t end = date_end(text, at), size;
	uint32_t c;

	while (at < end) {
		at += narrow_at(text, at, &c);
		if (is_digit(c))
			stream_add(facts, c - '0');
	}
	if (end > 0)
		return end;
	for (;;) {
		size = narrow_at(text, at, &c);
		if (is_digit(c)) {
			number_add(facts, &n, c - '0');
			at += size;
			continue;
		}
		if (c == 0 || c >= 0x80 || strchr(",.-() ", (int)c) == NULL ||
		    !is_digit_at(text, at + size) || (c == ' ' && date_end(text, at + size) > 0))
			break;
		if (c != ',')
			group_end(facts, &n);
		n.commas = n.commas || c == ',';
		at += size;
	}
	group_end(facts, &n);
	return at;
}

static bool is_word(uint32_t c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       (c != 0 && c < 0x80 && strchr("._%+-@", (int)c) != NULL);
}

/* "www." and the like say nothing. */
static struct span bare_host(struct span host)
{
	return span_starts_nocase(host, span_of("www."))
		       ? (struct span){host.data + 4, host.size - 4}
		       : host;
}

static void add_host(struct facts *facts, struct span host, bool said)
{
	if (host.size == 0)
		return;
	if (said)
		add_word(facts, FACT_HOST_SAID, bare_host(host));
	add_word(facts, FACT_HOST_SEEN, bare_host(host));
}

/* A word at @at: an address, a host, or neither. Return: behind it; *@fact, whether it was one. */
static size_t take_word(struct facts *facts, struct span text, size_t at, bool *fact)
{
	uint8_t narrow[WORD_BYTES];
	struct span word = {narrow, 0}, host;
	size_t host_at = 0, size;
	uint32_t c;

	for (; word.size < WORD_BYTES; at += size) {
		size = narrow_at(text, at, &c);
		if (!is_word(c))
			break;
		narrow[word.size++] = (uint8_t)c;
	}
	while (word.size > 0 && memchr(".-", word.data[word.size - 1], 2) != NULL)
		word.size--;
	*fact = true;
	if (word.size > 0 && memchr(word.data, '@', word.size) != NULL) {
		add_word(facts, FACT_ADDRESS_SAID, word);
		add_word(facts, FACT_ADDRESS_SEEN, word);
	} else if (word.size > 0 && host_name_next(word, &host_at, &host) &&
		   host.size == word.size) {
		add_host(facts, host, true);
	} else {
		*fact = false;
	}
	return at;
}

/* Behind the "http://" or "https://" at @at, or 0. */
static size_t url_begin(struct span text, size_t at)
{
	struct span rest = {text.data + at, text.size - at};

	if (span_starts_nocase(rest, span_of("http://")))
		return at + 7;
	return span_starts_nocase(rest, span_of("https://")) ? at + 8 : 0;
}

/* The host of the target that begins at @at, of which nothing else counts: mailers count clicks
 * there. */
static size_t take_url(struct facts *facts, struct span text, size_t at, bool said)
{
	size_t end = host_name_end(text, at);

	add_host(facts, (struct span){text.data + at, end - at}, said);
	while (end < text.size && text.data[end] > ' ' && text.data[end] < 0x80 &&
	       text.data[end] != '>')
		end++;
	return end;
}

void facts_add(struct facts *facts, struct span text)
{
	size_t looked = 0; /* up to here, a word is neither address nor host */

	for (size_t at = 0, begin; at < text.size;) {
		uint32_t c;
		size_t size = narrow_at(text, at, &c);
		bool fact = false;

		if (c == '<' && (begin = url_begin(text, at + 1)) > 0) {
			at = take_url(facts, text, begin, false);
			continue;
		}
		if ((c | 0x20) == 'h' && (begin = url_begin(text, at)) > 0) {
			at = take_url(facts, text, begin, true);
			continue;
		}
		if (at >= looked && is_word(c)) {
			looked = take_word(facts, text, at, &fact);
			if (fact) {
				at = looked;
				continue;
			}
		}
		at = is_digit(c) ? take_number(facts, text, at) : at + size;
	}
}

/* How many hashes of @a are in @b, too; *@beyond: how many are not. */
static unsigned common(const uint64_t *a, const uint64_t *b, unsigned *beyond)
{
	unsigned both = 0;

	*beyond = 0;
	for (size_t i = 0; i < FACT_BITS / 64; i++) {
		both += (unsigned)__builtin_popcountll(a[i] & b[i]);
		*beyond += (unsigned)__builtin_popcountll(a[i] & ~b[i]);
	}
	return both;
}

bool facts_differ(const struct facts *a, const struct facts *b)
{
	unsigned only_a, only_b, both;

	for (unsigned said = FACT_NUMBER_SAID; said < FACT_SHORT; said += 2) {
		common(a->bits[said], b->bits[said + 1], &only_a);
		common(b->bits[said], a->bits[said + 1], &only_b);
		if (only_a > 0 && only_b > 0)
			return true;
	}
	both = common(a->bits[FACT_SHORT], b->bits[FACT_SHORT], &only_a);
	common(b->bits[FACT_SHORT], a->bits[FACT_SHORT], &only_b);
	return only_a > 0 && only_b > 0 && both * 2 < (only_a < only_b ? only_a : only_b);
}
