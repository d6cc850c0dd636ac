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
from lib.qemu import PATIENCE_SECONDS, copy_disk
from lib.waiting import wait_until

BOOTS = int(os.environ.get("BOOTS", "3"))
CLOCKS_SECONDS = 1.0    # by which the machine's clock, the capture's and ours may be apart some seconds after the boot


def configure(board):
    first_boot.begin(board.console)
    commit(board.console, *ZONES, *PERMIT)
    assert "crossing mynumber lgwan" in board.console.run("show configuration | no-more")


def silent_until(console):
    """Until when this boot had to send nothing, in the host's time, or a moment before.

    The machine's clock is not the host's: `configure` leaves a record, and it was typed no sooner than we look here. A record
    has the time at which it was written, which may be late; those of the zones' making are always written before the first
    rules are loaded, for nothing takes effect whose causes are not on the disk."""
    first_boot.log_in(console)
    console.run("terminal width 500")
    typed = time.time()
    console.run("configure")
    console.run("exit")

    def moments(event):
        shown = console.run(f"show log 1000 | match {event} | no-more")
        return [datetime.datetime.fromisoformat(moment) for moment in re.findall(rf"^(\S+) .* {event} ", shown, re.MULTILINE)]

    started = moments("gateway-starts")[-1]

    def of_this_boot(event):
        return [moment for moment in moments(event) if moment >= started]

    editing = wait_until(lambda: of_this_boot("config-editing"), "the record of `configure`", PATIENCE_SECONDS, 0.5)[0]
    loaded = of_this_boot("rules-loaded")[0]
    made = max(moment for moment in of_this_boot("zone-made") if moment <= loaded)
    allowed = min(loaded - datetime.timedelta(seconds=CLOCKS_SECONDS), made)
    return typed - (editing - allowed).total_seconds()


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
    wait_until(lambda: talks(net, "peer-mynumber"), "the permitted flow", PATIENCE_SECONDS, 0.5)
    assert not talks(net, "peer-internet")

    board.power_cut()
    board.power_on()
    board.wait_ready(60)
    first_boot.log_in(board.console)
    assert board.console.run("show configuration | no-more") == shown
    wait_until(lambda: talks(net, "peer-mynumber"), "the permitted flow after the power cut", PATIENCE_SECONDS, 0.5)
    assert not talks(net, "peer-internet")


@pytest.mark.limit(90 + 60 * BOOTS)
def test_config_saved_one_lets_nothing_out_before_the_first_ruleset(machine, net, wires, disk_in_use, tmp_path):
    """Z5: while the peers knock all the time, also by ARP, no frame leaves any port from power-on until the rules are
    loaded; then frames do leave, so the capture would have seen them."""
    EchoServer(net, "peer-lgwan", SERVER, PORT)
    board = machine(data=copy_disk(disk_in_use, tmp_path / "data.img"), wires=wires)
    for zone in three_zones():
        net.popen(zone.namespace, "ping", "-i", "0.2", zone.gateway4)
    for target in (SERVER, "203.0.113.5"):
        net.popen("peer-mynumber", "ping", "-i", "0.2", target)
    for _ in range(BOOTS):
        for zone in three_zones():
            net.run(zone.namespace, "ip", "neigh", "flush", "dev", "eth0")
        board.power_on()
        board.wait_ready(60)
        allowed_from = silent_until(board.console)
        wait_until(lambda: talks(net, "peer-mynumber"), "the permitted flow", PATIENCE_SECONDS, 0.5)
        for port in range(3):
            early = [f.summary() for f in board.frames_sent(port) if f.time < allowed_from]
            assert early == [], f"port {port}"
        assert board.frames_sent(0) and board.frames_sent(1), "the capture sees nothing at all"
        board.power_cut()
