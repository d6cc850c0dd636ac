/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables that charset_tables.py writes at build time. Zero: no such character. */
#ifndef SEKISHO_WIRE_CHARSET_TABLES_H
#define SEKISHO_WIRE_CHARSET_TABLES_H

#include <stdint.h>

#define CHARSET_JIS_CELLS   94     /* cells of a row, and rows of a plane */
#define CHARSET_SJIS_ROWS   120    /* rows of charset_jis0208: CP932 goes on behind row 94 */
#define CHARSET_DOUBLE_LEAD 0x81   /* first lead byte of the two-byte tables */
#define CHARSET_ASTRAL      0xD800 /* values from here to 0xDFFF are numbers in charset_astral */

/* 128 code points of the bytes 0x80 to 0xFF. */
#define CHARSET_SINGLE(name) extern const uint16_t charset_##name[128]
CHARSET_SINGLE(iso_8859_2);
CHARSET_SINGLE(iso_8859_3);
CHARSET_SINGLE(iso_8859_4);
CHARSET_SINGLE(iso_8859_5);
CHARSET_SINGLE(iso_8859_6);
CHARSET_SINGLE(iso_8859_7);
CHARSET_SINGLE(iso_8859_8);
CHARSET_SINGLE(iso_8859_10);
CHARSET_SINGLE(iso_8859_13);
CHARSET_SINGLE(iso_8859_14);
CHARSET_SINGLE(iso_8859_15);
CHARSET_SINGLE(iso_8859_16);
CHARSET_SINGLE(windows_874);
CHARSET_SINGLE(windows_1250);
CHARSET_SINGLE(windows_1251);
CHARSET_SINGLE(windows_1252);
CHARSET_SINGLE(windows_1253);
CHARSET_SINGLE(windows_1254);
CHARSET_SINGLE(windows_1255);
CHARSET_SINGLE(windows_1256);
CHARSET_SINGLE(windows_1257);
CHARSET_SINGLE(windows_1258);
CHARSET_SINGLE(koi8_r);
CHARSET_SINGLE(koi8_u);
CHARSET_SINGLE(ibm866);
CHARSET_SINGLE(macintosh);
CHARSET_SINGLE(x_mac_cyrillic);
#undef CHARSET_SINGLE

extern const uint16_t charset_jis0208[CHARSET_SJIS_ROWS * CHARSET_JIS_CELLS];
extern const uint16_t charset_jis0212[CHARSET_JIS_CELLS * CHARSET_JIS_CELLS];

/* Two-byte tables: 126 lead bytes from 0x81; trail bytes as in cjk.c. */
extern const uint16_t charset_gbk[126 * 191];
extern const uint16_t charset_big5[126 * 191];
extern const uint16_t charset_euc_kr[126 * 190];
extern const uint32_t charset_astral[];

/* GB18030's four-byte codes: pairs of first linear code and first code point; the last pair only
 * ends the one before. */
extern const uint32_t charset_gb18030[];
extern const uint32_t charset_gb18030_pairs;

#endif
