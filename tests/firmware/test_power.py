# SPDX-License-Identifier: GPL-2.0-or-later
"""`reboot` and `shutdown` at the console of the firmware: process 1 ends the machine (A6, L1, ADR 812)."""

import re

import pytest

from lib import first_boot
from lib.qemu import copy_disk


@pytest.mark.limit(300)
def test_power_ends_the_machine_and_its_record_is_there_at_the_next_start(machine, disk_in_use, tmp_path):
    """The person is in the log of the next start, and the data disk was left clean: its journal has nothing to replay."""
    board = machine(data=copy_disk(disk_in_use, tmp_path / "data.img"))
    board.power_on()
    board.wait_ready(60)
    first_boot.log_in(board.console)
    begun = len(board.transcript())     # this start replays a journal: the disk is one of a power cut
    for command in ("reboot", "shutdown"):
        board.console.send(f"{command}\r")
        board.console.expect(r"\[yes/no\] $", timeout=60)
        board.console.send("yes\r")
        board.console.expect("ends in order", timeout=60)
        board.wait_off(60)
        board.power_on()
        board.wait_ready(60)
        first_boot.log_in(board.console)
        board.console.run("terminal length 0")
        shown = board.console.run("show log 200 | match machine-ends", timeout=60)
        assert re.search(rf'detail="{command}" .*user="{first_boot.ADMINISTRATOR}"', re.sub(r"\s+", " ", shown)), shown
    assert "recovery" not in board.transcript()[begun:], "the disk was not left clean"
