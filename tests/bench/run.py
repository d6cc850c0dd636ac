#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make bench: every tests/bench/bench_*.py in one run, one table of ratios to named peers; then every guest_*.py in
User-mode Linux, another table.

usage: run.py [--guest] [NAME...]     ROUNDS=N in the environment (default 5)
"""

import importlib
import os
import pathlib
import platform
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from measure import HEADING, rounds

OUT = pathlib.Path("/out/bench")


def modules(kind, names):
    found = sorted(path.stem for path in HERE.glob(f"{kind}_*.py"))
    return [name for name in found if not names or name.removeprefix(f"{kind}_") in names]


def run_module(name, count):
    """All rows of one module; a measure that fails is said, and the others go on."""
    rows, failed = [], False
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        measures = importlib.import_module(name).measures(pathlib.Path(scratch))
        try:
            for measure in measures:
                print(f"  {name.partition('_')[2]}: {measure.what} [{measure.unit}], against "
                      f"{', '.join(measure.peers)} ...", end="", flush=True)
                begin = time.monotonic()
                rows += rounds(measure, count)
                print(f" {time.monotonic() - begin:.0f} s", flush=True)
        except Exception:
            traceback.print_exc()
            failed = True
        finally:
            measures.close()
    return rows, failed


def table(rows):
    cells = [HEADING] + [row.cells() for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(HEADING))]
    right = (2, 5, 6)
    lines = ["  ".join(c.rjust(w) if i in right else c.ljust(w)
                       for i, (c, w) in enumerate(zip(line, widths))).rstrip() for line in cells]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def main(words):
    kind, names = ("guest", words[1:]) if words[:1] == ["--guest"] else ("bench", words)
    count, begin = int(os.environ.get("ROUNDS", "5")), time.monotonic()
    rows, failed = [], []
    for name in modules(kind, names):
        got, bad = run_module(name, count)
        rows += got
        failed += [name] if bad else []
    minutes = (time.monotonic() - begin) / 60
    text = (f"medians of {count} interleaved rounds; {os.cpu_count()} cores, Linux {platform.release()}, "
            f"{minutes:.0f} minutes\n\n{table(rows)}\n")
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / ("ratios.txt" if kind == "bench" else "ratios-guest.txt")).write_text(text)
    print("\n" + text)
    if failed:
        print(f"not measured to the end: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
