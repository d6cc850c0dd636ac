# SPDX-License-Identifier: GPL-2.0-or-later
"""tech-support (C8): an archive that a supporter can work with and in which nobody's name, address or secret stands.

A canary stands in whatever may be private: the configuration, the log, the receipts, the accounts. That every private
statement of the language is left out is tests/unit/test_private.c.
"""

import re

import pytest

from lib.mail_peers import OrderSink
from lib.peers import submit
from lib.waiting import wait_until
from test_accounts import FIRST, LOGIN, choose, leave, log_in, temporary
from test_evidence import UNSIGNED, WHOLE, checks, collect

CANARY = "kanari"
SENDER = "kanari-taro@example.jp"
RECIPIENT = "kanari-hanako@city.example.lg.jp"
MEMBERS = {"version.txt", "configuration.txt", "separation.txt", "zones.txt", "crossings.txt", "permits.txt", "processes.txt", "missing.txt",
           "alarms.txt", "process-events.txt"}
PRIVATE = """
service echo { tcp 7000; }
address-group servers { address 10.20.0.8; comment "kanari-group"; }
crossing mynumber lgwan { permit 10 { destination servers; service echo; comment "kanari-permit"; } }
screen-user kanari-viewer { group staff; description "kanari-name"; }
mail outward { from lgwan; to internet; next-hop 203.0.113.9; outbound { sender kanari-chief@city.example.lg.jp; label "kanari-label"; } }
login { user kanari-yamada { role administrator; description "kanari-taro"; } }
"""


def support(console, directory):
    return collect(console, directory, "tech-support", "TECH-SUPPORT")


@pytest.fixture
def planted(net, topology, make_gateway):
    """(gateway, its administrator's console), after a mail, a login and the death of a process."""
    zones = topology.zones
    OrderSink(net, zones["lgwan"].namespace, zones["lgwan"].peer4)
    gateway = make_gateway(PRIVATE, f"mail inbound {{ from internet; to lgwan; domain city.example.lg.jp; "
                                    f"next-hop {zones["lgwan"].peer4}; }}", zone_extra={"lgwan": 'description "kanari-zone";'})
    message = f"From: <{SENDER}>\r\nTo: <{RECIPIENT}>\r\nSubject: kanari\r\n\r\nkanari\r\n".encode()
    assert submit(net, zones["internet"].namespace, zones["internet"].gateway4, SENDER, RECIPIENT, message)[0] == 250
    wait_until(lambda: list(gateway.state.glob("**/receipt-*.json")), "the receipt", 20)
    console = gateway.console()
    console.expect(console.PROMPT)
    secret = temporary(console, "kanari-yamada")
    gateway.hang_up(console)
    console = log_in(gateway, "kanari-yamada", secret)
    choose(console, FIRST)
    console.expect(console.PROMPT)
    gateway.wait_answering("arbiter", other_than=gateway.kill("arbiter"), seconds=20)
    gateway.wait_event("process-died", 'process="arbiter"', seconds=20)
    return gateway, console


@pytest.mark.limit(120)
def test_support_archive_names_nobody_and_says_who_took_it(planted, tmp_path):
    """C8, A6, L1: none of the canaries, whole and signed by the device; the log has the person, as for evidence."""
    gateway, console = planted
    directory = support(console, tmp_path / "support")
    assert checks(directory) == WHOLE
    names = {str(path.relative_to(directory)) for path in directory.rglob("*") if path.name != "evidence.tar"}
    assert names == MEMBERS | UNSIGNED
    octets = (directory / "evidence.tar").read_bytes()
    for private in (CANARY, FIRST, "試験市"):
        assert private.encode() not in octets, private
    statement = (directory / "statement.txt").read_text()
    assert statement.startswith("sekisho tech-support\n")
    gateway.wait_event("support-created", 'user="kanari-yamada"', 'console="', f'sha256="{statement.split()[3]}"')
    evidence = collect(console, tmp_path / "evidence")
    gateway.wait_event("evidence-created", 'user="kanari-yamada"')
    kept = (evidence / "evidence.tar").read_bytes()
    for planted_one in ("kanari-group", "kanari-permit", "kanari-zone", "kanari-chief", "kanari-yamada", "試験市"):
        assert planted_one.encode() in kept, planted_one
    assert any(SENDER in path.read_text(errors="replace") for path in gateway.state.rglob("receipt-*.json"))


@pytest.mark.limit(120)
def test_support_archive_has_what_a_defect_is_found_with(planted, tmp_path):
    """C8: the form of the configuration, addresses and ports; processes and their deaths; counters and alarms."""
    _, console = planted
    directory = support(console, tmp_path / "support")
    text = {name: (directory / name).read_text() for name in MEMBERS}
    assert re.match(r"Sekisho \S", text["version.txt"])
    for line in ("    host-name sekisho-test;", "    user (removed) {", "        role administrator;", "    permit 10 {",
                 "        comment (removed);", "    address 10.20.0.8;", "        sender (removed);", "    description (removed);"):
        assert line + "\n" in text["configuration.txt"], line
    assert re.search(r"^arbiter\t\d+\tready\t", text["processes.txt"], re.MULTILINE)
    assert re.search(r"\tprocess-died\t.*process=\"arbiter\".*signal=\"9\"", text["process-events.txt"])
    assert "\tgateway-starts\t" in text["process-events.txt"] and "\tlogin\t" not in text["process-events.txt"]
    assert "mynumber\tlgwan\t10\t0\t" in text["permits.txt"]
    assert "lgwan" in text["zones.txt"] and "lgwan" in text["crossings.txt"] and "lgwan" in text["separation.txt"]
    assert "alarms" in text["alarms.txt"] or "times, last" in text["alarms.txt"]


@pytest.mark.limit(120)
def test_support_archive_is_for_administrators(make_gateway):
    """A5, C8: an operator is told so, gets nothing, and nothing is recorded as made."""
    gateway = make_gateway(LOGIN)
    console = gateway.console()
    console.expect(console.PROMPT)
    secrets = {user: temporary(console, user) for user in ("yamada", "sato")}
    gateway.hang_up(console)
    console = log_in(gateway, "yamada", secrets["yamada"])
    choose(console, FIRST)
    console.expect(console.PROMPT)
    leave(gateway, console)
    console = log_in(gateway, "sato", secrets["sato"])
    choose(console, FIRST)
    console.expect(console.PROMPT)
    shown = console.run("tech-support", timeout=60)
    assert "your role does not allow this" in shown and "BEGIN" not in shown
    assert not [line for line in gateway.audit_lines() if " support-created " in line]
