# SPDX-License-Identifier: GPL-2.0-or-later
"""The audit log through power cuts (L1): at the syslog server every number stands for one record, and none is missing."""

import os
import random
import time

import pytest

from lib import first_boot
from lib.appliance import ZONES, commit
from lib.logs import rebuild, records, verify
from lib.peers import Syslog, udp_talk
from lib.qemu import PATIENCE_SECONDS
from lib.waiting import wait_until

CUTS = int(os.environ.get("CUTS") or 3)
SYSLOG = ["system syslog zone lgwan", "system syslog server 10.20.0.20"]


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
    first_boot.begin(board.console)
    commit(board.console, *ZONES, *SYSLOG)
    syslog.wait_line("syslog-configured", "sekisho-test", seconds=PATIENCE_SECONDS)
    for _ in range(CUTS):
        make_events(net, random.uniform(0.5, 4.0))
        board.power_cut()
        board.power_on()
        board.wait_ready(90)
    wait_until(lambda: sum(" log-opened " in line for line in records(syslog.lines()).values()) == CUTS + 1,
               "the record of every start", PATIENCE_SECONDS, 0.5)
    rebuild(syslog.lines(), tmp_path / "copy")
    assert verify(tmp_path / "copy").startswith("whole: records 1 to ")
