# SPDX-License-Identifier: GPL-2.0-or-later
"""The tests that docs/*.md name as what shows a promise are there (L6): one that is renamed or dropped is missed here."""

import pathlib
import re

import pytest

TESTS = pathlib.Path(__file__).parents[1]
PAGES = TESTS.parent / "docs"
FILE = r"(?:[a-z]+/)*test_\w+\.py"
NAMES = re.compile(rf"`({FILE})`: ((?:`\w+`(?:, )?)+)")


def find(name):
    """The files that a page can mean by `name`: by its end, such as "firmware/test_boot.py"."""
    return [path for path in TESTS.rglob("test_*.py") if f"/{path}".endswith(f"/{name.removeprefix('tests/')}")]


def named_tests():
    """(page, file, part of a test's name) of each test that a page names."""
    for page in sorted(PAGES.glob("*.md")):
        for file, parts in NAMES.findall(page.read_text()):
            yield from ((page.name, file, part) for part in re.findall(r"`(\w+)`", parts))


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.name)
def test_promises_name_files_that_exist(page):
    assert [name for name in re.findall(FILE, page.read_text()) if len(find(name)) != 1] == []


def test_promises_name_tests_that_exist():
    """A page that nothing is read from is missed, too."""
    found = list(named_tests())
    assert len(found) > 80, found
    assert [(page, file, part) for page, file, part in found
            if not any(re.search(rf"^def test_\w*{part}", path.read_text(), re.MULTILINE) for path in find(file))] == []
