# SPDX-License-Identifier: GPL-2.0-or-later
"""The packet path on the product's own kernel, with its real `queue` expression (Z1, Z8, C2)."""

import pytest

from lib.net import three_zones
from lib.peers import EchoServer
from lib.qemu import open_tap
from lib.waiting import wait_until

SERVER, PORT = "10.20.0.8", 7000
ZONES = """
system host-name sekisho-test
zone mynumber tier sensitive
zone mynumber port eth0
zone mynumber address 10.10.0.1/24
zone lgwan tier business
zone lgwan port eth1
zone lgwan address 10.20.0.1/24
zone internet tier outside
zone internet port eth2
zone internet address 203.0.113.1/28
service records tcp 7000
crossing mynumber lgwan permit 10 destination 10.20.0.8
crossing mynumber lgwan permit 10 service records
""".strip().splitlines()


@pytest.fixture
def wires(net):
    """A namespace with a tap for each zone: what the machine's three ports are plugged into."""
    made = []
    for zone in three_zones():
        net.namespace(zone.namespace)
        made.append(open_tap(zone.namespace))
        net.run(zone.namespace, "ip", "link", "set", "eth0", "up")
        net.address(zone.namespace, "eth0", *zone.peer)
        net.route(zone.namespace, "default", "via", zone.gateway4)
    return made


def commit(console, *statements):
    console.run("configure")
    for statement in statements:
        console.run(statement)
    assert "committed" in console.run("commit", timeout=90)
    console.run("exit")


def talks(net, namespace):
    done = net.run(namespace, "nc", "-N", "-w", "3", SERVER, str(PORT), stdin="sekisho\n", check=False, timeout=20)
    return done.stdout == "sekisho\n"


@pytest.mark.limit(240)
def test_packets_are_judged_through_the_queue_expression(machine, net, wires):
    EchoServer(net, "peer-lgwan", SERVER, PORT)
    board = machine(wires=wires)
    board.power_on()
    board.wait_ready(90)
    console = board.console
    console.run("", timeout=60)
    commit(console, *[f"set {statement}" for statement in ZONES])
    wait_until(lambda: talks(net, "peer-mynumber"), "the permitted flow", 30, 0.5)
    assert not talks(net, "peer-internet")
    log = console.run("show log 1000 | match flow- | no-more", timeout=30) + console.run(
        "show log 1000 | match queue-kind | no-more", timeout=30)
    assert "queue expression" in log
    assert "no-crossing" in log

    kept = net.connect("peer-mynumber", SERVER, PORT, timeout=10.0)
    kept.sendall(b"one")
    assert kept.recv(10) == b"one"
    commit(console, "set crossing mynumber lgwan permit 20 destination 10.20.0.9",
           "set crossing mynumber lgwan permit 20 service records")
    kept.sendall(b"two")
    assert kept.recv(10) == b"two", "a commit cut a flow that is still permitted"
    commit(console, "delete crossing mynumber lgwan permit 10")
    with pytest.raises(OSError):
        kept.sendall(b"three")
        kept.recv(10)
    assert not talks(net, "peer-mynumber")
