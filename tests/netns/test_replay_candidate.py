# SPDX-License-Identifier: GPL-2.0-or-later
"""The console's `replay`: real flows that were recorded, against a candidate (C2)."""

import random
import re
import socket

import pytest

from lib.first_payload import Responder
from lib.waiting import wait_until
from test_accounts import temporary
from test_two_person import People, propose, shown_hash

POLICY = """
service talk { tcp 7000; }
service other { tcp 7100; }
service quiet { tcp 7200; }
crossing mynumber lgwan {
    permit 10 { source 10.10.0.0/24; destination 10.20.0.8; service talk; log; }
    permit 20 { source 10.10.0.0/24; destination 10.20.0.8; service other; log; }
    permit 30 { source 10.10.0.0/24; destination 10.20.0.8; service quiet; }
}
"""
SERVER = "10.20.0.8"
CLIENT = "10.10.0.5"


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(POLICY)


def flows(net, topology, gateway):
    """Three flows by permit 10, two by 20, one without a record, and one that is denied."""
    namespace = topology.zones["mynumber"].namespace
    for port, count in ((7000, 3), (7100, 2), (7200, 1)):
        Responder(net, topology.zones["lgwan"].namespace, SERVER, port, answer=b"y" * 10)
        for _ in range(count):
            client = net.connect(namespace, SERVER, port, source=CLIENT)
            client.sendall(b"x")
            client.recv(100)
            client.close()
    with pytest.raises(OSError):
        net.connect(namespace, SERVER, 7300, source=CLIENT)
    wait_until(lambda: len([x for x in gateway.audit_lines() if " flow-permitted " in x]) == 5
               and any(" flow-denied " in x and 'dport="7300"' in x for x in gateway.audit_lines()), "the records", 30)


def test_replay_groups_what_the_candidate_would_decide_otherwise(net, topology, gateway, console):
    """Now denied, now permitted, by another permit; what has no record is not told, and it is said so."""
    flows(net, topology, gateway)
    console.run("configure")
    same = console.run("replay")
    assert "now denied: " not in same and re.search(r"since \S+, 6 flows: 6 as before, 0 now denied, 0 now permitted, 0 by", same)
    assert "not replayed: flows by permits without log" in same
    console.run("delete crossing mynumber lgwan permit 10")
    console.run("delete crossing mynumber lgwan permit 30")
    console.run("set crossing mynumber lgwan permit 15 destination 10.20.0.8")
    console.run("set crossing mynumber lgwan permit 15 service other")
    console.run("set service late tcp 7300")
    console.run("set crossing mynumber lgwan permit 40 destination 10.20.0.8")
    console.run("set crossing mynumber lgwan permit 40 service late")
    said = console.run("replay days 2")
    when = r"last 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d"
    lines = [line.strip() for line in said.splitlines()]
    assert "flows now denied: 3" in lines, said
    begin = lines.index("flows now denied: 3")
    assert re.fullmatch(rf"mynumber {CLIENT} -> {SERVER} tcp 7000: permit 10 -> deny no-permit \(3, {when}\)", lines[begin + 1])
    assert lines[begin + 2].startswith("flows now permitted: ")
    assert re.fullmatch(rf"mynumber {CLIENT} -> {SERVER} tcp 7300: deny no-permit -> permit 40 \(\d+, {when}\)", lines[begin + 3])
    assert lines[begin + 4] == "flows by another permit: 2"
    assert re.fullmatch(rf"mynumber {CLIENT} -> {SERVER} tcp 7100: permit 20 -> permit 15 \(2, {when}\)", lines[begin + 5])
    console.run("terminal language ja")
    assert "拒否されるようになる通信: 3" in console.run("replay")
    console.run("terminal language en")
    assert "allowed: days 1 to 366" in console.run("replay days 0")
    assert "allowed: days 1 to 366" in console.run("replay 5")
    console.run("set crossing mynumber lgwan permit 50 service nowhere")
    assert "nowhere" in console.run("replay") and "as before" not in console.run("replay")
    console.run("discard")
    # The running policy is what it was: nothing of the candidate was loaded.
    assert socket.AF_INET == net.connect(topology.zones["mynumber"].namespace, SERVER, 7000, source=CLIENT).family


LOGIN = "login { idle-timeout 1h; user yamada { role administrator; } user tanaka { role administrator; } user sato { role auditor; } }"


@pytest.fixture
def people(make_gateway):
    """Two administrators and an auditor, with passwords of their own."""
    gateway = make_gateway(POLICY + LOGIN)
    people = People(gateway, random.Random(1))
    console = gateway.open_console()
    secrets = {user: temporary(console, user) for user in ("yamada", "tanaka", "sato")}
    gateway.hang_up(console)
    for user, secret in secrets.items():
        people.take(user, secret)
    return people


def test_replay_of_a_proposal_by_who_is_going_to_approve_it(net, topology, people):
    """C1, C2: what another administrator proposes is judged, not the candidate of one's own session; an administrator's, as `replay`."""
    flows(net, topology, people.gateway)
    assert "proposed: another" in propose(people, "yamada", "delete crossing mynumber lgwan permit 10", command="propose emergency")
    assert "only an administrator" in people.be("sato").run("replay proposal")
    console = people.be("tanaka")
    digest = shown_hash(people)
    said = console.run("replay proposal days 2")
    assert f"proposed by yamada, SHA-256 {digest}" in said and "flows now denied: 3" in said, said
    assert re.search(rf"{CLIENT} -> {SERVER} tcp 7000: permit 10 -> deny no-permit \(3, ", said)
    assert "allowed: days 1 to 366" in console.run("replay proposal days 0")
    flow = f"mynumber {CLIENT} {SERVER} tcp"
    assert re.search(r"permit +permitted +mynumber +lgwan +10 ", console.run(f"test flow {flow} 7000"))
    said = console.run(f"test proposal {flow} 7000")
    assert re.search(r"deny +no-permit +mynumber +lgwan +none", said) and f"proposed by yamada, SHA-256 {digest}" in said, said
    assert re.search(r"permit +permitted +mynumber +lgwan +20 ", console.run(f"test proposal {flow} 7100"))
    assert "tcp and udp need a port" in console.run(f"test proposal {flow}")
    console.run("configure")
    console.run("delete crossing mynumber lgwan permit 20")
    said = console.run("replay proposal")
    assert "tcp 7000: permit 10 -> deny" in said and "7100" not in said
    said = console.run("replay")
    assert "tcp 7100: permit 20 -> deny" in said and "7000" not in said and "proposed by" not in said
    console.run("discard")
    console.run("exit")
    assert "committed" in console.run(f"approve {digest[:8]}", timeout=40)
    for command in ("replay proposal", f"test proposal {flow} 7000"):
        assert "no proposal waits" in console.run(command)
