# SPDX-License-Identifier: GPL-2.0-or-later
"""sekisho check and schema: exit status, both languages, and documentation that follows the schema (C2)."""

import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from table_docs import PAGES, pages

SEKISHO = os.environ.get("SEKISHO", "/out/sekisho")
SOURCE = pathlib.Path(__file__).parents[2]
GOLDEN = pathlib.Path(__file__).parent / "config"


def check(path, language="C", text=None):
    return subprocess.run([SEKISHO, "check", path], input=text, capture_output=True, cwd=GOLDEN, timeout=20,
                          env={"LC_ALL": language})


@pytest.mark.parametrize("conf", sorted(p.name for p in GOLDEN.glob("*.conf")))
def test_config_check_prints_the_canonical_form_or_the_messages(conf):
    def wanted(suffix):
        path = (GOLDEN / conf).with_suffix(suffix)
        return path.read_bytes() if path.exists() else b""

    valid = (GOLDEN / conf).with_suffix(".out").exists() or conf == "empty.conf"
    for language, suffix in (("C", ".en"), ("ja_JP.UTF-8", ".ja")):
        result = check(conf, language)
        assert result.returncode == (0 if valid else 1)
        assert result.stdout == wanted(".out")
        assert result.stderr == wanted(suffix)


def test_config_canonical_form_is_its_own_canonical_form():
    once = check("three-tier.conf").stdout
    assert check("-", text=once).stdout == once != b""


@pytest.mark.parametrize("path", sorted((SOURCE / "src/config/presets").glob("*.conf")), ids=lambda path: path.stem)
def test_config_preset_begins_without_an_error(path):
    """Z1, Z3: what `load preset` loads names its own preset, joins no zones, and has what that preset asks for."""
    result = check(path)
    assert result.returncode == 0
    warned = result.stderr.decode().splitlines()
    assert [line.rpartition("(")[2] for line in warned] == (["C1)"] if path.stem == "village" else [])
    assert f"preset {path.stem};" in result.stdout.decode() and "crossing" not in result.stdout.decode()


def test_config_check_names_a_file_that_is_not_there():
    result = check("no-such-file.conf")
    assert result.returncode == 1 and b"no-such-file.conf" in result.stderr


@pytest.mark.parametrize("page", PAGES)
def test_config_pages_follow_their_tables(page):
    """To make them anew: make docs."""
    made = pages(pathlib.Path(SEKISHO).parent, SOURCE)[SOURCE / page]
    assert (SOURCE / page).read_text() == made
