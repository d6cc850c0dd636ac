# SPDX-License-Identifier: GPL-2.0-or-later
"""The appliance is configured over its serial line; what was committed is what runs after a power cut, and its packets
really cross (Z1, Z6, C1)."""

import pytest

from lib.net import three_zones
from lib.peers import EchoServer
from lib.qemu import open_tap
from lib.waiting import wait_until

SERVER, PORT = "10.20.0.8", 7000
STATEMENTS = """
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


def configure(board):
    console = board.console
    console.send("\r")
    console.expect(r"> $")
    console.run("configure")
    for statement in STATEMENTS:
        console.run(f"set {statement}")
    answer = console.run("commit", timeout=30)
    console.run("exit")
    assert "crossing mynumber lgwan" in console.run("show configuration | no-more"), answer


def talks(net, namespace):
    """Whether a line sent over TCP to the echo server comes back."""
    done = net.run(namespace, "nc", "-N", "-w", "3", SERVER, str(PORT), stdin="sekisho\n", check=False, timeout=20)
    return done.stdout == "sekisho\n"


@pytest.mark.limit(240)
def test_config_committed_over_serial_survives_a_power_cut(machine, net, wires):
    EchoServer(net, "peer-lgwan", SERVER, PORT)
    board = machine(wires=wires)
    board.power_on()
    board.wait_ready(60)
    assert not talks(net, "peer-mynumber"), "the factory configuration lets nothing across"
    configure(board)
    shown = board.console.run("show configuration | no-more")
    assert "destination 10.20.0.8;" in shown
    wait_until(lambda: talks(net, "peer-mynumber"), "the permitted flow", 20, 0.5)
    assert not talks(net, "peer-internet")

    board.power_cut()
    board.power_on()
    board.wait_ready(60)
    board.console.send("\r")
    board.console.expect(r"sekisho-test> $")
    assert board.console.run("show configuration | no-more") == shown
    wait_until(lambda: talks(net, "peer-mynumber"), "the permitted flow after the power cut", 20, 0.5)
    assert not talks(net, "peer-internet")
