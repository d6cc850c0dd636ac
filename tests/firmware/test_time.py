# SPDX-License-Identifier: GPL-2.0-or-later
"""The clock where it is the gateway's own (L2): before the image was built, over 2038."""

import datetime
import re

import pytest

from lib import first_boot
from lib.appliance import PERMIT, ZONES, commit
from lib.qemu import PATIENCE_SECONDS
from lib.time_servers import TimeStub
from lib.waiting import wait_until

ZONE, SERVER = "peer-lgwan", "10.20.0.8"
NTP = ("set system ntp zone lgwan", f"set system ntp server {SERVER}")
LATER = datetime.datetime(2047, 3, 1, 12, tzinfo=datetime.timezone.utc)
TEN_YEARS_S = 315360000
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def ahead_of_now(moment):
    """What a server must add to this machine's time to say `moment` now."""
    return (moment - EPOCH).total_seconds() - datetime.datetime.now(datetime.timezone.utc).timestamp()


def log_of(console, text):
    return console.run(f"show log 1000 | match {text} | no-more", timeout=30)


def wait_log(console, text, seconds):
    wait_until(lambda: re.search(rf"{text}.*=", log_of(console, text)), f"the event {text}", max(seconds, PATIENCE_SECONDS), 1)
    return log_of(console, text)


@pytest.mark.limit(400)
def test_time_is_set_once_and_over_2038(machine, net, wires):
    """L2, Z12: a clock before the image is said and set forward, a server's time of 2047 is taken, a jump after it is not.

    A permit's end is decided anew by the step.
    """
    server = TimeStub(net, ZONE, SERVER, ahead_of_now(LATER))
    board = machine(wires=wires, rtc="2016-01-02T03:04:05")
    board.power_on()
    board.wait_ready(120)
    console = board.console
    first_boot.begin(console)
    assert "+" in wait_log(console, "time-behind", 30)
    commit(console, *ZONES, *PERMIT, "crossing mynumber lgwan permit 10 expires 2040-12-31", *NTP)
    assert "+" in wait_log(console, "time-step", 120)
    wait_log(console, "time-synchronised", 120)
    wait_log(console, "calendar-edge", 30)
    shown = console.run("show time")
    assert "2047-03-01" in shown and "synchronised" in shown
    assert re.search(r" [-+]\d+ s +gateway ", shown), "what the RTC differs by, and whose the clock is"
    server.mode(ahead_of_now(LATER) + TEN_YEARS_S)
    assert "-315" in wait_log(console, "time-drifts", 150)
    shown = console.run("show time")
    assert "2047-03-01" in shown and "drifting" in shown, "the clock stays where it is"
    assert len(re.findall(r"time-step +offset=", log_of(console, "time-step"))) == 1
    assert "time-drifts" in console.run("show alarms")
