#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make the pages whose source is the schema or the table of commands. usage: table_docs.py OUTPUT-DIR SOURCE-DIR"""

import pathlib
import subprocess
import sys

PAGES = ["docs/configuration.md", "docs/commands.md", "docs/man/sekisho.conf.5", "docs/man/sekisho-console.8"]


def run(*args):
    return subprocess.run(args, check=True, capture_output=True, text=True).stdout


def pages(output, source):
    """{path: text} of PAGES, as the programs in `output` print their tables."""
    sekisho, console = output / "sekisho", output / "libexec/console"
    example = run(sekisho, "check", source / "tests/golden/config/three-tier.conf")
    syntax = (source / "docs/man/sekisho.conf.5.in").read_text()
    syntax = syntax.replace("@STATEMENTS@\n", run(sekisho, "schema", "--mdoc"))
    syntax = syntax.replace("@EXAMPLE@\n", example.replace("\\", "\\e"))
    commands = (source / "docs/man/sekisho-console.8.in").read_text()
    commands = commands.replace("@COMMANDS@\n", run(console, "--print-commands=mdoc"))
    texts = [run(sekisho, "schema", "--markdown"), run(console, "--print-commands"), syntax, commands]
    return {source / page: text for page, text in zip(PAGES, texts, strict=True)}


if __name__ == "__main__":
    for path, text in pages(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])).items():
        path.write_text(text)
