#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the C tables of the charset decoders from the converters of the build root: Python's codecs, and glibc's iconv
for the three-byte codes of eucJP-ms. The output depends only on those converters.  usage: charset_tables.py > tables.c"""
import subprocess
import sys

SINGLE = {  # name of the table: Python's codec
    'iso_8859_2': 'iso8859-2', 'iso_8859_3': 'iso8859-3', 'iso_8859_4': 'iso8859-4', 'iso_8859_5': 'iso8859-5',
    'iso_8859_6': 'iso8859-6', 'iso_8859_7': 'iso8859-7', 'iso_8859_8': 'iso8859-8', 'iso_8859_10': 'iso8859-10',
    'iso_8859_13': 'iso8859-13', 'iso_8859_14': 'iso8859-14', 'iso_8859_15': 'iso8859-15', 'iso_8859_16': 'iso8859-16',
    'windows_874': 'cp874', 'windows_1250': 'cp1250', 'windows_1251': 'cp1251', 'windows_1252': 'cp1252',
    'windows_1253': 'cp1253', 'windows_1254': 'cp1254', 'windows_1255': 'cp1255', 'windows_1256': 'cp1256',
    'windows_1257': 'cp1257', 'windows_1258': 'cp1258', 'koi8_r': 'koi8-r', 'koi8_u': 'koi8-u', 'ibm866': 'cp866',
    'macintosh': 'mac-roman', 'x_mac_cyrillic': 'mac-cyrillic',
}
# Two-byte charsets: first lead byte, number of lead bytes, first trail byte, number of trail bytes, codec.
DOUBLE = {
    'gbk': (0x81, 126, 0x40, 191, 'gbk'),
    'big5': (0x81, 126, 0x40, 191, 'big5hkscs'),
    'euc_kr': (0x81, 126, 0x41, 190, 'cp949'),
}
# JIS0208 holds the double bytes of CP932 by row and cell: rows 1 to 94, then those that only Shift_JIS can say (95 to 120).
SJIS_ROWS = 120
ASTRAL = 0xD800  # table values from here on are numbers in the table of supplementary characters


def decode(octets, codec):
    try:
        return octets.decode(codec)
    except UnicodeDecodeError:
        return ''


def usable(text):
    """The one code point of `text`, or 0 where there is none or it is of private use (gaiji are shown with their code)."""
    if len(text) != 1 or 0xE000 <= ord(text) <= 0xF8FF:
        return 0
    return ord(text)


def emit(name, values, kind='uint16_t'):
    print(f'const {kind} charset_{name}[{len(values)}] = {{')
    for i in range(0, len(values), 12):
        print('\t' + ' '.join(f'0x{v:04X},' for v in values[i:i + 12]))
    print('};\n')


def sjis_octets(row, cell):
    lead = (row + 1) // 2 + (0x80 if row <= 62 else 0xC0)
    if row % 2 == 0:
        trail = cell + 0x9E
    else:
        trail = cell + (0x3F if cell <= 63 else 0x40)
    return bytes((lead, trail))


def by_iconv(charset, codes):
    """All codes in one run: each on a line of its own; -c leaves out what has no mapping."""
    run = subprocess.run(['iconv', '-c', '-f', charset, '-t', 'UTF-8'], input=b''.join(code + b'\n' for code in codes),
                         stdout=subprocess.PIPE)
    texts = run.stdout.decode().split('\n')
    assert len(texts) == len(codes) + 1
    return [usable(t) for t in texts[:-1]]


def eucjp_ms_three_byte():
    return by_iconv('EUC-JP-MS', [bytes((0x8F, 0xA0 + row, 0xA0 + cell)) for row in range(1, 95) for cell in range(1, 95)])


def double_table(first_lead, leads, first_trail, trails, codec, astral):
    octets = [bytes((lead, trail)) for lead in range(first_lead, first_lead + leads)
              for trail in range(first_trail, first_trail + trails)]
    codes = [usable(decode(pair, codec)) for pair in octets]
    if codec == 'big5hkscs':  # Python's is of 2004, the Encoding Standard's of 2008
        later = by_iconv('BIG5-HKSCS', [pair if pair[1] > 0xA0 or 0x40 <= pair[1] < 0x7F else b'' for pair in octets])
        codes = [code or (new if new > 0x7F else 0) for code, new in zip(codes, later)]
    values = []
    for code in codes:
        if code > 0xFFFF:
            astral.append(code)
            code = ASTRAL + len(astral) - 1
        values.append(code)
    return values


def gb18030_ranges():
    """Runs of four-byte codes: (first linear code, first code point), ended by the linear code behind the last."""
    ranges = []
    previous = None
    for code in range(0x80, 0x10000):
        if 0xD800 <= code < 0xE000:
            continue
        octets = chr(code).encode('gb18030')
        if len(octets) != 4:
            continue
        linear = ((octets[0] - 0x81) * 10 + octets[1] - 0x30) * 1260 + (octets[2] - 0x81) * 10 + octets[3] - 0x30
        if previous != (linear - 1, code - 1):
            ranges += [linear, code]
        previous = (linear, code)
    return ranges + [previous[0] + 1, 0]


def main():
    print('/* Written by src/wire/charset/tables.py. */')
    print('#include "wire/charset/tables.h"\n')
    for name, codec in SINGLE.items():
        emit(name, [usable(decode(bytes((b,)), codec)) for b in range(0x80, 0x100)])
    emit('jis0208', [usable(decode(sjis_octets(row, cell), 'cp932'))
                     for row in range(1, SJIS_ROWS + 1) for cell in range(1, 95)])
    emit('jis0212', eucjp_ms_three_byte())
    astral = []
    for name, (lead, leads, trail, trails, codec) in DOUBLE.items():
        emit(name, double_table(lead, leads, trail, trails, codec, astral))
    assert len(astral) <= 0x800
    emit('astral', astral, 'uint32_t')
    ranges = gb18030_ranges()
    emit('gb18030', ranges, 'uint32_t')
    print(f'const uint32_t charset_gb18030_pairs = {len(ranges) // 2};')


if __name__ == '__main__':
    sys.exit(main())
