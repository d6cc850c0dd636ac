/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mail verifier's characters: which may stand in text, and how octets become characters. For
 * every code point behind every other, every octet sequence, every base64 quantum: no bound.
 *
 * The specification names characters by what they are (Unicode 16.0 and its emoji data), where the
 * product has one sorted table; UTF-8 is specified by encoding, where the product decodes; base64
 * likewise.
 */
#include "prove.h"

#include "wire/mail/text.c"
#include "wire/mail/verify.c"

uint8_t __CPROVER_uninterpreted_step(uint8_t before, uint32_t c);

static bool in(uint32_t c, uint32_t first, uint32_t last)
{
	return first <= c && c <= last;
}

static bool is_control(uint32_t c)
{
	return (c < 0x20 && c != '\t') || in(c, 0x7F, 0x9F);
}

static bool is_bidi(uint32_t c)
{
	return c == 0x061C || c == 0x200E || c == 0x200F || in(c, 0x202A, 0x202E) ||
	       in(c, 0x2066, 0x2069);
}

/* Line and paragraph separators, spaces of no width, fillers, format controls, tags. */
static bool is_invisible(uint32_t c)
{
	return c == 0x00AD || c == 0x034F || in(c, 0x115F, 0x1160) || in(c, 0x17B4, 0x17B5) ||
	       in(c, 0x180B, 0x180F) || in(c, 0x200B, 0x200C) || in(c, 0x2028, 0x2029) ||
	       in(c, 0x2060, 0x2065) || in(c, 0x206A, 0x206F) || c == 0x3164 || c == 0xFEFF ||
	       c == 0xFFA0 || in(c, 0xFFF0, 0xFFFC) || in(c, 0x13430, 0x1345F) ||
	       in(c, 0x1BCA0, 0x1BCA3) || in(c, 0x1D173, 0x1D17A) || in(c, 0xE0000, 0xE00FF) ||
	       in(c, 0xE01F0, 0xE0FFF);
}

/* Variation selectors that select nothing here. */
static bool is_idle_selector(uint32_t c)
{
	return in(c, 0xFE03, 0xFE0D);
}

static bool is_no_text(uint32_t c)
{
	bool surrogate = in(c, 0xD800, 0xDFFF);
	bool private_use = in(c, 0xE000, 0xF8FF) || c >= 0xF0000;
	bool noncharacter = in(c, 0xFDD0, 0xFDEF) || (c & 0xFFFE) == 0xFFFE;

	return surrogate || private_use || noncharacter;
}

static bool is_bad(uint32_t c)
{
	return is_control(c) || is_bidi(c) || is_invisible(c) || is_idle_selector(c) ||
	       is_no_text(c);
}

static bool is_han(uint32_t c)
{
	return in(c, 0x3005, 0x3007) || in(c, 0x3400, 0x4DBF) || in(c, 0x4E00, 0x9FFF) ||
	       in(c, 0xF900, 0xFAFF) || in(c, 0x20000, 0x2FFFD) || in(c, 0x30000, 0x3FFFD);
}

/* Symbols of the Basic Multilingual Plane that have an emoji form, one by one or in their rows. */
static bool is_emoji(uint32_t c)
{
	static const uint16_t single[] = {0xA9,   0xAE,   0x203C, 0x2049, 0x2122, 0x2139,
					  0x21A9, 0x21AA, 0x231A, 0x231B, 0x2328, 0x23CF,
					  0x24C2, 0x25AA, 0x25AB, 0x25B6, 0x25C0, 0x2934,
					  0x2935, 0x2B05, 0x2B06, 0x2B07, 0x2B1B, 0x2B1C,
					  0x2B50, 0x2B55, 0x3030, 0x303D, 0x3297, 0x3299};

	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
		if (single[i] == c)
			return true;
	}
	return in(c, 0x2194, 0x2199) || in(c, 0x23E9, 0x23FA) || in(c, 0x25FB, 0x25FE) ||
	       in(c, 0x2600, 0x27BF) || in(c, 0x1F000, 0x1FAFF);
}

