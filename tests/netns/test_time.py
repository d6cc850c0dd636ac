# SPDX-License-Identifier: GPL-2.0-or-later
"""The time from servers in a zone (L2), with Debian's chronyd and with servers that misbehave.

Here nobody sets a clock: it would be this machine's.
"""

import contextlib
import os
import pathlib
import signal

import pytest

from lib.net import run
from lib.time_servers import Chronyd, TimeStub
from lib.waiting import wait_until

CAP_SYS_TIME = 1 << 25
ZONE = "peer-lgwan"
ADDED, FOREIGN = ["10.20.0.9", "10.20.0.10"], "10.20.0.11"  # of the servers' host, beside 10.20.0.8


def ntp(*servers, lost_after="15m"):
    return f"ntp {{ zone lgwan; lost-after {lost_after}; " + " ".join(f"server {s};" for s in servers) + " }"


@pytest.fixture
def addresses(net, topology):
    """More addresses where the time servers stand."""
    for address in (*ADDED, FOREIGN):
        run("ip", "-n", ZONE, "address", "add", f"{address}/24", "dev", "port")
    return ADDED


def capabilities(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("CapPrm")).split()[1], 16)


def sockets_in_zone(gateway):
    """UDP sockets in the servers' zone: local address, peer."""
    lines = run("ip", "netns", "exec", gateway.zone_namespace("lgwan"), "ss", "-Huan").stdout.splitlines()
    return [line.split()[-1] for line in lines]


@pytest.mark.limit(240)
def test_time_follows_a_server_of_the_zone(net, make_gateway):
    """L2: by either protocol; the process has no privilege and no socket but those to its servers; both languages."""
    Chronyd(net, ZONE, "10.20.0.8", "fd00:20::8")
    gateway = make_gateway(system=ntp("10.20.0.8", "fd00:20::8"))
    gateway.wait_event("time-configured", 'count="2"', seconds=20)
    gateway.wait_event("time-synchronised", 'stratum="4"', seconds=60)
    pid = gateway.wait_role("time-source")
    assert capabilities(pid) == 0
    assert not capabilities(gateway.pid) & CAP_SYS_TIME, "the clock of this machine is not the gateway's to set"
    assert sorted(sockets_in_zone(gateway)) == ["10.20.0.8:123", "[fd00:20::8]:123"]
    console = gateway.open_console()
    shown = console.run("show time")
    assert "host" in shown and "synchronised" in shown and "fd00:20::8" in shown
    console.run("terminal language ja")
    assert "進み遅れ" in console.run("show time")
    console.commit("set zone lgwan description x")
    assert gateway.pids("time-source") == [pid], "a commit about something else does not begin anew"
    console.commit("delete system ntp server 10.20.0.8")
    gateway.wait_event("time-configured", 'count="1"', seconds=20)
    gateway.wait_role("time-source", other_than=[pid], seconds=20)
    wait_until(lambda: sockets_in_zone(gateway) == ["[fd00:20::8]:123"], "the socket of the server that is left", 20)
    console.commit("delete system ntp")
    gateway.wait_event("time-configured", 'count="0"', seconds=20)
    wait_until(lambda: sockets_in_zone(gateway) == [], "the end of the last socket", 20)
    wait_until(lambda: "no server" in console.run("show time"), "what is shown", 20)
    idle = gateway.wait_role("time-source", seconds=20)
    assert capabilities(idle) == 0 and "time-" not in console.run("show alarms"), "nobody is asked: nobody is missed"
    console.commit("set system ntp zone lgwan", "set system ntp server 10.20.0.8")
    gateway.wait_event("time-synchronised", 'server="10.20.0.8"', seconds=60)
    assert not [line for line in gateway.audit_lines() if "process-died" in line]


@pytest.mark.limit(240)
def test_time_is_lost_without_a_server_that_is_believed(net, addresses, make_gateway):
    """L2, Z12: an answer from another address and a kiss of death are none; the alarm ends with an answer."""
    TimeStub(net, ZONE, "10.20.0.8", FOREIGN)
    TimeStub(net, ZONE, addresses[0], "DENY")
    gateway = make_gateway(system=ntp("10.20.0.8", *addresses, lost_after="30s"))
    gateway.wait_event("time-lost", seconds=90)
    assert not [line for line in gateway.audit_lines() if "time-synchronised" in line]
    console = gateway.open_console()
    assert "time-lost" in console.run("show alarms")
    assert "lost" in console.run("show time")
    Chronyd(net, ZONE, addresses[1])
    gateway.wait_event("time-synchronised", f'server="{addresses[1]}"', seconds=90)
    wait_until(lambda: "time-lost" not in console.run("show alarms"), "the alarm's end", 20)


@pytest.mark.limit(240)
def test_time_of_a_server_that_lies_is_not_followed(net, addresses, make_gateway):
    """L2: two true ones outvote one that is an hour ahead, which is named."""
    for true in ("10.20.0.8", addresses[0]):
        Chronyd(net, ZONE, true)
    TimeStub(net, ZONE, addresses[1], 3600)
    gateway = make_gateway(system=ntp("10.20.0.8", *addresses))
    said = gateway.wait_event("time-server-false", seconds=90)
    assert f'server="{addresses[1]}"' in said
    synchronised = gateway.wait_event("time-synchronised", seconds=60)
    assert f'server="{addresses[1]}"' not in synchronised
    console = gateway.open_console()
    wait_until(lambda: "time-server-false" in console.run("show alarms"), "the alarm", 20)


@pytest.mark.limit(240)
def test_time_servers_that_are_configured_while_nobody_asks_are_followed(net, addresses, make_gateway):
    """L2: the process that cannot stay alive is between two starts when a commit names other servers."""
    Chronyd(net, ZONE, "10.20.0.8")
    gateway = make_gateway(system=ntp(addresses[0]))
    console = gateway.open_console()

    def storm():
        for pid in gateway.pids("time-source"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return "restart-storm" in gateway.log()

    wait_until(storm, "a storm of restarts", 60)
    console.commit("set system ntp server 10.20.0.8", f"delete system ntp server {addresses[0]}")
    gateway.wait_event("time-synchronised", 'server="10.20.0.8"', seconds=90)
