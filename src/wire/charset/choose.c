/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which charset are these bytes in? The label, unless the bytes say otherwise. */
#include "wire/charset/sink.h"

/* So much is looked at; a text does not change its charset behind it. */
#define EVIDENCE_MAX (256U << 10)

/* What the bytes look like, each counted in one pass over them. */
struct evidence {
	size_t size;      /* bytes looked at */
	size_t high;      /* bytes of 0x80 and more */
	size_t escapes;   /* designations of 7-bit JIS */
	uint8_t shifts;   /* the last set designated for SO: 'C' Korean, 'A' Chinese */
	size_t utf8_good; /* characters of two bytes and more */
	size_t utf8_bad;
	size_t sjis_bad;
	size_t sjis_score; /* kana and common kanji */
	size_t sjis_kana;  /* half-width kana: what EUC text looks like under the wrong label */
	size_t euc_bad;
	size_t euc_score;
};

static const struct charset *named(const char *label)
{
	return charset_find(span_of(label));
}

static bool is_jis_escape(const uint8_t *s, size_t left)
{
	if (left < 3)
		return false;
	if (s[1] == '$')
		return s[2] == 'B' || s[2] == '@' || s[2] == '(';
	return s[1] == '(' && (s[2] == 'J' || s[2] == 'I');
}

static void count_escapes(struct evidence *e, struct span in)
{
	const uint8_t *at = in.data, *end = in.data + in.size;

	while (at < end && (at = memchr(at, 0x1B, (size_t)(end - at))) != NULL) {
		e->escapes += is_jis_escape(at, (size_t)(end - at));
		if (end - at >= 4 && at[1] == '$' && at[2] == ')')
			e->shifts = at[3];
		at++;
	}
}

/* The length of a multi-byte UTF-8 character by its look (no overlong check: this only counts), or
 * 0. */
static size_t utf8_shape(const uint8_t *s, size_t left)
{
	size_t length = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;

	if (s[0] < 0xC2 || s[0] > 0xF4 || left < length)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	}
	return length;
}

static void count_utf8(struct evidence *e, struct span in)
{
	for (size_t at = 0; at < in.size;) {
		size_t length;

		if (in.data[at] < 0x80) {
			at += ascii_run(in.data + at, in.size - at);
			continue;
		}
		length = utf8_shape(in.data + at, in.size - at);
		e->utf8_good += length > 0;
		e->utf8_bad += length == 0;
		at += length > 0 ? length : 1;
	}
}

/* Kana and the kanji of level 1, as rows of JIS X 0208: rows 4 and 5, and 16 to 47. */
static bool is_common_row(unsigned row)
{
	return row == 4 || row == 5 || (row >= 16 && row <= 47);
}

static void count_sjis(struct evidence *e, struct span in)
{
	for (size_t at = 0; at < in.size; at++) {
		uint8_t b = in.data[at], trail;
		unsigned row;

		e->high += b >= 0x80;
		e->sjis_kana += b >= 0xA1 && b <= 0xDF;
		if (b < 0x80 || (b >= 0xA1 && b <= 0xDF))
			continue;
		trail = at + 1 < in.size ? in.data[at + 1] : 0;
		if (b == 0x80 || b == 0xA0 || b > 0xFC || trail < 0x40 || trail == 0x7F ||
		    trail > 0xFC) {
			e->sjis_bad++;
			continue;
		}
		row = (unsigned)(b - (b < 0xA0 ? 0x81 : 0xC1)) * 2 + (trail >= 0x9F ? 2 : 1);
		e->sjis_score += is_common_row(row);
		e->high += trail >= 0x80;
		at++;
	}
}

