# SPDX-License-Identifier: GPL-2.0-or-later
"""`isolate station` while the station and its neighbour are busy (Z11): what the one has open ends, what the other has lives on.

    internet  <--TCP, IPv4 and IPv6-- station 10.20.0.8  --mail--> mynumber      <- isolated
    internet  ---------TCP----------> station            --screen--> internet
    internet  <--TCP----------------- neighbour 10.20.0.9 --mail--> mynumber
"""

import re
import signal
import subprocess
import time

import pytest

from lib.mail_peers import Dialogue
from lib.peers.rfb import FakeDesktop, Viewer
from lib.traffic import Sink, Stream
from lib.waiting import wait_until

PORT, NEIGHBOUR = 7000, "10.20.0.9"
DENIED = 1 << 15  # of a flow's mark: PACKET_MARK_DENY
PROMISED_S = 1.0


@pytest.fixture
def neighbour(net, topology):
    """A namespace with a second station of lgwan: a switch joins it to the first."""
    zone, device = topology.zones["lgwan"], topology.DEVICE
    net.run(zone.namespace, "ip", "link", "set", device, "name", "cable")
    net.run(zone.namespace, "ip", "link", "add", device, "address", zone.mac, "up", "type", "bridge")
    net.namespace("neighbour")
    net.veth(zone.namespace, "second", "neighbour", device)
    for port in ("cable", "second"):
        net.run(zone.namespace, "ip", "link", "set", port, "up", "master", device)
    net.run(zone.namespace, "ip", "address", "flush", "dev", "cable")
    net.address(zone.namespace, device, *zone.peer)
    net.route(zone.namespace, "default", "via", zone.gateway4, "src", zone.peer4)
    net.route(zone.namespace, "default", "via", zone.gateway6)
    net.address("neighbour", device, f"{NEIGHBOUR}/24")
    net.route("neighbour", "default", "via", zone.gateway4)
    return "neighbour"


def configuration(zones):
    inside, outside = zones["lgwan"], zones["internet"]
    return f"""
service numbered {{ tcp {PORT}; udp {PORT}; }}
crossing lgwan internet {{
    permit 10 {{ destination {outside.peer4}; service numbered; }}
    permit 20 {{ destination {outside.peer6}; service numbered; }}
    permit 30 {{ from internet; destination {inside.peer4}; service numbered; }}
}}
mail inbound {{ from lgwan; to mynumber; listen 25; domain city.example.lg.jp; next-hop {zones["mynumber"].peer4}; }}
screen web {{ from lgwan; to internet; listen 5900; desktop {outside.peer4}:5900; security none; }}
"""


def picture(desktop, stream):
    desktop.show(stream)
    desktop.serve(stream)


def open_flows(gateway, address):
    """Connections of an address that the kernel would let go on, in both zones: not denied, and answered so far."""
    lines = [line for zone in ("lgwan", "internet")
             for family in ("ipv4", "ipv6")
             for line in subprocess.run(["ip", "netns", "exec", gateway.zone_namespace(zone), "conntrack", "-L", "-f", family],
                                        capture_output=True, text=True, timeout=20, check=True).stdout.splitlines()]
    return [line for line in lines if f"dport={PORT}" in line and re.search(rf"(src|dst)={re.escape(address)} ", line)
            and "[UNREPLIED]" not in line and not int(re.search(r"mark=(\d+)", line)[1]) & DENIED]


class Station:
    """What a station of lgwan has open."""

    def __init__(self, net, topology, namespace, *streams):
        zone, outside = topology.zones["lgwan"], topology.zones["internet"]
        self.streams = [Stream(net, namespace, outside.peer4, PORT), *streams]
        self.mail = Dialogue(net, namespace, zone.gateway4)
        net.on_close(self.mail.socket.close)
        assert self.mail.reply().startswith("220") and self.mail.ask("EHLO station.example").startswith("250")

    def echoes(self):
        return [len(stream.echoes) for stream in self.streams]

    def goes_on(self, before):
        return all(now > was + 5 for now, was in zip(self.echoes(), before))


