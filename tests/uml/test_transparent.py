# SPDX-License-Identifier: GPL-2.0-or-later
"""A transparent crossing on our own kernel, with its queue expression, its flow table, VLANs and bonds (Z2, C2; ADR 412). Picture
in lib/inline.py."""

import time

import pytest

from lib.gateway import Gateway
from lib.inline import MACS, NEAR, NEAR_6, ROUTER, ROUTER_6, SERVER, OneNetwork, policy
from lib.traffic import Sink, Stream
from lib.trunk import lay_trunk
from lib.waiting import wait_until

CROSSING = """
service echo { tcp 7000; }
crossing inner outer {
    transparent; offload;
    permit 10 { source 10.1.0.5 fd00:1::5; destination 10.1.0.1 fd00:1::1; service echo; }
}
"""


def offloaded(net, gateway, zone):
    shown = net.run(gateway.zone_namespace(zone), "cat", "/proc/net/nf_conntrack").stdout
    return [line for line in shown.splitlines() if "[OFFLOAD]" in line]


@pytest.mark.limit(120)
def test_uml_transparent_crossing_answers_routes_and_offloads(net):
    """The kernel answers for the other side, writes the sender into its own requests, carries both families past the rules, and has
    the rules that were asked for."""
    from scapy.all import ARP
    network = OneNetwork(net)
    for host in (ROUTER, SERVER, ROUTER_6):
        Sink(net, "far", host, 7000)
    assert net.reaches("near", SERVER, 7000, timeout=5.0), "the control: before, the switch joins them"
    network.plug("gateway")
    with Gateway(network, policy(CROSSING)) as gateway:
        network.wait_link()
        gateway.wait_event("queue-kind", 'detail="queue expression"')
        asked = {host: net.capture(host, "port", "arp[6:2] == 1") for host in MACS}
        streams = [Stream(net, "near", host, 7000, 0.005, source=source) for host, source in ((ROUTER, NEAR), (ROUTER_6, NEAR_6))]
        for zone in ("inner", "outer"):
            wait_until(lambda z=zone: len(offloaded(net, gateway, z)) >= 2, f"both flows in the flow table of {zone}", 20)
        before = [len(s.echoes) for s in streams]
        wait_until(lambda: all(len(s.echoes) > n + 20 for s, n in zip(streams, before)), "the offloaded flows to go on", 20)
        assert not net.reaches("near", SERVER, 7000, timeout=2.0) and not [s for s in streams if s.ended]
        senders = {host: {p[ARP].psrc for p in capture.stop() if p[ARP].hwsrc != MACS[host]} for host, capture in asked.items()}
        assert senders["far"] == {"10.1.0.2"} and senders["near"] <= {ROUTER}, senders
        for zone in ("inner", "outer"):
            gateway.wait_event(" rules-compared ", f'zone="{zone}"', seconds=30)
        assert not [line for line in gateway.audit_lines() if " rules-differ " in line]


class BehindTrunk(OneNetwork):
    """The picture of lib/inline.py with the gateway's devices named as its configuration has them: a VLAN (trunk.101), a bond
    (bond0), a VLAN of a bond (bond0.101) or the device of the cable itself (outer).

    The hosts' cables stay in the switch; `plug("gateway")` takes them from their common bridge and joins each to what leads to the
    gateway's port of that side.
    """

    LINKS = {"bond0": ["eth8", "eth9"], "trunk": ["trunk"]}  # of a device: its cables, by the gateway's names

    def __init__(self, net, ports):
        self.ports = dict(zip(self.CABLES.values(), ports))
        super().__init__(net)
        device = ports[0].partition(".")[0]
        lay_trunk(net, "switch", self.gateway, self.LINKS[device])

    def plug(self, place):
        super().plug("switch")
        if place == "switch":
            return
        for cable, port in self.ports.items():
            vlan = port.partition(".")[2]
            if port == cable:
                self.net.run("switch", "ip", "link", "set", cable, "down", "nomaster", "netns", self.gateway)
                continue
            way = f"way-{vlan}" if vlan else "trunk"
            if vlan:
                self.net.run("switch", "ip", "link", "add", "link", "trunk", "name", way, "type", "vlan", "id", vlan)
            self.net.run("switch", "ip", "link", "add", f"to-{cable}", "up", "type", "bridge")
            self.net.run("switch", "ip", "link", "set", way, "up", "master", f"to-{cable}")
            self.net.run("switch", "ip", "link", "set", cable, "master", f"to-{cable}")