static void count_euc(struct evidence *e, struct span in)
{
	for (size_t at = 0; at < in.size; at++) {
		uint8_t b = in.data[at], trail;

		if (b < 0x80)
			continue;
		trail = at + 1 < in.size ? in.data[at + 1] : 0;
		if (b == 0x8F && at + 2 < in.size && trail >= 0xA1 && in.data[at + 2] >= 0xA1) {
			at += 2;
			continue;
		}
		if ((b < 0xA1 && b != 0x8E) || b == 0xFF || trail < 0xA1 || trail == 0xFF) {
			e->euc_bad++;
			continue;
		}
		e->euc_score += b != 0x8E && is_common_row(b - 0xA0U);
		at++;
	}
}

static struct span look_at(struct span in)
{
	return (struct span){in.data, in.size > EVIDENCE_MAX ? EVIDENCE_MAX : in.size};
}

/* For and against UTF-8: all that it takes to believe that label, which most mails have. */
static struct evidence gather_utf8(struct span in)
{
	struct evidence e = {0};

	in = look_at(in);
	e.size = in.size;
	count_escapes(&e, in);
	count_utf8(&e, in);
	return e;
}

static void gather_japanese(struct evidence *e, struct span in)
{
	in = look_at(in);
	if (e->utf8_good + e->utf8_bad == 0)
		return; /* plain ASCII */
	count_sjis(e, in);
	count_euc(e, in);
}

/* A text that was cut at the end of the evidence, or by its sender, may have one broken character.
 */
static bool is_utf8(const struct evidence *e)
{
	return e->utf8_good > 0 && e->utf8_bad <= e->utf8_good / 100;
}

/* Half-width kana make almost any EUC text well-formed Shift_JIS; whoever writes in them alone is
 * not read by many. */
static bool is_rather_euc(const struct evidence *e)
{
	if (e->euc_bad > 0 || e->euc_score == 0)
		return false;
	return e->sjis_bad > 0 || (e->euc_score >= 4 && e->sjis_kana > 2 * e->sjis_score);
}

/* The best guess for bytes that are not ASCII, not 7-bit JIS and not UTF-8; NULL where nothing
 * Japanese fits. */
static const struct charset *guess_japanese(const struct evidence *e)
{
	bool sjis = e->sjis_score > 0 && e->sjis_bad * 20 <= e->high;
	bool euc = e->euc_score > 0 && e->euc_bad * 20 <= e->high;

	if (sjis && euc) {
		return named(is_rather_euc(e) || e->euc_score > e->sjis_score ? "euc-jp"
									      : "shift_jis");
	}
	if (sjis || euc)
		return named(sjis ? "shift_jis" : "euc-jp");
	return NULL;
}

static const struct charset *guess(const struct evidence *e)
{
	const struct charset *japanese;

	if (e->escapes > 0)
		return named("iso-2022-jp");
	if (e->shifts == 'C' || e->shifts == 'A')
		return named(e->shifts == 'C' ? "iso-2022-kr" : "iso-2022-cn");
	if (e->high == 0 || is_utf8(e))
		return named("utf-8");
	japanese = guess_japanese(e);
	return japanese != NULL ? japanese : named("windows-1252");
}

/* Are nearly all units kana, ideographs, full-width forms or ASCII, many of them kana or line ends?
 * @high: which byte of a unit is the upper one. */
static bool is_japanese_utf16(struct span in, size_t size, size_t high)
{
	size_t units = 0, good = 0, telling = 0;

	for (size_t i = 0; i + 1 < size; i += 2, units++) {
		uint8_t b = in.data[i + high];

		telling += b == 0x30 || b == 0;
		good += b == 0x30 || b == 0 || b == 0xFF || (b >= 0x4E && b <= 0x9F);
	}
	return units >= 8 && good * 20 >= units * 19 && telling * 4 >= units;
}

