# SPDX-License-Identifier: GPL-2.0-or-later
"""Every command of the console has a line that is typed over the serial line of the firmware (tests/firmware/test_serial_line.py)."""

import os
import subprocess

from lib.command_lines import BETWEEN, BOTH, CONFIGURE, OPERATIONAL

CONSOLE = os.environ.get("CONSOLE", "/out/libexec/console")


def printed_commands(mode):
    """The words of every command of this mode, as the program itself prints its table."""
    done = subprocess.run([CONSOLE, "--print-commands=words"], capture_output=True, check=True, text=True, timeout=20)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return {words for row_mode, words in rows if row_mode == mode} - BETWEEN


def test_command_lines_has_one_for_every_command():
    """Who adds a command adds a line to lib/command_lines.py, with arguments, an answer in both languages, and its questions."""
    both = {line.words for line in BOTH}
    assert both == printed_commands("both")
    assert {line.words for line in OPERATIONAL} - both == printed_commands("operational")
    assert {line.words for line in CONFIGURE} - both == printed_commands("configure")
