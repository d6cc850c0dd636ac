/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The charsets by label: those of the WHATWG Encoding Standard, and further ones that mail uses. */
#include "wire/charset/sink.h"

struct labelled {
	struct charset charset;
	const char *labels; /* separated by single spaces, lower case */
};

#define SINGLE(name, table) {name, FAMILY_SINGLE, charset_##table}

static const struct labelled charsets[] = {
	{{"UTF-8", FAMILY_UTF8, NULL},
	 "utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8 us-ascii ascii "
	 "ansi_x3.4-1968 ansi_x3.4-1986 cp367 csascii ibm367 iso-ir-6 iso646-us iso_646.irv:1991 "
	 "us "
	 "unknown-8bit 8bit 7bit"},
	{{"ISO-2022-JP", FAMILY_JIS7, NULL},
	 "iso-2022-jp csiso2022jp iso-2022-jp-1 iso-2022-jp-2 iso-2022-jp-3 iso-2022-jp-2004 "
	 "iso-2022-jp-ms iso2022jp iso2022-jp cp50220 cp50221 cp50222 csiso2022jp2 jis jis7 jis8 "
	 "x-iso-2022-jp _iso-2022-jp$esc _iso-2022-jp$sio iso-2022-jp-8 iso-2022"},
	{{"Shift_JIS", FAMILY_SJIS, NULL},
	 "shift_jis shift-jis sjis x-sjis csshiftjis ms932 ms_kanji windows-31j cp932 cp943 cp943c "
	 "ibm-943 x-ms-cp932 shift_jis-2004 shift_jisx0213 sjis-win cswindows31j shiftjis "
	 "x-shift-jis "
	 "windows-932 sjis-docomo sjis-kddi sjis-softbank"},
	{{"EUC-JP", FAMILY_EUC_JP, NULL},
	 "euc-jp x-euc-jp cseucpkdfmtjapanese eucjp euc_jp eucjp-ms eucjp-win cp51932 ujis x-eucjp "
	 "euc-jp-ms euc-jis-2004 euc-jisx0213 extended_unix_code_packed_format_for_japanese"},
	{{"UTF-16LE", FAMILY_UTF16LE, NULL},
	 "utf-16le utf-16 csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf16 utf16le"},
	{{"UTF-16BE", FAMILY_UTF16BE, NULL}, "utf-16be unicodefffe utf16be"},
	{{"UTF-7", FAMILY_UTF7, NULL},
	 "utf-7 unicode-1-1-utf-7 csunicode11utf7 utf7 x-unicode20utf7"},
	{SINGLE("windows-1252", windows_1252),
	 "windows-1252 cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 "
	 "iso_8859-1 iso_8859-1:1987 l1 latin1 x-cp1252 latin-1 ansi default"},
	{{"GB18030", FAMILY_GB18030, NULL},
	 "gb18030 gbk chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 iso-ir-58 x-gbk "
	 "cp936 "
	 "ms936 windows-936 euc-cn gb-2312"},
	{{"Big5", FAMILY_BIG5, NULL}, "big5 big5-hkscs cn-big5 csbig5 x-x-big5 cp950 big5hkscs"},
	{{"EUC-KR", FAMILY_EUC_KR, NULL},
	 "euc-kr cseuckr csksc56011987 iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 "
	 "ksc_5601 "
	 "windows-949 cp949 uhc ks_c_5601"},
	{{"ISO-2022-KR", FAMILY_ISO2022_KR, NULL}, "iso-2022-kr csiso2022kr iso2022kr"},
	{{"ISO-2022-CN", FAMILY_ISO2022_CN, NULL}, "iso-2022-cn iso-2022-cn-ext iso2022cn"},
	{{"HZ-GB-2312", FAMILY_HZ, NULL}, "hz-gb-2312 hz"},
	{SINGLE("ISO-8859-2", iso_8859_2), "iso-8859-2 csisolatin2 iso-ir-101 iso8859-2 iso88592 "
					   "iso_8859-2 iso_8859-2:1987 l2 latin2"},
	{SINGLE("ISO-8859-3", iso_8859_3), "iso-8859-3 csisolatin3 iso-ir-109 iso8859-3 iso88593 "
					   "iso_8859-3 iso_8859-3:1988 l3 latin3"},
	{SINGLE("ISO-8859-4", iso_8859_4), "iso-8859-4 csisolatin4 iso-ir-110 iso8859-4 iso88594 "
					   "iso_8859-4 iso_8859-4:1988 l4 latin4"},
	{SINGLE("ISO-8859-5", iso_8859_5),
	 "iso-8859-5 csisolatincyrillic cyrillic iso-ir-144 iso8859-5 iso88595 iso_8859-5 "
	 "iso_8859-5:1988"},
	{SINGLE("ISO-8859-6", iso_8859_6),
	 "iso-8859-6 arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 "
	 "iso-8859-6-e "
	 "iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987"},
	{SINGLE("ISO-8859-7", iso_8859_7),
	 "iso-8859-7 csisolatingreek ecma-118 elot_928 greek greek8 iso-ir-126 iso8859-7 iso88597 "
	 "iso_8859-7 iso_8859-7:1987 sun_eu_greek"},
	{SINGLE("ISO-8859-8", iso_8859_8),
	 "iso-8859-8 csiso88598e csisolatinhebrew hebrew iso-8859-8-e iso-ir-138 iso8859-8 "
	 "iso88598 "
	 "iso_8859-8 iso_8859-8:1988 visual iso-8859-8-i csiso88598i logical"},
	{SINGLE("ISO-8859-10", iso_8859_10),
	 "iso-8859-10 csisolatin6 iso-ir-157 iso8859-10 iso885910 l6 latin6"},
	{SINGLE("ISO-8859-13", iso_8859_13), "iso-8859-13 iso8859-13 iso885913"},
	{SINGLE("ISO-8859-14", iso_8859_14), "iso-8859-14 iso8859-14 iso885914"},
	{SINGLE("ISO-8859-15", iso_8859_15),
	 "iso-8859-15 csisolatin9 iso8859-15 iso885915 iso_8859-15 l9 latin9 latin-9"},
	{SINGLE("ISO-8859-16", iso_8859_16), "iso-8859-16"},
	{SINGLE("windows-874", windows_874),
	 "windows-874 dos-874 iso-8859-11 iso8859-11 iso885911 tis-620"},
	{SINGLE("windows-1250", windows_1250), "windows-1250 cp1250 x-cp1250"},
	{SINGLE("windows-1251", windows_1251), "windows-1251 cp1251 x-cp1251"},
	{SINGLE("windows-1253", windows_1253), "windows-1253 cp1253 x-cp1253"},
	{SINGLE("windows-1254", windows_1254),
	 "windows-1254 cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 "
	 "iso_8859-9:1989 l5 latin5 x-cp1254"},
	{SINGLE("windows-1255", windows_1255), "windows-1255 cp1255 x-cp1255"},
	{SINGLE("windows-1256", windows_1256), "windows-1256 cp1256 x-cp1256"},
	{SINGLE("windows-1257", windows_1257), "windows-1257 cp1257 x-cp1257"},
	{SINGLE("windows-1258", windows_1258), "windows-1258 cp1258 x-cp1258"},
	{SINGLE("KOI8-R", koi8_r), "koi8-r cskoi8r koi koi8 koi8_r"},
	{SINGLE("KOI8-U", koi8_u), "koi8-u koi8-ru"},
	{SINGLE("IBM866", ibm866), "ibm866 866 cp866 csibm866"},
	{SINGLE("macintosh", macintosh), "macintosh csmacintosh mac x-mac-roman"},
	{SINGLE("x-mac-cyrillic", x_mac_cyrillic), "x-mac-cyrillic x-mac-ukrainian"},
};

/* Is @label one of the space-separated @labels? */
static bool listed(const char *labels, struct span label)
{
	while (*labels != '\0') {
		size_t length = strcspn(labels, " ");

		if (span_equal_nocase((struct span){(const uint8_t *)labels, length}, label))
			return true;
		labels += length + (labels[length] == ' ');
	}
	return false;
}

const struct charset *charset_find(struct span label)
{
	label = span_trim(label);
	if (label.size == 0)
		return NULL;
	for (size_t i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++) {
		if (listed(charsets[i].labels, label))
			return &charsets[i].charset;
	}
	return NULL;
}