/* UTF-16 announces itself, or shows by its zero bytes in a text that has Latin letters. */
static const struct charset *guess_utf16(struct span in)
{
	size_t even = 0, odd = 0, size = in.size < 1024 ? in.size : 1024;

	if (in.size >= 2 && in.data[0] == 0xFE && in.data[1] == 0xFF)
		return named("utf-16be");
	if (in.size >= 2 && in.data[0] == 0xFF && in.data[1] == 0xFE)
		return named("utf-16le");
	for (size_t i = 0; i + 1 < size; i += 2) {
		even += in.data[i] == 0;
		odd += in.data[i + 1] == 0;
	}
	if (size >= 8 && odd * 4 >= size && even == 0)
		return named("utf-16le");
	if (size >= 8 && even * 4 >= size && odd == 0)
		return named("utf-16be");
	if (even + odd == 0)
		return NULL; /* no line end either: something else */
	if (is_japanese_utf16(in, size, 0))
		return named("utf-16be");
	return is_japanese_utf16(in, size, 1) ? named("utf-16le") : NULL;
}

/* Western text has an accent here and there; so many bytes with the high bit are another script's,
 * and most of them in pairs of common characters are Japanese. */
static bool is_rather_japanese(const struct evidence *e)
{
	size_t score = e->sjis_score > e->euc_score ? e->sjis_score : e->euc_score;

	return score >= 8 && e->high * 10 >= e->size * 3 && score * 4 >= e->high &&
	       guess_japanese(e) != NULL;
}

/* Does the evidence speak against reading the bytes as @charset? */
static bool contradicts(const struct charset *charset, const struct evidence *e)
{
	switch (charset->family) {
	case FAMILY_UTF8:
		return e->escapes > 0 || e->shifts == 'C' || e->shifts == 'A' ||
		       e->utf8_bad > e->utf8_good;
	case FAMILY_JIS7:
		/* Eight-bit kana alone are part of it; double bytes are not. */
		return e->escapes == 0 && e->high > 0 && (is_utf8(e) || guess_japanese(e) != NULL);
	case FAMILY_SJIS:
		return e->escapes > 0 || (is_utf8(e) && e->sjis_bad > 0) || is_rather_euc(e);
	case FAMILY_EUC_JP:
		return e->escapes > 0 || (e->euc_bad > 0 && is_utf8(e)) ||
		       (e->euc_bad > 0 && e->sjis_bad == 0 && e->sjis_score > 0);
	case FAMILY_SINGLE:
		/* Accented letters hardly ever look like UTF-8 by chance, and never many in a row.
		 */
		return e->escapes > 0 || (is_utf8(e) && e->utf8_bad == 0) ||
		       (charset->table == charset_windows_1252 && is_rather_japanese(e));
	case FAMILY_GB18030:
	case FAMILY_BIG5:
	case FAMILY_EUC_KR:
		return e->escapes > 0 || (is_utf8(e) && e->utf8_bad == 0 && e->utf8_good >= 4);
	default:
		return false;
	}
}

struct charset_choice charset_choose(struct span label, struct span in)
{
	/* What claims to be ASCII and is not has no label worth the name. */
	bool ascii = span_equal_nocase(span_trim(label), span_of("us-ascii"));
	const struct charset *labelled = ascii ? NULL : charset_find(label);
	struct evidence e;

	if (labelled != NULL &&
	    (labelled->family == FAMILY_UTF16LE || labelled->family == FAMILY_UTF16BE)) {
		const struct charset *marked = guess_utf16(in);

		return (struct charset_choice){marked != NULL ? marked : labelled, false};
	}
	e = gather_utf8(in);
	if (labelled != NULL && labelled->family == FAMILY_UTF8 && !contradicts(labelled, &e))
		return (struct charset_choice){labelled, false};
	gather_japanese(&e, in);
	if (labelled != NULL && !contradicts(labelled, &e))
		return (struct charset_choice){labelled, false};
	if (labelled == NULL && guess_utf16(in) != NULL)
		return (struct charset_choice){guess_utf16(in), true};
	return (struct charset_choice){guess(&e), (e.high > 0 || e.escapes > 0 || e.shifts > 0) &&
							  guess(&e) != labelled};
}