static bool is_keycap(uint32_t c)
{
	return c == '#' || c == '*' || in(c, '0', '9');
}

/* What a character is to the one behind it, and whether it may follow @before at all. */
static bool wanted_step(enum mail_text_before before, uint32_t c, enum mail_text_before *after)
{
	bool emoji_before = before == MAIL_TEXT_EMOJI;

	*after = MAIL_TEXT_OTHER;
	if (is_bad(c))
		return false;
	if (c == 0x200D) {
		*after = MAIL_TEXT_JOINER;
		return emoji_before || before == MAIL_TEXT_EMOJI_DONE;
	}
	if (in(c, 0xFE00, 0xFE02) || in(c, 0xE0100, 0xE01EF))
		return before == MAIL_TEXT_HAN;
	if (c == 0xFE0E || c == 0xFE0F) {
		*after = emoji_before ? MAIL_TEXT_EMOJI_DONE : MAIL_TEXT_OTHER;
		return emoji_before || before == MAIL_TEXT_KEYCAP;
	}
	if (is_emoji(c)) {
		*after = MAIL_TEXT_EMOJI;
		return true;
	}
	*after = is_han(c) ? MAIL_TEXT_HAN : is_keycap(c) ? MAIL_TEXT_KEYCAP : MAIL_TEXT_OTHER;
	return before != MAIL_TEXT_JOINER;
}

void prove_step(void)
{
	uint32_t c = nondet_u32();
	enum mail_text_before before = nondet_u8(), said = before, wanted;
	bool good;

	suppose(before <= MAIL_TEXT_JOINER);
	good = mail_text_step(&said, c);
	assert(good == wanted_step(before, c, &wanted));
	if (!good)
		return;
	assert(said == wanted);
	if (said == MAIL_TEXT_JOINER)
		REACHED(1);
	if (before == MAIL_TEXT_HAN && c >= 0xE0100)
		REACHED(2);
}

/* RFC 3629 3. Return: octets. */
static unsigned encode(uint32_t c, uint8_t out[4])
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	unsigned size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	out[0] = (uint8_t)((0xF0 << (4 - size) & 0xFF) | c >> 6 * (size - 1));
	for (unsigned i = 1; i < size; i++)
		out[i] = (uint8_t)(0x80 | (c >> 6 * (size - 1 - i) & 0x3F));
	return size;
}

/*
 * In the two proofs of UTF-8 this stands in for mail_text_step and for wanted_step: some function
 * of the two, the same at each call. That the real ones are equal is prove_step.
 */
bool some_step(enum mail_text_before *before, uint32_t c)
{
	uint8_t said = __CPROVER_uninterpreted_step((uint8_t)*before, c);

	*before = (enum mail_text_before)(said % 6);
	return said >= 128;
}

static struct mail_text any_boundary(void)
{
	struct mail_text t;

	__CPROVER_havoc_object(&t);
	suppose(t.need == 0 && t.before <= MAIL_TEXT_JOINER);
	return t;
}

/* Whatever octets come, those that make a character are the one encoding of an allowed one. */
void prove_utf8_sound(void)
{
	struct mail_text t = any_boundary();
	enum mail_text_before before = t.before;
	uint8_t octets[4], again[4];
	unsigned size = 0;

	__CPROVER_havoc_object(octets);
	do {
		if (!mail_text_octet(&t, octets[size++]))
			return;
	} while (t.need > 0 && size < 4);
	assert(t.need == 0);
	REACHED(1);
	assert(encode(t.c, again) == size);
	for (unsigned i = 0; i < size; i++)
		assert(again[i] == octets[i]);
	assert(t.c <= 0x1FFFFF && some_step(&before, t.c) && t.before == before);
}