@pytest.mark.parametrize("by", ["address", "mac"])
def test_isolate_station_ends_what_it_has_open_and_nothing_else(net, topology, neighbour, make_gateway, by):
    """Z11, C7: flows in both directions, mail and screen; by hardware address in both families. Restored, nothing of it goes on."""
    inside, outside = topology.zones["lgwan"], topology.zones["internet"]
    for zone, address in ((outside, outside.peer4), (outside, outside.peer6), (inside, inside.peer4)):
        Sink(net, zone.namespace, address, PORT)
    FakeDesktop(net, outside.namespace, outside.peer4, script=picture)
    gateway = make_gateway(configuration(topology.zones))
    console = gateway.open_console()
    into = Stream(net, outside.namespace, inside.peer4, PORT)
    out6 = [Stream(net, inside.namespace, outside.peer6, PORT)] if by == "mac" else []
    station = Station(net, topology, inside.namespace, into, *out6)
    other = Station(net, topology, neighbour)
    viewer = Viewer(net.connect(inside.namespace, inside.gateway4, 5900))
    net.on_close(viewer.close)
    viewer.begin()
    wait_until(lambda: station.goes_on([0] * 4) and other.goes_on([0]), "echoes")
    assert open_flows(gateway, inside.peer4) and open_flows(gateway, NEIGHBOUR)

    name = inside.peer4 if by == "address" else inside.mac
    begin = time.monotonic()
    console.send(f"isolate station {name} suspected\r")
    console.expect("isolated")
    time.sleep(max(0.0, begin + PROMISED_S - time.monotonic()))
    known, still = open_flows(gateway, inside.peer4) + open_flows(gateway, inside.peer6) * (by == "mac"), gateway.pids("screen-viewer")
    console.expect(console.PROMPT)
    echoes, others = station.echoes(), other.echoes()
    wait_until(lambda: other.goes_on(others), "the neighbour's connection to go on")
    assert station.echoes() == echoes and all(s.echoes[-1] - begin < PROMISED_S for s in station.streams)
    assert known == [] and still == []
    for entry in ("inbound", "web"):
        gateway.wait_event("session-cut", f'name="{name}"', f'detail="{entry}"', f'src="{inside.peer4}"')
    gateway.wait_event("flow-cut", f'name="{name}"', f'src="{inside.peer4}"', f'dport="{PORT}"')
    gateway.wait_event("flows-cut", f'name="{name}"', f'count="{len(station.streams)}"')
    assert not [line for line in gateway.audit_lines() if "-cut " in line and NEIGHBOUR in line]

    assert "restored" in console.run(f"restore station {name}")
    wait_until(lambda: all(stream.ended for stream in station.streams), "the reset of every old connection", 60)
    assert station.echoes() == echoes, "a connection of before went on"
    again = Station(net, topology, inside.namespace)
    wait_until(lambda: again.goes_on([0]), "an echo on a new connection")
    assert other.mail.ask("NOOP").startswith("250") and other.streams[0].ended is None


def quiet_connection(net, topology):
    """From the station to its peer: one octet was echoed, and it says no more."""
    made = net.connect(topology.zones["lgwan"].namespace, topology.zones["internet"].peer4, PORT)
    made.sendall(b"x")
    assert made.recv(1) == b"x"
    return made


def expect_reset(connection):
    with pytest.raises(ConnectionResetError):
        connection.sendall(b"x")
        connection.recv(1)


def test_isolate_station_by_mac_ends_what_runs_under_its_bound_addresses(net, topology, make_gateway):
    """Z11: the configuration says which they are, when the neighbour table does not know them at the moment."""
    inside, outside = topology.zones["lgwan"], topology.zones["internet"]
    Sink(net, outside.namespace, outside.peer4, PORT)
    gateway = make_gateway(configuration(topology.zones),
                           zone_extra={"lgwan": f"station {inside.mac} {{ address {inside.peer4}; address {inside.peer6}; }}"})
    console = gateway.open_console()
    quiet = quiet_connection(net, topology)
    net.run(gateway.zone_namespace("lgwan"), "ip", "neigh", "flush", "all")
    assert "isolated" in console.run(f"isolate station {inside.mac}")
    gateway.wait_event("flows-cut", f'name="{inside.mac}"', 'count="1"')
    assert "restored" in console.run(f"restore station {inside.mac}")
    expect_reset(quiet)


def test_isolate_station_with_a_dead_netfilter_ends_flows_before_restore(net, topology, make_gateway):
    """Z11: what nobody could end when it was isolated does not go on behind `restore`."""
    inside, outside = topology.zones["lgwan"], topology.zones["internet"]
    Sink(net, outside.namespace, outside.peer4, PORT)
    gateway = make_gateway(configuration(topology.zones))
    console = gateway.open_console()
    quiet = quiet_connection(net, topology)
    stopped = gateway.kill("netfilter", signal.SIGSTOP)
    assert "isolated" in console.run(f"isolate station {inside.peer4}")
    gateway.wait_answering("netfilter", other_than=stopped, seconds=30)   # the supervisor ends what does not answer
    assert open_flows(gateway, inside.peer4)
    assert "restored" in console.run(f"restore station {inside.peer4}")
    expect_reset(quiet)


def test_isolate_station_ends_screens_of_a_desktop(net, topology, make_gateway):
    """Z11: the station is not who looks, but what is looked at."""
    inside, outside = topology.zones["lgwan"], topology.zones["internet"]
    FakeDesktop(net, outside.namespace, outside.peer4, script=picture)
    gateway = make_gateway(configuration(topology.zones))
    console = gateway.open_console()
    viewer = Viewer(net.connect(inside.namespace, inside.gateway4, 5900))
    net.on_close(viewer.close)
    assert "isolated" in console.run(f"isolate station {outside.peer4}")
    gateway.wait_event("session-cut", f'name="{outside.peer4}"', 'detail="web"', f'src="{inside.peer4}"')
    wait_until(lambda: not gateway.pids("screen-source"), "the end of the session's processes")
