#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the table of the page's files as C to standard output: as they are, never compressed (BREACH).

usage: pack.py PATH=FILE...
"""

import pathlib
import sys

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".js": "text/javascript; charset=utf-8"}
LIMIT = 262144  # PAGE_FILE_BYTES_MAX


def write_file(number, path, file):
    content = file.read_bytes()
    if len(content) > LIMIT:
        sys.exit(f"pack.py: {file} is {len(content)} bytes, more than {LIMIT}")
    print(f"static const uint8_t file{number}[] = {{")
    for at in range(0, len(content), 24):
        print("\t" + "".join(f"{byte}," for byte in content[at:at + 24]))
    print("};")
    kind = TYPES.get(file.suffix, "text/plain; charset=utf-8")
    return f'\t{{"{path}", "{kind}", file{number}, sizeof(file{number})}},'


def main(arguments):
    print('#include "screen-viewer/page_files.h"\n')
    rows = [write_file(number, path, pathlib.Path(file))
            for number, (path, file) in enumerate(a.split("=", 1) for a in arguments)]
    print("const struct page_file page_files[] = {", *rows, "};", sep="\n")
    print("const size_t page_file_count = sizeof(page_files) / sizeof(page_files[0]);")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
