# SPDX-License-Identifier: GPL-2.0-or-later
"""The appliance is configured over its serial line; what was committed is what runs after a power cut, and its packets
really cross (Z1, Z6, C1)."""

import os
import time

import pytest

from lib.appliance import PERMIT, PORT, SERVER, ZONES, commit, talks
from lib.net import three_zones
from lib.peers import EchoServer
from lib.waiting import wait_until

BOOTS = int(os.environ.get("BOOTS", "3"))
LINK_TO_READY_SECONDS = 2.0     # from the first link that comes up (rules loaded) to our reading of `ready`, on an idle host;
LINK_TO_READY_SHARE = 0.7       # on a slow one this much of the time since the kernel gave way to user space


def configure(board):
    commit(board.console, *ZONES, *PERMIT)
    assert "crossing mynumber lgwan" in board.console.run("show configuration | no-more")


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


@pytest.mark.limit(90 + 60 * BOOTS)
def test_config_saved_one_lets_nothing_out_before_the_first_ruleset(machine, net, wires):
    """Z5: while the peers knock all the time, also by ARP, no frame leaves any port from power-on until the rules are
    loaded; then frames do leave, so the capture would have seen them."""
    EchoServer(net, "peer-lgwan", SERVER, PORT)
    board = machine(wires=wires)
    board.power_on()
    board.wait_ready(60)
    configure(board)
    board.power_cut()
    for zone in three_zones():
        net.popen(zone.namespace, "ping", "-i", "0.2", zone.gateway4)
    for target in (SERVER, "203.0.113.5"):
        net.popen("peer-mynumber", "ping", "-i", "0.2", target)
    for _ in range(BOOTS):
        for zone in three_zones():
            net.run(zone.namespace, "ip", "neigh", "flush", "dev", "eth0")
        board.power_on()
        started = board.wait_started()
        took = board.wait_ready(60) - started
        silent_until = time.time() - max(LINK_TO_READY_SECONDS, LINK_TO_READY_SHARE * took)
        wait_until(lambda: talks(net, "peer-mynumber"), "the permitted flow", 20, 0.5)
        for port in range(3):
            early = [f.summary() for f in board.frames_sent(port) if f.time < silent_until]
            assert early == [], f"port {port}"
        assert board.frames_sent(0) and board.frames_sent(1), "the capture sees nothing at all"
        board.power_cut()
