# SPDX-License-Identifier: GPL-2.0-or-later
"""Floods of packets that are dropped before anybody judges: alarms, and who is shut out for them (Z11, Z12, Z14)."""

import re
import time

import pytest

from lib.traffic import Sink
from lib.waiting import wait_until

SERVER = "10.20.0.8"
POLICY = """
service echo { udp 7000; }
crossing mynumber lgwan { permit 10 { destination 10.20.0.8; service echo; } }
"""
VICTIM_MAC, VICTIM = "02:00:00:00:66:06", "10.10.0.6"
FRAMES = 1500
QUIET_SECONDS = 60  # FLOODS_QUIET_MS, which docs/arbiter.md promises


class Flooder:
    """Frames of UDP from the mynumber zone's peer, each from another port."""

    def __init__(self, net, topology, gateway):
        zone = topology.zones["mynumber"]
        self.mac = zone.mac
        self.socket = net.packet_socket(zone.namespace, "port")
        self.to = net.run(gateway.zone_namespace("mynumber"), "cat", f"/sys/class/net/{zone.port}/address").stdout.strip()

    def frame(self, mac, source):
        from scapy.all import IP, UDP, Ether, raw
        return bytearray(raw(Ether(dst=self.to, src=mac) / IP(src=source, dst=SERVER) / UDP(sport=20000, dport=7000, chksum=0) /
                             (b"new " + bytes(12))))

    def send(self, source, mac=None, frames=FRAMES, change=lambda frame, number: None):
        frame = self.frame(mac or self.mac, source)
        for number in range(frames):
            frame[34:36] = (20000 + number).to_bytes(2, "big")
            change(frame, number)
            self.socket.send(frame)


def events(gateway, name):
    return [line for line in gateway.audit_lines() if f" {name} " in line]


def alarms(gateway):
    with gateway.console() as console:
        console.expect(console.PROMPT, timeout=20)
        return console.run("show alarms", timeout=20)


def dropped_as_isolated(net, gateway):
    shown = net.run(gateway.zone_namespace("mynumber"), "nft", "list", "counter", "inet", "sekisho", "isolated").stdout
    return int(re.search(r"packets (\d+)", shown)[1])


@pytest.mark.parametrize("claimed,detail", [(VICTIM, "flood-station"), ("192.0.2.77", "flood-spoofed")])
def test_packets_flood_isolates_who_sent_it_and_never_who_is_named_in_it(net, topology, make_gateway, claimed, detail):
    """Z11, Z12: a listed station that floods in the name of another listed one, or of nobody, is shut out by the hardware address
    that its frames came from; the other one goes on."""
    mac = topology.zones["mynumber"].mac
    gateway = make_gateway(POLICY, zone_extra={"mynumber": f"station {mac} {{ address 10.10.0.5; }} station {VICTIM_MAC} {{ address {VICTIM}; }} "
                                                           "guard { flood-rate 200/s; isolate-station; }"})
    sink = Sink(net, "peer-lgwan", SERVER, 7000)
    flooder = Flooder(net, topology, gateway)
    flooder.send("10.10.0.5", frames=1)
    wait_until(lambda: len(sink.got) == 1, "the station to be let through before")
    flooder.send(claimed)
    gateway.wait_event("flood-detected", 'zone="mynumber"', f'mac="{mac}"', f'detail="{detail}"', seconds=30)
    gateway.wait_event("station-isolated", f'name="{mac}"', f'reason="{detail}"', seconds=30)
    assert f"mynumber/{mac}" in alarms(gateway)
    before = dropped_as_isolated(net, gateway)
    flooder.send("10.10.0.5", frames=1)
    wait_until(lambda: dropped_as_isolated(net, gateway) > before, "the flooder's own traffic to be dropped, too")
    flooder.send(VICTIM, mac=VICTIM_MAC, frames=1)
    wait_until(lambda: len(sink.got) == 2, "the station whose address was claimed to go on")
    assert len(events(gateway, "station-isolated")) == 1 and len(events(gateway, "flood-detected")) == 1


