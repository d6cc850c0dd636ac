# SPDX-License-Identifier: GPL-2.0-or-later
"""sekisho report as text and as a page, and what an independent count of the same log says."""

import collections
import re
import subprocess
import xml.etree.ElementTree as ElementTree

from .gateway import SEKISHO

XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
RECORD = re.compile(r"<\d+>1 (\d{4}-\d\d)\S* \S+ sekisho \S+ ([a-z0-9-]+) (\[.*)")


def report(config, log, month, *options):
    """(exit status, output, messages) of one report."""
    done = subprocess.run([SEKISHO, "report", "--config", config, "--log", log, "--month", month, *options],
                          capture_output=True, text=True, timeout=60, check=False, env={"LC_ALL": "C.UTF-8"})
    return done.returncode, done.stdout, done.stderr


def section(text, heading):
    """The lines below a heading of the text form, up to the next of the same or a higher level."""
    level = heading[:2]
    lines = text.splitlines()
    at = lines.index(heading) + 1
    end = next((i for i in range(at, len(lines)) if lines[i].startswith(("== ", level + " "))), len(lines))
    return [line for line in lines[at:end] if line]


def rows(lines):
    """Cells of the lines that are rows of a table, without the heading."""
    found = [[cell.strip() for cell in line.split(" | ")] for line in lines if " | " in line]
    return found[1:]


def counts(lines, month):
    """({event: records}, {event: what they stand for}) of a log's lines in a month, counted without the gateway's code."""
    records, stands_for = collections.Counter(), collections.Counter()
    for line in lines:
        found = RECORD.match(line)
        if found and found[1] == month:
            count = re.search(r' count="(\d+)"', found[3])
            records[found[2]] += 1
            stands_for[found[2]] += int(count[1]) if count else 1
    return records, stands_for


def page(html):
    """The page's root; fails where it is no well-formed XHTML, loads something or runs something."""
    root = ElementTree.fromstring(html.encode())
    assert root.tag == XHTML + "html"
    for element in root.iter():
        assert element.tag.startswith((XHTML, SVG)), element.tag
        name = element.tag.partition("}")[2]
        assert name not in ("script", "link", "img", "image", "iframe", "object", "embed", "a", "use"), name
        assert not [key for key in element.attrib if key.startswith("on") or key.endswith(("href", "src"))], element.attrib
    assert "url(" not in html and "@import" not in html
    return root


def cells(root):
    return {"".join(cell.itertext()) for cell in root.iter() if cell.tag in (XHTML + "td", XHTML + "th")}