@pytest.mark.limit(120)
@pytest.mark.parametrize("ports", [("trunk.101", "trunk.102"), ("bond0", "outer"), ("bond0.101", "bond0.102")], ids="/".join)
def test_uml_transparent_zones_on_vlans_and_bonds(net, ports):
    """Z2, Z8: the ports of a transparent crossing are VLANs of one trunk, a bond, or VLANs of a bond: what a permit names crosses
    in both families and is offloaded, the rest does not, and a frame of the trunk is in the zone of its tag alone."""
    from scapy.all import IP, UDP, Dot1Q, Ether
    network = BehindTrunk(net, ports)
    sinks = {host: Sink(net, "far", host, 7000) for host in (ROUTER, SERVER, ROUTER_6)}
    assert net.reaches("near", SERVER, 7000, timeout=5.0), "the control: before, the switch joins them"
    before = network.settings()
    network.plug("gateway")
    text = policy(CROSSING.replace("tcp 7000;", "tcp 7000; udp 7000;"))
    if ports[0].startswith("bond0"):
        text += "bond bond0 { port eth8 eth9; mode active-backup; }\n"
    for cable, port in network.ports.items():
        text = text.replace(f"port {cable};", f"port {port};")
    with Gateway(network, text) as gateway:
        network.wait_link()
        streams = [Stream(net, "near", host, 7000, 0.005, source=source) for host, source in ((ROUTER, NEAR), (ROUTER_6, NEAR_6))]
        for zone in ("inner", "outer"):
            wait_until(lambda z=zone: len(offloaded(net, gateway, z)) >= 2, f"both flows in the flow table of {zone}", 20)
        counts = [len(s.echoes) for s in streams]
        wait_until(lambda: all(len(s.echoes) > n + 20 for s, n in zip(streams, counts)), "the offloaded flows to go on", 20)
        assert not net.reaches("near", SERVER, 7000, timeout=2.0)
        if ports[0].startswith("bond0"):
            links_fail_in_turn(net, streams)
        tags = {name: name.partition(".")[2] for name in ports}
        if all(tags.values()):
            wire = net.packet_socket("switch", "trunk")
            inside = IP(src=NEAR, dst=ROUTER) / UDP(sport=5000, dport=7000)
            mac = net.run(gateway.zone_namespace("inner"), "cat", f"/sys/class/net/{ports[0]}/address").stdout.strip()
            inner, outer = (int(tag) for tag in tags.values())
            forms = [Dot1Q(vlan=outer), Dot1Q(vlan=103), Dot1Q(vlan=outer) / Dot1Q(vlan=inner), Dot1Q(vlan=inner) / Dot1Q(vlan=outer),
                     None, Dot1Q(vlan=inner)]  # the last alone is right
            head = Ether(dst=mac, src=MACS["near"])
            for number, tag in enumerate(forms):
                packet = inside / (b"new " + bytes([number]) * 12)
                wire.send(bytes(head / tag / packet if tag is not None else head / packet))
            wait_until(lambda: [x for x in sinks[ROUTER].got if x[0] == "new "], "the frame of the right VLAN")
            time.sleep(0.5)  # another zone's queue has its own order
            assert {x[1] & 0xff for x in sinks[ROUTER].got if x[0] == "new "} == {len(forms) - 1}
        assert not [s for s in streams if s.ended] and network.settings() == before
    left = net.run(network.gateway, "ip", "-br", "link").stdout
    assert not [port for port in ports if port != "outer" and port in left], left


def links_fail_in_turn(net, streams):
    """Either cable of the bond is pulled; the connections go on by the other."""
    for lost, other in (("eth8", "eth9"), ("eth9", "eth8")):
        counts = [len(s.echoes) for s in streams]
        net.run("switch", "ip", "link", "set", f"to-{lost}", "down")
        wait_until(lambda n=counts: all(len(s.echoes) > m + 100 for s, m in zip(streams, n)), f"traffic by {other}", 30)
        net.run("switch", "ip", "link", "set", f"to-{lost}", "up")
        wait_until(lambda o=lost: "LOWER_UP" in net.run("switch", "ip", "link", "show", f"to-{o}").stdout, f"the link of {lost}", 10)
