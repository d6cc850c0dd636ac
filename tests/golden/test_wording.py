# SPDX-License-Identifier: GPL-2.0-or-later
"""What processes answer a console in English has its Japanese: each heading and refusal that the sources spell out (A5)."""

import pathlib
import re

SOURCES = pathlib.Path(__file__).parents[2] / "src"
OWNERS = ("supervisor", "netfilter", "audit", "arbiter")
OWN_LANGUAGE = ("audit/main.c", "supervisor/first.c")       # to config, which tells of it; in both languages
LITERALS = r'(?:"(?:[^"\\]|\\.)*"\s*)+'
REFUSED = re.compile(rf"\b(?:answer_error|answer_refuse|listing_refuse|capture_refuse|send_error|refuse)\([^;]*?({LITERALS})\)")
# Where a function returns the reason that such a call is given.
RETURNED = re.compile(rf"return (?:[^;\"]*[?:] *)?({LITERALS})(?:;|\s*:)")
CONSTANT = re.compile(rf"^static const char \w+\[\] =\s*({LITERALS});", re.MULTILINE)
REASONS = ("arbiter/trial.c", "netfilter/capture/capture.c", "supervisor/sessions/shadows.c")
# Reasons of an event.
TOLD_TO_PEERS = {"no pass for a shadow", "its record cannot be written", "the session that it names has ended"}
HEADINGS = re.compile(r"\bheadings?\w*\[\] = \{([^}]*)\}")


def joined(literals):
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals))


def known(kind):
    """{English: Japanese} of the console's table."""
    text = (SOURCES / "console/wording.def").read_text()
    return {joined(en): joined(ja) for en, ja in re.findall(rf"^{kind}\(({LITERALS}),\s*({LITERALS})\)$", text, re.MULTILINE)}


def sources():
    return {path.relative_to(SOURCES).as_posix(): path.read_text() for owner in OWNERS for path in (SOURCES / owner).rglob("*.c")
            if not any(map(path.match, OWN_LANGUAGE))}


def test_wording_knows_each_refusal():
    said = {joined(found) for text in sources().values() for found in REFUSED.findall(text)}
    said |= {joined(found) for name in REASONS for found in RETURNED.findall(sources()[name])}
    said |= {joined(found) for name, text in sources().items() if name.startswith("netfilter/") for found in CONSTANT.findall(text)}
    assert len(said) > 40 and said - TOLD_TO_PEERS - {"%s"} <= set(known("REFUSAL"))


def test_wording_knows_each_heading():
    said = {heading for text in sources().values() for found in HEADINGS.findall(text)
            for heading in re.findall(r'"([^"]*)"', found)}
    assert len(said) > 40 and said - {""} <= set(known("HEADING"))


def test_wording_has_japanese_for_all_and_nothing_twice():
    text = (SOURCES / "console/wording.def").read_text()
    for kind in ("HEADING", "REFUSAL"):
        words = known(kind)
        assert len(words) == len(re.findall(rf"^{kind}\(", text, re.MULTILINE))
        assert all(re.search(r"[぀-ヿ一-鿿]", ja) for ja in words.values())
