#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make docs/configuration.md and docs/man/sekisho.conf.5 from the schema. usage: config_docs.py SEKISHO SOURCE-DIR"""

import pathlib
import subprocess
import sys


def run(sekisho, *args):
    return subprocess.run([sekisho, *args], check=True, capture_output=True, text=True).stdout


def pages(sekisho, source):
    """{path: text} of the generated pages."""
    docs = source / "docs"
    example = run(sekisho, "check", str(source / "tests/golden/config/three-tier.conf"))
    page = (docs / "man/sekisho.conf.5.in").read_text()
    page = page.replace("@STATEMENTS@\n", run(sekisho, "schema", "--mdoc"))
    page = page.replace("@EXAMPLE@\n", example.replace("\\", "\\e"))
    return {docs / "configuration.md": run(sekisho, "schema", "--markdown"), docs / "man/sekisho.conf.5": page}


if __name__ == "__main__":
    for path, text in pages(sys.argv[1], pathlib.Path(sys.argv[2])).items():
        path.write_text(text)
