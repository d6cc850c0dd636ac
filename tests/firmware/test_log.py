# SPDX-License-Identifier: GPL-2.0-or-later
"""The audit log through power cuts (L1): at the syslog server every number stands for one record, and none is missing."""

import os
import random
import time

import pytest

from lib.logs import rebuild, records, verify
from lib.net import three_zones
from lib.peers import Syslog, udp_talk
from lib.qemu import open_tap
from lib.waiting import wait_until

CUTS = int(os.environ.get("CUTS", "3"))
STATEMENTS = """
system host-name sekisho-test
system syslog zone lgwan
system syslog server 10.20.0.20
zone mynumber tier sensitive
zone mynumber port eth0
zone mynumber address 10.10.0.1/24
zone lgwan tier business
zone lgwan port eth1
zone lgwan address 10.20.0.1/24
zone internet tier outside
zone internet port eth2
zone internet address 203.0.113.1/28
""".strip().splitlines()


@pytest.fixture
def wires(net):
    """A namespace with a tap for each zone."""
    made = []
    for zone in three_zones():
        net.namespace(zone.namespace)
        made.append(open_tap(zone.namespace))
        net.run(zone.namespace, "ip", "link", "set", "eth0", "up")
        net.address(zone.namespace, "eth0", *zone.peer, *zone.more)
        net.route(zone.namespace, "default", "via", zone.gateway4)
    return made


def configure(board):
    console = board.console
    console.run("", timeout=60)
    console.run("configure")
    for statement in STATEMENTS:
        console.run(f"set {statement}")
    assert "committed" in console.run("commit", timeout=90)


def make_events(net, seconds):
    """Refused packets, each of a kind of its own, for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        udp_talk(net, "peer-internet", "10.20.0.8", random.randrange(1024, 65535), timeout=0.05)


@pytest.mark.limit(120 + 90 * CUTS)
def test_log_has_one_record_for_each_number_through_power_cuts(machine, net, wires, tmp_path):
    syslog = Syslog(net, "peer-lgwan", "10.20.0.20")
    board = machine(wires=wires)
    board.power_on()
    board.wait_ready(90)
    configure(board)
    syslog.wait_line("syslog-configured", "sekisho-test", seconds=60)
    for _ in range(CUTS):
        make_events(net, random.uniform(0.5, 4.0))
        board.power_cut()
        board.power_on()
        board.wait_ready(90)
    wait_until(lambda: sum(" log-opened " in line for line in records(syslog.lines()).values()) == CUTS + 1,
               "the record of every start", 60, 0.5)
    (tmp_path / "copy").mkdir()
    rebuild(syslog.lines(), tmp_path / "copy")
    assert verify(tmp_path / "copy").startswith("whole: records 1 to ")