@pytest.mark.limit(180)
def test_packets_flood_over_a_limit_is_an_alarm_that_ends(net, topology, make_gateway):
    """Z12, Z14: in a zone that lists nobody a flood of new flows is an alarm under its hardware address, and shuts nobody out; after
    a quiet minute, and not before, the alarm has ended."""
    mac = topology.zones["mynumber"].mac
    gateway = make_gateway(POLICY, zone_extra={"mynumber": "guard { source-rate 20/s; flood-rate 200/s; }"})
    sink = Sink(net, "peer-lgwan", SERVER, 7000)
    flooder = Flooder(net, topology, gateway)
    flooder.send("10.10.0.5")
    last = time.monotonic()
    gateway.wait_event("flood-detected", 'zone="mynumber"', f'mac="{mac}"', 'detail="flood-limit"', seconds=30)
    assert "flood-detected" in alarms(gateway)
    wait_until(lambda: events(gateway, "flood-ended"), "the alarm to end", QUIET_SECONDS + 30, 0.5)
    assert time.monotonic() - last >= QUIET_SECONDS
    assert "flood-detected" not in alarms(gateway)
    assert not events(gateway, "station-isolated") and not events(gateway, "zone-flooded")
    flooder.send("10.10.0.5", frames=1)
    wait_until(lambda: sink.got, "the station to be let through as before")


def test_packets_flood_alarms_end_with_the_netfilter_that_raised_them(net, topology, make_gateway):
    """Z12: who is started again cannot say that a flood has ended; its alarms do not stand for an hour, and a flood that goes on
    raises them again."""
    gateway = make_gateway(POLICY, zone_extra={"mynumber": "guard { source-rate 20/s; flood-rate 200/s; }"})
    flooder = Flooder(net, topology, gateway)
    flooder.send("10.10.0.5")
    gateway.wait_event("flood-detected", 'zone="mynumber"', seconds=30)
    assert "flood-detected" in alarms(gateway)
    zones = len(topology.zones)
    wait_until(lambda: len(events(gateway, "flood-watch-begun")) == zones, "each zone to be watched")
    killed = gateway.kill("netfilter")
    gateway.wait_role("netfilter", other_than=killed)
    wait_until(lambda: len(events(gateway, "flood-watch-begun")) == 2 * zones, "each zone to be watched anew")
    assert "flood-detected" not in alarms(gateway) and not events(gateway, "flood-ended")
    flooder.send("10.10.0.5")
    wait_until(lambda: len(events(gateway, "flood-detected")) == 2, "the alarm to be raised again")


def test_packets_flood_from_ever_other_senders_is_an_alarm_of_the_zone(net, topology, make_gateway):
    """Z14: whoever takes another hardware address and another address for each frame floods the zone, and fills no list."""
    gateway = make_gateway(POLICY, zone_extra={"mynumber": f"station {VICTIM_MAC} {{ address {VICTIM}; }} "
                                                           "guard { flood-rate 50/s; zone-flood-rate 1200/m; isolate-station; }"})
    flooder = Flooder(net, topology, gateway)
    netfilter = gateway.pids("netfilter")

    def change(frame, number):
        frame[6:12] = b"\x02\x77\x77\x77" + number.to_bytes(2, "big")

    flooder.send(VICTIM, change=change)
    gateway.wait_event("zone-flooded", 'zone="mynumber"', seconds=30)
    assert "zone-flooded" in alarms(gateway)
    flooder.send(VICTIM, mac="02:77:77:88:88:88")
    gateway.wait_event("flood-detected", 'mac="02:77:77:88:88:88"', 'detail="flood-station"', seconds=30)
    assert len(events(gateway, "flood-detected")) == 1
    assert not events(gateway, "station-isolated") and not events(gateway, "channel-violation")
    assert gateway.pids("netfilter") == netfilter
