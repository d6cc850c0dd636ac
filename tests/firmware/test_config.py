# SPDX-License-Identifier: GPL-2.0-or-later
"""The appliance is configured over its serial line; what was committed is what runs after a power cut, and its packets
really cross (Z1, Z6, C1)."""

import datetime
import os
import re
import time

import pytest

from lib import first_boot
from lib.appliance import PERMIT, PORT, SERVER, ZONES, commit, talks
from lib.net import three_zones
from lib.peers import EchoServer
from lib.waiting import wait_until

BOOTS = int(os.environ.get("BOOTS", "3"))
CLOCKS_SECONDS = 1.0    # by which the machine's clock, the capture's and ours may be apart some seconds after the boot


def configure(board):
    first_boot.begin(board.console)
    commit(board.console, *ZONES, *PERMIT)
    assert "crossing mynumber lgwan" in board.console.run("show configuration | no-more")


def rules_loaded_at(console):
    """When the first rules of this boot were loaded, in the host's time, or a moment before.

    The machine's clock is not the host's: `configure` leaves a record, and it was typed no sooner than we look here."""
    first_boot.log_in(console)
    console.run("terminal width 500")
    typed = time.time()
    console.run("configure")
    console.run("exit")
    boot = console.run("show log 60 | no-more").rpartition("gateway-starts")[2]
    loaded, editing = (datetime.datetime.fromisoformat(re.search(rf"^(\S+) .* {event} ", boot, re.MULTILINE)[1])
                       for event in ("rules-loaded", "config-editing"))
    return typed - (editing - loaded).total_seconds()


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
    first_boot.log_in(board.console)
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
        board.wait_ready(60)
        silent_until = rules_loaded_at(board.console) - CLOCKS_SECONDS
        wait_until(lambda: talks(net, "peer-mynumber"), "the permitted flow", 20, 0.5)
        for port in range(3):
            early = [f.summary() for f in board.frames_sent(port) if f.time < silent_until]
            assert early == [], f"port {port}"
        assert board.frames_sent(0) and board.frames_sent(1), "the capture sees nothing at all"
        board.power_cut()