/* And every allowed character is taken, in its encoding. */
void prove_utf8_complete(void)
{
	struct mail_text t = any_boundary();
	enum mail_text_before after = t.before;
	uint32_t c = nondet_u32();
	uint8_t octets[4];
	unsigned size;

	suppose(c <= 0x10FFFF && some_step(&after, c));
	size = encode(c, octets);
	for (unsigned i = 0; i < size; i++) {
		assert(t.need == (i == 0 ? 0 : size - i));
		assert(mail_text_octet(&t, octets[i]));
	}
	assert(t.need == 0 && t.c == c && t.before == after);
	REACHED(1);
}

/*
 * What the fast path takes in one step is whole characters, which mail_text_octet takes behind
 * whatever no joiner is, and which leave what they leave behind nothing: to look at the last one
 * again is enough.
 */
void prove_common(void)
{
	struct mail_text slow = any_boundary(), last = {0};
	uint8_t s[LENGTH_MOST];
	size_t length;

	suppose(slow.before != MAIL_TEXT_JOINER);
	__CPROVER_havoc_object(s);
	length = common_length(s);
	assert(length <= LENGTH_MOST);
	for (size_t i = 0; i < length; i++) {
		assert(slow.need == 0 || i > 0);
		assert(mail_text_octet(&slow, s[i]));
		assert(mail_text_octet(&last, s[i]));
	}
	assert(slow.need == 0 && slow.before != MAIL_TEXT_JOINER);
	if (length == 0)
		return;
	assert(last.before == slow.before);
	if (length == 1)
		REACHED(1);
	if (length == 3 && s[0] == 0xEF)
		REACHED(2);
	if (length == 2)
		REACHED(3);
}

/* The instruction, for which CBMC has no model: the sign of each octet. */
int some_signs(__m128i octets)
{
	uint8_t each[FIRST_OCTETS];
	int signs = 0;

	memcpy(each, &octets, sizeof(each));
	for (unsigned i = 0; i < FIRST_OCTETS; i++)
		signs |= (each[i] >> 7) << i;
	return signs;
}

/* Is @carry what a character may take behind a window, all of it from within a character? */
static bool carries(uint32_t carry, const uint8_t *s)
{
	return carry == 0 || (carry == 1 && (s[0] & 0xC0) == 0x80) ||
	       (carry == 3 && (s[0] & 0xC0) == 0x80 && (s[1] & 0xC0) == 0x80);
}

/* A step of the run goes over whole common characters, one after the other, and no further than
 * AHEAD octets; it stops where there is none. That is what some_step_of_run() supposes. */
void prove_window(void)
{
	struct run r = {0, nondet_u32()};
	uint8_t s[AHEAD];
	size_t at, end;
	bool goes_on;

	__CPROVER_havoc_object(s);
	suppose(carries(r.carry, s));
	at = (size_t)__builtin_ctz(~r.carry);
	goes_on = common_step(s, &r);
	assert(r.at <= AHEAD && (r.at > 0 || !goes_on));
	assert(r.carry == 0 || (r.at == FIRST_OCTETS && carries(r.carry, s + r.at)));
	end = r.at + (size_t)__builtin_ctz(~r.carry);
	assert(at <= end && end <= AHEAD);
	while (at < end) {
		size_t length = common_length(s + at);

		assert(length > 0);
		at += length;
	}
	assert(at == end);
	assert(goes_on || (end < FIRST_OCTETS && common_length(s + end) == 0));
	if (end == AHEAD && s[3] == 0xE3)
		REACHED(1);
	if (end == FIRST_OCTETS && s[0] == 'a')
		REACHED(2);
	if (r.at == FIRST_OCTETS - 1)
		REACHED(3);
}

enum { TEXT_OCTETS = 2 * AHEAD + 1 };

/* A text, the place where its common characters end, and what is known of a run over it. */
static uint8_t text[TEXT_OCTETS];
static size_t text_size, text_end;
static struct run run_left;
static bool run_stopped;

