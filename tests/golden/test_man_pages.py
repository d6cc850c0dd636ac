# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages of sekisho(1), its subcommands and sekishod(8) against the programs' own help, in both directions; and that help
against what the sources take."""

import os
import pathlib
import re
import subprocess

import pytest

OUT = pathlib.Path(os.environ.get("SEKISHO", "/out/sekisho")).parent
SOURCE = pathlib.Path(__file__).parents[2]
PAGES = SOURCE / "docs/man"
OPTION = re.compile(r"--[a-z][a-z-]*")
TAKEN = re.compile(r'\{"([a-z][a-z-]*)", (?:required|no)_argument|"--([a-z][a-z-]*)"')


def shown(program, *args):
    done = subprocess.run([OUT / program, *args], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def commands():
    """The subcommands that `sekisho help` names."""
    return re.findall(r"^  ([a-z-]+)  ", shown("sekisho", "help"), re.MULTILINE)


def options(text):
    return sorted(set(OPTION.findall(text)))


def forms(text):
    """The lines of a help that show how a program is used."""
    return "\n".join(line for line in text.splitlines() if re.match("usage: |       sekisho", line))


def mdoc_options(text):
    return sorted({"-" + name for name in re.findall(r"\bFl (-[a-z][a-z-]*)", text)})


def section(page, name):
    return re.search(rf"^\.Sh {name}\n(.*?)(?=^\.Sh |\Z)", page, re.MULTILINE | re.DOTALL).group(1)


def items(page):
    """{subcommand: its entry} of sekisho(1)."""
    entries = re.split(r"^\.It Cm ", section(page, "DESCRIPTION"), flags=re.MULTILINE)[1:]
    return {re.match("[a-z-]+", entry).group(0): entry for entry in entries}


def source_options(path):
    return sorted({"--" + (first or second) for first, second in TAKEN.findall(path.read_text())})


COMMANDS = commands()


def test_man_pages_name_every_subcommand_and_no_other():
    described = items((PAGES / "sekisho.1").read_text())
    own = sorted(path.name.removeprefix("sekisho-").removesuffix(".1") for path in PAGES.glob("sekisho-*.1"))
    assert len(COMMANDS) >= 12 and sorted(described) == sorted(COMMANDS)
    assert own == [name for name in sorted(COMMANDS) if f".Xr sekisho-{name} 1" in described[name]]


@pytest.mark.parametrize("name", COMMANDS)
def test_man_page_of_a_subcommand_has_its_options_and_no_others(name):
    page = PAGES / f"sekisho-{name}.1"
    text = section(page.read_text(), "SYNOPSIS") if page.exists() else items((PAGES / "sekisho.1").read_text())[name]
    assert mdoc_options(text) == options(forms(shown("sekisho", "help", name)))


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_subcommand_has_the_options_that_it_takes(name):
    """What its source compares an argument with; wrong usage is answered with the same help."""
    told = forms(shown("sekisho", "help", name))
    assert options(told) == source_options(SOURCE / f"src/tools/{name.replace('-', '_')}.c")
    assert forms(shown("sekisho", name, "--help")) == told
    wrong = subprocess.run([OUT / "sekisho", name, "--no-such-option", "x", "y", "z"], capture_output=True, text=True, timeout=20,
                           stdin=subprocess.DEVNULL, check=False)
    assert wrong.returncode == 2 and told in wrong.stderr


def test_man_page_of_sekishod_has_its_options_and_no_others():
    page = (PAGES / "sekishod.8").read_text()
    told = options(forms(shown("sekishod", "--help")))
    assert told == source_options(SOURCE / "src/supervisor/main.c")
    assert mdoc_options(section(page, "SYNOPSIS")) == told
    assert sorted("-" + name for name in re.findall(r"^\.It Fl (-[a-z-]+)", page, re.MULTILINE)) == told


def test_man_pages_refer_to_pages_that_exist():
    """`.Xr` of the gateway's own pages; every page is named by its file and carries that name and section."""
    pages = sorted(PAGES.glob("*.[158]"))
    names = {(path.stem, path.suffix[1:]) for path in pages}
    assert len(pages) > 20
    for path in pages:
        text = path.read_text()
        assert f".Dt {path.stem.upper()} {path.suffix[1:]}\n" in text, path.name
        for name, number in re.findall(r"\.Xr (sekisho\S*) (\d)", text):
            assert (name, number) in names, f"{path.name} refers to {name}({number})"
