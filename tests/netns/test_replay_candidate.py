# SPDX-License-Identifier: GPL-2.0-or-later
"""The console's `replay`: real flows that were recorded, against a candidate (C2)."""

import re
import socket

import pytest

from lib.first_payload import Responder
from lib.waiting import wait_until

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