static size_t run_end(struct run r)
{
	return r.at + (size_t)__builtin_ctz(~r.carry);
}

static void any_text(void)
{
	text_size = nondet_size();
	text_end = nondet_size();
	suppose(text_size <= TEXT_OCTETS && text_end <= text_size);
}

/* Stands in for common_step in the proof of the run: any step that prove_window allows, within the
 * text, from where the one before it left off. */
bool some_step_of_run(const uint8_t *s, struct run *r)
{
	struct run next = {nondet_size(), nondet_u32()};
	bool goes_on = nondet_bool();

	assert(s == text && !run_stopped);
	assert(r->at == run_left.at && r->carry == run_left.carry);
	assert(r->at <= text_size && text_size - r->at >= AHEAD);
	suppose(next.carry == 0 || next.carry == 1 || next.carry == 3);
	suppose(next.carry == 0 || next.at == r->at + FIRST_OCTETS);
	suppose(next.at >= r->at + goes_on && next.at <= r->at + AHEAD);
	suppose(run_end(next) >= run_end(*r) && run_end(next) <= text_end);
	suppose(goes_on || run_end(next) == text_end);
	*r = run_left = next;
	run_stopped = !goes_on;
	return goes_on;
}

/* The run ends where common characters do, or where a step was the last that could be made. */
void prove_run(void)
{
	size_t end;

	any_text();
	end = common_run(text, text_size);
	assert(end == run_end(run_left) && end <= text_end);
	assert(end == text_end || text_size - end < AHEAD);
	if (end == TEXT_OCTETS)
		REACHED(1);
	if (text_size == TEXT_OCTETS && end == 1)
		REACHED(2);
}

/* Stands in for common_run in the proof of the rest: what prove_run claims, over the text, and over
 * what must be a copy of its rest with zeros behind it. */
size_t some_run(const uint8_t *s, size_t size)
{
	size_t end = nondet_size(), i = nondet_size(), wanted = text_end - run_left.at;

	suppose(end <= wanted && (end == wanted || size - end < AHEAD) && i < size);
	assert(s[i] == (i < text_size - run_left.at ? text[run_left.at + i] : 0));
	run_left.at += end;
	return end;
}

/* No character is left for want of octets to look at together. */
void prove_rest(void)
{
	any_text();
	__CPROVER_havoc_object(text);
	assert(mail_text_run(text, text_size) == text_end);
	if (text_end == TEXT_OCTETS)
		REACHED(1);
	if (text_size == TEXT_OCTETS && text_end == 1)
		REACHED(2);
}

static uint8_t digit(unsigned value)
{
	return (uint8_t)"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[value];
}

/* RFC 4648 4: @count octets, 1 to 3. */
static void encode64(const uint8_t in[3], unsigned count, uint8_t out[4])
{
	uint8_t second = count > 1 ? in[1] : 0, third = count > 2 ? in[2] : 0;

	out[0] = digit(in[0] / 4);
	out[1] = digit(in[0] % 4 * 16 + second / 16);
	out[2] = count > 1 ? digit(second % 16 * 4 + third / 64) : '=';
	out[3] = count > 2 ? digit(third % 64) : '=';
}

void prove_base64(void)
{
	uint8_t digits[4], octets[3], again[4], plain[3];
	unsigned count = 1 + nondet_u8() % 3, got;

	/* Only the one encoding of what comes out is taken. */
	__CPROVER_havoc_object(digits);
	got = base64_quantum(digits, octets);
	assert(got <= 3);
	if (got > 0) {
		REACHED(1);
		encode64(octets, got, again);
		assert(memcmp(digits, again, 4) == 0);
	}
	/* And every encoding is. */
	__CPROVER_havoc_object(plain);
	encode64(plain, count, digits);
	assert(base64_quantum(digits, octets) == count);
	for (unsigned i = 0; i < count; i++)
		assert(octets[i] == plain[i]);
}
