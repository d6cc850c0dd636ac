# SPDX-License-Identifier: GPL-2.0-or-later
"""sekisho check and schema: exit status, both languages, and documentation that follows the schema (C2)."""

import os
import pathlib
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from table_docs import PAGES, pages

SEKISHO = os.environ.get("SEKISHO", "/out/sekisho")
SOURCE = pathlib.Path(__file__).parents[2]
GOLDEN = pathlib.Path(__file__).parent / "config"


def check(path, language="C", text=None):
    return subprocess.run([SEKISHO, "check", "--at", "2026-11-01T00:00", path], input=text, capture_output=True, cwd=GOLDEN, timeout=20,
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


def test_config_check_ends_where_too_many_permits_hide_each_other():
    """What is compared is bounded: 40 permits to 800 addresses each, of which all but one are common, and a warning says where it ended."""
    common = "".join(f"address 10.20.{8 + n // 250}.{n % 250 + 1};\n" for n in range(800))
    groups = "".join(f"address-group g{n} {{\n{common}address 10.20.100.{n + 1}; }}\n" for n in range(40))
    permits = "".join(f"permit {n + 1} {{ destination g{n}; service web; log; }}\n" for n in range(40))
    text = f"""system {{ ntp {{ zone office; server 10.20.0.9; }} syslog {{ zone office; server 10.20.0.9; }} }}
zone inner {{ tier sensitive; port eth0; address 10.10.0.1/24; }}
zone office {{ tier business; port eth1; address 10.20.0.1/16; }}
service web {{ tcp 443; }}
{groups}crossing inner office {{
{permits}}}
"""
    begin = time.monotonic()
    result = check("-", text=text.encode())
    assert time.monotonic() - begin < 10
    assert result.returncode == 0
    warned = result.stderr.decode()
    assert "on it was not looked whether an earlier permit hides it" in warned and warned.count("\n") == 1, warned


def test_config_check_takes_no_other_form_of_time():
    result = subprocess.run([SEKISHO, "check", "--at", "2026-11-01", "three-tier.conf"], capture_output=True, cwd=GOLDEN, timeout=20)
    assert result.returncode == 1 and b"--at takes YYYY-MM-DDTHH:MM" in result.stderr and result.stdout == b""


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
