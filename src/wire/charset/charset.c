/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Charsets by label, and the frame in which their decoders run. */
#include "wire/charset/charset.h"

#include "base/err.h"
#include "wire/charset/sink.h"

static const char hex_digits[] = "0123456789ABCDEF";

static charset_round *const rounds[] = {
	[FAMILY_UTF8] = charset_round_utf8,          [FAMILY_UTF16LE] = charset_round_utf16,
	[FAMILY_UTF16BE] = charset_round_utf16,      [FAMILY_UTF7] = charset_round_utf7,
	[FAMILY_SINGLE] = charset_round_single,      [FAMILY_JIS7] = charset_round_jis7,
	[FAMILY_SJIS] = charset_round_sjis,          [FAMILY_EUC_JP] = charset_round_euc_jp,
	[FAMILY_GB18030] = charset_round_gb18030,    [FAMILY_BIG5] = charset_round_big5,
	[FAMILY_EUC_KR] = charset_round_euc_kr,      [FAMILY_ISO2022_KR] = charset_round_iso2022,
	[FAMILY_ISO2022_CN] = charset_round_iso2022, [FAMILY_HZ] = charset_round_hz,
};

void sink_bad(struct charset_sink *sink, const uint8_t *bytes, size_t count)
{
	if (sink->bad_end == sink->at)
		sink->at[-1] = ' ';
	else
		*sink->at++ = '[';
	for (size_t i = 0; i < count; i++) {
		*sink->at++ = (uint8_t)hex_digits[bytes[i] >> 4];
		*sink->at++ = (uint8_t)hex_digits[bytes[i] & 15];
		*sink->at++ = i + 1 < count ? ' ' : ']';
	}
	sink->bad_end = sink->at;
	sink->report->undecodable_bytes += count;
}

void sink_gaiji(struct charset_sink *sink, const uint8_t *code, size_t count)
{
	sink_code(sink, 0x3013); /* geta mark */
	*sink->at++ = '(';
	for (size_t i = 0; i < count; i++) {
		*sink->at++ = (uint8_t)hex_digits[code[i] >> 4];
		*sink->at++ = (uint8_t)hex_digits[code[i] & 15];
	}
	*sink->at++ = ')';
	sink->report->gaiji++;
}

int charset_decode(const struct charset *charset, struct span in, struct bytes *out,
		   struct charset_report *report)
{
	struct charset_state state = {0};
	size_t at = 0;

	while (at < in.size) {
		struct span rest = {in.data + at, in.size - at};
		struct charset_sink sink = {.report = report};
		size_t round = rest.size < SINK_ROUND ? rest.size : SINK_ROUND;
		uint8_t *room = bytes_room(out, round * 5 + SINK_MORE);

		if (room == NULL)
			return out->size + round * 5 + SINK_MORE > out->limit ? -ERR_TOO_LONG
									      : -ERR_NO_MEMORY;
		sink.at = room;
		at += rounds[charset->family](charset, &state, rest, round, &sink);
		out->size += (size_t)(sink.at - room);
	}
	return 0;
}

const char *charset_name(const struct charset *charset)
{
	return charset->name;
}

size_t charset_round_single(const struct charset *charset, struct charset_state *state,
			    struct span in, size_t round, struct charset_sink *sink)
{
	size_t at = 0;

	(void)state; /* one byte is one character */
	while (at < round) {
		uint8_t b = in.data[at];

		if (b < 0x80) {
			at = sink_ascii_run(sink, in, at, round);
			continue;
		}
		at++;
		if (charset->table[b - 0x80] != 0)
			sink_code(sink, charset->table[b - 0x80]);
		else
			sink_bad(sink, &b, 1);
	}
	return at;
}
