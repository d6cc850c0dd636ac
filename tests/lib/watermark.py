# SPDX-License-Identifier: GPL-2.0-or-later
"""What a watermark must look like, drawn from the letters' file and the words of watermark.h alone."""

import datetime
import itertools
import pathlib

LETTERS = pathlib.Path(__file__).resolve().parents[2] / "src/screen-viewer/watermark/glyphs.txt"
PERIOD, ROWS = 512, 128
LETTER, LINE, SCALE = (12, 18, 2)
JAPAN = datetime.timezone(datetime.timedelta(hours=9))


def letters():
    """{letter: set of (column, row) that are drawn}"""
    drawn = {}
    for block in LETTERS.read_text().split("\n\n")[1:]:
        names, *rows = block.splitlines()
        for at, letter in enumerate(names.split()):
            drawn[letter] = {(x, y) for y, row in enumerate(rows) for x in range(5) if row[at * 6 + x] == "#"}
    return drawn


def points(who, gateway, minute):
    """The pixels of one repetition: three lines, and the same 384 to the right and 64 down, both rising by 1 in 4."""
    marked, drawn = set(), letters()
    for line, text in enumerate((who, gateway, minute)):
        for at, letter in enumerate(text[:42]):
            for column, row in drawn.get(letter, ()):
                for i, j, again in itertools.product(range(SCALE), range(SCALE), (0, 1)):
                    x = (at * LETTER + column * SCALE + i + again * 384) % PERIOD
                    y = line * LINE + row * SCALE + j + again * 64
                    marked.add((x, (y - x // 4) % ROWS))
    return marked


def minutes(begin, end):
    """The times that a mark drawn between two moments (seconds since 1970) may show."""
    first, last = int(begin // 60), int(end // 60)
    return [datetime.datetime.fromtimestamp(m * 60, JAPAN).strftime("%Y-%m-%d %H:%M") for m in range(first, last + 1)]


def over(picture, width, marked, eighths):
    """An RGB picture (bytes, three a pixel) with the mark: each colour `eighths` of its way to black or white."""
    shown = bytearray(picture)
    for at in range(len(picture) // 3):
        y, x = divmod(at, width)
        if (x % PERIOD, y % ROWS) in marked:
            red, green, blue = picture[3 * at:3 * at + 3]
            bright = 2 * red + 5 * green + blue >= 1024
            for i, colour in enumerate((red, green, blue)):
                shown[3 * at + i] = colour * (8 - eighths) // 8 if bright else 255 - (255 - colour) * (8 - eighths) // 8
    return bytes(shown)
