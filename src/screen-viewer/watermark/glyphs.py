#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the letters of watermarks as a table in C to standard output.

usage: glyphs.py GLYPHS.TXT
"""

import pathlib
import sys

ROWS, COLUMNS = 8, 5  # WATERMARK_GLYPH_ROWS, WATERMARK_GLYPH_COLUMNS


def read_glyphs(text):
    """Letters and their cells: {letter: ROWS strings of COLUMNS characters, '#' where it is drawn}."""
    glyphs = {}
    for block in text.split("\n\n")[1:]:
        names, *rows = block.strip("\n").split("\n")
        cells = [row.split(" ") for row in rows]
        for at, letter in enumerate(names.split()):
            glyph = [row[at] for row in cells]
            if len(glyph) != ROWS or any(len(row) != COLUMNS or set(row) - set("#.") for row in glyph):
                sys.exit(f"glyphs.py: the cell of {letter} is not {COLUMNS} x {ROWS}")
            glyphs[letter] = glyph
    return glyphs


def main(path):
    print('#include "screen-viewer/watermark.h"\n')
    print("const uint8_t watermark_glyphs[128][WATERMARK_GLYPH_ROWS] = {")
    for letter, rows in sorted(read_glyphs(pathlib.Path(path).read_text()).items()):
        bits = ", ".join(f"0x{int(row.translate(str.maketrans('#.', '10')), 2):02x}" for row in rows)
        print(f"\t['{letter}'] = {{{bits}}},")
    print("};")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
