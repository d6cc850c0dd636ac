# SPDX-License-Identifier: GPL-2.0-or-later
"""A transparent crossing on our own kernel, with its queue expression and its flow table (Z2, C2; ADR 412). Picture in
lib/inline.py."""

import pytest

from lib.gateway import Gateway
from lib.inline import MACS, NEAR, NEAR_6, ROUTER, ROUTER_6, SERVER, OneNetwork, policy
from lib.traffic import Sink, Stream
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
    """The kernel answers for the other side, writes the sender into its own requests, and carries both families past the rules."""
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
