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


def long_forms():
    """(page, variable) of each variable that a page says to give to `make` or rootfs/enter.sh for a longer run."""
    for page in sorted(PAGES.glob("*.md")):
        for line in re.findall(r"^((?:[A-Z]+=\S+ )+)(?:make|rootfs/enter\.sh) ", page.read_text(), re.MULTILINE):
            yield from ((page.name, name) for name in re.findall(r"([A-Z]+)=", line))


def test_promises_of_longer_runs_reach_the_tests():
    """rootfs/enter.sh clears the environment: a variable that it does not hand over changes nothing, and the run is a short one."""
    entrance = (TESTS.parent / "rootfs/enter.sh").read_text()
    found = list(long_forms())
    assert len(found) > 10, found
    assert [(page, name) for page, name in found if f'="${{{name}:-' not in entrance] == []
