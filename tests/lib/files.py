# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that somebody else writes, or removes, just now."""

import pathlib


def text(path):
    """What is in it by now; nothing where there is no such file, or no longer."""
    try:
        return pathlib.Path(path).read_text(errors="replace")
    except FileNotFoundError:
        return ""


def whole_lines(path):
    """Its lines up to the last one that has its end: the rest of one that is being written has yet to come."""
    return text(path).rpartition("\n")[0].splitlines()
