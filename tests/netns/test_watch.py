# SPDX-License-Identifier: GPL-2.0-or-later
"""The watch list after an isolation (C7): what is recorded of watched stations, for how long, what outlasts what."""

import hashlib
import re
import socket

import pytest

from lib.gateway import Gateway, config_text
from lib.peers import EchoServer, tcp_talk
from lib.waiting import wait_until

STATION, SERVER = "10.10.0.5", "10.20.0.8"
POLICY = f"""
service echo {{ tcp 7000; }}
crossing mynumber lgwan {{ permit 10 {{ destination {SERVER}; service echo; }} }}
"""


@pytest.fixture
def watched(net, topology, make_gateway):
    """A gateway whose station was isolated and restored, and a console."""
    EchoServer(net, "peer-lgwan", SERVER, 7000)
    gateway = make_gateway(POLICY)
    console = gateway.open_console()
    assert "isolated" in console.run(f"isolate station {STATION} suspicious mail")
    assert "restored" in console.run(f"restore station {STATION}")
    gateway.wait_event("watch-begun", f'name="{STATION}"', 'reason="operator"', 'duration-s="604800"')
    return gateway, console


def talks(net):
    """The permitted flow passes."""
    wait_until(lambda: tcp_talk(net, "peer-mynumber", SERVER, 7000) == b"hello", "the station to be admitted")


def tries(net, topology, port):
    """Begin a flow that no permit has."""
    assert not net.reaches(topology.zones["mynumber"].namespace, SERVER, port)


def scans(net, topology, first):
    """A port scan, all at once."""
    with net.socket(topology.zones["mynumber"].namespace, kind=socket.SOCK_DGRAM) as out:
        for port in range(first, first + 60):
            out.sendto(b"x", (SERVER, port))


def test_watched_station_is_recorded_and_alarmed_of_until_an_operator_ends_it(net, topology, watched):
    """C7: a permitted flow without log is recorded, a denied one is an alarm; both end with the watch, which leaves a record."""
    gateway, console = watched
    row = console.run("show watch")
    assert re.search(rf"^1 +station +{STATION} +operator +\S+Z +\S+Z", row, re.MULTILINE), row
    talks(net)
    gateway.wait_event("flow-permitted", f'src="{STATION}"', 'dport="7000"')
    tries(net, topology, 7001)
    gateway.wait_event("watched-active", f'name="{STATION}"', 'detail="denied"', 'reason="operator"', 'dport="7001"')
    wait_until(lambda: "watched-active" in console.run("show alarms"), "the alarm")
    assert "comment" in console.run("clear watch 1")
    assert "no watch" in console.run("clear watch 9 nothing was found")
    assert "ended" in console.run("clear watch 1 nothing was found")
    gateway.wait_event("watch-ended", f'name="{STATION}"', 'reason="operator"', 'comment="nothing was found"')
    wait_until(lambda: "watched-active" not in console.run("show alarms"), "the alarm's end")
    assert STATION not in console.run("show watch")
    recorded = len([line for line in gateway.audit_lines() if " flow-permitted " in line])
    talks(net)
    tries(net, topology, 7002)
    gateway.wait_event("flow-denied", 'dport="7002"')
    lines = gateway.audit_lines()
    assert len([line for line in lines if " flow-permitted " in line]) == recorded
    assert not any("watched-active" in line and "7002" in line for line in lines)


def test_watch_outlasts_the_arbiter_and_a_restart(net, topology, watched):
    """C7: neither a new arbiter nor a new start forgets who is watched."""
    gateway, console = watched
    talks(net)
    tries(net, topology, 7001)
    gateway.wait_event("watched-active", 'dport="7001"')
    killed = gateway.kill("arbiter")
    gateway.wait_role("arbiter", other_than=killed, seconds=10)
    talks(net)
    tries(net, topology, 7003)
    gateway.wait_event("watched-active", 'dport="7003"')
    console.close()
    gateway.stop()
    with Gateway(topology, gateway.config_path.read_text(), state=gateway.state) as again:
        with again.console() as console:
            console.expect(console.PROMPT)
            assert STATION in console.run("show watch")
        talks(net)
        tries(net, topology, 7004)
        again.wait_event("watched-active", 'dport="7004"')


def test_watch_ends_at_its_time_and_a_damaged_list_is_said(net, topology, watched):
    """C7: a time that was over while the gateway was off ends at the start; a list that cannot be read is an event and an alarm."""
    gateway, console = watched
    console.close()
    gateway.stop()
    path = gateway.state / "watched"
    _, _, content = path.read_text().partition("\n")
    content = re.sub(r"^until \d+$", "until 1700000000", content, flags=re.MULTILINE)
    path.write_text(f"# sekisho-watched sha256={hashlib.sha256(content.encode()).hexdigest()}\n{content}")
    with Gateway(topology, gateway.config_path.read_text(), state=gateway.state) as again:
        again.wait_event("watch-ended", f'name="{STATION}"', 'reason="its time is over"')
    assert STATION not in path.read_text()
    path.write_text(path.read_text() + "x")
    with Gateway(topology, gateway.config_path.read_text(), state=gateway.state) as again:
        again.wait_event("watch-unsaved", "cannot be read")
        with again.console() as console:
            console.expect(console.PROMPT)
            wait_until(lambda: "watch-unsaved" in console.run("show alarms"), "the alarm")


def test_watch_of_a_zone_is_as_long_as_configured_and_knows_a_relapse(net, topology, make_gateway):
    """C7, Z12: a zone's restore begins a watch of every station in it; a station that the guard had isolated for a scan and that
    scans again is a relapse."""
    mac = topology.zones["mynumber"].mac
    guard = f"station-policy enforce; station {mac} {{ address {STATION}; }} guard {{ scan-ports 50; isolate-station; }}"
    text = config_text(topology, POLICY, system="watch-after-restore 2h;", zone_extra={"mynumber": guard})
    EchoServer(net, "peer-lgwan", SERVER, 7000)
    with Gateway(topology, text) as gateway, gateway.console() as console:
        console.expect(console.PROMPT)
        console.run("isolate zone lgwan")
        console.run("restore zone lgwan")
        gateway.wait_event("watch-begun", 'name="lgwan"', 'duration-s="7200"')
        talks(net)
        scans(net, topology, 20000)
        gateway.wait_event("station-isolated", f'name="{mac}"', 'reason="port-scan"')
        assert "restored" in console.run(f"restore station {mac}")
        gateway.wait_event("watch-begun", f'name="{mac}"', 'reason="port-scan"')
        killed = gateway.kill("arbiter")  # which tells of the same scan once a minute only
        gateway.wait_role("arbiter", other_than=killed, seconds=10)
        talks(net)  # the station is admitted, and the new arbiter judges
        scans(net, topology, 21000)
        gateway.wait_event("watched-relapse", f'name="{mac}"', 'detail="port-scan"', 'reason="port-scan"', f'mac="{mac}"')
