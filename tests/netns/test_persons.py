# SPDX-License-Identifier: GPL-2.0-or-later
"""Who did it (C1, A6, C7): every record of what a console was told to do names the person who sat there.

That no event can be written with a console's number alone is a rule of tests/lint/lint.py; here the commands are typed.
"""

import re

import pytest

from lib.certificates import Authority
from lib.screen_entry import fake_desktop, screen, still, viewer_of
from lib.waiting import wait_until
from test_accounts import FIRST, LOGIN, choose, log_in, paste, temporary
from test_export import exported
from test_screen_desktops_gateway import load_password

STATION = "02:00:00:10:00:05"
DEEDS = (  # what is typed, and the event that tells of it
    ("clear flow port 7000", "flows-cleared"),
    ("capture zone mynumber seconds 1", "capture-started"),
    ("capture zone mynumber seconds 1 file first", "capture-ended"),
    ("save capture first", "capture-printed"),
    ("clear capture first", "capture-removed"),
    ("isolate zone mynumber", "zone-isolated"),
    ("restore zone mynumber", "zone-restored"),
    (f"isolate station {STATION}", "station-isolated"),
    (f"restore station {STATION}", "station-restored"),
    ("clear watch 1 nothing seen", "watch-ended"),
    ("configure", "config-editing"),
    ("exit", "config-edited"),
)


def person_of(record, field="user"):
    found = re.search(rf' {field}="([^"]*)"', record)
    return found[1] if found else None


@pytest.fixture
def gateway(topology, make_gateway):
    return make_gateway(LOGIN, screen(topology))


@pytest.fixture
def console(gateway):
    """yamada has logged in with a password of his own."""
    first = gateway.open_console()
    secret = temporary(first, "yamada")
    gateway.hang_up(first)
    console = log_in(gateway, "yamada", secret)
    choose(console, FIRST)
    console.expect(console.PROMPT)
    console.run("terminal length 0")
    return console


@pytest.mark.limit(180)
def test_persons_stand_in_the_record_of_every_command(gateway, console):
    """C1, A6, C7: deed by deed; and no record of the whole log has a console without its person."""
    for line, event in DEEDS:
        console.run(line, timeout=40)
        assert person_of(gateway.wait_event(f" {event} ", seconds=30)) == "yamada", line
    assert "loaded: CN=Test Authority" in paste(console, "load authority hop", Authority().pem)
    assert person_of(gateway.wait_event(" certificate-loaded ")) == "yamada"
    load_password(console, "desk", "a-secret-of-1")
    assert person_of(gateway.wait_event(" password-loaded ")) == "yamada"
    assert exported(console, "a long phrase 2 keep")
    assert person_of(gateway.wait_event(" config-exported ")) == "yamada"
    console.edit("set system host-name sekisho-2")
    assert "committed" in console.run("commit confirmed 5", timeout=40)
    assert "confirmed" in console.run("commit", timeout=40)
    assert person_of(gateway.wait_event(" commit-confirmed ")) == "yamada"
    records = [line for line in gateway.audit_lines() if re.search(r' console="\d+"', line)]
    assert len(records) > len(DEEDS), "the log has no records of a console"
    for record in records:
        assert "yamada" in (person_of(record), person_of(record, "by"), person_of(record, "name"), person_of(record, "auditor")) \
            or ' name="nobody"' in record, record


def test_persons_stand_beside_whom_it_befalls(topology, gateway, console):
    """C1, Z11: `user` of a screen session that is ended at a console is whose it was; who ended it is `by`."""
    fake_desktop(topology, script=still)
    viewer = viewer_of(topology)
    shown = wait_until(lambda: re.search(r"^ *(\d+) +web ", console.run("show screen sessions"), re.M), "the session", 30)
    console.run(f"clear screen session {shown[1]}")
    record = gateway.wait_event(" screen-cleared ", seconds=30)
    assert person_of(record, "by") == "yamada" and person_of(record) == ""
    viewer.close()
