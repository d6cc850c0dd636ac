# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of docs/verification.md that says which test shows which promise of the screen relay names tests that are there."""

import pathlib
import re

HERE = pathlib.Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "verification.md"
TITLE = "## The screen relay: which test shows which promise\n"


def named():
    """(file, part of a test's name) of each test in the table."""
    section = PAGE.read_text().partition(TITLE)[2].partition("\n## ")[0]
    for row in (line for line in section.splitlines() if line.startswith("| ")):
        for file, parts in re.findall(r"`(test_\w+\.py)`: ((?:`\w+`(?:, )?)+)", row):
            yield from ((file, part) for part in re.findall(r"`(\w+)`", parts))


def test_promises_are_shown_by_tests_that_exist():
    """L6: a test that is renamed or dropped is missed here, and so is a table that nothing is read from."""
    found = list(named())
    assert len(found) > 60, found
    assert [(file, part) for file, part in found
            if not re.search(rf"^def test_\w*{part}", (HERE / file).read_text(), re.MULTILINE)] == []
