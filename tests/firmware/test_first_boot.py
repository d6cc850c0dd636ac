# SPDX-License-Identifier: GPL-2.0-or-later
"""The appliance out of its box, at its serial line (A5, A7, A10, C2): the first administrator, through a power cut."""

import time

import pexpect
import pytest

from lib import first_boot
from lib.qemu import PATIENCE_SECONDS

GLANCE_SECONDS = 0.05


def see(console, text):
    """Wait for a text; return a moment, a glance or two before, at which it was not there yet: we read it later than it came."""
    end = time.monotonic() + PATIENCE_SECONDS
    missing, looked = None, time.monotonic()
    while missing is None or console.expect_exact([text, pexpect.TIMEOUT], timeout=GLANCE_SECONDS) == 1:
        missing, looked = looked, time.monotonic()
        assert looked < end, f"{text!r} never came"
    return missing


@pytest.mark.limit(300)
def test_first_boot_begins_again_behind_a_power_cut_and_then_never(machine):
    """The plug is pulled while the password is typed for the second time: nothing is set up. Then, in Japanese, it is; from
    there on a login is asked for at each start, the name stands on the screen at power-on, and the record says who it was."""
    board = machine()
    board.power_on()
    board.wait_ready(60)
    for question, typed in first_boot.answers("gate-1")[:-1]:
        board.console.expect(question)
        board.console.send(typed + "\r")
    board.console.expect(first_boot.QUESTIONS["en"][-2])
    board.power_cut()

    board.power_on()
    board.wait_ready(60)
    first_boot.begin(board.console, "gate-2", language="ja")
    shown = board.console.run("show configuration | no-more")
    assert f'organization "{first_boot.ORGANIZATION}";' in shown and "host-name gate-2;" in shown
    assert "role administrator;" in shown
    records = board.console.run("show log 200 | no-more")
    assert records.count("first-administrator") == 1
    board.power_cut()

    board.power_on()
    shown_since = see(board.console, f"\x1b#3  {first_boot.ORGANIZATION}")
    board.console.expect("利用者名: $", timeout=60)
    assert time.monotonic() - shown_since >= 5, "the owner's name stands for 5 s at least"
    first_boot.log_in(board.console)
    assert "first administrator" in board.console.run("show history")
